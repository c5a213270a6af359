"""A formula's other forms: LaTeX, numpy, torch, and the published fields."""

import copy
import pickle
import re
from dataclasses import replace

import numpy as np
import pytest
import sympy
import torch
from matplotlib.mathtext import MathTextParser

from bimt_analyze.formulas import OPERATORS, Formula, find_formula

x1, x2, x3 = sympy.symbols("x1 x2 x3", real=True)


@pytest.fixture(scope="module")
def formula() -> Formula:
    x = np.random.default_rng(0).uniform(-1, 1, (80, 3))
    y = 2 * np.sin(np.pi * x[:, 2]) + x[:, 0] ** 2
    return find_formula(x, y, names=["x1", "x2", "x3"], output="y1", time_limit=60.0)


def test_text_and_fields(formula: Formula) -> None:
    assert str(formula) == "y1 = x1**2 + 2*sin(pi*x3)"
    assert formula.variables == ("x1", "x3")
    assert formula.inputs == ("x1", "x2", "x3")
    fields = formula.to_json()
    assert fields["expression"] == "x1**2 + 2*sin(pi*x3)" and fields["variables"] == ["x1", "x3"]
    assert set(fields) == {"expression", "variables", "r2", "exact", "complexity", "constants"}
    assert fields["constants"] == []  # the rows are met
    assert fields["r2"] == pytest.approx(1.0) and fields["exact"] is False
    assert formula.message.endswith("not verified yet")


def test_a_decimal_alone_is_told_without_zeros_at_its_end(formula: Formula) -> None:
    assert str(replace(formula, expression=sympy.Float(0.06))) == "y1 = 0.06"


def test_latex(formula: Formula) -> None:
    assert formula.latex() == r"y_{1} = x_{1}^{2} + 2 \sin{\left(\pi x_{3} \right)}"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x12", "x_{12}"),
        ("x_2", "x_{2}"),
        ("mass", r"\mathrm{mass}"),
        ("mass_kg_2", r"\mathrm{mass\_kg}_{2}"),  # two indices in a row are no LaTeX
        ("x_1_2", r"\mathrm{x\_1}_{2}"),
        ("theta2", r"\theta_{2}"),
        ("Omega", r"\Omega"),
        ("xdot", r"\mathrm{xdot}"),  # no ornament
        ("alpha_hat", r"\mathrm{alpha\_hat}"),
        ("speed of light", r"\mathrm{speed\ of\ light}"),  # LaTeX drops a bare space
        ("100%", r"\mathrm{100\%}"),
        ("a&b", r"\mathrm{a\&b}"),
        ("_", r"\mathrm{\_}"),
    ],
)
def test_latex_of_names(formula: Formula, name: str, shown: str) -> None:
    assert replace(formula, output=name, expression=sympy.Symbol(name, real=True)).latex() == f"{shown} = {shown}"


@pytest.mark.parametrize(
    "name", [*"#$%^_{}~\\\"`'E1", "a$b", "a\\b", "{x", "rate^2", "m\ns", "10%", "x²", "λ", "<b>", "E_0"]
)
def test_any_name_can_be_set(formula: Formula, name: str) -> None:
    symbol = sympy.Symbol(name, real=True)
    shown = replace(formula, output=name, expression=symbol**2 + 1 / symbol)._repr_latex_()
    MathTextParser("path").parse(shown)
    assert "\n" not in shown and not re.search(r"(?<!\\)[#%&]", shown)


def test_words_in_a_product_stand_apart_in_latex(formula: Formula) -> None:
    mass, speed = sympy.symbols("mass speed", real=True)
    assert replace(formula, expression=2 * mass * speed).latex() == r"y_{1} = 2 \, \mathrm{mass} \, \mathrm{speed}"
    assert replace(formula, output="pi_", expression=sympy.pi * x1).latex() == r"\mathrm{pi} = \pi x_{1}"


def test_numpy_takes_the_variables_and_predict_all_inputs(formula: Formula) -> None:
    x = np.random.default_rng(1).uniform(-2, 2, (10, 3))
    expected = x[:, 0] ** 2 + 2 * np.sin(np.pi * x[:, 2])
    np.testing.assert_allclose(formula.predict(x), expected, rtol=1e-14)
    np.testing.assert_allclose(formula.numpy()(x[:, [0, 2]]), expected, rtol=1e-14)


def test_torch_trains_and_is_read_back(formula: Formula) -> None:
    module = formula.torch()
    x = torch.linspace(-1, 1, 40, dtype=torch.float64).reshape(20, 2)
    np.testing.assert_allclose(module(x).detach().numpy(), formula.numpy()(x.numpy()), rtol=1e-13)
    assert module.sympy() == formula.expression
    assert sorted(module.constants.tolist()) == pytest.approx([2.0, np.pi])
    target = x[:, 0] ** 2 + 2.5 * torch.sin(torch.pi * x[:, 1])
    optimiser = torch.optim.LBFGS(module.parameters(), max_iter=50)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.mean((module(x) - target) ** 2)
        value.backward()
        return value

    optimiser.step(loss)
    assert sorted(module.constants.tolist()) == pytest.approx([2.5, np.pi], abs=1e-4)
    assert module.sympy().subs({x1: 0, x3: 0.5}) == pytest.approx(2.5, abs=1e-3)


SHAPES = [
    *(sympy.Integer(3), x1, -x1 / 2, sympy.Abs(x1) ** sympy.Rational(3, 2), 1 / x1),
    *(sympy.sign(x1 - 1) * x1, sympy.cot(x1), sympy.acos(x1 / 3), sympy.E**x1 + sympy.E),
    *(sympy.Max(x1, 1, x1**2 / 2), 2 * sympy.Min(x1, 1), sympy.floor(3 * x1), sympy.ceiling(3 * x1), sympy.erf(x1)),
    *(sympy.Heaviside(x1 - 1.01), sympy.Piecewise((x1, x1 > 1.5), (1 / x1, x1 < 0.9), (2 * x1, True))),
    *(entry.build(x1 / 3) for entry in OPERATORS),
]


@pytest.mark.parametrize("expression", SHAPES, ids=str)
def test_torch_of_any_shape(expression: sympy.Expr) -> None:
    from bimt_analyze.formulas import FormulaModule

    module = FormulaModule(expression, ("x1",))
    x = torch.linspace(0.5, 2.0, 12, dtype=torch.float32).reshape(3, 4, 1)
    value = module(x)
    assert value.shape == (3, 4) and value.dtype == torch.float32
    expected = sympy.lambdify(x1, expression, ["scipy", "numpy"])(x[..., 0].numpy())
    np.testing.assert_allclose(value.detach().numpy(), np.broadcast_to(expected, (3, 4)), rtol=1e-6)


def test_torch_keeps_names_and_copies_in_any_precision() -> None:
    from bimt_analyze.formulas import FormulaModule

    named = sympy.pi * sympy.exp(sympy.Symbol("exp", real=True) / 3)
    module = pickle.loads(pickle.dumps(copy.deepcopy(FormulaModule(named, ("exp",)).to(torch.bfloat16))))
    assert module.sympy() == named
    assert module.double()(torch.zeros(2, 1)).tolist() == [module.constants[0].item()] * 2


def test_where_it_is_not_real_it_is_nan(formula: Formula) -> None:
    rooted = replace(formula, expression=sympy.sqrt(x1))
    with np.errstate(all="raise"):
        values = rooted.predict(np.array([[4.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]))
    assert values[0] == 2.0 and np.isnan(values[1])


@pytest.mark.parametrize("name", ["e", "pi", "E", "exp", "sin", "array", "nan"])
def test_a_variable_may_be_called_like_a_number_or_a_function(formula: Formula, name: str) -> None:
    symbol = sympy.Symbol(name, real=True)
    expression = sympy.E * sympy.sin(sympy.pi * symbol) + sympy.exp(x3)
    named = replace(formula, expression=expression, inputs=(name, "x3"))
    values = named.predict(np.array([[0.5, 0.0], [0.25, 1.0]]))
    np.testing.assert_allclose(values, [np.e + 1, np.e * np.sin(np.pi / 4) + np.e], rtol=1e-14)
    np.testing.assert_array_equal(named.numpy()(np.array([[0.5, 0.0]])), values[:1])


def test_a_division_by_zero_is_nan_everywhere(formula: Formula) -> None:
    assert np.isnan(replace(formula, expression=sympy.zoo * x1).predict(np.ones((3, 3)))).all()
