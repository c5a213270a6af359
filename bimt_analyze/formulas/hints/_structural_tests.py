"""Probes of a function: what it seems to obey, each with how far it is from obeying it. They propose, never prove."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType

import numpy as np
from jaxtyping import Float64

from ..problem._search_problem import deviation
from ._differentiable import Differentiable

Rows = Float64[np.ndarray, " rows"]
Matrix = Float64[np.ndarray, "rows inputs"]

_POINTS = 300
_LEAST = 0.02  # departure up to which any probe proposes
_VALUES, _SLOPES = 1.0, 3.0  # times the function's own error: what values and derivatives may depart by
_LIMIT = 0.15  # and never more than this
_MARGIN = 0.05  # of the range, at which the ends are left out: fits are worst there
_DEGREES = 5
_LINES, _ALONG = 24, 24
_PERIODS = 60
SIMPLE = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)  # coefficients of a combination that are taken for meant


@dataclass(frozen=True)
class Evidence:
    """One property, and the function's departure from it.

    Attributes:
        kind: ``depends``, ``added``, ``multiplied``, ``combined``, ``symmetric``, ``even``, ``odd``, ``periodic``,
            ``homogeneous`` or ``polynomial``.
        inputs: whom it is about.
        detail: the property in words, such as ``x1 - x2``.
        value: its number: the coefficient c of a combination, a period, a degree; the effect of a dependence.
        departure: 0 where the property holds exactly, about 1 where it does not hold at all.
        limit: the departure that the function's own error explains, or 2 % if that is more.
        form: of a combination, the name of its h in `WARPS`.
        source: which function was asked: the ``network`` itself, or a ``companion`` fitted to its rows.
    """

    kind: str
    inputs: tuple[str, ...]
    detail: str
    value: float
    departure: float
    limit: float
    source: str = "network"
    form: str = ""

    @property
    def proposed(self) -> bool:
        """Whether the departure is no more than the function's own error explains."""
        return self.departure <= self.limit


@dataclass(frozen=True)
class Warp:
    """h of a combination h(x_i) + c h(x_j): one over its slope, and how the combination is written.

    ``positive``: whether x must be, unless c is 1 or -1.
    """

    over_slope: Callable[[Rows], Rows]
    positive: bool
    words: Callable[[str, str, float], str]


def _sum(a: str, b: str, c: float) -> str:
    return f"{a} {'-' if c < 0 else '+'} {b}" if abs(abs(c) - 1) < 1e-9 else f"{a} {c:+.3g}*{b}"


def _product(a: str, b: str, c: float) -> str:
    return f"{a}{'/' if c < 0 else '*'}{b}" if abs(abs(c) - 1) < 1e-9 else f"{a}*{b}**{c:.3g}"


WARPS: Mapping[str, Warp] = MappingProxyType(
    {
        "sum": Warp(np.ones_like, False, _sum),
        "product": Warp(lambda x: x, True, _product),
        "squares": Warp(lambda x: 1 / (2 * x), False, lambda a, b, c: _sum(f"{a}**2", f"{b}**2", c)),
        "reciprocals": Warp(lambda x: -(x**2), False, lambda a, b, c: _sum(f"1/{a}", f"1/{b}", c)),
    }
)
"""f depends on x_i and x_j through h(x_i) + c h(x_j) alone where (df/dx_i) / h'(x_i) is proportional to that of j."""


def probe(function: Differentiable, x: Matrix, y: Rows, *, names: Sequence[str], seed: int) -> tuple[Evidence, ...]:
    """All evidence about a function fitted to rows, the least departure first.

    Values and the first two derivatives on up to 300 of the rows, a twentieth of each range left out at both ends.
    With s_i the deviation of x_i and D that of y (root mean squares over rows):

    - depends: D / effect of swapping x_i between rows, so that an input without effect departs most;
    - added: |f_ij| s_i s_j / D; multiplied: |f f_ij - f_i f_j| s_i s_j / (|f|**2 + |f_i f_j| s_i s_j);
    - combined: f_i / h'(x_i) against c f_j / h'(x_j), second over first singular value of the two columns;
    - symmetric, even, odd: f(x) -+ f(moved x) over D, on points that stay within the range;
    - periodic: f(x_i + T) - f(x_i) over D, at the best of 60 periods up to half the range;
    - homogeneous: sum x_i f_i - k f over |f| + |sum x_i f_i|;
    - polynomial: what a polynomial of degree d leaves of f along x_i, at the least d that is proposed.

    (The identities are those of Udrescu and Tegmark, arXiv 1905.11481 and 2006.10782; that their departures stay
    relative to the function's own error on the rows is ours.)
    """
    rng = np.random.default_rng(seed)
    points = _inner(x, rng)
    spread, unit = np.std(x, axis=0), deviation(y)
    own = _size(function(x) - y) / unit
    of_values = min(max(_LEAST, _VALUES * own), _LIMIT)
    of_slopes = min(max(_LEAST, _SLOPES * own), _LIMIT)
    f, slopes, bends = function(points), function.gradient(points), function.hessian(points)
    effects = [_size(slopes[:, i]) * spread[i] / unit for i in range(len(names))]
    used = [i for i, effect in enumerate(effects) if effect > max(_LEAST, own / 3)]
    found = [
        Evidence("depends", (names[i],), names[i], effects[i], min(1.0, _LEAST / max(effects[i], 1e-9)), 1.0 - 1e-9)
        for i in used
    ]
    for i, j in combinations(used, 2):
        pair, scale = (names[i], names[j]), spread[i] * spread[j]
        mixed = bends[:, i, j] * scale
        found.append(Evidence("added", pair, f"{pair[0]} and {pair[1]} are added", 0.0, _size(mixed) / unit, of_slopes))
        crossed = slopes[:, i] * slopes[:, j] * scale
        departure = _size(f * mixed - crossed) / (_size(f * mixed) + _size(crossed) + 1e-300)
        found.append(Evidence("multiplied", pair, f"{pair[0]} and {pair[1]} are multiplied", 0.0, departure, of_slopes))
        found += _combined(points[:, [i, j]], slopes[:, [i, j]], pair, of_slopes)
    found += _moved(function, points, x, names, used, unit, of_values)
    scaled = points * slopes
    degree = float(scaled.sum(1) @ f / max(float(f @ f), 1e-300))
    off = _size(scaled.sum(1) - degree * f) / (_size(f) * max(abs(degree), 1.0) + 1e-300)
    found.append(
        Evidence("homogeneous", tuple(names[i] for i in used), f"of degree {degree:.3g}", degree, off, of_slopes)
    )
    for i in used:
        found += _along(
            function, points, (float(np.min(x[:, i])), float(np.max(x[:, i]))), i, names[i], unit, of_values
        )
    named = (
        replace(e, value=float(e.value), departure=float(e.departure), limit=float(e.limit), source=function.source)
        for e in found
    )
    return tuple(sorted(named, key=lambda e: e.departure))


def _inner(x: Matrix, rng: np.random.Generator) -> Float64[np.ndarray, "points inputs"]:
    """Up to 300 rows, pulled a little towards the middle of the ranges."""
    some = x[rng.choice(len(x), min(_POINTS, len(x)), replace=False)]
    low, high = np.min(x, axis=0), np.max(x, axis=0)
    room = _MARGIN * (high - low)
    return np.asarray(np.clip(some, low + room, high - room))


def _combined(points: Matrix, slopes: Matrix, pair: tuple[str, str], limit: float) -> list[Evidence]:
    """f through h(x_i) + c h(x_j), for every h; c by total least squares."""
    found = []
    for kind, warp in WARPS.items():
        with np.errstate(all="ignore"):
            columns = slopes * np.stack([warp.over_slope(points[:, k]) for k in range(2)], axis=1)
        columns = columns[np.all(np.isfinite(columns), axis=1)]
        sizes = np.sqrt(np.mean(columns**2, axis=0))
        if len(columns) < 10 or np.min(sizes) <= 1e-9 * np.max(sizes):
            continue
        values, across = np.linalg.svd(columns / sizes, full_matrices=False)[1:]
        along = across[0] * sizes
        c = float(along[1] / along[0]) if along[0] else float("inf")
        simple = next((s for s in SIMPLE if abs(c - s) < 0.1 * abs(s)), c)
        if warp.positive and np.min(points) <= 0 and abs(simple) != 1:
            continue
        departure = float(values[1] / values[0])
        found.append(Evidence("combined", pair, warp.words(*pair, simple), float(simple), departure, limit, form=kind))
    return found


def _moved(
    function: Differentiable, points: Float64[np.ndarray, "points inputs"], x: Matrix, names: Sequence[str],
    used: Sequence[int], unit: float, limit: float,
) -> list[Evidence]:  # fmt: skip
    """Symmetry under exchange of two inputs; even and odd inputs; periods."""
    low, high = np.min(x, axis=0), np.max(x, axis=0)
    found = []

    def compared(moved: Matrix, sign: float = 1.0) -> float | None:
        inside = np.all((moved >= low) & (moved <= high), axis=1)
        if inside.sum() < max(20, 0.1 * len(points)):
            return None
        return _size(function(points[inside]) - sign * function(moved[inside])) / unit

    for i, j in combinations(used, 2):
        swapped = points.copy()
        swapped[:, [i, j]] = swapped[:, [j, i]]
        if (departure := compared(swapped)) is not None:
            pair = (names[i], names[j])
            found.append(
                Evidence("symmetric", pair, f"{pair[0]} and {pair[1]} may change places", 0.0, departure, limit)
            )
    for i in used:
        mirrored = points.copy()
        mirrored[:, i] *= -1
        for kind, sign in (("even", 1.0), ("odd", -1.0)):
            if (departure := compared(mirrored, sign)) is not None:
                found.append(Evidence(kind, (names[i],), f"{kind} in {names[i]}", 0.0, departure, limit))
        best: tuple[float, float] | None = None
        for period in np.linspace(0.1, 0.5, _PERIODS) * (high[i] - low[i]):
            shifted = points.copy()
            shifted[:, i] += period
            departure = compared(shifted)
            if departure is not None and (best is None or departure < best[0]):
                best = departure, float(period)
        if best is not None:
            found.append(
                Evidence("periodic", (names[i],), f"period {best[1]:.3g} in {names[i]}", best[1], best[0], limit)
            )
    return found


def _along(
    function: Differentiable, points: Matrix, ends: tuple[float, float], i: int, name: str, unit: float, limit: float
) -> list[Evidence]:
    """The least degree of polynomial in x_i, all others held, that is proposed; or the highest tried."""
    t = np.cos(np.pi * (np.arange(_ALONG) + 0.5) / _ALONG)
    lines = np.repeat(points[:_LINES], _ALONG, axis=0)
    lines[:, i] = np.tile(
        0.5 * (ends[0] + ends[1]) + 0.5 * (1 - 2 * _MARGIN) * (ends[1] - ends[0]) * t, len(points[:_LINES])
    )
    values = function(lines).reshape(-1, _ALONG).T
    departure = 1.0
    for degree in range(1, _DEGREES + 1):
        basis = np.linalg.qr(np.polynomial.chebyshev.chebvander(t, degree))[0]
        departure = _size(values - basis @ (basis.T @ values)) / unit
        if departure <= limit:
            break
    return [Evidence("polynomial", (name,), f"of degree {degree} in {name}", float(degree), departure, limit)]


def _size(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
