"""What every layer of an exported network says of itself."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from jaxtyping import Bool

from bimt_train.showing import Shown

from ..c_code._module_code import ModuleCode

if TYPE_CHECKING:
    from torch import nn

Links = Bool[np.ndarray, "outputs inputs"]


class Layer(Shown, ABC):
    """A step from numbers to numbers. A new kind of layer is one subclass in a file of its own.

    Every subclass is a frozen dataclass whose arrays are float32.

    Examples
    --------
    >>> from bimt_analyze.export import compact
    >>> from bimt_analyze.synthetic import block_network
    >>> layer, *_ = compact(block_network(blocks=[(2, 3, 1)], seed=0).network).layers
    >>> isinstance(layer, Layer), layer.inputs, layer.outputs, sorted(layer.arrays())
    (True, 2, 3, ['bias', 'weight'])
    """

    shares_inputs = False  # whether modules may read one input without being joined by it, as tokens are read

    @property
    @abstractmethod
    def inputs(self) -> int:
        """Numbers read of each row."""

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Numbers given for each row."""

    @abstractmethod
    def links(self) -> Links:
        """Which inputs each output depends on, directly."""

    def inner_links(self) -> Bool[np.ndarray, "outputs outputs"] | None:
        """Which outputs hang together inside the layer; None where none do."""
        return None

    @abstractmethod
    def taken(self, outputs: Sequence[int], inputs: Sequence[int]) -> Self:
        """The layer with only some of its outputs and inputs."""

    @abstractmethod
    def multiply_adds(self) -> int:
        """Multiplications by weights that are not 0, for one row."""

    def arrays(self) -> Mapping[str, np.ndarray]:
        """Every array, by the name of its field."""
        return {name: value for name, value in self._fields() if isinstance(value, np.ndarray)}

    def options(self) -> Mapping[str, Any]:
        """All that is no array, as plain values."""
        return {name: value for name, value in self._fields() if not isinstance(value, np.ndarray)}

    def with_arrays(self, arrays: Mapping[str, np.ndarray]) -> Self:
        """The layer with other ``arrays``, by the names of their fields."""
        return type(self)(**self.options(), **arrays)

    def _fields(self) -> Iterator[tuple[str, Any]]:
        for field in fields(self):
            yield field.name, getattr(self, field.name)

    @abstractmethod
    def to_torch(self) -> "nn.Module":
        """The layer as a module of torch's own, weights dense."""

    def to_torch_neurons_first(self) -> "nn.Module | None":
        """As `to_torch`, from and to a row for each neuron; None where there is no such form."""
        return None

    @abstractmethod
    def to_c(self, code: ModuleCode) -> None:
        """Write the layer in C.

        Parameters
        ----------
        code : ModuleCode
            Takes arrays and statements, and names what the layer reads and gives.
        """
