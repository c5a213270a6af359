"""A placement: which slot of its group each neuron sits in."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

import numpy as np
from jaxtyping import Float64

from .._errors import LayoutError
from ._layout import Layout


@dataclass(frozen=True)
class Placement:
    """Neuron -> slot, for every group.

    Moving a neuron means changing its slot here; the weights stay where they are, so the module's output cannot change.
    This equals the swap of arXiv 2305.08746, section 2, where the weights move and the places stay.

    Attributes:
        slots: group name -> the slot of neuron 0, 1, 2, ...
    """

    slots: Mapping[str, tuple[int, ...]]

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "slots", MappingProxyType({k: tuple(int(s) for s in v) for k, v in self.slots.items()})
        )

    @classmethod
    def identity(cls, layout: Layout) -> Self:
        """Neuron i in slot i, everywhere."""
        return cls({group.name: tuple(range(group.size)) for group in layout.groups})

    def check(self, layout: Layout) -> Self:
        """Itself, if it deals every group of the layout.

        Raises:
            LayoutError: a group is missing or unknown, a slot is dealt twice, or a head is torn apart.
        """
        if set(self.slots) != set(layout.sizes):
            raise LayoutError(
                "a placement deals other groups than the layout has",
                expected=", ".join(layout.sizes),
                got=", ".join(self.slots),
                mend="deal each group once",
            )
        for group in layout.groups:
            slots = self.slots[group.name]
            if sorted(slots) != list(range(group.size)):
                raise LayoutError(
                    "a placement must give every neuron a slot of its own",
                    where=f"group '{group.name}'",
                    expected=f"a permutation of 0..{group.size - 1}",
                    got=_short(slots),
                    mend="deal each slot once",
                )
            width = group.size // group.heads
            blocks = np.array(slots).reshape(group.heads, width) // width
            if group.heads > 1 and not (blocks == blocks[:, :1]).all():
                raise LayoutError(
                    "a placement tears a head apart",
                    where=f"group '{group.name}'",
                    mend="keep the neurons of a head in one block of slots",
                )
        return self

    def coordinates(self, layout: Layout, group: str) -> Float64[np.ndarray, "neurons dimension"]:
        """Where the group's neurons are, in units of the layer's width."""
        return layout.group(group).coordinates[list(self.slots[group])]

    def moved(self, group: str, slots: tuple[int, ...]) -> Self:
        """The placement with one group dealt anew."""
        return type(self)({**self.slots, group: slots})

    def __eq__(self, other: object) -> bool:
        return dict(self.slots) == dict(other.slots) if isinstance(other, Placement) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.slots.items())))


def _short(values: tuple[int, ...]) -> str:
    return str(values if len(values) <= 8 else (*values[:8], "..."))
