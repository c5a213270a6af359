"""What is searched for in place of y: y times a monomial, with a function undone; and the way back to y."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._monomials import Exponents, expression, used, value
from ..problem._search_problem import SearchProblem
from ._outer import inverses

Rows = Float64[np.ndarray, "rows"]

_FUNCTIONS = 13  # that are undone, and
_INVERTING = 150  # operations on a row that this takes, with a product of powers


@dataclass(frozen=True)
class Target:
    """Values z to explain, with y = forward(z) / multiple.

    Attributes
    ----------
    values : array of shape [rows]
        The values z.
    multiple : array of shape [rows]
        The monomial that y was multiplied by.
    forward : callable
        The function that was undone, elementwise.
    build : callable
        The sympy expression of y from that of z.
    size : int
        The nodes that this adds to a formula.
    """

    values: Rows
    multiple: Rows
    forward: Callable[[Rows], Rows]
    build: Callable[[sympy.Expr], sympy.Expr]
    size: int

    def restored(self, z: Float64[np.ndarray, "... rows"]) -> Float64[np.ndarray, "... rows"]:
        """The values of y that belong to other values of z.

        Parameters
        ----------
        z : array of shape [..., rows]
            In place of ``values``.
        """
        with np.errstate(all="ignore"):
            return np.asarray(self.forward(z) / self.multiple)

    def misses(self, problem: SearchProblem, z: Float64[np.ndarray, "trials rows"]) -> Float64[np.ndarray, "trials"]:
        """The relative errors of y for several z; infinite where y is not finite.

        Parameters
        ----------
        problem : SearchProblem
            The rows.
        z : array of shape [trials, rows]
            In place of ``values``, one row for each trial.
        """
        with np.errstate(all="ignore"):
            residual = (self.restored(z) - problem.y) / problem.unit
            errors = np.sqrt(np.mean(residual**2, axis=1))
        return np.where(np.isfinite(errors), errors, np.inf)


def targets(problem: SearchProblem, exponents: Exponents | None = None) -> Iterator[Target]:
    """The targets of one monomial: y times it, as it is and undone by every function that takes all of it.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    exponents : tuple of Fraction, optional
        The monomial's powers; 1 without them.
    """
    multiple, factor = np.ones(problem.rows), sympy.Integer(1)
    size = 0
    if exponents is not None and any(exponents):
        multiple, factor = value(problem.x, exponents), expression(problem.columns, exponents)
        size = 2 * used(exponents)
        if not np.all(np.isfinite(multiple)) or np.any(multiple == 0):
            return
    scaled = problem.y * multiple
    if np.ptp(scaled) > 1e-12 * np.max(np.abs(scaled)):
        yield Target(scaled, multiple, lambda z: z, lambda z: z / factor, size)
        problem.budget.charge("columns", _INVERTING * problem.rows, calls=_FUNCTIONS)
        for entry, z in inverses(scaled):
            yield Target(z, multiple, entry, _back(entry.build, factor), size + 1)


def _back(build: Callable[[sympy.Expr], sympy.Expr], multiple: sympy.Expr) -> Callable[[sympy.Expr], sympy.Expr]:
    """The way back from z to y: the function, then the quotient."""
    return lambda z: build(z) / multiple


def all_targets(problem: SearchProblem, exponents: Sequence[Exponents]) -> list[Target]:
    """The targets of many monomials, as many as there is time for.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    exponents : sequence of tuples of Fraction
        The powers of each monomial.
    """
    found: list[Target] = []
    for e in exponents:
        if problem.budget.over():
            break
        found += targets(problem, e)
    return found
