"""Arguments of a function of one variable: an input, a weighted sum, a product, a ratio, a sum of squares."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import sympy
from jaxtyping import Float64

from ._search_problem import SearchProblem
from ._template import Template, constant


@dataclass(frozen=True)
class Inner:
    """An argument u = sum of weight * part, whose largest weight is 1.

    Attributes
    ----------
    parts : tuple of sympy.Expr
        What is summed.
    weights : tuple of float
        One for each part; those other than 1 and -1 are open constants, to be refined with the rest.
    values : array of shape [rows]
        The argument u on the rows.
    """

    parts: tuple[sympy.Expr, ...]
    weights: tuple[float, ...]
    values: Float64[np.ndarray, "rows"]

    def template(self, scale: float, shift: float | None, *, scale_free: bool) -> Template:
        """The template of scale * u + shift.

        Parameters
        ----------
        scale : float
            Where the scale starts; its sign alone counts where it is not free.
        shift : float or None
            Where the shift starts; None for no shift.
        scale_free : bool
            Whether the scale is an open constant; else it is +1 or -1.
        """
        start: dict[sympy.Dummy, float] = {}
        expression = sympy.Integer(0)
        for part, weight in zip(self.parts, self.weights, strict=True):
            factor: sympy.Expr = sympy.Integer(1 if scale > 0 else -1)
            if scale_free or abs(weight) != 1.0:
                factor = constant()
                start[factor] = scale * weight if scale_free else float(np.sign(scale)) * weight
            elif weight < 0:
                factor = -factor
            expression += factor * part
        if shift is not None:
            c = constant()
            start[c] = shift
            expression += c
        return Template(expression, start)

    def plain(self) -> bool:
        """Whether u is a single part."""
        return len(self.parts) == 1

    def squared(self) -> "Inner":
        """The argument u**2, for a single part."""
        return Inner((self.parts[0] ** 2,), (1.0,), self.values**2)

    def logarithm(self) -> "Inner":
        """The argument log(u), for a single part that is positive."""
        return Inner((sympy.log(self.parts[0]),), (1.0,), np.log(self.values))


def single(problem: SearchProblem, index: int) -> Inner:
    """One input as an argument.

    Parameters
    ----------
    problem : SearchProblem
        The rows.
    index : int
        The input's column.
    """
    return Inner((problem.columns[index],), (1.0,), problem.x[:, index])


def weighted(problem: SearchProblem, columns: tuple[int, ...], direction: tuple[float, ...]) -> Inner:
    """A weighted sum of inputs as an argument, scaled so that its largest weight is 1.

    Parameters
    ----------
    problem : SearchProblem
        The rows.
    columns : tuple of int
        The inputs' columns.
    direction : tuple of float
        A weight for each.
    """
    weights = np.asarray(direction) / np.asarray(direction)[int(np.argmax(np.abs(direction)))]
    values = problem.x[:, list(columns)] @ weights
    return Inner(tuple(problem.columns[i] for i in columns), tuple(float(w) for w in weights), values)


def rounded(inner: Inner, problem: SearchProblem, columns: tuple[int, ...]) -> Inner | None:
    """A weighted sum with its weights rounded to halves, since a network's weights are rough.

    None where rounding leaves a weight at zero, or changes nothing.

    Parameters
    ----------
    inner : Inner
        The weighted sum.
    problem : SearchProblem
        The rows.
    columns : tuple of int
        The inputs that are summed.
    """
    weights = tuple(float(np.round(2 * w) / 2) for w in inner.weights)
    if 0.0 in weights or weights == inner.weights:
        return None
    return weighted(problem, columns, weights)


def inners(problem: SearchProblem, *, squares: bool = False) -> Iterator[Inner]:
    """Arguments that y may depend on, the simplest first: inputs, hinted weighted sums, pairs, all inputs together.

    Parameters
    ----------
    problem : SearchProblem
        The rows and the hints.
    squares : bool
        Whether squares of inputs are among them.
    """
    found: list[Inner] = [single(problem, i) for i in range(problem.width)]
    found += [inner.squared() for inner in found if squares and np.max(np.abs(inner.values)) < 1e150]
    for columns, direction in problem.ridges():
        hinted = weighted(problem, columns, direction)
        near = rounded(hinted, problem, columns)
        found += [near, hinted] if near is not None else [hinted]
    symbols, x = problem.columns, problem.x
    with np.errstate(all="ignore"):
        for i, j in combinations(range(problem.width), 2):
            found.append(weighted(problem, (i, j), (1.0, 1.0)))
            found.append(weighted(problem, (i, j), (1.0, -1.0)))
            found.append(Inner((symbols[i] * symbols[j],), (1.0,), x[:, i] * x[:, j]))
            found.append(Inner((symbols[i] / symbols[j],), (1.0,), x[:, i] / x[:, j]))
            found.append(Inner((symbols[j] / symbols[i],), (1.0,), x[:, j] / x[:, i]))
            found.append(Inner((symbols[i] ** 2 + symbols[j] ** 2,), (1.0,), x[:, i] ** 2 + x[:, j] ** 2))
        if problem.width > 2:
            everything = tuple(range(problem.width))
            found.append(weighted(problem, everything, (1.0,) * problem.width))
            found.append(Inner((sympy.Mul(*symbols),), (1.0,), np.prod(x, axis=1)))
            found.append(Inner((sympy.Add(*(s**2 for s in symbols)),), (1.0,), np.sum(x**2, axis=1)))
    for inner in found:
        if np.all(np.isfinite(inner.values)) and np.ptp(inner.values) > 1e-300:
            yield inner
