"""Figures without a global state: colours, blank axes, and their look."""

import math
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

INK, MUTED, PAPER = "#1b1e25", "#7b828f", "#fffffe"
POSITIVE, NEGATIVE = "#2f6fd0", "#d6453d"
ON_COLOUR, ON_DARK = "#101216", "#ffffff"  # letters on a colour that is the same on a dark page

Colour: TypeAlias = str | tuple[float, float, float]

CROWDED = 600  # dots from which a picture holds them as pixels
TICKS = 5  # intervals between the ticks of an axis, at most: more labels run into each other


def blank_axes(width: float, height: float) -> Axes:
    """Axes that fill a figure of their own, without pyplot and so without a window.

    Parameters
    ----------
    width : float
        Width of the figure in inches.
    height : float
        Height of the figure in inches.

    Returns
    -------
    Axes
        The axes; ``axes.figure`` is the figure.

    Examples
    --------
    >>> from bimt_analyze.plots import blank_axes
    >>> blank_axes(3.0, 2.0).figure.get_size_inches().tolist()
    [3.0, 2.0]
    """
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    figure.patch.set_facecolor("none")  # not by alpha: that would make every background transparent
    return figure.add_axes((0.0, 0.0, 1.0, 1.0))


def soften(axes: Axes, *, grid: bool = True) -> Axes:
    """Give axes the look of all pictures: two thin spines, a few quiet ticks, a faint grid.

    Parameters
    ----------
    axes : Axes
        The axes to change.
    grid : bool, default True
        Whether to draw a grid.

    Returns
    -------
    Axes
        The same axes.
    """
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
        spine.set_linewidth(0.8)
    axes.tick_params(which="both", colors=MUTED, labelcolor=INK, labelsize=8, width=0.8)
    axes.xaxis.label.set(color=INK, fontsize=9)
    axes.yaxis.label.set(color=INK, fontsize=9)
    axes.title.set(color=INK, fontsize=10)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(TICKS))
    if grid:
        axes.grid(True, color=MUTED, alpha=0.18, linewidth=0.7)
        axes.set_axisbelow(True)
    return axes


def log_axis(axes: Axes, side: Literal["x", "y"], values: Float64[np.ndarray, " values"]) -> None:
    """Put an axis on a logarithmic scale, with a few ticks that are written as plain numbers.

    A value of 0 stands at the axis' beginning, below all others.

    Parameters
    ----------
    axes : Axes
        The axes to change.
    side : {"x", "y"}
        Which axis.
    values : array of float64, shape (values,)
        What is drawn along the axis, none below 0. Without one above 0 the axis stays as it is.

    Examples
    --------
    >>> axes = blank_axes(3.0, 2.0)
    >>> log_axis(axes, "y", np.array([0.0, 2e-4, 0.5]))
    >>> [label.get_text() for label in axes.get_yticklabels()]
    ['0', '0.001', '0.01', '0.1']
    """
    positive = values[np.isfinite(values) & (values > 0)]
    if not positive.size:
        return
    low, high = float(positive.min()), float(positive.max())
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    powers = range(first, last + 1, max(1, -(-(last - first) // TICKS)))
    ticks = [10.0**power for power in powers]
    if len(ticks) < 2:
        steps = [part * 10.0**power for power in range(first - 1, last + 1) for part in (1, 2, 5)]
        ticks = [step for step in steps if 0.999 * low <= step <= 1.001 * high] or [low]
    scale, options = "log", {}
    if (values == 0).any():
        least = 10.0 ** math.floor(math.log10(low) - 1e-9)
        apart = max(0.3, math.log10(high / least) / 8)  # in powers of ten, so that 0 does not run into the next label
        scale, options, ticks = "symlog", {"linthresh": least, "linscale": apart}, [0.0, *ticks]
    set_scale, axis = (axes.set_xscale, axes.xaxis) if side == "x" else (axes.set_yscale, axes.yaxis)
    set_scale(scale, **options)
    axis.set_ticks(ticks, [f"{tick:.3g}" for tick in ticks])
    axis.set_minor_locator(NullLocator())


def panels(axes: Axes, rows: int, columns: int, *, gap_x: float = 0.12, gap_y: float = 0.12) -> list[Axes]:
    """Divide the place of axes into a table of panels, row by row.

    Parameters
    ----------
    axes : Axes
        Axes whose place is divided; they are hidden.
    rows : int
        Number of rows.
    columns : int
        Number of columns.
    gap_x : float, default 0.12
        Gap between columns, as a fraction of the whole width.
    gap_y : float, default 0.12
        Gap between rows, as a fraction of the whole height.

    Returns
    -------
    list of Axes
        The panels, row by row from the top.

    Examples
    --------
    >>> from bimt_analyze.plots import blank_axes, panels
    >>> len(panels(blank_axes(4.0, 2.0), 2, 3))
    6
    """
    axes.set_axis_off()
    width = (1 - gap_x * (columns - 1)) / columns
    height = (1 - gap_y * (rows - 1)) / rows
    corners = [
        (column * (width + gap_x), 1 - height - row * (height + gap_y))
        for row in range(rows)
        for column in range(columns)
    ]
    return [axes.inset_axes((x, y, width, height)) for x, y in corners]


def figure_of(axes: Axes) -> Figure:
    """The figure that the axes are part of, whatever lies between.

    Parameters
    ----------
    axes : Axes
        Axes, or panels inside others.

    Returns
    -------
    Figure
        The figure.
    """
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure
