"""A placement: the slot of its group that each neuron is assigned to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float64

from .._errors import LayoutError
from ..frozen import FrozenDict
from ..showing import Shown
from ._layout import Layout


@dataclass(frozen=True, repr=False)
class Placement(Shown):
    """The assignment of neurons to slots, for every group.

    Moving a neuron means changing its slot here; the weights stay where they are, so the module's output cannot change.
    This equals the swap of the paper, where the weights move and the slots stay.

    Attributes
    ----------
    slots : mapping of str to tuple of int
        For each group the slot of neuron 0, 1, 2, ...

    References
    ----------
    arXiv 2305.08746, section 2.

    Examples
    --------
    >>> from bimt_train.layouts import Group
    >>> layout = Layout((Group.line("h", 2),), {})
    >>> Placement.identity(layout).moved("h", (1, 0)).coordinates(layout, "h").ravel()
    array([0.75, 0.25])
    """

    slots: Mapping[str, tuple[int, ...]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "slots", FrozenDict({k: tuple(int(s) for s in v) for k, v in self.slots.items()}))

    @classmethod
    def identity(cls, layout: Layout) -> Self:
        """Assign neuron i to slot i in every group of ``layout``."""
        return cls({group.name: tuple(range(group.size)) for group in layout.groups})

    def check(self, layout: Layout) -> Self:
        """Check that every group of a layout is placed, and return the placement itself.

        Parameters
        ----------
        layout : Layout
            Whose groups should be placed.

        Returns
        -------
        Placement
            ``self``.

        Raises
        ------
        LayoutError
            A group is missing or unknown, a slot is used twice, or the neurons of a head are not in one block.
        """
        if set(self.slots) != set(layout.sizes):
            raise LayoutError(
                "the groups of a placement are not those of the layout",
                expected=", ".join(layout.sizes),
                got=", ".join(self.slots),
                hint="place each group of the layout once",
            )
        for group in layout.groups:
            slots = self.slots[group.name]
            if sorted(slots) != list(range(group.size)):
                raise LayoutError(
                    "a placement must give every neuron a slot of its own",
                    where=f"group '{group.name}'",
                    expected=f"a permutation of 0..{group.size - 1}",
                    got=_short(slots),
                    hint="use each slot once",
                )
            width = group.size // group.heads
            blocks = np.array(slots).reshape(group.heads, width) // width
            if group.heads > 1 and not (blocks == blocks[:, :1]).all():
                raise LayoutError(
                    "a placement splits a head",
                    where=f"group '{group.name}'",
                    hint="keep the neurons of a head in one block of slots",
                )
        return self

    def coordinates(self, layout: Layout, group: str) -> Float64[np.ndarray, "neurons dimension"]:
        """Where the neurons of a group are, in units of the layer's width.

        Parameters
        ----------
        layout : Layout
            Gives the coordinates of the slots.
        group : str
            The group's name.

        Returns
        -------
        array of float, shape (neurons, dimension)
            The coordinates of neuron 0, 1, 2, ...
        """
        return layout.group(group).coordinates[list(self.slots[group])]

    def moved(self, group: str, slots: tuple[int, ...]) -> Self:
        """Assign the neurons of one group to other slots.

        Parameters
        ----------
        group : str
            The group's name.
        slots : tuple of int
            The slot of neuron 0, 1, 2, ...

        Returns
        -------
        Placement
            A new placement; it is not checked.
        """
        return type(self)({**self.slots, group: slots})

    def __eq__(self, other: object) -> bool:
        return dict(self.slots) == dict(other.slots) if isinstance(other, Placement) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.slots.items())))


def _short(values: tuple[int, ...]) -> str:
    return str(values if len(values) <= 8 else (*values[:8], "..."))
