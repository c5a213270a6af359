"""Laws of many kinds with noise, whose constants are known: what intervals are held against."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray

COLUMNS = sympy.symbols("x1 x2 x3", real=True)
ROWS = (20, 35, 60, 100, 300, 1000)
NOISE = (0.01, 0.02, 0.05, 0.1, 0.2)  # of y's deviation

# A constant is a letter with its range; the inputs lie in [0.2, 2] where nothing else is said.
KINDS: dict[str, tuple[str, dict[str, tuple[float, float]], tuple[float, float]]] = {
    "line": ("a*x1 + b", {"a": (0.5, 5), "b": (-3, 3)}, (-1, 1)),
    "plane": ("a*x1 + b*x2 + c*x3 + d", {"a": (0.5, 5), "b": (-5, -1), "c": (1, 9), "d": (1, 3)}, (-1, 1)),
    "product": ("a*x1*x2", {"a": (0.3, 9)}, (0.2, 2)),
    "product and offset": ("a*x1*x2*x3 + b", {"a": (1, 5), "b": (0.5, 3)}, (0.2, 2)),
    "powers": ("a*x1**b*x2**c", {"a": (1, 5), "b": (0.4, 2.6), "c": (-1.6, -0.4)}, (0.2, 2)),
    "power and offset": ("a + b*x1**c", {"a": (0.5, 3), "b": (1, 4), "c": (0.6, 2.4)}, (0.2, 2)),
    "polynomial": ("a*x1**2 + b*x1*x2 + c", {"a": (1, 4), "b": (-4, -1), "c": (0.3, 2)}, (-1, 1)),
    "decay": ("a*exp(-b*x1) + c", {"a": (1, 5), "b": (0.8, 3), "c": (0.2, 2)}, (0, 2)),
    "growth times": ("a*x2*exp(b*x1)", {"a": (0.5, 3), "b": (0.3, 1.5)}, (0.2, 2)),
    "Arrhenius": ("a*exp(-b/x1)", {"a": (1, 5), "b": (0.5, 2)}, (0.2, 2)),
    "Gauss": ("a*exp(-(x1 - b)**2/(2*c**2))", {"a": (1, 5), "b": (-0.4, 0.4), "c": (0.3, 0.7)}, (-1, 1)),
    "sine": ("a*sin(b*x1 + c)", {"a": (1, 4), "b": (2, 6), "c": (0.2, 1.2)}, (0, 2)),
    "sine and line": ("a*sin(b*x1) + c*x2", {"a": (1, 4), "b": (2, 6), "c": (0.5, 2)}, (0, 2)),
    "damped wave": ("a*exp(-b*x1)*cos(c*x1)", {"a": (1, 4), "b": (0.3, 1), "c": (3, 8)}, (0, 2)),
    "saturation": ("a*x1/(b + x1)", {"a": (1, 5), "b": (0.3, 2)}, (0.2, 2)),
    "rational": ("a*x1/(b + x2) + c", {"a": (1, 5), "b": (0.3, 2), "c": (0.2, 2)}, (0.2, 2)),
    "logistic": ("a/(1 + exp(-b*(x1 - c)))", {"a": (1, 5), "b": (2, 6), "c": (-0.3, 0.3)}, (-1, 1)),
    "root": ("sqrt(a*x1**2 + b*x2**2)", {"a": (0.5, 4), "b": (0.5, 4)}, (0.2, 2)),
    "logarithm": ("a*log(b + x1)", {"a": (1, 4), "b": (1.2, 3)}, (0.2, 2)),
    "tanh": ("a*tanh(b*x1) + c", {"a": (1, 4), "b": (0.8, 2), "c": (0.2, 2)}, (-1, 1)),
    "one constant twice": ("a*x1*x2 - a*x2**2", {"a": (0.7, 4)}, (-1, 1)),
    "one constant in two places": ("a*x1 + sin(a*x2)", {"a": (1.2, 3)}, (-1, 1)),
    "nearly a line": ("a*exp(-b*x1) + c", {"a": (1, 3), "b": (0.8, 1.2), "c": (0.2, 2)}, (0, 0.8)),
    "far from saturation": ("a*x1/(b + x1)", {"a": (2, 5), "b": (2, 4)}, (0.2, 1.5)),
    "nearly one slope": ("a*x1 + b*sin(x1)", {"a": (1, 3), "b": (1, 3)}, (-1.2, 1.2)),
}


@dataclass(frozen=True)
class NoisyLaw:
    """One law, its constants, and rows of it with noise.

    Attributes
    ----------
    kind : str
        A key of `KINDS`.
    expression : sympy.Expr
        The law with its constants as decimals.
    constants : tuple of float
        Their values.
    x, y, clean : arrays
        The rows, with noise and without.
    noise : float
        Its deviation over that of y.
    """

    kind: str
    expression: sympy.Expr
    constants: tuple[float, ...]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    clean: NDArray[np.float64]
    noise: float

    @property
    def names(self) -> list[str]:
        """The columns that the law may read."""
        return [str(column) for column in COLUMNS[: self.x.shape[1]]]


def noisy_laws(count: int, *, seed: int = 0, kinds: Sequence[str] = tuple(KINDS)) -> Iterator[NoisyLaw]:
    """So many laws, the kinds in turn."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        text, ranges, (low, high) = KINDS[kind]
        values = {name: round(float(rng.uniform(*ends)), 6) for name, ends in ranges.items()}
        form = sympy.sympify(text, locals={str(column): column for column in COLUMNS})
        law = form.xreplace({one: sympy.Float(values[str(one)]) for one in form.free_symbols if str(one) in values})
        width = max(COLUMNS.index(one) for one in law.free_symbols) + 1
        rows, noise = int(rng.choice(ROWS)), float(rng.choice(NOISE))
        x = rng.uniform(low, high, (rows, width))
        clean = np.asarray(sympy.lambdify(COLUMNS[:width], law, "numpy")(*x.T), dtype=np.float64)
        y = clean + noise * float(np.std(clean)) * rng.normal(size=rows)
        yield NoisyLaw(kind, law, tuple(values.values()), x, y, clean, noise)
