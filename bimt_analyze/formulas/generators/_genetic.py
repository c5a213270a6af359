"""Genetic programming for what no other generator finds: pyoperon, where it is installed."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy

from bimt_train import InputError
from bimt_train.expressions.expression import parse_expression
from bimt_train.extras import need

from ..problem._budget import UNIT_COSTS
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, constant

_SYMBOLS = "add,sub,mul,div,constant,variable,sqrt,square,exp,log,sin,cos,tanh,asin"  # the engine's own names
_GENERATIONS, _FEWEST = 20, 5  # a round at most, and at least where little of the budget is left
_NEVER = 10**9  # seconds: a round ends with its generations, not with a clock
_SIMPLE, _LARGE = 4, 1000  # denominator of a fraction that is no decimal; and a whole number that is one
_DIGITS = 12  # of a decimal in the engine's text; the constants are refined anyway
_MOST_CONSTANTS = 20  # as in `refine`: no law has so many
_LEAST_NOISE = 1e-6  # of y's deviation; the engine asks for the noise, and exact rows have none


def check_genetic() -> None:
    """Raise MissingExtra where pyoperon is not installed."""
    need("pyoperon", "genetic programming")


def genetic_programs(problem: SearchProblem) -> Iterator[Template]:
    """Every formula of the engine's front, shortest first, its decimals open, until the budget is over.

    The engine only proposes; what the constants are, and whether a formula explains y, the rows decide. Its own pick
    often extrapolates badly, while its front, refitted, often holds the truth.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    attempt = 0
    while not problem.budget.over():
        yield from _round(problem, seed=1000 * problem.seed + attempt)
        attempt += 1


def _round(problem: SearchProblem, *, seed: int) -> Iterator[Template]:
    """One run of the engine."""
    from pyoperon.sklearn import SymbolicRegressor

    generations = int(np.clip(problem.budget.left / (UNIT_COSTS["genetic"][1] * problem.rows), _FEWEST, _GENERATIONS))
    names = [f"v{i}" for i in range(problem.width)]
    columns = dict(zip((sympy.Symbol(name, real=True) for name in names), problem.columns, strict=True))
    model: Any = SymbolicRegressor(
        allowed_symbols=_SYMBOLS,
        objectives=["r2", "length"],
        optimizer_iterations=5,
        uncertainty=[max(problem.tolerance, _LEAST_NOISE) * problem.unit],
        epsilon=1e-12,
        generations=generations,
        max_evaluations=10**9,
        max_time=_NEVER,
        n_threads=1,
        random_state=seed,
    )
    with np.errstate(all="ignore"):
        model.fit(problem.x, problem.y)
    problem.budget.charge("genetic", generations * problem.rows)
    for one in sorted(model.pareto_front_, key=lambda found: found["length"]):
        text = model.get_model_string(one["tree"], _DIGITS, names)
        try:
            expression = parse_expression(text, variables=names).sympy()
        except (InputError, TypeError):
            continue  # what cannot be read back is no formula
        expression = expression.xreplace({s: sympy.Symbol(str(s), real=True) for s in expression.free_symbols})
        template = _opened(expression.xreplace(columns))
        if len(template.start) <= _MOST_CONSTANTS:
            yield template


def _opened(expression: sympy.Expr) -> Template:
    """The expression as a template: every decimal is an open constant.

    Whole numbers and simple fractions stay, for they are part of the form.
    """
    numbers = sorted(expression.atoms(sympy.Rational, sympy.Float), key=sympy.default_sort_key)
    opened = {n: constant() for n in numbers if not n.is_Rational or n.q > _SIMPLE or abs(n.p) > _LARGE}
    return Template(expression.xreplace(opened), {c: float(n) for n, c in opened.items()})
