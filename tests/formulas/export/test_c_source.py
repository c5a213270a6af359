"""A formula's C source, compiled and held against numpy, bit by bit of what doubles can say."""

import ctypes
import itertools
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import OPERATORS, Formula
from bimt_train import InputError

x1, x2 = SYMBOLS = sympy.symbols("x1 x2", real=True)
THIRD = sympy.Rational(1, 3)
GCC = shutil.which("gcc")


def formula(expression: sympy.Expr, inputs: tuple[str, ...] = ("x1", "x2")) -> Formula:
    return Formula("y", expression, inputs, 1.0, 0.0, 0.0, 1.0, 1, (), 10)


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Callable[[np.ndarray], np.ndarray]]:
    """Source -> a function of rows; every warning of the compiler is an error."""
    if GCC is None:
        pytest.skip("no gcc on the path")
    numbers = itertools.count()

    def build(source: str, *, name: str = "f", arguments: int = 2) -> Callable[[np.ndarray], np.ndarray]:
        stem = tmp_path / f"source{next(numbers)}"
        stem.with_suffix(".c").write_text(source)
        flags = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wno-unused-parameter", "-pedantic", "-Werror"]
        words = [GCC, *flags, "-shared", "-fPIC", "-o", f"{stem}.so", f"{stem}.c", "-lm"]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr + source
        function = ctypes.CDLL(f"{stem}.so")[name]
        function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * arguments
        return lambda x: np.array([function(*map(float, row)) for row in x])

    return build


EXPRESSIONS = [
    *(entry.build(2 * x1 + x2 * THIRD) for entry in OPERATORS),
    x1**2 + 2 * sympy.sin(sympy.pi * x2),
    x1 / (x2**2 + 1) - THIRD,
    sympy.sqrt(x1) * sympy.log(x2) ** 2,
    x1**THIRD + x2,  # not the cube root of C, which is real where x1 is negative
    sympy.Abs(x1) ** x2,
    -x1 * x2 / 2 + sympy.Float("0.1"),
    sympy.sign(x1) + sympy.acosh(x1 + 2) - sympy.atanh(x2 / 2) + sympy.asinh(x2),
    sympy.E**x1 + sympy.E * x2 + sympy.EulerGamma,
    10**20 * x1 + sympy.Rational(10**25, 7) * x2,
    sympy.Float(1e-300) * x1 + sympy.Float(1e300) * x2,
    sympy.cot(x1) + sympy.sec(x2),
    sympy.Max(x1, x2, THIRD) + sympy.Min(x1, 2),
    (x1 + x2 + 3) ** sympy.Rational(-3, 2) + 2**x1,
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
def test_the_compiled_function_is_the_formula(
    expression: sympy.Expr, compiled: Callable[..., Callable[[np.ndarray], np.ndarray]]
) -> None:
    given = formula(expression + 0 * x1)
    x = np.random.default_rng(0).uniform(-2, 2, (300, 2))
    columns = [given.inputs.index(name) for name in given.variables]
    source = given.to_c()
    values = compiled(source, arguments=len(columns))(x[:, columns])
    assert np.isfinite(values).sum() > 50
    np.testing.assert_allclose(values, given.predict(x), rtol=1e-14, atol=1e-15 * np.nanmax(np.abs(values)))


def test_the_source_is_short() -> None:
    assert formula(x1**2 + sympy.sin(sympy.pi * x2)).to_c("height") == (
        "#include <math.h>\n\n"
        "double height(double x1, double x2)\n"
        "{\n"
        "    const double pi = 3.1415926535897932;\n"
        "    return pow(x1, 2) + sin(pi*x2);\n"
        "}\n"
    )


def test_only_the_variables_are_arguments(compiled: Callable[..., Callable[[np.ndarray], np.ndarray]]) -> None:
    source = formula(2 * x2).to_c()
    assert "double f(double x2)" in source
    assert compiled(source, arguments=1)(np.array([[1.5]])) == [3.0]
    number = formula(sympy.pi / 4).to_c("quarter")
    assert "double quarter(void)" in number
    assert compiled(number, name="quarter", arguments=0)(np.zeros((1, 0))) == [np.pi / 4]


def test_names_that_mean_something_in_c(compiled: Callable[..., Callable[[np.ndarray], np.ndarray]]) -> None:
    names = ("double", "pow", "α", "x3_", "_t", "pi", "y1", "f", "double_", "größe", "x10", "INFINITY")
    symbols = [sympy.Symbol(name, real=True) for name in names]
    expression = sympy.Add(*(k * symbol**2 for k, symbol in enumerate(symbols, start=1))) * sympy.pi
    given = formula(expression, names)
    x = np.random.default_rng(1).uniform(1, 2, (20, len(names)))
    np.testing.assert_allclose(compiled(given.to_c(), arguments=len(names))(x), given.predict(x), rtol=1e-13)


@pytest.mark.parametrize("name", ["", "2f", "double", "sin", "y1", "f g", "größe", "pi", "f;"])
def test_names_that_no_function_can_have(name: str) -> None:
    with pytest.raises(InputError, match=r"no name for a function of C: to_c: expected a letter.*got "):
        formula(x1).to_c(name)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        (sympy.zoo, "got zoo"),
        (sympy.I * x1, "got an imaginary number"),
        (sympy.zeta(x1), r"got zeta\(x1\)"),
        (sympy.Integer(10) ** 400 * x1, "beyond the range of a double"),
    ],
)
def test_what_c_cannot_say_is_refused(expression: sympy.Expr, said: str) -> None:
    with pytest.raises(InputError, match="nothing in C says this.*" + said):
        replace(formula(x1), expression=expression).to_c()
