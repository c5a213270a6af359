"""The open constants of a template, refined together on the data, with their standard errors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ._search_problem import SearchProblem
from ._template import Template, node_count

Rows = Float64[np.ndarray, "rows"]
Values = Float64[np.ndarray, "constants"]

_FAR = 1e3  # a row where the form is not defined counts as this many deviations off
_EVALUATIONS = 120  # of the template, and ten more for each constant
_MOST_CONSTANTS = 20  # no law has so many, and sympy may take minutes over their derivatives


@dataclass(frozen=True)
class Model:
    """A template made ready to run.

    Attributes
    ----------
    template : Template
        The expression with open constants.
    constants : tuple of sympy.Dummy
        The open constants, in the order of their values.
    both : callable
        The values on the rows, and the derivatives by every open constant (from sympy).
    problem : SearchProblem
        The rows.
    nodes : int
        Nodes of the expression.
    """

    template: Template
    constants: tuple[sympy.Dummy, ...]
    both: Callable[..., Any]
    problem: SearchProblem
    nodes: int

    def evaluate(self, values: Values) -> tuple[Rows, Float64[np.ndarray, "rows constants"]]:
        """The residual (template - y) / deviation, times the rows' weights, and its Jacobian.

        Undefined rows count as far off.

        Parameters
        ----------
        values : array of shape [constants]
            A value for each open constant.
        """
        problem = self.problem
        with np.errstate(all="ignore"):
            outputs = self.both(problem.x.T, values)
            table = np.stack([_column(output, problem.rows) for output in outputs], axis=1)
            residual = (table[:, 0] - problem.y) / problem.unit
            jacobian = table[:, 1:] / problem.unit
            if problem.weights is not None:
                residual, jacobian = residual * problem.weights, jacobian * problem.weights[:, None]
        bad = ~np.isfinite(residual) | (np.abs(residual) > 1e100) | ~np.all(np.isfinite(jacobian), axis=1)
        problem.budget.charge("evaluate", problem.rows * (self.nodes + len(self.constants)))
        residual[~np.isfinite(residual) | (np.abs(residual) > 1e100)] = _FAR
        jacobian[bad] = 0.0
        return residual, jacobian


def _column(output: Any, rows: int) -> NDArray[np.float64]:
    """One output as a full column; complex and other strange values become NaN."""
    values = np.asarray(output)
    if values.dtype.kind == "c" or values.dtype.kind not in "fiub":
        return np.full(rows, np.nan)
    return np.broadcast_to(values.astype(np.float64), (rows,))


def model(template: Template, problem: SearchProblem) -> Model:
    """Compile a template and its derivatives.

    Parameters
    ----------
    template : Template
        An expression with open constants.
    problem : SearchProblem
        The rows that it is fitted to.
    """
    constants = tuple(template.start)
    smooth = _without_hyperbolic(template.expression)
    slopes = (smooth.diff(c).replace(sympy.DiracDelta, lambda *u: sympy.Integer(0)) for c in constants)
    outputs = [template.expression, *slopes]  # a step has no slope but where it jumps, and no row lies there
    both = sympy.lambdify(
        [list(problem.columns), list(constants)], outputs, "numpy", cse=len(constants) > 1, docstring_limit=0
    )
    nodes = node_count(template.expression)
    problem.budget.charge("compile", nodes + len(constants))
    return Model(template, constants, both, problem, nodes)


def _without_hyperbolic(expression: sympy.Expr) -> sympy.Expr:
    """The expression with cosh and sinh written by exponentials.

    To differentiate, sympy asks after the sign of a cosh, and may take minutes over its argument.
    """
    plain = expression.replace(sympy.cosh, lambda u: (sympy.exp(u) + sympy.exp(-u)) / 2)
    return plain.replace(sympy.sinh, lambda u: (sympy.exp(u) - sympy.exp(-u)) / 2)


@dataclass(frozen=True)
class Fit:
    """A template with its constants at their least-squares values.

    Attributes
    ----------
    model : Model
        The compiled template.
    values : array of shape [constants]
        The constants.
    errors : array of shape [constants]
        Standard errors, sigma * sqrt(diag (J'J)^-1) with sigma^2 = rss / (rows - constants), sigma at least the
        rounding of y; infinite for constants that the data leave open.
    residual : array of shape [rows]
        In y's own units, as the rows' weights count it.
    """

    model: Model
    values: Values
    errors: Values
    residual: Rows

    @property
    def template(self) -> Template:
        """The template with its constants started at these values."""
        start = {c: float(value) for c, value in zip(self.model.constants, self.values, strict=True)}
        return Template(self.model.template.expression, start, self.error)

    @property
    def error(self) -> float:
        """Root mean square residual over y's deviation."""
        return self.model.problem.relative(self.residual)

    def explained(self) -> bool:
        """Whether the residual is no more than rounding."""
        return self.model.problem.explained(self.residual)


def refine(template: Template, problem: SearchProblem) -> Fit | None:
    """Levenberg-Marquardt from the template's start; None where that is hopeless.

    That is where it is undefined on a tenth of the rows, or too long: half as many constants as rows, or, but for plain
    sums, more than twenty. No law has so many, and sympy may take minutes over their derivatives.

    Parameters
    ----------
    template : Template
        An expression with open constants and their start.
    problem : SearchProblem
        The rows.
    """
    if 2 * len(template.start) >= problem.rows and problem.rows > 2:
        return None
    if len(template.start) > _MOST_CONSTANTS and not template.expression.is_Add:
        return None
    ready = model(template, problem)
    values = np.array([template.start[c] for c in ready.constants], dtype=np.float64)
    return settle(ready, values, np.ones(len(values), dtype=bool))


def settle(ready: Model, values: Values, free: NDArray[np.bool_]) -> Fit | None:
    """The best values of the free constants, the others held; None where the template is not defined.

    Parameters
    ----------
    ready : Model
        The compiled template.
    values : array of shape [constants]
        Where the constants start, or are held.
    free : array of bool of shape [constants]
        Which of them may move.
    """
    residual, _ = ready.evaluate(values)
    if not np.all(np.isfinite(values)) or np.mean(residual == _FAR) > 0.1:
        return None
    if np.any(free):
        values = _descend(ready, values, free)
    residual, jacobian = ready.evaluate(values)
    if np.any(residual == _FAR):
        return None
    errors = np.zeros(len(values))
    errors[free] = _standard_errors(ready.problem, residual, jacobian[:, free])
    return Fit(ready, values, errors, residual * ready.problem.unit)


def _descend(ready: Model, values: Values, free: NDArray[np.bool_]) -> Values:
    """Levenberg-Marquardt on the free constants, then Gauss-Newton for the last digits."""

    def spread(part: NDArray[np.float64]) -> Values:
        full = values.copy()
        full[free] = part
        return full

    count = int(np.sum(free))
    if ready.problem.rows < count:
        return values
    fit = least_squares(
        lambda part: ready.evaluate(spread(part))[0],
        values[free],
        jac=lambda part: ready.evaluate(spread(part))[1][:, free],
        method="lm",
        x_scale="jac",
        ftol=1e-15,
        xtol=1e-15,
        gtol=1e-15,
        max_nfev=_EVALUATIONS + 10 * count,
    )
    ready.problem.budget.charge("fit", ready.problem.rows * count**2 * int(fit.nfev))
    best = spread(fit.x)
    for _ in range(3):  # plain Gauss-Newton steps: the last digits
        residual, jacobian = ready.evaluate(best)
        with np.errstate(all="ignore"):
            size = np.linalg.norm(jacobian[:, free], axis=0)
        if not np.all(np.isfinite(size)) or np.any(size == 0):
            break
        step = np.zeros(len(best))
        step[free] = np.linalg.lstsq(jacobian[:, free] / size, residual, rcond=1e-13)[0] / size
        trial = ready.evaluate(best - step)[0]
        if not np.sum(trial**2) < np.sum(residual**2):
            break
        best = best - step
    return best


def _standard_errors(problem: SearchProblem, residual: Rows, jacobian: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard errors from the singular values of the Jacobian; infinite along its null directions."""
    rows, count = jacobian.shape
    if count == 0:
        return np.zeros(0)
    floor = float(np.finfo(np.float64).eps) * float(np.max(np.abs(problem.y))) / problem.unit
    sigma = max(float(np.sqrt(np.sum(residual**2) / max(rows - count, 1))), floor)
    with np.errstate(all="ignore"):
        size = np.linalg.norm(jacobian, axis=0)
        lost = ~((size > 0) & np.isfinite(size))
        size[lost] = 1.0
        _, values, right = np.linalg.svd(np.where(lost, 0.0, jacobian) / size, full_matrices=False)
        null = values < 1e-13 * max(values[0], 1e-300)
        variance = np.sum((right[~null] / values[~null, None]) ** 2, axis=0)
    if np.any(null):
        variance[np.any(np.abs(right[null]) > 1e-6, axis=0)] = np.inf
    variance[lost] = np.inf
    return np.asarray(sigma * np.sqrt(variance) / size)
