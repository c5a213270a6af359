"""Formulas as text: two independent evaluations agree, the text round-trips, and nothing dangerous passes."""

import time
import warnings

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_train import ExpressionError, InputError
from bimt_train.expressions._formula_tree import CONSTANTS, FUNCTIONS
from bimt_train.expressions.expression import parse_expression

# sign jumps: where rounding turns a zero into 1e-16, sympy and numpy rightly differ.
CONTINUOUS = sorted(FUNCTIONS.keys() - {"sign"})
NAMES = ("x", "x2", "x10", "alpha")


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"{t[0]}{t[1]}{t[2]}"),
        st.tuples(inner, st.sampled_from(["2", "3", "-1", "0.5", "-2", "1"])).map(lambda t: f"({t[0]})**{t[1]}"),
        st.tuples(inner, st.sampled_from(["2", "3"])).map(lambda t: f"({t[0]})^{t[1]}"),
        st.tuples(inner, inner).map(lambda t: f"({t[0]})**({t[1]})"),
        inner.map(lambda t: f"-{t}"),
        st.tuples(st.sampled_from(CONTINUOUS), inner).map(lambda t: f"{t[0]}({t[1]})"),
    )


LEAVES = st.sampled_from([*NAMES, *CONSTANTS, "0", "1", "2", "0.5", ".25", "3.", "1e-2", "12"])
TEXTS = st.recursive(LEAVES, _grown, max_leaves=8)
POINTS = {name: np.random.default_rng(seed).uniform(-2, 2, 40) for seed, name in enumerate(NAMES)}


@pytest.mark.parametrize("word", sorted(FUNCTIONS))
def test_every_function_is_the_sympy_function_of_its_meaning(word: str) -> None:
    expression = parse_expression(f"{word}(x)")
    x = np.linspace(-0.95, 1.9, 30)
    theirs = [complex(expression.sympy().subs(sympy.Symbol("x", real=True), v)) for v in x]
    ours = expression.evaluate({"x": x})
    real = np.array([v.real if abs(v.imag) < 1e-12 else np.nan for v in theirs])
    np.testing.assert_allclose(ours, real, rtol=1e-12, atol=1e-14)
    assert np.isfinite(ours).sum() >= 15


@settings(max_examples=100, deadline=None, derandomize=True)
@given(TEXTS)
def test_numpy_and_sympy_compute_the_same(text: str) -> None:
    try:
        expression = parse_expression(text)
        symbolic = expression.sympy()
    except ExpressionError:
        return
    ours = expression.evaluate(POINTS)
    symbols = [sympy.Symbol(name, real=True) for name in NAMES]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        complex_points = [POINTS[name].astype(complex) for name in NAMES]
        try:
            found = sympy.lambdify(symbols, symbolic, "numpy")(*complex_points)
        except (TypeError, OverflowError, ZeroDivisionError):
            return  # lambdify hands whole numbers to numpy as they are, however large
        theirs = np.broadcast_to(np.asarray(found, dtype=complex), ours.shape)
        # How a change of 1e-9 in every variable is amplified: near a pole, rounding is too.
        amplified = np.abs(expression.evaluate({k: v + 1e-9 for k, v in POINTS.items()}) - ours) / 1e-9
    # sympy simplifies first, and so may be defined where we are not.
    calm = np.isfinite(ours) & np.isfinite(theirs) & (np.abs(ours) < 1e6) & (amplified < 1e4)
    np.testing.assert_allclose(ours[calm], theirs[calm], rtol=1e-7, atol=1e-7)


@settings(max_examples=120, deadline=None)
@given(TEXTS)
def test_text_written_from_the_tree_parses_back_to_the_same_tree(text: str) -> None:
    try:
        tree = parse_expression(text).tree
    except ExpressionError:
        return
    assert parse_expression(tree.written()).tree == tree


@pytest.mark.parametrize(
    "text",
    ["-(x*y)", "-(x + y)", "-x*y", "(-x)**2", "-x**2", "(x**y)**2", "x**y**2", "2**-(x + 1)", "x - (y - 1)", "x/(y*2)",
     "x - (-y)", "2*(-x)", "(x + y)*2", "x/(y/2)", "x**(y*2)", "sin(x + y)**2", "-(-x)"],
)  # fmt: skip
def test_brackets_are_written_where_they_are_needed_and_only_there(text: str) -> None:
    assert parse_expression(text).tree.written() == text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("-x**2", lambda x, y: -(x**2)),
        ("-x^2", lambda x, y: -(x**2)),
        ("2**3**0.5 + x", lambda x, y: 2 ** (3**0.5) + x),
        ("x - y - 1", lambda x, y: (x - y) - 1),
        ("x - (y - 1)", lambda x, y: x - (y - 1)),
        ("x/y/2", lambda x, y: (x / y) / 2),
        ("x/y*2", lambda x, y: (x / y) * 2),
        ("x/(y*2)", lambda x, y: x / (y * 2)),
        ("2*-x", lambda x, y: 2 * -x),
        ("x**-2", lambda x, y: x ** (-2.0)),
        ("x--y", lambda x, y: x + y),
        ("+x - +y", lambda x, y: x - y),
        ("-x*y + 1", lambda x, y: 1 - x * y),
        ("-(x - y)", lambda x, y: y - x),
        ("2*(x^2)^2", lambda x, y: 2 * x**4),
        ("x*E + pi", lambda x, y: x * np.e + np.pi),
        (" x\n + y ", lambda x, y: x + y),
    ],
)
def test_signs_bind_as_in_python(text: str, meant: object) -> None:
    x, y = np.array([-1.5, 0.25, 2.0]), np.array([0.5, -3.0, 1.25])
    got = parse_expression(text).evaluate({"x": x, "y": y})
    np.testing.assert_allclose(got, meant(x, y), rtol=1e-14)


def test_numbers_are_exact_in_sympy_and_names_are_real_and_in_natural_order() -> None:
    expression = parse_expression("0.1*x10 + 1e-3*x2 + 3 - 1/3 + pi + E")
    x2, x10 = sympy.symbols("x2 x10", real=True)
    exact = x10 / 10 + x2 / 1000 + sympy.Rational(8, 3) + sympy.pi + sympy.E
    assert expression.sympy() == exact
    assert expression.names == ("x2", "x10")
    assert str(expression) == expression.text == "0.1*x10 + 1e-3*x2 + 3 - 1/3 + pi + E"


def test_evaluate_broadcasts_takes_integers_and_is_silent_where_undefined() -> None:
    values = {"x": np.array([[-1], [0], [4]]), "unused": np.zeros((1, 2), dtype=np.float32)}
    got = parse_expression("sqrt(x) + 1/x").evaluate(values)
    assert got.dtype == np.float64 and got.shape == (3, 2)
    assert np.isnan(got[0]).all() and np.isposinf(got[1]).all() and (got[2] == 2.25).all()
    constant = parse_expression("2*pi").evaluate(values)
    assert constant.shape == (3, 2) and (constant == 2 * np.pi).all()
    assert parse_expression("2").evaluate({}).shape == ()


def test_evaluate_says_what_is_missing_and_what_does_not_fit() -> None:
    with pytest.raises(ExpressionError, match=r"no value for a name: 'x \+ y': expected x, y, got x; hint: give y too"):
        parse_expression("x + y").evaluate({"x": np.zeros(3)})
    with pytest.raises(ExpressionError, match="shapes that do not fit together"):
        parse_expression("x + y").evaluate({"x": np.zeros(3), "y": np.zeros(2)})


def test_substitution_keeps_the_value_and_writes_few_brackets() -> None:
    outer, inner = parse_expression("sqrt(a + b)*a - (a - b)"), {}
    inner["a"], inner["b"] = parse_expression("(x - 1)^2"), parse_expression("x*x")
    whole = outer.substitute(inner)
    assert str(whole) == "sqrt((x - 1)**2 + x*x)*(x - 1)**2 - ((x - 1)**2 - x*x)"
    x = np.linspace(-1, 1, 9)
    values = {name: formula.evaluate({"x": x}) for name, formula in inner.items()}
    np.testing.assert_array_equal(whole.evaluate({"x": x}), outer.evaluate(values))


HOSTILE = {
    "__import__('os').system('x')": "attribute",
    "__import__('os')": "unknown function '__import__'",
    "().__class__.__bases__": "attribute",
    "x.real": "attribute",
    "lambda x: x": "lambda",
    "x[0]": "index",
    "[x for x in x]": "comprehension",
    "(x for x in x)": "comprehension",
    "'text'": "quotes",
    'f"{x}"': "'{'",
    "x if x else x": "if / else",
    "x and x": "and / or",
    "x == 1": "comparison",
    "x // 2": "operator //",
    "x % 2": "operator %",
    "x @ x": "operator @",
    "~x": "not or ~",
    "(x := 1)": "assignment",
    "x = 1": "'='",
    "x, x": "comma",
    "1j": "1j",
    "True": "True",
    "x # note": "'#'",
    "x\\\n": "not part",
    "x\0": "not part",
    "\ud800": "not part",
    "_x": "cannot be a name",
    "lambda": "word of Python",
    "sin": "needs an argument",
    "sin(x, x)": "one argument",
    "sin(*x)": "one argument",
    "sin(a=x)": "one argument",
    "sine(x)": "did you mean sin?",
    "x(x + 1)": "for a product write x*(...)",
    "2(x + 1)": "no sign before a bracket",
    "2x": "write 2*x for 2x",
    "x x": "not a formula",
    "x +": "not a formula",
    "x²": "not a formula",
    "(x": "not closed",
    "x)": "never opened",
    "": "empty",
    " \n": "empty",
    "10**10**10": "power too large",
    "9**9**9**9": "power too large",
    "x**101": "power too large",
    "x**-1e9": "power too large",
    "((2*x)**100)**100": "powers of powers",
    "(((1 + 1e-30)**100)**100)**100": "powers of powers",
    "10**100*10**100*10**100*10**100": "finite real value",
    "9" * 41: "number too long",
    "9" * 9999: "number too long",
    "x*0." + "3" * 60: "number too long",
    "1e400": "range of a float",
    "1e-400": "range of a float",
    "1/0": "finite real value",
    "x/0": "division by zero",
    "x/(1 - 1)": "division by zero",
    "log(0)": "finite real value",
    "sqrt(-1) + x": "finite real value",
    "(" * 4000 + "x" + ")" * 4000: "nested too deeply",
    "-" * 9000 + "x": "at most 60 levels",
    "x**" * 3000 + "x": "at most 60 levels",
    "sin(" * 61 + "x" + ")" * 61: "nested too deeply",
    "-" * 61 + "x": "nested too deeply",
    "[" * 5000: "formula",
    "x+" * 6000 + "x": "too long",
}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:20].encode("unicode_escape").decode())
def test_everything_else_is_refused_quickly_in_one_line(text: str) -> None:
    start = time.process_time()
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    assert time.process_time() - start < 0.25
    message = str(caught.value)
    assert HOSTILE[text] in message
    assert "\n" not in message and len(message) < 500


@pytest.mark.parametrize(
    ("text", "column"),
    [("x + y.z", 5), ("2*x^2^2 + sin", 11), ("x^2^200", 5), ("α*β + 'a'", 7), ("x + 3y", 5), ("x + 1 + #", 9)],
)
def test_a_refusal_names_the_column_of_the_text_as_it_was_typed(text: str, column: int) -> None:
    with pytest.raises(ExpressionError, match=rf": column {column} of "):
        parse_expression(text)


def test_a_refusal_says_what_where_and_what_is_allowed() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression("x1 + x2.real")
    assert isinstance(caught.value, InputError)
    assert str(caught.value) == (
        "an attribute (a dot after a name) is not allowed: column 6 of 'x1 + x2.real': "
        "expected numbers, names, + - * / ** ( ), pi, E and " + " ".join(FUNCTIONS)
    )


def test_only_the_variables_that_are_given_may_occur() -> None:
    assert parse_expression("mass*x", variables=["x", "mass", "more"]).names == ("mass", "x")
    with pytest.raises(
        ExpressionError, match=r"unknown name 'mas': 'mas\*x': expected x, mass; hint: did you mean mass?"
    ):
        parse_expression("mas*x", variables=["x", "mass"])
    with pytest.raises(ExpressionError, match="unknown name 'x'"):
        parse_expression("x", variables=[])


def test_long_sums_are_not_deep_and_sixty_levels_pass() -> None:
    long = parse_expression("+".join(["x"] * 1500))
    assert long.evaluate({"x": np.array([2.0])}) == 3000.0
    assert parse_expression("abs(" * 59 + "x" + ")" * 59).evaluate({"x": np.array([-1.0])}) == 1.0


def test_undefined_everywhere_is_refused_by_sympy() -> None:
    with pytest.raises(ExpressionError, match="without finite values"):
        parse_expression("1/(x - x)").sympy()


@settings(max_examples=120, deadline=None)
@given(st.text(alphabet="x1.e+-*/^() \t,'[]{}:=_\\#sinlogαE²0", max_size=40))
def test_any_text_is_either_read_or_refused(text: str) -> None:
    try:
        expression = parse_expression(text)
    except ExpressionError as error:
        assert "\n" not in str(error)
    else:
        assert set(expression.names) <= set(parse_expression(expression.tree.written()).names)
