"""Probes: what a function obeys shows, what it does not obey does not, and surrogates see what coarse nets cannot."""

from collections.abc import Callable

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import Hints, find_formula, surrogate
from bimt_analyze.formulas.hints._differentiable import Differentiable
from bimt_analyze.formulas.hints._proposed_structure import proposed_structure
from bimt_analyze.formulas.hints._structural_tests import StructuralTestResult, structural_tests

NAMES = ("a", "b", "c")


class Exact(Differentiable):
    """A formula in the place of a network, its derivatives by sympy: an oracle that has no error of its own."""

    def __init__(self, text: str) -> None:
        super().__init__((), 0)
        symbols = sympy.symbols(NAMES, real=True)
        expression = sympy.sympify(text, locals=dict(zip(NAMES, symbols, strict=True)))

        def numeric(one: sympy.Expr) -> Callable[[np.ndarray], np.ndarray]:
            function = sympy.lambdify(symbols, one)
            return lambda x: np.broadcast_to(np.asarray(function(*x.T), dtype=np.float64), (len(x),)).copy()

        slopes = [numeric(sympy.diff(expression, s)) for s in symbols]
        bends = [[numeric(sympy.diff(expression, s, t)) for t in symbols] for s in symbols]
        object.__setattr__(self, "_value", numeric(expression))
        object.__setattr__(self, "_slopes", slopes)
        object.__setattr__(self, "_bends", bends)

    def __call__(self, x):
        return self._value(x)

    def gradient(self, x):
        return np.stack([s(x) for s in self._slopes], axis=1)

    def hessian(self, x):
        return np.stack([np.stack([b(x) for b in row], axis=1) for row in self._bends], axis=1)


def asked(text: str, low: float = 0.5, high: float = 2.0) -> tuple[StructuralTestResult, ...]:
    x = np.random.default_rng(0).uniform(low, high, (400, 3))
    function = Exact(text)
    return structural_tests(function, x, function(x), names=NAMES, seed=0)


def proposed(test_results: tuple[StructuralTestResult, ...], kind: str) -> set[str]:
    return {e.detail for e in test_results if e.kind == kind and e.proposed}


@pytest.mark.parametrize(
    ("text", "kind", "there", "absent"),
    [
        ("a*b + sin(c)", "added", {"a and c are added", "b and c are added"}, {"a and b are added"}),
        ("exp(a + b)*sqrt(c)", "multiplied", {"a and c are multiplied", "a and b are multiplied"}, set()),
        ("a*b + sin(c)", "multiplied", set(), {"a and c are multiplied"}),
        ("exp(a - b)/c", "combined", {"a - b"}, {"a*c", "a/c"}),
        ("sin(a*b) + c", "combined", {"a*b"}, {"b*c", "b + c"}),
        ("sqrt(a**2 + b**2) + c**3", "combined", {"a**2 + b**2"}, {"a + b", "a*b"}),
        ("a*b/(a + b)*c", "combined", {"1/a + 1/b"}, {"a*b"}),
        ("a*b + c", "symmetric", {"a and b may change places"}, {"a and c may change places"}),
        ("a**2*b/c", "homogeneous", {"of degree 2"}, set()),
        ("a**2*b + exp(c)", "polynomial", {"of degree 2 in a", "of degree 1 in b"}, {"of degree 1 in c"}),
    ],
)  # fmt: skip
def test_what_a_function_obeys_is_proposed_and_what_not_is_not(
    text: str, kind: str, there: set[str], absent: set[str]
) -> None:
    found = proposed(asked(text), kind)
    assert there <= found
    assert not absent & found


def test_even_odd_and_periodic_inputs_show_where_the_range_allows() -> None:
    test_results = asked("a**2 + b**3 + sin(2*pi*c)", -1.0, 1.0)
    assert proposed(test_results, "even") == {"even in a"}
    assert "odd in c" not in proposed(test_results, "odd")
    (period,) = [e.value for e in test_results if e.kind == "periodic" and e.inputs == ("c",)]
    assert period == pytest.approx(1.0, abs=0.02)


def test_an_idle_input_is_not_named() -> None:
    structure = proposed_structure(asked("a*b"), names=NAMES)
    assert structure.inputs == ("a", "b")
    assert structure.combinations[0].kind == "product"


def test_a_function_far_from_its_rows_proposes_little_more() -> None:
    x = np.random.default_rng(0).uniform(0.5, 2, (400, 3))
    function = Exact("a*b + c")
    far = structural_tests(function, x, function(x) + np.random.default_rng(1).normal(size=400), names=NAMES, seed=0)
    assert max(e.limit for e in far if e.kind != "depends") <= 0.15


def test_a_surrogate_sees_a_difference_that_values_alone_do_not() -> None:
    x = np.random.default_rng(0).uniform(1, 3, (300, 3))
    y = np.exp(-((x[:, 0] - x[:, 1]) ** 2)) * x[:, 2]
    function = surrogate(x, y, names=NAMES, seed=0)
    error = float(np.sqrt(np.mean((function(x) - y) ** 2)) / np.std(y))
    assert error < 0.02
    step = 1e-5 * np.eye(3)[0]
    slope = (function(x + step) - function(x - step)) / 2e-5
    np.testing.assert_allclose(function.gradient(x)[:, 0], slope, rtol=1e-4, atol=1e-6)
    bend = (function.gradient(x + step) - function.gradient(x - step)) / 2e-5
    np.testing.assert_allclose(function.hessian(x)[:, 0], bend, rtol=1e-3, atol=1e-5)
    test_results = structural_tests(function, x, y, names=NAMES, seed=0)
    assert "a - b" in proposed(test_results, "combined")
    assert "a and c are multiplied" in proposed(test_results, "multiplied")
    assert {e.source for e in test_results} == {"surrogate"}


def test_a_proposed_combination_is_searched_as_one_input() -> None:
    from bimt_analyze.formulas.generators.decompositions._combined_inputs import combined
    from bimt_analyze.formulas.problem._budget import Budget
    from bimt_analyze.formulas.problem._constants import refine
    from bimt_analyze.formulas.problem._polynomial import polynomials
    from bimt_analyze.formulas.problem._search_problem import SearchProblem

    x = np.random.default_rng(0).uniform(0.5, 2, (300, 3))
    y = (x[:, 0] / x[:, 1]) ** 2 * x[:, 2] + x[:, 2] ** 2
    columns = sympy.symbols(NAMES, real=True)
    structure = proposed_structure(asked("(a/b)**2*c + c**2"), names=NAMES)
    problem = SearchProblem(x, y, columns, Budget.of(20.0), structure=structure)
    templates = [refine(template, problem) for template in combined(problem, (polynomials,))]
    assert any(fit is not None and fit.explained() for fit in templates)
    alone = [refine(template, problem) for template in polynomials(problem)]
    assert not any(fit is not None and fit.explained() for fit in alone)


def test_evidence_comes_with_the_formula() -> None:
    x = np.random.default_rng(0).uniform(0.5, 2, (200, 3))
    function = Exact("a*b + c")
    formula = find_formula(x, function(x), names=NAMES, output="y", hints=Hints(network=function), time_limit=5.0)
    assert str(formula.expression) == "a*b + c"
    assert "a*b" in proposed(formula.test_results, "combined")
