"""The constants of a form in all groups together: some shared by all groups, the others each group's own."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from ._compiled_form import CompiledForm, Constants
from ._grouped_rows import GroupedRows

_STEPS = 60
_DONE = 1e-13
LEAST = 1e-11  # of the unit: less is rounding

Groups = Float64[np.ndarray, "groups"]


@dataclass(frozen=True)
class JointFit:
    """A form at its least-squares constants, some of which are shared.

    Attributes
    ----------
    compiled : CompiledForm
        The form.
    rows : GroupedRows
        What it was fitted to.
    units : array of shape [groups]
        The unit of each group's residuals: how large the noise is, but for one common factor.
    shared : array of bool of shape [constants]
        Which constants all groups share.
    values : array of shape [groups, constants]
        The constants of each group.
    residual : array of shape [groups, rows]
        In the units; 0 on filled-up rows.
    jacobian : array of shape [groups, rows, constants]
        Its derivatives.
    """

    compiled: CompiledForm
    rows: GroupedRows
    units: Groups
    shared: NDArray[np.bool_]
    values: Constants
    residual: Float64[np.ndarray, "groups rows"]
    jacobian: Float64[np.ndarray, "groups rows constants"]

    @property
    def parameters(self) -> int:
        """How many numbers are fitted in all."""
        return int(self.shared.sum() + (~self.shared).sum() * self.rows.count)

    @property
    def sigma(self) -> float:
        """What is left of a row, in the units, with the fitted numbers allowed for; at least rounding."""
        count = int(self.rows.sizes.sum())
        return max(float(np.sqrt(np.sum(self.residual**2) / max(count - self.parameters, 1))), LEAST)

    @property
    def bits(self) -> float:
        """The description length of the rows: log2 of what is left of each, in y's own unit."""
        sizes = self.rows.sizes
        left = max(float(np.sqrt(np.sum(self.residual**2) / sizes.sum())), LEAST)
        return float(np.sum(sizes * np.log2(left * self.units)))

    def covariance(self, place: int) -> Float64[np.ndarray, "groups groups"]:
        """The covariance, over groups, of the errors of one constant that is each group's own.

        Parameters
        ----------
        place : int
            The constant's number.
        """
        blocks = _Blocks.of(self.residual, self.jacobian, self.shared, 0.0)
        where = int(np.sum(~self.shared[:place]))
        apart = np.sum(blocks.inverse[:, where] ** 2, axis=-1)
        found = np.diag(apart)
        if self.shared.any():
            reach = blocks.onto_shared[:, where] @ blocks.shared_inverse
            found = found + reach @ reach.T
        return np.asarray(found * self.sigma**2)

    def shared_covariance(self) -> Float64[np.ndarray, "shared shared"]:
        """The covariance of the errors of the shared constants."""
        inverse = _Blocks.of(self.residual, self.jacobian, self.shared, 0.0).shared_inverse
        return np.asarray(inverse @ inverse.T * self.sigma**2)

    def leverage(self) -> Float64[np.ndarray, "groups rows"]:
        """How much each row pulls the form towards itself, 0 to 1: the diagonal of the hat matrix."""
        blocks = _Blocks.of(self.residual, self.jacobian, self.shared, 0.0)
        own = np.sum(blocks.own_basis**2, axis=2)
        return np.asarray(own + np.sum((blocks.shared_rest @ blocks.shared_inverse) ** 2, axis=2))


@dataclass(frozen=True)
class _Blocks:
    """One linear least-squares problem, the own constants of each group eliminated."""

    own_basis: Float64[np.ndarray, "groups rows own"]
    inverse: Float64[np.ndarray, "groups own own"]
    onto_shared: Float64[np.ndarray, "groups own shared"]
    shared_rest: Float64[np.ndarray, "groups rows shared"]
    shared_inverse: Float64[np.ndarray, "shared shared"]
    own_target: Float64[np.ndarray, "groups own"]
    shared_step: Float64[np.ndarray, "shared"]

    @staticmethod
    def of(
        residual: Float64[np.ndarray, "groups rows"],
        jacobian: Float64[np.ndarray, "groups rows constants"],
        shared: NDArray[np.bool_],
        damping: float,
    ) -> "_Blocks":
        own, common = jacobian[:, :, ~shared], jacobian[:, :, shared]
        groups, rows, count = own.shape
        width = common.shape[2]
        damped = np.sqrt(damping)
        basis, inverse = _factored(own, damped)
        longer = np.concatenate([common, np.zeros((groups, count, width))], axis=1)
        target = np.concatenate([residual, np.zeros((groups, count))], axis=1)
        projected = np.swapaxes(basis, 1, 2) @ longer
        rest = longer - basis @ projected
        onto = np.einsum("gro,gr->go", basis, target)
        left = target - np.einsum("gro,go->gr", basis, onto)
        (directions,), (shared_inverse,) = _factored(rest.reshape(1, groups * (rows + count), width), damped)
        step = shared_inverse @ (directions[: left.size].T @ left.ravel())
        return _Blocks(
            own_basis=basis[:, : residual.shape[1]],
            inverse=inverse,
            onto_shared=inverse @ projected,
            shared_rest=rest[:, : residual.shape[1]],
            shared_inverse=shared_inverse,
            own_target=np.einsum("goj,gj->go", inverse, onto),
            shared_step=step,
        )

    def steps(self, shared: NDArray[np.bool_]) -> Constants:
        """How far each constant of each group moves, where those that are ``shared`` move together."""
        found = np.zeros((len(self.own_target), len(shared)))
        found[:, shared] = self.shared_step
        found[:, ~shared] = self.own_target - self.onto_shared @ self.shared_step
        return found


def _factored(
    table: Float64[np.ndarray, "groups rows columns"], damped: float
) -> tuple[Float64[np.ndarray, "groups longer columns"], Float64[np.ndarray, "groups columns columns"]]:
    """An orthonormal basis B of a damped table's columns and the matrix C with pinv(table) = C B'."""
    groups, _, count = table.shape
    if count == 0:
        return table, np.zeros((groups, 0, 0))
    size = np.linalg.norm(table, axis=1)
    size = np.where((size > 0) & np.isfinite(size), size, 1.0)
    widened = np.concatenate([table / size[:, None], np.tile(damped * np.eye(count), (groups, 1, 1))], axis=1)
    basis, values, right = np.linalg.svd(widened, full_matrices=False)
    with np.errstate(all="ignore"):
        inverted = np.where(values > 1e-12 * np.max(values, axis=1, keepdims=True), 1 / values, 0.0)
    return basis, np.swapaxes(right, 1, 2) * inverted[:, None] / size[:, :, None]


def joint_fit(
    compiled: CompiledForm, rows: GroupedRows, units: Groups, shared: NDArray[np.bool_], values: Constants
) -> JointFit:
    """Least squares over all groups together: Levenberg-Marquardt, own constants eliminated group by group.

    Parameters
    ----------
    compiled : CompiledForm
        The form.
    rows : GroupedRows
        The rows.
    units : array of shape [groups]
        The unit of each group's residuals.
    shared : array of bool of shape [constants]
        Which constants all groups share.
    values : array of shape [groups, constants]
        Where they start; shared ones at the median over groups.
    """
    values = np.where(shared, np.median(values, axis=0), values)
    residual, jacobian = compiled.evaluate(rows, values, units)
    cost, damping, still = float(np.sum(residual**2)), 1e-4, 0
    for _ in range(_STEPS):
        step = _Blocks.of(residual, jacobian, shared, damping).steps(shared)
        trial = values - np.where(np.isfinite(step), step, 0.0)
        new_residual, new_jacobian = compiled.evaluate(rows, trial, units)
        new = float(np.sum(new_residual**2))
        still = still + 1 if not new < cost * (1 - _DONE) and damping < 1e-2 else 0
        if new < cost:
            values, residual, jacobian, cost = trial, new_residual, new_jacobian, new
            damping = max(damping / 10, 1e-15)
        else:
            damping *= 8
        if still > 2 or damping > 1e6:
            break
    return JointFit(compiled, rows, units, shared, values, residual, jacobian)
