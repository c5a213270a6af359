"""Thirty laws with constants of each group's own, of various kinds and numbers of groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import sympy
from numpy.typing import NDArray

Array = NDArray[np.float64]
Range = tuple[float, float]


@dataclass(frozen=True)
class GroupedEquation:
    """A law: its form, the ranges of its inputs, and of the constants that each group has for itself.

    ``chance`` gives one group's own constant a value by which a term vanishes, or a factor is 1.
    """

    name: str
    form: str
    inputs: Mapping[str, Range]
    own: Mapping[str, Range]
    groups: int
    rows: int
    chance: Mapping[str, float] = field(default_factory=dict)

    @property
    def expression(self) -> sympy.Expr:
        """The form in real symbols."""
        names = {name: sympy.Symbol(name, real=True) for name in (*self.inputs, *self.own)}
        return sympy.sympify(self.form, locals=names)

    def constants(self, seed: int) -> list[dict[str, float]]:
        """The own constants of every group."""
        rng = np.random.default_rng((seed, 1))
        drawn = [{name: float(rng.uniform(*span)) for name, span in self.own.items()} for _ in range(self.groups)]
        return [{**drawn[0], **self.chance}, *drawn[1:]]

    def in_group(self, constants: Mapping[str, float]) -> sympy.Expr:
        """The law of one group."""
        return self.expression.xreplace(
            {sympy.Symbol(name, real=True): sympy.Float(v) for name, v in constants.items()}
        )

    def table(self, noise: float, seed: int) -> tuple[Array, Array, list[str]]:
        """Rows of all groups; noise in parts of each group's deviation."""
        rng = np.random.default_rng((seed, 2))
        low, high = np.array(list(self.inputs.values())).T
        xs, ys, labels = [], [], []
        for number, constants in enumerate(self.constants(seed)):
            x = rng.uniform(low, high, (self.rows, len(low)))
            columns = [sympy.Symbol(name, real=True) for name in self.inputs]
            y = np.asarray(sympy.lambdify(columns, self.in_group(constants), "numpy")(*x.T), dtype=np.float64)
            xs.append(x)
            ys.append(y + noise * np.std(y) * rng.normal(size=len(y)))
            labels += [f"g{number}"] * self.rows
        return np.concatenate(xs), np.concatenate(ys), labels


def _one(
    name: str, form: str, span: Range, groups: int, rows: int, chance: Mapping[str, float] | None = None, **own: Range
) -> GroupedEquation:
    return GroupedEquation(name, form, {"x": span}, own, groups, rows, chance or {})


def _two(name: str, form: str, spans: tuple[Range, Range], groups: int, rows: int, **own: Range) -> GroupedEquation:
    return GroupedEquation(name, form, {"x1": spans[0], "x2": spans[1]}, own, groups, rows)


EQUATIONS: tuple[GroupedEquation, ...] = (
    _one("line", "a*x + b", (0, 10), 4, 12, a=(1, 5), b=(-3, 3)),
    _one("one slope", "2.3*x + b", (0, 10), 12, 10, b=(-8, 8)),
    _one("proportional", "a*x", (1, 9), 2, 14, a=(1, 6)),
    _one("fall", "h + v*x - 4.905*x**2", (0, 3), 8, 15, h=(5, 40), v=(-6, 12)),
    _one("wave", "a*sin(1.7*x) + c", (0, 7), 6, 20, {"c": 0.0}, a=(1, 4), c=(-2, 2)),
    _one("wave of phase", "1.8*sin(2.2*x + p)", (0, 6), 10, 20, {"p": 0.0}, p=(-1.4, 1.4)),
    _one("wave of pitch", "3*sin(w*x)", (0, 4), 7, 25, {"w": 1.0}, w=(0.8, 2.6)),
    _one("decay", "a*exp(-0.6*x)", (0, 6), 15, 12, a=(1, 9)),
    _one("decays", "a*exp(-r*x) + 0.7", (0, 5), 8, 15, a=(2, 6), r=(0.4, 1.6)),
    _one("rate alone", "5*exp(-r*x)", (0, 4), 30, 10, r=(0.2, 2.0)),
    _one("saturation", "v*x/(x + 1.3)", (0.1, 8), 5, 14, v=(1, 6)),
    _one("affinity", "4*x/(x + k)", (0.1, 9), 9, 15, k=(0.4, 5)),
    _one("both of Michaelis", "v*x/(x + k)", (0.1, 9), 6, 18, v=(1, 5), k=(0.5, 4)),
    _one("power", "a*x**1.5", (0.5, 6), 5, 12, {"a": 1.0}, a=(0.5, 4)),
    _one("powers", "a*x**b", (0.5, 5), 8, 16, {"b": 2.0}, a=(1, 4), b=(0.6, 2.8)),
    _one("hill of place", "2.5*exp(-(x - m)**2/1.28)", (0, 6), 7, 25, m=(1.5, 4.5)),
    _one("hill of height", "a*exp(-(x - 2.4)**2/0.9)", (0, 5), 20, 12, a=(0.5, 5)),
    _one("growth", "k/(1 + exp(-1.4*(x - 3)))", (0, 7), 6, 18, k=(2, 9)),
    _one("growth in time", "5/(1 + exp(-1.8*(x - m)))", (0, 8), 9, 20, m=(2, 6)),
    _one("logarithm", "a*log(x) + b", (0.5, 9), 3, 15, {"b": 0.0}, a=(0.5, 4), b=(-3, 3)),
    _one("damped", "a*exp(-0.4*x)*sin(3*x)", (0, 5), 5, 30, a=(1, 5)),
    _one("Arrhenius", "a*exp(-2.5/x)", (0.4, 4), 50, 10, a=(1, 9)),
    _one("resonance", "a/((x - 2)**2 + 0.5)", (0, 5), 4, 20, a=(0.5, 4)),
    _one("root", "sqrt(x + s)", (0, 8), 6, 14, {"s": 0.0}, s=(0, 6)),
    _two("plane", "a*x1 + 3*x2 + b", ((0, 5), (-2, 2)), 6, 15, a=(-4, 4), b=(-5, 5)),
    _two("gas", "n*x1/x2", ((1, 6), (0.5, 4)), 10, 12, n=(0.5, 5)),
    _two("product and offset", "a*x1*x2 + c", ((-2, 3), (0.5, 4)), 5, 20, a=(0.5, 3), c=(-4, 4)),
    _two("cooling", "x1*exp(-r*x2)", ((1, 9), (0, 3)), 7, 20, r=(0.3, 1.8)),
    _two("wave on a slope", "a*sin(2*x1) + 0.8*x2", ((0, 4), (-3, 3)), 6, 25, a=(1, 4)),
    _two("attraction", "g*x1/x2**2", ((1, 5), (1, 4)), 40, 10, g=(0.5, 6)),
)  # fmt: skip
