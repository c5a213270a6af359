"""Formulas as MathML: well-formed, in the task's own names, without what browsers no longer set."""

from xml.etree import ElementTree

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_analyze.formulas.export._mathml import to_mathml

SPACE = "{http://www.w3.org/1998/Math/MathML}"


def symbols(*names):
    return [sympy.Symbol(name, real=True) for name in names]


def text_of(expression, **options):
    root = ElementTree.fromstring(to_mathml(expression, **options))
    return "".join(root.itertext()).replace("\u2062", "")


x1, x3, mass, theta2 = symbols("x1", "x3", "mass_kg", "theta2")


@pytest.mark.parametrize(
    ("expression", "output", "said"),
    [
        ((x1 + x3) ** 3, "y1", "y1=(x1+x3)3"),
        (x1 - 2 * x3, "", "x1−2x3"),
        (sympy.sin(sympy.pi * x1), "", "sin(πx1)"),
        (sympy.exp(mass), "f", "f=emass_kg"),
        (sympy.Float("0.123456789") * theta2, "", "0.123457θ2"),
        (sympy.Max(x1, x3), "", "max(x1,x3)"),
        (sympy.Abs(x1) + sympy.Rational(1, 2), "", "|x1|+12"),
    ],
)
def test_what_is_set_is_what_is_meant(expression, output, said):
    assert text_of(expression, output=output) == said


def test_an_index_is_an_index_and_a_power_is_a_power():
    root = ElementTree.fromstring(to_mathml(x1**2))
    power = root.find(f".//{SPACE}msup")
    assert [child.tag for child in power] == [SPACE + "msub", SPACE + "mn"]
    assert [part.text for part in power[0]] == ["x", "1"] and power[1].text == "2"


@pytest.mark.parametrize(
    ("expression", "parted"),
    [
        (2 * x1 * x3, 0),
        (2 * mass, 1),
        (mass**2 * theta2, 1),
        (13 * sympy.sin(x1), 1),
        (x1 * sympy.sin(x1) * sympy.cos(x3), 2),
        (mass * (x1 + x3), 1),
        (mass / x1, 0),
    ],
)
def test_words_in_a_product_stand_apart(expression, parted):
    root = ElementTree.fromstring(to_mathml(expression))
    assert [one.get("lspace") for one in root.iter(SPACE + "mo")].count("0.17em") == parted


@pytest.mark.parametrize(
    ("name", "said"), [("lambda_", "λ"), ("Delta1", "Δ1"), ("pi_", "pi_"), ("Omega", "Ω"), ("alpha_beta", "alpha_beta")]
)
def test_greek_names_are_letters(name, said):
    assert text_of(*symbols(name)) == said


@pytest.mark.parametrize(
    "name", ["xdot", "prime", "bar_x", "x_1_2", "alpha_hat", "lambda1", "_a1", "hbar", "xbold", "e"]
)
def test_no_name_is_read_as_an_ornament(name):
    (symbol,) = symbols(name)
    root = ElementTree.fromstring(to_mathml(symbol + 1))
    assert {element.tag.removeprefix(SPACE) for element in root.iter()} <= {"math", "mrow", "mi", "mn", "mo", "msub"}
    said = "".join(root.itertext()).replace("+1", "").replace("α", "alpha").replace("λ", "lambda")
    assert said.replace("_", "") == name.replace("_", "")


leaves = st.sampled_from(
    [*symbols("x1", "x2", "a"), sympy.Integer(2), sympy.Rational(1, 3), sympy.Float(0.25), sympy.pi]
)
unary = [
    sympy.sin,
    sympy.exp,
    sympy.sqrt,
    sympy.Abs,
    sympy.tanh,
    sympy.log,
    sympy.sign,
    sympy.atan,
    lambda e: 1 / (1 + e**2),
]
expressions = st.recursive(
    leaves,
    lambda below: (
        st.tuples(st.sampled_from(unary), below).map(lambda pair: pair[0](pair[1]))
        | st.tuples(below, below).map(lambda pair: pair[0] + pair[1])
        | st.tuples(below, below).map(lambda pair: pair[0] * pair[1])
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(expressions)
def test_any_formula_is_well_formed_and_names_all_its_variables(expression):
    text = to_mathml(expression)
    root = ElementTree.fromstring(text)
    assert not {element.tag for element in root.iter()} & {SPACE + "mfenced"}
    assert "&" not in text.replace("&lt;", "").replace("&gt;", "").replace("&amp;", "")
    set_names = {"".join(e.itertext()) for tag in ("mi", "msub") for e in root.iter(SPACE + tag)}
    assert {str(symbol) for symbol in expression.free_symbols} <= set_names
