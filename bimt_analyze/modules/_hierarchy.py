"""All levels at which a network can be cut into modules, and the choice of one without looking at the truth."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from bimt_train import InputError

from ..graph import NeuronGraph, NodeId
from ._components import connected_components, peeled_components
from ._consensus import consensus
from ._dominator_modules import funnels
from ._leiden import leiden
from ._partition import Partition
from ._quality import modularity
from ._stability import stability

LEAKS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of its input that a neuron may read from outside its module."""

RESOLUTIONS = (0.25, 0.35, 0.5, 0.71, 1.0, 1.41, 2.0, 2.83, 4.0)
"""Half-octaves about the usual 1."""

TOLERABLE_LEAK = 0.05
"""The greatest leak at which parts still count as separate."""

NOTEWORTHY = 0.3
"""The modularity below which a split is not worth reporting: a rule of thumb of Newman and Girvan."""


FUNNELLED = 0.9
"""The share of inner neurons that must speak through a head before funnels are chosen."""

Kind = Literal["components", "funnels", "peeled", "resolution", "function", "given"]


@dataclass(frozen=True)
class Level:
    """One partition of a hierarchy.

    Attributes:
        partition: the modules.
        kind: "components", exact or up to a leak; "funnels", parts that speak through one neuron; "peeled", components
            below a depth; "resolution", a consensus of Leiden; "function", by effects of inputs on outputs; "given",
            by a caller.
        parameter: the leak, the depth (of funnels or of layers) or the resolution; 0 where it is given.
        modularity: at resolution 1.
        stability: mean pairwise adjusted mutual information of the runs behind a resolution level; None for the others,
            which are exact.
    """

    partition: Partition
    kind: Kind
    parameter: float
    modularity: float
    stability: float | None = None

    @property
    def name(self) -> str:
        """Its kind and parameter, for tables."""
        if self.kind == "components":
            return f"components up to a leak of {self.parameter:.0%}" if self.parameter else "components"
        if self.kind == "funnels":
            return f"funnels of depth {self.parameter:g}"
        if self.kind == "function":
            return f"function up to a leak of {self.parameter:.0%}"
        if self.kind == "peeled":
            return f"components up to layer {self.parameter:g}"
        return f"resolution {self.parameter:g}" if self.kind == "resolution" else self.partition.method


@dataclass(frozen=True)
class Hierarchy:
    """Four chains of nested partitions of one graph; in each, every level refines the next.

    Attributes:
        resolutions: consensus partitions by falling resolution.
        leaks: components by falling leak, as far as they differ.
        funnels: at a leak of 5 %, parts that speak through one neuron, with less and less depth, as far as they differ.
        peeled: components at a leak of 5 % with fewer and fewer layers taken away, as far as they differ.
        components: the coarsest level, in which all chains end (and which none of them repeats).
        inputs: the neurons of the graph's input group.
        reading: the neurons that read one of these.
        outputs: the neurons of its output group.
    """

    resolutions: tuple[Level, ...]
    leaks: tuple[Level, ...]
    funnels: tuple[Level, ...]
    peeled: tuple[Level, ...]
    components: Level
    inputs: frozenset[NodeId]
    reading: frozenset[NodeId]
    outputs: frozenset[NodeId]

    @property
    def levels(self) -> tuple[Level, ...]:
        """Every level of all chains: resolutions, leaks, funnels, peeled, components."""
        return (*self.resolutions, *self.leaks, *self.funnels, *self.peeled, self.components)

    def through(self, level: Level) -> int:
        """How many of a level's modules lead from an input to an output; without either, how many there are."""
        ends = [end for end in (self.inputs, self.outputs) if end]
        return sum(1 for module in level.partition.modules if len(module) > 1 and all(module & end for end in ends))


class Choice(NamedTuple):
    """A level, and the rule by which it was chosen."""

    level: Level
    reason: str

    @property
    def partition(self) -> Partition:
        """The level's modules."""
        return self.level.partition


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

    Args:
        graph: weighed by "attribution", no level depends on how neurons are scaled; weighed by "activation", leaks and
            cuts do not. Several graphs of one network give several hierarchies to compare.
        resolutions: of `modularity`.
        leaks: of `connected_components`.
        runs: searches a resolution, each with its own seed spawned from ``seed``.
        seed: of all of it.

    Raises:
        InputError: fewer than two runs, or an impossible resolution or leak.
    """
    if runs < 2:
        raise InputError("too few runs to compare", where="runs", expected="2 or more", got=str(runs))
    whole = _exact(graph, connected_components(graph), "components", 0.0)
    chain, streams = [whole], np.random.SeedSequence(seed).spawn(len(resolutions))
    for resolution, stream in zip(sorted(resolutions), streams, strict=True):
        *seeds, last = (int(number) for number in stream.generate_state(runs + 1))
        outer = chain[-1].partition
        found = [leiden(graph, resolution=resolution, seed=one, inside=outer) for one in seeds]
        agreed = _refined(consensus(found, seed=last), outer)
        chain.append(Level(agreed, "resolution", resolution, modularity(graph, agreed), stability(found)))
    leaking = [whole]
    for leak in sorted(leaks):
        _append_new(leaking, _exact(graph, connected_components(graph, leak=leak), "components", leak))
    tight = _exact(graph, connected_components(graph, leak=TOLERABLE_LEAK), "components", TOLERABLE_LEAK)
    funnelled, finest = [tight], funnels(graph, leak=TOLERABLE_LEAK)
    for depth in range(len(graph.nodes)):
        cut = funnels(graph, depth=depth, leak=TOLERABLE_LEAK)
        _append_new(funnelled, _exact(graph, cut, "funnels", float(depth)))
        if cut.same_modules(finest):
            break
    peeled = [tight]
    for depth in reversed(range(int(graph.depths.max(initial=0)))):
        cut = peeled_components(graph, depth=depth, leak=TOLERABLE_LEAK)
        _append_new(peeled, _exact(graph, cut, "peeled", float(depth)))
    inputs, outputs = (frozenset(n.key for n in graph.nodes if n.group == g) for g in (graph.inputs, graph.outputs))
    parts = (chain, leaking, funnelled, peeled)
    resolved, leaked, narrowed, cuts = (tuple(reversed(part[1:])) for part in parts)
    read = np.isin(graph.edges.source, graph.members(graph.inputs))
    reading = frozenset(graph.nodes[n].key for n in np.unique(graph.edges.target[read]))
    return Hierarchy(resolved, leaked, narrowed, cuts, whole, inputs, reading, outputs)


def choose_level(found: Hierarchy) -> Choice:
    """The level to report, by rules that see the graph alone.

    1. The components, where more than one of them leads from an input to an output (in a graph without either, where
       there is more than one). They need no method.
    2. Else the components up to the smallest leak, of at most 5 %, at which more than one leads from an input to an
       output: parts that a few stray weights join.
    3. Else the finest funnels, where at least 90 % of the neurons between inputs and outputs speak through heads, and
       more than one module that reads inputs has two such neurons or more, in one of them two of one layer, and no
       module is a single neuron: functions of functions.
    4. Else the highest cut between layers, with at least one layer above the inputs left below it, below which the
       inputs fall apart: separate parts that the last layers combine.
    5. Else, among resolutions that split the network with a modularity of at least 0.3, the most stable one (to two
       decimals); of equally stable ones, the partition that stays the same over most neighbouring resolutions, then the
       coarsest.
    6. Else the components as they are.

    Rules 3 to 5 find something in many networks, sparse random ones too: read the result beside a significance test.
    """
    whole = found.components
    for level in (whole, *reversed(found.leaks)):
        through = found.through(level)
        if through > 1 and level.parameter <= TOLERABLE_LEAK:
            where = f" up to a leak of {level.parameter:.0%}" if level.parameter else ""
            led = " from inputs to outputs" if found.inputs and found.outputs else ""
            return Choice(level, f"the network falls into {through} components{led}{where}")
    for level in found.funnels[:1]:
        ends = found.inputs | found.outputs
        parts = [m - ends for m in level.partition.modules if m & found.reading and len(m - ends) > 1]
        share = level.partition.quality or 0.0
        wide = max(map(_abreast, parts), default=0) > 1
        if len(parts) > 1 and wide and share >= FUNNELLED and min(map(len, level.partition.modules)) > 1:
            said = f"{share:.0%} of its inner neurons speak through one neuron of their module each"
            return Choice(level, f"one component; {said}")
    for level in reversed(found.peeled):
        apart = sum(1 for module in level.partition.modules if module & found.inputs)
        if level.parameter >= 1 and apart > 1:
            where = f"up to layer {level.parameter:g} and a leak of {TOLERABLE_LEAK:.0%}"
            return Choice(level, f"{where}, the inputs fall into {apart} separate parts")
    split = [n for n in reversed(found.resolutions) if len(n.partition.modules) > len(whole.partition.modules)]
    runs = _plateaus(split)
    worth = [n for n, level in enumerate(split) if level.modularity >= NOTEWORTHY]
    if not worth:
        return Choice(whole, f"no split has a modularity of {NOTEWORTHY:g}")
    best = max(worth, key=lambda n: (round(split[n].stability or 0.0, 2), runs[n], -n))
    said = f"stability {split[best].stability:.2f}, the same modules at {runs[best]} of {len(split)} resolutions"
    return Choice(split[best], f"one component; the most stable resolution: {said}")


def _abreast(neurons: Iterable[NodeId]) -> int:
    """The most neurons of one layer: one throughout is a chain, which computes nothing that its first does not."""
    return max(Counter(group for group, _ in neurons).values(), default=0)


def _exact(graph: NeuronGraph, partition: Partition, kind: Kind, parameter: float) -> Level:
    return Level(partition, kind, parameter, modularity(graph, partition))


def _append_new(levels: list[Level], level: Level) -> None:
    if not level.partition.same_modules(levels[-1].partition):
        levels.append(level)


def _plateaus(levels: Sequence[Level]) -> list[int]:
    """For each level, how many neighbours in a row, itself included, have its modules."""
    starts = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(levels)) if not a.partition.same_modules(b.partition))]
    ends = [*starts[1:], len(levels)]
    return [end - start for start, end in zip(starts, ends, strict=True) for _ in range(end - start)]


def _refined(found: Partition, outer: Partition) -> Partition:
    """The parts of ``found`` inside each module of ``outer``: a consensus may join what no run joins."""
    if found.refines(outer):
        return found
    pieces = tuple(piece for a in found.modules for b in outer.modules if (piece := a & b))
    return Partition(pieces, found.unused, found.method, found.parameters, found.seed, found.versions, found.quality)
