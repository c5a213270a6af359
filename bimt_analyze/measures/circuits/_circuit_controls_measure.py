"""Does the circuit mean more than what the same pruning finds anywhere?"""

from collections.abc import Iterator, Mapping

from ...audits import MEASURES, AuditSubject, CircuitControls, View, circuit_controls
from ...audits.controls._control import Control
from ...audits.controls._kept_behaviour import KeptBehaviour


def _share(value: float | None) -> str:
    return "nothing" if value is None or not value > 0 else f"{value:.0%}" if value < 0.995 else f"{value:.1%}"


def _cost(kept: float) -> str:
    """What is lost, without a sign on a zero."""
    return f"{round(1 - kept, 3) + 0.0:.1%}"


def _sentences(result: CircuitControls, subject: AuditSubject) -> Iterator[str]:
    if result.kept is None:
        yield (
            "The circuit means nothing: the network does not do the task (its loss is that of a constant), so there is "
            "nothing to explain."
        )
        return
    which = "circuit" if result.by_refit is None else "circuit without a refit"
    if result.faithful:
        head = f"The {which} is more than pruning finds anywhere"
    else:
        why = "; ".join(condition.name for condition in result.failed) or "not all that it takes was measured"
        head = f"The {which} is not shown to be more than pruning finds anywhere (not so: {why})"
    yield f"{head}: {'; '.join(_numbers(result, result.kept, subject.circuit.refit_steps > 0))}."


def _numbers(result: CircuitControls, kept: KeptBehaviour, refit: bool) -> Iterator[str]:
    after = f" ({_share(kept.refitted)} after a refit)" if refit and result.by_refit is None else ""
    yield (
        f"it keeps {_share(kept.cut)} of what the network does{after} with {result.edges / result.weights:.0%} of the "
        "weights"
    )
    nulls = [control for control in result.controls if control.null]
    if nulls:
        each = ", ".join(f"{_share(control.median)} ({control.name})" for control in nulls)
        yield f"the same pruning to as many weights keeps {each}"
    lost = f"outside ablation to other rows' values costs {_cost(kept.resampled)}"
    yield lost + ("" if kept.adversarial is None else f", chosen adversarially {_cost(kept.adversarial)}")
    if result.by_refit is not None and result.edges_by_refit is not None:
        yield (
            f"the refitted circuit, with {result.edges_by_refit / result.weights:.0%} of the weights, owes what it "
            f"does to its refit, as these keep {_share(result.by_refit.cut)} as they are"
        )
    if result.stability is not None:
        yield f"{result.stability.found_again:.0%} of its edges are found again on other draws of the rows"


def _row(control: Control) -> tuple[str | int | float | None, ...]:
    return (
        control.name, len(control.kept), control.weights, control.refitted_weights, control.full_loss, control.loss,
        control.refitted_loss, control.median, control.refitted, control.reached, control.p,
    )  # fmt: skip


def _view(result: CircuitControls, subject: AuditSubject) -> View:
    if result.kept is None:
        return View()
    circuit, refit = subject.circuit, subject.circuit.refit_steps > 0
    audited = circuit.edges / result.weights
    plain = result.edges / result.weights if result.by_refit is not None or not refit else None
    own = (
        "the network", 1, plain, audited if refit else None, circuit.full_loss, None if refit else circuit.loss,
        circuit.loss if refit else None, result.kept.cut, (result.by_refit or result.kept).refitted, None, None,
    )  # fmt: skip
    return View(
        columns=(
            "pruned", "networks", "weights kept", "refitted", "loss", "circuit's loss", "refitted",
            "behaviour kept by as many weights", "refitted", "reach the circuit", "p",
        ),
        rows=(own, *map(_row, result.controls)),
    )  # fmt: skip


def _undecided(result: CircuitControls) -> Mapping[str, str]:
    return {"all controls of the circuit": "; ".join(result.left_out)} if result.left_out else {}


def _asked(subject: AuditSubject) -> bool:
    return subject.options.controls > 0


@MEASURES.register(
    "circuit_controls",
    label="controls of the circuit",
    sentence="Prunes nonsense targets and untrained networks in the same way, and ablates what is outside the circuit.",
    question="whether the circuit means more than pruning finds anywhere",
    topic="circuit",
    sentences=_sentences,
    fields="faithful and its conditions; kept: cut, refitted, means, resampled, adversarial, shares of the behaviour; "
    "stability of the edges; controls, one a kind.",
    applies=_asked,
    undecided=_undecided,
    view=_view,
    effort=6,
)
def measured(subject: AuditSubject) -> CircuitControls:
    """The circuit beside the same pruning of networks that mean nothing.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.

    Returns
    -------
    CircuitControls
        The numbers, and whether the circuit is faithful.
    """
    options = subject.options
    return circuit_controls(
        subject.checkpoint, subject.circuit, samples=options.controls, retrain_steps=options.retrain_steps,
        seed=options.seed,
    )  # fmt: skip
