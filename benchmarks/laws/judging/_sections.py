"""Outcomes of one setting as a section of RESULTS.md."""

from collections.abc import Sequence

import numpy as np

from benchmarks.common._measure import table
from benchmarks.laws.judging._outcomes import Outcome, Setting

HEAD = (
    "arm", "formulas", "exact", "right form, constants within 1 %", "of these with spare terms",
    "right form, other constants", "not found", "failed", "called exact by itself", "of these wrongly",
    "median", "worst",
)  # fmt: skip
SHOWN = 120


def section(setting: Setting, arms: Sequence[str], outcomes: Sequence[Outcome], seconds: float) -> list[str]:
    """Counts for each arm, rates by depth where there are depths, and whatever an arm missed, by name."""
    of = {arm: [one for one in outcomes if one.arm == arm] for arm in arms}
    lines = [
        f"{setting.about} {seconds:g} s a formula on one thread, training included. Exact: the same function, and "
        "numbers agree to 1e-9 on the range. Right form: agrees to 1e-8 once its constants are fitted to the truth.",
        "",
        *table(HEAD, [_row(arm, of[arm]) for arm in arms]),
    ]
    depths = sorted({one.depth for one in outcomes} - {0})
    if depths:
        rows = [[depth, *(_rate(of[arm], depth) for arm in arms)] for depth in depths]
        lines += ["", "Exact, and in brackets the right form or exact, by depth:", "", *table(["depth", *arms], rows)]
    aim = ("exact", "right form") if setting.noise else ("exact",)
    for arm in arms:
        missed = [_named(one) for one in of[arm] if one.verdict not in aim]
        lines += ["", f"{arm}, not {' or '.join(aim)}: {', '.join(missed) or 'none'}."]
        wrong = [f"{one.name} (`{_cut(one.expression)}` for `{one.formula}`)" for one in of[arm] if one.wrong_claim]
        if wrong:
            lines += ["", f"{arm}, called exact wrongly: {', '.join(wrong)}."]
        faults = [f"{one.name} ({one.fault})" for one in of[arm] if one.verdict == "failed"]
        if faults:
            lines += ["", f"{arm}, failed: {', '.join(faults)}."]
    return lines


def _row(arm: str, outcomes: Sequence[Outcome]) -> list[object]:
    verdicts = [one.verdict for one in outcomes]
    spent = [one.seconds for one in outcomes if one.seconds is not None]
    claims = [one for one in outcomes if one.claim is not None]
    return [
        arm,
        len(outcomes),
        verdicts.count("exact"),
        verdicts.count("right form"),
        sum(one.verdict == "right form" and one.spare > 0 for one in outcomes),
        verdicts.count("other constants"),
        verdicts.count("no"),
        verdicts.count("failed"),
        sum(bool(one.claim) for one in claims) if claims else "-",
        sum(one.wrong_claim for one in claims) if claims else "-",
        f"{np.median(spent):.1f} s" if spent else "-",
        f"{max(spent):.1f} s" if spent else "-",
    ]


def _rate(outcomes: Sequence[Outcome], depth: int) -> str:
    verdicts = [one.verdict for one in outcomes if one.depth == depth]
    exact = verdicts.count("exact")
    return f"{exact} ({exact + verdicts.count('right form')}) of {len(verdicts)}"


def _named(one: Outcome) -> str:
    """A target's name; what only its author knows by name is written out."""
    return f"{one.name} `{one.formula}`" if one.depth else one.name


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
