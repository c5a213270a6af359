"""A network as what is left of it: layers, and which columns they read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bimt_train.showing import Shown

from .layers._layer import Layer

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False, repr=False)
class CompactNetwork(Shown):
    """A network without its dead inputs and neurons.

    Attributes
    ----------
    columns : int
        Columns of the rows that the network was trained on.
    reads : tuple of int
        The columns that are left, by their numbers among all, in the order in which the layers read them.
    inputs : tuple of str
        Their names.
    places : tuple of int
        Which of the network's outputs are given.
    outputs : tuple of str
        Their names.
    layers : tuple of Layer
        One after the other.
    kept_whole : str
        Why the network was not taken apart; empty where it was.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.export import compact
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([3, 2])).with_tensors({"layers.0.weight": np.array([[1.0, 0, 2], [3, 0, 0]])})
    >>> found = compact(network)
    >>> found.reads, found.inputs, found.multiply_adds
    ((0, 2), ('x1', 'x3'), 3)
    """

    columns: int
    reads: tuple[int, ...]
    inputs: tuple[str, ...]
    places: tuple[int, ...]
    outputs: tuple[str, ...]
    layers: tuple[Layer, ...]
    kept_whole: str = ""

    def _brief(self) -> str:
        return f"{len(self.inputs)} of {self.columns} inputs, {len(self.outputs)} outputs, {self.multiply_adds} weights"

    @property
    def multiply_adds(self) -> int:
        """Multiplications by weights, for one row."""
        return sum(layer.multiply_adds() for layer in self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """Numbers before the first layer, and behind each."""
        return (len(self.reads), *(layer.outputs for layer in self.layers))

    def arrays(self) -> Mapping[str, np.ndarray]:
        """Every array of every layer, by name."""
        return {
            f"layers.{number}.{name}": array
            for number, layer in enumerate(self.layers)
            for name, array in layer.arrays().items()
        }

    def taken(self, kept: Sequence[Sequence[int]]) -> "CompactNetwork":
        """What some of the neurons compute.

        Parameters
        ----------
        kept : sequence of sequence of int
            Numbers that stay, before the first layer and behind each.

        Returns
        -------
        CompactNetwork
            The smaller network.
        """
        pairs = zip(self.layers, kept[:-1], kept[1:], strict=True)
        first, last = kept[0], kept[-1]
        return replace(
            self,
            reads=tuple(self.reads[i] for i in first),
            inputs=tuple(self.inputs[i] for i in first),
            places=tuple(self.places[i] for i in last),
            outputs=tuple(self.outputs[i] for i in last),
            layers=tuple(layer.taken(list(outputs), list(inputs)) for layer, inputs, outputs in pairs),
        )

    def to_torch(self) -> "torch.nn.Module":
        """The layers as one module, which reads the columns that are left.

        Returns
        -------
        torch.nn.Module
            In evaluation mode, single precision.
        """
        from torch import nn

        return nn.Sequential(*(layer.to_torch() for layer in self.layers)).eval()

    def to_torch_neurons_first(self) -> "torch.nn.Module | None":
        """As `to_torch`, from and to a row for each neuron: ``[inputs, rows]`` to ``[outputs, rows]``.

        Returns
        -------
        torch.nn.Module or None
            None where a layer has no such form.
        """
        from torch import nn

        layers = [turned for layer in self.layers if (turned := layer.to_torch_neurons_first()) is not None]
        return nn.Sequential(*layers).eval() if len(layers) == len(self.layers) else None
