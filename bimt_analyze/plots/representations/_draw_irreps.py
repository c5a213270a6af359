"""Groups: the shares of each neuron's variance in the irreducible representations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

from .._canvas import INK, MUTED, blank_axes, panels, soften
from .._module_colours import module_colour
from .._picture import Picture

if TYPE_CHECKING:
    from ...representations import IrrepShares

LEAST = 1e-2  # standard deviation from which a neuron is drawn
TRIVIAL = "trivial"  # no neuron has a share of it


def draw_irreps(shares: "Sequence[IrrepShares]", *, ax: Axes | None = None) -> Picture:
    """Draw each neuron as a bar of the shares of its variance, one colour a representation.

    Grey is the share that is no function of the product. Neurons are sorted by the representation of their greatest
    share, and those of a standard deviation below 0.01 are left out. Ticks are the neurons' numbers.

    Parameters
    ----------
    shares : sequence of IrrepShares
        Shares as `irrep_shares` gives them.
    ax : Axes, optional
        Axes whose place the picture takes; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panel is the only one of the ``child_axes`` of its ``axes``.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_irreps
    >>> from bimt_analyze.representations import IrrepShares
    >>> one = IrrepShares(0, {"trivial": 0.0, "sign": 0.9, "2": 0.1, "3": 0.0, "3'": 0.0}, spread=1.0)
    >>> len(draw_irreps([one]).axes.child_axes)
    1
    """
    names = tuple(dict.fromkeys(name for one in shares for name in one.shares if name != TRIVIAL))

    def rank(one: "IrrepShares") -> tuple[int, float]:
        best = max(names, key=lambda irrep: one.shares[irrep])
        return names.index(best), -one.shares[best]

    shown = sorted((one for one in shares if one.spread > LEAST), key=rank)
    axes = blank_axes(max(3.4, 0.19 * len(shown) + 1.0), 2.6) if ax is None else ax
    (panel,) = panels(axes, 1, 1)
    soften(panel, grid=False)
    below = np.zeros(len(shown))
    for number, irrep in enumerate(names):
        heights = np.array([one.shares[irrep] for one in shown])
        panel.bar(range(len(shown)), heights, bottom=below, color=module_colour(number), width=0.82, label=irrep)
        below = below + heights
    panel.bar(range(len(shown)), 1 - below, bottom=below, color=MUTED, alpha=0.25, width=0.82, label="none")
    panel.set_xticks(range(len(shown)), [str(one.neuron) for one in shown], fontsize=6, rotation=90)
    panel.set(xlim=(-0.7, max(len(shown), 1) - 0.3), ylim=(0, 1))
    panel.set_xlabel("neuron of the last hidden layer")
    panel.set_ylabel("share of variance")
    panel.legend(frameon=False, fontsize=8, labelcolor=INK, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5,
                 handlelength=0.9, columnspacing=1.2)  # fmt: skip
    return Picture(axes, f"{len(shown)} neurons, each by the representations that its variance belongs to.")
