"""Forms in which an input acts where a formula lets it not act, by less than the rows can show."""

from collections.abc import Callable, Iterator

import numpy as np
import sympy
from jaxtyping import Float64

from ..problem._template import numeric

Matrix = Float64[np.ndarray, "rows inputs"]
Column = Float64[np.ndarray, "rows"]

_JUST = 1 / 16  # of what doubles leave open: a form that differs by less differs nowhere on the rows
_JUST_TAIL = 1e-4  # the same for an exponential beside written digits: it falls by so much within one range
_T = sympy.Symbol("_t", real=True)

_TAILS: tuple[tuple[sympy.Expr, Callable[[Column], Column]], ...] = (  # 1 where t is large; and less 1
    (sympy.tanh(_T), lambda t: -2 / (np.exp(2 * t) + 1)),
    (1 / sympy.tanh(_T), lambda t: 2 / np.expm1(2 * t)),
    (1 - sympy.exp(-_T), lambda t: -np.exp(-t)),
    (1 / (1 + sympy.exp(-_T)), lambda t: -1 / (1 + np.exp(t))),
    (sympy.erf(_T), lambda t: -np.exp(-(t**2)) / (np.sqrt(np.pi) * t)),
)
_POWERS: tuple[tuple[sympy.Expr, Callable[[Column], Column]], ...] = (
    (_T / (1 + _T), lambda t: -1 / (1 + t)),
    (1 + 1 / _T, lambda t: 1 / t),
    (1 + _T, lambda t: t),
    (1 - _T, lambda t: -t),
    (sympy.cos(_T), lambda t: np.cos(t) - 1),
    (sympy.sin(_T) / _T, lambda t: np.sin(t) / t - 1),
    (1 - _T**2, lambda t: -(t**2)),
    (sympy.sqrt(1 + _T**2), lambda t: t**2 / (np.sqrt(1 + t**2) + 1)),
)


def vanished_inputs(
    expression: sympy.Expr, symbols: list[sympy.Symbol], x: Matrix, open_by: Column, *, coarse: bool
) -> Iterator[tuple[sympy.Expr, str]]:
    """Forms in which an input stands beside another one, or makes a factor that is nearly 1, unseen on all rows.

    An input that the formula leaves out is added to another: as it stands, by squares, by inverses, or as exponentials.
    One that a term leaves out may multiply that term, by a function that is near its limit on all rows. Only forms are
    given that differ from the formula on the rows, if by less than the rows can show: of an input that is far smaller,
    or far larger, nothing is said.

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    symbols : list of sympy.Symbol
        One for each column of ``x``.
    x : array of shape [rows, inputs]
        The rows.
    open_by : array of shape [rows]
        By how much a form may differ from the formula on each row.
    coarse : bool
        Whether the rows are written in fewer digits than doubles have.

    Examples
    --------
    >>> a, b = sympy.symbols("a b", real=True)
    >>> rows = np.stack([np.linspace(1, 2, 20), np.linspace(9, 11, 20)], axis=1)
    >>> found = vanished_inputs(a, [a, b], rows, np.full(20, 1e-7), coarse=True)
    >>> [str(form) for form, _ in found]
    ['a*tanh(b)', 'a/tanh(b)']
    """

    def hidden(parted: Column, just: float = _JUST) -> bool:
        return bool(np.any(np.abs(parted) > just * open_by) and np.all(np.abs(parted) <= open_by))

    values = numeric(expression, symbols)(x)
    for idle in (symbol for symbol in symbols if symbol not in expression.free_symbols):
        forms = [(sympy.Add(expression, idle), "the rest")]
        for used in sorted(expression.free_symbols, key=str):
            forms += [(expression.xreplace({used: whole}), str(used)) for whole in _beside(used, idle)]
        for form, beside in forms:
            with np.errstate(all="ignore"):
                if hidden(numeric(form, symbols)(x) - values):
                    yield form, f"{idle} vanishes beside {beside} on the rows"
    for term in _terms(expression):
        size = numeric(term, symbols)(x)
        for place, symbol in enumerate(symbols):
            if symbol in term.free_symbols:
                continue
            for factors, just in ((_TAILS, _JUST_TAIL if coarse else _JUST), (_POWERS, _JUST)):
                for factor, less_one in factors:
                    with np.errstate(all="ignore"):
                        unseen = hidden(size * less_one(x[:, place]), just)
                    if unseen:
                        acting = factor.xreplace({_T: symbol})
                        yield expression - term + term * acting, f"{acting} is 1 on the rows"


def _beside(used: sympy.Symbol, idle: sympy.Symbol) -> Iterator[sympy.Expr]:
    """Ways in which one of two inputs may vanish beside the other."""
    yield used + idle
    yield sympy.sqrt(used**2 + idle**2)
    yield used * idle / (used + idle)
    yield used + sympy.log(1 + sympy.exp(idle - used))


def _terms(expression: sympy.Expr) -> list[sympy.Expr]:
    """The expression, and each of its terms if they are several."""
    terms = sympy.Add.make_args(expression)
    return [expression, *terms] if len(terms) > 1 else [expression]
