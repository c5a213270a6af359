"""Formulas by pyoperon's genetic programming, its constants refined in double precision."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import sympy
from pyoperon.sklearn import SymbolicRegressor

from benchmarks.laws.cases._equations import Target
from benchmarks.laws.judging._arms import Answer
from benchmarks.laws.judging._refit import Curve, evaluator, opened, refit
from benchmarks.laws.judging._rows import TargetRows
from bimt_train import InputError
from bimt_train.expressions.expression import parse_expression

_SYMBOLS = "add,sub,mul,div,constant,variable,sqrt,square,exp,log,sin,cos,tanh,asin"
_LEAST_NOISE = 1e-6  # of y's deviation, told to its selection where the rows have no noise
_REFITTING = 0.15  # share of the time
_DIGITS = 12
_MET = 1e-11  # of y's deviation: the rows are met
_MOST_CONSTANTS = 30


def genetic(target: Target, rows: TargetRows, seconds: float, seed: int) -> Answer:
    """Its own pick, constants refined; on rows without noise, the shortest of its front that meets them once refined.

    It is told the level of the noise, runs on one thread, and is started anew as long as it ends early.
    """
    ends = time.monotonic() + seconds
    picked: sympy.Expr | None = None
    least = np.inf
    attempt = 0
    while picked is None or ends - time.monotonic() > 1 + _REFITTING * seconds:
        left = ends - time.monotonic() - _REFITTING * seconds
        model = _fitted(rows, max(1, int(left)), seed=1000 * seed + attempt)
        attempt += 1
        front = sorted(model.pareto_front_, key=lambda one: one["length"])
        best = min(front, key=lambda one: one[model.model_selection_criterion])
        if best[model.model_selection_criterion] < least or picked is None:
            least = best[model.model_selection_criterion]
            picked = next(_refined(model, [best], target, rows), (sympy.Float(rows.y.mean()), np.inf))[0]
        if not rows.noise:
            for expression, error in _refined(model, front, target, rows):
                if error <= _MET:
                    return Answer(expression, None)
                if time.monotonic() > ends:
                    break
    return Answer(picked, None)


def _fitted(rows: TargetRows, seconds: int, *, seed: int) -> SymbolicRegressor:
    level = rows.noise or _LEAST_NOISE * float(np.std(rows.y))
    model = SymbolicRegressor(
        allowed_symbols=_SYMBOLS,
        objectives=["r2", "length"],
        optimizer_iterations=5,
        uncertainty=[level],
        epsilon=1e-12,
        generations=10**6,
        max_evaluations=10**9,
        max_time=seconds,
        n_threads=1,
        random_state=seed,
    )
    return model.fit(rows.x, rows.y)


def _refined(
    model: SymbolicRegressor, front: list[Mapping[str, Any]], target: Target, rows: TargetRows
) -> Iterator[tuple[sympy.Expr, float]]:
    """Each formula with its constants refined on the training rows, and what it leaves in units of y's deviation.

    Those that cannot be read back are left out.
    """
    unit = float(np.std(rows.y))
    for one in front:
        text = model.get_model_string(one["tree"], _DIGITS, list(target.inputs))
        try:
            form = opened(parse_expression(text, variables=target.inputs).sympy())
        except (InputError, TypeError):
            continue
        constants = form.start
        if len(constants) <= _MOST_CONSTANTS:
            constants = refit(Curve.of(form, target.inputs, rows.x), constants, rows.y, unit=unit)
        expression = form.filled(constants)
        with np.errstate(all="ignore"):
            error = float(np.max(np.abs(evaluator(expression, target.inputs)(rows.x) - rows.y))) / unit
        yield expression, error if np.isfinite(error) else np.inf
