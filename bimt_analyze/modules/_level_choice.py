"""The choice of one level of a hierarchy, without looking at the truth."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from bimt_train.showing import one_line

from ..graph import NeuronGraph, NodeId
from ._hierarchy import LEAKS, RESOLUTIONS, TOLERABLE_LEAK, Hierarchy, Level, exact_levels, with_resolutions
from ._partition import Partition

NOTEWORTHY = 0.3
"""The modularity below which a split is not worth reporting: a rule of thumb of Newman and Girvan."""


DOMINATED = 0.9
"""The share of inner neurons that must have a head, or be one, before dominator modules are chosen."""


class Choice(NamedTuple):
    """A level, and the rule by which it was chosen.

    Attributes
    ----------
    level : Level
        The level.
    reason : str
        The rule, in words.

    Examples
    --------
    >>> pair = Partition((frozenset({("x", 0), ("y", 0)}), frozenset({("x", 1), ("y", 1)})))
    >>> len(Choice(Level(pair, "given", 0.0, modularity=0.5), "as given").partition.modules)
    2
    """

    level: Level
    reason: str

    def __repr__(self) -> str:
        return one_line(self, f"{self.level.name}: {self.reason}")

    @property
    def partition(self) -> Partition:
        """The level's modules."""
        return self.level.partition


def choose_level(found: Hierarchy) -> Choice:
    """The level to report, by rules that see the graph alone.

    Parameters
    ----------
    found : Hierarchy
        All levels.

    Returns
    -------
    Choice
        One of them, and the rule.

    Notes
    -----
    1. The components, where more than one of them leads from an input to an output (in a graph without either, where
       there is more than one). They need no method.
    2. Else the components up to the smallest leak, of at most 5 %, at which more than one leads from an input to an
       output: parts that a few stray weights join.
    3. Else the finest dominator modules, where at least 90 % of the neurons between inputs and outputs have heads, and
       more than one module that reads inputs has two such neurons or more, in one of them two of one layer, and no
       module is a single neuron: functions of functions.
    4. Else the highest cut between layers, with at least one layer above the inputs left below it, below which the
       inputs fall apart: separate parts that the last layers combine.
    5. Else, among resolutions that split the network with a modularity of at least 0.3, the most stable one (to two
       decimals); of equally stable ones, the partition that stays the same over most neighbouring resolutions, then the
       coarsest.
    6. Else the components as they are.

    Rules 3 to 5 find something in many networks, sparse random ones too: read the result beside a significance test.

    Examples
    --------
    >>> from bimt_analyze.modules import hierarchy
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> graph = neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network)
    >>> choose_level(hierarchy(graph, runs=2, resolutions=(1.0,))).reason
    'the network falls into 2 components from inputs to outputs'
    """
    return _exact_choice(found) or _searched_choice(found)


def chosen_level(
    graph: NeuronGraph,
    *,
    resolutions: Sequence[float] = RESOLUTIONS,
    leaks: Sequence[float] = LEAKS,
    runs: int = 10,
    seed: int = 0,
) -> Choice:
    """The level of a graph that `choose_level` chooses of its `hierarchy`, which is searched only where that decides.

    Parameters
    ----------
    graph : NeuronGraph
        The graph.
    resolutions : sequence of float, default `RESOLUTIONS`
        Of `modularity`.
    leaks : sequence of float, default `LEAKS`
        Of `connected_components`.
    runs : int, default 10
        Searches a resolution.
    seed : int, default 0
        Of all searches.

    Returns
    -------
    Choice
        The level, and the rule.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> graph = neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network)
    >>> chosen_level(graph).reason
    'the network falls into 2 components from inputs to outputs'
    """
    exact = exact_levels(graph, leaks=leaks)
    if choice := _exact_choice(exact):
        return choice
    return _searched_choice(with_resolutions(graph, exact, resolutions=resolutions, runs=runs, seed=seed))


def _exact_choice(found: Hierarchy) -> Choice | None:
    """By rules 1 to 4, which ask for no resolution."""
    whole = found.components
    for level in (whole, *reversed(found.leaks)):
        through = found.through(level)
        if through > 1 and level.parameter <= TOLERABLE_LEAK:
            where = f" up to a leak of {level.parameter:.0%}" if level.parameter else ""
            led = " from inputs to outputs" if found.inputs and found.outputs else ""
            return Choice(level, f"the network falls into {through} components{led}{where}")
    for level in found.dominator_modules[:1]:
        ends = found.inputs | found.outputs
        parts = [m - ends for m in level.partition.modules if m & found.readers and len(m - ends) > 1]
        share = level.partition.quality or 0.0
        wide = max(map(_abreast, parts), default=0) > 1
        if len(parts) > 1 and wide and share >= DOMINATED and min(map(len, level.partition.modules)) > 1:
            said = f"{share:.0%} of its inner neurons speak through one neuron of their module each"
            return Choice(level, f"one component; {said}")
    for level in reversed(found.up_to_layer):
        apart = sum(1 for module in level.partition.modules if module & found.inputs)
        if level.parameter >= 1 and apart > 1:
            where = f"up to layer {level.parameter:g} and a leak of {TOLERABLE_LEAK:.0%}"
            return Choice(level, f"{where}, the inputs fall into {apart} separate parts")
    return None


def _searched_choice(found: Hierarchy) -> Choice:
    """By rules 5 and 6."""
    whole = found.components
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


def _plateaus(levels: Sequence[Level]) -> list[int]:
    """For each level, how many neighbours in a row, itself included, have its modules."""
    starts = [0, *(n + 1 for n, (a, b) in enumerate(pairwise(levels)) if not a.partition.same_modules(b.partition))]
    ends = [*starts[1:], len(levels)]
    return [end - start for start, end in zip(starts, ends, strict=True) for _ in range(end - start)]
