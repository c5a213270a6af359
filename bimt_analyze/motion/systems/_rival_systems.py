"""Forms that describe the measured values as well as the chosen one, among those that were fitted and one step away."""

from collections.abc import Iterator, Sequence

import numpy as np
import sympy

from ...formulas.symbolic._open_numbers import skeleton, with_open_numbers
from ..integration._fewest_constants import joined
from ..proposals._weak_form import libraries
from ._neighbours import neighbours
from ._system import System

_RIVAL = 10.0  # bits within which another form is a rival
_NEAR = 40.0  # bits: a fitted system so near is made as short as that is, before it is compared
_LOOKED_AT = 3  # of those
_STEPS = 12  # systems one step away that are fitted
_MARGIN = 5.0  # bits by which the linear picture may take a step for longer than it is
_TERMS = 120  # that may be added; with products of functions, where there are no more
_EXCHANGES = 3  # of the best system for a shorter rival, at most
_SIGNIFICANT = 3.0  # standard errors from zero: a term more that lies nearer was added by chance


def held_against_rivals(best: System, others: Sequence[System], places: Sequence[int]) -> tuple[System, System | None]:
    """The best system once its rivals are known, and the rival that is left: a rival that is shorter takes its place.

    Parameters
    ----------
    best : System
        The chosen system, without idle terms.
    others : sequence of System
        What else was fitted.
    places : sequence of int
        The variables whose right-hand sides were searched.
    """
    rival = rival_of(best, others, places)
    for _ in range(_EXCHANGES):
        if rival is None or not rival.bits < best.bits:
            break
        best, others = rival, (best, *others)
        rival = rival_of(best, others, places)
    return best, rival


def rival_of(best: System, others: Sequence[System], places: Sequence[int]) -> System | None:
    """Another form that describes what was measured as well: within ten bits.

    Looked at are the fitted systems once their idle terms are left out, and the systems one step from the best: a term
    exchanged for another one, left out, or added. A term more makes a rival only where it is three standard errors
    from zero, since the best of many terms always finds some noise to follow.

    Parameters
    ----------
    best : System
        The chosen system, without idle terms.
    others : sequence of System
        What else was fitted.
    places : sequence of int
        The variables whose right-hand sides were searched.
    """
    found = [one for one in _shortened(best, others) if _is_rival(one, best)]
    plain = _multiplied_out(best)
    found += [one for one in _stepped(plain, places) if _is_rival(one, plain)]
    return min(found, key=lambda one: one.bits, default=None)


def _shortened(best: System, others: Sequence[System]) -> Iterator[System]:
    seen = {_shape(best)}
    for other in sorted(others, key=lambda one: one.bits):
        if not other.bits < best.bits + _NEAR or len(seen) > _LOOKED_AT or best.pieces.budget.over():
            return
        if (shape := _shape(other)) not in seen:
            seen.add(shape)
            yield other.within(best.pieces.budget).without_idle_terms()


def _multiplied_out(best: System) -> System:
    """The system as sums, where they need no more constants: a step exchanges terms, and is written as sums too."""
    if best.met or best.pieces.budget.over():
        return best
    forms = []
    for form in best.shot.forms:
        longer = with_open_numbers(sympy.expand(form.filled()))
        other = longer.expression.xreplace(dict.fromkeys(longer.values, sympy.S.One))
        own = form.expression.xreplace(dict.fromkeys(form.values, sympy.S.One))
        forms.append(longer if len(longer.values) <= len(form.values) and other != own else form)
    return best if all(a is b for a, b in zip(forms, best.shot.forms, strict=True)) else best.with_forms(forms)


def _stepped(best: System, places: Sequence[int]) -> Iterator[System]:
    if best.met:
        return  # one step away nothing meets values without noise as nearly
    terms: dict[sympy.Expr, None] = {}
    for more in libraries(best.variables):
        terms |= dict.fromkeys(more) if len(terms) + len(more) <= _TERMS or not terms else {}
    tried = neighbours(best, list(terms), places, within=_RIVAL + _MARGIN)
    yield from (one for one, _ in zip(tried, range(_STEPS), strict=False))


def _is_rival(other: System, best: System) -> bool:
    if not (np.isfinite(other.bits) and other.bits < best.bits + _RIVAL) or _shape(other) == _shape(best):
        return False
    values, known = joined(other.shot.forms), joined(best.shot.forms)
    more = [c for c in values if c not in known]
    nested = all(c in values for c in known)
    return not nested or all(abs(values[c]) > _SIGNIFICANT * other.shot.errors[c] for c in more)


def _shape(system: System) -> tuple[sympy.Expr, ...]:
    return tuple(skeleton(expression) for expression in system.expressions())
