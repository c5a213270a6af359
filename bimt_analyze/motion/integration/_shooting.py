"""Constants fitted by integration: pieces of trajectories, each from a start of its own, all in one array.

The starts of the pieces are fitted with the constants. They are eliminated piece by piece, so that a step of the fit
solves for the constants alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy
from jaxtyping import Float64

from ...formulas.symbolic._open_numbers import Form
from ._fewest_constants import joined
from ._flow import Flow, Point, Residual, Values
from ._pieces import Pieces

_HOPELESS = 4.0  # times the sum of squares of a better fit: after a few steps, a fit that leaves more is given up
_FEW = 4
_CONVERGED = 1e-4  # of the sum of squares: a step that gains less is the last


@dataclass(frozen=True, eq=False)
class Shot:
    """A system whose constants were fitted by integration.

    Attributes
    ----------
    forms : tuple of Form
        One for each variable, at the fitted values.
    errors : mapping of sympy.Dummy to float
        The standard error of each constant; infinite where the pieces leave it open.
    rms : array of shape [variables]
        Root mean square of what is left, in units of `Pieces.unit`.
    starts : array of shape [variables, pieces]
        The fitted start of each piece.
    left : float
        The sum of squares of what is left, in the same units.
    missed : array of shape [variables]
        Root mean square of what is left, in each variable's own unit.
    """

    forms: tuple[Form, ...]
    errors: dict[sympy.Dummy, float]
    rms: Float64[np.ndarray, "variables"]
    starts: Float64[np.ndarray, "variables pieces"]
    left: float
    missed: Float64[np.ndarray, "variables"]


def shoot(
    forms: Sequence[Form],
    variables: Sequence[sympy.Symbol],
    pieces: Pieces,
    *,
    near: "Shot | None" = None,
    steps: int = 12,
) -> Shot:
    """Fit the constants of a system, and the start of every piece, to what was measured (Levenberg-Marquardt).

    Parameters
    ----------
    forms : sequence of Form
        One right-hand side for each variable.
    variables : sequence of sympy.Symbol
        The variables.
    pieces : Pieces
        What was measured.
    near : Shot, optional
        The fit of a similar system: where the starts begin, and how much a fit that is worth its time may leave.
    steps : int
        Steps of the fit, at most.
    """
    constants = joined(forms)
    flow = Flow.of(forms, variables, tuple(constants), pieces)
    at = Point(np.array(list(constants.values()), np.float64), pieces.starts if near is None else near.starts)
    found = flow.residual(at)
    if pieces.budget.over():
        return _shot(forms, pieces, at, found, np.full(len(constants), np.inf))
    damping, jacobian = 1e-4, _Jacobian.of(flow, at, found)
    hopeless = np.inf if near is None else _HOPELESS * (near.left + found.size)
    for number in range(steps):
        if pieces.budget.over():
            break
        before = float(np.sum(found**2))
        for _ in range(5):
            tried = jacobian.step(at, found, damping)
            left = flow.residual(tried)
            if float(np.sum(left**2)) < before:
                break
            damping *= 10.0
        else:
            break
        at, found, damping = tried, left, damping / 10.0
        jacobian = _Jacobian.of(flow, at, found)
        now = float(np.sum(left**2))
        if now > before * (1 - _CONVERGED) or (number >= _FEW and now > hopeless):
            break
    return _shot(forms, pieces, at, found, jacobian.errors(found))


def _shot(forms: Sequence[Form], pieces: Pieces, at: Point, found: Residual, errors: Values) -> Shot:
    """The fit as it is at a point."""
    constants = joined(forms)
    fitted = dict(zip(constants, at.constants.tolist(), strict=True))
    rms = np.sqrt(np.mean(found**2, axis=(0, 2)))
    with np.errstate(invalid="ignore"):  # 0 times infinity, where nothing was measured
        own = np.nan_to_num(np.sqrt(np.mean((found * pieces.unit[None]) ** 2, axis=(0, 2))))
    known = dict(zip(constants, errors.tolist(), strict=True))
    return Shot(tuple(form.at(fitted) for form in forms), known, rms, at.starts, float(np.sum(found**2)), own)


def residual_of(shot: Shot, variables: Sequence[sympy.Symbol], pieces: Pieces) -> Residual:
    """What a fitted system misses of each measured value, in units of the noise.

    Parameters
    ----------
    shot : Shot
        The fit.
    variables : sequence of sympy.Symbol
        The variables.
    pieces : Pieces
        What was measured.
    """
    values = joined(shot.forms)
    flow = Flow.of(shot.forms, variables, tuple(values), pieces)
    return flow.residual(Point(np.array(list(values.values()), np.float64), shot.starts))


def sensitivity(
    forms: Sequence[Form], variables: Sequence[sympy.Symbol], pieces: Pieces, near: Shot
) -> tuple[Float64[np.ndarray, "rows constants"], Float64[np.ndarray, "rows"]]:
    """How integrated values change with each constant, and what they miss, without what the pieces' starts can make up.

    Parameters
    ----------
    forms : sequence of Form
        One right-hand side for each variable.
    variables : sequence of sympy.Symbol
        The variables.
    pieces : Pieces
        What was measured.
    near : Shot
        The fit whose starts are taken.
    """
    constants = joined(forms)
    flow = Flow.of(forms, variables, tuple(constants), pieces)
    at = Point(np.array(list(constants.values()), np.float64), near.starts)
    found = flow.residual(at)
    jacobian = _Jacobian.of(flow, at, found)
    q = jacobian.basis(0.0)[0]
    left = _by_piece(found[None])
    left = left - q @ (q.transpose(0, 2, 1) @ left)
    rest = jacobian.rest(q)
    return rest.reshape(-1, rest.shape[2]), -left.ravel()


@dataclass(frozen=True, eq=False)
class _Jacobian:
    """Derivatives [pieces, rows, ...] by the constants, and by the start of each piece."""

    free: Float64[np.ndarray, "pieces rows constants"]
    own: Float64[np.ndarray, "pieces rows variables"]

    @staticmethod
    def of(flow: Flow, at: Point, found: Residual) -> "_Jacobian":
        constants, starts = flow.derivatives(at, found)
        return _Jacobian(_by_piece(constants), _by_piece(starts))

    def step(self, at: Point, found: Residual, damping: float) -> Point:
        """The point after ``at``, where the residual was ``found``, with so much ``damping``; open constants stay."""
        q, triangle = self.basis(damping)
        left = _by_piece(found[None])
        shown = q.transpose(0, 2, 1) @ left
        moves = np.zeros(len(at.constants))
        if len(moves):
            rest = self.rest(q)
            square, aim = self._square(rest), -np.einsum("prc,pro->c", rest, left)
            size = np.sqrt(np.maximum(np.diag(square), 1e-300))
            scaled = square / size[:, None] / size[None, :] + damping * np.eye(len(size))
            moves = np.linalg.lstsq(scaled, aim / size, rcond=1e-13)[0] / size
        turned = shown + q.transpose(0, 2, 1) @ (self.free @ moves[:, None])
        nudge = np.linalg.solve(triangle, -turned)[:, :, 0].T
        return replace(at, constants=at.constants + moves, starts=at.starts + nudge)

    def errors(self, found: Residual) -> Values:
        """Standard errors of the constants, where the residual is as ``found``."""
        if not self.free.shape[2]:
            return np.zeros(0)
        square = self._square(self.rest(self.basis(0.0)[0]))
        freedom = max(found.size - len(square) - self.own.shape[0] * self.own.shape[2], 1)
        size = np.sqrt(np.maximum(np.diag(square), 1e-300))
        roots, vectors = np.linalg.eigh(square / size[:, None] / size[None, :])
        inverse = np.where(roots > 1e-12, 1 / np.maximum(roots, 1e-12), 1e12)
        with np.errstate(over="ignore"):
            spread = np.sqrt(np.sum(vectors**2 * inverse, axis=1)) / size
            return np.asarray(spread * np.sqrt(float(np.sum(found**2)) / freedom), np.float64)

    def basis(
        self, damping: float
    ) -> tuple[Float64[np.ndarray, "pieces rows variables"], Float64[np.ndarray, "pieces variables variables"]]:
        """Factors Q and R of the derivatives by starts, with so much ``damping``."""
        rows, count = self.own.shape[1:]
        size = np.sqrt(np.sum(self.own**2, axis=1)) + 1e-12
        held = np.sqrt(damping + 1e-14) * size[:, :, None] * np.eye(count)
        q, triangle = np.linalg.qr(np.concatenate([self.own, held], axis=1))
        return q[:, :rows], triangle

    def rest(self, q: Float64[np.ndarray, "pieces rows variables"]) -> Float64[np.ndarray, "pieces rows constants"]:
        """The derivatives by constants without what starts, whose factor is ``q``, can make up for."""
        return np.asarray(self.free - q @ (q.transpose(0, 2, 1) @ self.free))

    def _square(self, rest: Float64[np.ndarray, "pieces rows constants"]) -> Float64[np.ndarray, "constants constants"]:
        return np.asarray(np.einsum("prc,prd->cd", self.free, rest), np.float64)


def _by_piece(
    parts: Float64[np.ndarray, "columns times variables pieces"],
) -> Float64[np.ndarray, "pieces rows columns"]:
    """One matrix for each piece."""
    columns, times, variables, pieces = parts.shape
    return np.ascontiguousarray(parts.transpose(3, 1, 2, 0).reshape(pieces, times * variables, columns))
