"""The pool of short expressions: against a plain enumeration, and each value against its own spelling."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.pool_search._expression_pool import build_pool
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._template import numeric

SYMBOLS = sympy.symbols("a b c", real=True)


def pool_of(width, **options):
    x = np.random.default_rng(0).uniform(1, 3, (80, width))
    return x, build_pool(x, SYMBOLS[:width], **{"limit": 3000, "budget": Budget.of(60.0), **options})


@pytest.mark.parametrize("width", [1, 2, 3])
def test_every_feature_is_what_it_is_spelled_as(width):
    x, pool = pool_of(width)
    for k in range(0, len(pool), 37):
        spelled = numeric(pool.expression(k), SYMBOLS[:width])(x)
        np.testing.assert_allclose(spelled, pool.values[k], rtol=1e-9)


def test_sizes_grow_and_hardly_anything_is_there_twice():
    """Values are told apart by rounding; a pair astride a rounding edge may slip through."""
    _, pool = pool_of(2)
    assert (np.diff(pool.sizes) >= 0).all()
    unit = pool.values / np.linalg.norm(pool.values, axis=1, keepdims=True)
    near = np.abs(unit @ unit.T) > 1 - 1e-13
    assert near.sum() - len(pool) <= len(pool) / 100


def test_all_of_three_nodes_are_there():
    """By hand: a, b; nine functions of each; and the sums, differences, products and quotients of a and b."""
    _, pool = pool_of(2, longest=3)
    spelled = {sympy.simplify(pool.expression(k)) for k in range(len(pool))}
    a, b = SYMBOLS[:2]
    plain = {a, b, a + b, a - b, a * b, a / b, b / a, a**2, sympy.sqrt(b), 1 / a, sympy.exp(b), sympy.log(a)}
    assert plain <= spelled
    assert {sympy.sin(a), sympy.cos(b), 1 + a, 1 - b, sympy.exp(a) ** 2, sympy.sqrt(a + 1)} - spelled == set()


def test_the_limit_and_the_clock_are_kept():
    assert len(pool_of(3, limit=500)[1]) == 500
    assert len(pool_of(3, budget=Budget.of(0.0))[1]) < 500


def test_no_function_bends_what_is_bent():
    _, pool = pool_of(1, limit=2000)
    bends = (sympy.sin, sympy.cos, sympy.exp, sympy.log)
    for k in range(0, len(pool), 5):
        for node in pool.expression(k).atoms(*bends):
            assert not node.args[0].has(*bends)


def test_columns_that_say_nothing_are_left_out():
    x = np.column_stack([np.ones(50), np.linspace(1, 2, 50), np.full(50, np.nan)])
    pool = build_pool(x, SYMBOLS, limit=100, budget=Budget.of(10.0))
    assert {symbol for k in range(len(pool)) for symbol in pool.expression(k).free_symbols} == {SYMBOLS[1]}


def test_columns_beyond_the_range_of_numbers_make_an_empty_pool() -> None:
    x = np.full((20, 1), np.inf)
    pool = build_pool(x, (sympy.Symbol("x", real=True),), limit=100, budget=Budget.of(1.0))
    assert len(pool.values) == 0
