"""Kinks, steps and stairs: where a sum of inputs passes a number, y bends or jumps."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from types import MappingProxyType

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._inner import Inner, single
from ..problem._search_problem import SearchProblem
from ..problem._template import numeric
from ..symbolic._simple_numbers import simplest_fraction
from ._mark import Ground, Mark, Numbers, gains, refined

Rows = Float64[np.ndarray, "rows"]
Offer = tuple[float, tuple[Mark, ...]]

_WEIGHTS = (-1.0, 1.0, -2.0, 2.0, -0.5, 0.5, -1.5, 1.5, -2 / 3, 2 / 3, -3.0, 3.0, -1 / 3, 1 / 3)
_FEW = 3  # inputs, up to which all weights are tried; with more, a sum and a difference
_PLACES, _FEWER_PLACES = 25, 15  # places tried along one part, and along a sum of two
_FEWEST = 0.03  # share of the rows on either side of a place
_BEST = 4  # marks that are refined
_SEEN = 0.1  # share of the residual's squares, below which a mark is not looked at
_COLUMN = 0.004  # share of the squares that one more factor must bring
_STAIRS = (1.0, 2.0, 3.0, 4.0, 5.0, 10.0, 0.5, 0.25, 0.2, 0.1)


@dataclass(frozen=True)
class _Kind:
    """A way to break: the mark on values of u - place, and in sympy."""

    values: Callable[[Float64[np.ndarray, "..."]], Float64[np.ndarray, "..."]]
    build: Callable[[sympy.Expr], sympy.Expr]
    moves: bool


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {"kink": _Kind(np.abs, sympy.Abs, True), "step": _Kind(np.sign, sympy.sign, False)}
)


@dataclass(frozen=True, eq=False)
class _Line:
    """An argument u = first + weight * second, of two parts of the inputs; ``second`` is None for one part alone."""

    first: Inner
    second: Inner | None
    weight: float

    def values(self, weight: float) -> Rows:
        """The argument on the rows, for a ``weight`` of the second part."""
        return self.first.values if self.second is None else np.asarray(self.first.values + weight * self.second.values)

    def expression(self, weight: sympy.Expr) -> sympy.Expr:
        """The argument in sympy, for a ``weight`` of the second part."""
        first = self.first.parts[0]
        return first if self.second is None else first + weight * self.second.parts[0]


def kinks(problem: SearchProblem, ground: Ground, known: Sequence[Mark]) -> Iterator[Offer]:
    """The best kinks, steps and stairs in what is left of y, each with the share of its squares that it explains.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain.
    ground : Ground
        What is left of y.
    known : sequence of Mark
        Those found so far: the greater of the two parts that meet in a kink may itself meet a third.
    """
    found: list[tuple[float, _Kind, _Line, float]] = []
    for line in (*_lines(problem), *_nested(problem, known)):
        u = line.values(line.weight)
        places = _places(u, _PLACES if line.second is None else _FEWER_PLACES)
        if not len(places) or problem.budget.over():
            continue
        for kind in _KINDS.values():
            share = gains(ground, kind.values(u[:, None] - places))
            problem.budget.charge("decompose", problem.rows * len(places) * 5 * ground.smooth.shape[1])
            best = int(np.argmax(share))
            found.append((float(share[best]), kind, line, float(places[best])))
    for explained, kind, line, place in sorted(found, key=lambda f: -f[0])[:_BEST]:
        if explained > _SEEN and not problem.budget.over():
            yield (_moved if kind.moves else _stepped)(problem, ground, kind, line, place)
    yield from _stairs(problem, ground)


def _lines(problem: SearchProblem) -> Iterator[_Line]:
    """The arguments that are tried: inputs, products, weighted sums of two inputs, and of a square and an input."""
    inputs = [single(problem, i) for i in range(problem.width)]
    many = problem.width > _FEW
    for one in inputs:
        yield _Line(one, None, 0.0)
    for one, other in combinations(inputs, 2):
        yield _Line(_product(one, other), None, 0.0)
        for weight in _WEIGHTS[:2] if many else _WEIGHTS:
            yield _Line(one, other, weight)
    for one, other in () if many else permutations(inputs, 2):
        for weight in _WEIGHTS[:2]:
            yield _Line(_product(one, one), other, weight)


def _nested(problem: SearchProblem, known: Sequence[Mark]) -> Iterator[_Line]:
    """The greater and the lesser of two inputs that meet in a kink, against each other input."""
    symbols = set(problem.columns)
    for mark in known:
        kink = mark.build(tuple(sympy.Rational(round(2 * number), 2) for number in mark.numbers))
        parts = sympy.Add.make_args(kink.args[0]) if isinstance(kink, sympy.Abs) else ()
        if len(parts) != 2:
            continue
        first = next((part for part in parts if part in symbols), None)
        if first is None:
            continue
        second = first - kink.args[0]
        for sign in (1, -1):
            whole = (first + second + sign * kink) / 2
            problem.budget.charge("lambdify")
            values = numeric(whole, problem.columns)(problem.x)
            for other in (single(problem, i) for i in range(problem.width)):
                if other.parts[0] not in kink.free_symbols:
                    yield _Line(Inner((whole,), (1.0,), values), other, -1.0)


def _product(one: Inner, other: Inner) -> Inner:
    """The product of two arguments."""
    return Inner((one.parts[0] * other.parts[0],), (1.0,), one.values * other.values)


def _places(u: Rows, most: int) -> Float64[np.ndarray, "places"]:
    """Where a break may lie: quantiles of u, and zero if it is well inside."""
    low, high = np.quantile(u, [_FEWEST, 1 - _FEWEST])
    places = np.quantile(u, np.linspace(_FEWEST, 1 - _FEWEST, most))
    return np.unique([*places, *([0.0] if low < 0 < high else [])])


def _moved(problem: SearchProblem, ground: Ground, kind: _Kind, line: _Line, place: float) -> Offer:
    """The kink with its place, and the weight of the second part, refined."""

    def values(numbers: Numbers) -> Rows:
        return np.asarray(kind.values(line.values(numbers[0]) - numbers[1]), dtype=np.float64)

    def charge(times: int) -> None:
        problem.budget.charge("decompose", 10 * problem.rows * ground.smooth.shape[1] * times, calls=times)

    exact = (sympy.Integer(0) if line.second is None else None, None)
    opened = (line.second is not None, True)
    begun = Mark(values, _built(kind, line), (line.weight, place), exact, opened)
    scale = (1.0, float(np.std(line.first.values)) or 1.0)
    share, mark = refined(ground, begun, scale=scale, charge=charge)
    return share, (mark,)


def _stepped(problem: SearchProblem, ground: Ground, kind: _Kind, line: _Line, place: float) -> Offer:
    """The step at the best gap between two rows, at the simplest number in it."""
    u = line.values(line.weight)
    ordered = np.unique(u)
    middle = int(np.searchsorted(ordered, place))
    around = len(ordered) // _PLACES + 2
    low, high = max(middle - around, 1), min(middle + around, len(ordered) - 1)
    gaps = 0.5 * (ordered[low - 1 : high] + ordered[low : high + 1])
    best = max(
        (_share(ground, kind.values(u - gap), amplitude) - _COLUMN * ground.amplitudes[amplitude].shape[1], gap)
        for gap in gaps
        for amplitude in range(len(ground.amplitudes))
    )[1]
    problem.budget.charge("decompose", problem.rows * len(gaps) * 20 * ground.smooth.shape[1], calls=len(gaps))
    after = int(np.searchsorted(ordered, best))
    number = _simplest(float(ordered[after - 1]), float(ordered[after]))

    def values(numbers: Numbers) -> Rows:
        return np.asarray(kind.values(line.values(numbers[0]) - numbers[1]), dtype=np.float64)

    weight = sympy.nsimplify(line.weight, rational=True, tolerance=1e-9)
    begun = Mark(values, _built(kind, line), (line.weight, float(number)), (weight, number), (False, False))
    share, mark = refined(ground, begun, scale=(1.0, 1.0), charge=lambda times: None)
    return share, (mark,)


def _share(ground: Ground, mark: Rows, amplitude: int) -> float:
    """The share of the squares that a mark explains with certain factors."""
    left = ground.left_by(ground.multiples(mark, amplitude))
    return 1 - float(left @ left) / max(ground.size, 1e-300)


def _simplest(below: float, above: float) -> sympy.Expr:
    """The simplest number between two."""
    if below < 0 < above:
        return sympy.Integer(0)
    middle, width = 0.5 * abs(below + above), 0.49 * abs(above - below)
    found = simplest_fraction(middle, width)
    if found is None:
        return sympy.Float(0.5 * (below + above))
    return sympy.Rational(*found) * (1 if above > 0 else -1)


def _built(kind: _Kind, line: _Line) -> Callable[[tuple[sympy.Expr, ...]], sympy.Expr]:
    """The mark in sympy: of the argument less the place."""
    return lambda given: kind.build(line.expression(given[0]) - given[1])


def _stairs(problem: SearchProblem, ground: Ground) -> Iterator[Offer]:
    """Stairs floor(rate * x + shift) of one input, at simple rates, and a shift of none or a half."""
    for i in range(problem.width):
        u = problem.x[:, i]
        options = [
            (rate, shift)
            for rate in _STAIRS
            for shift in (0.0, 0.5)
            if 2 <= np.ptp(np.floor(rate * u + shift)) <= len(u) / 8
        ]
        if not options:
            continue
        share = gains(ground, np.stack([np.floor(rate * u + shift) for rate, shift in options], axis=1))
        best = int(np.argmax(share))
        if share[best] > _SEEN:
            stair = _stair(problem, i, options[best])
            explained, mark = refined(ground, stair, scale=(1.0, 1.0), charge=lambda times: None)
            yield explained, (mark,)


def _stair(problem: SearchProblem, place: int, numbers: tuple[float, float]) -> Mark:
    """One stair."""
    u, symbol = problem.x[:, place], problem.columns[place]
    exact = tuple(sympy.Rational(str(number)) for number in numbers)
    return Mark(
        lambda n: np.asarray(np.floor(n[0] * u + n[1])),
        lambda given: sympy.floor(given[0] * symbol + given[1]),
        numbers,
        exact,
        (False, False),
    )
