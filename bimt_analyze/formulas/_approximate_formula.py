"""A short formula for rows that obey none exactly, such as what a neuron or a module sends."""

from collections.abc import Sequence

import numpy as np
import sympy
from jaxtyping import Float64

from ._find_formula import asked_columns, check_rows, measured, searched_rows
from ._formula import Formula
from ._search import BRIEF, QUICK, finish, parts
from .problem._constants import Fit, refine
from .problem._search_problem import Clock, Problem
from .symbolic._tidy import complexity


def approximate_formula(
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    names: Sequence[str],
    output: str,
    within: float = 0.05,
    seconds: float = 30.0,
    seed: int = 0,
) -> Formula:
    """The shortest formula of a brief search that leaves no more than ``within`` of y's deviation.

    `find_formula` looks for the law behind rows and holds out for what explains them to rounding; here any short form
    that comes near will do, and where none does, the nearest. The search ends by itself, most often in two seconds, and
    is then the same every time; ``seconds`` only guards against rows on which it does not.

    Args:
        x: rows.
        y: what to explain.
        names: of the columns of x.
        output: name of y.
        within: root mean square of the residual, over y's deviation; 0.05 is an r2 of 0.9975.
        seconds: when to stop at the latest.
        seed: of the search.

    Raises:
        InputError: rows that are no finite numbers, or names that do not fit the columns.
    """
    check_rows(x, y, names, where=f"rows of {output!r}", fewest=1)
    kept = asked_columns(x, y)
    columns = tuple(sympy.Symbol(names[i], real=True) for i in kept)
    some = searched_rows(len(y), seed)
    problem = Problem(x[some][:, list(kept)], y[some], columns, Clock.of(seconds), tolerance=within, seed=seed)
    stages = BRIEF if kept else QUICK[:1]
    forms = (form for stage in stages for form in stage(problem, parts) if not problem.clock.over())
    fits = [fit for form in forms if (fit := refine(form, problem)) is not None]
    near = [fit for fit in fits if fit.error <= within]
    best = min(near, key=_length) if near else min(fits, key=lambda fit: fit.error, default=None)
    found = [] if best is None else [finish(problem, best)]
    return measured(found, x, y, names, output, seconds=0.0)


def _length(fit: Fit) -> tuple[int, float]:
    return complexity(fit.model.form.expression), fit.error
