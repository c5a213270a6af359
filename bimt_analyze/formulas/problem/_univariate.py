"""The library of one variable, a*f(b*u + c) + d: a and d are solved for, b and c started from many places at once."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from ._budget import Budget
from ._inner import Inner
from ._least_squares import needed
from ._operators import OPERATORS, OUTGROWN, Operator
from ._template import Template, constant, product, total

Rows = Float64[np.ndarray, "rows"]
Starts = Float64[np.ndarray, "starts"]

_STEPS = 25  # of Levenberg-Marquardt: enough to rank shapes, the constants are refined later
_STARTS = 5  # the best of them go on
_DEGREE = 6  # of a polynomial in one argument: a higher one is a stand-in for another function
_NOT_OF_SQUARES = ("cos", "abs", "asin", "tan", "sinh", "cosh")
_OF_POWERS = ("exp", "tanh")  # of p log(u) + c: a power with an offset, and what goes with a power into saturation
_SLOWEST, _FASTEST = 0.3, 30.0  # radians over half of u's range


@dataclass(frozen=True)
class Shape:
    """A function of one argument, h(u) = sum of coefficient * basis(u) + offset.

    Attributes
    ----------
    terms : tuple of (float, Template)
        The coefficients with their basis functions.
    offset : float
        The constant.
    error : float
        Root mean square of what is left of h, over its deviation.
    swallows : bool
        Whether the basis can take up the offset itself (a logarithm with a free scale), so that none is needed.
    length : float
        What the length of the basis functions adds to the rank.
    """

    terms: tuple[tuple[float, Template], ...]
    offset: float
    error: float
    swallows: bool = False
    length: float = 0.0

    def rank(self, tolerance: float) -> float:
        """What sorts shapes: decades of error, and a fifth of a decade for each constant.

        Parameters
        ----------
        tolerance : float
            The error below which no less counts as better.
        """
        size = sum(1 + len(template.start) for _, template in self.terms)
        return float(np.log10(max(self.error, tolerance, 1e-12))) + 0.2 * size + self.length

    def added(self) -> Template:
        """The shape without its offset, as a term of a sum."""
        return total([_times(value, template) for value, template in self.terms], None)

    def factor(self) -> Template:
        """The shape divided by its first coefficient, as a factor of a product."""
        first = self.terms[0][0]
        rest = [_times(value / first, template) for value, template in self.terms[1:]]
        return total([self.terms[0][1], *rest], None if self.swallows else self.offset / first)

    def whole(self) -> Template:
        """The shape with its offset."""
        template = self.added() if self.swallows else self.added().shifted(self.offset)
        return Template(template.expression, template.start, self.error)


def _times(value: float, template: Template) -> Template:
    """A template times an open constant that starts at a value."""
    c = constant()
    return product([Template(c, {c: value}), template])


def shapes(inner: Inner, h: Rows, *, tolerance: float, budget: Budget, most: int = 4) -> list[Shape]:
    """The best shapes for h as a function of u, and of its square and logarithm where u is a single part.

    Parameters
    ----------
    inner : Inner
        The argument u.
    h : array of shape [rows]
        The values to explain.
    tolerance : float
        How well ``h`` is known, over its deviation.
    budget : Budget
        Is charged.
    most : int
        How many shapes are given at most.
    """
    found: list[Shape] = list(_polynomial(inner, h, tolerance, budget))
    of_square = [entry for entry in OPERATORS if entry.name not in _NOT_OF_SQUARES]
    asked = [(inner, [*(entry for entry in OPERATORS if entry.name != "cos"), OUTGROWN])]
    if inner.plain() and np.ptp(inner.values**2) > 0 and np.max(np.abs(inner.values)) < 1e150:
        asked.append((inner.squared(), of_square))
    if inner.plain() and np.min(inner.values) > 0:  # powers of u, also within a function
        asked.append((inner.logarithm(), [entry for entry in OPERATORS if entry.name in _OF_POWERS] + [OUTGROWN]))
    for argument, entries in asked:
        for entry in entries:
            found += _fitted(entry, argument, h, budget)
    found = [shape for shape in found if np.isfinite(shape.error)]
    return sorted(found, key=lambda shape: shape.rank(tolerance))[:most]


def _polynomial(inner: Inner, h: Rows, tolerance: float, budget: Budget) -> Iterator[Shape]:
    """Sparse polynomials of u by growing degree, until one explains h."""
    size = float(np.max(np.abs(inner.values)))
    spread = float(np.std(h)) or 1.0
    limit = max(tolerance, 1e-11) * spread * 3
    for degree in range(1, _DEGREE + 1):
        if 2 * (degree + 1) >= len(h) or size**degree > 1e150 or size**degree < 1e-150:
            return
        columns = np.stack([inner.values**k for k in range(degree + 1)], axis=1)
        kept, coefficients = needed(columns, h, explained=lambda r: bool(np.all(np.abs(r) <= limit)), budget=budget)
        residual = h - columns[:, kept] @ coefficients
        error = float(np.sqrt(np.mean(residual**2))) / spread
        offset = sum((float(v) for k, v in zip(kept, coefficients, strict=True) if k == 0), 0.0)
        base = inner.template(1.0, None, scale_free=False)
        terms = tuple(
            (float(v), Template(base.expression ** int(k), base.start))
            for k, v in zip(kept, coefficients, strict=True)
            if k > 0
        )
        if terms:
            yield Shape(terms, offset, error)
        if error * spread <= limit:
            return


def _fitted(entry: Operator, inner: Inner, h: Rows, budget: Budget) -> list[Shape]:
    """The best fits of one operator, as shapes."""
    middle = 0.5 * (float(np.max(inner.values)) + float(np.min(inner.values)))
    half = 0.5 * float(np.ptp(inner.values))
    t = (inner.values - middle) / half
    spread = float(np.std(h)) or 1.0
    scaled = (h - np.mean(h)) / spread
    b, c = _starts(entry, t, scaled, natural=-middle / half)
    if len(b) == 0:
        return []
    state = _descend(entry, t, scaled, b, c, budget)
    error = np.sqrt(state.miss / len(t))
    found: list[Shape] = []
    for place in np.argsort(error):
        if len(found) == 2 or not error[place] < 0.7 or (found and error[place] > 0.8 * found[0].error):
            break
        scale = float(state.b[place]) / half
        shift = float(state.c[place]) - scale * middle
        offset = float(state.d[place]) * spread + float(np.mean(h))
        found += _shape(entry, inner, (float(state.a[place]) * spread, scale, shift, offset), float(error[place]))
    return found


def _shape(entry: Operator, inner: Inner, fit: tuple[float, float, float, float], error: float) -> list[Shape]:
    """A fit written with the constants that its family can tell apart.

    Logarithms come in two ways, with and without an offset of their own.
    """
    a, b, c, d = fit
    if entry.family == "growth":
        template = inner.template(b, None, scale_free=True)
        return [Shape(((a * float(np.exp(min(c, 700.0))), _apply(entry, template)),), d, error)]
    if entry.family in ("edge", "kink"):
        size, sign = abs(b), (1.0 if b > 0 else -1.0)
        unit = float(entry(np.array([size]))[0])
        template = inner.template(sign, c / size, scale_free=False)
        if entry.name != "log":
            return [Shape(((a * unit, _apply(entry, template)),), d, error)]
        lift = d / a + unit
        shape = Shape(((a, _apply(entry, template)),), d + a * unit, error)
        if abs(lift) > 50:
            return [shape]
        free = inner.template(sign * float(np.exp(lift)), c / size * float(np.exp(lift)), scale_free=True)
        return [Shape(((a, _apply(entry, free)),), 0.0, error, swallows=True), shape]
    if entry.family == "wave":
        c = float(np.remainder(c, 2 * np.pi))
        c, a = (c - np.pi, -a) if c > np.pi else (c, a)
        c, a = (c - np.pi, -a) if c > 0.75 * np.pi else (c, a)
    return [Shape(((a, _apply(entry, inner.template(b, c, scale_free=True))),), d, error)]


def _apply(entry: Operator, template: Template) -> Template:
    """The operator around a template."""
    return Template(entry.build(template.expression), template.start)


def _starts(entry: Operator, t: Rows, h: Rows, *, natural: float) -> tuple[Starts, Starts]:
    """Where to begin with b and c, for t in [-1, 1]; ``natural`` is the t at which u is zero."""
    if entry.family == "wave":
        return _frequencies(t, h)
    if entry.family == "growth":
        rates = np.array([0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0])
        b = np.concatenate([rates, -rates])
        return b, np.zeros_like(b)
    if entry.family == "edge":
        ends = 1.0 + np.array([1e-6, 1e-3, 0.01, 0.05, 0.2, 0.6, 2.0, 6.0, 20.0])
        b = np.concatenate([np.ones(len(ends) + 1), -np.ones(len(ends) + 1)])
        c = np.concatenate([ends, [-natural], ends, [natural]])
    elif entry.family == "kink":
        c = -np.concatenate([np.linspace(-0.8, 0.8, 9), [natural]])
        b = np.ones_like(c)
    else:
        slopes = np.array([0.2, 0.5, 0.9, 1.5, 3.0, 6.0, 12.0])
        places = np.array([natural, -0.6, 0.0, 0.6])
        slopes = slopes if entry is not OUTGROWN else np.concatenate([slopes, -slopes])
        b = np.repeat(slopes, len(places))
        c = -b * np.tile(places, len(slopes))
    valid = [bool(np.all(np.isfinite(entry(b[k] * t + c[k])))) for k in range(len(b))]
    return b[valid], c[valid]


def _frequencies(t: Rows, h: Rows) -> tuple[Starts, Starts]:
    """The local minima, over b, of the best fit by sin(b t), cos(b t) and a constant."""
    b = np.linspace(_SLOWEST, min(_FASTEST, max(len(t) / 4, 2.0)), 72)
    basis = np.stack([np.sin(b[:, None] * t), np.cos(b[:, None] * t), np.ones((len(b), len(t)))], axis=2)
    q = np.linalg.qr(basis)[0]
    rest = h - (q @ (q.transpose(0, 2, 1) @ h[:, None]))[:, :, 0]
    miss = np.sum(rest**2, axis=1)
    padded = np.concatenate([[np.inf], miss, [np.inf]])
    low = np.flatnonzero((padded[1:-1] <= padded[:-2]) & (padded[1:-1] <= padded[2:]))
    chosen = low[np.argsort(miss[low])][:4]
    phases = []
    for place in chosen:
        s, c, _ = np.linalg.lstsq(basis[place], h, rcond=None)[0]
        phases.append(float(np.arctan2(c, s)))
    return b[chosen], np.array(phases)


@dataclass(frozen=True)
class _State:
    """For every start: b and c, the best a and d for them, what is left of h, f itself, and the sum of squares."""

    b: Starts
    c: Starts
    a: Starts
    d: Starts
    residual: Float64[np.ndarray, "starts rows"]
    f: Float64[np.ndarray, "starts rows"]
    miss: Starts

    def taken(self, kept: NDArray[np.intp]) -> "_State":
        """Some of the starts.

        Parameters
        ----------
        kept : array of int
            Their places.
        """
        return _State(*(getattr(self, field.name)[kept] for field in fields(self)))

    def bettered(self, trial: "_State") -> tuple["_State", NDArray[np.bool_]]:
        """The trial where it leaves less, this state elsewhere; and where that was.

        Parameters
        ----------
        trial : _State
            As many starts, at other values of b and c.
        """
        better = trial.miss < self.miss
        if better.all():
            return trial, better
        if not better.any():
            return self, better
        mixed = []
        for field in fields(self):
            old, new = getattr(self, field.name), getattr(trial, field.name)
            mixed.append(np.where(better[:, None] if old.ndim == 2 else better, new, old))
        return _State(*mixed), better


def _descend(entry: Operator, t: Rows, h: Rows, b: Starts, c: Starts, budget: Budget) -> _State:
    """Levenberg-Marquardt on b and c of the best starts, with a and d projected out (Kaufman's approximation)."""
    moves = np.array([entry.family in ("wave", "growth", "sigmoid"), entry.family != "growth"], dtype=np.float64)
    state = _project(entry, t, h, b, c)
    budget.charge("shapes", len(b) * len(t))
    state = state.taken(np.argsort(state.miss)[:_STARTS])
    damping = np.full(len(state.b), 1e-2)
    with np.errstate(all="ignore"):
        for _ in range(_STEPS):
            budget.charge("shapes", len(state.b) * len(t))
            slope = np.asarray(entry.slope(state.b[:, None] * t + state.c[:, None])) * state.a[:, None]
            jacobian = np.stack([slope * t * moves[0], slope * moves[1]], axis=1)
            jacobian -= jacobian.mean(axis=2, keepdims=True)
            along = state.f - state.f.mean(axis=1, keepdims=True)
            size = np.maximum((along**2).sum(axis=1), 1e-300)
            jacobian -= (jacobian @ along[:, :, None]) / size[:, None, None] * along[:, None, :]
            jacobian[~np.isfinite(jacobian)] = 0.0
            residual = np.where(np.isfinite(state.residual), state.residual, 0.0)
            normal = jacobian @ jacobian.transpose(0, 2, 1)
            diagonal = normal[:, [0, 1], [0, 1]]
            ridge = damping[:, None] * diagonal + 1e-14 * diagonal.max(axis=1, keepdims=True) + 1e-200
            step = np.linalg.solve(normal + ridge[:, :, None] * np.eye(2), jacobian @ residual[:, :, None])[:, :, 0]
            trial = _project(entry, t, h, state.b + step[:, 0], state.c + step[:, 1])
            before = state.miss
            state, better = state.bettered(trial)
            damping = np.clip(np.where(better, damping * 0.2, damping * 6), 1e-12, 1e8)
            moved = before - state.miss > 1e-6 * before
            if not np.any(moved) and (np.any(better) or np.all(damping > 1e3)):
                break
    return state


def _project(entry: Operator, t: Rows, h: Rows, b: Starts, c: Starts) -> _State:
    """The best a and d by least squares; the sum of squares is infinite where f is not finite."""
    with np.errstate(all="ignore"):
        f = entry(b[:, None] * t + c[:, None])
        middle = np.mean(f, axis=1, keepdims=True)
        along = f - middle
        level = np.mean(h)
        a = (along @ (h - level)) / np.maximum(np.sum(along**2, axis=1), 1e-300)
        d = level - a * middle[:, 0]
        residual = h - a[:, None] * f - d[:, None]
        miss = np.sum(residual**2, axis=1)
    return _State(b, c, a, d, residual, f, np.where(np.isfinite(miss), miss, np.inf))
