"""Mean-ablation effects as a map of modules and outputs."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from .._canvas import INK, NEGATIVE, ON_COLOUR, ON_DARK, PAPER, POSITIVE, blank_axes, soften
from .._labels import shorten
from .._picture import Picture

if TYPE_CHECKING:
    from ...audits.ablation._mean_ablation_effects import MeanAblationEffects

MOST = 400  # cells that still have their number written in them
NUMBERED, BARE = 0.55, 0.17  # inches a column, with numbers in it and without
LETTER = 0.075  # inches of a letter of a column's name
FAINT = "#626a77"  # of numbers that are all but 0


def draw_mean_ablation_effects(
    mean_ablation_effects: "MeanAblationEffects", *, alone: bool = False, level: float = 0.05, ax: Axes | None = None
) -> Picture:
    """Draw the mean-ablation effect of each module (row) on each output (column).

    Blue is lost, red is gained; the scale ends at 1, what predicting the mean costs, or all of a class's margin or
    accuracy, or as many bits as the classes' shares have. Of many cells the numbers are left out. An effect that at
    most ``level`` of random groups reach (p, not corrected for the number of cells) is written in bold.

    Parameters
    ----------
    mean_ablation_effects : MeanAblationEffects
        Effects as `mean_ablation_effects` gives them.
    alone : bool, default False
        Draw the effects of ablating all other modules instead, which have no p.
    level : float, default 0.05
        p from which a number is not bold.
    ax : Axes, optional
        Axes whose place the picture takes; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the map is the only one of the ``child_axes`` of its ``axes``.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_mean_ablation_effects
    >>> from bimt_analyze.audits.ablation._mean_ablation_effects import mean_ablation_effects
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(2, 3, 1)] * 2, seed=1)
    >>> y = planted.network.predict(planted.x)
    >>> effects = mean_ablation_effects(planted.network, planted.partition.modules, planted.x, y, samples=5)
    >>> len(draw_mean_ablation_effects(effects).axes.child_axes)
    1
    """
    values = mean_ablation_effects.alone if alone else mean_ablation_effects.matrix
    rows, columns = values.shape
    written = values.size <= MOST
    column = NUMBERED if written else BARE
    width = 1.4 + column * columns
    axes = blank_axes(max(2.6, width), max(1.6, 1.1 + 0.3 * rows)) if ax is None else ax
    axes.set_axis_off()
    panel = axes.inset_axes((0.0, 0.0, 1.0, 1.0))
    soften(panel, grid=False)
    colours = LinearSegmentedColormap.from_list("effect", [NEGATIVE, PAPER, POSITIVE])
    panel.imshow(values, cmap=colours, vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    names = [shorten(name) for name in mean_ablation_effects.outputs]
    panel.set_xticks(range(columns), names, rotation=0 if max(map(len, names)) * LETTER <= column else 90)
    panel.set_yticks(range(rows), [f"module {number}" for number in range(1, rows + 1)])
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    of = "all other modules" if alone else "the module"
    panel.set_title(f"mean-ablation effect of {of}", color=INK, fontsize=9, loc="left")
    if written:
        for i in range(rows):
            for j in range(columns):
                rare = not alone and mean_ablation_effects.p[i, j] <= level
                weight = "bold" if rare else "normal"
                size = abs(values[i, j])
                ink = ON_DARK if size > 0.6 else ON_COLOUR if size >= 0.005 else FAINT
                panel.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", color=ink, fontsize=7, weight=weight)
    return Picture(axes, f"Mean-ablation effects of {rows} modules on {columns} outputs.")
