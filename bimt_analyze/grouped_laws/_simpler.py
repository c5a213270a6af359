"""Constants that the rows do not ask for: zeros, ones, simple numbers, and own constants that follow from others."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import permutations

import numpy as np
import sympy
from numpy.typing import NDArray

from ..formulas.symbolic._simple_numbers import Simple, simple_numbers
from ._compiled_form import CompiledForm, Constants
from ._joint_fit import JointFit
from ._open_form import OpenForm
from ._sharing import Shared

_ERRORS = 3.0  # standard errors within which a constant may be 0 or 1
_NOISY, _EXACT = 3.0, 14.0  # bits by which a simple number is simpler than chance
_ERRORS_NOISY, _ERRORS_EXACT = 2.5, 30.0
_POWERS = tuple(sympy.Rational(p) for p in ("1", "-1", "2", "-2", "1/2", "-1/2"))
_MOST_PAIRS = 12
_ROUNDING = 1e-9  # of the deviation
_ALIKE = 0.35  # spread of a ratio, over that of the values, beyond which it is not shared

Compile = Callable[[OpenForm], CompiledForm]


def without_idle_constants(found: Shared, compile_form: Compile) -> Shared:
    """The form without constants that are 0 or 1 in all groups, as far as the rows can tell.

    Parameters
    ----------
    found : Shared
        A form with its constants sorted.
    compile_form : callable
        Compiles a form.
    """
    for _ in range(len(found.fit.shared)):
        for place, number in _idle(found.fit):
            simpler = held(found, place, sympy.Integer(number), compile_form)
            if simpler is not None and simpler.bits < found.bits:
                found = simpler
                break
        else:
            return found
    return found


def _idle(fit: JointFit) -> Iterator[tuple[int, int]]:
    """Constants, and the 0, 1 or -1 that each may be."""
    errors = np.sqrt(np.diag(fit.shared_covariance()))
    for at, place in enumerate(np.flatnonzero(fit.shared)):
        value = float(fit.values[0, place])
        for number in (0, 1, -1):
            if abs(value - number) <= _ERRORS * errors[at] + 1e-9:
                yield int(place), number
    for place in np.flatnonzero(~fit.shared):
        own, error = fit.values[:, place], np.sqrt(np.diag(fit.covariance(int(place)))) + 1e-12
        for number in (0, 1):
            if np.sqrt(np.mean(((own - number) / error) ** 2)) <= _ERRORS:
                yield int(place), number


def held(found: Shared, place: int, number: sympy.Expr, compile_form: Compile) -> Shared | None:
    """The form with a number in place of one constant, fitted anew; None where that makes no sense.

    Parameters
    ----------
    found : Shared
        A form with its constants sorted.
    place : int
        The constant's number.
    number : sympy.Expr
        What stands in its place.
    compile_form : callable
        Compiles a form.
    """
    form = found.fit.compiled.form
    simpler = form.with_number(form.constants[place], number)
    if simpler is None or not simpler.start:
        return None
    kept = [form.constants.index(c) for c in simpler.constants]
    trial = found.refitted(compile_form(simpler), found.fit.shared[kept], found.fit.values[:, kept])
    return trial if np.isfinite(trial.bits) else None


def with_relations(found: Shared, compile_form: Compile) -> Shared:
    """The form with own constants written by others of them, where one shared number relates the two in all groups.

    Relations that are tried: c = d*e**p with p = ±1, ±2, ±1/2, and c = ±exp(d*e), which is a shared place on the axis
    of an exponential.

    Parameters
    ----------
    found : Shared
        A form with its constants sorted.
    compile_form : callable
        Compiles a form.
    """
    for _ in range(3):
        better = [one for one in _related(found, compile_form) if one.bits < found.bits]
        if not better:
            return found
        found = min(better, key=lambda one: one.bits)
    return found


def _related(found: Shared, compile_form: Compile) -> Iterator[Shared]:
    fit = found.fit
    own = np.flatnonzero(~fit.shared)
    form = fit.compiled.form
    for i, j in list(permutations(own, 2))[:_MOST_PAIRS]:
        one, other = fit.values[:, i], fit.values[:, j]
        for ratio, build in _relations(one, other):
            middle = float(np.median(ratio))
            if not np.all(np.isfinite(ratio)) or middle == 0:
                continue
            if np.median(np.abs(ratio / middle - 1)) > _ALIKE * np.median(np.abs(one / np.median(one) - 1)):
                continue
            d = sympy.Dummy("d", real=True)
            changed = form.with_expression(
                form.expression.xreplace({form.constants[i]: build(d, form.constants[j])}), {d: middle}
            )
            if changed is None:
                continue
            places = {c: k for k, c in enumerate(form.constants)}
            shared = np.array([c is d or bool(fit.shared[places[c]]) for c in changed.constants])
            values = np.stack(
                [np.full(fit.rows.count, middle) if c is d else fit.values[:, places[c]] for c in changed.constants],
                axis=1,
            )
            yield found.refitted(compile_form(changed), shared, values)


def _relations(
    one: NDArray[np.float64], other: NDArray[np.float64]
) -> Iterator[tuple[NDArray[np.float64], Callable[[sympy.Expr, sympy.Expr], sympy.Expr]]]:
    """What would be shared if one constant followed from the other, and how it is written by it."""
    with np.errstate(all="ignore"):
        for power in _POWERS:
            if power.q == 1 or np.all(other > 0):
                yield one / other ** float(power), partial(_as_power, power)
        for sign in (1, -1):
            if np.all(sign * one > 0):
                yield np.log(sign * one) / other, partial(_as_exponential, sign)


def _as_power(power: sympy.Rational, d: sympy.Expr, c: sympy.Expr) -> sympy.Expr:
    return d * c**power


def _as_exponential(sign: int, d: sympy.Expr, c: sympy.Expr) -> sympy.Expr:
    return sign * sympy.exp(d * c)


def named_numbers(found: Shared, compile_form: Compile) -> tuple[Shared, dict[sympy.Dummy, sympy.Expr]]:
    """Simple numbers for shared constants, where the rows allow them and they are too simple to be chance.

    Parameters
    ----------
    found : Shared
        A form with its constants sorted.
    compile_form : callable
        Compiles a form.

    Returns
    -------
    Shared
        The form fitted with these numbers held, all constants still open.
    dict of sympy.Dummy to sympy.Expr
        Constant -> its number.
    """
    fit = found.fit
    exact = fit.sigma < _ROUNDING
    errors = np.sqrt(np.diag(fit.shared_covariance()))
    names: dict[sympy.Dummy, sympy.Expr] = {}
    for at, place in enumerate(np.flatnonzero(fit.shared)):
        value = float(fit.values[0, place])
        reach = _ERRORS_EXACT * errors[at] + 1e-14 * abs(value) if exact else _ERRORS_NOISY * errors[at]
        options: list[Simple] = simple_numbers(value, reach, margin=_EXACT if exact else _NOISY)
        for option in options[:2]:
            trial = _holding(found, {**names, fit.compiled.form.constants[place]: option.number}, compile_form)
            if trial is not None and _bearable(fit, trial, len(names) + 1, exact):
                names[fit.compiled.form.constants[place]] = option.number
                break
    if not names:
        return found, {}
    last = _holding(found, names, compile_form)
    assert last is not None
    values: Constants = found.fit.values.copy()
    remaining = iter(range(last.values.shape[1]))
    for number, constant in enumerate(fit.compiled.form.constants):
        values[:, number] = float(names[constant]) if constant in names else last.values[:, next(remaining)]
    residual, jacobian = fit.compiled.evaluate(fit.rows, values, fit.units)
    return Shared(
        JointFit(fit.compiled, fit.rows, fit.units, fit.shared, values, residual, jacobian),
        found.follows,
        found.unexplained,
    ), names


def _holding(found: Shared, names: dict[sympy.Dummy, sympy.Expr], compile_form: Compile) -> JointFit | None:
    form = found.fit.compiled.form
    changed = form.with_expression(form.expression.xreplace(names), {})
    kept = [k for k, c in enumerate(form.constants) if c not in names]
    if changed is None or len(changed.start) != len(kept):
        return None
    if not kept:
        nothing = compile_form(changed)
        values = np.zeros((found.fit.rows.count, 0))
        residual, jacobian = nothing.evaluate(found.fit.rows, values, found.fit.units)
        return JointFit(nothing, found.fit.rows, found.fit.units, np.zeros(0, dtype=bool), values, residual, jacobian)
    return found.refitted(compile_form(changed), found.fit.shared[kept], found.fit.values[:, kept]).fit


def _bearable(first: JointFit, trial: JointFit, count: int, exact: bool) -> bool:
    """Whether the sum of squares grew by no more than chance would have it."""
    before, after = float(np.sum(first.residual**2)), float(np.sum(trial.residual**2))
    if exact:
        return bool(np.max(np.abs(trial.residual)) <= 1e-10)
    freedom = max(int(first.rows.sizes.sum()) - first.parameters, 1)
    return after <= before * (1 + (4 + 2 * count) / freedom)
