"""Minimal logical forms against the tables they stand for."""

from itertools import product

import numpy as np
import pytest
import sympy

from bimt_analyze.module_formulas._truth_tables import shortest_logic


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("missing", [0, 3])
def test_the_form_is_the_table(seed: int, missing: int) -> None:
    rng = np.random.default_rng(seed)
    table = np.array(list(product((False, True), repeat=4)))
    values = rng.integers(0, 2, 16).astype(bool)
    seen = np.sort(rng.permutation(16)[missing:])
    names = ["a", "b", "c", "d"]
    form, right = shortest_logic(table[seen], values[seen], names)
    symbols = [sympy.Symbol(name, real=True) for name in names]
    said = [bool(form.subs(dict(zip(symbols, row, strict=True)))) for row in table[seen].tolist()]
    assert said == values[seen].tolist() and right == 1.0


def test_arguments_that_do_not_matter_are_left_out() -> None:
    table = np.array(list(product((False, True), repeat=5)))
    form, _ = shortest_logic(table, table[:, 1] | ~table[:, 3], list("abcde"))
    assert {str(symbol) for symbol in form.free_symbols} == {"b", "d"}


def test_parity_is_an_exclusive_or() -> None:
    table = np.array(list(product((False, True), repeat=4)))
    odd, even = (shortest_logic(table, table.sum(axis=1) % 2 == k, list("abcd"))[0] for k in (1, 0))
    assert str(odd) == "a ^ b ^ c ^ d" and str(even) == "~(a ^ b ^ c ^ d)"


def test_a_table_that_contradicts_itself_is_told() -> None:
    table = np.array([[False], [True], [True], [True]])
    form, right = shortest_logic(table, np.array([False, True, True, False]), ["a"])
    assert str(form) == "a" and right == 0.75


def test_many_arguments_are_written_in_algebraic_normal_form() -> None:
    table = np.array(list(product((False, True), repeat=9)))
    form, right = shortest_logic(table, table.all(axis=1), list("abcdefghi"))
    assert right == 1.0 and form == sympy.And(*(sympy.Symbol(name, real=True) for name in "abcdefghi"))
