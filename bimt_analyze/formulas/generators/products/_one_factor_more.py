"""Products of powers with one factor more, a power of a function of c u: 1 + c u, exp(c u), exp(c u) - 1, ..."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy
from jaxtyping import Float64
from scipy.optimize import minimize_scalar

from ...problem._monomials import Exponents, expression, monomials, used, value
from ...problem._search_problem import SearchProblem
from ...problem._template import Template, constant, numeric

Rows = Float64[np.ndarray, "rows"]
Scales = Float64[np.ndarray, "scales"]

_WIDEST, _FEWEST = 6, 20  # inputs, and rows
_ROWS = 300  # on which factors are compared
_MONOMIALS = 400  # products of powers u, the simplest
_SIMPLEST, _BEST = 6, 12  # of these, and of those that are best within two kinds of factors, all kinds are tried
_COUNTED = 60.0  # rows: small |y| count as much as large ones where fewer rows would decide
_OTHERS = 0.05  # share of the weight that rows of the other sign may have
_SIZES = np.geomspace(1e-3, 1e3, 37)  # of c u where u is largest, or how far 1 + c u stays away from zero
_ANGLES = np.linspace(0.1, 3.1, 25)  # of c u where u is largest, in sines
_LEFT = 0.1  # of log|y|'s deviation: what leaves more is no product
_ROUGH = 0.3  # the same before the constant is refined
_BETTER = 0.3  # of what a product of powers leaves
_TRIED = 40  # factors whose constant is refined, and
_GIVEN = 4  # those that are given
_NEAR, _ERRORS = 1e-6, 4.0  # a power so near to a half, or so many standard errors, is one
_NONE = 1e-9  # of a column's square: less is a sum of others
_STEEPEST = 60.0  # power, beyond which it stands in for an exponential
_SHARE = 0.08  # of the time


@dataclass(frozen=True)
class _Kind:
    """A kind of factor, f(t)**q with t = c u.

    Attributes
    ----------
    logarithm : callable
        log|f(t)|, of an array.
    build : callable
        f(t), of an expression.
    scales : callable
        Values of c that are tried, of the values of u.
    odd : bool
        Whether f is negative where t is.
    """

    logarithm: Callable[[np.ndarray], np.ndarray]
    build: Callable[[sympy.Expr], sympy.Expr]
    scales: Callable[[Rows], Scales]
    odd: bool = False


def _one(u: Rows) -> Scales:
    """Where a constant would be another power."""
    return np.ones(1)


def _any(u: Rows) -> Scales:
    """Of either sign."""
    sizes = _SIZES / np.max(np.abs(u))
    return np.concatenate([-sizes[::-1], sizes])


def _plus(u: Rows) -> Scales:
    """Of one sign, for functions that are odd or even."""
    return np.asarray(_SIZES / np.max(np.abs(u)))


def _half_turn(u: Rows) -> Scales:
    """Those with which c u stays within half a turn."""
    return np.asarray(_ANGLES / np.max(np.abs(u)))


def _positive(u: Rows) -> Scales:
    """Those with which 1 + c u is positive on all rows."""
    low, high = float(np.min(u)), float(np.max(u))
    found = [_SIZES / high] if low >= 0 else [-_SIZES / -low] if high <= 0 else []
    found += [-1 / (high * (1 + _SIZES))] if high > 0 else []
    found += [1 / (-low * (1 + _SIZES))] if low < 0 else []
    return np.sort(np.concatenate(found))


_KINDS = (
    _Kind(lambda t: t, lambda t: sympy.exp(t), _one),
    _Kind(np.log1p, lambda t: 1 + t, _positive),
    _Kind(lambda t: 1 / (1 + t), lambda t: sympy.exp(1 / (1 + t)), _positive),
    _Kind(lambda t: np.log(np.abs(np.expm1(t))), lambda t: sympy.exp(t) - 1, _any, odd=True),
    _Kind(lambda t: np.logaddexp(0, t), lambda t: sympy.exp(t) + 1, _any),
    _Kind(lambda t: np.log(np.abs(np.sinh(t))), sympy.sinh, _plus, odd=True),
    _Kind(lambda t: np.log(np.cosh(t)), sympy.cosh, _plus),
    _Kind(lambda t: np.log(np.abs(np.tanh(t))), sympy.tanh, _plus, odd=True),
    _Kind(lambda t: np.log(np.abs(np.sin(t))), sympy.sin, _half_turn, odd=True),
    _Kind(lambda t: np.log(np.cos(t)), sympy.cos, _half_turn),
    _Kind(lambda t: np.log(np.abs(np.log1p(t))), lambda t: sympy.log(1 + t), _positive, odd=True),
)


_TELLING = 2  # of these, the first, tell what arguments other factors may have


@dataclass(frozen=True)
class _Factor:
    """One factor more: its kind, u, c, and what the product leaves of log|y|, over its deviation."""

    error: float
    kind: _Kind
    argument: Exponents
    scale: float


def one_factor_more(problem: SearchProblem) -> Iterator[Template]:
    """Templates A * product of input**power * f(c u), with u a product of powers and any power of f.

    The logarithm of |y| is linear in all powers; the constant c is scanned for. Rows count by their |y|, as noise of y
    itself has it, but for the largest.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    if not 0 < problem.width <= _WIDEST or problem.rows < _FEWEST:
        return
    fits = _Logarithms.of(replace(problem, budget=problem.budget.share(_SHARE)))
    if fits is None:
        return
    if fits.least < _LEFT:
        yield fits.template(None)
    found: list[_Factor] = []
    arguments = [one for one in monomials(problem.width, most=_MONOMIALS) if used(one)]
    for argument in arguments:
        if fits.problem.budget.over():
            break
        found += fits.scanned(argument, _KINDS[:_TELLING])
    best = [one.argument for one in sorted(found, key=lambda one: one.error)]
    for argument in dict.fromkeys([*arguments[:_SIMPLEST], *list(dict.fromkeys(best))[:_BEST]]):
        if fits.problem.budget.over():
            break
        found += fits.scanned(argument, _KINDS[_TELLING:])
    near = sorted(found, key=lambda one: one.error)[:_TRIED]
    refined = sorted((fits.refined(one) for one in near), key=lambda one: one.error)
    for one in refined[:_GIVEN]:
        if one.error < min(_LEFT, _BETTER * fits.least):
            yield fits.template(one)


@dataclass(frozen=True, eq=False)
class _Logarithms:
    """log|y| and the logarithms of the inputs, on some of the rows.

    Attributes
    ----------
    problem : SearchProblem
        Those rows.
    inputs : tuple of int
        The columns that have a logarithm.
    weights : array of shape [rows]
        What each row counts.
    basis : array of shape [rows, columns]
        Orthonormal: of weighted 1 and logarithms.
    target : array of shape [rows]
        log|y|, weighted.
    spread : float
        Its deviation, as the rows count.
    """

    problem: SearchProblem
    inputs: tuple[int, ...]
    weights: Rows
    basis: Float64[np.ndarray, "rows columns"]
    target: Rows
    spread: float

    @staticmethod
    def of(problem: SearchProblem) -> "_Logarithms | None":
        size, sign = np.abs(problem.y), np.sign(np.sum(problem.y))
        kept = np.flatnonzero(sign * problem.y > 0)
        if np.sum(size[kept] ** 2) < (1 - _OTHERS) * np.sum(size**2):
            return None
        some = problem.some(kept[np.linspace(0, len(kept) - 1, min(_ROWS, len(kept))).astype(np.int64)])
        size = np.abs(some.y)
        weights = _weights(size)
        inputs = tuple(i for i in range(some.width) if np.all(some.x[:, i] > 0))
        logs = np.column_stack([np.ones(some.rows), *(np.log(some.x[:, i]) for i in inputs)])
        target = np.log(size)
        middle = np.average(target, weights=weights**2)
        spread = float(np.sqrt(np.average((target - middle) ** 2, weights=weights**2)))
        if not spread > 0:
            return None
        basis = np.linalg.qr(logs * weights[:, None])[0]
        return _Logarithms(some, inputs, weights, basis, target * weights, spread)

    @property
    def left(self) -> Rows:
        """What powers of the inputs leave of log|y|, weighted."""
        return np.asarray(self.target - self.basis @ (self.basis.T @ self.target))

    @property
    def least(self) -> float:
        """The size of what powers of the inputs leave, over the deviation of log|y|."""
        return float(np.linalg.norm(self.left)) / self._unit

    @property
    def _unit(self) -> float:
        return self.spread * float(np.linalg.norm(self.weights))

    def errors(self, columns: Float64[np.ndarray, "rows trials"]) -> Float64[np.ndarray, "trials"]:
        """What is left of log|y| with one column more, for each; infinite where that is none."""
        with np.errstate(all="ignore"):
            weighted = columns * self.weights[:, None]
            apart = weighted - self.basis @ (self.basis.T @ weighted)
            size = np.sum(apart**2, axis=0)
            usable = np.isfinite(size) & (size > _NONE * np.sum(weighted**2, axis=0))
            left = np.sum(self.left**2) - (self.left @ apart) ** 2 / size
        self.problem.budget.charge("columns", 3 * columns.size)
        return np.where(usable, np.sqrt(np.maximum(left, 0.0)), np.inf) / self._unit

    def scanned(self, argument: Exponents, kinds: Sequence[_Kind]) -> Iterator[_Factor]:
        """The best constant of each kind of factor in one argument."""
        u = value(self.problem.x, argument)
        if not (np.isfinite(u).all() and np.ptp(u) > 0):
            return
        for kind in kinds:
            scales = kind.scales(u)
            with np.errstate(all="ignore"):
                errors = self.errors(kind.logarithm(u[:, None] * scales))
            best = int(np.argmin(errors))
            if errors[best] < _ROUGH:
                yield _Factor(float(errors[best]), kind, argument, float(scales[best]))

    def refined(self, factor: _Factor) -> _Factor:
        """The factor with the constant that leaves least."""
        u = value(self.problem.x, factor.argument)
        scales = np.sort(factor.kind.scales(u))
        place = int(np.searchsorted(scales, factor.scale))
        low, high = scales[max(place - 1, 0)], scales[min(place + 1, len(scales) - 1)]

        def error(scale: float) -> float:
            with np.errstate(all="ignore"):
                return min(float(self.errors(factor.kind.logarithm(u[:, None] * scale))[0]), 1.0)

        if not low < high:
            return factor
        near = {"xatol": 1e-10 * abs(factor.scale)}
        found = minimize_scalar(error, bounds=(low, high), method="bounded", options=near)
        if not found.fun < factor.error:
            return factor
        return replace(factor, error=float(found.fun), scale=float(found.x))

    def template(self, factor: _Factor | None) -> Template:
        """The product with one factor more, or without; powers near a half are put to it."""
        problem = self.problem
        columns = np.column_stack([np.ones(problem.rows), *(np.log(problem.x[:, i]) for i in self.inputs)])
        if factor is not None:
            u = value(problem.x, factor.argument)
            columns = np.column_stack([columns, factor.kind.logarithm(factor.scale * u)])
        weighted = columns * self.weights[:, None]
        size = np.linalg.norm(weighted, axis=0)
        powers = np.linalg.lstsq(weighted / size, self.target, rcond=1e-14)[0] / size
        problem.budget.charge("solve", weighted.size * weighted.shape[1])
        spared = float(np.sqrt(np.mean((self.target - weighted @ powers) ** 2)))
        errors = spared * np.linalg.norm(np.linalg.pinv(weighted / size), axis=1) / size
        start: dict[sympy.Dummy, float] = {}

        def opened(at: float) -> sympy.Dummy:
            c = constant()
            start[c] = at
            return c

        def power(place: int) -> sympy.Expr:
            half = sympy.Rational(round(2 * float(powers[place])), 2)
            near = abs(float(half) - powers[place]) <= max(_NEAR, min(_ERRORS * errors[place], 0.1))
            return half if near else opened(float(powers[place]))

        whole = opened(float(np.exp(np.clip(powers[0], -700, 700))) * float(np.sign(problem.y[0])))
        for place, i in enumerate(self.inputs, start=1):
            whole *= problem.columns[i] ** power(place)
        if factor is not None:
            argument = expression(problem.columns, factor.argument)
            built = factor.kind.build(argument if factor.kind.scales is _one else opened(factor.scale) * argument)
            if built.func is sympy.exp:
                whole *= sympy.exp(opened(float(powers[-1])) * built.args[0])
            else:
                sign = -1 if factor.kind.odd and factor.scale * u[0] < 0 else 1
                whole *= (sign * built) ** power(len(powers) - 1)
        problem.budget.charge("lambdify")
        left = problem.y - numeric(Template(whole, start).filled(), problem.columns)(problem.x)
        return Template(whole, start, problem.relative(left))


def _weights(size: Rows) -> Rows:
    """The magnitudes themselves, cut off so far that enough rows decide."""
    for share in (1.0, 0.9, 0.75, 0.5, 0.25):
        weights = np.minimum(size / np.quantile(size, share), 1.0)
        if np.sum(weights**2) ** 2 >= _COUNTED * np.sum(weights**4):
            break
    return np.asarray(weights)
