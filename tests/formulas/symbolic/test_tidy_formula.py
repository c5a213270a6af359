"""Rewriting never changes a value, and never lengthens."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.problem._template import numeric
from bimt_analyze.formulas.symbolic._tidy import complexity, tidy

A, B, C, D = SYMBOLS = sympy.symbols("a b c d", real=True)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (sympy.expand((A + C) ** 3), "(a + c)**3"),
        (sympy.sqrt(sympy.expand((A - B) ** 2 + (C - D) ** 2)), "sqrt((a - b)**2 + (c - d)**2)"),
        (A**2 + sympy.sin(sympy.pi * D), "a**2 + sin(pi*d)"),
        (sympy.expand((A + C) ** 3) + sympy.sin(B), "(a + c)**3 + sin(b)"),
        (sympy.exp(A) * sympy.exp(-(B**2)), "exp(a - b**2)"),
        (sympy.sqrt(A) * sympy.sqrt(B) / sympy.sqrt(C), "sqrt(a*b/c)"),
        (sympy.log(A) - sympy.log(B), "log(a/b)"),
        (sympy.exp(B * sympy.log(A)), "a**b"),
        (sympy.log((A**2 + 1) * sympy.exp(-sympy.Abs(B))), "log(a**2 + 1) - Abs(b)"),
        (A / 2 / (B / 2 + C / 2), "a/(b + c)"),
        (-A * B / (1 - C), "a*b/(c - 1)"),
        (A**3 + A**2 + A, "a**3 + a**2 + a"),
        (1 / (A**2 / 3 + sympy.Rational(1, 3)), "3/(a**2 + 1)"),
        (sympy.Float(0.3) * A + B, "0.3*a + b"),
        (A * (1 / B - C / (A * D)) * sympy.sqrt(D + 1), "sqrt(d + 1)*(a/b - c/d)"),
    ],
)
def test_shown(given: sympy.Expr, shown: str) -> None:
    assert str(tidy(given)) == shown
    assert complexity(tidy(given)) <= complexity(given)
    x = np.random.default_rng(0).uniform(0.1, 2.0, (50, 4))
    np.testing.assert_allclose(numeric(tidy(given), SYMBOLS)(x), numeric(given, SYMBOLS)(x), rtol=1e-12)


def test_complexity_counts_written_nodes() -> None:
    assert complexity(A) == 1
    assert complexity(A - B) == complexity(A + B) == 3
    assert complexity(-A) == 2
    assert complexity(A / B) == complexity(A * B) + 1
    assert complexity(sympy.sqrt(A)) == complexity(sympy.sin(A)) == 2
    assert complexity(sympy.Rational(1, 2) * A) == 3
