"""Terms added and exchanged where the integrated trajectories ask for them.

What a new term would gain is seen before it is fitted: trajectories are integrated with a little of each term, all at
once, and what that changes is held against what is left of the measured values. No derivative of theirs is needed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from ._form import Form, joined
from ._shooting import sensitivity
from ._system import System

_MOVES = 16  # that are taken at most
_LEAST = 1.0  # bits that a move must save
_TRIED = 3  # terms of the greatest gain
_WORTH = 10.0  # the sum of squares, in units of what is left, that a term must gain to be tried


@dataclass(frozen=True)
class _Gain:
    gain: float
    place: int
    term: sympy.Expr


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
        better = next((trial for trial in _moves(system, terms, places) if trial.bits < system.bits - _LEAST), None)
        if better is None:
            break
        system = better
    return system


def _moves(system: System, terms: Sequence[sympy.Expr], places: Sequence[int]) -> Iterator[System]:
    """The best systems of each kind of step: with a term more, with one less, with one exchanged, with two more."""
    longer = _longer(system, terms, places)
    yield from longer[:1]
    for constant in system.doubtful():
        shorter = system.without([constant])
        if shorter is not None:
            yield shorter
            yield from _longer(shorter, terms, places)[:1]
    for one in longer:
        yield from _longer(one, terms, places)[:1]


def _longer(system: System, terms: Sequence[sympy.Expr], places: Sequence[int]) -> list[System]:
    """Systems with one more term, the shortest description first."""
    trials = [
        system.with_form(one.place, _with_term(system.shot.forms[one.place], one.term))
        for one in _gains(system, terms, places)[:_TRIED]
    ]
    return sorted(trials, key=lambda trial: trial.bits)


def _with_term(form: Form, term: sympy.Expr, value: float = 0.0) -> Form:
    constant = sympy.Dummy("c", real=True)
    return Form(form.expression + constant * term, {**form.values, constant: value})


def _gains(system: System, terms: Sequence[sympy.Expr], places: Sequence[int]) -> list[_Gain]:
    """Terms by what they would gain if they were added, the greatest first."""
    known = len(joined(system.shot.forms))
    forms, added = list(system.shot.forms), []
    order = list(joined(forms))
    for place in places:
        for term in terms:
            forms[place] = _with_term(forms[place], term)
            added.append((place, term, list(forms[place].values)[-1]))
    columns, left = sensitivity(forms, system.variables, system.pieces, system.shot)
    names = list(joined(forms))
    old = columns[:, [names.index(c) for c in order]]
    new = columns[:, [names.index(c) for _, _, c in added]]
    size = np.linalg.norm(new, axis=0)
    if known:
        basis = np.linalg.qr(old / np.maximum(np.linalg.norm(old, axis=0), 1e-300))[0]
        new = new - basis @ (basis.T @ new)
        left = left - basis @ (basis.T @ left)
    rest = np.linalg.norm(new, axis=0)
    seen = np.isfinite(rest) & (rest > 1e-6 * size)
    with np.errstate(all="ignore"):
        gain = np.where(seen, (left @ new) ** 2 / rest**2, 0.0)
    noise = float(np.mean(left**2)) or 1.0
    found = [_Gain(float(g) / noise, place, term) for g, (place, term, _) in zip(gain, added, strict=True)]
    return sorted((one for one in found if one.gain > _WORTH), key=lambda one: -one.gain)
