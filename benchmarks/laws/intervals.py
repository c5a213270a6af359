"""Intervals of constants on noisy laws: how often they hold the truth, for the law's own form and after a search."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed

from benchmarks.common._measure import table, write_section
from benchmarks.laws.cases._noisy_laws import COLUMNS, NOISE, ROWS, NoisyLaw, noisy_laws
from bimt_analyze.formulas import Formula, constant_intervals, find_formula
from bimt_analyze.formulas.intervals._opened import opened
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import refine
from bimt_analyze.formulas.problem._search_problem import SearchProblem

LAWS, DRAWS = 200, 5
AGAIN, AGAIN_SEED = 600, 100  # laws of the kind that came out furthest from 95 %, drawn afresh
SEARCHED, SECONDS = 50, 3.0
MET = 1e-6  # of y's deviation: so near a form comes to the rows without noise where it is the law's


@dataclass(frozen=True)
class Held:
    """One interval, and whether it holds the true value."""

    law: int  # its law; the intervals of one law hold or miss together
    kind: str
    rows: int
    noise: float
    truth: float
    low: float
    high: float
    asymptotic: bool  # whether value +- 1.96 standard errors holds it
    method: str

    @property
    def holds(self) -> bool:
        """Whether the truth lies in it."""
        return self.low <= self.truth <= self.high


def of_the_form(number: int, law: NoisyLaw) -> Iterator[Held]:
    """The intervals of a law's own form, whose numbers are the truth."""
    formula = Formula("y", law.expression, tuple(law.names), 1.0, 0.0, 0.0, 0.0, 1, (), len(law.y))
    for one in constant_intervals(formula, law.x, law.y):
        truth = float(one.number)
        near = abs(one.value - truth) <= 1.96 * one.error
        yield Held(number, law.kind, len(law.y), law.noise, truth, one.low, one.high, near, one.method)


def after_a_search(number: int, law: NoisyLaw) -> list[Held] | None:
    """The intervals of the formula that a search finds; None where its form is not the law's.

    The true value of each of its constants is that of a fit to the rows without noise.
    """
    formula = find_formula(law.x, law.y, names=law.names, output="y", time_limit=SECONDS)
    simple = [one.exact for one in formula.constants if one.exact is not None]
    form = opened(formula.expression, simple)
    problem = SearchProblem(law.x, law.clean, COLUMNS[: law.x.shape[1]], Budget.of(60.0))
    fit = refine(form.template, problem) if form.numbers else None
    if fit is None or fit.error > MET:
        return None
    truths = {form.numbers[c]: float(v) for c, v in zip(fit.model.constants, fit.values, strict=True)}
    return [
        Held(number, law.kind, len(law.y), law.noise, truths[one.number], one.low, one.high,
             abs(one.value - truths[one.number]) <= 1.96 * one.error, one.method)
        for one in formula.intervals
        if one.number in truths
    ]  # fmt: skip


def row(name: object, held: Sequence[Held]) -> list[object]:
    """A line of a table: how many, and the shares that hold the truth.

    The standard error of the share counts laws, and not intervals.
    """
    share = np.mean([one.holds for one in held])
    laws = sorted({one.law for one in held})
    missed = dict.fromkeys(laws, 0.0)
    for one in held:
        missed[one.law] += float(one.holds - share)
    error = np.sqrt(sum(each**2 for each in missed.values())) / len(held)
    open_ended = sum(not np.isfinite(one.low + one.high) for one in held)
    plain = np.mean([one.asymptotic for one in held])
    return [name, len(held), f"{100 * share:.1f} ± {100 * error:.1f} %", f"{100 * plain:.1f} %", open_ended]


HEAD = ("", "intervals", "hold the truth", "1.96 standard errors do", "open-ended")


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"draws of the {LAWS} laws, {DRAWS} if left out")
    parser.add_argument("--searched", type=int, default=SEARCHED, help=f"laws that are searched, {SEARCHED}")
    chosen = parser.parse_args(arguments)
    laws = [law for draw in range(chosen.draws) for law in noisy_laws(LAWS, seed=draw)]
    held = [one for number, law in enumerate(laws) for one in of_the_form(number, law)]
    first = [one for one in held if one.law < LAWS]
    some = list(noisy_laws(chosen.searched, seed=77))
    outcomes = Parallel(n_jobs=-1)(delayed(after_a_search)(number, law) for number, law in enumerate(some))
    right = [found for found in outcomes if found is not None]
    found = [one for outcome in right for one in outcome]
    kinds = dict.fromkeys(law.kind for law in laws)
    rows = [row(f"the first {LAWS} laws", first), row(f"all {len(laws)}", held)]
    rows += [row(f"{count} rows", [one for one in held if one.rows == count]) for count in ROWS]
    rows += [row(f"{100 * noise:g} % noise", [one for one in held if one.noise == noise]) for noise in NOISE]
    of_kind = {kind: [one for one in held if one.kind == kind] for kind in kinds}
    rows += [row(kind, of_kind[kind]) for kind in kinds]
    furthest = max(kinds, key=lambda kind: abs(np.mean([one.holds for one in of_kind[kind]]) - 0.95))
    again = noisy_laws(AGAIN, seed=AGAIN_SEED, kinds=(furthest,))
    fresh = [one for number, law in enumerate(again) for one in of_the_form(number, law)]
    rows.append(row(f"{furthest}, {AGAIN} fresh laws", fresh))
    if found:
        rows.append(row(f"after a search, {len(right)} right forms of {len(some)}", found))
    write_section(
        "Intervals of constants at 95 %",
        [
            f"{LAWS} laws of {len(kinds)} kinds, {chosen.draws} draws of constants, rows and noise. The noise is "
            "normal, of 1 to 20 % of y's deviation. The form is given but for the last line, whose formulas are found "
            f"in {SECONDS:g} s each from the rows with noise; the true values of their constants are those of a fit to "
            "the rows without. The kind that is furthest from 95 % is drawn afresh. ± is one standard error, by laws.",
            "",
            *table(HEAD, rows),
            "",
            f"By profile: {sum(one.method == 'profile' for one in held)} of {len(held)}. What it does not show: noise "
            "that is not normal, not alike on all rows, or in the inputs; forms that are wrong.",
        ],
    )


if __name__ == "__main__":
    main()
