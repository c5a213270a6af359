"""The network before anything is cut: how far training itself has parted what it does."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import Network
from bimt_train.expressions import KnownParts

from ...graph import NeuronGraph
from ..chance._specialisation import specialisation
from ..truth._agreement import PROBE_ROWS
from ..truth._sensitivity import leak, sensitivity


@dataclass(frozen=True)
class AsTrained:
    """What needs no threshold, no refit and no search for modules.

    Pruning with a refit may give a network a structure that its training did not; these two tell them apart.

    Attributes:
        specialisation: of all its edges, weighed by what they do to the outputs, in bits (see `specialisation`).
        leak: the share of its squared gradients that lies where no dependence is known (see `leak`); None where
            nothing is known, or nothing could leak.
    """

    specialisation: float
    leak: float | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


def as_trained(
    network: Network, graph: NeuronGraph, x: Float[np.ndarray, "rows inputs"], known: KnownParts | None = None
) -> AsTrained:
    """Measure a network that nothing was cut from.

    Args:
        network: as its training left it.
        graph: of this network, edges weighed by attribution.
        x: rows as the network sees them; the first 500 are used for gradients.
        known: what is known of its task, if anything.

    Raises:
        InputError: the graph does not say what its inputs and outputs are.
    """
    leaked = None if known is None else leak(sensitivity(network, x[:PROBE_ROWS]), known)
    return AsTrained(specialisation(graph), leaked)
