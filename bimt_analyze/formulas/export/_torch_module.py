"""A formula as a torch module whose numbers can be trained and read back."""

from collections.abc import Callable, Sequence
from typing import Any

import sympy
import torch
from torch import Tensor, nn

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")},
    **{name: getattr(torch, name) for name in ("asinh", "acosh", "atanh", "exp", "log", "sqrt")},
    "signum": torch.sign,
    "Abs": torch.abs,
    "abs": torch.abs,
}

# sympy's own way to write sign asks whether a number is zero, which a tensor cannot say.
_SIGNUM = sympy.Function("signum")


class FormulaModule(nn.Module):
    """A formula f(x; c) as a torch module, its numbers c trainable in double precision.

    Every number can be trained except exponents and the sign -1.

    Parameters
    ----------
    expression : sympy.Expr
        The formula, in real symbols.
    variables : sequence of str
        The names of its inputs, in the order of the columns of x.

    Examples
    --------
    >>> x1, x2 = sympy.symbols("x1 x2", real=True)
    >>> module = FormulaModule(2 * x1**2 + x2, ["x1", "x2"])
    >>> module(torch.tensor([[3.0, 1.0]], dtype=torch.float64)).tolist(), module.sympy()
    ([19.0], 2*x1**2 + x2)
    """

    def __init__(self, expression: sympy.Expr, variables: Sequence[str]) -> None:
        super().__init__()
        self.variables = tuple(variables)
        self._names: list[sympy.Expr] = []
        self._slots: list[sympy.Symbol] = []
        self._template = self._opened(expression)
        self.constants = nn.Parameter(torch.tensor([float(n) for n in self._names], dtype=torch.float64))
        symbols = [sympy.Symbol(name, real=True) for name in self.variables]
        written = self._template.replace(sympy.sign, _SIGNUM)
        self._function = sympy.lambdify([symbols, self._slots], written, modules=[_FUNCTIONS, "math"])

    def _opened(self, expression: sympy.Expr) -> sympy.Expr:
        """The expression with a parameter symbol in place of every number that can be trained."""
        if not expression.free_symbols:
            if expression == -1:
                return expression
            slot = sympy.Symbol(f"c{len(self._slots)}_", real=True)
            self._names.append(expression)
            self._slots.append(slot)
            return slot
        if expression.is_Symbol:
            return expression
        if expression.is_Pow and not expression.exp.free_symbols:
            return sympy.Pow(self._opened(expression.base), expression.exp, evaluate=False)
        fixed = [a for a in expression.args if not a.free_symbols]
        if expression.is_Mul and len(fixed) > 1:  # 2*pi*x holds one number, not two
            number = sympy.Mul(*fixed)
            rest = [a for a in expression.args if a.free_symbols]
            return sympy.Mul(self._opened(number), *(self._opened(a) for a in rest))
        return expression.func(*(self._opened(argument) for argument in expression.args))

    def forward(self, x: Tensor) -> Tensor:
        """The formula's value for every row.

        Parameters
        ----------
        x : tensor of shape [..., variables]
            Any number of leading axes.

        Returns
        -------
        tensor of shape [...]
            In the precision of ``x``.
        """
        columns = [x[..., i] for i in range(len(self.variables))]
        value = self._function(columns, list(self.constants.to(x.dtype)))
        return torch.as_tensor(value, dtype=x.dtype).expand(x.shape[:-1])

    def sympy(self) -> sympy.Expr:
        """The expression at the present numbers; those that were not changed keep their exact names."""
        now = [
            name if float(name) == value else sympy.Float(value)
            for name, value in zip(self._names, self.constants.tolist(), strict=True)
        ]
        return self._template.xreplace(dict(zip(self._slots, now, strict=True)))
