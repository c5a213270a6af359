"""A form that somebody asks for: every name in it that is no input is a constant, fitted from many starts."""

from collections.abc import Sequence

import numpy as np
import sympy

from bimt_train import InputError
from bimt_train.expressions.expression import parse_expression

from ..problem._constants import Fit, model, settle
from ..problem._search_problem import SearchProblem
from ..problem._template import Template

_MOST = 12  # constants
_STARTS, _SPREAD = 60, 1.5  # random ones, and the deviation of their logarithm
_ENOUGH = 5  # starts that lead to the same least squares
_SAME = 1e-6


def asked_form(form: str | sympy.Expr, columns: Sequence[sympy.Symbol]) -> Template:
    """A form as it is asked for, its constants by the names that they have in it.

    Parameters
    ----------
    form : str or sympy.Expr
        Such as ``"a*exp(-b*t) + c"``.
    columns : sequence of sympy.Symbol
        The symbols of the inputs.

    Returns
    -------
    Template
        All constants start at 1.

    Raises
    ------
    InputError
        For a text that is no formula, a form without constants or with more than twelve, or without an input.

    Examples
    --------
    >>> form = asked_form("a*exp(-b*t)", [sympy.Symbol("t", real=True)])
    >>> form.expression, [str(c) for c in form.start]
    (_a*exp(-_b*t), ['_a', '_b'])
    """
    expression = parse_expression(form).sympy() if isinstance(form, str) else sympy.sympify(form)
    inputs = {str(column): column for column in columns}
    constants = sorted({str(symbol) for symbol in expression.free_symbols} - set(inputs))
    used = sorted(str(symbol) for symbol in expression.free_symbols if str(symbol) in inputs)
    if not 0 < len(constants) <= _MOST or not used:
        raise InputError(
            "a form that cannot be fitted",
            where=f"form {str(form)!r}",
            expected=f"at least one of the inputs {', '.join(inputs)}, and 1 to {_MOST} other names, its constants",
            got=f"inputs {', '.join(used) or 'none'}, constants {', '.join(constants) or 'none'}",
        )
    opened = {name: sympy.Dummy(name, real=True) for name in constants}
    by = {symbol: {**inputs, **opened}[str(symbol)] for symbol in expression.free_symbols}
    return Template(expression.xreplace(by), dict.fromkeys(opened.values(), 1.0))


def fitted_form(form: Template, problem: SearchProblem) -> Fit:
    """A form at its least-squares constants, from 1 and from sixty random starts.

    Parameters
    ----------
    form : Template
        The form.
    problem : SearchProblem
        The rows.

    Raises
    ------
    InputError
        For a form with as many constants as there are rows, or one that is nowhere defined on them.
    """
    if len(form.start) >= problem.rows:
        raise InputError("too few rows for a form", expected=f"more than {len(form.start)} rows", got=f"{problem.rows}")
    ready, rng = model(form, problem), np.random.default_rng(problem.seed)
    count, best, met = len(form.start), None, 0
    for number in range(_STARTS + 1):
        start = np.exp(_SPREAD * rng.normal(size=count)) * np.where(rng.random(count) < 0.25, -1.0, 1.0)
        fit = settle(ready, np.ones(count) if number == 0 else start, np.ones(count, dtype=bool))
        if fit is None:
            continue
        if best is None or fit.error < best.error * (1 - _SAME):
            best, met = fit, 0
        met += fit.error <= best.error * (1 + _SAME)
        if met == _ENOUGH or best.explained():
            break
    if best is None:
        raise InputError("a form is not defined on the rows", where=f"form {form.expression}")
    return best
