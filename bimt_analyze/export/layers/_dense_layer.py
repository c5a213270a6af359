"""``activation(W h + b)``."""

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
class DenseLayer(Layer):
    """Numbers ``activation(weight h + bias)``.

    Attributes
    ----------
    weight : float32 array [outputs, inputs]
        The weights; cut ones are 0.
    bias : float32 array [outputs]
        The biases.
    activation : str
        A name in `bimt_train.models.ACTIVATIONS`.

    Examples
    --------
    >>> layer = DenseLayer(np.array([[1, 0], [2, 3]], np.float32), np.zeros(2, np.float32), "relu")
    >>> layer.multiply_adds(), layer.taken([0], [0]).weight.tolist()
    (3, [[1.0]])
    """

    weight: Matrix
    bias: Vector
    activation: str

    @property
    def inputs(self) -> int:
        """Columns of the weights."""
        return int(self.weight.shape[1])

    @property
    def outputs(self) -> int:
        """Rows of the weights."""
        return int(self.weight.shape[0])

    def links(self) -> Links:
        """Weights that are not 0."""
        return np.asarray(self.weight != 0)

    def taken(self, outputs: Sequence[int], inputs: Sequence[int]) -> Self:
        """Some rows and columns."""
        return type(self)(self.weight[np.ix_(outputs, inputs)], self.bias[list(outputs)], self.activation)

    def multiply_adds(self) -> int:
        """One for each weight."""
        return int((self.weight != 0).sum())

    def to_torch(self) -> "nn.Module":
        """A linear layer and the activation."""
        from torch import nn

        from ._torch_parts import activation, linear

        return nn.Sequential(linear(self.weight, self.bias), activation(self.activation))

    def to_torch_neurons_first(self) -> "nn.Module":
        """A product and the activation."""
        from torch import nn

        from ._torch_neurons_first import Product
        from ._torch_parts import activation

        return nn.Sequential(Product(self.weight, self.bias), activation(self.activation))

    def to_c(self, code: ModuleCode) -> None:
        """A product and the activation."""
        target = code.value(self.outputs)
        code.product(self.weight, self.bias, code.reads, target)
        code.activate(self.activation, target, self.outputs)
        code.gives(target, self.outputs)
