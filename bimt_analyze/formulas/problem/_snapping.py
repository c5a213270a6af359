"""Constants replaced by simple numbers, where the data allow it and the number is too simple to be chance."""

from dataclasses import dataclass
from math import log2

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train.showing import Shown

from ..symbolic._simple_numbers import Simple, simple_numbers
from ._constants import Fit, settle

_KNOWN = 1e-6  # relative standard error of a constant that exact rows fix
_MARGIN_EXACT = 14.0  # bits: one value in 16,000 meets such a number by chance
_MARGIN_NOISY = 3.0  # bits: on noisy rows a simple number is preferred more readily, and the fit is tested
_ERRORS = 30.0  # standard errors of exact rows: rounding is no random noise
_ERRORS_NOISY = 2.5  # standard errors of noisy rows: 99 % of a normal distribution
_MARGIN_COARSE, _ERRORS_COARSE = 6.0, 6.0  # of rounded rows: a few large values may carry most of the rounding


@dataclass(frozen=True, repr=False)
class Constant(Shown):
    """A number of a formula: its value, its standard error on the data, and its exact name if it has one.

    Attributes
    ----------
    value : float
        The fitted value.
    error : float
        Its standard error; infinite where the data leave it open.
    exact : sympy.Expr or None
        The simple number that it was replaced by, such as 1/3 or pi; None where it stays a decimal.

    Examples
    --------
    >>> Constant(0.5, 1e-9, sympy.Rational(1, 2)).known, Constant(0.4983, 1e-3, None).known
    (True, False)
    """

    value: float
    error: float
    exact: sympy.Expr | None

    @property
    def known(self) -> bool:
        """Whether the constant has a name, or the data fix it to six digits at least."""
        return self.exact is not None or bool(self.error <= _KNOWN * abs(self.value))

    @property
    def bits(self) -> float:
        """How many bits the constant takes to write down: its name, or as many digits as the data fix."""
        if self.exact is not None:
            return 1.0 + log2(1 + abs(float(self.exact.p)) * float(self.exact.q)) if self.exact.is_Rational else 6.0
        if self.error <= 0 or not np.isfinite(self.error) or self.value == 0:
            return 52.0
        return float(np.clip(log2(max(abs(self.value) / self.error, 2.0)), 1.0, 52.0)) + 1.0


@dataclass(frozen=True)
class Snapped:
    """An expression without open constants, the fit behind it, and its constants."""

    expression: sympy.Expr
    fit: Fit
    constants: tuple[Constant, ...]


def snap(fit: Fit) -> Snapped:
    """The fit with its constants replaced by simple numbers: all at once, or one by one, the simplest number first.

    Those that got no name at once are asked again: with others in place, the rows may fix them better.

    A number must lie within the constant's error bars. On exact rows the residual must stay at rounding with the
    number in place and the other constants fitted again; on noisy rows the sum of squares may grow by no more than
    chance would have it, 4 sigma^2 and 2 sigma^2 more for every constant replaced.

    Parameters
    ----------
    fit : Fit
        A template at its least-squares values.
    """
    coarse = fit.model.problem.tolerance > 0
    exact = fit.explained() and not coarse
    choices = [_choices(fit, place, exact) for place in range(len(fit.values))]
    every = {place: options[0] for place, options in enumerate(choices) if options}
    if not np.all(np.isfinite(fit.errors)):
        every = {}
    current, names = fit, dict[int, Simple]()
    placed = _placed(fit, fit, every, exact) if every else None
    if placed is not None:
        current, names = placed, every
    errors = np.where([k in names for k in range(len(choices))], fit.errors, current.errors)
    order = sorted(
        (k for k in range(len(choices)) if k not in names),
        key=lambda k: (np.isfinite(errors[k]), choices[k][0].bits if choices[k] else 99.0),
    )
    for place in order:
        bound = names.keys()
        for option in _choices(current, place, exact)[:3]:
            trial = _placed(fit, current, {**names, place: option}, exact)
            if trial is not None:
                current, names = trial, {**names, place: option}
                break
        errors = np.where([k in bound for k in range(len(errors))], errors, current.errors)
    return _finished(current, names, errors)


def _choices(fit: Fit, place: int, exact: bool) -> list[Simple]:
    """Simple numbers within a constant's error bars, the simplest first."""
    value, error = float(fit.values[place]), float(fit.errors[place])
    if exact:
        return simple_numbers(value, _ERRORS * error + 1e-15 * abs(value), margin=_MARGIN_EXACT)
    if fit.model.problem.tolerance > 0:
        return simple_numbers(value, _ERRORS_COARSE * error, margin=_MARGIN_COARSE)
    return simple_numbers(value, _ERRORS_NOISY * error, margin=_MARGIN_NOISY)


def _placed(first: Fit, current: Fit, names: dict[int, Simple], exact: bool) -> Fit | None:
    """The fit with these constants held; None where the data refuse them."""
    values = current.values.copy()
    free = np.ones(len(values), dtype=bool)
    for place, simple in names.items():
        values[place], free[place] = simple.value, False
    trial = settle(current.model, values, free)
    if trial is None:
        return None
    if not exact:
        coarse = trial.model.problem.tolerance > 0 and trial.explained() and first.explained()
        return trial if coarse or _bearable(first, trial, len(names)) else None
    return trial if trial.explained() else None


def _bearable(first: Fit, trial: Fit, count: int) -> bool:
    """Whether the sum of squares grew by no more than chance would have it."""
    freedom = max(len(first.residual) - len(first.values), 1)
    before, after = float(np.sum(first.residual**2)), float(np.sum(trial.residual**2))
    return after <= before * (1 + (4 + 2 * count) / freedom)


def _finished(fit: Fit, names: dict[int, Simple], errors: Float64[np.ndarray, "constants"]) -> Snapped:
    """The expression with simple numbers, or decimals, in place of its open constants."""
    replaced, constants = {}, []
    for place, (symbol, value) in enumerate(zip(fit.model.constants, fit.values, strict=True)):
        number = names[place].number if place in names else None
        replaced[symbol] = sympy.Float(float(value)) if number is None else number
        constants.append(Constant(float(value), float(errors[place]), number))
    return Snapped(fit.model.template.expression.xreplace(replaced), fit, tuple(constants))
