"""Which inputs reach which outputs, against which are known to."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from bimt_train.expressions import KnownParts

from ...graph import NeuronGraph

Pair = tuple[str, str]


@dataclass(frozen=True)
class DependencyScore:
    """Pairs (output, input) that a path joins, against pairs that are known to depend.

    With R the pairs joined and K the pairs known: precision = |R and K| / |R|, recall = |R and K| / |K|,
    f1 = 2 |R and K| / (|R| + |K|), which is their harmonic mean. Where a denominator is 0, precision and recall are
    None and f1 is 1.

    Attributes:
        precision: share of the joined pairs that are known.
        recall: share of the known pairs that are joined.
        f1: both in one number.
        spurious: joined, but not known.
        missing: known, but not joined.
    """

    precision: float | None
    recall: float | None
    f1: float
    spurious: tuple[Pair, ...]
    missing: tuple[Pair, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            **{name: getattr(self, name) for name in ("precision", "recall", "f1")},
            "spurious": [list(pair) for pair in self.spurious],
            "missing": [list(pair) for pair in self.missing],
        }


def dependency_score(graph: NeuronGraph, parts: KnownParts) -> DependencyScore:
    """Reachability along the graph's edges, in their direction, against `KnownParts.dependencies`.

    Every edge counts, however weak: prune first. A path need not mean that the output really varies with the input;
    the cross-gradient `leak` asks that.
    """
    known = known_dependencies(parts)
    reached = reachable_columns(graph, parts)[graph.members(graph.outputs)]
    both = int((reached & known).sum())
    joined, stated = int(reached.sum()), int(known.sum())

    def named(pairs: Bool[np.ndarray, "outputs inputs"]) -> tuple[Pair, ...]:
        return tuple((parts.outputs[k], parts.inputs[j]) for k, j in np.argwhere(pairs).tolist())

    return DependencyScore(
        precision=both / joined if joined else None,
        recall=both / stated if stated else None,
        f1=2 * both / (joined + stated) if joined + stated else 1.0,
        spurious=named(reached & ~known),
        missing=named(known & ~reached),
    )


def reachable_columns(graph: NeuronGraph, parts: KnownParts) -> Bool[np.ndarray, "nodes columns"]:
    """`reachable_inputs` for the task's inputs: those of a sequence run over the input neurons once a step."""
    reached = reachable_inputs(graph)
    return np.tile(reached, len(parts.inputs) // reached.shape[1])


def reachable_inputs(graph: NeuronGraph) -> Bool[np.ndarray, "nodes inputs"]:
    """For each node, the inputs from which a path leads to it; an input reaches itself."""
    inputs = graph.members(graph.inputs)
    reached = np.zeros((len(graph.nodes), len(inputs)), dtype=bool)
    reached[inputs, np.arange(len(inputs))] = True
    while True:
        grown = reached.copy()
        np.logical_or.at(grown, graph.edges.target, reached[graph.edges.source])
        if (grown == reached).all():
            return reached
        reached = grown


def known_dependencies(parts: KnownParts) -> Bool[np.ndarray, "outputs inputs"]:
    """Which inputs each output is known to depend on."""
    needed = parts.dependencies()
    return np.array([[name in needed[output] for name in parts.inputs] for output in parts.outputs], dtype=bool)
