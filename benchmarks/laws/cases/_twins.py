"""Pairs of formulas that agree on the rows to 1e-13 to 1e-6: a function and its series, its limit, its restatement."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial

import numpy as np
import sympy
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROWS = 400
AGREEMENTS = (1e-13, 1e-12, 1e-11, 1e-9, 1e-6)
_T = sympy.Symbol("t", real=True)
_FUNCTIONS = {
    "exp": sympy.exp(_T), "sin": sympy.sin(_T), "cos": sympy.cos(_T), "tanh": sympy.tanh(_T),
    "log": sympy.log(1 + _T), "root": sympy.sqrt(1 + _T), "quotient": 1 / (1 + _T), "atan": sympy.atan(_T),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Twins:
    """Rows of ``truth``, on which ``twin`` is the same or nearly so."""

    name: str
    truth: sympy.Expr
    twin: sympy.Expr
    inputs: tuple[str, ...]
    x: Array

    @property
    def ranges(self) -> tuple[tuple[float, float], ...]:
        """The least and the largest value of each input on the rows."""
        return tuple(zip(self.x.min(axis=0).tolist(), self.x.max(axis=0).tolist(), strict=True))


def pairs(seed: int) -> tuple[Twins, ...]:
    """Two hundred pairs: 80 of series, 40 of limits, 40 of related inputs, 40 on curved manifolds."""
    rng = np.random.default_rng(seed)
    kinds = ((_series, 80), (_limits, 40), (_related, 40), (_manifolds, 40))
    found: list[Twins] = []
    for kind, count in kinds:
        made = kind(rng)
        found += [next(made) for _ in range(count)]
    return tuple(found)


def _symbols(*names: str) -> tuple[sympy.Symbol, ...]:
    return tuple(sympy.Symbol(name, real=True) for name in names)


def _number(rng: np.random.Generator, low: float, high: float) -> sympy.Rational:
    return sympy.Rational(f"{rng.uniform(low, high):.2f}")


def _ordered(name: str, both: tuple[sympy.Expr, sympy.Expr], inputs: tuple[str, ...], x: Array, *, swap: bool) -> Twins:
    return Twins(name, *(both[::-1] if swap else both), inputs, x)


def _series(rng: np.random.Generator) -> Iterator[Twins]:
    """W g(k x) and w times its series, in a range where they part by so much of w."""
    x, w = _symbols("x", "w")
    count = 0
    while True:
        for kind, g in _FUNCTIONS.items():
            for order in (1, 2):
                agreement = AGREEMENTS[count % len(AGREEMENTS)]
                rate = _number(rng, 0.3, 3)
                terms = [g.diff(_T, k).subs(_T, 0) / factorial(k) for k in range(8)]
                kept = [k for k in range(8) if terms[k] != 0][: order + (terms[0] != 0)]
                next_order = next(k for k in range(kept[-1] + 1, 8) if terms[k] != 0)
                reach = (agreement / abs(float(terms[next_order]))) ** (1 / next_order) / float(rate)
                function = w * g.subs(_T, rate * x)
                series = w * sum(terms[k] * (rate * x) ** k for k in kept)
                rows = np.stack([rng.uniform(-reach, reach, ROWS), rng.uniform(1, 5, ROWS)], axis=1)
                name = f"series {kind} {order} {agreement:.0e}"
                yield _ordered(name, (function, series), ("x", "w"), rows, swap=count % 2 == 1)
                count += 1


def _limits(rng: np.random.Generator) -> Iterator[Twins]:
    """Formulas of physics and their limits for small or large arguments."""
    a, b = _symbols("a", "b")
    count = 0
    while True:
        agreement = AGREEMENTS[count % len(AGREEMENTS)]
        small = rng.uniform(0.2, 1, ROWS)
        wide = rng.uniform(1, 5, ROWS)
        root, fourth = agreement**0.5, agreement**0.25
        cases = (
            ("kinetic", sympy.sqrt(a**2 + b**2), a + b**2 / (2 * a), wide, fourth * small),
            ("planck", a / (sympy.exp(b) - 1), a / b - a / 2, wide, root * small),
            ("parallel", a * b / (a + b), b - b**2 / a, wide, agreement ** (1 / 3) * small),
            ("saturation", a * b / (1 + b), a * b, wide, agreement * small),
            ("lorentz", 1 / sympy.sqrt(1 - b**2) * a, a + a * b**2 / 2, wide, fourth * small),
            ("soft", a * sympy.log(1 + sympy.exp(b)), a * b, wide, -np.log(agreement) + 3 * small),
            ("hyperbola", a * sympy.sqrt(1 + b**2), a * b, wide, small / root),
            ("damped", a * sympy.exp(-b), a * (1 - b), wide, root * small),
        )
        name, one, other, first, second = cases[count % len(cases)]
        x, swap = np.stack([first, second], axis=1), count // len(cases) % 2 == 1
        yield _ordered(f"limit {name} {agreement:.0e}", (one, other), ("a", "b"), x, swap=swap)
        count += 1


def _related(rng: np.random.Generator) -> Iterator[Twins]:
    """Formulas restated by a relation among the inputs that holds on every row."""
    a, b, c, d = _symbols("a", "b", "c", "d")
    count = 0
    while True:
        u, v, s = rng.uniform(0.5, 2, ROWS), rng.uniform(0.5, 2, ROWS), rng.uniform(0.5, 2, ROWS)
        level = float(_number(rng, 2, 4))
        cases = (
            ("sum", a * d, a * (1 - a - b - c), np.stack([u, v, s, 1 - u - v - s], axis=1)),
            ("product", a * c + b, a**2 * b + b, np.stack([u, v, u * v], axis=1)),
            ("quotient", sympy.sin(c) + a, sympy.sin(a / b) + a, np.stack([u, v, u / v], axis=1)),
            ("constant", c * a**2, sympy.Rational(str(level)) * a**2, np.stack([u, v, np.full(ROWS, level)], axis=1)),
            ("weighted", sympy.exp(c) * a, sympy.exp(a + 2 * b) * a, np.stack([u, v, u + 2 * v], axis=1)),
            ("copy", a * c, a * (3 * a), np.stack([u, v, 3 * u], axis=1)),
            ("square", b / c, b / a**2, np.stack([u, v, u**2], axis=1)),
            ("wave", b * c, b * sympy.sin(a), np.stack([u, v, np.sin(u)], axis=1)),
        )
        name, one, other, x = cases[count % len(cases)]
        inputs = ("a", "b", "c", "d")[: x.shape[1]]
        yield _ordered(f"related {name}", (one, other), inputs, x, swap=count // len(cases) % 2 == 1)
        count += 1


def _manifolds(rng: np.random.Generator) -> Iterator[Twins]:
    """Formulas that are equal where the rows lie, and nowhere else."""
    a, b, c = _symbols("a", "b", "c")
    count = 0
    while True:
        angle, s = rng.uniform(0.1, 1.4, ROWS), rng.uniform(0.5, 2, ROWS)
        circle = np.stack([np.cos(angle), np.sin(angle), s], axis=1)
        hyperbola = np.stack([np.cosh(angle), np.sinh(angle), s], axis=1)
        u, v = rng.uniform(0.5, 2, ROWS), rng.uniform(0.5, 2, ROWS)
        saddle = np.stack([u, v, 1 - u * v], axis=1)
        cases = (
            ("circle", c * a**2, c * (1 - b**2), circle),
            ("circle root", a * c, sympy.sqrt(1 - b**2) * c, circle),
            ("hyperbola", c + a**2, c + 1 + b**2, hyperbola),
            ("saddle", c**2, (1 - a * b) ** 2, saddle),
            ("saddle exp", sympy.exp(a * b), sympy.exp(1 - c), saddle),
            ("circle exp", c * sympy.exp(a**2), c * sympy.exp(1 - b**2), circle),
            ("reciprocal", a + b, a + 1 / a, np.stack([u, 1 / u, v], axis=1)),
            ("growth", b * c, sympy.exp(a) * c, np.stack([u, np.exp(u), v], axis=1)),
        )
        name, one, other, x = cases[count % len(cases)]
        yield _ordered(f"manifold {name}", (one, other), ("a", "b", "c"), x, swap=count // len(cases) % 2 == 1)
        count += 1
