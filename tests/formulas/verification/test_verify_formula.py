"""Exactness is refused by any one piece of evidence, and each piece is reported."""

from dataclasses import replace

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import Formula, Rows, find_formula, verify_formula
from bimt_analyze.formulas.problem._snapping import Constant
from bimt_train import InputError

x1, x2 = sympy.symbols("x1 x2", real=True)
RANGES = [(-1.0, 1.0), (-1.0, 1.0)]


def rows(truth: sympy.Expr, seed: int, count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(seed).uniform(-1, 1, (count, 2))
    return x, sympy.lambdify([x1, x2], truth, "numpy")(*x.T)


def claimed(expression: sympy.Expr) -> Formula:
    """A formula that is said to meet its 60 training rows."""
    given = {"r2": 1.0, "residual": 0.0, "worst": 0.0, "bound": 1e-11, "complexity": 1, "constants": (), "rows": 60}
    return Formula(output="y", expression=expression, inputs=("x1", "x2"), **given)  # type: ignore[arg-type]


def proven(formula: Formula, of: sympy.Expr, *, known: bool, **options: object) -> Formula:
    """The proof on held-out rows of the truth ``of``."""
    x, y = rows(of, 1)
    given = {"test": Rows(x, y), "ranges": RANGES, "truth": of if known else None, **options}
    return verify_formula(formula, **given)  # type: ignore[arg-type]


def test_all_pieces_are_there() -> None:
    truth = x1**2 * x2
    done = proven(claimed(truth), truth, known=True, network=lambda x: x[:, 0] ** 2 * x[:, 1] + 0.01)
    assert done.exact and done.message == "exact"
    verification = done.verification
    assert verification is not None and verification.canonical == "equal"
    assert verification.inside is not None and verification.inside.points == 1000 and verification.inside.left_out == 0
    assert verification.outside is not None and verification.outside.worst <= 1e-12
    assert verification.network.r2 == pytest.approx(1 - 1e-4 / (1 / 15), rel=0.05)  # Var(x1**2 x2) = 1/5 * 1/3
    assert "canonical form equal" in verification.statement


def test_without_a_truth_the_rows_must_do_and_it_is_said() -> None:
    truth = x1**2 * x2
    done = proven(claimed(truth), truth, known=False)
    assert done.exact
    assert done.verification is not None and done.verification.canonical == "no truth"
    assert "rests on 60 training and 60 held-out rows" in done.verification.statement


@pytest.mark.parametrize("known", [True, False])
def test_a_held_out_row_refuses(known: bool) -> None:
    truth = x1 + x2**2
    done = proven(claimed(truth + x1**9 / 10**8), truth, known=known)
    assert not done.exact
    assert "held-out row" in done.message


def test_a_canonical_difference_refuses_what_the_rows_cannot_see() -> None:
    truth = x1 + x2**2
    done = proven(claimed(truth + x1 / 10**13), truth, known=True)
    assert not done.exact
    assert "canonical form different" in done.message


def test_the_training_rows_refuse() -> None:
    truth = x1 + x2**2
    bad = replace(claimed(truth), worst=1e-3, shortfall="not exact: residual 5.0e-04 of y's deviation")
    done = proven(bad, truth, known=True)
    assert not done.exact and done.message == "not exact: residual 5.0e-04 of y's deviation"
    assert verify_formula(done, test=Rows(*rows(truth, 1)), truth=truth, ranges=RANGES) == done


def test_a_kink_outside_the_range_refuses() -> None:
    truth = sympy.Abs(x1 + 1) + x2
    done = proven(claimed(x1 + 1 + x2), truth, known=True)
    assert not done.exact
    assert done.verification is not None
    assert done.verification.inside is not None and done.verification.inside.worst < 1e-12
    assert done.verification.outside is not None and done.verification.outside.worst > 0.1


def test_points_where_the_truth_is_not_real_are_left_out_and_counted() -> None:
    truth = sympy.sqrt(x1 + 1) + x2
    done = proven(claimed(truth), truth, known=True)
    assert done.exact
    assert done.verification is not None and done.verification.outside is not None
    assert done.verification.outside.left_out == pytest.approx(250, abs=60)
    assert done.verification.outside.left_out + done.verification.outside.points == 1000
    assert "left out" in done.verification.statement


def test_a_formula_that_is_not_real_where_the_truth_is_refuses() -> None:
    truth = sympy.log((2 * x1 + 3) ** 2) + x2
    done = proven(claimed(2 * sympy.log(2 * x1 + 3) + x2), truth, known=True)
    assert not done.exact
    assert (
        done.verification is not None and done.verification.inside is not None and done.verification.outside is not None
    )
    assert done.verification.inside.worst < 1e-12 and done.verification.outside.worst == float("inf")


def test_without_a_truth_a_term_of_1e_12_shows() -> None:
    truth = x1 + x2**2
    done = proven(claimed(truth + x1**3 / 10**12), truth, known=False)
    assert not done.exact and "own rounding explains" in done.message


def test_what_a_formula_loses_itself_is_allowed_for() -> None:
    shown = (x1 + 100) ** 2
    truth = x1**2 + 200 * x1 + 10000  # the same, with other rounding
    x, y = rows(shown - 10000, 1)
    done = verify_formula(claimed(truth - 10000), test=Rows(x, y), truth=None, ranges=RANGES)
    assert done.exact, done.message


@pytest.mark.parametrize(
    ("constants", "said"),
    [
        ((Constant(0.123, 1e-17, None),) * 4, "4 of its constants are no simple numbers"),
        ((Constant(3688.3, float("inf"), None),), "leave a constant of it open"),
    ],
)
def test_without_a_truth_stand_ins_are_suspected(constants: tuple[Constant, ...], said: str) -> None:
    truth = x1 + x2**2
    formula = replace(claimed(truth), constants=constants)
    assert said in proven(formula, truth, known=False).message
    assert proven(formula, truth, known=True).exact  # with the truth known, names do not matter


def test_few_rows_decide_nothing() -> None:
    x, y = rows(x1 + x2, 0, 8)
    found = find_formula(x, y, names=["x1", "x2"], output="y")
    assert found.fits
    done = verify_formula(found, test=Rows(x[:3], y[:3]), truth=None, ranges=RANGES)
    assert not done.exact and "8 different training and 3 different held-out rows decide nothing" in done.message


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"truth": sympy.Symbol("q")}, "got ['q']"),
        ({"ranges": [(-1.0, 1.0)]}, "wrong number of ranges"),
        ({"test": Rows(np.zeros((60, 2)), np.full(60, np.nan))}, "held-out rows of 'y', y[0]"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict, said: str) -> None:
    truth = x1 + x2
    with pytest.raises(InputError) as refused:
        proven(claimed(truth), truth, known=True, **change)
    assert said in str(refused.value)


def test_symbols_without_the_real_assumption_are_taken_by_name() -> None:
    truth = sympy.Symbol("x1") + sympy.Symbol("x2") ** 2
    done = proven(claimed(x1 + x2**2), x1 + x2**2, known=True, truth=truth)
    assert done.exact
