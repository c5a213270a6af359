"""Certificates from the shell: those of a report's outputs, and what a file of one proves."""

from pathlib import Path

from bimt_train import InputError
from bimt_train.losses import LOSSES

from .._sources import best_checkpoint, open_checkpoint
from ..certificates import certify, certify_decisions, check_certificate
from ..options._sampling import Sampling
from ..report import Report


def certificates_of(report: Report) -> dict[str, bytes]:
    """A certificate for every output that has a formula; for a classifier, of its decisions on all of its rows.

    Parameters
    ----------
    report : Report
        Formulas and checkpoint.

    Returns
    -------
    dict of str to bytes
        The name of the output, or ``"decisions"`` where the largest output decides, to the file's content.

    Raises
    ------
    InputError
        There is no formula and no table of decisions, or one of them cannot be certified.
    """
    checkpoint = report.checkpoint
    task = checkpoint.task
    if LOSSES[task.loss].targets == "numbers" and not task.classes:
        if not report.formulas:
            raise InputError("no formula to certify", where="--certify", hint="give the search more time, --minutes 1")
        return {name: certify(checkpoint, formula, output=name).data for name, formula in report.formulas.items()}
    if task.classifies:
        return {"decisions": certify_decisions(checkpoint).data}
    return {name: certify_decisions(checkpoint, output=name).data for name in task.outputs}


def proved(file: Path, source: Path | None, sampling: Sampling) -> str:
    """What a certificate proves, in one line.

    Parameters
    ----------
    file : Path
        The certificate.
    source : Path or None
        The network that it should speak of.
    sampling : Sampling
        What a file of weights does not say of itself.

    Returns
    -------
    str
        The statement.

    Raises
    ------
    InputError
        Whatever `check_certificate` and `open_checkpoint` refuse.
    """
    checkpoint = None if source is None else open_checkpoint(best_checkpoint(source), sampling)
    found = check_certificate(file, checkpoint=checkpoint)
    return found.statement if checkpoint is None else f"{found.statement}; the network is that of {source}"
