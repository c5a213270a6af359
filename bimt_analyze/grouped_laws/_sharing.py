"""Of every constant: do all groups share it, or has each group its own?"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from ._compiled_form import CompiledForm, Constants
from ._grouped_rows import GroupedRows
from ._joint_fit import Groups, JointFit, joint_fit

MARGIN = 8.0  # bits by which constants of the groups' own must be preferred
_DEPARTS = 15.0  # bits, where only a few groups ask for that
_NODE = 3.0  # bits
_ROUNDING = 1e-8  # of a constant: closer values are equal
_APART = 5.0  # times what the other groups leave: a group that leaves more does not follow the form
_APART_LEAST = 1e-8  # of the deviation: what is less is no departure
_FEW = 0.1  # share of groups that may depart in a constant which all others share
_FEWEST = 5  # groups, of which one may depart so
_WIDTHS = np.concatenate([[0.0], np.logspace(-1.0, 7.0, 49)])  # of the values' spread, over their errors
_ROUNDS = 3

Values = Float64[np.ndarray, "groups"]


@dataclass(frozen=True)
class Shared:
    """A form with its constants sorted into shared ones and the groups' own.

    Attributes
    ----------
    fit : JointFit
        To the groups that follow.
    follows : array of bool of shape [groups]
        Which groups follow the form, of all.
    unexplained : float
        Bits of the rows of the groups that do not.
    """

    fit: JointFit
    follows: NDArray[np.bool_]
    unexplained: float

    @property
    def bits(self) -> float:
        """The description length of all rows, of the constants and of the form."""
        fit = self.fit
        sizes = fit.rows.sizes
        own = int(np.sum(~fit.shared))
        constants = 0.5 * int(fit.shared.sum()) * np.log2(sizes.sum()) + 0.5 * own * np.sum(np.log2(sizes))
        return float(fit.bits + constants + MARGIN * own + _NODE * fit.compiled.form.size + self.unexplained)

    def refitted(self, compiled: CompiledForm, shared: NDArray[np.bool_], values: Constants) -> "Shared":
        """Another form, or other constants shared, on the rows of the groups that follow.

        Parameters
        ----------
        compiled : CompiledForm
            The form.
        shared : array of bool of shape [constants]
            Which of its constants are shared.
        values : array of shape [groups, constants]
            Where they start.
        """
        return replace(self, fit=joint_fit(compiled, self.fit.rows, self.fit.units, shared, values))


def share_constants(
    compiled: CompiledForm, rows: GroupedRows, values: Constants, left: Groups, deviations: Groups
) -> Shared:
    """Sort the constants: own ones become shared while the rows do not object, and shared ones own where they do.

    Parameters
    ----------
    compiled : CompiledForm
        The form.
    rows : GroupedRows
        All rows.
    values : array of shape [groups, constants]
        The constants of each group, fitted by itself.
    left : array of shape [groups]
        What these leave, in units of the deviations.
    deviations : array of shape [groups]
        The deviation of y in each group.

    Notes
    -----
    Own values t with errors of covariance V are held against equal ones by the likelihood ratio of t ~ N(m, V + w**2)
    with the best width w to that with w = 0. Eight bits decide for own values. Where at most a tenth of the groups
    makes the difference, the constant is shared, and from fifteen bits on these groups do not follow.
    """
    units = _units(left, deviations, rows.sizes, compiled.count)
    follows = _following(left * deviations / units)
    for _ in range(_ROUNDS):
        fit = joint_fit(
            compiled, rows.only(follows), units[follows], np.zeros(compiled.count, dtype=bool), values[follows]
        )
        fit, apart = _sorted(fit)
        if not apart:
            break
        follows = follows.copy()
        follows[np.flatnonzero(follows)[list(apart)]] = False
    lost = ~follows
    unexplained = float(np.sum(rows.sizes[lost] * np.log2(deviations[lost]))) if lost.any() else 0.0
    return Shared(fit, follows, unexplained)


def _units(left: Groups, deviations: Groups, sizes: NDArray[np.int64], count: int) -> Groups:
    """How large noise is in each group, but for a factor: alike in all, or as the deviation, whichever is likelier."""
    scale = float(np.exp(np.mean(np.log(deviations))))
    if np.median(left) < _APART_LEAST:
        return deviations
    freedom = np.maximum(sizes - count, 1)
    absolute = left * deviations
    kept = left <= 3 * np.median(left)

    def misfit(values: Groups) -> float:
        return float(np.sum(freedom[kept]) * np.log(np.sum((sizes * values**2)[kept]) / np.sum(freedom[kept])))

    alike = misfit(absolute)
    in_proportion = misfit(left) + 2 * float(np.sum((freedom * np.log(deviations))[kept]))
    return deviations if in_proportion < alike else np.full(len(left), scale)


def _following(left: Groups) -> NDArray[np.bool_]:
    """The groups that leave no more than the others; all of them where most leave much."""
    typical = float(np.median(left))
    follows = left <= max(_APART * typical, _APART_LEAST)
    return follows if 2 * follows.sum() > len(left) else np.ones(len(left), dtype=bool)


def _sorted(fit: JointFit) -> tuple[JointFit, tuple[int, ...]]:
    """The fit with its constants sorted, or the groups that depart in a constant all others share."""
    blamed: dict[int, tuple[int, ...]] = {}
    while not fit.shared.all():
        gains = {place: _gain(fit, int(place)) for place in np.flatnonzero(~fit.shared)}
        place = min(gains, key=lambda one: gains[one])
        if gains[place] < MARGIN or (gains[place] < _DEPARTS and _few_apart(fit, int(place))):
            fit = _with_shared(fit, int(place), True)
            continue
        blamed = {int(p): few for p in gains if (few := _few_apart(fit, int(p)))}
        break
    if blamed:
        return fit, next(iter(blamed.values()))
    for place in np.flatnonzero(fit.shared):
        other = _with_shared(fit, int(place), False)
        if _gain(other, int(place)) >= MARGIN and not _few_apart(other, int(place)):
            fit = other
    return fit, ()


def _with_shared(fit: JointFit, place: int, shared: bool) -> JointFit:
    changed = fit.shared.copy()
    changed[place] = shared
    return joint_fit(fit.compiled, fit.rows, fit.units, changed, fit.values)


def _gain(fit: JointFit, place: int) -> float:
    """Bits by which own values of a constant are preferred to one shared value."""
    return _preferred(fit.values[:, place], fit.covariance(place), _freedom(fit))


def _freedom(fit: JointFit) -> int:
    return max(int(fit.rows.sizes.sum()) - fit.parameters, 1)


def _preferred(values: Values, covariance: Float64[np.ndarray, "groups groups"], freedom: int) -> float:
    """Bits by which values that differ are preferred to equal ones, as far as their errors tell."""
    if not np.all(np.isfinite(covariance)):
        return 0.0  # the rows leave the constant open
    spread, turned = np.linalg.eigh(covariance)
    spread = np.maximum(spread, 0.0) + (_ROUNDING * float(np.max(np.abs(values)))) ** 2 + 1e-300
    ones, seen = turned.sum(axis=0), values @ turned
    found = []
    for width in _WIDTHS * np.sqrt(np.median(spread)):
        weight = 1 / (spread + width**2)
        middle = np.sum(weight * ones * seen) / np.sum(weight * ones**2)
        distance = np.sum(weight * (seen - middle * ones) ** 2)
        if width == 0.0:  # how large noise is, is not known better than the rows tell
            distance = (freedom + len(values) - 1) * np.log1p(distance / freedom)
        found.append(-0.5 * np.sum(np.log(1 / weight)) - 0.5 * distance)
    return float((max(found) - found[0]) / np.log(2))


def _few_apart(fit: JointFit, place: int) -> tuple[int, ...]:
    """The few groups without which a constant would be shared; empty where it takes more."""
    values, covariance, count = fit.values[:, place], fit.covariance(place), fit.rows.count
    if count < _FEWEST:
        return ()
    kept = np.arange(count)
    for _ in range(max(1, int(_FEW * count))):
        middle = np.median(values[kept])
        error = np.sqrt(np.diag(covariance)[kept]) + 1e-300
        kept = np.delete(kept, int(np.argmax(np.abs(values[kept] - middle) / error)))
        if _preferred(values[kept], covariance[np.ix_(kept, kept)], _freedom(fit)) < MARGIN:
            return tuple(int(g) for g in np.setdiff1d(np.arange(count), kept))
    return ()
