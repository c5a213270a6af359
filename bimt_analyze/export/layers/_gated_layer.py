"""``activation(G h + b) * (U h + c)``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from ..c_code._module_code import ModuleCode
from ..c_code._products import Matrix, Vector
from ._layer import Layer, Links

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False, repr=False)
class GatedLayer(Layer):
    """Numbers ``activation(gate h + gate_bias) * (up h + up_bias)``.

    Attributes
    ----------
    gate : float32 array [outputs, inputs]
        Weights of the gates; cut ones are 0.
    gate_bias : float32 array [outputs]
        Biases of the gates.
    up : float32 array [outputs, inputs]
        Weights of what is gated; cut ones are 0.
    up_bias : float32 array [outputs]
        Biases of what is gated.
    activation : str
        A name in `bimt_train.models.ACTIVATIONS`, for the gates.

    Examples
    --------
    >>> one, zero = np.ones((1, 2), np.float32), np.zeros(1, np.float32)
    >>> GatedLayer(one, zero, one, zero, "silu").multiply_adds()
    5
    """

    gate: Matrix
    gate_bias: Vector
    up: Matrix
    up_bias: Vector
    activation: str

    @property
    def inputs(self) -> int:
        """Columns of the weights."""
        return int(self.gate.shape[1])

    @property
    def outputs(self) -> int:
        """Rows of the weights."""
        return int(self.gate.shape[0])

    def links(self) -> Links:
        """Where a weight of either kind is not 0."""
        return np.asarray((self.gate != 0) | (self.up != 0))

    def taken(self, outputs: Sequence[int], inputs: Sequence[int]) -> Self:
        """Some rows and columns."""
        some, rows = np.ix_(outputs, inputs), list(outputs)
        return type(self)(self.gate[some], self.gate_bias[rows], self.up[some], self.up_bias[rows], self.activation)

    def multiply_adds(self) -> int:
        """One for each weight, and one for each product."""
        return int((self.gate != 0).sum() + (self.up != 0).sum()) + self.outputs

    def to_torch(self) -> "nn.Module":
        """Two linear layers and their product."""
        from bimt_train.models.building_blocks.activations import activation_module

        from ._torch_gated import GatedModule
        from ._torch_parts import linear

        gate, up = linear(self.gate, self.gate_bias), linear(self.up, self.up_bias)
        return GatedModule(gate, up, activation_module(self.activation))

    def to_torch_neurons_first(self) -> "nn.Module":
        """Two products, and the product of what they give."""
        from bimt_train.models.building_blocks.activations import activation_module

        from ._torch_gated import GatedModule
        from ._torch_neurons_first import Product

        gate, up = Product(self.gate, self.gate_bias), Product(self.up, self.up_bias)
        return GatedModule(gate, up, activation_module(self.activation))

    def to_c(self, code: ModuleCode) -> None:
        """Two products, and a product of what they give."""
        target, up = code.value(self.outputs), code.value(self.outputs)
        code.product(self.gate, self.gate_bias, code.reads, target)
        code.activate(self.activation, target, self.outputs)
        code.product(self.up, self.up_bias, code.reads, up)
        code.say(
            f"for (int i = 0; i < {self.outputs}; i++) for (int l = 0; l < @wide; l++) {target}[i][l] *= {up}[i][l];"
        )
        code.gives(target, self.outputs)
