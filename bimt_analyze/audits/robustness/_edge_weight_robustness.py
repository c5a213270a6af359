"""Modules under several edge weights: what does not depend on the edge weight can be trusted more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Num

from bimt_train.checkpoints import Network
from bimt_train.fan_out import fan_out
from bimt_train.showing import Shown

from ...graph import EDGE_WEIGHTS, neuron_graph, with_ends
from ...modules import Partition, adjusted_mutual_information
from ...modules._hierarchy import Level
from ...modules._level_choice import chosen_level
from ...options._analysis_options import AnalysisOptions
from ..chance._significance import Significance, significance
from ..truth._matching import labels_apart


@dataclass(frozen=True, eq=False, repr=False)
class EdgeWeightResult(Shown):
    """The level and significance that one kind of edge weight leads to.

    Attributes
    ----------
    weights : str
        Name of the edge weight in `bimt_analyze.graph.EDGE_WEIGHTS`.
    level : Level
        The chosen level.
    modules : int
        Number of modules at this level.
    ami : float
        Adjusted mutual information of its modules and those that are audited; 1 is equal.
    significance : Significance
        Significance of specialisation against networks wired anew with the same degrees and weights.

    Examples
    --------
    >>> from bimt_analyze.audits.robustness._edge_weight_robustness import edge_weight_robustness
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 2, 1)] * 2, seed=1)
    >>> few = AnalysisOptions(samples=2)
    >>> (one,) = edge_weight_robustness(
    ...     planted.network, planted.x, planted.partition, weights=["magnitude"], options=few
    ... )
    >>> one.weights, one.modules, one.ami
    ('magnitude', 2, 1.0)
    """

    weights: str
    level: Level
    modules: int
    ami: float
    significance: Significance

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "weights": self.weights, "level": self.level.name, "modules": self.modules, "ami": self.ami,
            "p": self.significance.p,
        }  # fmt: skip


def edge_weight_robustness(
    network: Network,
    x: Num[np.ndarray, "rows ..."],
    partition: Partition,
    *,
    weights: Sequence[str] | None = None,
    known: Mapping[str, tuple[Level, Significance]] | None = None,
    options: AnalysisOptions | None = None,
    processes: int | None = 1,
) -> tuple[EdgeWeightResult, ...]:
    """Choose the level, and test it, under each of the edge weights.

    Parameters
    ----------
    network : Network
        The network, usually a circuit.
    x : array of numbers, shape (rows, ...)
        Input rows as the network sees them.
    partition : Partition
        The audited modules, to compare with.
    weights : sequence of str, optional
        Names of the edge weights to try.
    known : mapping of str to (Level, Significance), optional
        Edge weight -> level and significance that are found already, with the same samples and seed.
    options : AnalysisOptions, optional
        How many networks are drawn from the null model, how Leiden searches, and the seed; the defaults if left out.
    processes : int or None, default 1
        Edge weights that are looked at side by side, a process each; None for one a core.

    Returns
    -------
    tuple of EdgeWeightResult
        One result an edge weight, in the order of ``weights``.

    Notes
    -----
    Magnitudes depend on how neurons happen to be scaled, activations half, attributions not at all: where they
    disagree, attribution is nearest to what the network computes.

    Examples
    --------
    >>> from bimt_analyze.audits.robustness._edge_weight_robustness import edge_weight_robustness
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 2, 1)] * 2, seed=1)
    >>> few = AnalysisOptions(samples=5)
    >>> found = edge_weight_robustness(planted.network, planted.x, planted.partition, options=few)
    >>> [(one.weights, one.ami) for one in found]
    [('magnitude', 1.0), ('activation', 1.0), ('attribution', 1.0)]
    """
    given, tokens = known or {}, not network.layout.ends_are_neurons
    usual = tuple(entry.name for entry in EDGE_WEIGHTS.entries() if not (tokens and entry.needs_gradients))
    chosen = {EDGE_WEIGHTS[which].name: which for which in (usual if weights is None else weights)}
    left = [name for name in chosen if name not in given]
    look = partial(_found, network, x, options or AnalysisOptions())
    found = dict(zip(left, fan_out(look, [chosen[name] for name in left], processes=processes), strict=True))
    told = [(name, *(given.get(name) or found[name])) for name in chosen]
    return tuple(
        EdgeWeightResult(name, level, len(level.partition.modules), partition_ami(partition, level.partition), tested)
        for name, level, tested in told
    )


def _found(
    network: Network,
    x: Num[np.ndarray, "rows ..."],
    options: AnalysisOptions,
    weights: str,
) -> tuple[Level, Significance]:
    """The level and the significance under one edge weight."""
    graph = neuron_graph(network, weights=weights, x=x)
    level = chosen_level(graph, resolutions=options.resolutions, runs=options.leiden_runs, seed=options.seed).level
    return level, significance(with_ends(graph, network.layout), samples=options.samples, seed=options.seed)


def partition_ami(one: Partition, other: Partition) -> float:
    """Adjusted mutual information of two partitions, over the neurons that both have.

    Parameters
    ----------
    one : Partition
        A partition.
    other : Partition
        Another partition, of some of the same neurons.

    Returns
    -------
    float
        1 for equal partitions, about 0 for chance. Unused neurons count as modules of their own.

    Examples
    --------
    >>> from bimt_analyze.audits.robustness._edge_weight_robustness import partition_ami
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(seed=1).partition
    >>> partition_ami(planted, planted)
    1.0
    """
    nodes = sorted(one.nodes & other.nodes)
    return adjusted_mutual_information(labels_apart(one, nodes), labels_apart(other, nodes))
