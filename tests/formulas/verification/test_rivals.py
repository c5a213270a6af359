"""Formulas that rows cannot tell apart are all named, with rows that would."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import Rows, find_formula, same_function, verify_formula
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._precision import row_precision
from bimt_analyze.formulas.problem._template import numeric
from bimt_analyze.formulas.rivals._branches import branches
from bimt_analyze.formulas.rivals._deciding_rows import deciding_rows
from bimt_analyze.formulas.rivals._input_relations import input_relations
from bimt_analyze.formulas.rivals._rivals import relations_of, rivals

A, B, C, X, W = sympy.symbols("a b c x w", real=True)
RNG = np.random.default_rng(0)
U, V, T = RNG.uniform(0.5, 2, 300), RNG.uniform(0.5, 2, 300), RNG.uniform(0.1, 1.4, 300)
PLACES = RNG.integers(0, 21, 300).astype(float)
TINY = RNG.uniform(-1e-4, 1e-4, 300)


def said(truth, names, x, **changes):
    y = numeric(truth, list(sympy.symbols(names, real=True)))(x)
    found = find_formula(x[:200], y[:200], names=names, output="y", time_limit=8, seed=0)
    given = {"test": Rows(x[200:], y[200:]), "train": Rows(x[:200], y[:200]), "truth": None} | changes
    return verify_formula(found, **given, ranges=list(zip(x.min(0), x.max(0), strict=True)))


def forms(formula):
    return [formula.expression, *(rival.expression for rival in formula.verification.rivals)]


CASES = [
    # the law, a twin that meets the rows as well, and the rows
    (W * sympy.exp(0.37137 * X), None, ["x", "w"], np.stack([TINY, 2 * V], axis=1)),
    (sympy.cos(X), None, ["x"], 1e-2 * (U[:, None] - 1)),
    (A * (1 - A - B), A * C, ["a", "b", "c"], np.stack([U, V, 1 - U - V], axis=1)),
    (A**2 * B + B, A * C + B, ["a", "b", "c"], np.stack([U, V, U * V], axis=1)),
    (C * A**2, C * (1 - B**2), ["a", "b", "c"], np.stack([np.cos(T), np.sin(T), U], axis=1)),
    (3 * A**2, A * B, ["a", "b"], np.stack([U, 3 * U], axis=1)),
    (2.5 * A, A * B, ["a", "b"], np.stack([U, np.full(300, 2.5)], axis=1)),
    (B * C, sympy.exp(A) * C, ["a", "b", "c"], np.stack([U, np.exp(U), V], axis=1)),
    (-W * sympy.sin(sympy.pi * X / 5), W * sympy.sin(9 * sympy.pi * X / 5), ["x", "w"], np.stack([PLACES, V], axis=1)),
    (W + sympy.cos(44 * X), W + sympy.cos((20 * sympy.pi - 44) * X), ["x", "w"], np.stack([PLACES / 10, V], axis=1)),
    (W * sympy.cos(sympy.pi * X), W * (1 - 2 * sympy.Mod(X, 2)), ["x", "w"], np.stack([PLACES, V], axis=1)),
    (W * sympy.exp(-X), W / (sympy.exp(X) - 1), ["x", "w"], np.stack([34 + 2 * U, V], axis=1)),
    (W / (1 + sympy.exp(-X)), W * (1 - sympy.exp(-X)), ["x", "w"], np.stack([15 + 2 * U, V], axis=1)),
    (X + sympy.log(1 + W * sympy.exp(-X)), X + W * sympy.exp(-X), ["x", "w"], np.stack([15 + 2 * U, V], axis=1)),
    (sympy.sqrt(W**2 + X**2), W, ["x", "w"], np.stack([1e-7 * U, V], axis=1)),
    (W * sympy.tanh(X), W, ["x", "w"], np.stack([16 + U, V], axis=1)),
    (X + W / sympy.tanh(X), X + W, ["x", "w"], np.stack([15 + U, V], axis=1)),
]


@pytest.mark.parametrize(("law", "twin", "names", "x"), CASES, ids=[str(case[0]) for case in CASES])
def test_the_twin_is_named_with_a_row_that_decides(law, twin, names, x) -> None:
    formula = said(law, names, x)
    assert formula.word == "one of several" and not formula.exact and not formula.identified
    span = {name: (float(low), float(low) + 3) for name, low in zip(names, x.min(0), strict=True)}
    for one in (law, twin):
        if one is not None:
            near = [abs(numeric(f - one, list(sympy.symbols(names, real=True)))(x + 0.3)).max() for f in forms(formula)]
            assert min(near) < 1e-3, (one, forms(formula), span)
    for rival in formula.verification.rivals:
        point = np.array([[rival.decided_by[0][name] for name in names]])
        values = [
            numeric(f, list(sympy.symbols(names, real=True)))(point)[0] for f in (formula.expression, rival.expression)
        ]
        assert abs(values[0] - values[1]) > 1e-7 * max(map(abs, values))


@pytest.mark.parametrize(
    ("law", "names", "x"),
    [
        (A * B, ["a", "b"], np.stack([U, V], axis=1)),
        (sympy.sin(A) * B + C, ["a", "b", "c"], np.stack([2 * U, V, T], axis=1)),
        (A**2 + sympy.exp(B), ["a", "b"], np.stack([U - 1, V], axis=1)),
        (W * sympy.exp(X / 3), ["x", "w"], np.stack([U, V], axis=1)),
        (W * sympy.sin(2 * X), ["x", "w"], np.stack([np.linspace(0, 9, 300), V], axis=1)),
        (W * sympy.exp(-X), ["x", "w"], np.stack([8 * U, V], axis=1)),
        (W**2, ["x", "w"], np.stack([1e-30 * U, V], axis=1)),
    ],
)
def test_a_law_without_a_twin_has_no_rival(law, names, x) -> None:
    formula = said(law, names, x)
    assert formula.word == "exact" and formula.verification.rivals == ()


def test_a_series_is_not_equal_to_its_function_however_small_the_range() -> None:
    series = W * (1 + 0.37137 * X + 0.0689578 * X**2)
    ranges = {"x": (-1e-4, 1e-4), "w": (1.0, 5.0)}
    law = W * sympy.exp(sympy.Rational(37137, 100000) * X)
    assert same_function(series, law, ranges=ranges, seed=0, error=1e-6).canonical == "different"
    close = W * sympy.exp(0.3713700001 * X)
    assert same_function(close, law, ranges=ranges, seed=0, error=1e-10).canonical == "equal"
    assert same_function(close, law, ranges=ranges, seed=0).canonical == "different"  # decimals known to 1e-12


def test_with_the_truth_known_a_series_is_not_exact() -> None:
    x = np.stack([TINY, 2 * V], axis=1)
    law = W * sympy.exp(sympy.Rational(37137, 100000) * X)
    y = numeric(law, [X, W])(x)
    series = find_formula(x[:200], y[:200], names=["x", "w"], output="y", time_limit=8)
    ranges = list(zip(x.min(0), x.max(0), strict=True))
    done = verify_formula(series, test=Rows(x[200:], y[200:]), truth=law, ranges=ranges)
    assert done.exact == (
        same_function(done.expression, law, ranges=dict(zip("xw", ranges, strict=True)), seed=1).canonical == "equal"
    )


def test_relations_are_told_in_words() -> None:
    x = np.stack([U, V, U + 2 * V, U * V, np.full(300, 4.0)], axis=1)
    names, y = ["a", "b", "c", "d", "e"], x[:, 0]
    assert relations_of(names, x, precision=row_precision(x, y)) == ("c = a + 2*b", "d = a*b")
    written = np.round(x[:, :3], 5)  # in which the sum is right to its last place alone
    told = relations_of(names[:3], written, precision=row_precision(written, y))
    assert len(told) == 1 and told[0].startswith("c = ")
    free = input_relations(list(sympy.symbols("a b", real=True)), np.stack([U, V], axis=1))
    assert free == ()


def told(expression, names, x, y):
    given = {"precision": row_precision(x, y), "ranges": list(zip(x.min(0), x.max(0), strict=True))}
    return rivals(expression, names, Rows(x, y), budget=Budget.of(5), **given)


def test_what_depends_on_a_ratio_is_decided_by_one_input_alone() -> None:
    x = np.stack([3e-6 * U, V], axis=1)
    points, gap = deciding_rows(
        W * sympy.exp(X / W), W + X + X**2 / W / 2, ["x", "w"], [(1e-6, 1e-5), (0.5, 2.0)],
        x=x, unit=float(np.std(V)), bound=1e-15, seed=0,
    )  # fmt: skip
    assert abs(points[0]["x"] / points[0]["w"]) > 0.1 and gap > 1e-3


@pytest.mark.parametrize(
    ("kinked", "branch"),
    [
        (W * abs(X), W * X),
        (sympy.Max(X, -W), X),
        (W * sympy.Mod(X, 3), W * X),
        (W * sympy.sign(X), W),
        (W * sympy.Heaviside(-X), 0 * W),
    ],
)
def test_a_kink_that_no_row_crosses_is_no_part_of_the_law(kinked, branch) -> None:
    x = np.stack([U, V], axis=1)
    assert branch in [form for form, _ in branches(kinked, [X, W], x)]
    both = np.stack([U * np.where(V > 1, 3.5, -3.5), V], axis=1)
    assert list(branches(kinked, [X, W], both)) == []


def test_a_grid_in_single_precision_has_aliases_too() -> None:
    places = PLACES / 10
    written = [np.float32(one).astype(float) for one in (places, V, V * np.sin(57 * places))]
    found = told(W * sympy.sin((57 - 20 * sympy.pi) * X), ["x", "w"], np.stack(written[:2], axis=1), written[2])
    assert any(rival.expression.has(sympy.sin(57 * X)) for rival in found)


def test_a_copy_of_rounded_numbers_is_within_their_precision() -> None:
    x = np.round(np.stack([U, V], axis=1), 3)
    x[0] = 3e-5, 0.123  # so that no product is as short as its factors
    copied = said(W, ["x", "w"], x)
    assert (
        copied.word == "within precision"
        and "may be hidden; it is said of w from 0.123" in copied.verification.statement
    )
    product = said(W * X, ["x", "w"], np.round(np.stack([U, V], axis=1), 3))
    assert product.word == "exact" and "it is said of x from" in product.verification.statement


def test_two_fits_of_one_function_have_no_row_that_decides() -> None:
    """They part by the errors of their constants alone, wherever one looks."""
    given = {"names": ["w"], "ranges": [(1.0, 2.0)], "x": V[:, None], "unit": 1.0, "bound": 1e-15, "seed": 0}
    exact, fitted, other = W * sympy.exp(-W), W * sympy.exp(sympy.Float(-1 - 1e-12) * W), W * sympy.exp(-W) + 1e-3 * W
    assert deciding_rows(exact, fitted, **given) == ((), 0.0)
    assert deciding_rows(exact, other, **given)[0]
