"""The network before pruning: how far training itself has separated what it does."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import Network
from bimt_train.expressions import Decomposition
from bimt_train.showing import Shown

from ...graph import NeuronGraph
from ..chance._specialisation import specialisation
from ..truth._agreement import PROBE_ROWS
from ..truth._sensitivity import leak, sensitivity


@dataclass(frozen=True, repr=False)
class BeforePruning(Shown):
    """Measures of a network before pruning, which need no threshold, no refit and no search for modules.

    Pruning with a refit may give a network a structure that its training did not; these two tell them apart.

    Attributes
    ----------
    specialisation : float
        Specialisation of all edges, weighted by what they do to the outputs, in bits (see `specialisation`).
    leak : float or None
        Share of the squared gradients that lies where no dependency is known (see `leak`); None where nothing is known,
        or nothing could leak.

    Examples
    --------
    >>> from bimt_analyze.audits.robustness._before_pruning import BeforePruning
    >>> BeforePruning(specialisation=1.5, leak=None).to_json()
    {'specialisation': 1.5, 'leak': None}
    """

    specialisation: float
    leak: float | None

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


def before_pruning(
    network: Network,
    graph: NeuronGraph,
    x: Float[np.ndarray, "rows inputs"],
    decomposition: Decomposition | None = None,
) -> BeforePruning:
    """Measure a network that nothing was cut from.

    Parameters
    ----------
    network : Network
        The network as its training left it.
    graph : NeuronGraph
        Graph of this network with edge weights by attribution.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them; the first 500 are used for gradients.
    decomposition : Decomposition, optional
        The task's decomposition, if it is known.

    Returns
    -------
    BeforePruning
        Specialisation and leak.

    Raises
    ------
    InputError
        The graph does not say what its inputs and outputs are.

    Examples
    --------
    >>> from bimt_analyze.audits.robustness._before_pruning import before_pruning
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(seed=1)
    >>> graph = neuron_graph(planted.network, weights="attribution", x=planted.x)
    >>> before_pruning(planted.network, graph, planted.x).leak is None
    True
    """
    leaked = None if decomposition is None else leak(sensitivity(network, x[:PROBE_ROWS]), decomposition)
    return BeforePruning(specialisation(graph), leaked)
