"""Formulas side by side as one layer, and how they are read back."""

from collections.abc import Mapping, Sequence

import sympy
import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from bimt_train import InputError

from ..formulas import FormulaModule


class FormulaLayer(nn.Module):
    """One formula for each output: y_k = f_k(x; c_k), all numbers c but exponents trainable.

    Parameters
    ----------
    expressions : mapping of str to sympy.Expr
        Output -> its formula, in the order of the outputs.
    inputs : sequence of str
        The names of the columns of x.

    Examples
    --------
    >>> a, b = sympy.symbols("a b", real=True)
    >>> layer = FormulaLayer({"sum": a + b, "product": 2 * a * b}, ["a", "b"])
    >>> layer(torch.tensor([[3.0, 4.0]])).tolist(), layer.read_back()
    ([[7.0, 24.0]], {'sum': a + b, 'product': 2*a*b})
    """

    def __init__(self, expressions: Mapping[str, sympy.Expr], inputs: Sequence[str]) -> None:
        super().__init__()
        self.inputs, self.outputs = tuple(inputs), tuple(expressions)
        self.formulas = nn.ModuleList(FormulaModule(one, self.inputs) for one in expressions.values())

    def forward(self, x: Shaped[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows outputs"]:
        """The formulas' values.

        Parameters
        ----------
        x : tensor of shape [..., inputs]
            Any number of leading axes.
        """
        return torch.stack([formula(x) for formula in self.formulas], dim=-1)

    def read_back(self) -> dict[str, sympy.Expr]:
        """Output -> its formula at the present numbers."""
        return {
            name: one.sympy()
            for name, one in zip(self.outputs, self.formulas, strict=True)
            if isinstance(one, FormulaModule)
        }

    def extra_repr(self) -> str:
        """The formulas, as torch shows a layer."""
        return "; ".join(f"{name} = {one}" for name, one in self.read_back().items())


def read_back(model: nn.Module) -> dict[str, dict[str, sympy.Expr]]:
    """The formulas in a model at their present numbers.

    A number that training has not changed keeps its exact name, such as pi.

    Parameters
    ----------
    model : torch.nn.Module
        What `replace` made, trained on or loaded from a file; or such a layer itself.

    Returns
    -------
    dict of str to dict of str to sympy.Expr
        Dotted path of the layer (its first, where it has several) -> output -> formula, in the names that it was
        given in.

    Raises
    ------
    InputError
        There is no formula in the model.

    Examples
    --------
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> from bimt_analyze.in_place import replace
    >>> read_back(replace(model, "", by="2*a + sin(pi*b)", inputs=["a", "b"], x=torch.ones(4, 2)).model)
    {'': {'y1': 2*a + sin(pi*b)}}
    """
    found = {name: one.read_back() for name, one in model.named_modules() if isinstance(one, FormulaLayer)}
    if not found:
        raise InputError("no formula in the model", hint="replace(model, place, by=formula) puts one there")
    return found
