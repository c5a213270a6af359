"""A part of a function over its inputs, as several compute it."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes

from bimt_train import InputError

from .._canvas import INK, NEGATIVE, POSITIVE, blank_axes, module_colour, panels, soften
from .._labels import shorten

MOST = 3  # inputs drawn


def draw_part(
    x: Float64[np.ndarray, "rows inputs"],
    values: Mapping[str, Float64[np.ndarray, " rows"]],
    *,
    names: Sequence[str],
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw values over each of the first three inputs: lines for one input, dots for several.

    Args:
        x: the inputs' values.
        values: who computes it -> the values.
        names: of the inputs.
        title: above the first panel.
        ax: whose place the panels take; left out, a figure of its own.

    Returns:
        The axes; the panels are its ``child_axes``.

    Raises:
        InputError: names that do not pair up with the inputs.
    """
    if len(names) != x.shape[1]:
        raise InputError("one name an input", where="names", expected=str(x.shape[1]), got=str(len(names)))
    shown = min(len(names), MOST)
    axes = blank_axes(3.6 * shown, 3.0) if ax is None else ax
    for number, panel in enumerate(panels(axes, 1, shown, gap_x=0.2 / shown, gap_y=0.3)):
        soften(panel)
        order = np.argsort(x[:, number])
        for place, (who, value) in enumerate(values.items()):
            colour = (POSITIVE, NEGATIVE)[place] if place < 2 else module_colour(place - 2)
            if len(names) == 1:
                panel.plot(x[order, 0], value[order], color=colour, linewidth=1.4, label=who)
            else:
                panel.scatter(x[:, number], value, s=9, color=colour, alpha=0.6, linewidths=0, label=who)
        panel.set_xlabel(shorten(names[number]), color=INK, parse_math=False)
        if number == 0:
            panel.set_title(title, color=INK, fontsize=10, loc="left", parse_math=False)
            panel.legend(frameon=False, fontsize=8, labelcolor=INK)
    return axes
