"""Proposals of right-hand sides, and the systems that are fitted from them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy

from bimt_train.trajectories.smoothed import Smoothed

from ..formulas import SearchOptions
from ..formulas.problem._budget import Budget
from ..formulas.symbolic._open_numbers import Form, with_open_numbers
from ._asked_motion import Asked
from .integration._pieces import Pieces, pieces_of
from .proposals._proposals import FINISHING, Proposal, forms, formulas, told
from .proposals._weak_form import WeakForm, libraries, polynomial_terms
from .systems._choice import chosen
from .systems._growth import grown
from .systems._system import System

_SHORT = 3  # constants of an equation beyond which formulas are searched, though sums meet the values
_GROWS = 70  # terms of a variable from which sums grow
_TRIED = 4  # forms of each variable that come first
_FAR = 3.0  # times the estimated noise, and a part of it: what a system leaves is then the better estimate
_SEARCHING = 0.6  # share of the search for formulas in its stage; the rest is for fits of them


@dataclass(frozen=True)
class Search:
    """The proposals for each variable, and what they are held against.

    Attributes
    ----------
    asked : Asked
        What is asked for.
    curves : tuple of Smoothed
        The trajectories, of order two with the speeds.
    weak : WeakForm
        Where sums are proposed.
    pieces : Pieces
        What systems are fitted to.
    options : SearchOptions
        Of the search for formulas.
    """

    asked: Asked
    curves: tuple[Smoothed, ...]
    weak: WeakForm
    pieces: Pieces
    options: SearchOptions

    @staticmethod
    def of(curves: Sequence[Smoothed], asked: Asked, options: SearchOptions, budget: Budget) -> "Search":
        """The search of trajectories.

        Parameters
        ----------
        curves : sequence of Smoothed
            The trajectories.
        asked : Asked
            What is asked for.
        options : SearchOptions
            Of the search for formulas.
        budget : Budget
            What may be spent.
        """
        return Search(asked, tuple(curves), WeakForm.of(curves), pieces_of(curves, budget=budget), options)

    def within(self, budget: Budget) -> "Search":
        """The search with another budget.

        Parameters
        ----------
        budget : Budget
            A share of the first.
        """
        return replace(self, pieces=replace(self.pieces, budget=budget))

    @property
    def places(self) -> tuple[int, ...]:
        """The numbers of the states whose right-hand sides are searched: not those that are declared."""
        return tuple(place for place, side in enumerate(self.asked.given) if side is None)

    def by_sums(self) -> tuple[System, tuple[System, ...]]:
        """The best system of sparse sums, and the others that were fitted."""
        every = [told(self._proposed(place), self.weak.times) for place in self.places]
        best, tried = self._fitted([with_open_numbers(sympy.Float(0.0)) for _ in self.places]), list[System]()
        grows: dict[sympy.Expr, None] = {}
        for terms in libraries(self.asked.symbols):
            found = [told(self._sums(terms, place), self.weak.times) for place in self.places]
            every = [(*old, *new) for old, new in zip(every, found, strict=True)]
            grows |= dict.fromkeys(terms) if len(grows) + len(terms) <= _GROWS else {}
            if tried and self.pieces.budget.over():
                return best, tuple(tried)
            start = self._fitted([forms(one, 1)[0] for one in every])
            if tried and not start.bits < best.bits:
                start = best
            start = grown(start, list(grows), self.places)
            tried.append(start)
            best = min(best, start, key=lambda one: one.bits)
            if self.settled(best) or self.pieces.budget.over():
                return best, tuple(tried)
        best, others = self._chosen(every, best)
        return grown(best, list(grows), self.places), (*tried, best, *others)

    def _proposed(self, place: int) -> list[tuple[sympy.Expr, float]]:
        """What the caller proposes, with what it misses."""
        own = self.asked.proposed.get(str(self.asked.symbols[place]), ())
        return list(zip(own, self.weak.errors(own, self.asked.symbols, place), strict=True)) if own else []

    def _sums(self, terms: Sequence[sympy.Expr], place: int) -> tuple[tuple[sympy.Expr, float], ...]:
        if len(terms) > _GROWS and self.pieces.budget.over():
            return ()
        return self.weak.sums(terms, self.asked.symbols, place)

    def weighted(self, system: System) -> "Search":
        """The search with each variable's noise as the best system leaves it, where that is far from the estimate.

        Parameters
        ----------
        system : System
            The best of sums.
        """
        measured = np.isfinite(self.pieces.unit).all(axis=1)
        rms = system.shot.rms[measured]
        if system.met or np.all((rms > 1 / _FAR) & (rms < _FAR)):
            return self
        return replace(self, pieces=self.pieces.weighted(system.shot.missed))

    def again(self, system: System) -> System:
        """A system fitted anew, with powers added and left out.

        Parameters
        ----------
        system : System
            Of a search that counts residuals in other units.
        """
        same = System.fitted(system.shot.forms, system.variables, self.pieces, starts=system.shot.starts)
        return grown(same, polynomial_terms(self.asked.symbols), self.places)

    def _fitted(self, forms: Sequence[Form]) -> System:
        found = iter(forms)
        every = [next(found) if side is None else Form(side, {}) for side in self.asked.given]
        return System.fitted(every, self.asked.symbols, self.pieces)

    def by_formulas(self, system: System, others: tuple[System, ...]) -> tuple[System, tuple[System, ...]]:
        """The best system, formulas of derivatives included.

        Parameters
        ----------
        system : System
            The best of sums.
        others : tuple of System
            What was fitted besides.
        """
        found = []
        for number, place in enumerate(self.places):
            share = self.pieces.budget.share(_SEARCHING / (len(self.places) - number))
            if share.left < FINISHING:
                return system, others
            found.append(formulas(self.curves, self.weak, self.asked.symbols, place, self.options, share))
        best, more = self._chosen(found, system)
        return best, (*others, system, *more)

    def settled(self, system: System) -> bool:
        """Whether no better system is to be expected: values without noise are met by short equations.

        Parameters
        ----------
        system : System
            The best of sums.
        """
        return system.met and all(len(form.values) <= _SHORT for form in system.without_idle_terms().shot.forms)

    def _chosen(self, found: Sequence[Sequence[Proposal]], known: System) -> tuple[System, tuple[System, ...]]:
        proposed = iter(found)
        every = [forms(next(proposed), _TRIED) if side is None else (Form(side, {}),) for side in self.asked.given]
        return chosen(every, self.asked.symbols, self.pieces, known=known)
