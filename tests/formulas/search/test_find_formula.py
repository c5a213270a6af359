"""The engine on equations whose truth is known; near misses must never be called exact."""

import time

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import Formula, Hints, Rows, Structure, find_formula, verify_formula
from bimt_analyze.formulas.problem._structure import Ridge
from bimt_train import InputError

NAMES = ("x1", "x2", "x3", "x4")
x1, x2, x3, x4 = SYMBOLS = sympy.symbols("x1:5", real=True)


def rows(truth: sympy.Expr, *, width: int, low: float, high: float, seed: int = 0, count: int = 100):
    x = np.random.default_rng(seed).uniform(low, high, (count, width))
    return x, np.broadcast_to(sympy.lambdify(SYMBOLS[:width], truth, "numpy")(*x.T), (count,)).astype(np.float64)


def solved(truth: sympy.Expr, *, width: int = 4, low: float = -1.0, high: float = 1.0, **options: object) -> Formula:
    """Found on 100 rows, proven with the truth and, to the same effect, without."""
    x, y = rows(truth, width=width, low=low, high=high)
    x_test, y_test = rows(truth, width=width, low=low, high=high, seed=1)
    found = find_formula(x, y, names=NAMES[:width], output="y", **options)  # type: ignore[arg-type]
    held = {"test": Rows(x_test, y_test), "ranges": [(low, high)] * width}
    known, blind = verify_formula(found, truth=truth, **held), verify_formula(found, truth=None, **held)
    assert not (blind.exact and not known.exact), f"{found} was called exact without the truth"
    return known


PAPER = {
    "y1": ((x1 + x3) ** 3, 4, "(x1 + x3)**3"),
    "y2": (x2**2 + sympy.sin(sympy.pi * x4), 4, "x2**2 + sin(pi*x4)"),
    "square": (x1**2, 3, "x1**2"),
    "two squares": (x1**2 + x2**2, 3, "x1**2 + x2**2"),
    "three squares": (x1**2 + x2**2 + x3**2, 3, "x1**2 + x2**2 + x3**2"),
    "distance": (sympy.sqrt((x1 - x2) ** 2 + (x3 - x4) ** 2), 4, "sqrt((x1 - x2)**2 + (x3 - x4)**2)"),
}


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_formulas_without_hints(name: str) -> None:
    truth, width, text = PAPER[name]
    found = solved(truth, width=width)
    assert found.exact, found.message
    assert str(found.expression) == text
    assert found.r2 == pytest.approx(1.0, abs=1e-15)
    assert all(constant.exact is not None for constant in found.constants)


def hints(inputs: str, *terms: str, ridges: tuple[Ridge, ...] = ()) -> Structure:
    return Structure(tuple(inputs.split()), tuple(frozenset(term.split()) for term in terms), ridges)


@pytest.mark.parametrize(
    ("name", "structure"),
    [
        ("y1", hints("x1 x3", "x1 x3", ridges=(Ridge(("x1", "x3"), (1.0, 0.93)),))),
        ("y2", hints("x2 x4", "x2", "x4")),
        ("y1", hints("x1 x3", "x1", "x3")),  # wrong: they do not only add
        ("y1", hints("x2")),  # wrong: another input
        ("y2", hints("x1 x2 x4", "x1 x2 x4")),  # wrong: one input too many, and no split
        ("distance", hints("x1 x2 x3", "x1 x2 x3", ridges=(Ridge(("x1", "x2"), (1.0, 0.4)),))),
    ],
)
def test_hints_may_be_right_or_wrong(name: str, structure: Structure) -> None:
    truth, width, text = PAPER[name]
    found = solved(truth, width=width, hints=Hints(structure))
    assert found.exact, found.message
    assert str(found.expression) == text


@pytest.mark.parametrize(
    ("truth", "width", "low", "high"),
    [
        (x1 * x2 + x3, 3, -1.0, 1.0),
        (sympy.exp(-(x1**2)) * sympy.cos(x2), 2, -1.0, 1.0),
        (sympy.sqrt(1 - x1**2), 1, -1.0, 1.0),
        ((x1 + 2 * x2) ** 2 / (1 + x3**2), 3, -1.0, 1.0),
        (x1 * x2 * x3 / x4**2, 4, 1.0, 5.0),
        (sympy.sqrt(x1 * x2 / x3), 3, 1.0, 5.0),
        (x3 + sympy.exp(x1) * sympy.sin(2 * x2), 3, -1.0, 1.0),
        (3 * sympy.log(1 + x1**2), 1, -1.0, 1.0),
        (sympy.exp(-(x1**2) / 2) / sympy.sqrt(2 * sympy.pi), 1, -2.0, 2.0),
        (sympy.sin(sympy.Rational(31, 10) * x1), 1, -1.0, 1.0),
        (x1**2 + x1**5 / 100000, 1, -1.0, 1.0),
        (sympy.sin(x1**2) * sympy.cos(x1) - 1, 1, -1.0, 1.0),
    ],
    ids=str,
)
def test_other_equations(truth: sympy.Expr, width: int, low: float, high: float) -> None:
    assert solved(truth, width=width, low=low, high=high, time_limit=30.0).exact


@pytest.mark.parametrize(
    "truth",
    [
        x1**2 + sympy.sin(5 * x1) / 10**9,
        sympy.sin(x1) + x1**3 / 10**8,
        sympy.exp(sympy.sin(x1) + x1 * sympy.cos(3 * x1)),
        sympy.sign(x1 - sympy.Rational(1, 3)) + x1 / 10**7,
    ],
    ids=str,
)
def test_near_misses_are_not_called_exact(truth: sympy.Expr) -> None:
    found = solved(truth, width=1, time_limit=0.4)
    assert not found.exact
    assert found.message.startswith("not ")


def test_noise_is_not_called_exact_and_the_form_is_kept() -> None:
    truth = 2 * x1 * x2 - x3 / 2
    x, y = rows(truth, width=3, low=-1.0, high=1.0)
    y = y + 0.01 * np.std(y) * np.random.default_rng(5).normal(size=len(y))
    found = find_formula(x, y, names=NAMES[:3], output="y", time_limit=0.5)
    assert sympy.expand(found.expression - truth) == 0
    assert not found.fits
    assert found.residual == pytest.approx(0.01, rel=0.3)
    assert found.message.startswith("not exact: residual ") and "may be noise" in found.message
    assert found.pareto_front


@pytest.mark.parametrize(
    ("x", "y", "expression"),
    [
        (np.ones((1, 2)), np.array([3.0]), "3"),
        (np.zeros((20, 2)), np.full(20, 2.5), "5/2"),
        (np.zeros((20, 2)), np.zeros(20), "0"),
        (np.zeros((5, 0)), np.arange(5.0), None),
        (np.arange(12.0).reshape(6, 2), np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0]), None),
        (np.full((30, 1), 7.0), np.linspace(0, 1, 30), None),
    ],
)
def test_degenerate_rows_do_not_crash(x: np.ndarray, y: np.ndarray, expression: str | None) -> None:
    found = find_formula(x, y, names=NAMES[: x.shape[1]], output="y", time_limit=0.5)
    assert expression is None or str(found.expression) == expression
    held = verify_formula(found, test=Rows(x, y), truth=None, ranges=[(0.0, 1.0)] * x.shape[1])
    assert not held.exact or len(y) >= 10


@pytest.mark.parametrize("scale", [1e-30, 1e-8, 1e8, 1e30])
def test_wild_scales(scale: float) -> None:
    x, y = rows(x1 * x2 + x3, width=3, low=-1.0, high=1.0)
    for scaled, target in ((x, y * scale), (x * scale, y), (x * np.array([1.0, 1.0, scale]), x[:, 0] * x[:, 1])):
        found = find_formula(scaled, target, names=NAMES[:3], output="y", time_limit=3.0)
        assert found.fits, found.message
        assert found.complexity <= 11


def test_repeated_and_constant_columns() -> None:
    x, y = rows(x1 * sympy.exp(x2), width=2, low=-1.0, high=1.0)
    wide = np.column_stack([x, x[:, 0], np.ones(len(x))])
    found = find_formula(wide, y, names=NAMES, output="y")
    assert found.expression == x1 * sympy.exp(x2)
    assert found.variables == ("x1", "x2")


def test_the_time_is_kept() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (300, 6))
    y = np.sin(3 * x[:, 0] * x[:, 1]) / (1.2 + x[:, 2] * x[:, 3]) + np.abs(x[:, 4] - x[:, 5])
    started = time.process_time()
    found = find_formula(x, y, names=[f"x{i}" for i in range(6)], output="y", time_limit=0.7)
    assert found.work < 0.7 + 0.6  # the last step before the end is finished
    assert time.process_time() - started < 10.0  # on a machine that shares its cores
    assert not found.fits


def test_same_seed_same_formula_and_no_global_randomness() -> None:
    truth = sympy.Rational(7, 10) + sympy.exp(x1) * sympy.sin(2 * x2)  # its factors are started at random
    x, y = rows(truth, width=2, low=-1.0, high=1.0)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    one, two = (find_formula(x, y, names=NAMES[:2], output="y", time_limit=30.0, seed=3) for _ in range(2))
    assert one == two
    assert one.fits and one.expression == truth
    assert np.array_equal(state, np.random.get_state()[1])  # noqa: NPY002


def test_a_network_is_probed_for_hints() -> None:
    truth, width, _ = PAPER["y1"]
    asked = []

    def network(x: np.ndarray) -> np.ndarray:
        asked.append(len(x))
        return (x[:, 0] + x[:, 2]) ** 3 + 0.01 * np.cos(9 * x[:, 1])

    assert solved(truth, width=width, hints=Hints(network=network)).exact
    assert asked


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": np.array([0.0, np.nan, 2.0])}, "rows of 'y', y[1]: expected finite numbers, got nan"),
        ({"x": np.array([[0.0], [np.inf], [1.0]])}, "x[1, 0]: expected finite numbers, got inf"),
        ({"x": np.zeros((0, 1)), "y": np.zeros(0)}, "1 rows or more"),
        ({"names": ["a", "b"]}, "expected 1 different names"),
        ({"hints": Hints(Structure(("q",)))}, "got ['q']"),
    ],
)
def test_unusable_rows_are_refused(change: dict, said: str) -> None:
    given = {"x": np.arange(3.0)[:, None], "y": np.arange(3.0), "names": ["x1"], "output": "y", **change}
    with pytest.raises(InputError) as refused:
        find_formula(given.pop("x"), given.pop("y"), **given)
    assert said in str(refused.value)
