"""The constants of right-hand sides: as few as each needs, and those of a whole system."""

from collections.abc import Sequence

import sympy

from ...formulas.symbolic._open_numbers import Form, with_open_numbers
from ...formulas.symbolic._tidy import complexity


def with_fewest_constants(form: Form) -> Form:
    """The form written with as few constants as it needs: multiplied out, or over a denominator that begins with 1.

    Parameters
    ----------
    form : Form
        A right-hand side.

    Examples
    --------
    >>> x = sympy.Symbol("x", real=True)
    >>> sorted(with_fewest_constants(with_open_numbers(2.0 * (0.5 * x + 3.0 * x**2))).values.values())
    [1.0, 6.0]
    """
    filled = form.filled()
    above, below = sympy.fraction(sympy.together(filled))
    lead, scale = next((pair for pair in sympy.expand(below).as_coefficients_dict().items() if pair[0] != 1), (1, 1))
    over_one = sympy.expand(above / scale) / (lead + sympy.expand((below - scale * lead) / scale))
    others = [with_open_numbers(one) for one in (sympy.expand(filled), over_one) if not one.has(sympy.nan, sympy.zoo)]
    return min([form, *others], key=lambda one: (len(one.values), one is not form, complexity(one.expression)))


def joined(forms: Sequence[Form]) -> dict[sympy.Dummy, float]:
    """The constants of several forms together.

    Parameters
    ----------
    forms : sequence of Form
        The right-hand sides of a system.
    """
    return {c: v for form in forms for c, v in form.values.items()}
