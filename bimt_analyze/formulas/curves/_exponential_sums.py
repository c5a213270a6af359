"""Sums of exponentials and damped waves of one argument: their rates solve a linear equation of the integrals of h."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ..problem._budget import Budget
from ..problem._inner import Inner
from ..problem._template import Template, product
from ..problem._univariate import Shape

Rows = Float64[np.ndarray, "rows"]

_DEGREES = (12, 24, 48, 96)  # of the series that stands for h
_ROWS_A_TERM = 4  # of the series
_FOLLOWED = 0.3  # of h's deviation: what the series may leave
_ORDERS = (2, 3, 4)  # exponentials, a wave counting twice; of one the library has
_LEFT = 0.1  # of h's deviation: a sum that leaves more is none
_BETTER = 0.5  # of what a shorter sum leaves: so little a longer one must leave
_STEADY = 0.3  # over half of the range: a wave whose size grows or falls by less may have the same size all along
_SLOWEST = 0.3  # over half of the range: slower exponentials and waves are stand-ins for powers
_CLEAR, _ROUNDING = 3.0, 1e-9  # times the tolerance, and of h's deviation: what a sum leaves that is not bettered
_FASTEST = 300.0  # over half of the range
_EVALUATED = 40  # times the rates are refined, at most


@dataclass(frozen=True)
class _Rates:
    """Rates over half of the range.

    Attributes
    ----------
    real : tuple of float
        Of exponentials.
    waves : tuple of (float, float)
        How fast the size of each wave grows, and its frequency.
    steady : bool
        Whether waves keep their size.
    """

    real: tuple[float, ...]
    waves: tuple[tuple[float, float], ...]
    steady: bool = False

    @property
    def open(self) -> NDArray[np.float64]:
        """The rates that may be moved."""
        growths = () if self.steady else tuple(growth for growth, _ in self.waves)
        return np.array([*self.real, *(frequency for _, frequency in self.waves), *growths])

    def moved(self, values: NDArray[np.float64]) -> "_Rates":
        """The rates with other values of those that are open.

        Parameters
        ----------
        values : array
            As many as are open.
        """
        some, many = len(self.real), len(self.waves)
        growths = np.zeros(many) if self.steady else values[some + many :]
        waves = zip(growths.tolist(), values[some : some + many].tolist(), strict=True)
        return _Rates(tuple(values[:some].tolist()), tuple(waves), self.steady)

    def columns(self, t: Rows) -> Float64[np.ndarray, "rows columns"]:
        """The values of all functions, cosine before sine, and of 1; each at most about 1.

        Parameters
        ----------
        t : array of shape [rows]
            From -1 to 1.
        """
        found = [np.exp(rate * t - abs(rate)) for rate in self.real]
        for growth, frequency in self.waves:
            size = np.exp(growth * t - abs(growth))
            found += [size * np.cos(frequency * t), size * np.sin(frequency * t)]
        return np.stack([*found, np.ones_like(t)], axis=1)


def exponential_sums(inner: Inner, h: Rows, *, tolerance: float, budget: Budget) -> list[Shape]:
    """Shapes ``sum a_k exp(r_k u) + d``, where pairs of complex r_k are waves ``exp(g u) sin(w u + p)``.

    Such a sum solves a linear differential equation with constant coefficients. Integrated as often as its order, it
    says that h is a weighted sum of its own repeated integrals and of powers of u (Prony's method for rows at any
    places). The roots of the equation are the rates, which are then refined with all factors projected out.

    Parameters
    ----------
    inner : Inner
        The argument u, a single part.
    h : array of shape [rows]
        The values to explain.
    tolerance : float
        How well ``h`` is known, over its deviation.
    budget : Budget
        Is charged.
    """
    half = 0.5 * float(np.ptp(inner.values))
    spread = float(np.std(h))
    if not (inner.plain() and half > 0 and spread > 0):
        return []
    middle = 0.5 * float(np.max(inner.values) + np.min(inner.values))
    t, target = (inner.values - middle) / half, (h - np.mean(h)) / spread
    series = _series(t, target, budget)
    found: list[Shape] = []
    if series is None:
        return []
    least, enough = _LEFT, max(_CLEAR * tolerance, _ROUNDING)
    for order in _ORDERS:
        for start in _starts(series, order):
            rates = _refined(start, t, target, budget)
            shape = _shape(rates, inner, t, h, middle / half, half)
            if shape is not None and shape.error < least:
                found.append(shape)
        least = min([least, *(_BETTER * shape.error for shape in found)])
        if least <= _BETTER * enough or budget.over():
            break
    return found


def _series(t: Rows, target: Rows, budget: Budget) -> NDArray[np.float64] | None:
    """The Legendre series that leaves least of the target in rows left out; None where none follows it."""
    best, least = None, _FOLLOWED
    for degree in _DEGREES:
        if _ROWS_A_TERM * (degree + 1) > len(t):
            break
        basis = legendre.legvander(t, degree)
        q, r = np.linalg.qr(basis)
        budget.charge("decompose", 2 * basis.size * basis.shape[1])
        left = (target - q @ (q.T @ target)) / (1 - np.minimum(np.sum(q**2, axis=1), 1 - 1e-9))
        error = float(np.sqrt(np.mean(left**2)))
        if error < least:
            best, least = np.asarray(np.linalg.lstsq(r, q.T @ target, rcond=1e-13)[0]), error
    return best


def _starts(series: NDArray[np.float64], order: int) -> Iterator[_Rates]:
    """The rates of the differential equation of one order that a series nearly solves; waves without growth too."""
    nodes, weights = legendre.leggauss(2 * len(series))
    integrals = [series]
    for _ in range(order):
        integrals.append(np.asarray(legendre.legint(integrals[-1]), dtype=np.float64))
    seen = np.stack([legendre.legval(nodes, one) for one in integrals], axis=1)
    columns = np.column_stack([seen[:, 1:], legendre.legvander(nodes, order)]) * np.sqrt(weights)[:, None]
    sizes = np.linalg.norm(columns, axis=0)
    factors = np.linalg.lstsq(columns / sizes, seen[:, 0] * np.sqrt(weights), rcond=1e-14)[0] / sizes
    if not np.isfinite(factors).all():
        return
    roots = np.roots([1.0, *(-factors[:order])])
    real = tuple(sorted(float(root.real) for root in roots if root.imag == 0))
    waves = tuple(sorted((float(root.real), float(root.imag)) for root in roots if root.imag > 0))
    slowest = min([abs(rate) for rate in real] + [frequency for _, frequency in waves])
    if np.max(np.abs(roots)) > _FASTEST or slowest < _SLOWEST:
        return
    yield _Rates(real, waves)
    if waves and all(abs(growth) < _STEADY for growth, _ in waves):
        yield _Rates(real, tuple((0.0, frequency) for _, frequency in waves), steady=True)


def _refined(start: _Rates, t: Rows, target: Rows, budget: Budget) -> _Rates:
    """The rates near a start with which factors leave least of the target."""

    def left(values: NDArray[np.float64]) -> Rows:
        columns = start.moved(values).columns(t)
        if not np.isfinite(columns).all():
            return np.full(len(t), 1e3)
        q = np.linalg.qr(columns)[0]
        return np.asarray(target - q @ (q.T @ target))

    begin = start.open
    fit = least_squares(
        left, begin, max_nfev=_EVALUATED, x_scale=np.maximum(np.abs(begin), 0.1), xtol=1e-14, ftol=1e-14
    )
    calls = (len(begin) + 1) * fit.nfev
    budget.charge("fit", 60 * calls * len(t), calls=calls)
    return start.moved(fit.x)


def _shape(rates: _Rates, inner: Inner, t: Rows, h: Rows, middle: float, half: float) -> Shape | None:
    """The sum with the factors that leave least of h; None where a number leaves the range of numbers."""
    columns = rates.columns(t)
    if not np.isfinite(columns).all():
        return None
    factors = np.linalg.lstsq(columns, h, rcond=1e-14)[0]
    error = float(np.std(h - columns @ factors)) / (float(np.std(h)) or 1.0)
    terms: list[tuple[float, Template]] = []
    for rate, factor in zip(rates.real, factors, strict=False):
        terms.append((float(factor) * _grown(rate, middle), _exponential(inner, rate / half)))
    for k, (growth, frequency) in enumerate(rates.waves):
        cosine, sine = factors[len(rates.real) + 2 * k : len(rates.real) + 2 * k + 2]
        size, phase = float(np.hypot(cosine, sine)), float(np.arctan2(cosine, sine)) - frequency * middle
        turns = float(np.round(phase / np.pi))
        sign, phase = (-1.0 if turns % 2 else 1.0), phase - turns * np.pi
        wave = inner.template(frequency / half, phase, scale_free=True)
        parts = [Template(sympy.sin(wave.expression), wave.start)]
        parts += [] if rates.steady else [_exponential(inner, growth / half)]
        terms.append((sign * size * _grown(growth, middle), product(parts)))
    if not all(np.isfinite(factor) and factor for factor, _ in terms):
        return None
    return Shape(tuple(terms), float(factors[-1]), error)


def _grown(rate: float, middle: float) -> float:
    """What a factor of a column becomes as a factor of exp(rate * u / half)."""
    with np.errstate(over="ignore"):
        return float(np.exp(-abs(rate) - rate * middle))


def _exponential(inner: Inner, rate: float) -> Template:
    grown = inner.template(rate, None, scale_free=True)
    return Template(sympy.exp(grown.expression), grown.start)
