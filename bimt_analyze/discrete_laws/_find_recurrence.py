"""The rule of a sequence of whole numbers: a polynomial in its place, or a linear recurrence."""

from collections.abc import Sequence
from itertools import pairwise

import sympy
from sympy.polys.matrices import DomainMatrix
from sympy.polys.matrices.exceptions import DMNonInvertibleMatrixError

from bimt_train import InputError

from ._discrete_law import DiscreteLaw, Kind

_SPARE = 3  # terms that the rule must foresee beyond those that fix it
FEWEST = 5
"""Terms that a rule is sought of, at least."""
_LONGEST = 20  # steps back that a recurrence may go, and the degree of a polynomial


def find_recurrence(terms: Sequence[int], *, output: str = "y", place: str = "n", first: int = 0) -> DiscreteLaw | None:
    """The rule of a sequence: a polynomial in the place n of a term, or a linear recurrence in the earlier terms.

    Parameters
    ----------
    terms : sequence of int
        The first terms of the sequence.
    output : str, default "y"
        What the sequence is called.
    place : str, default "n"
        What the place of a term is called.
    first : int, default 0
        The place of the first term.

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
    if len(terms) < FEWEST or any(int(term) != term for term in terms):
        raise InputError(
            "no sequence of whole numbers", where="terms", expected=f"{FEWEST} whole numbers or more",
            got=f"{len(terms)} numbers",
        )  # fmt: skip
    known = [int(term) for term in terms]
    n = sympy.Symbol(place, integer=True)
    polynomial, steps = _polynomial(known, n, first), _steps(known)
    if polynomial is not None and (steps is None or sympy.degree(polynomial, n) < len(steps)):
        kind: Kind = "polynomial" if polynomial.free_symbols else "constant"
        rule, fixed = polynomial, int(sympy.degree(polynomial, n)) + 1 if polynomial.free_symbols else 1
    elif steps is not None:
        earlier = sympy.Function(output)
        rule = sympy.Add(*(c * earlier(n - k) for k, c in enumerate(steps, start=1)))
        kind, fixed = "recurrence", 2 * len(steps)
    else:
        return None
    size = max(map(abs, known)) + 1
    chance = float(size + 1) ** -(len(known) - fixed)
    return DiscreteLaw(output, rule, kind, 1.0, len(known), chance)


def _polynomial(known: Sequence[int], n: sympy.Symbol, first: int) -> sympy.Expr | None:
    """The polynomial in the place that gives every term; None without one. Its differences end in equal ones."""
    differences = list(known)
    for degree in range(_LONGEST + 1):
        if len(differences) <= _SPARE:
            return None
        if len(set(differences)) == 1:
            found = sympy.interpolate(list(enumerate(known[: degree + 1])), n)
            return sympy.expand(sympy.sympify(found).subs(n, n - first))
        differences = [later - earlier for earlier, later in pairwise(differences)]
    return None


def _steps(known: Sequence[int]) -> list[sympy.Rational] | None:
    """The coefficients of the shortest linear recurrence that gives every term, the last term's first."""
    for order in range(1, min(_LONGEST, (len(known) - _SPARE) // 2) + 1):
        rows = [[sympy.QQ(known[i + order - k]) for k in range(1, order + 1)] for i in range(order)]
        wanted = [[sympy.QQ(known[i + order])] for i in range(order)]
        try:
            solved = DomainMatrix(rows, (order, order), sympy.QQ).lu_solve(DomainMatrix(wanted, (order, 1), sympy.QQ))
        except DMNonInvertibleMatrixError:
            continue
        steps = [c for (c,) in solved.to_list()]
        if all(
            known[i] == sum(c * known[i - k] for k, c in enumerate(steps, start=1)) for i in range(order, len(known))
        ):
            return [sympy.QQ.to_sympy(c) for c in steps]
    return None
