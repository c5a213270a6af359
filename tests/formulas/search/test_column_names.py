"""Where rows come without names, every search writes its formula in x1, x2, ... and y."""

import numpy as np
import pytest

from bimt_analyze.discrete_laws import find_discrete_law
from bimt_analyze.formulas import approximate_formula, find_formula, fit_form
from bimt_analyze.grouped_laws import find_grouped_law

X = np.stack([np.arange(24) % 4, np.arange(24) // 4], axis=1).astype(np.float64)
Y = 2 * X[:, 0] + 3 * X[:, 1]
SEARCHES = {
    "find_formula": lambda **given: find_formula(X, Y, time_limit=1, **given),
    "fit_form": lambda **given: fit_form("a*x1 + b*x2", X, Y, time_limit=1, **given),
    "approximate_formula": lambda **given: approximate_formula(X, Y, time_limit=0.5, **given),
    "find_discrete_law": lambda **given: find_discrete_law(X, Y % 7, **given),
}


@pytest.mark.parametrize("search", SEARCHES)
def test_columns_without_names_are_numbered(search):
    unnamed, named = SEARCHES[search](), SEARCHES[search](names=["x1", "x2"], output="y")
    assert str(unnamed) == str(named) and str(unnamed).startswith("y = ") and "x2" in str(unnamed)


def test_columns_of_groups_are_numbered_too():
    law = find_grouped_law(X, Y + (X[:, 0] > 1), [str(int(a > 1)) for a in X[:, 0]], form="c*x2 + 2*x1", time_limit=1)
    assert {str(symbol) for symbol in law.expression.free_symbols} >= {"x1", "x2"}
