"""Formulas of a part of a model, and where formulas are not defined."""

import numpy as np
import pytest
import sympy
import torch
from torch import nn

from bimt_analyze.in_place import submodule_formulas
from bimt_analyze.in_place._domain import domain_edges
from bimt_train import InputError


class Law(nn.Module):
    """A law that torch can export, or not."""

    def __init__(self, exports: bool) -> None:
        super().__init__()
        self.exports = exports

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.exports and float(x.sum()) == 0.125:
            return x
        a, b = x[..., 0], x[..., 1]
        return torch.stack([a * b + 1, 3 * b - a], dim=-1)


class Around(nn.Module):
    """A model that calls the law for pairs of what it reads."""

    def __init__(self, exports: bool) -> None:
        super().__init__()
        self.law, self.head = Law(exports), nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([self.law(x[:, :2]), self.law(x[:, 2:])], dim=1))


@pytest.mark.parametrize("exports", [True, False])
def test_formulas_of_a_submodule_in_the_names_given(exports: bool) -> None:
    x = torch.tensor(np.random.default_rng(0).uniform(0.5, 2, (60, 4)), dtype=torch.float32)
    found = submodule_formulas(Around(exports), "law", x=x, inputs=["a", "b"], outputs=["p", "q"], time_limit=1)
    assert [str(one) for one in found] == ["p = a*b + 1", "q = -a + 3*b"]


def test_what_is_asked_wrongly_is_refused() -> None:
    x = torch.rand(20, 4)
    with pytest.raises(InputError, match="names that do not fit: inputs of 'law': expected 2 names, got a"):
        submodule_formulas(Around(True), "law", x=x, inputs=["a"])
    with pytest.raises(InputError, match="error: expected 0 or more, got -1"):
        submodule_formulas(Around(True), "law", x=x, error=-1.0)


U = sympy.Symbol("u", real=True)
EDGES = [
    (sympy.log(U), [1.0, 2.0], 0),
    (sympy.log(U), [0.0, 2.0], 1),
    (sympy.sqrt(U), [0.0, 2.0], 0),
    (sympy.sqrt(U), [-1.0, 2.0], 1),
    (U ** sympy.Rational(-1, 2), [0.0, 2.0], 1),
    (1 / U, [0.0, 2.0], 1),
    (1 / U**2, [1.0, 2.0], 0),
    (2**U, [-1.0, 2.0], 0),
    (U**U, [-1.0, 2.0], 1),
    (sympy.asin(U), [0.0, 2.0], 1),
    (sympy.atanh(U), [0.0, 1.0], 1),
    (sympy.acosh(U), [0.0, 1.0], 1),
    (sympy.sin(sympy.log(3 - U)), [0.0, 4.0], 1),
]


@pytest.mark.parametrize(("expression", "rows", "outside"), EDGES, ids=str)
def test_rows_outside_a_domain_are_counted(expression: sympy.Expr, rows: list[float], outside: int) -> None:
    found = domain_edges(expression, ["u"], np.array(rows)[:, None])
    assert sum(edge.outside for edge in found) == outside
    assert bool(found) == bool(outside)
