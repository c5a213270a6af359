"""A network in space: its groups as planes above each other, seen from wherever one likes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from bimt_train.checkpoints import Network
from bimt_train.layouts import Group

from .._canvas import INK, MUTED, NEGATIVE, PAPER, POSITIVE, Colour, blank_axes
from .._labels import shorten
from .._module_colours import module_colour
from .._picture import Picture
from ._scene import Edges, Modules, edges_of, module_numbers, used
from ._unroll import unroll

if TYPE_CHECKING:
    from mpl_toolkits.mplot3d import Axes3D

HEIGHT = 6.4  # inches; in smaller pictures lines, dots and names are smaller, down to a third
THICKEST, DOT = 2.6, 46.0  # of the greatest weight's edge in points; area of a neuron in a small group
PALEST = "#edeff2"  # a pixel that nothing reads
NAMED = 64  # neurons of an end that are still named one by one


def draw_network_3d(
    network: Network,
    *,
    partition: Modules | None = None,
    threshold: float = 0.0,
    elevation: float = 21.0,
    azimuth: float = -68.0,
    height: float = 1.6,
    ax: Axes | None = None,
) -> Picture:
    """Draw neurons in space: a group's slots in a plane, groups above each other, the layout's first at the bottom.

    An image lies on its plane as on a table, its first row at the back.

    A weight's width and strength of colour follow its magnitude within its connection, blue above zero, red below.
    Neurons without an edge are faint dots; a first group of more than 64 neurons is drawn as pixels, the darker the
    more weight leaves them. Under an interactive backend the picture can be turned.

    Parameters
    ----------
    network : Network
        A network, or the network of a circuit.
    partition : Modules, optional
        Modules by which neurons are coloured, as `draw_network` takes them.
    threshold : float, default 0.0
        Weights of at most this magnitude are left out.
    elevation : float, default 21.0
        Height of the eye, in degrees above the planes.
    azimuth : float, default -68.0
        Direction of the eye, in degrees about the vertical.
    height : float, default 1.6
        Height of the whole, in widths of a plane.
    ax : Axes, optional
        Axes whose place the picture takes; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the three-dimensional panel is the only one of the ``child_axes`` of its ``axes``.

    Raises
    ------
    InputError
        A module names a neuron that the network does not have.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_network_3d
    >>> from bimt_analyze.synthetic import block_network
    >>> type(draw_network_3d(block_network(blocks=[(1, 2, 1)] * 2).network).axes.child_axes[0]).__name__
    'Axes3D'
    """
    numbers = module_numbers(network, partition)
    axes = blank_axes(HEIGHT, HEIGHT) if ax is None else ax
    panel = _space(axes, elevation, azimuth, height)
    size = float(np.clip(axes.get_window_extent().height / axes.figure.dpi / HEIGHT, 0.34, 1.0))
    stages = unroll(network.layout)
    edges = edges_of(network, stages, threshold)
    alive = used(network, stages, edges)
    levels = {row: level / max(len(stages.groups) - 1, 1) for level, row in enumerate(stages.groups)}
    places = {row: _points(network, group, levels[row]) for row, group in stages.groups.items()}
    for order, (row, group) in enumerate(stages.groups.items()):
        _sheet(panel, levels[row], group, order, size)
        if order == 0 and len(places[row]) > NAMED:
            _tiles(panel, places[row], _leaving(edges, row, len(places[row])))
            continue
        fills = [module_colour(numbers[group, i]) if (group, i) in numbers else PAPER for i in range(len(places[row]))]
        _dots(panel, places[row], fills, alive[row], order, size, gid=f"neurons-{row}")
    top = list(stages.groups)[-1]
    if len(places[top]) <= NAMED:
        _name(panel, network.layout.group(stages.groups[top]), places[top], alive[top], size)
    for some in edges:
        start, end = places[some.source][some.sources], places[some.target][some.targets]
        order, gid = list(levels).index(some.source), f"edges-{some.source}-{some.target}"
        _draw_edges(panel, start, end, some.weights, order, size, gid=gid)
    return Picture(axes, f"A network in space: {len(network.layout.groups)} layers, {network.edges()} weights.")


def _leaving(edges: Sequence[Edges], row: str, size: int) -> Float64[np.ndarray, " neurons"]:
    """How much weight leaves each neuron, the greatest 1."""
    total = np.zeros(size)
    for some in edges:
        if some.source == row:
            np.add.at(total, some.sources, np.abs(some.weights))
    return np.asarray(total / (total.max(initial=0.0) or 1.0))


def _space(axes: Axes, elevation: float, azimuth: float, height: float) -> "Axes3D":
    """A panel of three dimensions without box and ticks, that draws things in the order given."""
    from mpl_toolkits.mplot3d import Axes3D

    axes.set_axis_off()
    panel: Axes3D = axes.inset_axes((0.0, 0.0, 1.0, 1.0), axes_class=Axes3D, computed_zorder=False)
    panel.set_axis_off()
    panel.patch.set_alpha(0.0)
    panel.set_proj_type("persp", focal_length=0.5)
    panel.view_init(elevation, azimuth)
    panel.set(xlim=(0, 1), ylim=(0, 1), zlim=(0, 1))
    panel.set_box_aspect((1, 1, height), zoom=1.0)
    return panel


def _points(network: Network, group: str, level: float) -> Float64[np.ndarray, "neurons 3"]:
    place = network.placement.coordinates(network.layout, group)
    depth = 1 - place[:, 1] if place.shape[1] > 1 else np.full(len(place), 0.5)
    return np.column_stack((place[:, 0], depth, np.full(len(place), level)))


def _sheet(panel: "Axes3D", level: float, name: str, order: int, size: float) -> None:
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    corners = [(0, 0, level), (1, 0, level), (1, 1, level), (0, 1, level)]
    panel.add_collection3d(
        Poly3DCollection([corners], facecolors=to_rgba(PAPER, 0.6), edgecolors=MUTED, linewidths=0.7, zorder=10 * order)
    )
    panel.text(-0.06, 0, level, name, ha="right", va="center", fontsize=9 * size**0.5, color=MUTED)


def _tiles(panel: "Axes3D", points: Float64[np.ndarray, "neurons 3"], dark: Float64[np.ndarray, " neurons"]) -> None:
    """Pixels, the darker the more they are used."""
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    side = 0.96 / np.sqrt(len(points))
    square = side / 2 * np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)])
    share = np.sqrt(dark)[:, None]
    colours = (1 - share) * to_rgba(PALEST) + share * np.array(to_rgba(INK))
    panel.add_collection3d(
        Poly3DCollection(points[:, None] + square, facecolors=colours, edgecolors="none", zorder=1, gid="pixels")
    )


def _dots(
    panel: "Axes3D",
    points: Float64[np.ndarray, "neurons 3"],
    fills: Sequence[Colour],
    alive: Bool[np.ndarray, " neurons"],
    order: int,
    size: float,
    *,
    gid: str,
) -> None:
    areas = size**2 * np.where(alive, np.clip(25 * DOT / len(points), 16.0, DOT), 2.0)
    panel.scatter(
        *points.T, s=areas, depthshade=False, gid=gid,
        c=[fill if joined else MUTED for fill, joined in zip(fills, alive, strict=True)],
        edgecolors=[INK if joined else "none" for joined in alive], linewidths=0.7 * size, zorder=10 * order + 2,
    )  # fmt: skip


def _name(
    panel: "Axes3D",
    group: Group,
    points: Float64[np.ndarray, "neurons 3"],
    alive: Bool[np.ndarray, " neurons"],
    size: float,
) -> None:
    """Names outwards from the middle of the plane, of neurons that have edges."""
    for i in np.flatnonzero(alive):
        point = points[i]
        name = group.labels[i] if group.labels else f"{group.name}{i + 1}"
        away = point[:2] - 0.5
        far = np.append(point[:2] + 0.12 * away / (np.hypot(*away) or 1.0), point[2] + 0.08 * away[1])
        panel.text(*far, shorten(name, 12), ha="center", va="center", fontsize=8 * size**0.5, color=INK, zorder=900,
                   parse_math=False)  # fmt: skip


def _draw_edges(
    panel: "Axes3D",
    start: Float64[np.ndarray, "edges 3"],
    end: Float64[np.ndarray, "edges 3"],
    weights: Float64[np.ndarray, " edges"],
    order: int,
    size: float,
    *,
    gid: str,
) -> None:
    """Above the plane they leave, below the plane they reach; where there are many, each is thinner and fainter."""
    from mpl_toolkits.mplot3d.art3d import Line3DCollection

    if not len(weights):
        return
    strength = np.abs(weights) / np.abs(weights).max()
    crowd = min(1.0, (60 / len(weights)) ** 0.35)
    colours = np.where((weights > 0)[:, None], to_rgba(POSITIVE), to_rgba(NEGATIVE))
    colours[:, 3] = crowd * (0.3 + 0.6 * strength)
    widths = size * THICKEST * crowd * (0.2 + 0.8 * strength)
    lines = np.stack((start, end), axis=1)
    panel.add_collection3d(Line3DCollection(lines, colors=colours, linewidths=widths, zorder=10 * order + 3, gid=gid))
