"""All levels at which a network can be cut into modules, and the choice of one without looking at the truth."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

import numpy as np

from bimt_train import InputError

from ..graph import NeuronGraph
from ._components import connected_components, peeled_components
from ._consensus import consensus
from ._leiden import leiden
from ._partition import Partition
from ._stability import stability

RESOLUTIONS = (0.25, 0.35, 0.5, 0.71, 1.0, 1.41, 2.0, 2.83, 4.0)
"""Half-octaves about the usual 1."""


@dataclass(frozen=True)
class Level:
    """One partition of a hierarchy.

    Attributes:
        partition: the modules.
        kind: "components" of the whole graph; "peeled", components below a depth; "resolution", a consensus of Leiden.
        parameter: the depth or the resolution; 0 for components.
        stability: mean pairwise adjusted mutual information of the runs behind a resolution level; None for the
            others, which are exact.
    """

    partition: Partition
    kind: Literal["components", "peeled", "resolution"]
    parameter: float
    stability: float | None = None

    @property
    def name(self) -> str:
        """Its kind and parameter, for tables."""
        words = {"components": "components", "peeled": f"components up to layer {self.parameter:g}"}
        return words.get(self.kind, f"resolution {self.parameter:g}")


@dataclass(frozen=True)
class Hierarchy:
    """Two chains of nested partitions, each from the finest to the coarsest, both ending in the connected components.

    Attributes:
        levels: consensus partitions by falling resolution, then the components; each refines the next.
        peeled: components with more and more layers (`peeled_components`), as far as they differ; each refines the
            next.
        graph_inputs: the neurons of the graph's input group, by which a cut is judged.
    """

    levels: tuple[Level, ...]
    peeled: tuple[Level, ...]
    graph_inputs: frozenset[tuple[str, int]]

    @property
    def components(self) -> Level:
        """The coarsest level."""
        return self.levels[-1]

    @property
    def all_levels(self) -> tuple[Level, ...]:
        """Every level of both chains, the components once."""
        return (*self.levels[:-1], *self.peeled)


class Choice(NamedTuple):
    """A level, and the rule by which it was chosen."""

    level: Level
    reason: str


def hierarchy(
    graph: NeuronGraph, *, resolutions: Sequence[float] = RESOLUTIONS, runs: int = 10, seed: int = 0
) -> Hierarchy:
    """Both chains of a graph.

    From low to high resolution, each level is the `consensus` of ``runs`` runs of `leiden`, searched inside the
    modules of the level before, so that levels are nested by construction.

    Args:
        graph: any edge weights; several graphs of one network give several hierarchies to compare.
        resolutions: of `modularity`.
        runs: searches a resolution, each with its own seed spawned from ``seed``.
        seed: of all of it.

    Raises:
        InputError: fewer than two runs, or no resolutions.
    """
    if runs < 2 or not resolutions:
        expected, got = "2 or more runs, 1 or more resolutions", f"{runs} runs, {len(resolutions)} resolutions"
        raise InputError("too little to search with", expected=expected, got=got)
    whole = Level(connected_components(graph), "components", 0.0)
    chain, streams = [whole], np.random.SeedSequence(seed).spawn(len(resolutions))
    for resolution, stream in zip(sorted(resolutions), streams, strict=True):
        *seeds, last = (int(number) for number in stream.generate_state(runs + 1))
        outer = chain[-1].partition
        found = [leiden(graph, resolution=resolution, seed=one, inside=outer) for one in seeds]
        chain.append(Level(_refined(consensus(found, seed=last), outer), "resolution", resolution, stability(found)))
    peeled = [whole]
    for depth in reversed(range(int(graph.depths.max(initial=0)))):
        cut = Level(peeled_components(graph, depth=depth), "peeled", float(depth))
        if not cut.partition.same_modules(peeled[-1].partition):
            peeled.append(cut)
    inputs = frozenset(node.key for node in graph.nodes if node.group == graph.inputs)
    return Hierarchy(tuple(reversed(chain)), tuple(reversed(peeled)), inputs)


def choose_level(found: Hierarchy) -> Choice:
    """The level to report, by rules that see the graph alone.

    1. More than one component: the components. They need no method and no resolution.
    2. Else the highest cut between layers below which the inputs fall apart, with at least one layer above the inputs
       left: a network whose last layers combine separate parts.
    3. Else, among resolutions that split the network, the most stable one (to two decimals); of equally stable ones,
       the partition that stays the same over most neighbouring resolutions, then the coarsest.
    4. Else the one component there is.

    Rules 2 and 3 find something in most networks, sparse random ones too: read the result beside a significance test.
    """
    whole = found.components
    if len(whole.partition.modules) > 1:
        return Choice(whole, f"the network falls into {len(whole.partition.modules)} components")
    for level in reversed(found.peeled[:-1]):
        apart = sum(1 for module in level.partition.modules if module & found.graph_inputs)
        if level.parameter >= 1 and apart > 1:
            return Choice(level, f"up to layer {level.parameter:g} the inputs fall into {apart} separate parts")
    split = [level for level in reversed(found.levels) if len(level.partition.modules) > 1]
    if not split:
        return Choice(whole, "one component, which no resolution splits")
    runs = _plateaus(split)
    best = max(range(len(split)), key=lambda n: (round(split[n].stability or 0.0, 2), runs[n], -n))
    said = f"stability {split[best].stability:.2f}, the same modules at {runs[best]} of {len(split)} resolutions"
    return Choice(split[best], f"one component; the most stable resolution: {said}")


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
