"""What is searched for in place of y: y times a monomial, undone by a function; and the way back to y."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._monomials import Exponents, expression, used, value
from ..problem._search_problem import Problem
from ._outer import undone

Rows = Float64[np.ndarray, "rows"]


@dataclass(frozen=True)
class Target:
    """z with y = forward(z) / multiple, as numbers and in sympy; ``size`` are the nodes that this adds to a formula."""

    values: Rows
    multiple: Rows
    forward: Callable[[Rows], Rows]
    spelled: Callable[[sympy.Expr], sympy.Expr]
    size: int

    def restored(self, z: Float64[np.ndarray, "... rows"]) -> Float64[np.ndarray, "... rows"]:
        """y for other values of z."""
        with np.errstate(all="ignore"):
            return np.asarray(self.forward(z) / self.multiple)

    def misses(self, problem: Problem, z: Float64[np.ndarray, "trials rows"]) -> Float64[np.ndarray, "trials"]:
        """The relative errors of y for rows of z; infinite where y is not finite."""
        with np.errstate(all="ignore"):
            residual = (self.restored(z) - problem.y) / problem.unit
            errors = np.sqrt(np.mean(residual**2, axis=1))
        return np.where(np.isfinite(errors), errors, np.inf)


def targets(problem: Problem, exponents: Exponents | None = None) -> Iterator[Target]:
    """y, times a monomial where exponents are given, as it is and undone by every function that takes all of it."""
    multiple, spelled = np.ones(problem.rows), sympy.Integer(1)
    size = 0
    if exponents is not None and any(exponents):
        multiple, spelled = value(problem.x, exponents), expression(problem.columns, exponents)
        size = 2 * used(exponents)
        if not np.all(np.isfinite(multiple)) or np.any(multiple == 0):
            return
    scaled = problem.y * multiple
    if np.ptp(scaled) > 1e-12 * np.max(np.abs(scaled)):
        yield Target(scaled, multiple, lambda z: z, lambda z: z / spelled, size)
        for entry, inverted in undone(replace(problem, y=scaled)):
            back = _back(entry.build, spelled)
            yield Target(inverted.y, multiple, entry, back, size + 1)


def _back(build: Callable[[sympy.Expr], sympy.Expr], multiple: sympy.Expr) -> Callable[[sympy.Expr], sympy.Expr]:
    return lambda z: build(z) / multiple


def all_targets(problem: Problem, exponents: Sequence[Exponents]) -> list[Target]:
    """The targets of many monomials, as many as there is time for."""
    found: list[Target] = []
    for e in exponents:
        if problem.clock.over():
            break
        found += targets(problem, e)
    return found
