"""Activations that are written as a formula of x, as "sin(30*x)"."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ...expressions._formula_tree import Call, Negative, Node, Power, Product, Sum, variables_of

if TYPE_CHECKING:
    from ...expressions.expression import Expression

_OTHERWISE = {"ln": "log", "Abs": "abs"}  # word of a formula -> torch's, where the two differ


class FormulaActivation(nn.Module):
    """An activation that a formula of x says.

    Parameters
    ----------
    formula : Expression
        In the variable x alone.

    Examples
    --------
    >>> from bimt_train.expressions.expression import parse_expression
    >>> FormulaActivation(parse_expression("x + sin(x)**2"))(torch.zeros(2))
    tensor([0., 0.])
    """

    def __init__(self, formula: "Expression") -> None:
        super().__init__()
        self.formula = formula

    def forward(self, x: Tensor) -> Tensor:
        """Compute the formula of each entry of ``x``, a tensor of any shape."""
        found: Tensor = _value(self.formula.tree, x)
        return found

    def extra_repr(self) -> str:
        """The formula."""
        return str(self.formula)


def _value(node: Node, x: Tensor) -> Any:
    """The value of a node: a tensor, or a number where x does not occur below it."""
    if not variables_of(node):
        return float(node.value({}))
    below = [_value(child, x) for child in node.children]
    if isinstance(node, Sum):
        return sum((sign * each for sign, each in zip(node.signs, below, strict=True)), start=0.0)
    if isinstance(node, Product):
        total: Any = 1.0
        for sign, each in zip(node.signs, below, strict=True):
            total = total * each if sign > 0 else total / each
        return total
    if isinstance(node, Negative):
        return -below[0]
    if isinstance(node, Power):
        return torch.pow(*below)
    if isinstance(node, Call):
        return getattr(torch, _OTHERWISE.get(node.function, node.function))(below[0])
    return x
