"""The choice among proposed forms: systems are fitted by integration, and the shortest description is kept."""

from collections.abc import Sequence

import numpy as np
import sympy

from ._form import Form, skeleton
from ._pieces import Pieces
from ._system import System

_ROUNDS = 2  # in which every variable's form is looked at
_NEAR = 40.0  # bits: a system so near to the best is made as short as that is, and may be a rival
_RIVAL = 10.0  # bits within which it is one
_LOOKED_AT = 3


def chosen(
    proposals: Sequence[Sequence[Form]],
    variables: Sequence[sympy.Symbol],
    pieces: Pieces,
    *,
    known: System | None = None,
) -> tuple[System, tuple[System, ...]]:
    """The system of the shortest description, and the others that were fitted.

    Every variable's form is exchanged for each of its proposals in turn, as long as that helps.

    Parameters
    ----------
    proposals : sequence of sequences of Form
        For each variable, the likeliest first.
    variables : sequence of sympy.Symbol
        The variables.
    pieces : Pieces
        What was measured.
    known : System, optional
        A system that was chosen before.
    """
    best = System.fitted([forms[0] for forms in proposals], variables, pieces)
    others, seen = (
        [best],
        {
            (place, id(forms[0]), *(id(o[0].expression) for k, o in enumerate(proposals) if k != place))
            for place, forms in enumerate(proposals)
        },
    )
    if known is not None and known.bits <= best.bits:
        best = known
    for _ in range(_ROUNDS):
        before = best.bits
        for place, forms in enumerate(proposals):
            for form in forms:
                key = (
                    place,
                    id(form),
                    *(id(other.expression) for other in best.shot.forms[:place] + best.shot.forms[place + 1 :]),
                )
                if key in seen or pieces.budget.over():
                    continue
                seen.add(key)
                trial = best.with_form(place, form)
                others.append(trial)
                best = trial if trial.bits < best.bits else best
        if not best.bits < before:
            break
    return best, tuple(others)


def rival_of(best: System, others: Sequence[System]) -> System | None:
    """Another form that describes what was measured as well: within ten bits, once its idle terms are left out.

    Parameters
    ----------
    best : System
        The chosen system, without idle terms.
    others : sequence of System
        What else was fitted.
    """
    form, seen = _forms(best), set[tuple[sympy.Expr, ...]]()
    for other in sorted(others, key=lambda one: one.bits):
        if not other.bits < best.bits + _NEAR or len(seen) == _LOOKED_AT or best.pieces.budget.over():
            break
        if (shape := _forms(other)) in seen or shape == form:
            continue
        seen.add(shape)
        shorter = other.without_idle_terms()
        if _forms(shorter) != form and shorter.bits < best.bits + _RIVAL and np.isfinite(shorter.bits):
            return shorter
    return None


def _forms(system: System) -> tuple[sympy.Expr, ...]:
    return tuple(skeleton(expression) for expression in system.expressions())
