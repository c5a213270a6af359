"""Expressions of one argument u: powers, functions of them, functions of those, and their products."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from ..problem._operators import SELDOM, operator

Array = NDArray[np.float64]
Elementwise = Callable[[Array], Array]

_POWERS = tuple(
    map(sympy.Rational, ("1", "2", "1/2", "-1", "3", "-2", "-1/2", "3/2", "4", "-3", "5", "6", "7", "8", "9"))
)
_INNER = 6  # of these powers, of which functions are taken
_FACTORS = 7  # of these powers, by which functions are multiplied
_RAISED = (2, 3, -1, -2)  # powers of functions
_LARGEST = 1e9  # of a value, in units of the feature's mean size
_FLAT = 1e-6  # of its size: a feature that varies less says nothing
_CHUNK = 20_000  # features at once: 10 MB at 64 rows


@dataclass(frozen=True)
class Feature:
    """An expression of one argument.

    Attributes
    ----------
    value : callable
        Its values, of an array.
    build : callable
        Its sympy expression, of an expression.
    """

    value: Elementwise
    build: Callable[[sympy.Expr], sympy.Expr]


@dataclass(frozen=True)
class Features:
    """Many expressions of one argument on some rows, each written only where it is asked for.

    Attributes
    ----------
    values : array of shape [features, rows]
        Finite numbers.
    nodes : array of shape [features]
        How long the expressions are, roughly.
    feature : callable
        Gives the feature of a number.
    """

    values: Float64[np.ndarray, "features rows"]
    nodes: Int64[np.ndarray, "features"]
    feature: Callable[[int], Feature]

    def __len__(self) -> int:
        return len(self.nodes)

    def chosen(self, places: NDArray[np.int64]) -> "Features":
        """Some of the features.

        Parameters
        ----------
        places : array of int
            Their numbers.
        """
        return Features(self.values[places], self.nodes[places], lambda k: self.feature(int(places[k])))


@dataclass(frozen=True)
class _Function:
    """A function that is taken of features, and the largest argument that it may have."""

    feature: Feature
    widest: float = np.inf


def _function(name: str, widest: float = np.inf) -> _Function:
    one = operator(name)
    return _Function(Feature(one.value, one.build), widest)


_FUNCTIONS = (
    _function("sin", 60.0),
    _function("cos", 60.0),
    _function("exp", 40.0),
    _function("log"),
    _function("tanh", 60.0),
)
_OF_FUNCTIONS = (*_FUNCTIONS, _function("sqrt"))
_SELDOM = tuple(_function(name, 60.0) for name in SELDOM)


def features(u: Float64[np.ndarray, "rows"], *, deep: bool) -> Iterator[Features]:
    """Features of u, the shortest first: some hundreds, then some ten thousand, where ``deep`` some hundred thousand.

    Parameters
    ----------
    u : array of shape [rows]
        The argument.
    deep : bool
        Whether functions of functions of functions are among them, and products of two functions.
    """
    powers = _powers(u)
    plain = _of(_FUNCTIONS, _first(powers, _INNER))
    factors = _first(powers, _FACTORS)
    inverse = _raised(plain, (-1,))
    mixed = _products(factors, joined(plain, _raised(plain)))
    seldom = _of(_SELDOM, _first(powers, _INNER))
    yield joined(powers, plain, _raised(plain), mixed, seldom, _products(factors, seldom))
    nested = _of(_OF_FUNCTIONS, joined(plain, inverse, mixed, _sums(_first(powers, 2), plain)))
    yield joined(nested, _products(plain, joined(plain, inverse)))
    yield _raised(nested)
    yield from _in_chunks(factors, nested)
    if deep:
        twice = _of(_OF_FUNCTIONS, nested)
        yield twice
        yield _raised(twice)
        yield from _in_chunks(plain, nested)


def joined(*several: Features) -> Features:
    """Features on the same rows, together.

    Parameters
    ----------
    *several : Features
        At least one.
    """
    ends = np.cumsum([len(each) for each in several])

    def feature(k: int) -> Feature:
        place = int(np.searchsorted(ends, k, side="right"))
        return several[place].feature(k - int(ends[place]) + len(several[place]))

    return Features(
        np.concatenate([each.values for each in several]), np.concatenate([each.nodes for each in several]), feature
    )


def _first(every: Features, count: int) -> Features:
    """The first features, as many as there are."""
    return every.chosen(np.arange(min(count, len(every))))


def _usable(every: Features) -> Features:
    """The features that are finite and vary."""
    with np.errstate(all="ignore"):
        peak = np.max(np.abs(every.values), axis=1)
        scaled = every.values / peak[:, None]  # of any size, without overflow
        mean = np.mean(np.abs(scaled), axis=1)
        fit = np.isfinite(peak) & (np.std(scaled, axis=1) > _FLAT * mean) & (mean * _LARGEST > 1)
    return every.chosen(np.flatnonzero(fit))


def _powers(u: Array) -> Features:
    """Powers of u: whole ones alone where u is not positive."""
    able = [power for power in _POWERS if power.is_integer or u.min() > 0]
    with np.errstate(all="ignore"):
        values = np.array([u ** float(power) for power in able])
    nodes = np.array([1 if power == 1 else 3 for power in able])
    return _usable(Features(values, nodes, lambda k: _power(able[k])))


def _power(power: sympy.Rational) -> Feature:
    return Feature(lambda v: v ** float(power), lambda e: e**power)


def _of(functions: Sequence[_Function], inner: Features) -> Features:
    """Each function of each feature, where its argument is not too large."""
    size = np.max(np.abs(inner.values), axis=1)
    found = []
    for each in functions:
        part = inner.chosen(np.flatnonzero(size < each.widest))
        with np.errstate(all="ignore"):
            values = each.feature.value(part.values)
        found.append(_usable(Features(values, part.nodes + 1, _within(each.feature, part))))
    return joined(*found)


def _raised(every: Features, powers: Sequence[int] = _RAISED) -> Features:
    found = []
    for power in powers:
        with np.errstate(all="ignore"):
            values = every.values ** float(power)
        outer = _power(sympy.Integer(power))
        found.append(_usable(Features(values, every.nodes + 2, _within(outer, every))))
    return joined(*found)


def _within(outer: Feature, inner: Features) -> Callable[[int], Feature]:
    def feature(k: int) -> Feature:
        one = inner.feature(k)
        return Feature(lambda v: outer.value(one.value(v)), lambda e: outer.build(one.build(e)))

    return feature


def _pairs(
    left: Features,
    right: Features,
    value: Callable[[Array, Array], Array],
    build: Callable[[sympy.Expr, sympy.Expr], sympy.Expr],
) -> Features:
    """Each feature joined with each other one."""
    many = len(right)

    def feature(k: int) -> Feature:
        one, two = left.feature(k // many), right.feature(k % many)
        return Feature(lambda v: value(one.value(v), two.value(v)), lambda e: build(one.build(e), two.build(e)))

    with np.errstate(all="ignore"):
        values = value(left.values[:, None, :], right.values[None, :, :]).reshape(-1, right.values.shape[1])
    nodes = (left.nodes[:, None] + right.nodes[None, :] + 1).reshape(-1)
    return _usable(Features(values, nodes, feature))


def _products(left: Features, right: Features) -> Features:
    return _pairs(left, right, np.multiply, lambda one, two: one * two)


def _sums(left: Features, right: Features) -> Features:
    """Sums and differences."""
    return joined(
        _pairs(left, right, np.add, lambda one, two: one + two),
        _pairs(left, right, np.subtract, lambda one, two: one - two),
    )


def _in_chunks(left: Features, right: Features) -> Iterator[Features]:
    """Products, some thousands at a time."""
    many = max(1, _CHUNK // max(len(left), 1))
    for start in range(0, len(right), many):
        yield _products(left, right.chosen(np.arange(start, min(start + many, len(right)))))
