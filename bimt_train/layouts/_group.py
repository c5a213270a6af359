"""Groups of neurons and the slots, positions in space, that they may take."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from jaxtyping import Float64

from .._errors import LayoutError
from ..showing import Shown

Slot = tuple[float, ...]


@dataclass(frozen=True, repr=False)
class Group(Shown):
    """Neurons that share a layer, and the slots they may take, in units of the layer's width.

    Attributes
    ----------
    name : str
        The name that patterns use.
    slots : tuple of tuple of float
        The coordinates of each slot, inside [0, 1]; there are as many slots as neurons.
    movable : bool, default True
        Whether relocation may assign the neurons to other slots.
    heads : int, default 1
        The number of equal blocks that the neurons come in. Blocks move as blocks, and neurons within their block.
    labels : tuple of str, default ()
        The neurons' own names (inputs, outputs, classes), one for each, or none.

    Raises
    ------
    LayoutError
        There are no slots, their dimensions differ, or the number of heads or labels does not match.

    Examples
    --------
    >>> Group.line("h", 4).slots
    ((0.125,), (0.375,), (0.625,), (0.875,))
    """

    name: str
    slots: tuple[Slot, ...]
    movable: bool = True
    heads: int = 1
    labels: tuple[str, ...] = ()

    def _brief(self) -> str:
        heads = f", {self.heads} heads" if self.heads > 1 else ""
        return f"{self.name}: {len(self.slots)} neurons in {len(self.slots[0])}-d{heads}"

    def __post_init__(self) -> None:
        where = f"group '{self.name}'"
        if not self.slots:
            raise LayoutError("a group without neurons", where=where, hint="give it at least one slot")
        dimensions = {len(slot) for slot in self.slots}
        if len(dimensions) != 1 or not all(math.isfinite(c) for slot in self.slots for c in slot):
            raise LayoutError(
                "slots must be finite and of one dimension",
                where=where,
                got=f"dimensions {sorted(dimensions)}",
                hint="use Group.line, Group.grid or Group.ring",
            )
        if self.heads < 1 or self.size % self.heads:
            raise LayoutError(
                "heads must divide the neurons",
                where=where,
                expected=f"a divisor of {self.size}",
                got=str(self.heads),
                hint="correct the number of heads",
            )
        if self.labels and len(self.labels) != self.size:
            raise LayoutError(
                "the number of labels is not the number of neurons",
                where=where,
                expected=str(self.size),
                got=str(len(self.labels)),
                hint="give one label for each neuron, or none",
            )

    @classmethod
    def line(cls, name: str, size: int, *, movable: bool = True, heads: int = 1, labels: Sequence[str] = ()) -> Self:
        """Place neurons on a line, at (i + 1/2)/n.

        Parameters
        ----------
        name : str
            The name that patterns use.
        size : int
            The number of neurons, n.
        movable : bool, default True
            Whether relocation may assign the neurons to other slots.
        heads : int, default 1
            The number of equal blocks.
        labels : sequence of str, default ()
            One name for each neuron, or none.

        Returns
        -------
        Group
            Neurons along the first axis.

        References
        ----------
        arXiv 2305.08746, section 2.
        """
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
        """Place neurons at the cell centres of a grid over the unit square, row by row.

        Parameters
        ----------
        name : str
            The name that patterns use.
        size : int or (int, int)
            Rows and columns; or a number of neurons, for the smallest square grid that holds them.
        movable : bool, default True
            Whether relocation may assign the neurons to other slots.
        heads : int, default 1
            The number of equal blocks.
        labels : sequence of str, default ()
            One name for each neuron, or none.

        Returns
        -------
        Group
            Neurons in two dimensions.

        Examples
        --------
        >>> Group.grid("pixels", (1, 2)).slots
        ((0.25, 0.5), (0.75, 0.5))
        """
        side = math.isqrt(size - 1) + 1 if isinstance(size, int) and size > 0 else 0
        rows, columns = (side, side) if isinstance(size, int) else size
        cells = [((c + 0.5) / columns, (r + 0.5) / rows) for r in range(rows) for c in range(columns)]
        return cls(name, tuple(cells[:size] if isinstance(size, int) else cells), movable, heads, tuple(labels))

    @classmethod
    def ring(
        cls, name: str, size: int, *, radius: float = 0.4, movable: bool = True, labels: Sequence[str] = ()
    ) -> Self:
        """Place neurons evenly on a circle about the middle of the unit square.

        Parameters
        ----------
        name : str
            The name that patterns use.
        size : int
            The number of neurons.
        radius : float, default 0.4
            The circle's radius, in units of the layer's width.
        movable : bool, default True
            Whether relocation may assign the neurons to other slots.
        labels : sequence of str, default ()
            One name for each neuron, or none.

        Returns
        -------
        Group
            Neurons in two dimensions.
        """
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
        """The slots' coordinates as a read-only array, one row for each slot."""
        array = np.array(self.slots, dtype=np.float64)
        array.setflags(write=False)
        return array

    def label(self, index: int) -> str:
        """Name a neuron by its label, or as ``group.index``.

        Parameters
        ----------
        index : int
            The neuron's number, from 0.

        Returns
        -------
        str
            Its name.

        Examples
        --------
        >>> Group.line("h", 3).label(2), Group.line("x", 2, labels=("mass", "speed")).label(1)
        ('h.2', 'speed')
        """
        return self.labels[index] if self.labels else f"{self.name}.{index}"

    def to_json(self) -> dict[str, Any]:
        """Write the group as plain values, from which `from_json` makes an equal group."""
        return {
            "name": self.name,
            "slots": [list(s) for s in self.slots],
            "movable": self.movable,
            "heads": self.heads,
            "labels": list(self.labels),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Make the group that `to_json` wrote.

        Parameters
        ----------
        data : dict
            What `to_json` returned.

        Returns
        -------
        Group
            An equal group.
        """
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
    """L1 distances between neurons, ``d[i, j] = sum_k |t_i[k] - s_j[k]|``.

    Groups of unequal dimension are compared on the axes they share: a line lies along the first axis of a grid.

    Parameters
    ----------
    targets : array of float, shape (targets, dimension)
        Coordinates in units of the layer's width.
    sources : array of float, shape (sources, dimension)
        Coordinates in units of the layer's width.

    Returns
    -------
    array of float, shape (targets, sources)
        Distances in units of the layer's width.

    References
    ----------
    arXiv 2305.08746, section 2, for neurons on a line. L1 is kept in two dimensions.

    Examples
    --------
    >>> distances(Group.line("y", 1).coordinates, Group.line("x", 2).coordinates)
    array([[0.25, 0.25]])
    """
    shared = min(targets.shape[1], sources.shape[1])
    gaps: Float64[np.ndarray, "targets sources"] = np.abs(targets[:, None, :shared] - sources[None, :, :shared]).sum(-1)
    return gaps
