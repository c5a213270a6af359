"""The open constants of a template, refined together on the data, with their standard errors."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray
from scipy.optimize import least_squares

from ..symbolic._derivative import derivative
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
        self._charge()
        return self._computed(values)

    def remembering(self) -> Callable[[Values], tuple[Rows, Float64[np.ndarray, "rows constants"]]]:
        """`evaluate`, which charges every call and works out no place twice in a row.

        A fit asks for the residual and for its slopes at the same place, one after the other.
        """
        computed = lru_cache(maxsize=2)(lambda place: self._computed(np.frombuffer(place)))

        def evaluate(values: Values) -> tuple[Rows, Float64[np.ndarray, "rows constants"]]:
            self._charge()
            residual, jacobian = computed(values.tobytes())
            return residual.copy(), jacobian.copy()  # MINPACK works in the arrays that it is given

        return evaluate

    def _charge(self) -> None:
        self.problem.budget.charge("evaluate", self.problem.rows * (self.nodes + len(self.constants)))

    def _computed(self, values: Values) -> tuple[Rows, Float64[np.ndarray, "rows constants"]]:
        problem = self.problem
        table = np.empty((problem.rows, 1 + len(self.constants)))
        with np.errstate(all="ignore"):
            for place, output in enumerate(self.both(problem.x.T, values)):
                table[:, place] = _real(output)
            residual = (table[:, 0] - problem.y) / problem.unit
            jacobian = table[:, 1:] / problem.unit
            if problem.weights is not None:
                residual, jacobian = residual * problem.weights, jacobian * problem.weights[:, None]
        lost = ~(np.abs(residual) <= 1e100)
        smooth = np.isfinite(jacobian)
        if np.any(lost) or not np.all(smooth):
            residual[lost] = _FAR
            jacobian[lost | ~np.all(smooth, axis=1)] = 0.0
        return residual, jacobian


def _real(output: Any) -> Any:
    """One output; NaN in place of complex and other strange values."""
    values = np.asarray(output)
    return values if values.dtype.kind in "fiub" else np.nan


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
    named = _stand_ins(constants)
    both = _compiled(template.expression.xreplace(named), problem.columns, tuple(named[c] for c in constants))
    nodes = node_count(template.expression)
    problem.budget.charge("compile", nodes + len(constants))
    return Model(template, constants, both, problem, nodes)


def _stand_ins(constants: Sequence[sympy.Dummy]) -> dict[sympy.Dummy, sympy.Dummy]:
    """For each constant one that all templates share, in the same order.

    Two templates of one form are then one expression, which is compiled once, and which sympy knows again.
    """
    taken: Counter[str] = Counter()
    found = {}
    for c in sorted(constants, key=lambda c: c.dummy_index):
        found[c] = _stand_in(c.name, taken[c.name])
        taken[c.name] += 1
    return found


@cache
def _stand_in(name: str, place: int) -> sympy.Dummy:
    return sympy.Dummy(name, real=True)


@lru_cache(maxsize=256)
def _compiled(
    expression: sympy.Expr, columns: tuple[sympy.Symbol, ...], constants: tuple[sympy.Dummy, ...]
) -> Callable[..., Any]:
    """The values of an expression and its derivatives by the constants, as one function."""
    smooth = _without_hyperbolic(expression)
    outputs = [expression, *(_without_jumps(derivative(smooth, c)) for c in constants)]
    shared, reduced = sympy.cse(outputs, list=False) if len(constants) > 1 else ([], outputs)
    named = _plain_names(columns, constants)  # lambdify would rename constants too, one after the other
    parts = [(part, value.xreplace(named)) for part, value in shared]
    function: Callable[..., Any] = sympy.lambdify(
        [list(columns), [named[c] for c in constants]],
        [output.xreplace(named) for output in reduced],
        "numpy",
        cse=lambda outputs: (parts, outputs),
        docstring_limit=0,
    )
    return function


def _plain_names(columns: Sequence[sympy.Symbol], constants: Sequence[sympy.Dummy]) -> dict[sympy.Dummy, sympy.Symbol]:
    """Names for constants that Python can read, that no column has, and that come before columns in a sum."""
    longest = max((len(str(column)) for column in columns), default=0)
    later = sorted(constants, key=lambda c: (c.name, c.dummy_index))
    return {c: sympy.Symbol(f"{'A' * longest}{99999 - place}") for place, c in enumerate(later)}


def _without_jumps(slope: sympy.Expr) -> sympy.Expr:
    """A slope as rows see it: a step has none but where it jumps, and no row lies there."""
    return slope.replace(sympy.DiracDelta, lambda *u: sympy.Integer(0)) if slope.has(sympy.DiracDelta) else slope


def _without_hyperbolic(expression: sympy.Expr) -> sympy.Expr:
    """The expression with cosh and sinh written by exponentials.

    To differentiate, sympy asks after the sign of a cosh, and may take minutes over its argument.
    """
    if not expression.has(sympy.cosh, sympy.sinh):
        return expression
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
    evaluate = ready.remembering()
    residual, _ = evaluate(values)
    if not np.all(np.isfinite(values)) or np.mean(residual == _FAR) > 0.1:
        return None
    if np.any(free):
        values = _descend(ready, evaluate, values, free)
    residual, jacobian = evaluate(values)
    if np.any(residual == _FAR):
        return None
    errors = np.zeros(len(values))
    errors[free] = _standard_errors(ready.problem, residual, jacobian[:, free])
    return Fit(ready, values, errors, residual * ready.problem.unit)


def _descend(
    ready: Model,
    evaluate: Callable[[Values], tuple[Rows, Float64[np.ndarray, "rows constants"]]],
    values: Values,
    free: NDArray[np.bool_],
) -> Values:
    """Levenberg-Marquardt on the free constants, then Gauss-Newton for the last digits."""

    def spread(part: NDArray[np.float64]) -> Values:
        full = values.copy()
        full[free] = part
        return full

    count = int(np.sum(free))
    if ready.problem.rows < count:
        return values
    fit = least_squares(
        lambda part: evaluate(spread(part))[0],
        values[free],
        jac=lambda part: evaluate(spread(part))[1][:, free],
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
        residual, jacobian = evaluate(best)
        with np.errstate(all="ignore"):
            size = np.linalg.norm(jacobian[:, free], axis=0)
        if not np.all(np.isfinite(size)) or np.any(size == 0):
            break
        step = np.zeros(len(best))
        step[free] = np.linalg.lstsq(jacobian[:, free] / size, residual, rcond=1e-13)[0] / size
        trial = evaluate(best - step)[0]
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
