"""A network that is not taken apart: it runs as its own module does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from bimt_train import InputError
from bimt_train.checkpoints import Network

from ..c_code._module_code import ModuleCode
from ._layer import Layer, Links

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False, repr=False)
class Whole(Layer):
    """All that a network computes, as its own module.

    Attributes
    ----------
    network : Network
        The network.
    read : int
        Columns of its rows.
    given : int
        Numbers that it gives for each row.

    Examples
    --------
    >>> from bimt_train.models import GPT
    >>> network = Network.of(GPT(tokens=3, context=2, width=4, heads=2, layers=1, hidden=5))
    >>> Whole(network, 2, 3).links().all()
    np.True_
    """

    network: Network
    read: int
    given: int

    @property
    def inputs(self) -> int:
        """Every column."""
        return self.read

    @property
    def outputs(self) -> int:
        """Every output."""
        return self.given

    def links(self) -> Links:
        """Each output may depend on every input."""
        return np.ones((self.given, self.read), dtype=bool)

    def taken(self, outputs: Sequence[int], inputs: Sequence[int]) -> Self:
        """The layer itself, of which nothing can be left out."""
        if len(outputs) != self.given or len(inputs) != self.read:
            got = f"{len(outputs)} of {self.given} outputs, {len(inputs)} of {self.read} inputs"
            raise InputError("a part of a network that is not taken apart", where=self.network.model.kind, got=got)
        return self

    def multiply_adds(self) -> int:
        """One for each weight that is not 0: those of one token, where a row is tokens."""
        return self.network.edges(0.0)

    def arrays(self) -> Mapping[str, np.ndarray]:
        """The network's own tensors."""
        return {name: _single(array) for name, array in self.network.tensors.items()}

    def options(self) -> Mapping[str, Any]:
        """The model's own options."""
        return {"kind": self.network.model.kind, **self.network.model.options}

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        """The layer with other ``arrays``, by the names of its tensors."""
        return type(self)(self.network.with_tensors(arrays), self.read, self.given)

    def to_torch(self) -> "nn.Module":
        """The network's own module, in single precision."""
        return self.network.module().float().requires_grad_(False)

    def to_c(self, code: ModuleCode) -> None:
        """There is none."""
        raise InputError(
            "a kind of model without C", expected="layers one after the other, or a recurrent network",
            got=self.network.model.kind,
            hint="export .pt2 or .onnx",
        )  # fmt: skip


def _single(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype == np.float64 else np.array(array)
