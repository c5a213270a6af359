"""What does each output lose without each module, and how much does the circuit keep?"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import TaskSpec

from ...audits import MEASURES, AuditSubject, View
from ...audits._measure import Figure
from ...audits.ablation._faithfulness import Faithfulness, faithfulness
from ...audits.ablation._mean_ablation_effects import MeanAblationEffects, mean_ablation_effects
from ...audits.ablation._output_losses import LossMeasure
from ...audits.chance._significance import LEVEL

_MEASURES: Mapping[str, LossMeasure] = {
    "numbers": "error", "class": "accuracy", "labels": "log_loss", "tokens": "surprise"
}  # fmt: skip

TOLD = 6  # outputs whose effects are told in words


def loss_measure(task: TaskSpec) -> LossMeasure:
    """How a loss is measured at single outputs.

    Of many classes over sequences some have no rows, so they are measured together.

    Parameters
    ----------
    task : TaskSpec
        The task of the network.

    Returns
    -------
    str
        "surprise" of sequences, "accuracy" of classes, "log_loss" of labels, "error" of numbers.
    """
    return _MEASURES["class" if task.classes else task.judged_by.targets]


def _sentences(result: MeanAblationEffects, subject: AuditSubject) -> Iterator[str]:
    if len(subject.modules) < 2:
        return
    lost = np.maximum(result.matrix, 0)
    total = lost.sum(axis=0)
    shares = np.divide(lost.max(axis=0), total, out=np.zeros_like(total), where=total > 0)
    hits = int((result.specificity_p < LEVEL).sum())
    only = "" if len(result.outputs) > 1 else " With one output, no module can be specific to it."
    yield (
        f"Of what each output loses to mean ablation, one module accounts for {shares.min():.0%} or more; {hits} of "
        f"{len(subject.modules)} modules are more specific than random groups of their size (p < {LEVEL:g}).{only}"
    )


def _in_words(ablated: str, outputs: Sequence[str], matrix: Float64[np.ndarray, "modules outputs"]) -> str:
    """The greatest effect on each output, for those who do not see the map."""
    greatest = ", ".join(
        f"{output} {matrix[:, k].max():.2f} (module {1 + int(matrix[:, k].argmax())})"
        for k, output in enumerate(outputs[:TOLD])
    )
    size = f"{len(matrix)} modules by {len(outputs)} outputs"
    return f"Map of the mean-ablation effect of {ablated}, {size}. Greatest: {greatest}."


def _view(result: MeanAblationEffects, subject: AuditSubject) -> View:
    from ...plots import draw_mean_ablation_effects  # brings matplotlib

    without = (
        "What each output loses when all hidden neurons of a module are set to their means; bold where random groups "
        "of the same size seldom cost as much."
    )
    alone = "What each output loses when the hidden neurons of all other modules are."
    return View(
        figures=(
            Figure(
                draw_mean_ablation_effects(result).axes, without, _in_words("the module", result.outputs, result.matrix)
            ),
            Figure(
                draw_mean_ablation_effects(result, alone=True).axes,
                alone,
                _in_words("all other modules", result.outputs, result.alone),
            ),
        )
    )


@MEASURES.register(
    "mean_ablation_effects",
    label="mean ablation",
    sentence="Sets the hidden neurons of each module to their means and measures what each output loses.",
    question="what each module does",
    topic="function",
    sentences=_sentences,
    fields="matrix, alone, random_mean, p: modules x outputs.",
    view=_view,
)
def measured(subject: AuditSubject) -> MeanAblationEffects:
    """The effect of ablating each module, against random groups of neurons.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    MeanAblationEffects
        Effects and their p-values.
    """
    options = subject.options
    return mean_ablation_effects(
        subject.network, subject.modules, *subject.held_out, measure=loss_measure(subject.task),
        samples=options.samples, seed=options.seed,
    )  # fmt: skip


def _faithfulness_sentences(result: Faithfulness, subject: AuditSubject) -> Iterator[str]:
    told = [share for share in result.shares if share is not None]
    if told:
        yield f"The circuit keeps at least {min(told):.1%} of what the network does beyond its mean outputs."


@MEASURES.register(
    "faithfulness",
    label="faithfulness",
    sentence="Compares the circuit's loss with the network's and with that of mean outputs.",
    question="what the circuit keeps",
    topic="function",
    sentences=_faithfulness_sentences,
    fields="whole, circuit, nothing: loss at each output; shares: what the circuit keeps.",
)
def kept(subject: AuditSubject) -> Faithfulness:
    """The share of the network's performance that the circuit keeps, output by output.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    Faithfulness
        Losses and shares.
    """
    return faithfulness(
        subject.checkpoint.network, subject.network, *subject.held_out, measure=loss_measure(subject.task)
    )
