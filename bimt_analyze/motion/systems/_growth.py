"""Terms added, left out and exchanged, many at once, where the integrated trajectories ask for them.

What a term would change is seen by integrating with a little of each, all at once. In that linear picture the best few
of old and new terms are chosen as for any sparse sum; the systems that look best are then fitted. No derivative of the
trajectories is needed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from jaxtyping import Float64

from ...formulas.symbolic._open_numbers import Form
from ..integration._fewest_constants import joined
from ..integration._shooting import sensitivity
from ..proposals._subsets import subsets
from ._system import System

_MOVES = 8  # that are taken at most
_LEAST = 1.0  # bits that a move must save
_TRIED = 4  # systems that look best are fitted
_TERM = 20.0  # bits of one term, about
_MOST, _FROM_ALL = 16, 70  # terms of all variables together; and columns from which they are left out one by one

Matrix = Float64[np.ndarray, "rows columns"]
Rows = Float64[np.ndarray, "rows"]


@dataclass(frozen=True)
class Term:
    """A term of one variable's right-hand side: an open constant of its own, or one that may be added.

    Attributes
    ----------
    place : int
        The number of the variable.
    term : sympy.Expr
        What the constant is multiplied by.
    constant : sympy.Dummy
        Its constant.
    old : bool
        Whether the right-hand side has it.
    """

    place: int
    term: sympy.Expr
    constant: sympy.Dummy
    old: bool


def grown(system: System, terms: Sequence[sympy.Expr], places: Sequence[int]) -> System:
    """The system with terms added, left out and exchanged, as long as its description gets shorter.

    Parameters
    ----------
    system : System
        Where it begins.
    terms : sequence of sympy.Expr
        Functions of the variables.
    places : sequence of int
        The variables whose right-hand sides may change.
    """
    for _ in range(_MOVES):
        if system.met or system.pieces.budget.over():
            break  # what is met needs no further term; idle ones are left out by others
        better = min(_moves(system, terms, places), key=lambda trial: trial.bits, default=system)
        if not better.bits < system.bits - _LEAST:
            break
        system = better
    return system


def terms_of(system: System, terms: Sequence[sympy.Expr], places: Sequence[int]) -> list[Term]:
    """The terms that right-hand sides have, then those that may be added.

    Parameters
    ----------
    system : System
        Whose right-hand sides they are.
    terms : sequence of sympy.Expr
        Functions of the variables, which may be added.
    places : sequence of int
        The variables whose right-hand sides may change.
    """
    own = [
        Term(place, factor, constant, True)
        for place in places
        for constant in system.shot.forms[place].values
        if not (factor := sympy.diff(system.shot.forms[place].expression, constant)).has(constant)
    ]
    known = {(one.place, one.term) for one in own}
    new = [
        Term(place, term, sympy.Dummy("c", real=True), False)
        for place in places
        for term in terms
        if (place, term) not in known
    ]
    return [*own, *new]


def _moves(system: System, terms: Sequence[sympy.Expr], places: Sequence[int]) -> Iterator[System]:
    """The systems that look best in the linear picture, fitted."""
    every = terms_of(system, terms, places)
    for some, weights in _chosen(system, every):
        if system.pieces.budget.over():
            return
        forms = with_terms(system, every, some, weights)
        if forms is not None:
            yield (trial := system.with_forms(forms))
            if trial.met:
                return


def _chosen(system: System, every: Sequence[Term]) -> list[tuple[tuple[Term, ...], Rows]]:
    """Subsets of the terms and their weights, the shortest description in the linear picture first."""
    matrix, target = picture(system, every)
    size = np.linalg.norm(matrix, axis=0)
    kept = np.flatnonzero(np.isfinite(size) & (size > 0))
    now = frozenset(place for place, number in enumerate(kept.tolist()) if every[number].old)
    if not len(kept):
        return []
    matrix = matrix[:, kept] / size[kept]
    found = []
    for some in subsets(matrix, target, most=_MOST, from_all=_FROM_ALL):
        if some == now:
            continue
        places = sorted(some)
        weights, *_ = np.linalg.lstsq(matrix[:, places], target, rcond=None)
        left = float(np.mean((target - matrix[:, places] @ weights) ** 2))
        bits = 0.5 * len(target) * np.log2(max(left, 1e-300) + 1.0 * (left < 1.0)) + _TERM * len(places)
        found.append((bits, tuple(every[kept[i]] for i in places), weights / size[kept[places]]))
    found.sort(key=lambda one: one[0])
    return [(some, weights) for _, some, weights in found[:_TRIED]]


def picture(system: System, every: Sequence[Term]) -> tuple[Matrix, Rows]:
    """What a unit of each term adds to the integrated values, and what all terms have to make up.

    Parameters
    ----------
    system : System
        Where it is looked at.
    every : sequence of Term
        The terms.
    """
    forms = list(system.shot.forms)
    values = joined(forms)
    for one in every:
        if not one.old:
            forms[one.place] = _with_term(forms[one.place], one.term, one.constant, 0.0)
    columns, left = sensitivity(forms, system.variables, system.pieces, system.shot)
    names = {constant: place for place, constant in enumerate(joined(forms))}
    wanted = {one.constant for one in every}
    always = [names[c] for c in values if c not in wanted]
    target = left + columns[:, [names[c] for c in values if c in wanted]] @ np.array(
        [v for c, v in values.items() if c in wanted], np.float64
    )
    matrix = columns[:, [names[one.constant] for one in every]]
    if always:
        fixed = columns[:, always]
        basis = np.linalg.qr(fixed / np.maximum(np.linalg.norm(fixed, axis=0), 1e-300))[0]
        matrix, target = matrix - basis @ (basis.T @ matrix), target - basis @ (basis.T @ target)
    return matrix, target


def with_terms(system: System, every: Sequence[Term], some: Sequence[Term], weights: Rows) -> list[Form] | None:
    """The right-hand sides with the chosen terms; None where one makes no sense.

    Parameters
    ----------
    system : System
        Whose right-hand sides they were.
    every : sequence of Term
        All terms, of which old ones that are not chosen are left out.
    some : sequence of Term
        The chosen ones.
    weights : array of shape [chosen]
        Their constants.
    """
    forms = list(system.shot.forms)
    kept = {one.constant for one in some}
    for one in every:
        if one.old and one.constant not in kept:
            shorter = forms[one.place].holding(one.constant, sympy.S.Zero)
            if shorter is None:
                return None
            forms[one.place] = shorter
    for one, weight in zip(some, weights.tolist(), strict=True):
        if not one.old:
            forms[one.place] = _with_term(forms[one.place], one.term, one.constant, weight)
        elif one.constant in forms[one.place].values:
            forms[one.place] = Form(forms[one.place].expression, {**forms[one.place].values, one.constant: weight})
    return forms


def _with_term(form: Form, term: sympy.Expr, constant: sympy.Dummy, value: float) -> Form:
    return Form(form.expression + constant * term, {**form.values, constant: value})
