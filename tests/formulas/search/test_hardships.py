"""What may be wrong with rows, and with the time: the search ends, in its time, with a formula or a clear refusal."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import Formula, Rows, find_formula, verify_formula
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._constants import Fit
from bimt_analyze.formulas.problem._least_squares import lengths
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_analyze.formulas.problem._template import Template, linear
from bimt_analyze.formulas.search import _search, _stages
from bimt_train import InputError

x1, x2, x3 = SYMBOLS = sympy.symbols("x1:4", real=True)


def rows(count: int, width: int, *, low: float = -1.0, high: float = 1.0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, (count, width))


def found(x: np.ndarray, y: np.ndarray, **options: object) -> Formula:
    names = [f"x{k + 1}" for k in range(x.shape[1])]
    return find_formula(x, y, names=names, output="y", **{"time_limit": 5.0, **options})  # type: ignore[arg-type]


def hard(x: np.ndarray) -> np.ndarray:
    """A target of six inputs that no search of seconds finds."""
    return np.sin(3 * x[:, 0] * x[:, 1]) / (1.2 + x[:, 2] * x[:, 3]) + np.abs(x[:, 4] - x[:, 5])


# --- rows


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((0.0, 0), (3.0, 3), (-2 / 3, sympy.Rational(-2, 3)), (np.pi, sympy.pi)),
        *((size, None) for size in (1e-30, -1e-8, 1e30)),
    ],
)
def test_a_constant_target_is_its_number(value: float, expected: sympy.Expr | int | None) -> None:
    formula = found(rows(200, 3), np.full(200, value), time_limit=0.5)
    assert formula.fits and formula.variables == ()
    assert float(formula.expression) == pytest.approx(value, rel=1e-14)
    assert expected is None or formula.expression == expected
    held = verify_formula(
        formula, test=Rows(rows(50, 3, seed=1), np.full(50, value)), truth=None, ranges=[(-1.0, 1.0)] * 3
    )
    assert held.exact, held.message


def test_a_target_that_is_nearly_constant_is_no_constant() -> None:
    x = rows(200, 2)
    formula = found(x, 1.0 + 1e-9 * x[:, 0])
    assert formula.fits and formula.variables == ("x1",)


def test_repeated_columns_are_one_input() -> None:
    x = rows(200, 2)
    wide = np.column_stack([x[:, 0], x[:, 0], 2 * x[:, 0] + 1, x[:, 1], -x[:, 1], np.full(200, 7.0)])
    formula = found(wide, x[:, 0] * np.exp(x[:, 1]))
    assert formula.fits and formula.variables == ("x1", "x4")
    assert formula.expression == x1 * sympy.exp(sympy.Symbol("x4", real=True))


def test_a_table_of_copies() -> None:
    x = np.repeat(rows(100, 1), 8, axis=1)
    assert found(x, x[:, 0] ** 2).expression == x1**2


SCALED = {
    "product": (lambda x: x[:, 0] * x[:, 1] + x[:, 2], x1 * x2 + x3),
    "square": (lambda x: (x[:, 0] * 1e30) ** 2 + x[:, 1] * 1e-30, None),
    "exponential": (lambda x: np.exp(x[:, 0] * 1e30) * x[:, 2], None),
    "large": (lambda x: 1e30 * x[:, 2] ** 2, None),
    "small": (lambda x: 1e-30 * x[:, 2] ** 2 - 1e-30, None),
}


@pytest.mark.parametrize("name", SCALED)
def test_columns_of_very_different_size(name: str) -> None:
    x = rows(200, 3) * np.array([1e-30, 1e30, 1.0])
    truth, expected = SCALED[name]
    formula = found(x, truth(x))
    assert formula.fits, formula.message
    assert expected is None or formula.expression == expected
    fresh = rows(100, 3, seed=1) * np.array([1e-30, 1e30, 1.0])
    np.testing.assert_allclose(formula.predict(fresh), truth(fresh), rtol=1e-9)


@pytest.mark.parametrize("place", [(0, 0), (199, 2)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_refused_with_its_place(value: float, place: tuple[int, int]) -> None:
    x, y = rows(200, 3), np.zeros(200)
    x[place] = value
    with pytest.raises(InputError) as refused:
        found(x, y)
    assert str(refused.value) == (
        f"1 values are no finite numbers: rows of 'y', x[{place[0]}, {place[1]}]: "
        f"expected finite numbers, got {value}; hint: leave out or fill in those rows"
    )
    y[place[0]] = value
    with pytest.raises(InputError, match=rf"rows of 'y', y\[{place[0]}\]: expected finite numbers, got {value}"):
        found(rows(200, 3), y)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("width", [1, 4])
def test_a_handful_of_rows(count: int, width: int) -> None:
    x = rows(count, width)
    y = x[:, 0] ** 2 - 0.3
    formula = found(x, y, time_limit=0.5)
    assert formula.rows == count and np.all(np.isfinite(formula.predict(x)))
    if count == 1:
        assert formula.predict(x) == pytest.approx(y)
    held = verify_formula(formula, test=Rows(x, y), truth=None, ranges=[(-1.0, 1.0)] * width)
    assert not held.exact, "so few rows show nothing"


ON_A_GRID = np.array([[a, b] for a in np.linspace(-2, 2, 17) for b in np.linspace(-1.5, 1.5, 13)])
INSIDE = {
    "a pole": (lambda a, b: 1 / (a - b), 1 / (x1 - x2)),
    "two poles": (lambda a, b: 1 / a + 1 / (b - 0.5), None),
    "a double pole": (lambda a, b: a / (b + 1) ** 2, None),
    "logarithms": (lambda a, b: np.log(np.abs(a)) * b, None),
    "a logarithm of a square": (lambda a, b: np.log(a**2) + b, None),
    "roots": (lambda a, b: np.sqrt(np.abs(a * b)), None),
}


@pytest.mark.parametrize("name", INSIDE)
def test_poles_and_logarithms_inside_the_range(name: str) -> None:
    truth, expected = INSIDE[name]
    x = rows(300, 2, low=-2.0, high=2.0)
    formula = found(x, truth(*x.T), time_limit=10.0)
    assert formula.fits, f"{formula}: {formula.message}"
    assert expected is None or formula.expression == expected
    fresh = rows(300, 2, low=-2.0, high=2.0, seed=1)
    np.testing.assert_allclose(formula.predict(fresh), truth(*fresh.T), rtol=1e-6)


@pytest.mark.parametrize("name", ["a pole", "logarithms", "a double pole"])
def test_rows_that_lie_on_a_pole_cannot_be_searched(name: str) -> None:
    with np.errstate(all="ignore"):
        y = INSIDE[name][0](*ON_A_GRID.T)
    with pytest.raises(InputError, match=r"are no finite numbers: rows of 'y', y\["):
        found(ON_A_GRID, y)


@pytest.mark.parametrize("truth", [x1**2 - x2, x1 * x2, sympy.cos(x1) + x2], ids=str)
def test_inputs_that_are_zero_and_negative_where_functions_end(truth: sympy.Expr) -> None:
    y = sympy.lambdify([x1, x2], truth, "numpy")(*ON_A_GRID.T)
    assert found(ON_A_GRID, y).expression == truth


# --- time

SLOW = 4.0  # a machine that shares its cores may be so much slower than a quiet one, and types are checked meanwhile


@pytest.mark.parametrize(("count", "width"), [(300, 6), (5000, 6), (2000, 12), (200, 30)])
def test_half_a_second_is_kept(count: int, width: int) -> None:
    x = rows(count, width)
    started = time.process_time()
    formula = found(x, hard(x), time_limit=0.5)
    assert formula.work < 0.5 + 0.6  # the last step before the end is finished
    assert time.process_time() - started < SLOW * 2.5
    assert not formula.fits and formula.message.startswith("not exact: ")


@pytest.mark.parametrize("seconds", [0.0, 0.01])
def test_no_time_at_all_still_gives_a_formula(seconds: float) -> None:
    x = rows(300, 6)
    started = time.process_time()
    assert np.all(np.isfinite(found(x, hard(x), time_limit=seconds).predict(x)))
    assert time.process_time() - started < SLOW


def test_a_million_rows() -> None:
    x = rows(1_000_000, 3)
    started = time.process_time()
    easy = found(x, x[:, 0] ** 2 + x[:, 1] * x[:, 2], time_limit=2.0)
    noise = found(x, np.random.default_rng(1).normal(size=len(x)), time_limit=1.0)
    assert easy.work < 2.0 and noise.work < 1.0 + 0.6
    assert time.process_time() - started < SLOW * (2.0 + 1.0 + 3.0)
    assert easy.expression == x1**2 + x2 * x3 and easy.fits and easy.rows == 1_000_000
    assert not noise.fits and noise.residual == pytest.approx(1.0, abs=0.01)


def test_one_row_in_a_million_that_is_off_is_seen() -> None:
    x = rows(1_000_000, 2)
    y = x[:, 0] * x[:, 1]
    y[777_777] += 1e-3
    formula = found(x, y, time_limit=1.0)
    assert not formula.fits and formula.worst == pytest.approx(1e-3 / np.std(y), rel=1e-3)


# --- interrupts


@contextmanager
def interrupt_after(seconds: float) -> Iterator[None]:
    """Control-C after so much of the processor's time; again, where Python lost it in some object's destructor."""

    def press(*_: object) -> None:
        raise KeyboardInterrupt

    def lost(_: object) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)

    before, hook = signal.signal(signal.SIGVTALRM, press), sys.unraisablehook
    sys.unraisablehook = lost
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    except KeyboardInterrupt:
        pytest.fail("the interrupt got out of the search")
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)
        sys.unraisablehook = hook


@pytest.mark.parametrize("after", [0.05, 0.3, 1.0])
def test_an_interrupt_gives_the_best_formula_so_far(after: float) -> None:
    x = rows(300, 6)
    started = time.process_time()
    with interrupt_after(after):
        formula = found(x, hard(x), time_limit=30.0)
    assert time.process_time() - started < after + SLOW * 3.0
    assert formula.message.startswith("interrupted: not exact: residual ")
    assert formula.shortfall == formula.message and not formula.fits
    assert formula.r2 > 0.5
    held = verify_formula(formula, test=Rows(x[:50], hard(x[:50])), truth=None, ranges=[(-1.0, 1.0)] * 6)
    assert not held.exact and held.message.startswith("interrupted: ")


def pressed_at(stage: str) -> Callable[[str], None]:
    def tell(name: str) -> None:
        if name == stage:
            raise KeyboardInterrupt

    return tell


@pytest.mark.parametrize("stage", ["hints", "quick search", "thorough search"])
def test_an_interrupt_at_any_stage(stage: str) -> None:
    x = rows(300, 6)
    formula = found(x, hard(x), progress=pressed_at(stage), time_limit=3.0)
    assert formula.message.startswith("interrupted: not exact: ")
    assert formula.r2 > 0.5, "a polynomial at least"


def test_a_second_interrupt_ends_it() -> None:
    x = rows(300, 6)
    with pytest.raises(KeyboardInterrupt):
        found(x, hard(x), progress=pressed_at("finishing"), time_limit=0.5)


def test_a_formula_that_fits_is_kept_when_the_search_goes_on_and_is_interrupted() -> None:
    x = rows(300, 2)
    columns = [x[:, 0] ** 2, x[:, 1] ** 2, x[:, 0], x[:, 1], x[:, 0] * x[:, 1]]
    odd = np.stack(columns, axis=1) @ np.random.default_rng(3).normal(size=5)  # numbers without names
    formula = found(x, odd, progress=pressed_at("decomposition search"), time_limit=5.0)
    assert formula.fits and formula.shortfall == ""
    assert formula.message == "interrupted: meets the training rows to rounding; not verified yet"
    held = verify_formula(formula, test=Rows(x, odd), truth=formula.expression, ranges=[(-1.0, 1.0)] * 2)
    assert held.exact and held.message == "exact"


def question(y: np.ndarray, x: np.ndarray) -> SearchProblem:
    return SearchProblem(x, y, SYMBOLS[: x.shape[1]], Budget.of(60.0))


def test_what_a_stage_found_before_the_interrupt_is_kept() -> None:
    x = rows(100, 2)

    def stage(problem: SearchProblem, propose: object) -> Iterator[Template]:
        yield linear([x1], [1.0])
        yield linear([x1, x2], [1.0, 1.0])
        raise KeyboardInterrupt

    outcome = _search.search(question(np.sin(x[:, 0]) + x[:, 1], x), [stage])
    assert outcome.interrupted and len(outcome.rough) >= 2
    assert min(fit.error for fit in outcome.rough) < 0.1


def test_a_fit_that_was_about_to_be_finished_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    x = rows(100, 2)

    def pressed(problem: SearchProblem, fit: Fit) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_search, "finish", pressed)
    outcome = _search.search(question(2 * x[:, 0], x), _stages.QUICK)
    assert outcome.interrupted and not outcome.done
    assert any(fit.explained() for fit in outcome.rough)


def test_stages_are_told_as_they_begin() -> None:
    x, told = rows(200, 6), list[str]()
    found(x, hard(x), progress=told.append, time_limit=3.0)
    first = ["hints", "quick search", "decomposition search", "kink and wave search"]
    stages = [*first, "pool search", "thorough search", "finishing"]
    assert told == [s for s in stages if s in told]  # a slow machine may not come to the thorough search
    assert set(stages) - set(told) <= {"thorough search"}
    told.clear()
    found(x, x[:, 0] ** 2, progress=told.append)
    assert told == ["hints", "quick search with hints", "finishing"]
    told.clear()
    found(x, x[:, 0] / x[:, 1] ** 3 * np.sqrt(x[:, 2] ** 2 + x[:, 3] ** 2), progress=told.append)
    assert told[-2:] == ["decomposition search", "finishing"]  # the factors come off before the pool is built
    told.clear()
    found(x, np.ones(200), progress=told.append)
    assert told == ["hints", "quick search", "finishing"]


def test_columns_whose_squares_overflow_are_searched_without_a_warning() -> None:
    """A table over decades: a column of 1e160 has a length, though its squares have none."""
    rng = np.random.default_rng(0)
    x = np.exp(rng.uniform(np.log(1e30), np.log(1e34), (200, 2)))
    formula = found(x, x[:, 0] ** 3 / x[:, 1] + 2 * x[:, 1] ** 2, time_limit=2.0)
    assert np.isfinite(formula.residual)
    columns = np.array([[3e200, 0.0], [4e200, 0.0]])
    np.testing.assert_allclose(lengths(columns), [5e200, 1.0])
