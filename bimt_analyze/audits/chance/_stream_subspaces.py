"""Whether a residual stream falls into subspaces: what a transformer has for modules where weights show none."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ...graph import NeuronGraph
from ...modules import choose_level, hierarchy
from ...modules._hierarchy import Level
from ...modules._leiden import best_modularity
from ...transformers import subspace_graph
from ...transformers._subspace_graph import stream_units, together
from ._degree_preserving import degree_preserving
from ._significance import Significance

NULL_MODEL = "units touch as many positions, and positions are touched as often"


@dataclass(frozen=True, eq=False, repr=False)
class Subspaces(Shown):
    """Positions of the stream that are written and read together.

    Attributes
    ----------
    graph : NeuronGraph
        Of the positions (`subspace_graph`).
    level : Level
        The chosen level of its hierarchy; its modules are the subspaces.
    significance : Significance
        Of its greatest modularity.

    Examples
    --------
    >>> from bimt_analyze.audits import Significance
    >>> from bimt_analyze.audits.chance._stream_subspaces import Subspaces
    >>> from bimt_analyze.modules import connected_components
    >>> from bimt_analyze.modules._hierarchy import Level
    >>> from bimt_analyze.synthetic import compiled_program
    >>> from bimt_analyze.transformers import subspace_graph
    >>> graph = subspace_graph(compiled_program(program="reverse", seed=1).network)
    >>> level = Level(connected_components(graph), "components", 0.0, modularity=0.5)
    >>> tested = Significance.of(
    ...     0.5, np.array([0.25, 0.5]), statistic="modularity", null_model=NULL_MODEL, weights=graph.weights, seed=0
    ... )
    >>> Subspaces(graph, level, tested).to_json()["level"]
    'components'
    """

    graph: NeuronGraph
    level: Level
    significance: Significance

    def to_json(self) -> dict[str, Any]:
        """Plain values; positions by their numbers."""
        modules = [sorted(place for _, place in module) for module in self.level.partition.modules]
        return {
            "level": self.level.name, "stability": self.level.stability, "positions": modules,
            "significance": self.significance.to_json(),
        }  # fmt: skip


def subspaces(network: Network, *, samples: int = 200, seed: int = 0) -> Subspaces:
    """The subspaces of a transformer's residual stream, and how often chance parts a stream as well.

    Parameters
    ----------
    network : Network
        A transformer, best a circuit, whose cut weights are 0.
    samples : int, default 200
        Null networks.
    seed : int, default 0
        Of everything random.

    Returns
    -------
    Subspaces
        The subspaces and their test.

    Raises
    ------
    InputError
        No transformer (`residual_stream`), or no samples.

    Notes
    -----
    In a null network, which positions each unit touches is drawn anew, so that every unit touches as many positions and
    every position is touched by as many units (`subspace_graph` says what units are). The statistic is the greatest
    modularity at resolution 1 of the graph that they make of the positions, searched anew in each sample; sample k
    depends on ``seed`` and k alone.

    A small p says that units which share a position share more of them than they must. It does not say what a subspace
    holds, nor that directions other than the positions do not part it better; where every unit touches every position,
    nothing can be drawn anew, and p is 1.

    Examples
    --------
    >>> from bimt_analyze.synthetic import compiled_program
    >>> found = subspaces(compiled_program(program="reverse", seed=1).network, samples=19)
    >>> found.significance.p
    0.05
    """
    if samples < 1:
        raise InputError("no samples to compare with", where="samples", expected="1 or more", got=str(samples))
    graph, units = subspace_graph(network), stream_units(network)
    streams = np.random.SeedSequence(seed).spawn(samples)
    schedule, generators = np.random.default_rng(seed), [np.random.default_rng(stream) for stream in streams]
    drawn = degree_preserving(units.astype(np.float64), schedule=schedule, generators=generators)
    null = [
        best_modularity(together(sample > 0), seed=int(stream.generate_state(1)[0]))
        for sample, stream in zip(drawn, streams, strict=True)
    ]
    tested = Significance.of(
        best_modularity(together(units), seed=seed), np.array(null), statistic="modularity", null_model=NULL_MODEL,
        weights=graph.weights, seed=seed,
    )  # fmt: skip
    return Subspaces(graph, choose_level(hierarchy(graph, seed=seed)).level, tested)
