"""Smooth stand-ins for unknown functions: Legendre series, used to see parts of y before their form is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Float64

from ._budget import Budget
from ._polynomial import Powers, powers

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]
Group = tuple[int, ...]

_SHARE = 0.45  # columns a row
_HIGHEST = 14  # total degree of a series: it follows a wave of three periods
_HIGHEST_GRADIENT = 7  # and of one whose slopes are asked for
_LEGENDRE = 20  # columns of a decomposition that the values of one are worth
_MIDDLE, _HALF = 0.6, 0.25  # of a column mapped to [-1, 1]: where its median lies, and its middle half
_SEEN = 0.3  # of y's deviation left, above which a polynomial says nothing about inputs


def centred(x: Matrix) -> Matrix:
    """Columns mapped to [-1, 1], constant ones to zero.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The columns.
    """
    low, high = np.min(x, axis=0), np.max(x, axis=0)
    half = np.where(high > low, 0.5 * (high - low), 1.0)
    return np.asarray((x - 0.5 * (low + high)) / half, dtype=np.float64)


def evenly_spread(x: Matrix) -> bool:
    """Whether most columns are spread over their ranges, and not over decades.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The columns.
    """
    low, middle, high = np.quantile(centred(x), [0.25, 0.5, 0.75], axis=0)
    return bool(np.mean((np.abs(middle) < _MIDDLE) & (high - low > _HALF)) > 0.5)


def legendre(t: Matrix, exponents: Sequence[Powers]) -> Float64[np.ndarray, "rows terms"]:
    """Products of Legendre polynomials.

    Parameters
    ----------
    t : array of shape [rows, columns]
        Values in [-1, 1].
    exponents : sequence of tuples of int
        The order in each column, one tuple for each product.
    """
    highest = max((max(e, default=0) for e in exponents), default=0)
    table = np.stack([np.polynomial.legendre.legvander(t[:, i], highest) for i in range(t.shape[1])])
    columns = np.ones((t.shape[0], len(exponents)))
    for place, exponent in enumerate(exponents):
        for index, order in enumerate(exponent):
            if order:
                columns[:, place] *= table[index, :, order]
    return columns


def size(group: Group, degree: int) -> int:
    """How many terms a group takes up to a total degree, without the constant.

    Parameters
    ----------
    group : tuple of int
        The columns of the group.
    degree : int
        The total degree.
    """
    return comb(degree + len(group), len(group)) - 1


@dataclass(frozen=True)
class Smooth:
    """A fit y = offset + sum over groups of a polynomial of the group's inputs.

    Attributes
    ----------
    groups : tuple of tuples of int
        The columns of each group.
    values : tuple of arrays of shape [rows]
        Each group's part on the rows, with mean zero.
    offset : float
        The constant.
    error : float
        The leave-one-out error, root mean square over y's deviation: what the split leaves unexplained.
    degrees : tuple of int
        The total degree of each group's polynomial.
    """

    groups: tuple[Group, ...]
    values: tuple[Rows, ...]
    offset: float
    error: float
    degrees: tuple[int, ...]


def affordable(groups: Sequence[Group], rows: int) -> int:
    """The largest common degree whose columns stay below 0.45 for each row; 0 where not even degree 1 does.

    Parameters
    ----------
    groups : sequence of tuples of int
        The columns of each group.
    rows : int
        How many rows there are.
    """
    degree = 0
    while degree < _HIGHEST and 1 + sum(size(g, degree + 1) for g in groups) <= _SHARE * rows:
        degree += 1
    return degree


def fit_smooth(x: Matrix, y: Rows, groups: Sequence[Group], degrees: Sequence[int], *, budget: Budget) -> Smooth:
    """Least squares with a given total degree for each group; the error is exact leave-one-out.

    That is e_i / (1 - h_ii), h the diagonal of the projection (Allen's PRESS).

    Parameters
    ----------
    x : array of shape [rows, columns]
        The inputs.
    y : array of shape [rows]
        The output.
    groups : sequence of tuples of int
        The columns of each group.
    degrees : sequence of int
        The total degree of each group's polynomial.
    budget : Budget
        Is charged.
    """
    t = centred(x)
    blocks = [
        legendre(t[:, list(group)], powers(len(group), degree)[1:]) if degree else np.zeros((len(y), 0))
        for group, degree in zip(groups, degrees, strict=True)
    ]
    middles = [np.mean(block, axis=0) for block in blocks]
    columns = np.column_stack([np.ones(len(y)), *(b - m for b, m in zip(blocks, middles, strict=True))])
    q, r = np.linalg.qr(columns)
    leverage = np.minimum(np.sum(q**2, axis=1), 1 - 1e-9)
    residual = y - q @ (q.T @ y)
    spread = float(np.std(y)) or 1.0
    error = float(np.sqrt(np.mean((residual / (1 - leverage)) ** 2))) / spread
    coefficients = np.linalg.lstsq(r, q.T @ y, rcond=1e-13)[0]
    budget.charge("decompose", columns.size * (columns.shape[1] + _LEGENDRE), calls=2)
    values, place = [], 1
    for block, middle in zip(blocks, middles, strict=True):
        values.append((block - middle) @ coefficients[place : place + block.shape[1]])
        place += block.shape[1]
    return Smooth(tuple(groups), tuple(values), float(coefficients[0]), error, tuple(degrees))


def best_smooth(x: Matrix, y: Rows, groups: Sequence[Group], *, budget: Budget) -> Smooth | None:
    """Degrees grown one group at a time, always where the leave-one-out error falls most; None with too few rows.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The inputs.
    y : array of shape [rows]
        The output.
    groups : sequence of tuples of int
        The columns of each group.
    budget : Budget
        Cuts the growing short.
    """
    rows = len(y)
    if affordable(groups, rows) == 0:
        return None
    degrees = [1] * len(groups)
    best = fit_smooth(x, y, groups, degrees, budget=budget)
    stalled = 0
    while stalled < 2 and best.error > 1e-12 and not budget.over():
        trials: list[tuple[Smooth, list[int]]] = []
        for k in range(len(groups)):
            grown = [degree + (2 if i == k and stalled else i == k) for i, degree in enumerate(degrees)]
            if trials and budget.over():
                break
            if max(grown) <= _HIGHEST and 1 + sum(map(size, groups, grown)) <= _SHARE * rows:
                trials.append((fit_smooth(x, y, groups, grown, budget=budget), grown))
        if not trials:
            break
        trial, grown = min(trials, key=lambda pair: pair[0].error)
        if trial.error < 0.97 * best.error:
            best, degrees, stalled = trial, grown, 0
        else:
            stalled += 1
    return best


def noise_level(x: Matrix, y: Rows, *, budget: Budget) -> float:
    """What smooth fits of any form leave of y, in units of its deviation: the least leave-one-out error of a few.

    The fits are a sum over single inputs, and polynomials in all inputs together. It is an upper bound on the noise; 1
    with too few rows.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The inputs.
    y : array of shape [rows]
        The output.
    budget : Budget
        Cuts it short.
    """
    width = x.shape[1]
    splits = [tuple((i,) for i in range(width)), (tuple(range(width)),)]
    fits = [best_smooth(x, y, groups, budget=budget) for groups in splits if groups and width]
    return min([1.0, *(fit.error for fit in fits if fit is not None)])


@dataclass(frozen=True)
class Gradients:
    """The gradient of a polynomial fit on each row.

    Attributes
    ----------
    slopes : array of shape [rows, columns]
        In the units of y over those of x.
    doubts : array of shape [columns]
        How far a slope may be off. What a polynomial of degree d misses goes up and down d + 1 times over half the
        range of a column at least, so that is what is missed, times d + 1, over half the range.
    missed : float
        What generalized cross-validation foretells that the fit misses, as root mean square over y's deviation.
    """

    slopes: Matrix
    doubts: Float64[np.ndarray, "columns"]
    missed: float

    @property
    def bounds(self) -> Matrix:
        """How steep y may be on each row: the slopes, and what is doubted of them, squares added."""
        return np.asarray(np.hypot(self.slopes, self.doubts))


def gradients(x: Matrix, y: Rows, *, budget: Budget) -> Gradients | None:
    """The gradient of a polynomial fit on each row; None with too few rows.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The inputs.
    y : array of shape [rows]
        The output.
    budget : Budget
        Is charged.
    """
    group = tuple(range(x.shape[1]))
    degree = min(affordable([group], len(y)), _HIGHEST_GRADIENT)
    if degree == 0 or not group:
        return None
    low, high = np.min(x, axis=0), np.max(x, axis=0)
    half = np.where(high > low, 0.5 * (high - low), 1.0)
    t, exponents = centred(x), powers(len(group), degree)
    columns = legendre(t, exponents)
    coefficients = np.linalg.lstsq(columns, y, rcond=1e-12)[0]
    budget.charge("solve", len(t) * len(exponents) ** 2)
    missed = float(np.sqrt(np.mean((y - columns @ coefficients) ** 2))) * len(t) / (len(t) - len(exponents))
    gradient = np.empty_like(t)
    for i in range(t.shape[1]):
        step = np.zeros(t.shape[1])
        step[i] = 1e-4
        change = legendre(t + step, exponents) - legendre(t - step, exponents)
        budget.charge("columns", 2 * len(t) * len(exponents))
        gradient[:, i] = change @ coefficients / (2e-4 * half[i])
    return Gradients(gradient, missed * (degree + 1) / half, missed / (float(np.std(y)) or 1.0))


def direction(x: Matrix, y: Rows, *, budget: Budget) -> tuple[tuple[float, ...], float] | None:
    """The weighted sum a.x that y seems to depend on, and the share of its gradient across it (0: all along).

    It is the leading eigenvector of the mean outer product of gradients of a polynomial fit (the active subspace); None
    where no polynomial can be fitted.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The inputs.
    y : array of shape [rows]
        The output.
    budget : Budget
        Is charged.
    """
    found = gradients(x, y, budget=budget) if x.shape[1] > 1 else None
    if found is None:
        return None
    gradient = found.slopes
    values, vectors = np.linalg.eigh(gradient.T @ gradient)
    if not values[-1] > 0:
        return None
    return tuple(float(v) for v in vectors[:, -1]), float(np.sqrt(max(values[:-1].sum(), 0.0) / values.sum()))


def relevant(x: Matrix, y: Rows, *, budget: Budget) -> tuple[int, ...] | None:
    """The columns that a polynomial of y needs; None where no column can go, or nothing is seen.

    Columns go one by one, as long as the leave-one-out error does not rise by 5 %: fewer inputs afford a higher
    degree. Seen means that less than a third of y's deviation is left in the end, at degree 2 or more.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The inputs.
    y : array of shape [rows]
        The output.
    budget : Budget
        Cuts it short.
    """

    def error(columns: Group) -> float:
        degree = min(affordable([tuple(range(len(columns)))], len(y)), 8)
        if degree < 1 or not columns:
            return float("inf")
        return fit_smooth(x[:, list(columns)], y, [tuple(range(len(columns)))], [degree], budget=budget).error

    kept: Group = tuple(range(x.shape[1]))
    now = error(kept)
    while len(kept) > 1 and not budget.over():
        trials = [(error(tuple(j for j in kept if j != i)), i) for i in kept]
        least, idle = min(trials)
        if not least <= 1.05 * now:
            break
        kept, now = tuple(j for j in kept if j != idle), least
    seen = now < _SEEN and affordable([tuple(range(len(kept)))], len(y)) > 1
    return kept if seen and len(kept) < x.shape[1] else None
