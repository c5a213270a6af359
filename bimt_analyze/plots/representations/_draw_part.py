"""A part of a function over its inputs, as a network and a formula compute it."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes

from bimt_train import InputError

from .._canvas import CROWDED, INK, NEGATIVE, POSITIVE, blank_axes, panels, soften
from .._labels import shorten
from .._module_colours import module_colour
from .._picture import Picture

MOST = 3  # inputs drawn


def draw_part(
    x: Float64[np.ndarray, "rows inputs"],
    values: Mapping[str, Float64[np.ndarray, " rows"]],
    *,
    names: Sequence[str],
    title: str = "",
    unit: str = "",
    ax: Axes | None = None,
) -> Picture:
    """Draw values over each of the first three inputs: lines for one input, dots for several.

    Parameters
    ----------
    x : array of float64, shape (rows, inputs)
        Values of the inputs.
    values : mapping of str to array of float64, shape (rows,)
        What computes the part, a network or a formula -> the values.
    names : sequence of str
        Names of the inputs.
    title : str, default ''
        Title above the first panel.
    unit : str, default ''
        Unit of measurement of the values.
    ax : Axes, optional
        Axes whose place the panels take; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panels are the ``child_axes`` of its ``axes``.

    Raises
    ------
    InputError
        The names do not pair up with the inputs.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_part
    >>> import numpy as np
    >>> x = np.linspace(-1, 1, 9)[:, None]
    >>> len(draw_part(x, {"formula": x[:, 0] ** 2}, names=["x1"]).axes.child_axes)
    1
    """
    if len(names) != x.shape[1]:
        raise InputError("one name an input", where="names", expected=str(x.shape[1]), got=str(len(names)))
    shown = min(len(names), MOST)
    axes = blank_axes(3.6 * shown, 3.0) if ax is None else ax
    crowded = len(x) * shown * len(values) > CROWDED
    for number, panel in enumerate(panels(axes, 1, shown, gap_x=0.2 / shown, gap_y=0.3)):
        soften(panel)
        order = np.argsort(x[:, number])
        for place, (who, value) in enumerate(values.items()):
            colour = (POSITIVE, NEGATIVE)[place] if place < 2 else module_colour(place - 2)
            if len(names) == 1:
                panel.plot(x[order, 0], value[order], color=colour, linewidth=1.4, label=who)
            else:
                panel.scatter(
                    x[:, number], value, s=9, color=colour, alpha=0.6, linewidths=0, label=who, rasterized=crowded
                )
        panel.set_xlabel(shorten(names[number]), color=INK, parse_math=False)
        if number == 0:
            panel.set_title(shorten(title, 60), color=INK, fontsize=10, loc="left", parse_math=False)
            panel.set_ylabel(", ".join(values) + (f" [{shorten(unit)}]" if unit else ""), color=INK, parse_math=False)
            if len(values) > 1:
                panel.legend(frameon=False, fontsize=8, labelcolor=INK)
    return Picture(axes, f"{title or 'A part of a function'}, over {', '.join(names[:MOST])}.")
