"""Values as a function of one argument: the library first, then many short expressions alone and in pairs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from ..problem._budget import Budget
from ..problem._inner import Inner
from ..problem._template import Template
from ..problem._univariate import Shape, shapes
from ._exponential_sums import exponential_sums
from ._features import Feature, Features, features, joined

Rows = Float64[np.ndarray, "rows"]

_CLEAR = 3.0  # times the tolerance: a shape of the library within it is not bettered
_ROWS = 60  # on which features are compared, spread evenly over u
_TRIED = 12  # features and pairs that are fitted on all rows
_SUMS = 2  # of exponentials
_PAIRED = 700  # features, the shortest, whose pairs are tried
_NODE = 0.12  # decades of error that one more node must gain
_ROUNDING = 1e-13  # an error below it is none
_FEWEST = 30  # rows with different arguments


def curve_shapes(
    inner: Inner, h: Rows, *, tolerance: float, budget: Budget, most: int = 4, matched: bool = True
) -> list[Shape]:
    """The best shapes for h as a function of u: those of the library, and where none of them does, of many expressions.

    The expressions are sums of exponentials and waves, and powers of u, functions of these, functions of those, and
    products (see `features`), each alone, a*f(u) + d, and the shortest in pairs, a*f(u) + b*g(u) + d.

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
    matched : bool
        Whether features and pairs of them are tried too, which needs an argument that is plain. Without, sums of
        exponentials and waves are tried for any argument.
    """
    found = shapes(inner, h, tolerance=tolerance, budget=budget, most=most)
    if _clear(found, tolerance) or budget.over() or (matched and not inner.plain()):
        return found
    more = _sums(inner, h, tolerance, budget)
    if matched:
        more += matched_shapes(inner, h, budget, tolerance=tolerance)
    return sorted([*found, *more], key=lambda shape: shape.rank(tolerance))[:most]


def _sums(inner: Inner, h: Rows, tolerance: float, budget: Budget) -> list[Shape]:
    """The best sums of exponentials and waves of u, and of powers of u: few, for long ones follow any curve."""
    found = exponential_sums(inner, h, tolerance=tolerance, budget=budget)
    if inner.plain() and np.min(inner.values) > 0 and not _clear(found, tolerance):
        found += exponential_sums(inner.logarithm(), h, tolerance=tolerance, budget=budget)
    return sorted(found, key=lambda shape: shape.rank(tolerance))[:_SUMS]


def _clear(found: Sequence[Shape], tolerance: float) -> bool:
    return any(shape.error <= _CLEAR * max(tolerance, 1e-9) for shape in found)


@dataclass(frozen=True)
class _Match:
    """One feature or two, and what they leave of h."""

    error: float
    nodes: int
    parts: tuple[Feature, ...]

    @property
    def rank(self) -> float:
        """Decades of error, and what each node must gain."""
        return float(np.log10(max(self.error, 1e-9))) + _NODE * self.nodes


def matched_shapes(inner: Inner, h: Rows, budget: Budget, *, tolerance: float = 0.0, deep: bool = False) -> list[Shape]:
    """The features and pairs that leave least, fitted on all rows, each function once.

    Parameters
    ----------
    inner : Inner
        The argument u, a single part.
    h : array of shape [rows]
        The values to explain.
    budget : Budget
        Is charged.
    tolerance : float
        How well ``h`` is known, over its deviation: longer expressions are not tried where a shorter one is within it.
    deep : bool
        Whether some hundred thousand expressions are tried, where they are some ten thousand otherwise.
    """
    some = _spread(inner.values)
    if len(some) < _FEWEST:
        return []
    u, seen = inner.values[some], h[some]
    best: list[_Match] = []
    short: list[Features] = []
    for chunk in features(u, deep=deep):
        budget.charge("pool", chunk.values.size)
        best = _best([*best, *_alone(chunk, seen)])
        short += [chunk] if sum(map(len, short)) < _PAIRED else []
        if budget.over() or any(match.error <= max(tolerance, _ROUNDING) for match in best):
            break
    budget.charge("compare", _PAIRED**2 * 20)
    fitted = (_fitted(match, inner, h) for match in [*best, *_best(_pairs(_shortest(short), seen))])
    found: dict[str, Shape] = {}  # what leaves as much to six digits is the function of an earlier, shorter expression
    for shape in fitted:
        if shape is not None:
            found.setdefault(f"{max(shape.error, _ROUNDING):.5e}", shape)
    return list(found.values())


def _spread(u: Rows) -> NDArray[np.int64]:
    """Rows whose arguments differ, evenly spread over the order of u, with both ends."""
    order = np.argsort(u, kind="stable")
    distinct = order[np.flatnonzero(np.diff(u[order], prepend=-np.inf) > 0)]
    return distinct[np.unique(np.linspace(0, len(distinct) - 1, _ROWS).astype(np.int64))]


def _best(every: list[_Match]) -> list[_Match]:
    return sorted(every, key=lambda match: match.rank)[:_TRIED]


def _centred(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows without their mean, of length 1."""
    scaled = values / np.maximum(np.max(np.abs(values), axis=-1, keepdims=True), 1e-300)
    left = scaled - scaled.mean(axis=-1, keepdims=True)
    return np.asarray(left / np.maximum(np.linalg.norm(left, axis=-1, keepdims=True), 1e-300))


def _shortest(short: list[Features]) -> Features:
    every = joined(*short)
    return every.chosen(np.argsort(every.nodes, kind="stable")[:_PAIRED])


def _alone(chunk: Features, h: Rows) -> list[_Match]:
    """The best features of a chunk, by what a*f + d leaves of h."""
    target, directions = _centred(h), _centred(chunk.values)
    along = directions @ target
    near = np.argsort(-np.abs(along))[: 8 * _TRIED]  # few are left, whose errors are computed without cancellation
    errors = np.linalg.norm(target - along[near, None] * directions[near], axis=1)
    ranks = np.log10(np.maximum(errors, 1e-9)) + _NODE * chunk.nodes[near]
    best = np.argsort(ranks)[:_TRIED]
    return [_Match(float(errors[k]), int(chunk.nodes[near[k]]), (chunk.feature(int(near[k])),)) for k in best.tolist()]


def _pairs(every: Features, h: Rows) -> list[_Match]:
    """The best pairs of features, by what a*f + b*g + d leaves of h: least squares of all pairs at once."""
    target, directions = _centred(h), _centred(every.values)
    along, gram = directions @ target, directions @ directions.T
    one, two = np.tril_indices(len(every), -1)
    slant = gram[one, two]
    with np.errstate(all="ignore"):
        gained = (along[one] ** 2 + along[two] ** 2 - 2 * slant * along[one] * along[two]) / (1 - slant**2)
    gained[~(slant**2 < 1 - 1e-10)] = -1.0
    near = np.argsort(-gained)[: 16 * _TRIED]
    found = []
    for i, j in zip(one[near].tolist(), two[near].tolist(), strict=True):
        q = np.linalg.qr(directions[[i, j]].T)[0]
        error = float(np.linalg.norm(target - q @ (q.T @ target)))
        parts = every.feature(i), every.feature(j)
        found.append(_Match(error, int(every.nodes[i] + every.nodes[j]) + 2, parts))
    return found


def _fitted(match: _Match, inner: Inner, h: Rows) -> Shape | None:
    """A match as a shape with its coefficients on all rows; None where it is not finite on all of them."""
    with np.errstate(all="ignore"):
        columns = np.stack([*(part.value(inner.values) for part in match.parts), np.ones(len(h))], axis=1)
    if not np.all(np.isfinite(columns)):
        return None
    size = np.max(np.abs(columns), axis=0)
    coefficients = np.linalg.lstsq(columns / size, h, rcond=1e-14)[0] / size
    left = h - columns @ coefficients
    error = float(np.sqrt(np.mean(left**2)) / (float(np.std(h)) or 1.0))
    expressions = [part.build(inner.parts[0]) for part in match.parts]
    terms = tuple((float(c), Template(e, {})) for c, e in zip(coefficients[:-1], expressions, strict=True))
    return Shape(terms, float(coefficients[-1]), error, length=match.nodes * _NODE)
