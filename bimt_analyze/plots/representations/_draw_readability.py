"""Where along a network a number can be read off."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from .._canvas import INK, blank_axes, module_colour, panels, soften
from .._labels import shorten

if TYPE_CHECKING:
    from ...representations import Readout

LOWEST = -0.05  # r2 below this is drawn here: worse than the mean is worse than the mean


def draw_readability(readouts: "Sequence[Readout]", *, tokens: Sequence[str] = (), ax: Axes | None = None) -> Axes:
    """Draw r2 against the modules in the order of computation, one line a token.

    Args:
        readouts: as `readability` gives them.
        tokens: their names; left out, token 0, token 1, ...
        ax: whose place the picture takes; left out, a figure of its own.

    Returns:
        The axes; the panel is its only child.
    """
    axes = blank_axes(4.2, 2.6) if ax is None else ax
    (panel,) = panels(axes, 1, 1)
    soften(panel)
    modules = list(dict.fromkeys(one.module for one in readouts))
    for place, token in enumerate(sorted({one.token for one in readouts})):
        own = [one for one in readouts if one.token == token]
        name = tokens[token] if 0 <= token < len(tokens) else f"token {token}" if token >= 0 else "output"
        at, values = [modules.index(one.module) for one in own], [max(one.r2, LOWEST) for one in own]
        panel.plot(at, values, "o-", color=module_colour(place), linewidth=1.6, markersize=6, markeredgecolor=INK,
                   markeredgewidth=0.6, label=shorten(name))  # fmt: skip
    panel.set_xticks(range(len(modules)), modules)
    panel.set_ylim(LOWEST * 1.5, 1.05)
    panel.set_ylabel("r2 of a linear readout")
    panel.legend(frameon=False, fontsize=8, labelcolor=INK)
    return axes
