"""What modules are called in a picture: by the inputs and outputs that they hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from matplotlib.axes import Axes

from .._labels import name_points, shorten
from ._rungs import count

if TYPE_CHECKING:
    from ...graph import NodeId

Module: TypeAlias = frozenset[tuple[str, int]]

FEW, LONGEST, SIZE = 4, 18, 7.5  # ends that a name lists; its characters below a row; the points of its letters
LETTER = 0.62 * SIZE / 72  # inches that a letter takes, in most fonts


@dataclass(frozen=True)
class ModuleNames:
    """Names of inputs and outputs, and so of the modules that hold them.

    Attributes
    ----------
    inputs : frozenset of (str, int)
        The input neurons.
    outputs : frozenset of (str, int)
        The output neurons.
    names : mapping of (str, int) to str
        Neuron -> its name; others are called by group and number.
    """

    inputs: "frozenset[NodeId]"
    outputs: "frozenset[NodeId]"
    names: "Mapping[NodeId, str]"

    def of(self, module: Module, most: int = FEW) -> str:
        """The inputs and outputs in a module; of more than a few only their number; empty where it has none.

        Parameters
        ----------
        module : frozenset of (group, index)
            Neurons of the module.
        most : int, default FEW
            Number of ends of a side that are listed.

        Returns
        -------
        str
            The name.
        """
        sides = []
        for end, noun in ((self.inputs, "input"), (self.outputs, "output")):
            own = [self.names.get(n, f"{n[0]}{n[1] + 1}") for n in sorted(module & end)]
            sides.append(", ".join(own) if len(own) <= most else count(len(own), noun))
        joined = " → ".join(filter(None, sides))
        return joined if sides[0] or not joined else f"→ {joined}"

    def inside(self, module: Module, inches: float, *, counted: bool) -> str:
        """The name, if a box has room for it; else, if wanted, only how many ends there are.

        Parameters
        ----------
        module : frozenset of (group, index)
            Neurons of the module.
        inches : float
            Width of the box.
        counted : bool
            Whether the number of ends will do.

        Returns
        -------
        str
            The name, or nothing.
        """
        tries = (FEW, 0) if counted else (FEW,)
        return next((name for most in tries if fits(name := self.of(module, most), inches)), "")

    def below(self, spans: Mapping[Module, tuple[float, float]]) -> dict[float, str]:
        """Names of the modules whose boxes have no room for them.

        Parameters
        ----------
        spans : mapping of frozenset of (group, index) to (float, float)
            Module -> where its box begins and ends, in inches.

        Returns
        -------
        dict of float to str
            Middle of the box -> name, from left to right.
        """
        named = sorted((start, end, self.of(module)) for module, (start, end) in spans.items())
        return {(a + b) / 2: shorten(name, LONGEST) for a, b, name in named if name and not fits(name, b - a)}


def fits(name: str, inches: float) -> bool:
    """Whether there is room for a name, and a little to its sides.

    Parameters
    ----------
    name : str
        The name.
    inches : float
        The room.

    Returns
    -------
    bool
        True if it fits.
    """
    return (len(name) + 0.6) * LETTER <= inches


def room(below: Mapping[float, str]) -> float:
    """Inches that the names below a row take.

    Parameters
    ----------
    below : mapping of float to str
        Middle of the box -> name.

    Returns
    -------
    float
        The height.
    """
    longest = max(map(len, below.values()), default=0)
    return longest * LETTER + 0.25 if _touch(below) else 0.24 if below else 0.0


def name_below(axes: Axes, below: Mapping[float, str], y: float) -> None:
    """Write the names below a row, upright where level ones would touch.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    below : mapping of float to str
        Middle of the box -> name.
    y : float
        Height of the row's lower edge.
    """
    if below:
        points = np.array([[x, y] for x in below])
        for text in name_points(axes, points, list(below.values()), above=False, size=SIZE, gap=4.0):
            text.set_rotation(90 if _touch(below) else 0)


def _touch(below: Mapping[float, str]) -> bool:
    pairs = pairwise(below.items())
    return any(not fits(first + second + "  ", 2 * (b - a)) for (a, first), (b, second) in pairs)
