"""The audit's null networks that are trained: their circuits are found and judged as the checkpoint's own is."""

from collections.abc import Mapping

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint

from ._circuit_of import circuit_of, graph_of
from .audits import FEWEST, Retrained, affordable, retrained, specialisation

WORK = 1.5e11
"""Multiplications that the networks of one kind may take: half a minute on two cores, or less."""


def retrained_nulls(
    checkpoint: Checkpoint, *, samples: int, steps: int, seed: int, processes: int | None
) -> Mapping[str, Retrained]:
    """The checkpoint's specialisation against networks trained with L1 alone, and on permuted targets.

    Raises:
        InputError: no steps, a network that cannot be trained anew, or one of which even 20 would take too long.
    """
    if steps < 1:
        raise InputError("no networks were trained anew", where="retrain_steps", expected="1 or more", got=str(steps))
    many = affordable(checkpoint, steps=steps, samples=samples, work=WORK)
    if many < FEWEST:
        raise InputError(f"training {FEWEST} networks of this size anew would take too long", where="checkpoint")
    l1, permuted = (
        retrained(
            checkpoint, circuit_specialisation, how=how, statistic="specialisation", weights="attribution",
            samples=many, steps=steps, seed=seed, processes=processes,
        )
        for how in ("l1", "permuted")
    )  # fmt: skip
    return {"l1": l1, "permuted": permuted}


def circuit_specialisation(checkpoint: Checkpoint) -> tuple[float, float]:
    """Specialisation of a checkpoint's circuit, pruned briefly and without refitting, and the circuit's loss."""
    circuit = circuit_of(checkpoint, refit_steps=0, search="narrowing")
    if not circuit.network.edges():
        return 0.0, circuit.loss
    return specialisation(graph_of(circuit.network, checkpoint)), circuit.loss
