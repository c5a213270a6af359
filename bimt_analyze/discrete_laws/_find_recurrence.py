"""The rule of a sequence of whole numbers: a polynomial in its place, or a linear recurrence."""

from collections.abc import Sequence

import sympy

from bimt_train import InputError

from ._discrete_law import DiscreteLaw, Kind

_SPARE = 3  # terms that the rule must foresee beyond those that fix it
_FEWEST = 5


def find_recurrence(terms: Sequence[int], *, output: str = "y") -> DiscreteLaw | None:
    """The rule of a sequence: a polynomial in n = 0, 1, 2, ..., or a linear recurrence in its earlier terms.

    Parameters
    ----------
    terms : sequence of int
        The first terms of the sequence.
    output : str, default "y"
        What the sequence is called.

    Returns
    -------
    DiscreteLaw or None
        The shorter of the two, where it foresees three terms beyond those that fix it; None without one.

    Raises
    ------
    InputError
        For fewer than five terms, or others than whole numbers.

    Examples
    --------
    >>> print(find_recurrence([1, 1, 2, 3, 5, 8, 13, 21]))
    y = y(n - 2) + y(n - 1)
    >>> print(find_recurrence([0, 1, 4, 9, 16, 25, 36]))
    y = n**2
    """
    if len(terms) < _FEWEST or any(int(term) != term for term in terms):
        raise InputError(
            "no sequence of whole numbers", where="terms", expected=f"{_FEWEST} whole numbers or more",
            got=f"{len(terms)} numbers",
        )  # fmt: skip
    known = [sympy.Integer(int(term)) for term in terms]
    n = sympy.Symbol("n", integer=True)
    polynomial = sympy.expand(sympy.interpolate(list(enumerate(known)), n))
    order = sympy.Poly(polynomial, n).degree() + 1 if polynomial.free_symbols else 1
    steps = [sympy.nsimplify(c) for c in sympy.sequence(tuple(known)).find_linear_recurrence(len(known))]
    if order + _SPARE <= len(known) and (not steps or order <= len(steps)):
        kind: Kind = "polynomial" if polynomial.free_symbols else "constant"
        rule, fixed = polynomial, order
    elif steps and 2 * len(steps) + _SPARE <= len(known):
        earlier = sympy.Function(output)
        rule = sympy.Add(*(c * earlier(n - k) for k, c in enumerate(steps, start=1)))
        kind, fixed = "recurrence", 2 * len(steps)
    else:
        return None
    size = max(abs(int(term)) for term in known) + 1
    chance = float(size + 1) ** -(len(known) - fixed)
    return DiscreteLaw(output, rule, kind, 1.0, len(known), chance)
