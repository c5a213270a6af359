"""The text of a formula, as people read it, evaluated on forms: one place for functions and for activations."""

import ast
from collections.abc import Mapping
from fractions import Fraction
from functools import reduce
from math import erf, pi
from types import MappingProxyType

import numpy as np

from ._form import UP, Array, Bend, Form, Rule

_STEEP = 2 / pi**0.5  # erf' at 0


def _power(e: float) -> tuple[Rule, Bend | None]:
    """x**e; for an e that is no whole number on x >= 0."""
    whole, k = e == int(e), abs(e * (e - 1) * (e - 2))

    def rule(m: Array, lo: Array, hi: Array, least: Array, most: Array) -> tuple[Array, ...]:
        ends = lo**e, hi**e
        low, high = np.minimum(*ends), np.maximum(*ends)
        third = k * (most if e >= 3 else least) ** (e - 3) * UP if k else 0.0
        if whole and e % 2 == 0:
            low = np.where(least == 0, 0.0, low)
        defined = (least > 0 if e < 0 else most == most) if whole else (lo > 0 if e < 0 else lo >= 0)
        return m**e, e * m ** (e - 1), e * (e - 1) / 2 * m ** (e - 2), third, low, high, defined

    def tangent(slope: Array, lo: Array, hi: Array) -> tuple[Array, ...]:
        z = np.clip((slope / e) ** (1 / (e - 1)), lo, hi)
        return z, z**e, e * z ** (e - 1)

    return rule, None if whole else (lambda x: x**e, tangent)


def _exp(m: Array, lo: Array, hi: Array, least: Array, most: Array) -> tuple[Array, ...]:
    return np.exp(m), np.exp(m), np.exp(m) / 2, np.exp(hi) * UP, np.exp(lo), np.exp(hi), True


def _log(m: Array, lo: Array, hi: Array, least: Array, most: Array) -> tuple[Array, ...]:
    return np.log(m), 1 / m, -0.5 / m**2, 2 / lo**3 * UP, np.log(lo), np.log(hi), lo > 0


def _sin(m: Array, lo: Array, hi: Array, least: Array, most: Array) -> tuple[Array, ...]:
    return np.sin(m), np.cos(m), -np.sin(m) / 2, 1.0, -1.0, 1.0, True


def _tanh(m: Array, lo: Array, hi: Array, least: Array, most: Array) -> tuple[Array, ...]:
    t, a, b = np.tanh(m), np.tanh(least) ** 2, np.tanh(most) ** 2
    third = 2 * (1 - a) * np.maximum(np.abs(1 - 3 * a), np.abs(1 - 3 * b)) + 1e-12
    return t, 1 - t * t, -t * (1 - t * t), third, np.tanh(lo), np.tanh(hi), True


def _atan(m: Array, lo: Array, hi: Array, least: Array, most: Array) -> tuple[Array, ...]:
    third = np.minimum(2.0, 6 / (1 + least**2) ** 2 * UP)
    return np.arctan(m), 1 / (1 + m * m), -m / (1 + m * m) ** 2, third, np.arctan(lo), np.arctan(hi), True


def _asin(m: Array, lo: Array, hi: Array, least: Array, most: Array) -> tuple[Array, ...]:
    c, edge = (1 - m) * (1 + m), (1 - most) * (1 + most)
    third = (1 + 2 * most**2) / edge**2.5 * UP
    return np.arcsin(m), c**-0.5, m / 2 * c**-1.5, third, np.arcsin(lo), np.arcsin(hi), most <= 1


def _erf(m: Array, lo: Array, hi: Array, least: Array, most: Array) -> tuple[Array, ...]:
    g, low, high = (np.asarray(np.frompyfunc(erf, 1, 1)(x), dtype=np.float64) for x in (m, lo, hi))
    bell = _STEEP * np.exp(-m * m)
    third = _STEEP * np.exp(-least * least) * np.maximum(np.abs(4 * least**2 - 2), np.abs(4 * most**2 - 2)) * UP
    return g, bell, -m * bell, third, low, high, True


def _abs(m: Array, lo: Array, hi: Array, least: Array, most: Array) -> tuple[Array, ...]:
    return np.abs(m), np.where(lo >= 0, 1.0, -1.0), 0.0, np.where((lo < 0) & (hi > 0), np.inf, 0.0), least, most, True


_RULES: Mapping[str, tuple[Rule, Bend | None]] = MappingProxyType(
    {"exp": (_exp, None), "log": (_log, None), "ln": (_log, None), "sin": (_sin, None), "tanh": (_tanh, None)}
    | {"atan": (_atan, None), "asin": (_asin, None), "erf": (_erf, None), "sqrt": _power(0.5)}
    | dict.fromkeys(("abs", "Abs"), (_abs, (np.abs, lambda slope, lo, hi: (0.0 * slope, 0.0 * slope, slope))))
)
_WRITTEN: Mapping[str, str] = MappingProxyType(
    {"cos": "sin(x + pi/2)", "tan": "sin(x)/cos(x)", "acos": "pi/2 - asin(x)"}
    | {"sinh": "(exp(x) - exp(-x))/2", "cosh": "(exp(x) + exp(-x))/2"}
)
ACTIVATIONS: Mapping[str, str] = MappingProxyType(
    {"identity": "x", "relu": "max(x, 0)", "tanh": "tanh(x)", "sigmoid": "(1 + tanh(x/2))/2"}
    | {"silu": "x*(1 + tanh(x/2))/2", "gelu": "x*(1 + erf(x/sqrt(2)))/2", "leaky_relu": "max(x, 0) + 0.01*min(x, 0)"}
    | {"gelu_tanh": "x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))/2", "relu6": "min(max(x, 0), 6)"}
    | {"elu": "max(x, 0) + exp(min(x, 0)) - 1", "celu": "max(x, 0) + exp(min(x, 0)) - 1", "softsign": "x/(1 + abs(x))"}
    | {"softplus": "log(1 + exp(x))", "logsigmoid": "-log(1 + exp(-x))", "mish": "x*tanh(log(1 + exp(x)))"}
    | {"tanhshrink": "x - tanh(x)", "hardtanh": "max(min(x, 1), -1)", "hardsigmoid": "min(max(x + 3, 0), 6)/6"}
    | {"selu": "1.0507009873554805*max(x, 0) + 1.7580993408473766*(exp(min(x, 0)) - 1)"}
    | {"hardswish": "x*min(max(x + 3, 0), 6)/6"}
)
"""What each activation is, as a formula in x."""


class Unreadable(ValueError):
    """A text that is no formula of the language."""


def parsed(text: str) -> ast.expr:
    """The tree of a formula's text, which Python's own grammar reads and nothing runs.

    A remark is refused: what stands in it would be printed as proved.
    """
    if "#" in text or not text.isprintable():
        raise Unreadable("a formula with a remark, or on more lines than one")
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Unreadable(f"a formula that cannot be read: {error}") from None


def evaluated(node: ast.expr, values: Mapping[str, Form]) -> Form:
    """A formula on forms.

    Parameters
    ----------
    node : ast.expr
        The formula's tree.
    values : mapping of str to Form
        Each of its names.
    """
    some = next(iter(values.values()))
    match node:
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.Name(id="pi"):
            return some.constant(np.pi, 2.0**-52)
        case ast.Name(id="E"):
            return some.constant(np.e, 2.0**-51)
        case ast.Constant(value=int() | float() as v) if not isinstance(v, bool) and abs(v) < 1e300:
            return some.constant(float(v), 0.0 if v == int(v) and abs(v) < 2**53 else abs(v) * 2.0**-52)
        case ast.UnaryOp(op=ast.USub(), operand=a):
            return -evaluated(a, values)
        case ast.BinOp(left=a, op=ast.Add(), right=b):
            return evaluated(a, values) + evaluated(b, values)
        case ast.BinOp(left=a, op=ast.Sub(), right=b):
            return evaluated(a, values) + -evaluated(b, values)
        case ast.BinOp(left=a, op=ast.Mult(), right=b):
            return evaluated(a, values) * evaluated(b, values)
        case ast.BinOp(left=a, op=ast.Div(), right=b):
            return evaluated(a, values) * evaluated(b, values).through(*_power(-1))
        case ast.BinOp(left=a, op=ast.Pow(), right=b):
            return _raised(evaluated(a, values), b, values)
        case ast.Call(func=ast.Name(id=("max" | "Max" | "min" | "Min") as f), args=[_, *_] as args, keywords=[]):
            sign = 1 if f in ("max", "Max") else -1
            return reduce(lambda a, b: _larger(a, b, sign), (evaluated(a, values) for a in args))
        case ast.Call(func=ast.Name(id=f), args=[a], keywords=[]) if f in _RULES:
            return evaluated(a, values).through(*_RULES[f])
        case ast.Call(func=ast.Name(id=f), args=[a], keywords=[]) if f in _WRITTEN:
            return evaluated(parsed(_WRITTEN[f]), {"x": evaluated(a, values)})
    raise Unreadable(f"a formula with what cannot be proved: {ast.unparse(node)[:60]}")


def _larger(a: Form, b: Form, sign: int) -> Form:
    """The larger of two; with sign -1 the smaller."""
    apart = (a + -b).through(*_RULES["abs"])
    found = (a + b + (apart if sign > 0 else -apart)) * a.constant(0.5)
    pick = np.maximum if sign > 0 else np.minimum
    return Form(found.p, found.rem, np.fmax(found.lo, pick(a.lo, b.lo)), np.fmin(found.hi, pick(a.hi, b.hi)))


def _raised(base: Form, exponent: ast.expr, values: Mapping[str, Form]) -> Form:
    """A power: by its own rule where the exponent is a double, else exp(exponent log(base))."""
    e = _exact(exponent)
    if e is None or Fraction(float(e)) != e:
        return (base.through(_log) * evaluated(exponent, values)).through(_exp)
    return (
        base
        if e == 1
        else base * base.constant(0.0) + base.constant(1.0)
        if e == 0
        else base.through(*_power(float(e)))
    )


def _exact(node: ast.expr) -> Fraction | None:
    """The exact number that an exponent is, if it is one."""
    match node:
        case ast.Constant(value=int() | float() as v) if not isinstance(v, bool) and abs(v) < 1e6:
            return Fraction(repr(v))
        case ast.UnaryOp(op=ast.USub(), operand=a) if (x := _exact(a)) is not None:
            return -x
        case ast.BinOp(left=a, op=ast.Div(), right=b) if (x := _exact(a)) is not None and (y := _exact(b)):
            return x / y
    return None
