"""From rows of one output to a formula: the entry of the engine."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray

from bimt_train import InputError

from ._formula import Formula, Predictor, Rival
from ._search import (
    COMBINED,
    EVIDENT,
    EVOLVED,
    MATCHED,
    QUICK,
    THOROUGH,
    Candidate,
    Generator,
    Outcome,
    finish,
    order,
    search,
)
from .generators._genetic import check_evolution
from .hints._differentiable import Differentiable
from .hints._proposed_structure import probe_structure, proposed_structure
from .hints._structural_tests import Evidence, probe
from .hints._surrogate import companion
from .problem._constants import refine
from .problem._polynomial import makeshift
from .problem._search_problem import Clock, Problem, deviation
from .problem._smooth import noise_level, relevant
from .problem._snapping import Constant
from .problem._structure import Structure
from .problem._template import numeric

_SEARCHED = 2000  # rows that a search looks at; the outcome is checked on all of them
_SEARCHING = 0.9  # share of the time for the search; the rest is for finishing
_NOISE = 1.5  # a residual within this factor of what smooth fits leave may be noise
_FEWEST_NOISE = 20
_NOISE_SECONDS = 0.5
_HINTED = 0.6  # share of the time for the search that trusts the hints
_EVOLVING = 1 / 3  # share of the time for genetic programming, where it is asked for
_PROBED = 12  # inputs that are probed, at most: a Hessian holds the square of their number
_COARSE = 0.05  # of y's deviation: a network that errs by more is too coarse to be probed
_KINDS = {EVIDENT: "evident", MATCHED: "pool", THOROUGH: "thorough", EVOLVED: "evolving"}
_COMPANION_SECONDS, _COMPANION_ROWS = 20.0, 60  # a companion is worth its time where at least so much is left


def find_formula(
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    names: Sequence[str],
    output: str,
    structure: Structure | None = None,
    network: Predictor | None = None,
    seconds: float = 10.0,
    seed: int = 0,
    evolve: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Formula:
    """The formula of the shortest description that explains y = f(x), in the names given.

    ``structure`` (hints read from a circuit) and ``network`` (the network's own prediction of this output) only
    propose; with neither, a polynomial fit proposes which inputs matter. A `Differentiable` network is probed for
    evidence (`probe`), any other for inputs and terms where no structure is given. Where the network is too coarse
    (it errs by more than 5 % of y's deviation) and the quick search fails, a companion is fitted to the rows and
    probed in its stead. Every proposal is decided on the rows; where the hinted search does not explain them, all
    inputs are searched without hints. ``seconds`` is looked at between candidates. ``progress`` is called with the
    name of each stage. A KeyboardInterrupt ends the search: the best formula so far is finished, and its message
    begins "interrupted: ".

    The formula's ``exact`` is False until `prove` has held it against held-out rows and, where known, the truth.

    With ``evolve`` a third of the time is kept for genetic programming (pyoperon), for what the others do not find.

    Raises InputError for rows that are no finite numbers, for names that do not fit the columns, and for ``evolve``
    where pyoperon is not installed.
    """
    if evolve:
        check_evolution()
    check_rows(x, y, names, where=f"rows of {output!r}", fewest=1)
    if structure is not None and not set(structure.inputs) <= set(names):
        raise InputError(
            "hints name unknown inputs",
            where=f"structure of {output!r}",
            expected=f"names among {sorted(names)}",
            got=str(sorted(set(structure.inputs) - set(names))),
            mend="read the structure with the names of the table's columns",
        )
    tell = progress or (lambda stage: None)
    clock = Clock.of(_SEARCHING * seconds)
    some = searched_rows(len(y), seed)
    kept = asked_columns(x, y)
    columns = tuple(sympy.Symbol(names[i], real=True) for i in kept)
    problem = Problem(x[some][:, list(kept)], y[some], columns, clock, seed=seed)
    outcome = Outcome((), ())
    evidence: tuple[Evidence, ...] = ()
    ask = _Probing(problem, network if kept else None, x[some], tuple(names), seed)
    try:
        tell("hints")
        evidence = ask.network_evidence()
        if structure is None and network is not None and kept:
            structure = (
                proposed_structure(evidence, names=names)
                if evidence
                else probe_structure(network, x[some], y[some], names=names, seed=seed)
            )
        if structure is None and (fewer := relevant(problem.x, problem.y, clock=clock.share(0.1))) is not None:
            structure = Structure(tuple(str(columns[i]) for i in fewer))
        for question, stages in _questions(problem, structure, probed=network is not None, evolve=evolve):
            if stages is not QUICK and question.clock.over():
                continue
            if stages is COMBINED:
                tell("probes")
                evidence = ask.evidence(evidence)
                question = replace(question, structure=proposed_structure(evidence, names=names))
            kind = _KINDS.get(tuple(stages), "quick")
            tell(f"{kind} search" if question.structure is None else f"{kind} search with hints")
            outcome = outcome.joined(search(question, stages), problem)
            if outcome.settled or outcome.interrupted:
                break
    except KeyboardInterrupt:  # while hints were read
        outcome = replace(outcome, interrupted=True)
    tell("finishing")
    if not outcome.settled and (form := makeshift(problem)) is not None and (fit := refine(form, problem)) is not None:
        outcome = outcome.joined(Outcome((), (fit,)), problem)
    rough = () if outcome.settled else outcome.rough
    found = sorted([*outcome.done, *(finish(fit.model.problem, fit) for fit in rough)], key=order)
    left = min(_NOISE_SECONDS, (1 - _SEARCHING) * seconds)
    formula = replace(measured(found, x, y, names, output, seconds=left), evidence=evidence)
    return _interrupted(formula) if outcome.interrupted else formula


@dataclass(frozen=True)
class _Probing:
    """Whom to probe for evidence, and whether that is worth its time."""

    problem: Problem
    network: Predictor | None
    x: Float64[np.ndarray, "some inputs"]
    names: tuple[str, ...]
    seed: int

    def network_evidence(self) -> tuple[Evidence, ...]:
        """What the network itself shows; nothing where it is no `Differentiable`, too wide or coarse, or unbent."""
        function, y = self.network, self.problem.y
        if not isinstance(function, Differentiable) or len(self.names) > _PROBED or len(y) < _FEWEST_NOISE:
            return ()
        if np.sqrt(np.mean((function(self.x) - y) ** 2)) > _COARSE * deviation(y):
            return ()
        if not function.hessian(self.x[:_FEWEST_NOISE]).any():  # piecewise linear: no derivative sees its kinks
            return ()
        return probe(function, self.x, y, names=self.names, seed=self.seed)

    def evidence(self, known: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
        """What is known from the network, or else what a companion shows, if there is the time to fit one."""
        left = self.problem.clock.end - time.monotonic()
        if known or self.network is None or len(self.names) > _PROBED:
            return known
        if left < _COMPANION_SECONDS or len(self.problem.y) < _COMPANION_ROWS:
            return known
        function = companion(self.x, self.problem.y, names=self.names, seed=self.seed)
        return probe(function, self.x, self.problem.y, names=self.names, seed=self.seed)


def _interrupted(formula: Formula) -> Formula:
    """The formula, which says that its search was ended before its time."""
    shortfall = formula.shortfall and f"interrupted: {formula.shortfall}"
    return replace(formula, shortfall=shortfall, message=f"interrupted: {formula.message}")


def _questions(
    problem: Problem, structure: Structure | None, *, probed: bool, evolve: bool
) -> Iterator[tuple[Problem, Sequence[Generator]]]:
    """Quick generators with the hints, then without; the others likewise, what probes combine before the thorough."""
    if problem.width == 0:
        yield problem, QUICK[:1]
        return
    hinted = None if structure is None else _hinted(problem, structure)
    last = problem.clock
    if evolve:
        problem = replace(problem, clock=problem.clock.share(1 - _EVOLVING))
    if hinted is not None and hinted.width == problem.width:  # hints add to what is tried, and here leave nothing out
        problem, hinted = replace(problem, structure=hinted.structure), None
    for stages in (QUICK, EVIDENT, MATCHED, *((COMBINED,) if probed else ()), THOROUGH):
        if hinted is not None and stages is not COMBINED:
            yield replace(hinted, clock=problem.clock.share(_HINTED)), stages
        yield problem, stages
    if evolve:
        yield replace(problem, clock=last), EVOLVED


def _hinted(problem: Problem, structure: Structure) -> Problem | None:
    """The problem as the hints see it; None where they say nothing."""
    names = [str(column) for column in problem.columns]
    used = tuple(i for i, name in enumerate(names) if name in structure.inputs)
    if not used or not (len(used) < problem.width or len(structure.terms) > 1 or structure.ridges):
        return None
    part = problem.part(used, problem.y, tolerance=0.0)
    return replace(part, depth=problem.depth, structure=structure)


def searched_rows(rows: int, seed: int) -> NDArray[np.int64]:
    """Those that a search looks at: all, or of many some at random."""
    if rows <= _SEARCHED:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, _SEARCHED, replace=False))


def asked_columns(x: Float64[np.ndarray, "rows inputs"], y: Float64[np.ndarray, "rows"]) -> tuple[int, ...]:
    """Columns that y may depend on: none where it is constant."""
    constant = np.ptp(y) <= 16 * np.finfo(np.float64).eps * np.max(np.abs(y))
    return () if constant else distinct(x)


def distinct(x: Float64[np.ndarray, "rows inputs"]) -> tuple[int, ...]:
    """Columns that vary and are no straight-line copy of an earlier one."""
    kept: list[int] = []
    shapes: list[NDArray[np.float64]] = []
    for index in range(x.shape[1]):
        peak = float(np.max(np.abs(x[:, index]), initial=0.0))
        if peak == 0.0:
            continue
        column = x[:, index] / peak
        column = column - np.mean(column)
        size = float(np.linalg.norm(column))
        if size <= 1e-13 * np.sqrt(len(column)):
            continue
        column = column / size
        if all(abs(abs(float(column @ other)) - 1.0) > 1e-13 for other in shapes):
            kept.append(index)
            shapes.append(column)
    return tuple(kept)


def measured(
    found: list[Candidate],
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    names: Sequence[str],
    output: str,
    *,
    seconds: float,
) -> Formula:
    """The best candidate, measured on all rows; ``seconds`` to estimate their noise."""
    best = found[0] if found else _mean(y)
    symbols = tuple(sympy.Symbol(name, real=True) for name in names)
    whole = Problem(x, y, symbols, Clock.of(0.0))
    with np.errstate(all="ignore"):
        residual = y - numeric(best.expression, symbols)(x)
        worst = float(np.max(np.abs(residual))) / whole.unit
    error = whole.relative(residual)
    fits = bool(np.isfinite(worst)) and worst * whole.unit <= whole.floor
    shortfall = "" if fits else _shortfall(x, y, error, seconds)
    return Formula(
        output=output,
        expression=best.expression,
        inputs=tuple(names),
        r2=1.0 - error**2,
        residual=error,
        worst=worst if np.isfinite(worst) else float("inf"),
        bound=whole.floor / whole.unit,
        complexity=best.complexity,
        constants=best.constants,
        rows=len(y),
        shortfall=shortfall,
        message=shortfall or "meets the training rows to rounding; not proven yet",
        rivals=front(found[1:], best),
    )


def _shortfall(
    x: Float64[np.ndarray, "rows inputs"], y: Float64[np.ndarray, "rows"], error: float, seconds: float
) -> str:
    """Why the formula is not exact, and whether noise may be the reason."""
    said = f"not exact: residual {error:.1e} of y's deviation"
    some = searched_rows(len(y), 0)
    level = (
        noise_level(x[some][:, list(distinct(x[some]))], y[some], clock=Clock.of(seconds))
        if len(y) >= _FEWEST_NOISE
        else 1.0
    )
    if level / _NOISE <= error <= _NOISE * level and level < 1.0:
        said += f" (smooth fits leave {level:.1e}: the rest may be noise)"
    return said


def front(candidates: Sequence[Candidate], best: Candidate) -> tuple[Rival, ...]:
    """Those that are shorter than the best, or leave less, and than which none is better in both."""
    rivals: list[Candidate] = []
    for one in sorted(candidates, key=lambda c: (c.complexity, c.error)):
        ahead = one.complexity < best.complexity or one.error < best.error
        if ahead and one.expression != best.expression and all(one.error < other.error for other in rivals):
            rivals.append(one)
    return tuple(Rival(c.expression, c.complexity, c.error) for c in rivals)


def _mean(y: Float64[np.ndarray, "rows"]) -> Candidate:
    value = float(np.mean(y))
    return Candidate(sympy.Float(value), (Constant(value, 0.0, None),), 1.0, 1.0, False, 1, 0.0)


def check_rows(
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    names: Sequence[str],
    *,
    where: str,
    fewest: int,
) -> None:
    """Refuse rows that cannot be searched.

    Raises InputError for other than finite numbers, sizes that differ, too few rows and names that do not fit.
    """
    if np.ndim(x) != 2 or np.ndim(y) != 1 or len(x) != len(y) or len(y) < fewest:
        raise InputError(
            "rows do not fit",
            where=where,
            expected=f"x [rows, inputs] and y [rows], {fewest} rows or more",
            got=f"{np.shape(x)} and {np.shape(y)}",
        )
    if len(names) != x.shape[1] or len(set(names)) != len(names):
        raise InputError(
            "names do not fit the columns",
            where=where,
            expected=f"{x.shape[1]} different names",
            got=str(list(names)),
            mend="give one name a column",
        )
    for label, values in (("x", x), ("y", y)):
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            place = ", ".join(str(int(i)) for i in bad[0])
            raise InputError(
                f"{len(bad)} values are no finite numbers",
                where=f"{where}, {label}[{place}]",
                expected="finite numbers",
                got=str(values[tuple(bad[0])]),
                mend="leave out or fill in those rows",
            )
