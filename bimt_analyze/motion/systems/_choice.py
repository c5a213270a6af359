"""The choice among proposed forms: systems are fitted by integration, and the shortest description is kept."""

from collections.abc import Sequence

import sympy

from ...formulas.symbolic._open_numbers import Form
from ..integration._pieces import Pieces
from ._system import System

_ROUNDS = 2  # in which every variable's form is looked at


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
