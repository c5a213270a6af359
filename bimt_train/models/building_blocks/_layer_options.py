"""The options that models made of layers one after the other share."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

from pydantic import Field

from ...layouts._group import Group
from .._contract import Ends, ModelOptions, Shape
from .._hidden_parts import HiddenPart
from ._layers import layer_parts, layer_shapes, numbers_only

HIDDEN = (20, 20)  # the paper's hidden layers for its formula tasks


class LayerOptions(ModelOptions):
    """Options of a model that is made of layers one after the other.

    Attributes
    ----------
    widths : list of int
        Neurons of each layer, inputs and outputs included.
    activation : str
        A name in `ACTIVATIONS`.

    Examples
    --------
    >>> LayerOptions.for_task(Ends(inputs=4, outputs=2), hidden=[8]).widths
    [4, 8, 2]
    """

    widths: list[int] = Field(min_length=2)
    activation: str

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        """Weight and bias of each layer."""
        return layer_shapes(self.widths)

    @property
    def ends(self) -> Ends:
        """The first and the last width."""
        return Ends(inputs=self.widths[0], outputs=self.widths[-1])

    @classmethod
    def for_task(cls, ends: Ends, hidden: Sequence[int] = ()) -> Self:
        """Two hidden layers of 20 between the task's ends, unless others are asked for."""
        numbers_only(ends, cls.__name__)
        return cls(widths=[ends.inputs, *(hidden or HIDDEN), ends.outputs], activation="silu")

    @classmethod
    def example(cls) -> Self:
        """Two small hidden layers."""
        return cls(widths=[4, 7, 6, 2], activation="silu")

    def with_hidden(self, hidden: Sequence[int]) -> Self:
        """Options with other hidden layers between the same inputs and outputs."""
        return self.model_copy(update={"widths": [self.widths[0], *hidden, self.widths[-1]]})

    def hidden_parts(self) -> tuple[HiddenPart, ...]:
        """Each hidden layer, whose undriven neurons give ``activation(bias)``."""
        return layer_parts(len(self.widths) - 2, self.activation)

    def resized(self, groups: Mapping[str, Group]) -> Self:
        """The groups' sizes as widths."""
        return self.model_copy(update={"widths": [group.size for group in groups.values()]})
