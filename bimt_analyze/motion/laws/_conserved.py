"""Quantities that stay constant while the system moves.

The derivative by time of each function of a library follows from the equations: sum of dg/dx_i f_i. Where a
combination of such derivatives vanishes at states all over the box that was visited, the combination is conserved. It
is then followed along trajectories that are integrated.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train.showing import Shown

from ...formulas.problem._budget import Budget
from ...formulas.problem._polynomial import monomial, powers
from ...formulas.symbolic._rounded import DIGITS, written
from ...formulas.symbolic._simple_numbers import simple_numbers
from ..integration._flow import compiled

States = Float64[np.ndarray, "states variables"]
Path = Float64[np.ndarray, "_ variables"]
Matrix = Float64[np.ndarray, "states terms"]
Weights = Float64[np.ndarray, "terms"]

_EXACT = 1e-6  # of a quantity's deviation: what is conserved changes by no more, where no noise is seen
_LOOSE = 0.02  # and with noise, at most
_STATES = 400  # drawn from the box
_FLAT = 1e-4  # of the most varied: a combination that varies by less over the box is a constant anyway
_IDLE = 1e-2  # of the weightiest term: what weighs less is left out where that does no harm
_NEW = 1e-3  # of a gradient: what is left of it beside those of known quantities
_PRODUCTS = 3  # variables up to which products of high degree are tried
_MARGIN = 3.0  # bits that a simple number must be simpler by


@dataclass(frozen=True, repr=False)
class Conserved(Shown):
    """A quantity that stays constant while the system moves.

    Attributes
    ----------
    expression : sympy.Expr
        A function of the variables; of order two, of their speeds ``x_dot`` too.
    drift : float
        How far it departs from its first value along integrated trajectories, at most, over its deviation among the
        states that were visited (or over the deviation of its terms along a trajectory, if that is less).
    exact : bool
        Whether its derivative by time is zero as an identity of the equations found.

    Examples
    --------
    >>> x, v = sympy.symbols("x v", real=True)
    >>> Conserved(x**2 + v**2, 1e-9, True)
    Conserved(v**2 + x**2, exactly)
    >>> Conserved(x**2 + v**2, 2.3e-4, False)
    Conserved(v**2 + x**2, to 0.0002)
    """

    expression: sympy.Expr
    drift: float
    exact: bool

    def __str__(self) -> str:
        return f"{written(self.expression, DIGITS)} ({self._how()})"

    def _how(self) -> str:
        return "exactly" if self.exact else f"to {self.drift:.0g}"

    def _brief(self) -> str:
        return f"{written(self.expression, DIGITS)}, {self._how()}"

    def to_json(self) -> dict[str, Any]:
        """The quantity as plain values."""
        return {"expression": str(self.expression), "drift": self.drift, "exact": self.exact}


def conserved(
    sides: Sequence[sympy.Expr],
    variables: Sequence[sympy.Symbol],
    paths: Sequence[Path],
    *,
    noise: float,
    budget: Budget,
) -> tuple[Conserved, ...]:
    """Independent quantities that a system conserves, the plainest first.

    Parameters
    ----------
    sides : sequence of sympy.Expr
        The right-hand side of each variable.
    variables : sequence of sympy.Symbol
        The variables.
    paths : sequence of arrays of shape [times, variables]
        Integrated trajectories from several starts.
    noise : float
        Of the measured values, over their deviation; 0 where none is seen.
    budget : Budget
        What may be spent.
    """
    if len(variables) < 2 or not all(len(path) > 1 and np.isfinite(path).all() for path in paths) or not paths:
        return ()
    system = _System.of(sides, variables, paths, float(np.clip(noise, _EXACT, _LOOSE)))
    found: list[Conserved] = []
    for library in _libraries(variables, system.states):
        for weights, terms in system.constant(library) if not budget.over() else ():
            one = system.judged(weights, terms)
            if one is not None and system.is_new(one, found):
                found.append(one)
        if len(found) >= len(variables) - 1:
            break
    return tuple(found)


def _libraries(variables: Sequence[sympy.Symbol], states: States) -> Iterator[tuple[sympy.Expr, ...]]:
    """Functions of which combinations are tried, the plainest first."""
    width = len(variables)

    def of(degree: int) -> list[sympy.Expr]:
        return [monomial(variables, exponent) for exponent in powers(width, degree)[1:]]

    apart = [v for v, column in zip(variables, states.T, strict=True) if np.min(column) > 0 or np.max(column) < 0]
    logs = [sympy.log(sympy.Abs(v) if np.max(states[:, variables.index(v)]) < 0 else v) for v in apart]
    waves = [wave(v) for v in variables for wave in (sympy.cos, sympy.sin)]
    yield tuple(of(1))
    yield tuple(of(2))
    yield (*of(1), *logs)
    yield (*of(2), *waves)
    yield (*of(2), *logs)
    if width <= _PRODUCTS:
        yield tuple(of(3))
        yield tuple(of(4))
        yield (*of(2), *(sympy.exp(sign * v) for v in variables for sign in (1, -1)))


@dataclass(frozen=True, eq=False)
class _System:
    """Equations, and states at which they are looked at."""

    sides: tuple[sympy.Expr, ...]
    variables: tuple[sympy.Symbol, ...]
    paths: tuple[Path, ...]
    states: States
    slopes: States
    tolerance: float

    @staticmethod
    def of(
        sides: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol], paths: Sequence[Path], tolerance: float
    ) -> "_System":
        visited = np.concatenate(list(paths))
        low, high = np.min(visited, axis=0), np.max(visited, axis=0)
        states = np.random.default_rng(0).uniform(low, high, (_STATES, len(variables)))
        slopes = _values(sides, variables, states)
        kept = np.isfinite(slopes).all(axis=1)
        speed = np.linalg.norm(slopes[kept] / (high - low + 1e-300), axis=1)
        slow = speed <= np.quantile(speed, 0.9) if len(speed) else np.zeros(0, bool)  # poles tell of nothing else
        return _System(tuple(sides), tuple(variables), tuple(paths), states[kept][slow], slopes[kept][slow], tolerance)

    def constant(self, library: Sequence[sympy.Expr]) -> Iterator[tuple[Weights, list[sympy.Expr]]]:
        """Combinations of the ``library`` that hardly change, each of as few of its functions as it needs."""
        terms = list(library)
        for weights in self._null(terms):
            yield self._shorter(weights, terms)

    def _rates(self, terms: Sequence[sympy.Expr]) -> tuple[Matrix, Matrix]:
        """The functions' values over the box, and their derivatives by time over their speed, in one unit each."""
        values = _values(terms, self.variables, self.states)
        parts = [sympy.diff(term, v) for term in terms for v in self.variables]
        gradient = _values(parts, self.variables, self.states).reshape(len(self.states), len(terms), -1)
        unit = np.std(values, axis=0) + 1e-300
        speed = np.linalg.norm(self.slopes / np.std(self.states, axis=0), axis=1)
        rates = np.einsum("stv,sv->st", gradient, self.slopes) / (speed + 1e-300)[:, None]
        return (values - np.mean(values, axis=0)) / unit, rates / unit

    def _null(self, terms: Sequence[sympy.Expr]) -> list[Weights]:
        """Combinations whose derivative vanishes over the box, in units of the functions' deviations."""
        with np.errstate(all="ignore"):
            values, rates = self._rates(terms)
        rows = np.isfinite(values).all(axis=1) & np.isfinite(rates).all(axis=1)
        if rows.sum() < 2 * len(terms):
            return []
        values, rates = values[rows], rates[rows]
        _, sizes, turn = np.linalg.svd(values, full_matrices=False)
        varied = sizes > _FLAT * sizes[0]
        ways = turn[varied].T / sizes[varied]
        _, left, inner = np.linalg.svd(rates @ ways, full_matrices=False)
        basis = (ways @ inner[left < self.tolerance].T).T
        return list(_reduced(basis / np.maximum(np.max(np.abs(basis), axis=1, keepdims=True, initial=0), 1e-300)))

    def _shorter(
        self, weights: Weights, terms: list[sympy.Expr]
    ) -> tuple[Float64[np.ndarray, "fewer"], list[sympy.Expr]]:
        """The combination without the functions that it can do without, in its own units."""
        kept = np.abs(weights) > _IDLE * np.max(np.abs(weights))
        some = [term for term, keep in zip(terms, kept, strict=True) if keep]
        again = self._null(some) if len(some) < len(terms) else []
        if len(again) == 1:
            terms, weights = some, again[0]
        unit = np.std(_values(terms, self.variables, self.states), axis=0)
        return weights / unit, terms

    def judged(self, weights: Weights, terms: Sequence[sympy.Expr]) -> Conserved | None:
        """The sum of ``weights`` times ``terms``, with simple numbers where these do; None where it changes."""
        kept = np.abs(weights) > 0
        numbers = weights[kept] / weights[kept][0]
        some = [term for term, keep in zip(terms, kept, strict=True) if keep]
        near = [simple_numbers(float(n), 3 * self.tolerance * abs(n), margin=_MARGIN) for n in numbers]
        simple = [found[0].number if found else sympy.Float(n) for found, n in zip(near, numbers.tolist(), strict=True)]
        plain = [sympy.Float(n) for n in numbers.tolist()]
        tried = []
        for choice in (simple, plain):
            expression = sympy.Add(*(n * term for n, term in zip(choice, some, strict=True)))
            exact = not expression.has(sympy.Float) and self._vanishes(expression)
            tried.append(Conserved(expression, self._drift(expression, choice, some), exact))
        better = tried[0].exact or tried[0].drift <= max(2 * tried[1].drift, _EXACT)
        best = tried[0] if better else tried[1]
        return best if best.exact or best.drift <= self.tolerance else None

    def _vanishes(self, expression: sympy.Expr) -> bool:
        total = sum(sympy.diff(expression, v) * side for v, side in zip(self.variables, self.sides, strict=True))
        return bool(sympy.expand(total) == 0)

    def _drift(self, expression: sympy.Expr, numbers: Sequence[sympy.Expr], terms: Sequence[sympy.Expr]) -> float:
        """The largest departure from the first value along the paths, over what the quantity could change."""
        over = float(np.std(_values([expression], self.variables, self.states)))
        moved, within = 0.0, 0.0
        for path in self.paths:
            along = _values([expression], self.variables, path)[:, 0]
            parts = _values(terms, self.variables, path) * np.array([float(n) for n in numbers])
            moved = max(moved, float(np.max(np.abs(along - along[0]))))
            within = max(within, float(np.sqrt(np.sum(np.var(parts, axis=0)))))
        drift = moved / max(min(over, within), 1e-300)
        return drift if np.isfinite(drift) else float("inf")

    def is_new(self, one: Conserved, known: Sequence[Conserved]) -> bool:
        """Whether ``one`` is no function of those that are known: its gradient is not made up of theirs."""
        parts = [sympy.diff(each.expression, v) for each in (*known, one) for v in self.variables]
        gradients = _values(parts, self.variables, self.states).reshape(len(self.states), len(known) + 1, -1)
        gradients = gradients * np.std(self.states, axis=0)
        size = np.linalg.norm(gradients, axis=2, keepdims=True) + 1e-300
        basis, last = np.linalg.qr((gradients / size)[:, :-1].transpose(0, 2, 1))[0], (gradients / size)[:, -1]
        rest = last - np.einsum("svk,sk->sv", basis, np.einsum("svk,sv->sk", basis, last))
        return bool(np.median(np.linalg.norm(rest, axis=1)) > max(_NEW, 3 * self.tolerance))


def _reduced(basis: Float64[np.ndarray, "ways terms"]) -> Float64[np.ndarray, "ways terms"]:
    """The same space, each vector with a last term of its own: so that each is as plain as can be."""
    rows, place = basis.copy(), 0
    for column in reversed(range(rows.shape[1])):
        if place == len(rows):
            break
        best = place + int(np.argmax(np.abs(rows[place:, column])))
        if abs(rows[best, column]) < 1e-6 * np.max(np.abs(rows[place:])):
            continue
        rows[[place, best]] = rows[[best, place]]
        rows[place] /= rows[place, column]
        others = [k for k in range(len(rows)) if k != place]
        rows[others] -= rows[others, column][:, None] * rows[place]
        place += 1
    return rows[:place][::-1]


def _values(
    terms: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol], states: Float64[np.ndarray, "rows _"]
) -> Float64[np.ndarray, "rows terms"]:
    found = np.empty((len(states), len(terms)))
    with np.errstate(all="ignore"):
        for place, part in enumerate(compiled(terms, variables)(*states.T)):
            found[:, place] = part
    return found
