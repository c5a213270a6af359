"""Sparse identification of dynamics (pysindy) on the same trajectories, for comparison.

pysindy is no part of the project: `pip install --group benchmarks` brings it. Its threshold and its library
(polynomials of degree three, without and with sine and cosine) are those whose equations, integrated from the
trajectories' own starts, meet them best; of nearly equal ones the shortest.
"""

import warnings
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import sympy
from numpy.typing import NDArray

from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.motion.integration._integrate import integrated
from bimt_train.trajectories import Trajectory

THRESHOLDS = (0.003, 0.01, 0.03, 0.1, 0.3)
AS_GOOD = 1.1  # times the least error: a shorter system is preferred within that
LOOK = 0.5  # seconds that one integration may take


def sindy(
    trajectories: Sequence[Trajectory], symbols: Sequence[sympy.Symbol], *, smooth: bool
) -> tuple[sympy.Expr, ...]:
    """The right-hand sides that pysindy finds; zeros where it finds none."""
    import pysindy

    waves = pysindy.FourierLibrary(n_frequencies=1)
    powers = pysindy.PolynomialLibrary(degree=3)
    tried: list[tuple[float, int, tuple[sympy.Expr, ...]]] = []
    for library, threshold in product((powers, pysindy.ConcatLibrary([powers, waves])), THRESHOLDS):
        differentiate = pysindy.SmoothedFiniteDifference() if smooth else pysindy.FiniteDifference(order=4)
        model = pysindy.SINDy(
            optimizer=pysindy.STLSQ(threshold=threshold), feature_library=library, differentiation_method=differentiate
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                model.fit([one.values for one in trajectories], t=[one.times for one in trajectories])
            except (ValueError, np.linalg.LinAlgError):
                continue
        sides = _sides(model, symbols)
        tried.append((_error(sides, symbols, trajectories), sum(len(sympy.Add.make_args(s)) for s in sides), sides))
    least = min((error for error, _, _ in tried), default=np.inf)
    good = [one for one in tried if one[0] <= AS_GOOD * least]
    return min(good, key=lambda one: one[1])[2] if good else (sympy.Integer(0),) * len(symbols)


def _sides(model: Any, symbols: Sequence[sympy.Symbol]) -> tuple[sympy.Expr, ...]:
    named = {f"x{i}": symbol for i, symbol in enumerate(symbols)}
    terms = [sympy.sympify(text.replace("^", "**").replace(" ", "*"), named) for text in model.get_feature_names()]
    weights: NDArray[np.float64] = model.coefficients()
    return tuple(
        sympy.Add(*(sympy.Float(float(w)) * term for w, term in zip(row, terms, strict=True) if w)) for row in weights
    )


def _error(sides: Sequence[sympy.Expr], symbols: Sequence[sympy.Symbol], trajectories: Sequence[Trajectory]) -> float:
    left = []
    for one in trajectories:
        path = integrated(sides, symbols, one.start, one.times, budget=Budget.of(LOOK, seconds=LOOK))
        left.append((path - one.values) / (np.std(one.values, axis=0) + 1e-300))
    error = float(np.mean(np.concatenate(left) ** 2))
    return error if np.isfinite(error) else float("inf")
