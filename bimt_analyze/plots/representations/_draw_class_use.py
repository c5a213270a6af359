"""Which neurons a class uses, as a map of classes and neurons."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from .._canvas import INK, MUTED, NEGATIVE, PAPER, POSITIVE, blank_axes, soften
from .._labels import shorten
from .._picture import Picture

if TYPE_CHECKING:
    from ...representations import ClassUse

MOST = 120  # neurons that are still named


def draw_class_use(use: "ClassUse", *, ax: Axes | None = None) -> Picture:
    """Draw what each class (row) loses of its margin without each hidden neuron (column), as a share of the margin.

    Blue is lost, red is gained; the scale ends at 1, where nothing of the margin is left. The layers stand side by
    side, last one first; within a layer neurons are sorted by the class that they matter most to.

    Parameters
    ----------
    use : ClassUse
        Use of neurons as `class_use` gives it.
    ax : Axes, optional
        Axes whose place the picture takes; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panels, one a layer, are the ``child_axes`` of its ``axes``, and then the scale.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_class_use
    >>> import numpy as np
    >>> from bimt_analyze.representations import ClassUse
    >>> one, drop = np.ones(2), np.array([[0.5, 0.0], [0.0, 1.0]])
    >>> use = ClassUse((("h1", 0), ("h1", 1)), ("u", "v"), one, one, drop, drop)
    >>> len(draw_class_use(use).axes.child_axes)
    2
    """
    groups = list(dict.fromkeys(group for group, _ in use.neurons))[::-1]
    columns = {group: [i for i, (own, _) in enumerate(use.neurons) if own == group] for group in groups}
    total = len(use.neurons)
    axes = blank_axes(max(4.0, 1.6 + 0.155 * total), 0.9 + 0.22 * len(use.classes)) if ax is None else ax
    colours = LinearSegmentedColormap.from_list("use", [NEGATIVE, PAPER, POSITIVE])
    axes.set_axis_off()
    start, gap = 0.0, 0.02
    for number, group in enumerate(groups):
        width = (1 - gap * (len(groups) - 1)) * len(columns[group]) / total
        panel = axes.inset_axes((start, 0.0, width, 1.0))
        start += width + gap
        best = use.shares[:, columns[group]]
        order = np.lexsort((-best.max(axis=0), best.argmax(axis=0)))
        soften(panel, grid=False)
        panel.imshow(best[:, order], cmap=colours, vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
        panel.set_xticks(np.arange(-0.5, len(order)), minor=True)
        panel.set_yticks(np.arange(-0.5, len(use.classes)), minor=True)
        panel.grid(True, which="minor", color=MUTED, alpha=0.2, linewidth=0.5)
        panel.tick_params(which="both", length=0)
        panel.spines[:].set_visible(False)
        names = [str(use.neurons[columns[group][i]][1]) for i in order] if total <= MOST else []
        panel.set_xticks(range(len(names)), names, fontsize=6, rotation=90)
        panel.set_yticks(
            range(len(use.classes)), [shorten(name) if number == 0 else "" for name in use.classes], color=INK
        )
        panel.set_title(f"{group}", fontsize=9, color=INK, loc="left", parse_math=False)
    scale = axes.inset_axes((1.0 + gap, 0.0, 0.012, 1.0))
    scale.imshow(np.linspace(1, -1, 101)[:, None], cmap=colours, vmin=-1, vmax=1, aspect="auto", extent=(0, 1, -1, 1))
    soften(scale, grid=False).spines[:].set_visible(False)
    scale.yaxis.tick_right()
    scale.tick_params(length=0)
    scale.set(xticks=[], yticks=(-1, 0, 1))
    scale.set_yticklabels(["all gained", "none lost", "all lost"], fontsize=7)
    return Picture(axes, f"What each of {len(use.classes)} classes loses without each of {total} hidden neurons.")
