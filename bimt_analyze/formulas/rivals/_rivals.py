"""Other formulas of comparable length that meet the rows as well, and the rows that would decide."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import sympy
from jaxtyping import Float64

from .._row_bounds import own_rounding
from .._rows import Rows
from ..problem._budget import Budget
from ..problem._constants import refine
from ..problem._precision import DOUBLE, RowPrecision, allowances
from ..problem._search_problem import SearchProblem, deviation
from ..problem._template import Template, node_count, numeric
from ..search._candidate import finish
from ..series._resummed_series import opened, resummed_series
from ..series._truncated_series import truncated_series
from ..series._vanished_inputs import vanished_inputs
from ..series._vanished_terms import vanished_terms
from ..symbolic._equality import same_function
from ..symbolic._tidy import complexity
from ..verdicts._data_words import Rival
from ._aliases import aliases, on_grid
from ._branches import branches
from ._deciding_rows import deciding_rows
from ._input_relations import InputRelation, input_relations
from ._restated_inputs import restated_inputs

Matrix = Float64[np.ndarray, "rows inputs"]

_LONGER = 2.0  # times the nodes of the formula, and ten more, up to which a rival's length is comparable
_LONGER_PLUS = 10
_MOST = 6  # rivals that are told
_COLLECTED = 24  # of which the most different are told
_TRIED = 400  # forms, beyond which no more are tried
_AS_WELL = 1.5  # times the formula's own largest residual
_FASTER = 100.0  # times the bound, for a wave so much faster that its argument is rounded by so much more
_DIGITS = 24  # evaluations to fifty digits that a comparison takes, about
_ROWS = 2000  # that rivals are held against


def _chosen(found: Sequence[Rival]) -> tuple[Rival, ...]:
    """At most six, the shortest of every origin before the second of any."""
    order: list[tuple[int, float, int]] = []
    seen: Counter[str] = Counter()
    for place in sorted(range(len(found)), key=lambda k: _length(found[k].expression)):
        order.append((seen[found[place].origin], _length(found[place].expression), place))
        seen[found[place].origin] += 1
    return tuple(found[place] for _, _, place in sorted(order)[:_MOST])


@dataclass(frozen=True)
class _Judge:
    """Whether a form meets the rows as well as a formula does."""

    expression: sympy.Expr
    symbols: list[sympy.Symbol]
    x: Matrix
    y: Float64[np.ndarray, "rows"]
    precision: RowPrecision
    bound: float
    longest: int
    budget: Budget

    def meets(self, rival: sympy.Expr) -> bool:
        """Whether a form meets every row to the bound, or to the precision in which the rows are written.

        Parameters
        ----------
        rival : sympy.Expr
            The form.
        """
        if not rival.free_symbols <= set(self.symbols) or rival.has(sympy.zoo, sympy.nan, sympy.oo):
            return False
        nodes = node_count(rival)
        self.budget.charge("lambdify", nodes)
        self.budget.charge("evaluate", nodes * len(self.y) * (1 + 2 * self.x.shape[1] * self.precision.coarse))
        with np.errstate(all="ignore"):
            residual = np.abs(self.y - numeric(rival, self.symbols)(self.x))
        return bool(np.all(residual <= self.allowed(rival)))

    def allowed(self, form: sympy.Expr) -> Float64[np.ndarray, "rows"]:
        """How far each row may lie from a form that meets it.

        Parameters
        ----------
        form : sympy.Expr
            The form.
        """
        with np.errstate(all="ignore"):
            return self.bound + allowances(numeric(form, self.symbols), self.precision, self.x, self.y)

    def met_as_written(self, symbol: sympy.Symbol) -> bool:
        """Whether the formula meets the rows though this input is not off by its rounding.

        Parameters
        ----------
        symbol : sympy.Symbol
            The input.
        """
        pairs = zip(self.symbols, self.precision.inputs, strict=False)
        kept = tuple(DOUBLE if name == symbol else column for name, column in pairs)
        return replace(self, precision=replace(self.precision, inputs=kept)).meets(self.expression)

    def comparable(self, rival: sympy.Expr) -> bool:
        """Whether the length of a form is comparable to the formula's.

        Parameters
        ----------
        rival : sympy.Expr
            The form.
        """
        return complexity(rival) <= self.longest


def rivals(
    expression: sympy.Expr,
    names: Sequence[str],
    rows: Rows,
    *,
    precision: RowPrecision,
    ranges: Sequence[tuple[float, float]],
    budget: Budget,
    others: Sequence[sympy.Expr] = (),
    seed: int = 0,
) -> tuple[Rival, ...]:
    """Other formulas of comparable length that meet the rows as well, at most six, the shortest first.

    Parameters
    ----------
    expression : sympy.Expr
        The formula, in real symbols.
    names : sequence of str
        The names of the inputs.
    rows : Rows
        What the formula meets.
    precision : RowPrecision
        How the rows are written.
    ranges : sequence of (float, float)
        The least and the largest value of each input.
    budget : Budget
        Of work; it is looked at between forms.
    others : sequence of sympy.Expr
        Forms that a search found beside the formula.
    seed : int, default 0
        Of the points at which forms are compared, and of the rows that are proposed.

    Notes
    -----
    Tried are the forms that the search found as well; functions cut to the beginning of their series, and their limits;
    the one branch of a kink that all rows lie on; functions whose series begins like the formula; the formula with what
    vanishes beside an exponential or another input, and with factors that are 1 on the rows; other waves with the same
    values on a grid; and the formula restated by a relation among the inputs (a constant, a sum, a product, a
    polynomial of degree two, or a function).

    Examples
    --------
    >>> from bimt_analyze.formulas.problem._precision import row_precision
    >>> x = np.random.default_rng(0).uniform(-1e-7, 1e-7, (100, 1))
    >>> symbol = sympy.Symbol("x", real=True)
    >>> precision = row_precision(x, x[:, 0])
    >>> given = {"precision": precision, "ranges": [(-1e-7, 1e-7)], "budget": Budget.of(5)}
    >>> found = rivals(2 * symbol, ["x"], Rows(x, 2 * x[:, 0]), **given)
    >>> any(rival.expression.has(sympy.sin) for rival in found)
    True
    """
    symbols = [sympy.Symbol(name, real=True) for name in names]
    x, y = rows.x, rows.y
    if len(y) > _ROWS:
        some = np.sort(np.random.default_rng(seed).choice(len(y), _ROWS, replace=False))
        x, y = x[some], y[some]
    unit = deviation(y)
    with np.errstate(all="ignore"):
        worst = float(np.max(np.abs(y - numeric(expression, symbols)(x)))) if len(y) else np.inf
    if not np.isfinite(worst):
        return ()
    bound = max(own_rounding(expression, names, x, y) * unit, 0.0 if precision.coarse else _AS_WELL * worst)
    longest = int(_LONGER * complexity(expression)) + _LONGER_PLUS
    judge = _Judge(expression, symbols, x, y, precision, bound, longest, budget)
    budget.charge("digits", 12 * node_count(expression), calls=12)
    found: list[Rival] = []
    kept: list[sympy.Expr] = []
    spans = {  # in which a constant input varies too
        name: (low, high) if high > low else (low, low + max(abs(low), 1.0))
        for name, (low, high) in zip(names, ranges, strict=True)
    }
    for count, (form, origin) in enumerate(_forms(judge, others, seed)):
        if budget.over() or count > _TRIED or len(found) == _COLLECTED:
            break
        if not judge.comparable(form) or any(_equal(judge, form, other, spans, seed) for other in [expression, *kept]):
            continue
        kept.append(form)
        budget.charge("lambdify", node_count(form), calls=2)
        points, gap = deciding_rows(expression, form, names, ranges, x=x, unit=unit, bound=bound / unit, seed=seed)
        if points:
            found.append(Rival(form, origin, points, gap))
    return _chosen(found)


def _forms(judge: _Judge, others: Sequence[sympy.Expr], seed: int) -> Iterator[tuple[sympy.Expr, str]]:
    """Forms that meet the rows, each with where it comes from."""
    for other in others:
        if judge.meets(other):
            yield other, "found by the search as well"
    budget, (rows, width) = judge.budget, judge.x.shape
    budget.charge("solve", rows * width**4 / 4, calls=width**2)
    relations = input_relations(judge.symbols, judge.x, tolerance=_vagueness(judge.precision, judge.x))
    restated = restated_inputs(judge.expression, judge.symbols, judge.x, relations, budget=budget.share(0.5), seed=seed)
    given = judge.expression, judge.symbols, judge.x
    places = [on_grid(column) if judge.precision.coarse else None for column in judge.x.T]
    settled = [column if place is None else place for column, place in zip(judge.x.T, places, strict=True)]
    placed = replace(judge, x=np.stack(settled, axis=1))
    settings = [
        symbol
        for symbol, place in zip(judge.symbols, places, strict=True)
        if place is not None or judge.met_as_written(symbol)
    ]
    wider = replace(placed, bound=_FASTER * judge.bound)
    yield from ((form, origin) for form, origin in aliases(*given, settings=settings) if wider.meets(form))
    idle = vanished_inputs(*given, judge.allowed(judge.expression), coarse=judge.precision.coarse)
    for form, origin in chain(branches(*given), truncated_series(*given, judge.meets), idle, restated):
        if judge.meets(form):
            yield form, origin
    unit = deviation(judge.y)
    problem = SearchProblem(judge.x, judge.y, tuple(judge.symbols), budget)
    vanished = ((opened(form), origin) for form, origin in vanished_terms(*given))
    for template, origin in chain(vanished, resummed_series(*given, unit=unit, budget=budget)):
        if budget.over():
            return
        form = _fitted(template, problem, judge)
        if form is not None:
            yield form, origin


def _fitted(template: Template, problem: SearchProblem, judge: _Judge) -> sympy.Expr | None:
    """A template with its constants fitted, as simple numbers where they may be; None where it misses the rows."""
    if not template.start:
        return template.expression if judge.meets(template.expression) else None
    fit = refine(template, problem)
    if fit is None:
        return None
    numbers = {c: sympy.Float(float(value)) for c, value in zip(fit.model.constants, fit.values, strict=True)}
    forms = (finish(problem, fit).expression, template.expression.xreplace(numbers))
    return next((form for form in forms if judge.meets(form)), None)


def _length(form: sympy.Expr) -> float:
    """The nodes of a form, a decimal counting as four."""
    return complexity(form) + 3 * len(form.atoms(sympy.Float))


def _equal(
    judge: _Judge, first: sympy.Expr, second: sympy.Expr, spans: Mapping[str, tuple[float, float]], seed: int
) -> bool:
    """Whether two forms are one function."""
    if first == second:
        return True
    judge.budget.charge("digits", _DIGITS * (node_count(first) + node_count(second)), calls=_DIGITS)
    return same_function(first, second, ranges=spans, seed=seed).canonical == "equal"


def _vagueness(precision: RowPrecision, x: Matrix) -> float:
    """How well the inputs are known, relative to the deviation of each: the worst of them."""
    spread = np.std(x, axis=0)
    halves = np.max(precision.input_halves(x), axis=0, initial=0.0)
    return float(np.max(halves[spread > 0] / spread[spread > 0], initial=0.0))


def relations_of(names: Sequence[str], x: Matrix, *, precision: RowPrecision) -> tuple[str, ...]:
    """The relations among the inputs in words; empty where the rows leave no direction open.

    Parameters
    ----------
    names : sequence of str
        The names of the columns.
    x : array of shape [rows, inputs]
        The rows.
    precision : RowPrecision
        How they are written.
    """
    symbols = [sympy.Symbol(name, real=True) for name in names]
    found = input_relations(symbols, x, tolerance=_vagueness(precision, x))
    return tuple(str(r) for r in found if not isinstance(r, InputRelation) or r.expression.free_symbols)
