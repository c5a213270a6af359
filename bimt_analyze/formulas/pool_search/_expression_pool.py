"""A pool of short expressions by growing length, told apart by their values, for searches that try them all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray

from ..problem._budget import Budget

Values = Float64[np.ndarray, "features rows"]
Numbers = NDArray[np.int64]
Array = NDArray[np.float64]

_LARGEST = 1e9  # of a value, in units of the feature's mean size
_FLAT = 1e-6  # of its size: a feature that varies less says nothing
_COMPARED_ROWS = 12  # rows whose values tell features apart
_DIGITS = 1e8  # to which scaled values must agree to be one feature
_CHUNK = 4000  # features computed at once: 10 MB at 300 rows


@dataclass(frozen=True)
class _Unary:
    """A function of one feature.

    Attributes
    ----------
    name : str
        Its name.
    value : callable
        The function, elementwise.
    build : callable
        The function of a sympy expression.
    positive : bool
        Whether its argument must be positive.
    widest : float
        The largest magnitude that its argument may have.
    transcendental : bool
        Whether it is transcendental; such a function is not applied on top of another.
    """

    name: str
    value: Callable[[Array], Array]
    build: Callable[[sympy.Expr], sympy.Expr]
    positive: bool = False
    widest: float = np.inf  # of the argument's values
    transcendental: bool = False


UNARY: tuple[_Unary, ...] = (
    _Unary("square", np.square, lambda e: e**2),
    _Unary("root", np.sqrt, sympy.sqrt, positive=True),
    _Unary("inverse", lambda v: 1 / v, lambda e: 1 / e),
    _Unary("one more", lambda v: 1 + v, lambda e: 1 + e),
    _Unary("one less", lambda v: 1 - v, lambda e: 1 - e),
    _Unary("sine", np.sin, sympy.sin, widest=100.0, transcendental=True),
    _Unary("cosine", np.cos, sympy.cos, widest=100.0, transcendental=True),
    _Unary("exponential", np.exp, sympy.exp, widest=40.0, transcendental=True),
    _Unary("logarithm", np.log, sympy.log, positive=True, transcendental=True),
)
_PLUS, _MINUS, _TIMES, _OVER, _UNDER = range(len(UNARY), len(UNARY) + 5)
_LEAF = -1


@dataclass(frozen=True, eq=False)
class Pool:
    """Expressions of the columns, shortest first; hardly any two are proportional on the rows.

    Attributes
    ----------
    columns : tuple of sympy.Symbol
        The inputs.
    values : array of shape [features, rows]
        Each expression on the rows.
    operators : array of int
        Feature k is ``operators[k]`` of ``left[k]`` (and ``right[k]``).
    left, right : array of int
        The features it is made of; a leaf's ``left`` is its column.
    sizes : array of int
        The nodes of its tree.
    """

    columns: tuple[sympy.Symbol, ...]
    values: Values
    operators: Numbers
    left: Numbers
    right: Numbers
    sizes: Numbers

    def __len__(self) -> int:
        return len(self.sizes)

    def first(self, count: int) -> Values:
        """The values of the shortest features.

        Parameters
        ----------
        count : int
            How many at most.
        """
        return self.values[:count]

    def expression(self, k: int | np.integer) -> sympy.Expr:
        """One feature in sympy.

        Parameters
        ----------
        k : int
            Its number.
        """
        code = int(self.operators[k])
        if code == _LEAF:
            return self.columns[int(self.left[k])]
        one = self.expression(int(self.left[k]))
        if code < len(UNARY):
            return UNARY[code].build(one)
        two = self.expression(int(self.right[k]))
        return {_PLUS: one + two, _MINUS: one - two, _TIMES: one * two, _OVER: one / two, _UNDER: two / one}[code]


@dataclass
class _Growth:
    """The pool while it grows: lists of levels, and the keys of what is known."""

    limit: int
    rows: NDArray[np.int64]
    values: list[Values] = field(default_factory=list)
    about: list[NDArray[np.int64]] = field(default_factory=list)  # operator, left, right, size, transcendental
    known: set[bytes] = field(default_factory=set)
    count: int = 0

    def add(self, values: Values, about: NDArray[np.int64]) -> None:
        """Take what is finite, varies, and is not proportional to a feature that is known.

        Parameters
        ----------
        values : array of shape [features, rows]
            New features.
        about : array of int of shape [features, 5]
            Operator, left, right, size and whether it is transcendental, for each.
        """
        with np.errstate(all="ignore"):
            mean = np.mean(np.abs(values), axis=1)
            spread = np.std(values, axis=1)
            peak = np.max(np.abs(values), axis=1)
            usable = np.isfinite(peak) & (mean > 0) & (spread > _FLAT * mean) & (peak < _LARGEST * mean)
        places = np.flatnonzero(usable)
        if not len(places):
            return
        sample = values[places][:, self.rows]
        scale = np.linalg.norm(sample, axis=1, keepdims=True)
        lead = np.take_along_axis(sample, np.argmax(np.abs(sample) > 0.1 * scale, axis=1)[:, None], axis=1)
        with np.errstate(all="ignore"):
            rounded = np.round(sample / np.where(lead < 0, -scale, scale) * _DIGITS)
        rounded = np.where(np.isfinite(rounded), rounded + 0.0, 0.0)
        kept: list[int] = []
        for place, key in zip(places.tolist(), rounded, strict=True):
            mark = key.tobytes()
            if mark not in self.known and self.count + len(kept) < self.limit:
                self.known.add(mark)
                kept.append(place)
        if kept:
            self.values.append(values[kept])
            self.about.append(about[kept])
            self.count += len(kept)

    @property
    def full(self) -> bool:
        """Whether the limit is reached."""
        return self.count >= self.limit


def build_pool(
    x: Float64[np.ndarray, "rows columns"],
    columns: tuple[sympy.Symbol, ...],
    *,
    limit: int,
    budget: Budget,
    longest: int = 9,
) -> Pool:
    """All expressions of sums, differences, products, quotients and `UNARY` functions, by growing number of nodes.

    Proportional features are one, since their factors are solved for later.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The rows.
    columns : tuple of sympy.Symbol
        The inputs' symbols.
    limit : int
        How many features the pool holds at most.
    budget : Budget
        Stops the growing.
    longest : int
        How many nodes an expression has at most.
    """
    rows = np.linspace(0, len(x) - 1, min(_COMPARED_ROWS, len(x))).astype(np.int64)
    growth = _Growth(limit, rows)
    width = len(columns)
    leaves = np.stack([np.full(width, _LEAF), np.arange(width), np.zeros(width), np.ones(width), np.zeros(width)], 1)
    growth.add(np.ascontiguousarray(x.T), leaves.astype(np.int64))
    for size in range(2, longest + 1 if growth.values else 2):  # none where every column leaves the range of numbers
        for values, about in _longer(growth, size):
            budget.charge("pool", values.size)
            growth.add(values, about)
            if growth.full or budget.over():
                break
        if growth.full or budget.over():
            break
    about = np.concatenate(growth.about) if growth.about else np.zeros((0, 5), dtype=np.int64)
    values = np.concatenate(growth.values) if growth.values else np.zeros((0, len(x)))
    return Pool(columns, values, about[:, 0], about[:, 1], about[:, 2], about[:, 3])


def _longer(growth: _Growth, size: int) -> Iterator[tuple[Values, NDArray[np.int64]]]:
    """Everything of one size, chunk by chunk: functions of one feature first, then pairs."""
    values, about = np.concatenate(growth.values), np.concatenate(growth.about)
    sizes, transcendental = about[:, 3], about[:, 4]
    below = np.flatnonzero(sizes == size - 1)
    low, high = np.min(values, axis=1), np.max(values, axis=1)
    for code, unary in enumerate(UNARY):
        fit = below[(low[below] > 0) | (not unary.positive)]
        fit = fit[np.maximum(np.abs(low[fit]), np.abs(high[fit])) < unary.widest]
        fit = fit[(transcendental[fit] == 0) | (not unary.transcendental)]
        for part in _chunks(fit):
            with np.errstate(all="ignore"):
                yield (
                    unary.value(values[part]),
                    _about(code, part, part * 0, size, transcendental[part] | int(unary.transcendental)),
                )
    for one in range(1, (size - 1) // 2 + 1):
        left, right = np.flatnonzero(sizes == one), np.flatnonzero(sizes == size - 1 - one)
        if not len(left) or not len(right):
            continue
        for part in _chunks(right, max(1, _CHUNK // len(left))):
            first, second = np.repeat(left, len(part)), np.tile(part, len(left))
            for code, pair in _PAIRS.items():
                with np.errstate(all="ignore"):
                    joined = pair(values[first], values[second])
                yield joined, _about(code, first, second, size, transcendental[first] | transcendental[second])


_PAIRS: dict[int, Callable[[Array, Array], Array]] = {
    _TIMES: np.multiply,
    _OVER: np.divide,
    _UNDER: lambda one, two: two / one,
    _PLUS: np.add,
    _MINUS: np.subtract,
}


def _about(code: int, left: Numbers, right: Numbers, size: int, transcendental: Numbers) -> NDArray[np.int64]:
    """The rows of `_Growth.about` for new features."""
    return np.stack([np.full(len(left), code), left, right, np.full(len(left), size), transcendental], axis=1).astype(
        np.int64
    )


def _chunks(places: Numbers, length: int = _CHUNK) -> Iterator[Numbers]:
    """The places in pieces of a length, so that no array is too large."""
    for start in range(0, len(places), length):
        yield places[start : start + length]
