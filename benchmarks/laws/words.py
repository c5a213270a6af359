"""The words for formulas against truth: twins, rows of finite precision, noisy rows, and tables without a law."""

import argparse
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import sympy

from benchmarks.common._measure import table, write_section
from benchmarks.laws.cases._equations import Target, feynman
from benchmarks.laws.cases._twins import Twins, pairs
from benchmarks.laws.judging._judge import judge
from benchmarks.laws.judging._refit import evaluator
from benchmarks.laws.judging._rows import draw
from bimt_analyze.formulas import Formula, Rows, find_formula, same_function, verify_formula

SECTIONS = ("twins", "precision", "noise", "nothing")
TITLES = {
    "twins": "Words: 200 pairs of formulas that agree on the rows",
    "precision": "Words: 100 tables of finite precision",
    "noise": "Words: 100 noisy tables",
    "nothing": "Words: 300 tables without a law",
}
RIGHT = {
    "twins": "Right: not called exact, or the law itself.",
    "precision": "Right: the form that the rows give as doubles, or neither gives the law.",
    "noise": "Right: the law's form, whatever its constants.",
    "nothing": "Right: called interpolation or none.",
}
LAWFUL = frozenset({"exact", "within precision", "within noise", "one of several"})
SEEN_NEAR = 0.05  # of the gap between twins: how near a form must come to be one of them
NOISES = (0.001, 0.01, 0.05)
DIGITS = (0, 2, 3, 4, 5, 6, 7, 8, 9)  # 0 is float32
ROWS = 500
WIDENINGS = (1.0, 2.0, 5.0, 10.0, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7)

Table = tuple[Any, Any]


@dataclass(frozen=True)
class Found:
    """What the program said of one table: whether that is right, and for twins whether both are named and decided."""

    name: str
    word: str
    right: bool
    named: bool = False
    decided: bool = False
    seconds: float = 0.0
    text: str = ""


def said(rows: Table, names: Sequence[str], ranges: Any, seconds: float, held: Table | None = None) -> Formula:
    """The formula of a table, verified on the third of its rows that was held out."""
    x, y = rows
    if held is None:
        cut = 2 * len(y) // 3
        x, y, held = x[:cut], y[:cut], (x[cut:], y[cut:])
    found = find_formula(x, y, names=names, output="y", time_limit=seconds, seed=0)
    given = {"test": Rows(*held), "train": Rows(x, y)}
    return verify_formula(found, **given, truth=None, ranges=ranges)


def of_twins(seconds: float, twins: Twins) -> Found:
    """Whether a word is right of rows that two formulas meet, and whether both are named."""
    began = time.monotonic()
    y = evaluator(twins.truth, twins.inputs)(twins.x)
    formula = said((twins.x, y), twins.inputs, twins.ranges, seconds)
    took = time.monotonic() - began
    assert formula.verification is not None
    spans = dict(zip(twins.inputs, twins.ranges, strict=True))
    same = same_function(formula.expression, twins.truth, ranges=spans, seed=1).canonical == "equal"
    forms = [formula.expression, *(rival.expression for rival in formula.verification.rivals)]
    points, gap = _where_they_part(twins)
    of_truth, of_twin = ([_near(form, one, twins, points, gap) for form in forms] for one in (twins.truth, twins.twin))
    bound = 64 * float(np.finfo(np.float64).eps) * max(float(np.max(np.abs(y))), float(np.std(y)))
    apart = float(np.max(np.abs(y - evaluator(twins.twin, twins.inputs)(twins.x)))) > bound
    named = any(of_truth) and (apart or any(of_twin))  # rows that tell the twin apart need not name it
    right = formula.word != "exact" or same or of_truth[0]
    text = f"{formula.expression}  of  {twins.truth}"
    return Found(twins.name, formula.word, right, named, _decided(formula, twins), took, text)


def _where_they_part(twins: Twins) -> tuple[Any, Any]:
    """Points in ever wider ranges at which the twins differ by a thousandth, and their gap there."""
    rng = np.random.default_rng(0)
    low, high = np.array(twins.ranges).T
    one, other = (evaluator(e, twins.inputs) for e in (twins.truth, twins.twin))
    for wider in WIDENINGS:
        middle, half = (low + high) / 2, wider * np.where(high > low, high - low, 1.0) / 2
        points = rng.uniform(middle - half, middle + half, (500, len(low)))
        with np.errstate(all="ignore"):
            a, b = one(points), other(points)
            gap = np.abs(a - b)
            good = np.isfinite(gap) & (gap > 1e-3 * np.maximum(np.abs(a), np.abs(b)))
        if good.sum() > 20:
            return points[good], gap[good]
    return points[:0], np.zeros(0)


def _near(form: sympy.Expr, expression: sympy.Expr, twins: Twins, points: Any, gap: Any) -> bool:
    """Whether a form is one of the twins, at the points where they part."""
    if not len(points):
        return False
    with np.errstate(all="ignore"):
        miss = np.abs(evaluator(form, twins.inputs)(points) - evaluator(expression, twins.inputs)(points))
    return bool(np.mean(miss <= SEEN_NEAR * gap) > 0.8)


def _decided(formula: Formula, twins: Twins) -> bool:
    """Whether the true value at each proposed row refutes one of the two forms that the row is proposed for."""
    if formula.verification is None or formula.word != "one of several":
        return False
    truth = evaluator(twins.truth, twins.inputs)
    for rival in formula.verification.rivals:
        forms = [evaluator(e, twins.inputs) for e in (formula.expression, rival.expression)]
        for row in rival.decided_by:
            point = np.array([[row[name] for name in twins.inputs]])
            first, second = (float(form(point)[0]) for form in forms)
            gap = abs(first - second)
            misses = [abs(value - float(truth(point)[0])) for value in (first, second)]
            if not (np.isfinite(gap) and gap > 0 and max(misses) > 0.1 * gap):
                return False
    return True


def rounded(values: Any, digits: int) -> Any:
    """Values as float32 (0), or with so many significant digits."""
    if digits == 0:
        return values.astype(np.float32).astype(np.float64)
    return np.array([float(f"{v:.{digits - 1}e}") for v in values.ravel()]).reshape(values.shape)


def of_precision(seconds: float, case: tuple[Target, int, int]) -> Found:
    """Whether rounded rows give the form that doubles give."""
    target, digits, seed = case
    rows = draw(target, rows=ROWS, noise=0.0, seed=seed)
    began = time.monotonic()
    train = rounded(rows.x, digits), rounded(rows.y, digits)
    held = rounded(rows.x_test, digits), rounded(rows.y_test, digits)
    formula = said(train, target.inputs, target.ranges, seconds, held)
    took = time.monotonic() - began

    def is_law(found: Formula) -> bool:
        return judge(found.expression, target.truth(), inputs=target.inputs, ranges=target.ranges).form

    told = is_law(formula)
    doubles = {"names": target.inputs, "output": "y", "time_limit": seconds, "seed": 0}
    right = told or not is_law(find_formula(rows.x, rows.y, **doubles))
    text = f"{formula.expression} | {formula.message}"
    return Found(f"{target.name} {digits or 'float32'}", formula.word, right, told, seconds=took, text=text)


def of_noise(seconds: float, case: tuple[Target, float, int]) -> Found:
    """Whether the form found under noise is the true one."""
    target, noise, seed = case
    rows = draw(target, rows=ROWS, noise=noise, seed=seed)
    began = time.monotonic()
    formula = said((rows.x, rows.y), target.inputs, target.ranges, seconds, (rows.x_test, rows.y_test))
    form = judge(formula.expression, target.truth(), inputs=target.inputs, ranges=target.ranges).form
    text = f"{formula.expression} | {formula.message}"
    return Found(f"{target.name} {noise}", formula.word, form, seconds=time.monotonic() - began, text=text)


def of_nothing(seconds: float, seed: int) -> Found:
    """What is said of random targets, of rows that repeat, and of held-out rows that were seen."""
    rng = np.random.default_rng(seed)
    kind = ("random", "repeated", "leaked")[seed % 3]
    width, count = int(rng.integers(1, 4)), int(rng.choice([2, 3, 5, 10, 20, 40, 100]))
    x, y = rng.uniform(-1, 1, (count, width)), rng.normal(size=count)
    held: Table | None = None
    if kind == "repeated":
        places = rng.integers(0, min(int(rng.integers(2, 12)), count), max(60, count))
        x, y = x[places], y[places]
    else:
        held = (x, y) if kind == "leaked" else (rng.uniform(-1, 1, (30, width)), rng.normal(size=30))
    began = time.monotonic()
    formula = said((x, y), [f"x{i}" for i in range(width)], [(-1.0, 1.0)] * width, seconds, held)
    name, took = f"{kind} {count} rows of {width}", time.monotonic() - began
    return Found(name, formula.word, formula.word not in LAWFUL, seconds=took, text=str(formula.expression))


def run(work: Callable[[Any], Found], cases: Sequence[Any], processes: int) -> Iterator[Found]:
    """Each case in one of a few processes, in order."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(work, cases)


def lines(section: str, found: Sequence[Found]) -> list[str]:
    """The results of a section as a table."""
    words = Counter(each.word for each in found)
    right = {word: sum(each.right for each in found if each.word == word) for word in words}
    rows = [[word, count, right[word]] for word, count in words.most_common()]
    text = [*table(["word", "tables", "of them right"], rows), "", RIGHT[section]]
    if section == "twins":
        several = [each for each in found if each.word == "one of several"]
        named, decided = (sum(getattr(e, what) for e in several) for what in ("named", "decided"))
        text += [f"Of {len(several)} called one of several, {named} name the law, and its twin where the rows"]
        text += [f"do not tell it apart; in {decided} every proposed row decides."]
    took = [each.seconds for each in found]
    return [*text, "", f"Seconds a table: {np.median(took):.1f} at the median, {max(took):.1f} at most."]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all if none is named"
    )
    parser.add_argument("--seconds", type=float, default=8.0, help="for each search")
    parser.add_argument("--cases", type=int, help="of each section, drawn at random, for a quick look")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--show", action="store_true", help="print each case, and write nothing")
    given = parser.parse_args()
    rng, targets = np.random.default_rng(given.seed), feynman()
    rounds = [(targets[k % len(targets)], DIGITS[k % len(DIGITS)], given.seed) for k in range(100)]
    noisy = [(targets[k % len(targets)], NOISES[k % len(NOISES)], given.seed) for k in range(100)]
    every: dict[str, tuple[Callable[..., Found], Sequence[Any]]] = {
        "twins": (of_twins, pairs(given.seed)),
        "precision": (of_precision, rounds),
        "noise": (of_noise, noisy),
        "nothing": (of_nothing, [given.seed * 300 + k for k in range(300)]),
    }
    for section in given.sections or SECTIONS:
        work, cases = every[section]
        if given.cases:
            cases = [cases[k] for k in np.sort(rng.choice(len(cases), min(given.cases, len(cases)), replace=False))]
        found = []
        for each in run(partial(work, given.seconds), cases, given.processes):
            found.append(each)
            if given.show:
                marks = f"right={each.right!s:5} named={each.named!s:5} decided={each.decided!s:5}"
                print(f"{each.name:32} {each.word:18} {marks} {each.seconds:5.1f} s  {each.text[:150]}", flush=True)
        if given.show:
            print("\n".join(lines(section, found)))
        else:
            write_section(TITLES[section], lines(section, found))


if __name__ == "__main__":
    main()
