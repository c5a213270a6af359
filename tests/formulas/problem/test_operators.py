"""The one table: every entry means the same in numpy, in sympy and in torch."""

import numpy as np
import pytest
import sympy
import torch

from bimt_analyze.formulas import OPERATORS, FormulaModule
from bimt_analyze.formulas.problem._operators import Operator

U = sympy.Symbol("u", real=True)


def somewhere(entry: Operator) -> np.ndarray:
    """Points where the function is defined, away from its edges."""
    u = np.linspace(-3.0, 3.0, 241)
    with np.errstate(all="ignore"):
        return u[np.isfinite(entry(u)) & np.isfinite(np.asarray(entry.slope(u))) & (np.abs(entry(u)) < 1e3)]


@pytest.mark.parametrize("entry", OPERATORS, ids=lambda entry: entry.name)
def test_numpy_and_sympy_agree(entry: Operator) -> None:
    u = somewhere(entry)
    assert len(u) > 50
    expected = [float(entry.build(U).subs(U, sympy.Float(v)).evalf(30)) for v in u[::7]]
    np.testing.assert_allclose(entry(u)[::7], expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("entry", OPERATORS, ids=lambda entry: entry.name)
def test_slope_is_the_derivative(entry: Operator) -> None:
    u = somewhere(entry)
    u = u[np.abs(u) > 0.01]  # |u| has a kink at zero
    derivative = sympy.lambdify(U, entry.build(U).diff(U), "numpy")
    np.testing.assert_allclose(entry.slope(u), derivative(u), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("entry", [e for e in OPERATORS if e.inverse is not None], ids=lambda entry: entry.name)
def test_inverse_solves_for_the_argument(entry: Operator) -> None:
    u = somewhere(entry)
    with np.errstate(all="ignore"):
        back = entry.inverse(entry(u))
    kept = np.isfinite(back)
    assert kept.sum() > 20
    np.testing.assert_allclose(entry(back[kept]), entry(u)[kept], rtol=1e-9)


@pytest.mark.parametrize("entry", OPERATORS, ids=lambda entry: entry.name)
def test_torch_agrees(entry: Operator) -> None:
    u = somewhere(entry)
    module = FormulaModule(entry.build(U), ("u",))
    np.testing.assert_allclose(module(torch.tensor(u)[:, None]).detach().numpy(), entry(u), rtol=1e-12, atol=1e-13)


def test_names_are_different() -> None:
    assert len({entry.name for entry in OPERATORS}) == len(OPERATORS)
