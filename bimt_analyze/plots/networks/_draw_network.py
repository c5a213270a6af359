"""A network drawn with its neurons in their places."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from bimt_train.checkpoints import Network

from .._canvas import INK, MUTED, NEGATIVE, PAPER, POSITIVE, Colour, blank_axes
from .._labels import name_points, shorten
from .._module_colours import module_colour
from .._picture import Picture
from ._scene import DEPTH, Edges, Modules, Neuron, Row, edges_of, module_numbers, rows_of, segments, strongest, used
from ._unroll import Stages, unroll

THICKEST, THINNEST = 3.2, 0.22  # of the greatest weight's edge in points, and of the least one's as a part of that
MOST_EDGES = 10_000
"""Edges of a picture, at most: more are neither told apart nor drawn in a second."""

MANY = 3000  # edges from which a picture holds them as pixels, and fainter
LEGEND = 8  # modules that are named beside the picture
FAINTEST, RIMMED = 1.6, 2.4  # diameter in points of a neuron without an edge; from which neurons have a rim
NAMED_ON_PLANE = 64  # neurons of a plane that are still named one by one


def draw_network(
    network: Network,
    *,
    partition: Modules | None = None,
    threshold: float = 0.0,
    most: int = MOST_EDGES,
    legend: bool = True,
    ax: Axes | None = None,
) -> Picture:
    """Draw neurons at their coordinates and the weights between them.

    Groups are parallel lines, the layout's first (the inputs) at the bottom; a group on a grid or ring is a plane in an
    oblique projection. A weight's width is proportional to its magnitude, its colour says its sign: blue above zero,
    red below. Weights that skip a group, run backwards or stay inside a group are curves. All edges of one connection
    are one `LineCollection`, one path an edge, the strongest on top. A neuron without an edge is a faint dot.

    A residual stream, a group that others read and add to, has a row wherever it is read and written, in the order in
    which the layout declares the tensors; grey lines carry its neurons on.

    Parameters
    ----------
    network : Network
        A network, or the network of a circuit.
    partition : Modules, optional
        Modules by which neurons are coloured: a `Partition`, or sets of (group, index), or such sets by name. A neuron
        of several modules takes the first; one of none stays white.
    threshold : float, default 0.0
        Weights of at most this magnitude are left out.
    most : int, default 10,000
        Of more weights than these the greatest are drawn, and the picture says so.
    legend : bool, default True
        Whether to name modules and signs beside the picture.
    ax : Axes, optional
        Axes to draw on; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture.

    Raises
    ------
    InputError
        A module names a neuron that the network does not have.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_network
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 2, 1)] * 2)
    >>> picture = draw_network(planted.network, partition=planted.partition)
    >>> picture
    Picture(A network of x 2, h1 4, y 2 neurons with 8 weights, coloured by 2 modules.)
    >>> len(picture.axes.get_legend().get_texts())
    4
    """
    numbers = module_numbers(network, partition)
    stages = unroll(network.layout)
    rows, edges = rows_of(network, stages), edges_of(network, stages, threshold)
    alive = used(network, stages, edges)
    deep = any(row.planar for row in rows.values())
    step = 1.5 if deep else 0.85 if stages.carried else 1.15
    axes = blank_axes(7.2, max(2.6, min(1.0 + step * (len(rows) - 1), 16.0))) if ax is None else ax
    drawn = strongest(edges, most)
    paint(axes, stages, rows, drawn, alive, numbers)
    if drawn is not edges:
        _say_how_many(axes, next(iter(rows.values())), drawn, edges)
    if legend:
        names = tuple(partition) if isinstance(partition, Mapping) else ()
        _legend(axes, network, numbers, edges, names)
    name_rows(axes, network, rows)
    return Picture(axes, _alt(network, edges, numbers))


def _alt(network: Network, edges: Sequence[Edges], numbers: Mapping[Neuron, int]) -> str:
    sizes = ", ".join(f"{group} {size}" for group, size in network.layout.sizes.items())
    modules = f", coloured by {len(set(numbers.values()))} modules" if numbers else ""
    return f"A network of {sizes} neurons with {sum(len(each.weights) for each in edges)} weights{modules}."


def paint(
    axes: Axes,
    stages: Stages,
    rows: dict[str, Row],
    edges: Sequence[Edges],
    alive: Mapping[str, Bool[np.ndarray, "_"]],
    numbers: Mapping[Neuron, int],
) -> None:
    """Draw streams, edges and neurons of a scene; no words.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    stages : Stages
        Rows of the picture.
    rows : dict of str to Row
        Row -> where its neurons stand.
    edges : sequence of Edges
        Weights to draw.
    alive : mapping of str to array of bool, shape (_,)
        Row -> which of its neurons have edges.
    numbers : mapping of Neuron to int
        Neuron -> number of its module.
    """
    _frame(axes, rows)
    for before, after in stages.carried:
        _carry(axes, rows[before], rows[after], alive[before] & alive[after])
    _draw_edges(axes, rows, edges)
    for level, (key, row) in enumerate(rows.items()):
        _draw_row(axes, key, row, level, numbers, alive[key])


def _say_how_many(axes: Axes, lowest: Row, drawn: Sequence[Edges], edges: Sequence[Edges]) -> None:
    """In the left margin, below the name of the lowest row: how many of the weights are drawn."""
    shown, every = (sum(len(some.weights) for some in each) for each in (drawn, edges))
    axes.annotate(
        f"the greatest\n{shown:,} of\n{every:,} weights", lowest.outline[0], xytext=(-14, -10),
        textcoords="offset points", ha="right", va="top", color=MUTED, fontsize=6.5, annotation_clip=False,
    )  # fmt: skip


def _frame(axes: Axes, rows: dict[str, Row]) -> None:
    axes.set_axis_off()
    corners = np.concatenate([row.outline for row in rows.values()] + [row.points for row in rows.values()])
    low, high = corners.min(0), corners.max(0)
    axes.set_xlim(min(low[0], 0.0) - 0.02, max(high[0], 1.0) + 0.02)
    axes.set_ylim(low[1] - 0.12, high[1] + 0.12)


def _draw_edges(axes: Axes, rows: dict[str, Row], edges: Sequence[Edges]) -> None:
    """One collection a connection, below the planes and neurons that it ends in."""
    greatest = max((float(np.abs(e.weights).max(initial=0.0)) for e in edges), default=0.0)
    total = sum(len(e.weights) for e in edges)
    faint = min(1.0, (MANY / total) ** 0.4) if total else 1.0
    floor = min(1.0, (60 / max(total, 1)) ** 0.6)  # in a small circuit every edge counts; in a whole network few do
    thickest = float(np.clip(THICKEST * (60 / max(total, 1)) ** 0.28, 0.5, THICKEST))
    for connection in edges:
        strength = np.abs(connection.weights) / greatest if greatest else np.abs(connection.weights)
        colours = np.where((connection.weights > 0)[:, None], to_rgba(POSITIVE), to_rgba(NEGATIVE))
        colours[:, 3] = (0.6 * floor + (0.9 - 0.6 * floor) * strength) * (faint + (1 - faint) * strength)
        level = min(list(rows).index(connection.source), list(rows).index(connection.target))
        lines = LineCollection(
            list(segments(rows, connection)), colors=colours,
            linewidths=thickest * (THINNEST + (1 - THINNEST) * strength),
            zorder=10 * level + 2, capstyle="round", rasterized=total > MANY,
            gid=f"edges-{connection.source}-{connection.target}",
        )  # fmt: skip
        lines.set_in_layout(False)  # measuring a hundred thousand lines takes longer than drawing them
        axes.add_collection(lines, autolim=False)


def _carry(axes: Axes, before: Row, after: Row, alive: Bool[np.ndarray, "_"]) -> None:
    """What a stream holds goes on to its next row as it is."""
    lines = np.stack((before.points[alive], after.points[alive]), axis=1)
    axes.add_collection(LineCollection(list(lines), colors=MUTED, linewidths=0.7, alpha=0.5, zorder=1), autolim=False)


def _draw_row(
    axes: Axes, key: str, row: Row, level: int, numbers: Mapping[Neuron, int], alive: Bool[np.ndarray, "_"]
) -> None:
    if row.planar:
        sheet = Polygon(
            row.outline, closed=True, facecolor=PAPER, edgecolor=MUTED, linewidth=0.8, alpha=0.55, zorder=10 * level
        )
        axes.add_patch(sheet)
    corners = axes.transData.transform([[0.0, 0.0], [1.0, DEPTH if row.planar else 1.0]]) * 72 / axes.figure.dpi
    room = float((corners[1] - corners[0])[: 1 + row.planar].min())
    diameter = float(np.clip(0.75 * row.spacing * room, 1.3, 12.0))
    plain = PAPER if diameter > RIMMED else INK  # white dots without a rim would not be seen
    fills: list[Colour] = [
        MUTED if not joined else module_colour(numbers[row.name, i]) if (row.name, i) in numbers else plain
        for i, joined in enumerate(alive)
    ]
    axes.scatter(
        row.points[:, 0], row.points[:, 1], s=np.where(alive, diameter, min(diameter, FAINTEST)) ** 2, c=fills,
        edgecolors=[INK if joined and diameter > RIMMED else "none" for joined in alive],
        linewidths=min(0.9, diameter / 8), zorder=10 * level + 4, clip_on=False, gid=f"neurons-{key}",
    )  # fmt: skip


def name_rows(axes: Axes, network: Network, rows: dict[str, Row]) -> None:
    """Write group names in the left margin, inputs' names below the picture, outputs' above.

    Parameters
    ----------
    axes : Axes
        Axes to draw on.
    network : Network
        The network, whose layout has the names.
    rows : dict of str to Row
        Row -> where its neurons stand.
    """
    layout, order = network.layout, list(rows.values())
    for row in order:
        axes.annotate(
            f"{row.name}", row.outline[0], xytext=(-14, 0), textcoords="offset points", ha="right", va="center",
            color=MUTED, fontsize=8, annotation_clip=False,
        )  # fmt: skip
    for end, above, row in ((layout.inputs, False, order[0]), (layout.outputs, True, order[-1])):
        group = layout.group(row.name)
        if row.name != end and all(label.startswith(f"{group.name}.") for label in group.labels):
            continue
        if row.planar and group.size > NAMED_ON_PLANE:
            continue
        label = [group.label(i) for i in range(group.size)]
        if not group.labels:  # x1, x2, ... as everywhere where inputs and outputs have no names
            label = [f"{group.name}{i + 1}" for i in range(group.size)]
        if not row.planar:
            name_points(axes, row.points, label, above=above)
            continue
        for point, word in zip(row.points, label, strict=True):
            axes.annotate(
                shorten(word, 12), point, xytext=(8, 0), textcoords="offset points", ha="left", va="center",
                color=INK, fontsize=8, zorder=500, parse_math=False,
            )  # fmt: skip


def _legend(
    axes: Axes, network: Network, numbers: dict[Neuron, int], edges: Sequence[Edges], names: Sequence[str]
) -> None:
    handles = []
    layout = network.layout
    for number in sorted(set(numbers.values()))[:LEGEND]:
        ends = []
        for end in (layout.inputs, layout.outputs):
            size = layout.sizes.get(end, 0)
            inside = [layout.group(end).label(i) for i in range(size) if numbers.get((end, i)) == number]
            ends.append(shorten(", ".join(inside), 20) if inside else "–")
        label = f"module {number + 1}" if not names else shorten(names[number])
        if not names and ends != ["–", "–"]:
            label += f":  {ends[0]} → {ends[1]}"
        handles.append(
            Line2D([], [], linestyle="none", marker="o", markersize=7, markerfacecolor=module_colour(number),
                   markeredgecolor=INK, markeredgewidth=0.7, label=label)
        )  # fmt: skip
    unnamed = len(set(numbers.values())) - LEGEND
    if unnamed > 0:
        handles.append(Line2D([], [], linestyle="none", label=f"and {unnamed} more"))
    signs = np.sign(np.concatenate([e.weights for e in edges])) if edges else np.zeros(0)
    for sign, colour, label in ((1, POSITIVE, "weight above zero"), (-1, NEGATIVE, "weight below zero")):
        if (signs == sign).any():
            handles.append(Line2D([], [], color=colour, linewidth=2, label=label))
    if handles:
        axes.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8, labelcolor=INK,
            borderaxespad=0.0, handlelength=1.4,
        )  # fmt: skip
