"""A whole system as its fit by integration has it, and the length of its description."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

import numpy as np
import sympy
from jaxtyping import Float64

from ...formulas.problem._budget import Budget
from ...formulas.problem._snapping import Constant
from ...formulas.symbolic._open_numbers import Form
from ...formulas.symbolic._simple_numbers import Simple, simple_numbers
from ...formulas.symbolic._tidy import complexity
from ..integration._fewest_constants import joined, with_fewest_constants
from ..integration._pieces import Pieces
from ..integration._shooting import Shot, residual_of, shoot

NODE = 3.0  # bits of a node
_WIDE, _MARGIN = 2.5, 3.0  # standard errors, and bits that a simple number must be simpler by
LEAST_OF_NUMBER, _MOST_OF_NUMBER = 5.0, 30.0  # bits of a constant: what little is known of one has its price too
_REMOVED = 12  # constants that are tried to be left out in a row


@dataclass(frozen=True)
class System:
    """One form for each variable, their constants fitted by integration.

    Attributes
    ----------
    variables : tuple of sympy.Symbol
        The variables.
    shot : Shot
        The forms at their fitted constants.
    pieces : Pieces
        What they were fitted to.
    names : tuple of tuples of Constant
        For each variable, the constants that got a simple number.
    """

    variables: tuple[sympy.Symbol, ...]
    shot: Shot
    pieces: Pieces
    names: tuple[tuple[Constant, ...], ...]

    @staticmethod
    def fitted(
        forms: Sequence[Form],
        variables: Sequence[sympy.Symbol],
        pieces: Pieces,
        *,
        near: Shot | None = None,
        starts: Float64[np.ndarray, "variables pieces"] | None = None,
    ) -> "System":
        """The system at its best constants.

        Parameters
        ----------
        forms : sequence of Form
            One for each variable.
        variables : sequence of sympy.Symbol
            The variables.
        pieces : Pieces
            What was measured.
        near : Shot, optional
            The fit of a similar system, for the starts of the pieces.
        starts : array of shape [variables, pieces], optional
            Where the starts of the pieces begin; smooth values if left out.
        """
        shot = shoot(forms, variables, pieces if starts is None else replace(pieces, starts=starts), near=near)
        return System(tuple(variables), shot, pieces, ((),) * len(forms))

    @property
    def met(self) -> bool:
        """Whether every variable is met as nearly as values without noise are."""
        return bool(np.all(self.shot.missed <= self.pieces.least))

    @property
    def residual(self) -> Float64[np.ndarray, "times variables pieces"]:
        """What integrated pieces miss of each measured value, in units of the noise."""
        return residual_of(self.shot, self.variables, self.pieces)

    @property
    def bits(self) -> float:
        """The description length: what is left of the measured values, the forms, their constants."""
        rows = self.pieces.rows * float(np.sum(np.log2(np.maximum(self.shot.rms, self._floor))))
        named = sum(constant.bits for constants in self.names for constant in constants)
        return rows + named + sum(self._bits_of(form) for form in self.shot.forms)

    @property
    def _floor(self) -> Float64[np.ndarray, "variables"]:
        """What is left of each variable, in units of the pieces, below which nothing counts."""
        unit = np.sqrt(np.mean(self.pieces.unit**2, axis=1))
        return np.where(np.isfinite(unit), self.pieces.least / unit, 1.0)

    def _bits_of(self, form: Form) -> float:
        numbers = (Constant(v, self.shot.errors[c], None).bits for c, v in form.values.items())
        return NODE * complexity(form.expression) + sum(
            float(np.clip(bits, LEAST_OF_NUMBER, _MOST_OF_NUMBER)) for bits in numbers
        )

    def with_form(self, place: int, form: Form) -> "System":
        """The system with another form of one variable, fitted anew.

        Parameters
        ----------
        place : int
            The number of the variable.
        form : Form
            Its new right-hand side.
        """
        forms = [*self.shot.forms]
        forms[place] = form
        return self.with_forms(forms)

    def with_forms(self, forms: Sequence[Form]) -> "System":
        """The system with other forms, fitted anew.

        Parameters
        ----------
        forms : sequence of Form
            One for each variable.
        """
        return replace(System.fitted(forms, self.variables, self.pieces, near=self.shot), names=self.names)

    def within(self, budget: Budget) -> "System":
        """The system with another budget.

        Parameters
        ----------
        budget : Budget
            For the fits that follow.
        """
        return replace(self, pieces=replace(self.pieces, budget=budget))

    def without_idle_terms(self) -> "System":
        """The system without the constants, one after the other, that are not worth their bits."""
        system, refused, many = self, set[sympy.Dummy](), sum(len(form.values) for form in self.shot.forms) // 3
        while len(refused) < _REMOVED and not self.pieces.budget.over():
            doubtful = system.doubtful(refused)[: max(many, 1)]
            if not doubtful:
                break
            trial = system.without(doubtful)
            if trial is not None and trial.bits < system.bits:
                system = trial
            elif len(doubtful) > 1:
                many = len(doubtful) // 2
            else:
                refused.update(doubtful)
        return system

    def with_fewest_constants(self) -> "System":
        """The system with each right-hand side written with as few constants as it needs, where it stays as good."""
        system = self
        for place, form in enumerate(self.shot.forms):
            shorter = with_fewest_constants(form)
            if shorter is not form and not self.pieces.budget.over():
                trial = system.with_form(place, shorter)
                system = trial if trial.bits < system.bits else system
        return system

    def doubtful(self, refused: Set[sympy.Dummy] = frozenset()) -> list[sympy.Dummy]:
        """The constants, those first that in units of their errors are nearest to zero.

        Parameters
        ----------
        refused : set of sympy.Dummy
            Those that are left out.
        """
        values = joined(self.shot.forms)
        left = [c for c in values if c not in refused]
        return sorted(left, key=lambda c: abs(values[c]) / max(self.shot.errors[c], 1e-300))

    def without(self, constants: Sequence[sympy.Dummy]) -> "System | None":
        """The system with zero for some constants, fitted anew; None where that makes no sense.

        Parameters
        ----------
        constants : sequence of sympy.Dummy
            Which.
        """
        forms: list[Form] = []
        for form in self.shot.forms:
            shorter: Form | None = form
            for constant in constants:
                if shorter is not None and constant in shorter.values:
                    shorter = shorter.holding(constant, sympy.S.Zero)
            if shorter is None:
                return None
            forms.append(shorter)
        return self.with_forms(forms)

    def snapped(self) -> "System":
        """The system with simple numbers for constants, where the measured values allow it."""
        system, done = self, set[sympy.Dummy]()
        while True:
            choices = [
                (numbers[0].bits, place, c, numbers)
                for place, form in enumerate(system.shot.forms)
                for c in form.values
                if c not in done and (numbers := _near(form.values[c], system.shot.errors[c]))
            ]
            if not choices or self.pieces.budget.over():
                return system
            _, place, constant, numbers = min(choices, key=lambda one: one[:2])
            done.add(constant)
            value, error = system.shot.forms[place].values[constant], system.shot.errors[constant]
            for number in numbers[:2]:
                form = system.shot.forms[place].holding(constant, number.number)
                if form is None:
                    continue
                trial = system.with_form(place, form)
                name = Constant(value, error, number.number)
                trial = replace(trial, names=_added(trial.names, place, name))
                if trial.bits < system.bits:
                    system = trial
                    break

    def constants(self) -> tuple[tuple[Constant, ...], ...]:
        """The constants of each right-hand side: those with simple numbers, then the others."""
        return tuple(
            (*named, *(Constant(v, self.shot.errors[c], None) for c, v in form.values.items()))
            for named, form in zip(self.names, self.shot.forms, strict=True)
        )

    def expressions(self) -> tuple[sympy.Expr, ...]:
        """The right-hand sides with their constants put in."""
        return tuple(form.filled() for form in self.shot.forms)


def _added(names: tuple[tuple[Constant, ...], ...], place: int, name: Constant) -> tuple[tuple[Constant, ...], ...]:
    return (*names[:place], (*names[place], name), *names[place + 1 :])


def _near(value: float, error: float) -> list[Simple]:
    return simple_numbers(value, _WIDE * error + 1e-7 * abs(value), margin=_MARGIN) if np.isfinite(error) else []
