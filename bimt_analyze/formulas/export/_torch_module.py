"""A formula as a torch module whose numbers can be trained and read back."""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import sympy
import torch
from torch import Tensor, nn

from bimt_train import InputError

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(torch, name) for name in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")},
    **{name: getattr(torch, name) for name in ("asinh", "acosh", "atanh", "exp", "log", "sqrt")},
    **{name: getattr(torch, name) for name in ("erf", "erfc", "floor", "atan2")},
    "ceiling": torch.ceil,
    "signum": torch.sign,
    "Abs": torch.abs,
    "abs": torch.abs,
    "larger": torch.maximum,
    "smaller": torch.minimum,
    "chosen": torch.where,
    "step": lambda u, at_zero=0.5: torch.heaviside(u, torch.as_tensor(at_zero, dtype=u.dtype, device=u.device)),
}


def _said_in_torch(expression: sympy.Expr) -> sympy.Expr:
    """The expression with names of `_FUNCTIONS` where sympy would write what a tensor cannot say."""
    larger, smaller, chosen, step, signum = map(sympy.Function, ("larger", "smaller", "chosen", "step", "signum"))

    def pieces(*pairs: Any) -> sympy.Expr:
        *first, (last, condition) = pairs
        end = last if condition == sympy.true else chosen(condition, last, sympy.nan)
        return reduce(lambda rest, pair: chosen(pair[1], pair[0], rest), reversed(first), end)

    expression = expression.replace(sympy.Max, lambda *arguments: reduce(larger, arguments))
    expression = expression.replace(sympy.Min, lambda *arguments: reduce(smaller, arguments))
    expression = expression.replace(sympy.Piecewise, pieces)
    return expression.replace(sympy.Heaviside, step).replace(sympy.sign, signum)


class FormulaModule(nn.Module):
    """A formula f(x; c) as a torch module, its numbers c trainable in double precision.

    Every number can be trained except exponents and the sign -1.

    Parameters
    ----------
    expression : sympy.Expr
        The formula, in real symbols.
    variables : sequence of str
        The names of its inputs, in the order of the columns of x.

    Raises
    ------
    InputError
        For a symbol that is none of the variables, a number that is not real, and a function that torch does not have.

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
        strange = sorted({str(symbol) for symbol in expression.free_symbols} - set(self.variables))
        if strange:
            expected = f"names among {', '.join(self.variables)}"
            raise InputError("a formula of unknown inputs", where=str(expression), expected=expected, got=str(strange))
        self._template = self._opened(expression)
        bad = [name for name in self._names if not (name.is_real and name.is_finite)]
        if bad:
            raise InputError("a number that is not real", where=str(expression), got=str(bad[0]))
        self.constants = nn.Parameter(torch.tensor([float(n) for n in self._names], dtype=torch.float64))
        self._function = self._compiled()

    def _compiled(self) -> Callable[..., Any]:
        """The function of columns and numbers. Columns are called by their places: a variable may be called exp."""
        columns = [sympy.Symbol(f"column_{place}", real=True) for place in range(len(self.variables))]
        places = dict(zip(self.variables, columns, strict=True))
        named = {symbol: places[str(symbol)] for symbol in self._template.free_symbols if str(symbol) in places}
        try:
            written = _said_in_torch(self._template.xreplace(named))
            function: Callable[..., Any] = sympy.lambdify(
                [columns, self._slots], written, modules=[_FUNCTIONS, "math"], cse=True
            )
            names = set(function.__code__.co_names) - set(_FUNCTIONS)
        except NotImplementedError as error:
            raise InputError("a formula that torch cannot compute", got=str(self._template)) from error
        if names:
            raise InputError("functions that torch does not have", where=str(self._template), got=", ".join(names))
        return function

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_function"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._function = self._compiled()

    def _opened(self, expression: sympy.Basic) -> sympy.Basic:
        """The expression, or a condition in it, with a symbol in place of every number that can be trained."""
        if not expression.free_symbols:
            if expression == -1 or expression.is_Boolean:  # True ends a list of pieces
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
            In the precision of ``x``; of whole numbers, in that of the constants.
        """
        x = x if x.is_floating_point() else x.to(self.constants.dtype)
        columns = [x[..., i] for i in range(len(self.variables))]
        value = self._function(columns, list(self.constants.to(x.dtype)))
        return torch.as_tensor(value, dtype=x.dtype, device=x.device).expand(x.shape[:-1])

    def sympy(self) -> sympy.Expr:
        """The expression at the present numbers; those that were not changed keep their exact names."""
        kept = torch.tensor([float(name) for name in self._names], dtype=torch.float64).to(self.constants.dtype)
        now = [
            name if before == value else sympy.Float(value)
            for name, before, value in zip(self._names, kept.tolist(), self.constants.tolist(), strict=True)
        ]
        return self._template.xreplace(dict(zip(self._slots, now, strict=True)))
