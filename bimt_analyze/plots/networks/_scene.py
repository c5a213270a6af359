"""Where the neurons of a network stand in a picture: groups as parallel lines, or as planes seen from above."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network

from ._unroll import Stages

Neuron: TypeAlias = tuple[str, int]

SHEAR, DEPTH = 0.32, 0.52  # of a plane's far edge: to the right in widths, upwards in distances between groups
BEND = 13  # points of an edge that is drawn as a curve


@runtime_checkable
class HasModules(Protocol):
    """Anything with a field ``modules``, a `Partition` for one."""

    @property
    def modules(self) -> Sequence[Collection[Neuron]]:
        """Sets of neurons (group, index)."""


Modules: TypeAlias = HasModules | Sequence[Collection[Neuron]] | Mapping[str, Collection[Neuron]]


@dataclass(frozen=True, eq=False)
class Row:
    """One group in the picture, or one place of a stream.

    Attributes
    ----------
    name : str
        Name of the group.
    points : array of float64, shape (neurons, 2)
        Place of each neuron.
    planar : bool
        Whether it is a plane (slots of two or three dimensions) and not a line.
    outline : array of float64, shape (corners, 2)
        Corners of the plane, or ends of the line.
    spacing : float
        Distance between neighbours, in widths of the picture; the least one where it differs.
    """

    name: str
    points: Float64[np.ndarray, "neurons 2"]
    planar: bool
    outline: Float64[np.ndarray, "corners 2"]
    spacing: float


@dataclass(frozen=True, eq=False)
class Edges:
    """The weights of one connection that are drawn, weakest first.

    Attributes
    ----------
    source : str
        Row that is read.
    target : str
        Row that is written.
    sources : array
        Number of the neuron read, edge by edge.
    targets : array
        Number of the neuron written, edge by edge.
    weights : array of float64, shape (edges,)
        The weights.
    """

    source: str
    target: str
    sources: np.ndarray
    targets: np.ndarray
    weights: Float64[np.ndarray, "edges"]


def rows_of(network: Network, stages: Stages) -> dict[str, Row]:
    """Places of all neurons: the first row at the bottom, one unit between rows, x from 0 to 1.

    A second coordinate goes into the depth of the picture (an oblique projection), the first row of an image at the
    back. If any group has one, groups on a line lie along the middle of their plane.

    Parameters
    ----------
    network : Network
        The network with its placement.
    stages : Stages
        Rows of the picture.

    Returns
    -------
    dict of str to Row
        Row -> its place.
    """
    places = {key: network.placement.coordinates(network.layout, group) for key, group in stages.groups.items()}
    deep = any(place.shape[1] > 1 for place in places.values())
    rows = {}
    for level, (key, place) in enumerate(places.items()):
        planar = place.shape[1] > 1
        v = 1 - place[:, 1] if planar else np.full(len(place), 0.5)
        flat = np.column_stack((place[:, 0], v))
        corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]] if planar else [[0.0, 0.5], [1.0, 0.5]])
        spacing = min(1.0 / max(1.0, len(place) ** (0.5 if planar else 1.0)), _least_gap(place))
        ends = _project(corners, level, deep)
        rows[key] = Row(stages.groups[key], _project(flat, level, deep), planar, ends, spacing)
    return rows


def _least_gap(place: Float64[np.ndarray, "neurons dimension"]) -> float:
    """The least distance between two neurons along the axis that parts them most; 1 where there are not two."""
    if place.shape[1] == 1:
        gaps = np.diff(np.sort(place[:, 0]))
    else:
        from scipy.spatial import KDTree

        gaps = KDTree(place).query(place, k=[min(2, len(place))], p=np.inf)[0].ravel()
    return float(gaps[gaps > 1e-9].min(initial=1.0))


def _project(flat: np.ndarray, level: int, deep: bool) -> Float64[np.ndarray, "points 2"]:
    if not deep:
        return np.column_stack((flat[:, 0], np.full(len(flat), float(level))))
    return np.column_stack((flat[:, 0] + SHEAR * (flat[:, 1] - 0.5), level + DEPTH * (flat[:, 1] - 0.5)))


def edges_of(network: Network, stages: Stages, threshold: float) -> list[Edges]:
    """Every connection's weights above a threshold.

    Parameters
    ----------
    network : Network
        The network.
    stages : Stages
        Rows of the picture.
    threshold : float
        Weights of at most this magnitude are left out.

    Returns
    -------
    list of Edges
        One value a connection.
    """
    found = []
    for connection in network.connections():
        targets, sources = np.nonzero(np.abs(connection.matrix) > threshold)
        weights = connection.matrix[targets, sources].astype(np.float64)
        order = np.argsort(np.abs(weights), kind="stable")
        found.append(Edges(*stages.ends[connection.tensor], sources[order], targets[order], weights[order]))
    return found


def strongest(edges: Sequence[Edges], most: int) -> Sequence[Edges]:
    """The edges of the greatest weights of all connections together.

    Parameters
    ----------
    edges : sequence of Edges
        One value a connection, the weights of each growing in magnitude.
    most : int
        How many edges to keep.

    Returns
    -------
    sequence of Edges
        ``edges`` itself where there are no more.
    """
    if sum(len(some.weights) for some in edges) <= most:
        return edges
    sizes = np.concatenate([np.abs(some.weights) for some in edges])
    keep = np.zeros(len(sizes), dtype=bool)
    keep[np.argsort(sizes, kind="stable")[len(sizes) - most :]] = True
    kept, first = [], 0
    for some in edges:
        own = keep[first : first + len(some.weights)]
        kept.append(replace(some, sources=some.sources[own], targets=some.targets[own], weights=some.weights[own]))
        first += len(some.weights)
    return kept


def used(network: Network, stages: Stages, edges: Sequence[Edges]) -> dict[str, Bool[np.ndarray, "_"]]:
    """Which neurons of each row an edge of the picture ends in, or a stream carries past.

    Parameters
    ----------
    network : Network
        The network.
    stages : Stages
        Rows of the picture.
    edges : sequence of Edges
        Weights that are drawn.

    Returns
    -------
    dict of str to array of bool, shape (_,)
        Row -> one flag a neuron.
    """
    sizes, layout = network.layout.sizes, network.layout
    streams = {row for pair in stages.carried for row in pair}
    rows = stages.groups.items()
    written = {row: np.full(sizes[group], row in streams and group == layout.inputs) for row, group in rows}
    read = {row: np.full(sizes[group], row in streams and group == layout.outputs) for row, group in rows}
    for some in edges:
        read[some.source][some.sources] = True
        written[some.target][some.targets] = True
    for before, after in stages.carried:
        written[after] |= written[before]
    for before, after in reversed(stages.carried):
        read[before] |= read[after]
    return {row: written[row] & read[row] if row in streams else written[row] | read[row] for row in stages.groups}


def segments(rows: Mapping[str, Row], edges: Edges) -> Float64[np.ndarray, "edges points 2"]:
    """One line an edge: straight to the next group up, else a curve that keeps clear of the groups between.

    Parameters
    ----------
    rows : mapping of str to Row
        Row -> where its neurons stand.
    edges : Edges
        Weights of one connection.

    Returns
    -------
    array of float64, shape (edges, points, 2)
        Two points, or as many as a curve has, an edge.
    """
    order = list(rows)
    rise = order.index(edges.target) - order.index(edges.source)
    start, end = rows[edges.source].points[edges.sources], rows[edges.target].points[edges.targets]
    if rise == 1:
        return np.stack((start, end), axis=1)
    along = np.linspace(0.0, 1.0, BEND)[None, :, None]
    middle = (start + end) / 2
    if rise == 0:  # inside a group: an arch above it, the wider the higher
        lift = 0.15 + 0.35 * np.abs(end[:, 0] - start[:, 0])
        middle[:, 1] += 2 * lift
        same = np.abs(end - start).sum(1) < 1e-9
        left, right = middle - [0.03, 0.0] * same[:, None], middle + [0.03, 0.0] * same[:, None]
        reins = along * (1 - along) ** 2 * left[:, None] + along**2 * (1 - along) * right[:, None]
        return np.asarray((1 - along) ** 3 * start[:, None] + along**3 * end[:, None] + 3 * reins)
    middle[:, 0] += (0.08 if rise > 0 else -0.08) * np.sqrt(abs(rise))
    bent = (1 - along) ** 2 * start[:, None] + 2 * along * (1 - along) * middle[:, None] + along**2 * end[:, None]
    return np.asarray(bent)


def module_numbers(network: Network, partition: Modules | None) -> dict[Neuron, int]:
    """Number of the first module that has each neuron.

    Parameters
    ----------
    network : Network
        The network.
    partition : Modules or None
        Modules, as `draw_network` takes them.

    Returns
    -------
    dict of Neuron to int
        Neuron (group, index) -> number of its module.

    Raises
    ------
    InputError
        A module names a neuron that the network does not have.
    """
    modules: Sequence[Collection[Neuron]] = ()
    if isinstance(partition, Mapping):
        modules = tuple(partition.values())
    elif partition is not None:
        modules = partition if isinstance(partition, Sequence) else partition.modules
    numbers: dict[Neuron, int] = {}
    sizes = network.layout.sizes
    for number, module in enumerate(modules):
        for group, index in module:
            if not 0 <= index < sizes.get(group, 0):
                raise InputError(
                    "a module names a neuron that the network does not have",
                    where=f"module {number + 1}",
                    expected=", ".join(f"{name}.0 to {name}.{size - 1}" for name, size in sizes.items()),
                    got=f"{group}.{index}",
                    hint="draw the network that the modules were found in",
                )
            numbers.setdefault((group, index), number)
    return numbers
