"""The same network weighed in several ways: what does not depend on the weighing can be trusted more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Num
from sklearn.metrics import adjusted_mutual_info_score

from bimt_train.checkpoints import Network

from ...graph import neuron_graph, with_ends
from ...modules import Level, Partition, choose_level, hierarchy
from ..chance._significance import Significance, significance
from ..truth._matching import labels_apart

WEIGHTS = ("magnitude", "activation", "attribution")


@dataclass(frozen=True, eq=False)
class Weighing:
    """What one kind of edge weight leads to.

    Attributes:
        weights: "magnitude", "activation" or "attribution"; see `neuron_graph`.
        level: the chosen level.
        modules: how many there are at it.
        ami: adjusted mutual information of its modules and those that are audited; 1 is the same.
        significance: of specialisation against rewired networks.
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


def weighings(
    network: Network,
    x: Num[np.ndarray, "rows ..."],
    partition: Partition,
    *,
    weights: Sequence[str] = WEIGHTS,
    known: Mapping[str, tuple[Level, Significance]] | None = None,
    samples: int = 200,
    seed: int = 0,
) -> tuple[Weighing, ...]:
    """The chosen level and its significance under each of the edge weights.

    Magnitudes depend on how neurons happen to be scaled, activations half, attributions not at all: where they
    disagree, attribution is nearest to what the network computes.

    Args:
        network: usually a circuit.
        x: rows as it sees them.
        partition: the modules to hold against.
        weights: which to try.
        known: weights -> level and significance that are found already, with the same samples and seed.
        samples: of the null model.
        seed: of everything random.
    """
    given = known or {}

    def found(which: str) -> tuple[Level, Significance]:
        graph = neuron_graph(network, weights=which, x=x)
        level = choose_level(hierarchy(graph, seed=seed)).level
        return level, significance(with_ends(graph, network.layout), samples=samples, seed=seed)

    told = {which: given.get(which) or found(which) for which in weights}
    return tuple(
        Weighing(which, level, len(level.partition.modules), partition_ami(partition, level.partition), tested)
        for which, (level, tested) in told.items()
    )


def partition_ami(one: Partition, other: Partition) -> float:
    """Adjusted mutual information of two partitions, over the neurons that both have; unused ones stand alone."""
    nodes = sorted(one.nodes & other.nodes)
    return float(adjusted_mutual_info_score(labels_apart(one, nodes), labels_apart(other, nodes)))
