"""What each output loses without each module, as a map of modules and outputs."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from .._canvas import INK, MUTED, NEGATIVE, PAPER, POSITIVE, blank_axes, soften
from .._labels import shorten

if TYPE_CHECKING:
    from ...audits import Damage

MOST = 400  # cells that still have their number written in them
NUMBERED, BARE = 0.55, 0.17  # inches a column, with numbers in it and without


def draw_damage(damage: "Damage", *, alone: bool = False, level: float = 0.05, ax: Axes | None = None) -> Axes:
    """Draw the damage to each output (column) without each module (row).

    Blue is lost, red is gained; the scale ends at 1, what predicting the mean costs, or all of a class's margin or
    accuracy, or as many bits as the classes' shares have. Of many cells the numbers are left out. A damage that at most
    ``level`` of random groups reach (p, not corrected for the number of cells) is written in bold.

    Args:
        damage: as `damage` gives it.
        alone: draw the damage with each module alone, which has no p, instead.
        level: of p.
        ax: whose place the picture takes; left out, a figure of its own.

    Returns:
        The axes; the map is the only one of its ``child_axes``.
    """
    values = damage.alone if alone else damage.matrix
    rows, columns = values.shape
    written = values.size <= MOST
    width = 1.4 + (NUMBERED if written else BARE) * columns
    axes = blank_axes(max(2.6, width), max(1.6, 1.1 + 0.3 * rows)) if ax is None else ax
    axes.set_axis_off()
    panel = axes.inset_axes((0.0, 0.0, 1.0, 1.0))
    soften(panel, grid=False)
    colours = LinearSegmentedColormap.from_list("damage", [NEGATIVE, PAPER, POSITIVE])
    panel.imshow(values, cmap=colours, vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
    panel.set_xticks(range(columns), [shorten(name) for name in damage.outputs], rotation=0 if columns <= 12 else 90)
    panel.set_yticks(range(rows), [f"module {number}" for number in range(1, rows + 1)])
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    panel.set_title(
        "damage with the module alone" if alone else "damage without the module", color=INK, fontsize=9, loc="left"
    )
    if written:
        for i in range(rows):
            for j in range(columns):
                rare = not alone and damage.p[i, j] <= level
                weight = "bold" if rare else "normal"
                size = abs(values[i, j])
                ink = PAPER if size > 0.6 else INK if size >= 0.005 else MUTED
                panel.text(j, i, f"{values[i, j]:.2f}", ha="center", va="center", color=ink, fontsize=7, weight=weight)
    return axes
