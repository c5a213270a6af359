"""Structural tests of a function: properties it seems to have, each with its departure. They only propose."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType

import numpy as np
from jaxtyping import Float64

from bimt_train.showing import Shown

from ..problem._search_problem import deviation
from ._differentiable import Differentiable

Rows = Float64[np.ndarray, " rows"]
Matrix = Float64[np.ndarray, "rows inputs"]

_POINTS = 300  # rows; a Hessian of each is what a test costs
_LEAST = 0.02  # departure up to which any test proposes, however small the function's own error
_VALUES, _SLOPES = 1.0, 3.0  # times the function's own error: what values and derivatives may depart by
_LIMIT = 0.15  # and never more than this
_MARGIN = 0.05  # of the range, at which the ends are left out: fits are worst there
_DEGREES = 5  # of a polynomial in one input: a higher degree is a stand-in for another function
_LINES, _ALONG = 24, 24  # lines along an input, and points on each: several for each degree
_PERIODS = 60  # tried between a tenth and half of the range: steps of 0.7 % of it
SIMPLE = (1.0, -1.0, 2.0, -2.0, 0.5, -0.5)  # coefficients of a combination that are taken for meant


@dataclass(frozen=True, repr=False)
class StructuralTestResult(Shown):
    """One property, and the function's departure from it.

    Attributes
    ----------
    kind : str
        ``depends``, ``added``, ``multiplied``, ``combined``, ``symmetric``, ``even``, ``odd``, ``periodic``,
        ``homogeneous`` or ``polynomial``.
    inputs : tuple of str
        The inputs that it is about.
    detail : str
        The property in words, such as ``x1 - x2``.
    value : float
        The property's number: the coefficient c of a combination, a period, a degree; the effect of a dependence.
    departure : float
        0 where the property holds exactly, about 1 where it does not hold at all.
    limit : float
        The departure that the function's own error explains, or 2 % if that is more.
    source : str
        Which function was tested: the ``network`` itself, or a ``surrogate`` fitted to its rows.
    transform : str
        Of a combination h(x_i) + c h(x_j), the name of h: ``sum``, ``product``, ``squares`` or ``reciprocals``.

    Examples
    --------
    >>> found = StructuralTestResult("combined", ("x1", "x2"), "x1 - x2", value=-1.0, departure=0.003, limit=0.02)
    >>> found.proposed
    True
    """

    kind: str
    inputs: tuple[str, ...]
    detail: str
    value: float
    departure: float
    limit: float
    source: str = "network"
    transform: str = ""

    @property
    def proposed(self) -> bool:
        """Whether the departure is no more than the function's own error explains."""
        return self.departure <= self.limit


@dataclass(frozen=True)
class Transform:
    """The h of a combination h(x_i) + c h(x_j).

    Attributes
    ----------
    over_slope : callable
        1 / h', elementwise.
    positive : bool
        Whether x must be positive, unless c is 1 or -1.
    words : callable
        How the combination is written, from the two names and c.
    """

    over_slope: Callable[[Rows], Rows]
    positive: bool
    words: Callable[[str, str, float], str]


def _sum(a: str, b: str, c: float) -> str:
    """A weighted sum in words."""
    return f"{a} {'-' if c < 0 else '+'} {b}" if abs(abs(c) - 1) < 1e-9 else f"{a} {c:+.3g}*{b}"


def _product(a: str, b: str, c: float) -> str:
    """A product of powers in words."""
    return f"{a}{'/' if c < 0 else '*'}{b}" if abs(abs(c) - 1) < 1e-9 else f"{a}*{b}**{c:.3g}"


TRANSFORMS: Mapping[str, Transform] = MappingProxyType(
    {
        "sum": Transform(np.ones_like, False, _sum),
        "product": Transform(lambda x: x, True, _product),
        "squares": Transform(lambda x: 1 / (2 * x), False, lambda a, b, c: _sum(f"{a}**2", f"{b}**2", c)),
        "reciprocals": Transform(lambda x: -(x**2), False, lambda a, b, c: _sum(f"1/{a}", f"1/{b}", c)),
    }
)
"""f depends on x_i and x_j through h(x_i) + c h(x_j) alone where (df/dx_i) / h'(x_i) is proportional to that of j."""


def structural_tests(
    function: Differentiable, x: Matrix, y: Rows, *, names: Sequence[str], seed: int
) -> tuple[StructuralTestResult, ...]:
    """All structural tests of a function that was fitted to rows, the least departure first.

    Parameters
    ----------
    function : Differentiable
        What is tested.
    x : array of shape [rows, inputs]
        The rows it was fitted to.
    y : array of shape [rows]
        The output on them.
    names : sequence of str
        The names of the columns of ``x``.
    seed : int
        Of the choice of rows.

    Returns
    -------
    tuple of StructuralTestResult
        Those with ``proposed`` hold as far as the function's own error allows.

    Notes
    -----
    Values and the first two derivatives are taken on up to 300 of the rows, a twentieth of each range left out at both
    ends. With s_i the deviation of x_i and D that of y (root mean squares over rows), the departures are

    - depends: 2 % over the effect |f_i| s_i / D, so that an input without effect departs most;
    - added: |f_ij| s_i s_j / D; multiplied: |f f_ij - f_i f_j| / (|f f_ij| + |f_i f_j|);
    - combined: f_i / h'(x_i) against c f_j / h'(x_j), second over first singular value of the two columns;
    - symmetric, even, odd: f(x) -+ f(moved x) over D, on points that stay within the range;
    - periodic: f(x_i + T) - f(x_i) over D, at the best of 60 periods from a tenth to half the range;
    - homogeneous: sum x_i f_i - k f over |f| max(|k|, 1);
    - polynomial: what a polynomial of degree d leaves of f along x_i, at the least d that is proposed.

    That their departures are held against the function's own error on the rows is ours.

    References
    ----------
    .. [1] S.-M. Udrescu and M. Tegmark, "AI Feynman: a physics-inspired method for symbolic regression",
       arXiv:1905.11481.
    .. [2] S.-M. Udrescu et al., "AI Feynman 2.0: Pareto-optimal symbolic regression exploiting graph modularity",
       arXiv:2006.10782.

    Examples
    --------
    A formula stands in for a network here: it answers in the place of one.

    >>> class Product(Differentiable):
    ...     def __call__(self, x):
    ...         return x[:, 0] * x[:, 1]
    ...     def gradient(self, x):
    ...         return x[:, ::-1]
    ...     def hessian(self, x):
    ...         return np.tile([[0.0, 1.0], [1.0, 0.0]], (len(x), 1, 1))
    >>> x = np.random.default_rng(0).uniform(1, 2, (100, 2))
    >>> results = structural_tests(Product((), 0), x, x[:, 0] * x[:, 1], names=["a", "b"], seed=0)
    >>> sorted(r.detail for r in results if r.proposed and r.kind in ("combined", "multiplied", "homogeneous"))
    ['a and b are multiplied', 'a*b', 'of degree 2']
    """
    rng = np.random.default_rng(seed)
    points = _inner(x, rng)
    spread, unit = np.std(x, axis=0), deviation(y)
    own = _size(function(x) - y) / unit
    of_values = min(max(_LEAST, _VALUES * own), _LIMIT)
    of_slopes = min(max(_LEAST, _SLOPES * own), _LIMIT)
    f, slopes, hessian = function(points), function.gradient(points), function.hessian(points)
    effects = [_size(slopes[:, i]) * spread[i] / unit for i in range(len(names))]
    used = [i for i, effect in enumerate(effects) if effect > max(_LEAST, own / 3)]
    found = [
        StructuralTestResult(
            "depends", (names[i],), names[i], effects[i], min(1.0, _LEAST / max(effects[i], 1e-9)), 1.0 - 1e-9
        )
        for i in used
    ]
    for i, j in combinations(used, 2):
        pair, scale = (names[i], names[j]), spread[i] * spread[j]
        mixed = hessian[:, i, j] * scale
        found.append(
            StructuralTestResult(
                "added", pair, f"{pair[0]} and {pair[1]} are added", 0.0, _size(mixed) / unit, of_slopes
            )
        )
        crossed = slopes[:, i] * slopes[:, j] * scale
        departure = _size(f * mixed - crossed) / (_size(f * mixed) + _size(crossed) + 1e-300)
        found.append(
            StructuralTestResult(
                "multiplied", pair, f"{pair[0]} and {pair[1]} are multiplied", 0.0, departure, of_slopes
            )
        )
        found += _combined(points[:, [i, j]], slopes[:, [i, j]], pair, of_slopes)
    found += _moved(function, points, x, names, used, unit, of_values)
    scaled = points * slopes
    degree = float(scaled.sum(1) @ f / max(float(f @ f), 1e-300))
    off = _size(scaled.sum(1) - degree * f) / (_size(f) * max(abs(degree), 1.0) + 1e-300)
    found.append(
        StructuralTestResult(
            "homogeneous", tuple(names[i] for i in used), f"of degree {degree:.3g}", degree, off, of_slopes
        )
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
    """Up to 300 rows, those near the ends of the ranges moved inwards."""
    some = x[rng.choice(len(x), min(_POINTS, len(x)), replace=False)]
    low, high = np.min(x, axis=0), np.max(x, axis=0)
    room = _MARGIN * (high - low)
    return np.asarray(np.clip(some, low + room, high - room))


def _combined(points: Matrix, slopes: Matrix, pair: tuple[str, str], limit: float) -> list[StructuralTestResult]:
    """Tests of f through h(x_i) + c h(x_j), for every h; c by total least squares."""
    found = []
    for kind, transform in TRANSFORMS.items():
        with np.errstate(all="ignore"):
            columns = slopes * np.stack([transform.over_slope(points[:, k]) for k in range(2)], axis=1)
        columns = columns[np.all(np.isfinite(columns), axis=1)]
        sizes = np.sqrt(np.mean(columns**2, axis=0))
        if len(columns) < 10 or np.min(sizes) <= 1e-9 * np.max(sizes):
            continue
        values, across = np.linalg.svd(columns / sizes, full_matrices=False)[1:]
        along = across[0] * sizes
        c = float(along[1] / along[0]) if along[0] else float("inf")
        simple = next((s for s in SIMPLE if abs(c - s) < 0.1 * abs(s)), c)
        if transform.positive and np.min(points) <= 0 and abs(simple) != 1:
            continue
        departure = float(values[1] / values[0])
        found.append(
            StructuralTestResult(
                "combined", pair, transform.words(*pair, simple), float(simple), departure, limit, transform=kind
            )
        )
    return found


def _moved(
    function: Differentiable, points: Float64[np.ndarray, "points inputs"], x: Matrix, names: Sequence[str],
    used: Sequence[int], unit: float, limit: float,
) -> list[StructuralTestResult]:  # fmt: skip
    """Tests of symmetry under exchange of two inputs, of even and odd inputs, and of periods."""
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
                StructuralTestResult(
                    "symmetric", pair, f"{pair[0]} and {pair[1]} may change places", 0.0, departure, limit
                )
            )
    for i in used:
        mirrored = points.copy()
        mirrored[:, i] *= -1
        for kind, sign in (("even", 1.0), ("odd", -1.0)):
            if (departure := compared(mirrored, sign)) is not None:
                found.append(StructuralTestResult(kind, (names[i],), f"{kind} in {names[i]}", 0.0, departure, limit))
        best: tuple[float, float] | None = None
        for period in np.linspace(0.1, 0.5, _PERIODS) * (high[i] - low[i]):
            shifted = points.copy()
            shifted[:, i] += period
            departure = compared(shifted)
            if departure is not None and (best is None or departure < best[0]):
                best = departure, float(period)
        if best is not None:
            found.append(
                StructuralTestResult(
                    "periodic", (names[i],), f"period {best[1]:.3g} in {names[i]}", best[1], best[0], limit
                )
            )
    return found


def _along(
    function: Differentiable, points: Matrix, ends: tuple[float, float], i: int, name: str, unit: float, limit: float
) -> list[StructuralTestResult]:
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
    return [
        StructuralTestResult("polynomial", (name,), f"of degree {degree} in {name}", float(degree), departure, limit)
    ]


def _size(values: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(values))))
