"""Forms: numbers opened without a constant too many, and constants that a group may hide by chance."""

import numpy as np
import pytest
import sympy

from bimt_analyze.grouped_laws._open_form import opened, with_more

X = sympy.Symbol("x", real=True)


@pytest.mark.parametrize(
    ("written", "count"),
    [
        (3 * sympy.exp(0.5 - 2 * X) + 1, 3),
        (sympy.exp(-2 * (X - 1) ** 2 + 0.3), 3),
        (sympy.exp((1 - X) * (0.3 + 0.2 * X)), 3),
        (2 / (0.4 + 0.7 / X), 2),
        ((1.3 * X ** sympy.Rational(6, 5)) ** sympy.Rational(3, 2), 2),
        (2 * (3 - 0.5 * X) ** 2, 2),
        (sympy.sin(2 * X), 2),
        (X, 1),
    ],
)
def test_an_expression_is_opened_without_changing_it(written, count):
    form = opened(written)
    assert len(form.start) == count
    filled = form.expression.xreplace({c: sympy.Float(v) for c, v in form.start.items()})
    for value in (0.3, 1.1, 2.7):
        assert float(filled.subs(X, value)) == pytest.approx(float(written.subs(X, value)))


def test_no_constant_of_an_opened_form_makes_up_for_another():
    form = opened(2 * (3 - 0.5 * X) ** 2 * sympy.exp(0.5 - 2 * X) + 4 / (0.3 + 0.2 * X))
    points = np.linspace(0.1, 3, 40)
    slopes = [
        sympy.lambdify([X, *form.constants], form.expression.diff(c))(points, *form.start.values())
        for c in form.constants
    ]
    assert np.linalg.matrix_rank(np.stack(np.broadcast_arrays(*slopes), axis=1)) == len(form.constants)


def test_a_form_grows_by_what_a_group_may_hide():
    keys = {str(form.key()) for form in with_more(opened(2 * sympy.sin(1.5 * X)), [X], [True])}
    assert {"_c*sin(_c*x) + _c", "_c*x + _c*sin(_c*x)", "_c*sin(_c*x + _c)"} <= keys
