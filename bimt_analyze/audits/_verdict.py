"""What an audit comes to: plain sentences, each with its number and its test, and one word at the top."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .chance._significance import Significance
from .functions._functional_modules import FunctionalModules

if TYPE_CHECKING:
    from ._audit import Audit

LEVEL = 0.05
"""Below which a p is called significant."""

HEADLINE = ("specialisation", "rewired")
"""The test that decides."""

_ALIKE = 0.9  # adjusted mutual information from which two partitions are said to agree


@dataclass(frozen=True)
class Sentence:
    """One statement of a verdict.

    Attributes:
        topic: which question it answers.
        text: the statement, with its number.
    """

    topic: str
    text: str

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


@dataclass(frozen=True)
class Verdict:
    """An audit in words.

    Attributes:
        modular: whether the weights fall into more than one module, and a network wired at random with the same degrees
            and weights is as specialised in fewer than one case of twenty. This is a statement about weights: modules
            by function alone do not count.
        sentences: the statements, the headline first; what could not be decided last.
    """

    modular: bool
    sentences: tuple[Sentence, ...]


def verdict(audit: "Audit") -> Verdict:
    """The sentences that an audit's numbers allow."""
    by_function = audit.choice.level.kind == "function"
    modular = len(audit.modules) > 1 and not by_function and audit.nulls[HEADLINE].p < LEVEL
    told = [Sentence(topic, text) for topic, text in _statements(audit, modular)]
    return Verdict(modular, tuple(told))


def _statements(audit: "Audit", modular: bool) -> Iterator[tuple[str, str]]:
    yield "verdict", _headline(audit, modular)
    yield "partition", _partition(audit)
    yield from _stream(audit)
    yield from _before_cutting(audit)
    yield from _chance(audit)
    yield from _training(audit)
    yield from _choice_of_threshold(audit)
    yield from _truth(audit)
    yield from _carried(audit)
    yield from _function(audit)
    yield from _copies(audit)
    yield from _locality(audit)
    if audit.shared:
        some = ", ".join(one.label for one in audit.shared[:6])
        more = f" and {len(audit.shared) - 6} more" if len(audit.shared) > 6 else ""
        yield "overlap", f"Several modules have a claim to {some}{more}: modules are disjoint, the work is shared."
    for what, why in audit.undecided.items():
        yield "undecided", f"Not decided: {what} ({why})."


def _headline(audit: "Audit", modular: bool) -> str:
    count, p = len(audit.modules), _p(audit.nulls[HEADLINE])
    if audit.choice.level.kind == "function":
        return f"Not modular in its weights, which are in one piece; what it does falls into {count} modules."
    if modular:
        return f"Modular: {count} modules, and wiring this specialised is rare by chance ({p})."
    if count < 2:
        return f"Not modular: no way to cut the network into parts is worth reporting ({p})."
    return f"Not shown to be modular: {count} modules were found, and chance may well find as much ({p})."


def _partition(audit: "Audit") -> str:
    level = audit.choice.level
    if level.kind == "function":
        return f"The level is '{level.name}': {audit.choice.reason}."
    stable = "" if level.stability is None else f", stability {level.stability:.2f}"
    weighed = {one.weights: one for one in audit.weighings}
    apart = [name for name, one in weighed.items() if one.ami < _ALIKE]
    least = min((one.ami for one in audit.weighings), default=1.0)
    said = (
        f"all {len(weighed)} edge weights agree on it (AMI at least {least:.2f})"
        if not apart
        else f"not by {' and '.join(apart)} as edge weights, which lead elsewhere (AMI {least:.2f})"
    )
    other = audit.second_opinion
    second = f"Infomap finds {len(other.partition.modules)} (AMI {other.ami:.2f})"
    return f"The level is '{level.name}'{stable}; {said}; {second}."


def _stream(audit: "Audit") -> Iterator[tuple[str, str]]:
    found = audit.subspaces
    if found is None:
        return
    test, modules = found.significance, found.level.partition.modules
    rare = "more than chance" if test.p < LEVEL else "not shown to be more than chance"
    parted = "The residual stream falls into no subspaces worth reporting"
    if len(modules) > 1:
        parted = f"The residual stream falls into {len(modules)} subspaces that are written and read together"
    yield (
        "partition",
        f"{parted}; {_count(test)} streams whose units touch other positions are as modular ({_p(test)}): {rare}.",
    )


def _before_cutting(audit: "Audit") -> Iterator[tuple[str, str]]:
    found = audit.as_trained
    if found is None:
        return
    after = audit.nulls[HEADLINE].observed
    leaked = "" if found.leak is None else f", and {found.leak:.1e} of its squared gradients lie where none is known"
    yield (
        "training",
        f"Before anything is cut its specialisation is {found.specialisation:.2f} bits, of the circuit {after:.2f}"
        f"{leaked}.",
    )


def _chance(audit: "Audit") -> Iterator[tuple[str, str]]:
    for (statistic, model), test in audit.nulls.items():
        wired = "wired anew with the same degrees and weights" if model == "rewired" else "with their weights shuffled"
        rare = "more than chance" if test.p < LEVEL else "not shown to be more than chance"
        yield "chance", f"{_count(test)} networks {wired} reach its {statistic} ({_p(test)}): {rare}."


def _training(audit: "Audit") -> Iterator[tuple[str, str]]:
    said = {"l1": "trained with L1 alone", "permuted": "trained on permuted targets"}
    for how, one in audit.retrained.items():
        test = one.significance
        ratio = float(np.median(one.losses)) / max(one.observed_loss, 1e-300)
        conclusion = {
            ("l1", True): "sparsity alone does not bring it",
            ("l1", False): "it is not shown to take more than sparsity",
            ("permuted", True): "the task has to do with it",
            ("permuted", False): "the task is not shown to have to do with it",
        }[how, test.p < LEVEL]
        yield (
            "training",
            f"{_count(test)} networks {said[how]} ({one.steps} steps, median loss {ratio:.2g} times its own) are as "
            f"specialised ({_p(test)}): {conclusion}.",
        )


def _choice_of_threshold(audit: "Audit") -> Iterator[tuple[str, str]]:
    found = audit.thresholds
    whose = "as is known" if found.reference == "known parts" else "as in the circuit"
    if found.low is None or found.high is None or found.cost_low is None or found.cost_high is None:
        yield "threshold", f"At no threshold of pruning are inputs joined to outputs {whose}."
        return
    yield (
        "threshold",
        f"Inputs are joined to outputs {whose} for thresholds from {found.low:.2g} to {found.high:.2g} "
        f"({found.octaves:.1f} octaves), at {found.cost_low:.2f} to {found.cost_high:.2f} times the loss.",
    )


def _truth(audit: "Audit") -> Iterator[tuple[str, str]]:
    found = audit.agreement
    if found is None:
        yield "truth", "No parts of the task are known, so nothing is said of whether the modules are the right ones."
        return
    at = found.matched
    ami = "" if at.ami is None else f", AMI {at.ami:.2f} with '{at.known}'"
    leaked = "" if found.leak is None else f", leak {found.leak:.1e}"
    said = f"dependencies F1 {found.dependencies.f1:.2f}{ami}{leaked}"
    yield "truth", f"Agreement with the known parts is {found.score:.2f} ({said})."


def _carried(audit: "Audit") -> Iterator[tuple[str, str]]:
    """Which parts are where."""
    if audit.carriers is None or not audit.carriers.found:
        return
    found = audit.carriers.found
    told = [f"{one.part} by module {one.module + 1} (r2 {one.single:.3f})" for one in found if one.carried]
    lost = [one.part for one in found if not one.carried]
    said = f"One number that a module sends is a known part up to scale and offset: {', '.join(told)}. " if told else ""
    rest = f"No module sends {', '.join(lost)}." if lost else ""
    yield "truth", f"{said}{rest}".strip()
    for one in audit.signals:
        yield (
            "truth",
            f"Module {one.module + 1} sends about {one.expression} (r2 {one.r2:.4f}), which up to scale and offset is "
            f"{one.part} with r2 {one.part_r2:.4f}; it was found without looking at {one.part}.",
        )


def _copies(audit: "Audit") -> Iterator[tuple[str, str]]:
    for family in audit.alike:
        if family.kind == "curved" and len(family.members) > 1:
            which = ", ".join(f"{one.module + 1} ({', '.join(one.arguments)})" for one in family.members)
            least = min(one.r2 for one in family.members if one.r2 is not None)
            yield (
                "shared parts",
                f"Modules {which} compute the same function up to affine changes of inputs and output "
                f"(r2 {least:.4f} or more).",
            )


def _function(audit: "Audit") -> Iterator[tuple[str, str]]:
    lost, kept, served = audit.damage, audit.faithfulness, audit.functional
    if served is not None:
        yield "function", _groups(served)
    if lost is not None and len(audit.modules) > 1:
        harm = np.maximum(lost.matrix, 0)
        total = harm.sum(axis=0)
        shares = np.divide(harm.max(axis=0), total, out=np.zeros_like(total), where=total > 0)
        hits = int((lost.specificity_p < LEVEL).sum())
        only = "" if len(lost.outputs) > 1 else " With one output, no module can be specific to it."
        yield (
            "function",
            f"Of the damage to each output, one module set to its mean does {shares.min():.0%} or more; {hits} of "
            f"{len(audit.modules)} modules are more specific than random groups of their size (p < {LEVEL:g}).{only}",
        )
    if kept is not None:
        told = [share for share in kept.shares if share is not None]
        if told:
            yield "function", f"The circuit keeps at least {min(told):.1%} of what the network does beyond its means."


def _groups(served: FunctionalModules) -> str:
    """What inputs do to outputs."""
    count, several = len(served.partition.modules), served.several
    if count < 2:
        return "By what inputs do to outputs, they do not fall into groups."
    some = ", ".join(several[:6]) + (f" and {len(several) - 6} more" if len(several) > 6 else "")
    rest = f"all but {some} serve one group alone" if several else "every hidden neuron serves one group alone"
    return (
        f"By what inputs do to outputs, they fall into {count} groups that owe at least {served.within:.0%} to "
        f"themselves; {rest} ({served.alone:.0%} of hidden neurons)."
    )


def _locality(audit: "Audit") -> Iterator[tuple[str, str]]:
    found = audit.wiring
    if found.locality is None:
        return
    ratio = found.length / found.random_mean
    yield (
        "locality",
        f"Its wires are {ratio:.2f} times as long as in random places (p = {found.p:.2g}), and "
        f"{found.length / found.best:.2f} times the best placement found.",
    )


def _count(test: Significance) -> str:
    at_least = round(test.p * (1 + len(test.null))) - 1
    return f"{at_least} of {len(test.null)}"


def _p(test: Significance) -> str:
    z = "" if test.z is None else f", z = {test.z:.1f}"
    return f"p = {test.p:.2g}{z}"
