"""Functions that are straight lines on the rows: a logarithm of what hardly varies stands for its argument."""

from collections.abc import Iterator

import numpy as np
import sympy

from ..intervals._opened import opened
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, numeric

_BENT = 0.1  # of a function's deviation: what a line in its argument may leave
_MOST = 4  # functions of a formula that are looked at
_LARGEST = 1e150  # value, whose square is a number


def straightened(expression: sympy.Expr, problem: SearchProblem) -> Iterator[Template]:
    """The formula with one function after the other replaced by a multiple of its argument, without constants there.

    Parameters
    ----------
    expression : sympy.Expr
        Over the columns.
    problem : SearchProblem
        The rows.
    """
    bare = expression.as_coeff_Add()[1]
    for function in sorted(bare.atoms(sympy.Function), key=sympy.default_sort_key)[:_MOST]:
        if len(function.args) != 1 or not function.free_symbols:
            continue
        argument = function.args[0]
        with np.errstate(all="ignore"):
            values, given = (numeric(one, problem.columns)(problem.x) for one in (function, argument))
        problem.budget.charge("lambdify", calls=2)
        if not (np.max(np.abs([values, given])) < _LARGEST and np.ptp(given) > 0):
            continue
        slope, offset = np.polyfit(given, values, 1)
        if np.std(values - slope * given - offset) > _BENT * np.std(values):
            continue
        factor = _factor(bare, function)
        if factor is not None:
            yield opened(sympy.Float(float(slope)) * argument.as_coeff_Add()[1] * factor).template


def _factor(expression: sympy.Expr, function: sympy.Expr) -> sympy.Expr | None:
    """What a function, plus any number, is multiplied by; None where it stands otherwise."""
    slot = sympy.Dummy("f", real=True)
    factor = sympy.diff(expression.xreplace({function: slot}), slot)
    return None if factor.has(slot) else factor
