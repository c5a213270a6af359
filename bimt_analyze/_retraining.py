"""The value by which networks that are trained for comparison are held against the checkpoint."""

from bimt_train.checkpoints import Checkpoint

from ._circuit_of import circuit_of, graph_of
from .audits import specialisation


def circuit_specialisation(checkpoint: Checkpoint) -> tuple[float, float]:
    """Specialisation of a checkpoint's circuit, pruned briefly and without refitting, and the circuit's loss.

    Parameters
    ----------
    checkpoint : Checkpoint
        A trained network with its rows.

    Returns
    -------
    specialisation : float
        In bits; 0 for a circuit without edges.
    loss : float
        Of the circuit, in the network's units.
    """
    circuit = circuit_of(checkpoint, refit_steps=0, search="narrowing")
    if not circuit.network.edges():
        return 0.0, circuit.loss
    return specialisation(graph_of(circuit.network, checkpoint)), circuit.loss
