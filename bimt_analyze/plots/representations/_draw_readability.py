"""Where along a network a number is linearly readable."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from .._canvas import INK, blank_axes, panels, soften
from .._labels import shorten
from .._module_colours import module_colour
from .._picture import Picture

if TYPE_CHECKING:
    from ...representations import Readout

LOWEST = -0.05  # r2 below this is drawn here: worse than the mean is worse than the mean


def draw_readability(readouts: "Sequence[Readout]", *, tokens: Sequence[str] = (), ax: Axes | None = None) -> Picture:
    """Draw the r2 of linear probes against the modules in the order of computation, one line a token.

    Parameters
    ----------
    readouts : sequence of Readout
        Readouts as `readability` gives them.
    tokens : sequence of str, default ()
        Names of the tokens; left out, token 0, token 1, ...
    ax : Axes, optional
        Axes whose place the picture takes; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panel is the only one of the ``child_axes`` of its ``axes``.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_readability
    >>> from bimt_analyze.representations import Readout
    >>> found = [Readout("read", 0, 0.1), Readout("blocks.0", 0, 0.9)]
    >>> len(draw_readability(found, tokens=["x1"]).axes.child_axes)
    1
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
    panel.set_ylabel("r2 of a linear probe")
    panel.legend(frameon=False, fontsize=8, labelcolor=INK)
    return Picture(axes, f"How well numbers can be read by linear probes after each of {len(modules)} modules.")
