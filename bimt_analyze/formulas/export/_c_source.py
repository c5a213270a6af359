"""A formula as the source of a C function."""

import re
from collections.abc import Sequence

import sympy
from sympy.printing.c import C99CodePrinter

from bimt_train import InputError

# What <math.h> declares, with what POSIX adds to it, and the constants that the printer may define.
_MATH = """
    acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh erf erfc exp exp2 expm1 fabs fdim floor
    fma fmax fmin fmod frexp hypot ilogb ldexp lgamma llrint llround log log10 log1p log2 logb lrint lround modf
    nan nearbyint nextafter nexttoward pow remainder remquo rint round scalbln scalbn sin sinh sqrt tan tanh
    tgamma trunc isfinite isinf isnan isnormal signbit fpclassify gamma j0 j1 jn y0 y1 yn signgam INFINITY NAN
    HUGE_VAL pi E EulerGamma GoldenRatio Catalan TribonacciConstant main
"""
_NAME = r"[A-Za-z]\w*"
_WIDEST = 2**31  # whole numbers from here on are written as doubles


class _Printer(C99CodePrinter):  # type: ignore[misc]
    """sympy's printer, but for numbers too large for an int, and for cube roots.

    C's cbrt(-1) is -1, where a formula is not real.
    """

    def _print_Integer(self, number: sympy.Integer) -> str:
        return str(number) if abs(number) < _WIDEST else repr(float(int(number)))

    def _print_Rational(self, number: sympy.Rational) -> str:
        if max(abs(number.p), number.q) < _WIDEST:
            return str(super()._print_Rational(number))
        return repr(int(number.p) / int(number.q))

    def _print_Pow(self, power: sympy.Pow) -> str:
        if power.exp == sympy.Rational(1, 3):
            return f"pow({self._print(power.base)}, {self._print(power.exp)})"
        return str(super()._print_Pow(power))


def c_source(expression: sympy.Expr, variables: Sequence[str], *, name: str) -> str:
    """The C99 source of ``double name(double ...)``, with one argument for each variable.

    It needs <math.h> alone, and gives NaN where the expression is not real.

    Parameters
    ----------
    expression : sympy.Expr
        The formula, in real symbols.
    variables : sequence of str
        The inputs, in the order of the arguments. An argument whose name means something in C, or has letters that C
        does not know, is called a little differently.
    name : str
        The function's name.

    Raises
    ------
    InputError
        For a function's name that C or <math.h> has taken, and for what C has no function or number for.
    """
    if not _is_free(name):
        raise InputError(
            "no name for a function of C",
            where="to_c",
            expected="a letter, then letters, digits, _; no word of C, nothing that <math.h> declares",
            got=repr(name),
        )
    arguments = _arguments(variables)
    renamed = {s: sympy.Symbol(arguments[str(s)], real=True) for s in expression.free_symbols}
    try:
        numbers, unknown, value = _Printer({"human": False, "math_macros": {}}).doprint(expression.xreplace(renamed))
    except OverflowError:
        numbers, unknown, value = set(), {"a number beyond the range of a double"}, ""
    if unknown or expression.has(sympy.I):
        raise InputError(
            "nothing in C says this",
            where="to_c",
            expected="real numbers, and functions that <math.h> has",
            got=", ".join(sorted(map(str, unknown))) or "an imaginary number",
        )
    taken = ", ".join(f"double {argument}" for argument in arguments.values()) or "void"
    constants = "".join(f"    const double {constant} = {digits};\n" for constant, digits in sorted(numbers, key=str))
    return f"#include <math.h>\n\ndouble {name}({taken})\n{{\n{constants}    return {value};\n}}\n"


def _arguments(variables: Sequence[str]) -> dict[str, str]:
    """Each variable with the name of its argument; a name that C can take stays as it is."""
    taken = {v: v for v in variables if _is_free(v)}
    for place, variable in enumerate(variables, start=1):
        argument = variable if re.fullmatch(_NAME, variable, re.ASCII) else f"x{place}"
        while not _is_free(argument) or (argument in taken.values() and variable not in taken):
            argument += "_"
        taken.setdefault(variable, argument)
    return {variable: taken[variable] for variable in variables}


def _is_free(name: str) -> bool:
    """Whether C and <math.h> leave a name free."""
    return (
        re.fullmatch(_NAME, name, re.ASCII) is not None
        and name not in _MATH.split()
        and name not in C99CodePrinter.reserved_words
    )
