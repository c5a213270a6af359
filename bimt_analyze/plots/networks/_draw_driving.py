"""Which variable of a system drives which, as arrows between names on a circle."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch

from .._canvas import INK, MUTED, PAPER, POSITIVE, blank_axes
from .._picture import Picture

if TYPE_CHECKING:
    from ...motion._driving_graph import DrivingGraph

_SIDE, _RADIUS, _NODE = 3.0, 1.0, 0.24  # inches; of the circle and of a dot, in its units
_WIDTHS = 1.0, 3.5  # of arrows, for a small effect and for a whole variance
_LEAST = 1e-3  # effect that is drawn thinnest


def draw_driving(graph: "DrivingGraph", *, ax: Axes | None = None) -> Picture:
    """Draw which variables drive which: an arrow from each to those whose derivative depends on it.

    An arrow is the wider, the more of the derivative is changed where its source is held at its mean. Variables that
    drive themselves have a ring; declared derivatives are drawn in grey.

    Parameters
    ----------
    graph : DrivingGraph
        What drives what.
    ax : Axes, optional
        Axes whose place the picture takes; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture.

    Examples
    --------
    >>> from bimt_analyze.motion._driving_graph import Drive, DrivingGraph
    >>> from bimt_analyze.plots import draw_driving
    >>> drives = (Drive("x", "x", True, 0.2), Drive("v", "x", True, 0.9))
    >>> draw_driving(DrivingGraph(("x", "v"), drives))
    Picture(x is driven by x, v; v is driven by nothing.)
    """
    axes = blank_axes(_SIDE, _SIDE) if ax is None else ax
    axes.set_axis_off()
    axes.set_aspect("equal")
    room = _RADIUS + 2 * _NODE
    axes.set_xlim(-room, room)
    axes.set_ylim(-room, room)
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(graph.variables)) / len(graph.variables)
    places = {
        name: (_RADIUS * float(np.cos(a)), _RADIUS * float(np.sin(a)))
        for name, a in zip(graph.variables, angles, strict=True)
    }
    for one in graph.drives:
        if not one.drives:
            continue
        declared = one.effect is None
        width = _WIDTHS[0] if one.effect is None else _width(one.effect)
        colour = MUTED if declared else POSITIVE
        if one.source == one.target:
            axes.add_patch(Circle(places[one.source], _NODE * 1.3, fill=False, edgecolor=colour, linewidth=width))
            continue
        start, end = places[one.source], places[one.target]
        far = float(np.hypot(end[0] - start[0], end[1] - start[1]))
        x, y = ((b - a) / far * 1.45 * _NODE for a, b in zip(start, end, strict=True))
        arrow = FancyArrowPatch(
            (start[0] + x, start[1] + y),
            (end[0] - x, end[1] - y),
            arrowstyle="-|>",
            mutation_scale=9 + 2 * width,
            connectionstyle="arc3,rad=0.18",
            color=colour,
            linewidth=width,
            shrinkA=0,
            shrinkB=0,
        )
        axes.add_patch(arrow)
    for name, place in places.items():
        axes.add_patch(Circle(place, _NODE, facecolor=PAPER, edgecolor=INK, linewidth=1.0))
        axes.text(place[0], place[1], name, ha="center", va="center", fontsize=9 if len(name) < 6 else 6, color=INK)
    return Picture(axes, f"{'; '.join(graph.lines())}.")


def _width(effect: float) -> float:
    """The width of an arrow, by the logarithm of its effect."""
    share = float(np.clip(1 - np.log(max(effect, _LEAST)) / np.log(_LEAST), 0.0, 1.0))
    return _WIDTHS[0] + share * (_WIDTHS[1] - _WIDTHS[0])
