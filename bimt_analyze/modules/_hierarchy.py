"""All levels at which a network can be cut into modules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from bimt_train import InputError
from bimt_train.extras import need
from bimt_train.showing import Shown, to_cell

from ..graph import NeuronGraph, NodeId
from ._components import components_up_to_layer, connected_components
from ._consensus import consensus
from ._dominator_modules import DominatorTree
from ._leiden import leiden_runs
from ._leiden_searches import Searches
from ._partition import Partition
from ._quality import modularity
from ._stability import stability

if TYPE_CHECKING:
    import pandas as pd

LEAKS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of its input that a neuron may read from outside its module."""

RESOLUTIONS = (0.25, 0.35, 0.5, 0.71, 1.0, 1.41, 2.0, 2.83, 4.0)
"""Half-octaves about the usual 1."""

TOLERABLE_LEAK = 0.05
"""The greatest leak at which parts still count as separate."""

Kind = Literal["components", "dominators", "up to layer", "resolution", "function", "given"]


@dataclass(frozen=True, repr=False)
class Level(Shown):
    """One partition of a hierarchy.

    Attributes
    ----------
    partition : Partition
        The modules.
    kind : str
        "components", exact or up to a leak; "dominators", modules that reach the outputs through one neuron; "up to
        layer", components below a depth; "resolution", a consensus of Leiden; "function", by effects of inputs on
        outputs; "given", by a caller.
    parameter : float
        The leak, the depth (of dominators or of layers) or the resolution; 0 where it is given.
    modularity : float
        At resolution 1.
    stability : float or None
        Mean pairwise adjusted mutual information of the runs behind a resolution level; None for the others, which are
        exact.

    Examples
    --------
    >>> pair = Partition((frozenset({("x", 0), ("y", 0)}), frozenset({("x", 1), ("y", 1)})))
    >>> Level(pair, "components", parameter=0.05, modularity=0.5).name
    'components up to a leak of 5%'
    """

    partition: Partition
    kind: Kind
    parameter: float
    modularity: float
    stability: float | None = None

    def _brief(self) -> str:
        return f"{self.name}: {len(self.partition.modules)} modules, modularity {self.modularity:.2g}"

    @property
    def name(self) -> str:
        """The level's kind and parameter, for tables."""
        if self.kind == "components":
            return f"components up to a leak of {self.parameter:.0%}" if self.parameter else "components"
        if self.kind == "dominators":
            return f"dominators of depth {self.parameter:g}"
        if self.kind == "function":
            return f"function up to a leak of {self.parameter:.0%}"
        if self.kind == "up to layer":
            return f"components up to layer {self.parameter:g}"
        return f"resolution {self.parameter:g}" if self.kind == "resolution" else self.partition.method


@dataclass(frozen=True, repr=False)
class Hierarchy(Shown):
    """Four chains of nested partitions of one graph; in each, every level refines the next.

    Attributes
    ----------
    resolutions : tuple of Level
        Consensus partitions by falling resolution.
    leaks : tuple of Level
        Components by falling leak, as far as they differ.
    dominator_modules : tuple of Level
        At a leak of 5 %, modules that reach the outputs through one neuron, with less and less depth, as far as they
        differ.
    up_to_layer : tuple of Level
        Components at a leak of 5 % with fewer and fewer layers taken away, as far as they differ.
    components : Level
        The coarsest level, in which all chains end (and which none of them repeats).
    inputs : frozenset of (str, int)
        The neurons of the graph's input group.
    readers : frozenset of (str, int)
        The neurons that read one of these.
    outputs : frozenset of (str, int)
        The neurons of the graph's output group.

    Examples
    --------
    >>> pair = Partition((frozenset({("x", 0), ("y", 0)}), frozenset({("x", 1), ("y", 1)})))
    >>> whole, (x, y) = Level(pair, "components", 0.0, modularity=0.5), (frozenset({(g, 0), (g, 1)}) for g in "xy")
    >>> Hierarchy((), (), (), (), whole, inputs=x, readers=y, outputs=y).through(whole)
    2
    """

    resolutions: tuple[Level, ...]
    leaks: tuple[Level, ...]
    dominator_modules: tuple[Level, ...]
    up_to_layer: tuple[Level, ...]
    components: Level
    inputs: frozenset[NodeId]
    readers: frozenset[NodeId]
    outputs: frozenset[NodeId]

    def _brief(self) -> str:
        sizes = [len(level.partition.modules) for level in self.levels]
        return f"{len(sizes)} levels, from {min(sizes)} to {max(sizes)} modules"

    def _repr_html_(self) -> str:
        table = self.to_frame()
        return to_cell(f"Hierarchy: {self._brief()}", columns=tuple(table), rows=table.to_numpy(dtype=object).tolist())

    def to_frame(self) -> "pd.DataFrame":
        """One row a level, in the order of ``levels``.

        Returns
        -------
        pandas.DataFrame
            ``level``, the number of ``modules``, ``modularity`` and ``stability``.
        """
        need("pandas", "to_frame()")
        import pandas as pd

        rows = [(one.name, len(one.partition.modules), one.modularity, one.stability) for one in self.levels]
        return pd.DataFrame(rows, columns=["level", "modules", "modularity", "stability"])

    @property
    def levels(self) -> tuple[Level, ...]:
        """Every level of all chains: resolutions, leaks, dominator modules, up to layer, components."""
        return (*self.resolutions, *self.leaks, *self.dominator_modules, *self.up_to_layer, self.components)

    def through(self, level: Level) -> int:
        """How many of a level's modules lead from an input to an output; without either, how many there are.

        Parameters
        ----------
        level : Level
            One of the hierarchy's.

        Returns
        -------
        int
            Modules of more than one neuron that hold an input and an output.
        """
        ends = [end for end in (self.inputs, self.outputs) if end]
        return sum(1 for module in level.partition.modules if len(module) > 1 and all(module & end for end in ends))


def hierarchy(
    graph: NeuronGraph,
    *,
    resolutions: Sequence[float] = RESOLUTIONS,
    leaks: Sequence[float] = LEAKS,
    runs: int = 10,
    seed: int = 0,
) -> Hierarchy:
    """All chains of a graph.

    From low to high resolution, each level is the `consensus` of ``runs`` runs of `leiden`, searched inside the modules
    of the level before, so that levels are nested by construction.

    Parameters
    ----------
    graph : NeuronGraph
        Weighted by "attribution", no level depends on how neurons are scaled; weighted by "activation", leaks and cuts
        do not. Several graphs of one network give several hierarchies to compare.
    resolutions : sequence of float, default `RESOLUTIONS`
        Of `modularity`.
    leaks : sequence of float, default `LEAKS`
        Of `connected_components`.
    runs : int, default 10
        Searches a resolution, each with its own seed spawned from ``seed``.
    seed : int, default 0
        Of all of it.

    Returns
    -------
    Hierarchy
        The chains.

    Raises
    ------
    InputError
        Fewer than two runs, or an impossible resolution or leak.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> graph = neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network)
    >>> levels = hierarchy(graph, runs=2, resolutions=(1.0,))
    >>> [level.name for level in levels.levels][-1]
    'components'
    """
    return with_resolutions(graph, exact_levels(graph, leaks=leaks), resolutions=resolutions, runs=runs, seed=seed)


def exact_levels(graph: NeuronGraph, *, leaks: Sequence[float] = LEAKS) -> Hierarchy:
    """The chains of a graph that need no search: all but the one by resolution, which is left empty.

    Parameters
    ----------
    graph : NeuronGraph
        The graph.
    leaks : sequence of float, default `LEAKS`
        Of `connected_components`.

    Returns
    -------
    Hierarchy
        The chains.
    """
    whole = _exact(graph, connected_components(graph), "components", 0.0)
    leaking = [whole]
    for leak in sorted(leaks):
        _append_new(leaking, _exact(graph, connected_components(graph, leak=leak), "components", leak))
    tight = _exact(graph, connected_components(graph, leak=TOLERABLE_LEAK), "components", TOLERABLE_LEAK)
    dominated, tree = [tight], DominatorTree.of(graph, TOLERABLE_LEAK)
    for depth in range(tree.depth + 1):
        _append_new(dominated, _exact(graph, tree.modules(depth), "dominators", float(depth)))
    up_to_layer = [tight]
    for depth in reversed(range(int(graph.depths.max(initial=0)))):
        cut = components_up_to_layer(graph, depth=depth, leak=TOLERABLE_LEAK)
        _append_new(up_to_layer, _exact(graph, cut, "up to layer", float(depth)))
    ends = (graph.inputs, graph.outputs)
    inputs, outputs = (frozenset(graph.nodes[n].key for n in graph.members(end)) for end in ends)
    leaked, narrowed, cuts = (tuple(reversed(part[1:])) for part in (leaking, dominated, up_to_layer))
    read = np.isin(graph.edges.source, graph.members(graph.inputs))
    readers = frozenset(graph.nodes[n].key for n in np.unique(graph.edges.target[read]))
    return Hierarchy((), leaked, narrowed, cuts, whole, inputs, readers, outputs)


def with_resolutions(
    graph: NeuronGraph, exact: Hierarchy, *, resolutions: Sequence[float], runs: int, seed: int
) -> Hierarchy:
    """A hierarchy with the chain by resolution, which is searched.

    Parameters
    ----------
    graph : NeuronGraph
        The graph.
    exact : Hierarchy
        What `exact_levels` gives of it.
    resolutions : sequence of float
        Of `modularity`.
    runs : int
        Searches a resolution.
    seed : int
        Of all of it.

    Returns
    -------
    Hierarchy
        All chains.
    """
    if runs < 2:
        raise InputError("too few runs to compare", where="runs", expected="2 or more", got=str(runs))
    chain, searches = [exact.components], Searches.of(graph, exact.components.partition)
    streams = np.random.SeedSequence(seed).spawn(len(resolutions))
    for resolution, stream in zip(sorted(resolutions), streams, strict=True):
        *seeds, last = (int(number) for number in stream.generate_state(runs + 1))
        outer = chain[-1].partition
        searches = searches.within(outer)
        found = leiden_runs(searches, resolution=resolution, seeds=seeds)
        agreed = _refined(consensus(found, seed=last), outer)
        chain.append(Level(agreed, "resolution", resolution, modularity(graph, agreed), stability(found)))
    return replace(exact, resolutions=tuple(reversed(chain[1:])))


def _exact(graph: NeuronGraph, partition: Partition, kind: Kind, parameter: float) -> Level:
    return Level(partition, kind, parameter, modularity(graph, partition))


def _append_new(levels: list[Level], level: Level) -> None:
    if not level.partition.same_modules(levels[-1].partition):
        levels.append(level)


def _refined(found: Partition, outer: Partition) -> Partition:
    """The parts of ``found`` inside each module of ``outer``: a consensus may join what no run joins."""
    if found.refines(outer):
        return found
    pieces = tuple(piece for a in found.modules for b in outer.modules if (piece := a & b))
    return Partition(pieces, found.unused, found.method, found.parameters, found.seed, found.versions, found.quality)
