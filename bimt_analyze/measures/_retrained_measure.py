"""Would sparsity alone, or training on any task, bring the same structure?"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bimt_train import InputError

from ..audits import FEWEST, LEVEL, MEASURES, RETRAININGS, AuditSubject, Figure, Retrained, View, retrained
from ..audits.chance._retrained import affordable
from ..plots import draw_nulls
from ._words import count_at_least, p_and_z

WORK = 1.5e11
"""Multiplications that the networks of one kind may take: half a minute on two cores, or less."""

Found = Mapping[str, Retrained]


def _sentences(result: Found, subject: AuditSubject) -> Iterator[str]:
    for how, one in result.items():
        test, kind = one.significance, RETRAININGS[how]
        ratio = float(np.median(one.losses)) / max(one.observed_loss, 1e-300)
        conclusion = kind.significant if test.p < LEVEL else kind.not_significant
        yield (
            f"{count_at_least(test)} networks {kind.phrase} ({one.steps} steps, median loss {ratio:.2g} times its own) "
            f"are as specialised ({p_and_z(test)}): {conclusion}."
        )


def _record(result: Found) -> Mapping[str, Any]:
    return {how: one.to_json() for how, one in result.items()}


def _view(result: Found, subject: AuditSubject) -> View:
    tests = {how: one.significance for how, one in result.items()}
    caption = "The specialisation that retrained networks reach, and the circuit's own as a line."
    rows = [
        (test.null_model, test.statistic, test.p, test.z, test.observed, test.to_json()["null_mean"], len(test.null))
        for test in tests.values()
    ]
    return View(
        figures=(Figure(draw_nulls(list(tests.values())), caption),),
        columns=("null networks", "statistic", "p", "z", "observed", "null mean", "samples"),
        rows=tuple(rows),
    )


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
            checkpoint, subject.circuit_statistic, how=how, statistic="specialisation", weights="attribution",
            samples=many, steps=steps, seed=options.seed, processes=options.processes,
        )
        for how in RETRAININGS
    }  # fmt: skip
