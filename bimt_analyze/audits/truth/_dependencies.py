"""Which inputs reach which outputs, against which are known to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool
from scipy.sparse import csr_matrix

from bimt_train.expressions import Decomposition
from bimt_train.showing import Shown

from ...graph import NeuronGraph

Pair = tuple[str, str]


@dataclass(frozen=True, repr=False)
class DependencyScore(Shown):
    """Pairs (output, input) that a path joins, against pairs that are known to depend.

    With R the pairs joined and K the pairs known: precision = |R and K| / |R|, recall = |R and K| / |K|, f1 = 2 |R and
    K| / (|R| + |K|), which is their harmonic mean. Where a denominator is 0, precision and recall are None and f1 is 1.

    Attributes
    ----------
    precision : float or None
        Share of the joined pairs that are known.
    recall : float or None
        Share of the known pairs that are joined.
    f1 : float
        Harmonic mean of precision and recall.
    spurious : tuple of Pair
        Pairs that are joined, but not known.
    missing : tuple of Pair
        Pairs that are known, but not joined.

    Examples
    --------
    >>> from bimt_analyze.audits import DependencyScore
    >>> score = DependencyScore(precision=0.5, recall=1.0, f1=2 / 3, spurious=(("y1", "x2"),), missing=())
    >>> score.to_json()["spurious"]
    [['y1', 'x2']]
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


def dependency_score(
    graph: NeuronGraph, decomposition: Decomposition, *, columns: Sequence[int] = ()
) -> DependencyScore:
    """Score reachability along the graph's edges, in their direction, against `Decomposition.dependencies`.

    Parameters
    ----------
    graph : NeuronGraph
        Graph of the network. Every edge counts, however weak: prune first.
    decomposition : Decomposition
        The task's decomposition, which says what depends on what.
    columns : sequence of int
        The input neuron of each of the task's inputs, `Layout.input_neurons`. Left out, the inputs run over the neurons
        in their order, once a step.

    Returns
    -------
    DependencyScore
        Precision, recall and f1, and the pairs that are wrong.

    Notes
    -----
    A path need not mean that the output really varies with the input; the cross-gradient `leak` asks that.

    Examples
    --------
    >>> from bimt_analyze.audits import dependency_score
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import absolute_sums
    >>> from bimt_train.expressions import Decomposition
    >>> known = Decomposition(("x1", "x2"), ("y1", "y2"), (("y1", "abs(x1)"), ("y2", "abs(x2)")))
    >>> graph = neuron_graph(absolute_sums(outputs=2, terms=1, variables=1, seed=1).network)
    >>> found = dependency_score(graph, known)
    >>> found.f1, found.spurious, found.missing
    (1.0, (), ())
    """
    known = known_dependencies(decomposition)
    reached = reachable_columns(graph, decomposition, columns)[graph.members(graph.outputs)]
    both = int((reached & known).sum())
    joined, stated = int(reached.sum()), int(known.sum())

    def named(pairs: Bool[np.ndarray, "outputs inputs"]) -> tuple[Pair, ...]:
        return tuple((decomposition.outputs[k], decomposition.inputs[j]) for k, j in np.argwhere(pairs).tolist())

    return DependencyScore(
        precision=both / joined if joined else None,
        recall=both / stated if stated else None,
        f1=2 * both / (joined + stated) if joined + stated else 1.0,
        spurious=named(reached & ~known),
        missing=named(known & ~reached),
    )


def reachable_columns(
    graph: NeuronGraph, decomposition: Decomposition, columns: Sequence[int] = ()
) -> Bool[np.ndarray, "nodes columns"]:
    """For each node, the inputs of the task from which a path leads to it.

    As `reachable_inputs`, but for the task's inputs: those of a sequence run over the input neurons once a step.

    Parameters
    ----------
    graph : NeuronGraph
        Graph of the network.
    decomposition : Decomposition
        The task's decomposition, which names the inputs.
    columns : sequence of int
        The input neuron of each of them, -1 for none; left out, in their order, once a step.

    Returns
    -------
    array of bool, shape (nodes, columns)
        One row a node, one column an input of the task.
    """
    reached = reachable_inputs(graph)
    count, width = len(decomposition.inputs), reached.shape[1]
    neurons = np.asarray(columns if len(columns) == count else np.arange(count) % width, dtype=np.int64)
    return np.where(neurons >= 0, reached[:, neurons], False)


def reachable_inputs(graph: NeuronGraph) -> Bool[np.ndarray, "nodes inputs"]:
    """For each node, the input neurons from which a path leads to it; an input reaches itself.

    Parameters
    ----------
    graph : NeuronGraph
        Graph of the network.

    Returns
    -------
    array of bool, shape (nodes, inputs)
        One row a node, one column an input neuron.

    Examples
    --------
    >>> from bimt_analyze.audits.truth._dependencies import reachable_inputs
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> graph = neuron_graph(block_network(seed=1).network)
    >>> reachable_inputs(graph)[graph.members("y")].sum(axis=1)
    array([2, 2, 2])
    """
    inputs = graph.members(graph.inputs)
    reached = np.zeros((len(graph.nodes), len(inputs)), dtype=bool)
    reached[inputs, np.arange(len(inputs))] = True
    ends = graph.edges.target, graph.edges.source
    joined = csr_matrix((np.ones(len(ends[0]), dtype=np.float32), ends), shape=(len(graph.nodes),) * 2)
    while True:
        grown = reached | (joined @ reached.astype(np.float32) > 0)
        if (grown == reached).all():
            return reached
        reached = grown


def known_dependencies(decomposition: Decomposition) -> Bool[np.ndarray, "outputs inputs"]:
    """Which inputs each output is known to depend on.

    Parameters
    ----------
    decomposition : Decomposition
        The task's decomposition.

    Returns
    -------
    array of bool, shape (outputs, inputs)
        One row an output, one column an input.
    """
    needed = decomposition.dependencies()
    return np.array(
        [[name in needed[output] for name in decomposition.inputs] for output in decomposition.outputs], dtype=bool
    )
