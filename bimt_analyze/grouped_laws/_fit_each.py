"""The constants of a form in each group by itself: many starts, all groups at once."""

import numpy as np
import sympy
from jaxtyping import Float64

from ._compiled_form import CompiledForm, Constants
from ._grouped_rows import GroupedRows

_SEARCH_STEPS, _STEPS = 12, 60
_STARTS, _STARTS_OF_WAVES = 12, 32
_SPREAD = 0.6  # of the logarithm of a start's constants
_DONE = 1e-14  # relative change of the sum of squares

Groups = Float64[np.ndarray, "groups"]


def fit_each(
    compiled: CompiledForm,
    rows: GroupedRows,
    units: Groups,
    *,
    seed: int,
    starts: int | None = None,
    spread: float = _SPREAD,
) -> tuple[Constants, Groups]:
    """The least-squares constants of each group, and what they leave, as root mean square in units of the deviation.

    Constants in which the form is linear are solved for; the others start from the form's own values, from random ones
    around them, and then from those of the groups that were fitted best.

    Parameters
    ----------
    compiled : CompiledForm
        The form.
    rows : GroupedRows
        The rows.
    units : array of shape [groups]
        The deviation of y in each group.
    seed : int
        Of the random starts.
    starts : int, optional
        How many random starts; by what the form is made of if left out.
    spread : float
        The deviation of the logarithm of a random start's constants.
    """
    first = np.array(list(compiled.form.start.values()), dtype=np.float64)
    if starts is None:
        starts = _STARTS_OF_WAVES if _is_wave(compiled) else _STARTS
    if len(compiled.linear) == compiled.count:
        starts = 0
    tried = np.concatenate([first[None], _random_starts(first, starts, spread, np.random.default_rng(seed))])
    values, left = _best_of(compiled, rows, units, np.repeat(tried[:, None], rows.count, axis=1), _SEARCH_STEPS)
    if starts:
        good = values[np.argsort(left)[: min(4, rows.count)]]
        shared = np.concatenate([good, np.median(values, axis=0)[None]])
        again = np.concatenate([values[None], np.repeat(shared[:, None], rows.count, axis=1)])
        values, left = _best_of(compiled, rows, units, again, _SEARCH_STEPS)
    values = _descend(compiled, rows, units, values, _STEPS)
    return values, misfit(compiled, rows, units, values)


def misfit(compiled: CompiledForm, rows: GroupedRows, units: Groups, values: Constants) -> Groups:
    """Root mean square of what constants leave in each group, in the units.

    Parameters
    ----------
    compiled : CompiledForm
        The form.
    rows : GroupedRows
        The rows.
    units : array of shape [groups]
        The unit of each group.
    values : array of shape [groups, constants]
        The constants of each group.
    """
    residual, _ = compiled.evaluate(rows, values, units)
    return np.asarray(np.sqrt(np.sum(residual**2, axis=1) / rows.sizes))


def _is_wave(compiled: CompiledForm) -> bool:
    return bool(compiled.form.expression.has(sympy.sin, sympy.cos))


def _random_starts(
    first: Float64[np.ndarray, "constants"], count: int, spread: float, rng: np.random.Generator
) -> Float64[np.ndarray, "starts constants"]:
    shape = (count, len(first))
    scaled = first * np.exp(spread * rng.normal(size=shape)) * np.where(rng.random(shape) < 0.1, -1.0, 1.0)
    return np.where(first == 0, rng.normal(size=shape), scaled)


def _best_of(
    compiled: CompiledForm,
    rows: GroupedRows,
    units: Groups,
    starts: Float64[np.ndarray, "starts groups constants"],
    steps: int,
) -> tuple[Constants, Groups]:
    """The best constants of each group over many starts, which are fitted as if they were groups."""
    count = len(starts)
    many = GroupedRows(
        rows.labels * count,
        np.tile(rows.x, (count, 1, 1)),
        np.tile(rows.y, (count, 1)),
        np.tile(rows.real, (count, 1)),
    )
    values = starts.reshape(-1, starts.shape[2])
    values = _descend(
        compiled, many, np.tile(units, count), _solved(compiled, many, np.tile(units, count), values), steps
    )
    left = misfit(compiled, many, np.tile(units, count), values).reshape(count, rows.count)
    best = np.argmin(left, axis=0)
    picked = values.reshape(starts.shape)[best, np.arange(rows.count)]
    return picked, left[best, np.arange(rows.count)]


def _solved(compiled: CompiledForm, rows: GroupedRows, units: Groups, values: Constants) -> Constants:
    """The constants with the linear ones at their best."""
    if not compiled.linear:
        return values
    places = list(compiled.linear)
    values = values.copy()
    values[:, places] = 0.0
    residual, jacobian = compiled.evaluate(rows, values, units)
    residual = np.where(np.abs(residual) > 1e50, 0.0, residual)
    part = jacobian[:, :, places]
    size = np.linalg.norm(part, axis=1)
    size = np.where((size > 0) & np.isfinite(size), size, 1.0)
    with np.errstate(all="ignore"):
        step = np.einsum("gcr,gr->gc", np.linalg.pinv(part / size[:, None], rcond=1e-12), residual) / size
    values[:, places] = -step
    return values


def _descend(compiled: CompiledForm, rows: GroupedRows, units: Groups, values: Constants, steps: int) -> Constants:
    """Levenberg-Marquardt in every group side by side, each with its own damping."""
    residual, jacobian = compiled.evaluate(rows, values, units)
    cost = np.sum(residual**2, axis=1)
    damping = np.full(len(values), 1e-3)
    still = np.zeros(len(values), dtype=np.int64)
    eye = np.eye(values.shape[1])
    for _ in range(steps):
        size = np.linalg.norm(jacobian, axis=1)
        size = np.where((size > 0) & np.isfinite(size), size, 1.0)
        scaled = jacobian / size[:, None]
        square = np.einsum("gri,grj->gij", scaled, scaled) + (damping[:, None, None] + 1e-15) * eye
        step = np.linalg.solve(square, np.einsum("gri,gr->gi", scaled, residual)[..., None])[..., 0] / size
        trial = values - np.where(np.isfinite(step), step, 0.0)
        new_residual, new_jacobian = compiled.evaluate(rows, trial, units)
        new_cost = np.sum(new_residual**2, axis=1)
        better = new_cost < cost
        small = ~(new_cost < cost * (1 - _DONE)) & (damping < 1e-2)
        still = np.where(small, still + 1, 0)
        values = np.where(better[:, None], trial, values)
        residual = np.where(better[:, None], new_residual, residual)
        jacobian = np.where(better[:, None, None], new_jacobian, jacobian)
        cost = np.where(better, new_cost, cost)
        damping = np.clip(np.where(better, damping / 5, damping * 4), 1e-14, 1e8)
        if np.all((still > 2) | (damping >= 1e7)):
            break
    return values
