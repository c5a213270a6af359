"""Laws that people bring and equation sets leave out: kinks, fast waves, rows that stand apart, idle columns."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Law = Callable[..., Array]


@dataclass(frozen=True)
class Uncommon:
    """A law of a few columns, and what makes its table uncommon.

    ``low`` and ``high`` are the range of every column. ``idle`` further columns do not matter; of ``spoilt`` rows the
    output is moved by 3 to 30 of its deviations.
    """

    kind: str
    name: str
    law: Law
    width: int
    low: float = -2.0
    high: float = 2.0
    rows: int = 500
    idle: int = 0
    spoilt: int = 0

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(f"x{i}" for i in range(self.width + self.idle))

    def drawn(self, seed: int) -> tuple[Array, Array, Array]:
        """Columns, output, and the output without spoilt rows."""
        rng = np.random.default_rng((seed, *self.name.encode()))
        x = rng.uniform(self.low, self.high, (self.rows, self.width + self.idle))
        clean = np.asarray(self.law(*x.T[: self.width]), dtype=np.float64)
        y = clean.copy()
        places = rng.choice(self.rows, self.spoilt, replace=False)
        sign = rng.choice([-1.0, 1.0], self.spoilt)
        y[places] += sign * rng.uniform(3, 30, self.spoilt) * (float(np.std(clean)) or 1.0)
        return x, y, clean


_KINKS: Mapping[str, tuple[int, Law]] = MappingProxyType(
    {
        "max(a, 0)": (1, lambda a: np.maximum(a, 0)),
        "max(a, b)": (2, np.maximum),
        "min(a, b)": (2, np.minimum),
        "|a| + |b|": (2, lambda a, b: np.abs(a) + np.abs(b)),
        "leaky(a)": (1, lambda a: np.where(a > 0, a, 0.1 * a)),
        "3|a - 0.7| + b": (2, lambda a, b: 3 * np.abs(a - 0.7) + b),
        "floor(2a)": (1, lambda a: np.floor(2 * a)),
        "a > 0 ? b^2 : b": (2, lambda a, b: np.where(a > 0, b**2, b)),
        "clip(a, -1, 0.5)": (1, lambda a: np.clip(a, -1, 0.5)),
        "sign(a)": (1, np.sign),
        "sign(a) b": (2, lambda a, b: np.sign(a) * b),
        "step(a - 0.3) + b": (2, lambda a, b: (a > 0.3) + b),
        "max(a, b) c": (3, lambda a, b, c: np.maximum(a, b) * c),
        "|a b|": (2, lambda a, b: np.abs(a * b)),
        "|a - b| + sin(c)": (3, lambda a, b, c: np.abs(a - b) + np.sin(c)),
        "relu(a - 1) + b^2": (2, lambda a, b: np.maximum(a - 1, 0) + b**2),
        "relu(a + b)": (2, lambda a, b: np.maximum(a + b, 0)),
        "relu(2a - 3b + 0.5)": (2, lambda a, b: np.maximum(2 * a - 3 * b + 0.5, 0)),
        "a |a|": (1, lambda a: a * np.abs(a)),
        "exp(-|a|)": (1, lambda a: np.exp(-np.abs(a))),
        "max(a, b, c)": (3, lambda a, b, c: np.maximum(np.maximum(a, b), c)),
        "a > b ? a^2 : b^3": (2, lambda a, b: np.where(a > b, a**2, b**3)),
        "a > 0.5 ? sin(b) : cos(b)": (2, lambda a, b: np.where(a > 0.5, np.sin(b), np.cos(b))),
        "max(a, 0) exp(b)": (2, lambda a, b: np.maximum(a, 0) * np.exp(b)),
        "max(a^2, b)": (2, lambda a, b: np.maximum(a**2, b)),
        "min(1, a b)": (2, lambda a, b: np.minimum(1, a * b)),
        "|sin(2a)|": (1, lambda a: np.abs(np.sin(2 * a))),
        "round(a) + b": (2, lambda a, b: np.round(a) + b),
        "|a| - 0.5 |b - 1| + c": (3, lambda a, b, c: np.abs(a) - 0.5 * np.abs(b - 1) + c),
        "tax: 0.2 a + 0.3 relu(a - 1)": (1, lambda a: 0.2 * a + 0.3 * np.maximum(a - 1, 0)),
    }
)
_WAVES: Mapping[str, tuple[int, Law]] = MappingProxyType(
    {
        "sin(20 a)": (1, lambda a: np.sin(20 * a)),
        "sin(20 a + 0.3)": (1, lambda a: np.sin(20 * a + 0.3)),
        "sin(20 a) + a": (1, lambda a: np.sin(20 * a) + a),
        "a sin(20 a)": (1, lambda a: a * np.sin(20 * a)),
        "sin(30 a) + sin(13 a)": (1, lambda a: np.sin(30 * a) + np.sin(13 * a)),
        "sin(12 a) b": (2, lambda a, b: np.sin(12 * a) * b),
        "-0.08 a^2 - sin(8 b)": (2, lambda a, b: -0.08 * a**2 - np.sin(8 * b)),
        "exp(-a) cos(25 a)": (1, lambda a: np.exp(-a) * np.cos(25 * a)),
        "sin(15 a) sin(9 b)": (2, lambda a, b: np.sin(15 * a) * np.sin(9 * b)),
        "sin(10 (a + b))": (2, lambda a, b: np.sin(10 * (a + b))),
        "cos(7 a - 3 b)": (2, lambda a, b: np.cos(7 * a - 3 * b)),
        "sin(10 a b)": (2, lambda a, b: np.sin(10 * a * b)),
        "sin(40 a) + a^3": (1, lambda a: np.sin(40 * a) + a**3),
        "2 + 3 cos(18 a + 1)": (1, lambda a: 2 + 3 * np.cos(18 * a + 1)),
        "(1 + 0.5 a) sin(22 a)": (1, lambda a: (1 + 0.5 * a) * np.sin(22 * a)),
        "sin(16 a) + exp(b)": (2, lambda a, b: np.sin(16 * a) + np.exp(b)),
        "sin(14 a) / (3 + b)": (2, lambda a, b: np.sin(14 * a) / (3 + b)),
        "a + b + 0.1 sin(30 a)": (2, lambda a, b: a + b + 0.1 * np.sin(30 * a)),
        "sin(10 a^2)": (1, lambda a: np.sin(10 * a**2)),
        "sin(25 a)^2": (1, lambda a: np.sin(25 * a) ** 2),
        "a^2 sin(17 b) + c": (3, lambda a, b, c: a**2 * np.sin(17 * b) + c),
        "sin(11 a) + cos(13 b)": (2, lambda a, b: np.sin(11 * a) + np.cos(13 * b)),
        "sin(50 a)": (1, lambda a: np.sin(50 * a)),
        "a b + sin(20 c)": (3, lambda a, b, c: a * b + np.sin(20 * c)),
        "sqrt(3 + a) + sin(12 a)": (1, lambda a: np.sqrt(3 + a) + np.sin(12 * a)),
    }
)
_SPOILT: Mapping[str, tuple[int, Law]] = MappingProxyType(
    {
        "2a + 3b": (2, lambda a, b: 2 * a + 3 * b),
        "a exp(-b)": (2, lambda a, b: a * np.exp(-b)),
        "a b / c": (3, lambda a, b, c: a * b / c),
        "sin(a) + b": (2, lambda a, b: np.sin(a) + b),
        "sqrt(a^2 + b^2)": (2, lambda a, b: np.sqrt(a**2 + b**2)),
        "a^2 + b c": (3, lambda a, b, c: a**2 + b * c),
        "log(a) b": (2, lambda a, b: np.log(a) * b),
        "1 / (1 + a b)": (2, lambda a, b: 1 / (1 + a * b)),
        "a^1.5": (1, lambda a: a**1.5),
        "3": (1, lambda a: 3 + 0 * a),
        "a + cos(2 b) + c": (3, lambda a, b, c: a + np.cos(2 * b) + c),
        "exp(-a^2)": (1, lambda a: np.exp(-(a**2))),
        "a (b + c)^2": (3, lambda a, b, c: a * (b + c) ** 2),
        "a / (b + c)": (3, lambda a, b, c: a / (b + c)),
        "tanh(a) + b": (2, lambda a, b: np.tanh(a) + b),
    }
)
_IDLE: Mapping[str, tuple[int, Law, float]] = MappingProxyType(
    {
        "x0 x1 + sin(x2)": (3, lambda a, b, c: a * b + np.sin(c), -2.0),
        "x0 + 2 x1": (2, lambda a, b: a + 2 * b, -2.0),
        "exp(x0) x1": (2, lambda a, b: np.exp(a) * b, -2.0),
        "x0 x1 / x2": (3, lambda a, b, c: a * b / c, 1.0),
        "sqrt(x0^2 + x1^2)": (2, lambda a, b: np.sqrt(a**2 + b**2), -2.0),
        "x0 x1 x2": (3, lambda a, b, c: a * b * c, 0.5),
        "sin(3 x0) + x1^2 x2": (3, lambda a, b, c: np.sin(3 * a) + b**2 * c, -2.0),
        "x0 / (x1 + x2)": (3, lambda a, b, c: a / (b + c), 1.0),
        "log(x0) + x1 x2": (3, lambda a, b, c: np.log(a) + b * c, 0.5),
        "cos(x0 - x1)": (2, lambda a, b: np.cos(a - b), -2.0),
    }
)
_IDLE_COLUMNS = (20, 60, 300)


def uncommon() -> tuple[Uncommon, ...]:
    """All tables: 30 with kinks, 25 with waves, 30 with spoilt rows and 30 with idle columns."""
    found = [Uncommon("kinks", name, law, width) for name, (width, law) in _KINKS.items()]
    found += [Uncommon("waves", name, law, width) for name, (width, law) in _WAVES.items()]
    for spoilt, rows in ((3, 200), (20, 500)):
        found += [
            Uncommon("spoilt rows", f"{name}, {spoilt} of {rows}", law, width, 0.5, 3.0, rows=rows, spoilt=spoilt)
            for name, (width, law) in _SPOILT.items()
        ]
    for idle in _IDLE_COLUMNS:
        found += [
            Uncommon("idle columns", f"{name} + {idle}", law, width, low, 3.0, idle=idle)
            for name, (width, law, low) in _IDLE.items()
        ]
    return tuple(found)
