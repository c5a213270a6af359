"""The constants of an expression, opened and fitted anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.optimize import least_squares

Array = NDArray[np.float64]

_WORST = 1e6  # stands for a residual that is no number
_TIGHT = 1e-15
_POLISH = 5


def evaluator(expression: sympy.Expr, names: Sequence[str]) -> Callable[[Array], Array]:
    """The expression as a function of [rows, names]; NaN where it is not real."""
    function = sympy.lambdify([sympy.Symbol(name, real=True) for name in names], expression, "numpy", cse=True)

    def evaluate(x: Array) -> Array:
        return _real(function, x.T, len(x))

    return evaluate


def _real(function: Callable[..., object], arguments: Sequence[Array | float], rows: int) -> Array:
    with np.errstate(all="ignore"):
        try:
            values = np.asarray(function(*arguments))
        except (OverflowError, ZeroDivisionError, TypeError):  # numbers alone, worked out by Python
            return np.full(rows, np.nan)
    if values.dtype.kind not in "fiub":
        return np.full(rows, np.nan)
    return np.array(np.broadcast_to(values.astype(np.float64), (rows,)))


@dataclass(frozen=True, eq=False)
class Opened:
    """An expression with each number that may be fitted replaced by an open constant, and what those were."""

    expression: sympy.Expr
    constants: tuple[sympy.Dummy, ...]
    start: Array

    def filled(self, values: Array) -> sympy.Expr:
        """The expression with decimals for its constants."""
        return self.expression.xreplace({c: sympy.Float(float(v)) for c, v in zip(self.constants, values, strict=True)})


def opened(expression: sympy.Expr) -> Opened:
    """Every number of an expression opened: decimals, whole numbers, fractions, pi and whatever they make together.

    Left as they are: whole and fractional exponents, for they are part of the form, and the sign of a product.
    """
    start: dict[sympy.Dummy, float] = {}

    def number(value: sympy.Expr) -> sympy.Dummy:
        constant = sympy.Dummy(f"c{len(start)}", real=True)
        start[constant] = float(value)
        return constant

    def walk(part: sympy.Expr) -> sympy.Expr:
        if not part.free_symbols:
            return number(part)
        if part.is_Symbol:
            return part
        if part.is_Pow:
            return walk(part.base) ** (part.exp if _is_form(part.exp) else walk(part.exp))
        if not (part.is_Mul or part.is_Add):
            return part.func(*(walk(argument) for argument in part.args))
        numbers, rest = part.as_independent(*part.free_symbols, as_Add=part.is_Add)
        pieces = [walk(argument) for argument in part.func.make_args(rest)]
        if part.is_Mul and numbers in (1, -1):
            return sympy.Mul(numbers, *pieces)
        return part.func(*pieces) if numbers == part.func.identity else part.func(number(numbers), *pieces)

    found = walk(expression)
    return Opened(found, tuple(start), np.array(list(start.values()), dtype=np.float64))


def _is_form(exponent: sympy.Expr) -> bool:
    return bool(exponent.is_Rational or (exponent.is_Float and float(exponent).is_integer()))


@dataclass(frozen=True, eq=False)
class Curve:
    """An opened expression as a function of its constants, on given rows, and its derivatives by each of them."""

    value: Callable[..., object]
    slopes: tuple[Callable[..., object], ...]
    columns: tuple[Array, ...]
    rows: int

    @staticmethod
    def of(form: Opened, names: Sequence[str], x: Array) -> "Curve":
        """The curve on rows [rows, names]."""
        symbols = [*form.constants, *(sympy.Symbol(name, real=True) for name in names)]

        def compiled(expression: sympy.Expr) -> Callable[..., object]:
            return sympy.lambdify(symbols, expression, "numpy", cse=True)

        # Where a step has its jump, it is not differentiated.
        slopes = tuple(
            compiled(form.expression.diff(c).replace(sympy.DiracDelta, lambda *_: sympy.S.Zero)) for c in form.constants
        )
        return Curve(compiled(form.expression), slopes, tuple(x.T), len(x))

    def at(self, constants: Array) -> Array:
        """Values for these constants; NaN where they are not real."""
        return _real(self.value, (*constants.tolist(), *self.columns), self.rows)

    def slope(self, constants: Array) -> Array:
        """Derivatives [rows, constants]; 0 where there is none."""
        columns = [_real(f, (*constants.tolist(), *self.columns), self.rows) for f in self.slopes]
        return np.nan_to_num(np.stack(columns, axis=1), nan=0.0, posinf=0.0, neginf=0.0)


def refit(curve: Curve, start: Array, y: Array, *, unit: float) -> Array:
    """The constants near ``start`` that meet y best, in units of |y| + ``unit``.

    Least squares, then Gauss-Newton steps of least norm as long as they help, so that constants that the rows do not
    fix stay where they are.
    """
    if not len(start):
        return start
    size = np.abs(y) + unit

    def residual(constants: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.nan_to_num((curve.at(constants) - y) / size, nan=_WORST, posinf=_WORST, neginf=-_WORST)

    def slope(constants: Array) -> Array:
        return curve.slope(constants) / size[:, None]

    best, least = start, float(np.max(np.abs(residual(start))))
    for method in ("lm", "trf") if len(start) <= len(y) else ("trf",):
        with np.errstate(all="ignore"):
            tried = least_squares(
                residual, start, slope, method=method, x_scale="jac", ftol=_TIGHT, xtol=_TIGHT, gtol=_TIGHT,
                max_nfev=200,
            ).x  # fmt: skip
            for _ in range(_POLISH):
                error = float(np.max(np.abs(residual(tried))))
                if not np.isfinite(tried).all() or error >= least:
                    break
                best, least = tried, error
                tried = tried - np.linalg.lstsq(slope(tried), residual(tried), rcond=1e-12)[0]
        if least < 1e-9:
            break
    return best
