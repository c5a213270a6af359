"""Groups of neurons and the slots, places in space, that they may take."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from jaxtyping import Float64

from .._errors import LayoutError

Slot = tuple[float, ...]


@dataclass(frozen=True)
class Group:
    """Neurons that share a layer, and the slots they are dealt to, in units of the layer's width.

    Attributes:
        name: as patterns write it.
        slots: one coordinate tuple a slot, inside [0, 1]; there are as many slots as neurons.
        movable: whether relocation may deal the neurons anew.
        heads: the neurons come in this many equal blocks, which move as blocks, then within.
        labels: the neurons' own names (inputs, outputs, classes), or empty.

    Raises:
        LayoutError: no slots, slots of unequal dimension, or counts that do not match.
    """

    name: str
    slots: tuple[Slot, ...]
    movable: bool = True
    heads: int = 1
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"group '{self.name}'"
        if not self.slots:
            raise LayoutError("a group without neurons", where=where, mend="give it at least one slot")
        dimensions = {len(slot) for slot in self.slots}
        if len(dimensions) != 1 or not all(math.isfinite(c) for slot in self.slots for c in slot):
            raise LayoutError(
                "slots must be finite and of one dimension",
                where=where,
                got=f"dimensions {sorted(dimensions)}",
                mend="use Group.line, Group.grid or Group.ring",
            )
        if self.heads < 1 or self.size % self.heads:
            raise LayoutError(
                "heads must divide the neurons",
                where=where,
                expected=f"a divisor of {self.size}",
                got=str(self.heads),
                mend="correct heads",
            )
        if self.labels and len(self.labels) != self.size:
            raise LayoutError(
                "one label a neuron",
                where=where,
                expected=str(self.size),
                got=str(len(self.labels)),
                mend="correct labels",
            )

    @classmethod
    def line(cls, name: str, size: int, *, movable: bool = True, heads: int = 1, labels: Sequence[str] = ()) -> Self:
        """Slots at (i + 1/2)/n on a line (arXiv 2305.08746, section 2)."""
        return cls(name, tuple(((i + 0.5) / size,) for i in range(size)), movable, heads, tuple(labels))

    @classmethod
    def grid(
        cls,
        name: str,
        size: int | tuple[int, int],
        *,
        movable: bool = True,
        heads: int = 1,
        labels: Sequence[str] = (),
    ) -> Self:
        """Slots at the cell centres of a grid over the unit square, row by row.

        Args:
            name: the group's name.
            size: (rows, columns), or a number of neurons for the smallest square grid that holds them.
            movable: whether relocation may deal the neurons anew.
            heads: number of equal blocks.
            labels: one a neuron, or none.
        """
        side = math.isqrt(size - 1) + 1 if isinstance(size, int) and size > 0 else 0
        rows, columns = (side, side) if isinstance(size, int) else size
        cells = [((c + 0.5) / columns, (r + 0.5) / rows) for r in range(rows) for c in range(columns)]
        return cls(name, tuple(cells[:size] if isinstance(size, int) else cells), movable, heads, tuple(labels))

    @classmethod
    def ring(
        cls, name: str, size: int, *, radius: float = 0.4, movable: bool = True, labels: Sequence[str] = ()
    ) -> Self:
        """Slots evenly on a circle about the middle of the unit square."""
        angles = [2 * math.pi * i / size for i in range(size)]
        return cls(
            name,
            tuple((0.5 + radius * math.cos(a), 0.5 + radius * math.sin(a)) for a in angles),
            movable,
            1,
            tuple(labels),
        )

    @property
    def size(self) -> int:
        """The number of neurons."""
        return len(self.slots)

    @cached_property
    def coordinates(self) -> Float64[np.ndarray, "size dimension"]:
        """The slots' coordinates, read-only."""
        array = np.array(self.slots, dtype=np.float64)
        array.setflags(write=False)
        return array

    def label(self, index: int) -> str:
        """The neuron's own name, or ``group.index``."""
        return self.labels[index] if self.labels else f"{self.name}.{index}"

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which `from_json` makes an equal group."""
        return {
            "name": self.name,
            "slots": [list(s) for s in self.slots],
            "movable": self.movable,
            "heads": self.heads,
            "labels": list(self.labels),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The group that `to_json` wrote down."""
        return cls(
            data["name"],
            tuple(tuple(float(c) for c in s) for s in data["slots"]),
            data["movable"],
            data["heads"],
            tuple(data["labels"]),
        )


def distances(
    targets: Float64[np.ndarray, "targets dimension"], sources: Float64[np.ndarray, "sources other"]
) -> Float64[np.ndarray, "targets sources"]:
    """L1 distances d[i, j] = sum_k |t_i[k] - s_j[k]| (arXiv 2305.08746, section 2; L1 in two dimensions too).

    Groups of unequal dimension are compared on the axes they share: a line lies along the first axis of a grid.
    """
    shared = min(targets.shape[1], sources.shape[1])
    gaps: Float64[np.ndarray, "targets sources"] = np.abs(targets[:, None, :shared] - sources[None, :, :shared]).sum(-1)
    return gaps
