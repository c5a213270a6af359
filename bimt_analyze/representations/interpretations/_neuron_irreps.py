"""Products of permutations: the irreducible representation of each neuron."""

from bimt_train.checkpoints import Checkpoint, Network

from .._interpretation import INTERPRETATIONS, Interpretation
from .._irreps import IRREPS, irrep_shares

ALIVE = 1e-2  # standard deviation below which a neuron tells nothing


@INTERPRETATIONS.register(
    "irreducible-representations",
    label="irreducible representations of neurons",
    sentence="Gives the irreducible representation of S4 of each neuron of a network of products of permutations.",
    applies=lambda checkpoint, _: checkpoint.task.name == "permutation-s4",
)
def neuron_irreps(checkpoint: Checkpoint, network: Network) -> Interpretation:
    """Table of the irreducible representations of S4 in each alive neuron of the last hidden layer.

    Parameters
    ----------
    checkpoint : Checkpoint
        Checkpoint of products of permutations.
    network : Network
        Its network or circuit.

    Returns
    -------
    Interpretation
        One row a neuron.
    """
    alive = [one for one in irrep_shares(network) if one.spread > ALIVE]
    sign = [str(one.neuron) for one in alive if one.name == "sign"]
    told = f"the sign is represented by neuron {', '.join(sign)}" if sign else "no neuron represents the sign alone"
    return Interpretation(
        "Irreducible representations of S4 in the last hidden layer",
        f"{len(alive)} neurons are alive; {told}.",
        ("neuron", "representation", *IRREPS, "deviation"),
        tuple((one.neuron, one.name, *(one.shares[irrep] for irrep in IRREPS), one.spread) for one in alive),
    )
