"""Right-hand sides that are proposed for one variable: sums by the weak form, and formulas of its derivative."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, log2

import numpy as np
import sympy
from jaxtyping import Float64

from ..formulas import SearchOptions, find_formula
from ..formulas.symbolic._tidy import complexity
from ._form import Form, opened, skeleton
from ._smoothed import Smoothed
from ._weak_form import WeakForm, function_terms, polynomial_terms

_NODE, _CONSTANT = 3.0, 8.0  # bits
_MET = 1e-6  # of a variable's change: the weak form does not see less
_SMALL = 5  # constants
_TRUSTED = 0.8  # share of the rows that are searched: those whose derivative is known best
_SAFETY, _LEAST = 2.0, 1e-6  # times the derivative's error, and the least of its deviation that is asked for


@dataclass(frozen=True)
class Proposals:
    """Right-hand sides of one variable, the likeliest first by the weak form.

    Attributes
    ----------
    expressions : tuple of sympy.Expr
        Each form once, at the constants that the weak form likes best.
    """

    expressions: tuple[sympy.Expr, ...]

    def forms(self, most: int | None = None) -> tuple[Form, ...]:
        """The first few with their constants open, then the first of each small number of constants.

        Parameters
        ----------
        most : int, optional
            How many come first; all if left out.
        """
        forms = [opened(expression) for expression in self.expressions]
        small: dict[int, Form] = {}
        for form in forms[len(forms) if most is None else most :]:
            if len(form.values) <= _SMALL:
                small.setdefault(len(form.values), form)
        return (*forms[:most], *small.values())


def ranked(found: Iterable[sympy.Expr], weak: WeakForm, variables: Sequence[sympy.Symbol], place: int) -> Proposals:
    """Right-hand sides ordered by their description length, each form once.

    Parameters
    ----------
    found : iterable of sympy.Expr
        Right-hand sides.
    weak : WeakForm
        What they are held against.
    variables : sequence of sympy.Symbol
        The variables.
    place : int
        The number of the variable.
    """
    rows = weak.times
    told: dict[sympy.Expr, tuple[float, int, sympy.Expr]] = {}
    for number, expression in enumerate(found):
        error = weak.error(expression, variables, place)
        if not isfinite(error) or expression.has(sympy.nan, sympy.zoo):
            continue
        bits = rows * log2(max(error, _MET)) + _NODE * complexity(expression)
        bits += _CONSTANT * len(opened(expression).values)
        form = skeleton(expression)
        told[form] = min(told.get(form, (float("inf"), 0, expression)), (bits, number, expression), key=lambda t: t[:2])
    return Proposals(tuple(expression for _, _, expression in sorted(told.values(), key=lambda t: t[:2])))


def sums(weak: WeakForm, variables: Sequence[sympy.Symbol], place: int) -> tuple[sympy.Expr, ...]:
    """Polynomials and sums of functions that the weak form proposes for one variable.

    Parameters
    ----------
    weak : WeakForm
        Windows over all trajectories.
    variables : sequence of sympy.Symbol
        The variables.
    place : int
        The number of the variable.
    """
    libraries = (
        polynomial_terms(variables),
        function_terms(variables, paired=False),
        function_terms(variables, paired=True),
    )
    return tuple(expression for terms in libraries for expression in weak.sums(terms, variables, place))


def formulas(
    curves: Sequence[Smoothed], variables: Sequence[sympy.Symbol], place: int, options: SearchOptions
) -> tuple[sympy.Expr, ...]:
    """Formulas of one variable's derivative: the best, and the others of the front.

    Parameters
    ----------
    curves : sequence of Smoothed
        The trajectories.
    variables : sequence of sympy.Symbol
        The variables.
    place : int
        The number of the variable.
    options : SearchOptions
        Of the search.
    """
    x, y, tolerance = _rows(curves, place)
    names = [str(variable) for variable in variables]
    found = find_formula(x, y, names=names, output="slope", tolerance=tolerance, options=options)
    return (found.expression, *(entry.expression for entry in found.pareto_front if entry.searched))


def _rows(
    curves: Sequence[Smoothed], place: int
) -> tuple[Float64[np.ndarray, "rows variables"], Float64[np.ndarray, "rows"], float]:
    """Smooth states, the derivative of one variable, and how well that is known, where it is known well."""
    x = np.concatenate([one.at(one.inner) for one in curves])
    y = np.concatenate([one.at(one.inner, 1)[:, place] for one in curves])
    error = np.concatenate([one.inner_error[:, place] for one in curves])
    kept = error <= np.quantile(error, _TRUSTED)
    size = float(np.std(y[kept])) or 1.0
    return x[kept], y[kept], max(_SAFETY * float(np.sqrt(np.mean(error[kept] ** 2))) / size, _LEAST)
