"""Untrained networks of every kind with true tables: how many are called exact, modular, or able to do their task?"""

import argparse
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import beta

from benchmarks.common._measure import table, write_section
from benchmarks.networks.untrained_cases._case import Case
from benchmarks.networks.untrained_cases._others import others
from benchmarks.networks.untrained_cases._own import own
from bimt_analyze import analyze

FEWEST = 3  # seeds of a kind and a table
LIMIT = 0.05  # of the networks may be called modular: the level of the test
OPTIONS = {"audit": True, "samples": 100, "retrain_steps": 0, "time_limit": 2, "processes": 1}


@dataclass(frozen=True)
class Outcome:
    """What was said of one network. ``exact`` counts formulas, and all that the reading calls exact."""

    case: Case
    seed: int
    formulas: int
    exact: int
    modular: bool
    does: bool
    score: float
    p: float
    seconds: float


def outcome(case: Case, seed: int) -> Outcome:
    """What one analysis with an audit says."""
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report = analyze(case.make(seed), seed=seed, **OPTIONS)
    first, plain = report.summary()[0], report.to_json()
    assert report.audit is not None and report.significance is not None
    says_exact = sum(formula["exact"] for formula in plain["formulas"].values())
    held = bool(plain["formulas"]) and all(one.holds for one in report.check("formulas.*.exact"))
    return Outcome(
        case=case,
        seed=seed,
        formulas=len(plain["formulas"]),
        exact=max(says_exact, held),
        modular=report.audit.verdict.modular,
        does="does its task:" in first,
        score=plain["network"]["score"],
        p=report.significance.p,
        seconds=time.perf_counter() - began,
    )


def interval(count: int, of: int) -> tuple[float, float]:
    """The Clopper-Pearson interval of a rate, 95 %."""
    low = 0.0 if count == 0 else float(beta.ppf(0.025, count, of - count + 1))
    high = 1.0 if count == of else float(beta.ppf(0.975, count + 1, of - count))
    return low, high


def rate(count: int, of: int) -> str:
    """A rate with its interval, in words."""
    low, high = interval(count, of)
    return f"{count} of {of} ({count / of:.1%}, {low:.1%} to {high:.1%})"


def _row(found: Sequence[Outcome]) -> list[object]:
    modular, formulas = sum(one.modular for one in found), sum(one.formulas for one in found)
    return [
        len(found), f"{sum(one.exact for one in found)} of {formulas}" if formulas else "-", rate(modular, len(found)),
        sum(one.does for one in found), f"{max(one.score for one in found):.2f}",
        sum(one.p < LIMIT for one in found),
    ]  # fmt: skip


def _line(one: Outcome) -> str:
    verdict = "modular" if one.modular else "not modular"
    said = [f"{one.exact} exact", f"{verdict} (p {one.p:.3f})"]
    said += [f"{'does' if one.does else 'does not do'} its task (score {one.score:.2f})", f"{one.seconds:.1f} s"]
    return f"{one.case.kind}, {one.case.table}, seed {one.seed}: {', '.join(said)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10, help="networks of each kind at least, over its tables")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--only", default="", help="a part of a kind or table; prints, and writes nothing")
    chosen = parser.parse_args()
    cases = [case for case in (*own(), *others()) if chosen.only in f"{case.kind} {case.table}"]
    tables = Counter(case.kind for case in cases)
    began, found = time.perf_counter(), list[Outcome]()
    for case in cases:
        seeds = max(min(FEWEST, chosen.seeds), -(-chosen.seeds // tables[case.kind]))
        for seed in range(chosen.first, chosen.first + seeds):
            one = outcome(case, seed)
            found.append(one)
            if one.exact or one.modular or one.does or chosen.only:
                print(_line(one), flush=True)
        print(f"{case.kind}, {case.table}: {time.perf_counter() - began:.0f} s", flush=True)
    if chosen.only or not found:
        return
    head = ["networks", "formulas called exact", f"called modular (at most {LIMIT:.0%})", "said to do their task",
            "best score", f"p below {LIMIT:g}"]  # fmt: skip
    kinds = dict.fromkeys(one.case.kind for one in found)
    by_kind = [[kind, *_row([one for one in found if one.case.kind == kind])] for kind in kinds]
    by_case = [[case.kind, case.table, *_row([one for one in found if one.case is case])] for case in cases]
    modular, exact = sum(one.modular for one in found), sum(one.exact for one in found)
    does = [one for one in found if one.does]
    summary = (
        f"{len(found)} untrained networks, each with the rows of a task that it was never shown, "
        f"{time.perf_counter() - began:.0f} s. Called exact: {exact} of {sum(one.formulas for one in found)} formulas. "
        f"Called modular: {rate(modular, len(found))}. Said to do their task: {len(does)}. Intervals are those of "
        "Clopper and Pearson, 95 %."
    )
    lines = [summary, "", *table(["kind", *head], [*by_kind, ["all", *_row(found)]]), ""]
    lines += [*table(["kind", "table", *head], by_case), ""]
    lines += [
        f"Said to do its task: {one.case.kind}, {one.case.table}, seed {one.seed}, {one.score:.3f}." for one in does
    ]
    write_section("Untrained networks", lines)


if __name__ == "__main__":
    main()
