"""Would sparsity alone, or training on any task, bring the same structure?"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint

from .._circuit_of import circuit_of, graph_of
from ..audits import MEASURES, AuditSubject, View, specialisation
from ..audits._measure import Figure
from ..audits.chance._significance import FEWEST, LEVEL
from ..audits.chance.retraining._retrained import Measured, Retrained, affordable, retrained
from ..audits.chance.retraining._retrainings import RETRAININGS

WORK = 1.5e11
"""Multiplications that the networks of one kind may take: half a minute on two cores, or less."""

Found = Mapping[str, Retrained]


def _sentences(result: Found, subject: AuditSubject) -> Iterator[str]:
    for how, one in result.items():
        test, kind = one.significance, RETRAININGS[how]
        ratio = float(np.median(one.losses)) / max(one.observed_loss, 1e-300)
        conclusion = kind.significant if test.p < LEVEL else kind.not_significant
        yield (
            f"{test.reached} networks {kind.phrase} ({one.steps} steps, median loss {ratio:.2g} times its own) "
            f"are as specialised ({test.p_and_z}): {conclusion}."
        )


def _record(result: Found) -> Mapping[str, Any]:
    return {how: one.to_json() for how, one in result.items()}


def _view(result: Found, subject: AuditSubject) -> View:
    from ..plots import draw_nulls  # brings matplotlib
    from ..plots.modules._draw_nulls import nulls_in_words

    tests = {how: one.significance for how, one in result.items()}
    caption = "The specialisation that retrained networks reach, and the circuit's own as a line."
    rows = [
        (test.null_model, test.statistic, test.p, test.z, test.observed, test.null_mean, len(test.null))
        for test in tests.values()
    ]
    return View(
        figures=(Figure(draw_nulls(*tests.values()).axes, caption, nulls_in_words(list(tests.values()))),),
        columns=("null networks", "statistic", "p", "z", "observed", "null mean", "samples"),
        rows=tuple(rows),
    )


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


SPECIALISATION = Measured("specialisation", "attribution", circuit_specialisation)


@MEASURES.register(
    "retrained",
    label="retrained networks",
    sentence="Trains networks of the same shape with L1 alone and on permuted targets, and compares specialisation.",
    question="whether sparsity alone, or any task, would bring the same structure",
    topic="training",
    sentences=_sentences,
    record=_record,
    absent={},
    fields="Kind of training -> p, z, ..., median_loss, observed_loss, steps.",
    view=_view,
    effort=30,
)
def measured(subject: AuditSubject) -> Found:
    """The checkpoint's specialisation against that of networks trained for comparison.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    mapping of str to Retrained
        Kind of training -> test.

    Raises
    ------
    InputError
        No steps, a network that cannot be trained again, or one of which even 20 would take too long.
    """
    options, checkpoint = subject.options, subject.checkpoint
    steps = options.retrain_steps
    if steps < 1:
        raise InputError("no networks were retrained", where="retrain_steps", expected="1 or more", got=str(steps))
    many = affordable(checkpoint, steps=steps, samples=options.samples, work=WORK)
    if many < FEWEST:
        raise InputError(f"retraining {FEWEST} networks of this size would take too long", where="checkpoint")
    return {
        how: retrained(
            checkpoint,
            SPECIALISATION,
            how=how,
            samples=many,
            steps=steps,
            seed=options.seed,
            processes=options.processes,
        )
        for how in RETRAININGS
    }
