"""How sure each resolution of a hierarchy is."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, NullLocator

from .._canvas import INK, MUTED, POSITIVE, blank_axes, panels, soften
from .._module_colours import module_colour
from .._picture import Picture
from ._rungs import count, rungs

if TYPE_CHECKING:
    from ...modules import Hierarchy
    from ...modules._hierarchy import Level


def draw_stability(levels: "Hierarchy", *, chosen: "Level | None" = None, ax: Axes | None = None) -> Picture:
    """Draw stability, modularity and the number of modules against the resolution, in two panels under each other.

    Stability is the mean pairwise adjusted mutual information of the runs behind a level: 1 where all find the same
    modules, about 0 where they agree no more than chance. It is 1 as well where no run splits anything; so read it
    beside the number of modules. Resolutions in a row that give the same modules are shaded: plateaus. The chosen
    level, if it is a resolution, is a line through both panels.

    Parameters
    ----------
    levels : Hierarchy
        Levels as `hierarchy` gives them.
    chosen : Level, optional
        The level to mark.
    ax : Axes, optional
        Axes whose place the panels take; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panels are the ``child_axes`` of its ``axes``.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_stability
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.modules import hierarchy
    >>> from bimt_analyze.synthetic import block_network
    >>> levels = hierarchy(neuron_graph(block_network(blocks=[(1, 2, 1)] * 2).network))
    >>> len(draw_stability(levels).axes.child_axes)
    2
    """
    axes = blank_axes(6.4, 4.2) if ax is None else ax
    found = sorted(levels.resolutions, key=lambda level: level.parameter)
    rows = panels(axes, 2, 1, gap_y=0.08)
    at = [level.parameter for level in found]
    sizes = [len(level.partition.modules) for level in found]
    agreed = [np.nan if level.stability is None else level.stability for level in found]
    modularities = [level.modularity for level in found]
    curves = (
        (rows[0], agreed, POSITIVE, "stability: agreement of repeated searches"),
        (rows[0], modularities, module_colour(0), "modularity"),
        (rows[1], sizes, module_colour(1), ""),
    )
    for row, values, colour, label in curves:
        row.plot(at, values, "o-", color=colour, linewidth=1.6, markersize=5, label=label)
    for row in rows:
        soften(row)
        if found:
            row.set_xscale("log")
            row.set_xlim(at[0] / 1.12, at[-1] * 1.12)
            row.set_xticks(at, [f"{one:g}" for one in at])
            row.xaxis.set_minor_locator(NullLocator())
        else:
            row.set(xticks=[], yticks=[])
    plateaus = [rung.levels for rung in rungs(found) if len(rung.levels) > 1]
    for number, same in enumerate(plateaus):
        for row in rows:
            label = "the same modules" if number == 0 else ""
            row.axvspan(same[0].parameter, same[-1].parameter, color=MUTED, alpha=0.18, linewidth=0, label=label)
    if chosen in found:
        for row in rows:
            row.axvline(chosen.parameter, color=INK, linewidth=1.2, zorder=1.5, gid="chosen")
    rows[0].tick_params(labelbottom=False)
    rows[0].set_ylim(min(0.0, 0.0, *modularities) - 0.06, 1.06)
    if found:
        rows[0].legend(
            frameon=False, fontsize=8, labelcolor=INK, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=3,
            borderaxespad=0.2, borderpad=0.2, handlelength=1.6,
        )  # fmt: skip
    rows[0].set_title(_title(levels, chosen), color=INK, fontsize=10, loc="left", pad=22 if found else 6)
    rows[1].set_ylim(0, max(sizes, default=1) * 1.15)
    rows[1].yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=2))
    rows[1].set_ylabel("modules")
    rows[1].set_xlabel("resolution: the higher, the smaller the modules")
    return Picture(axes, f"{_title(levels, chosen)}: stability, modularity and modules of {len(found)} resolutions.")


def _title(levels: "Hierarchy", chosen: "Level | None") -> str:
    """What was chosen; above all, whether anything splits."""
    whole = levels.components.partition
    if not levels.resolutions:
        return "No resolution was searched"
    if all(level.partition.same_modules(whole) for level in levels.resolutions):
        return f"No resolution splits the components ({count(len(whole.modules), 'module')})"
    if chosen is None:
        return "How sure each resolution is"
    aside = "" if chosen in levels.resolutions else ", not by resolution"
    return f"Chosen: {chosen.name}, {count(len(chosen.partition.modules), 'module')}{aside}"
