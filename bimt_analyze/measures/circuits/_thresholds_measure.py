"""Over which thresholds of pruning is the structure the same?"""

from collections.abc import Iterator

from bimt_train.checkpoints import Checkpoint, task_score
from bimt_train.extras import need

from ...audits import MEASURES, AuditSubject
from ...audits.robustness._thresholds import Thresholds, thresholds


def _sentences(result: Thresholds, subject: AuditSubject) -> Iterator[str]:
    whose = "as in the circuit" if result.reference == "circuit" else "as the decomposition says"
    if result.low is None or result.high is None or result.cost_low is None or result.cost_high is None:
        yield f"At no threshold of pruning are inputs joined to outputs {whose}."
        return
    whole = "the loss" if result.unit == "network" else "a constant's loss"
    yield (
        f"Inputs are joined to outputs {whose} for thresholds from {result.low:.2g} to {result.high:.2g} "
        f"({result.octaves:.1f} octaves), at {result.cost_low:.2g} to {result.cost_high:.2g} times {whole}."
    )


@MEASURES.register(
    "thresholds",
    label="pruning thresholds",
    sentence="Finds the range of pruning thresholds over which inputs reach the same outputs, and what that costs.",
    question="over which thresholds the structure is the same",
    topic="threshold",
    sentences=_sentences,
    fields="low, high, octaves: where along the sweep the structure is exact; cost_low, cost_high: the loss there, "
    "over the whole network's, or over a constant's where that is next to nothing (unit).",
    effort=2.5,
)
def measured(subject: AuditSubject) -> Thresholds:
    """The widest range of thresholds with the structure of the decomposition, or of the circuit.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    Thresholds
        The range and the sweep.
    """
    need("torch", "pruning")
    checkpoint = subject.checkpoint
    constant = _constant_loss(checkpoint)
    return thresholds(checkpoint.network, subject.circuit, subject.decomposition, constant_loss=constant)


def _constant_loss(checkpoint: Checkpoint) -> float:
    """The loss of the best constant; of a network whose targets are its own numbers, their variance."""
    score, task = task_score(checkpoint), checkpoint.task
    if score is not None:
        return score.baseline_loss
    return float(task.to_network_targets(checkpoint.probe.y_train).var(axis=0).mean()) if task.loss == "mse" else 0.0
