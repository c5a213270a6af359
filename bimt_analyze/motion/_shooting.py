"""Constants fitted by integration: pieces of trajectories, each from a start of its own, all in one array.

The starts of the pieces are fitted with the constants. They are eliminated piece by piece, so that a step of the fit
solves for the constants alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray

from ._form import Form, joined
from ._smoothed import Smoothed

States = Float64[np.ndarray, "variables ways pieces"]
Values = Float64[np.ndarray, "constants"]

MET = 1e-6  # of a variable's deviation: what is integrated does not come nearer to values without noise
_FAR = 1e3  # a value that is no number counts as so many deviations off
_NUDGE = 1e-6  # of a constant, for its derivative
_QUIETEST = 0.2  # of the mean noise: a trajectory counts as no more quiet than that
_SUBSTEPS = 40  # of a step between two times, at most
_LOUD = 2e-3  # of a variable's deviation: noise that a rough integration does not add to
_FINE, _ROUGH = 10.0, 4.0  # substeps in which a variable moves by its own deviation: without noise, and with it
_HOPELESS = 4.0  # times the sum of squares of a better fit: after a few steps, a fit that leaves more is given up
_FEW = 4
_CONVERGED = 1e-4  # of the sum of squares: a step that gains less is the last


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces of trajectories, all of as many times.

    Attributes
    ----------
    times : array of shape [times, pieces]
        When.
    values : array of shape [times, variables, pieces]
        What was measured.
    starts : array of shape [variables, pieces]
        The smooth state at the first time of each piece.
    unit : array of shape [variables, pieces]
        In which a residual is counted: each variable's noise, or a small part of its deviation.
    least : array of shape [variables]
        What may be left of each variable, in its own unit, before it counts: a part of its deviation.
    substeps : array of int of shape [times - 1]
        Steps of the integration between two times.
    """

    times: Float64[np.ndarray, "times pieces"]
    values: Float64[np.ndarray, "times variables pieces"]
    starts: Float64[np.ndarray, "variables pieces"]
    unit: Float64[np.ndarray, "variables pieces"]
    least: Float64[np.ndarray, "variables"]
    substeps: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """How many measurements of one variable there are."""
        return int(self.times.size)


def pieces_of(curves: Sequence[Smoothed], *, length: int) -> Pieces:
    """Trajectories cut into pieces that meet at their ends; the last of each overlaps the one before.

    Parameters
    ----------
    curves : sequence of Smoothed
        The trajectories.
    length : int
        Times of a piece; those of the shortest trajectory at most.
    """
    length = min(length, *(len(one.trajectory.times) for one in curves))
    noise = np.sqrt(np.mean([one.noise**2 for one in curves], axis=0))
    least = MET * np.maximum(np.std(np.concatenate([one.trajectory.values for one in curves]), axis=0), 1e-300)
    times, values, starts, units, fastest = [], [], [], [], []
    slope = (
        _ROUGH if all(np.all(one.noise > _LOUD * np.std(one.trajectory.values, axis=0)) for one in curves) else _FINE
    )
    for one in curves:
        known, count = one.trajectory.times, len(one.trajectory.times)
        places = list(range(0, count - length + 1, max(length - 1, 1)))
        places += [] if places[-1] + length >= count else [count - length]
        smooth, slopes = one.at(known), one.at(known, 1)
        spread = np.std(smooth, axis=0) + 1e-300
        fast = np.maximum(np.abs(slopes[:-1]), np.abs(slopes[1:]))
        moved = np.max(fast * np.diff(known)[:, None] / spread, axis=1)
        for place in places:
            times.append(known[place : place + length])
            values.append(one.trajectory.values[place : place + length])
            starts.append(smooth[place])
            units.append(np.maximum(np.maximum(one.noise, _QUIETEST * noise), least))
            fastest.append(moved[place : place + length - 1])
    substeps = np.clip(np.ceil(slope * np.max(fastest, axis=0)), 2, _SUBSTEPS).astype(np.int64)
    tables = np.stack(times, 1), np.stack(values, 2), np.stack(starts, 1), np.stack(units, 1)
    return Pieces(*tables, least, substeps)


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
    flow = _Flow.of(forms, variables, tuple(constants), pieces)
    at = _Point(np.array(list(constants.values()), np.float64), pieces.starts if near is None else near.starts)
    found = flow.residual(at)
    damping, jacobian = 1e-3, flow.jacobian(at, found)
    hopeless = np.inf if near is None else _HOPELESS * (near.left + found.size)
    for number in range(steps):
        before = float(np.sum(found**2))
        for _ in range(5):
            tried = jacobian.step(at, found, damping)
            left = flow.residual(tried)
            if float(np.sum(left**2)) < before:
                break
            damping *= 10.0
        else:
            break
        at, found, damping = tried, left, damping / 5.0
        jacobian = flow.jacobian(at, found)
        now = float(np.sum(left**2))
        if now > before * (1 - _CONVERGED) or (number >= _FEW and now > hopeless):
            break
    fitted = dict(zip(constants, at.constants.tolist(), strict=True))
    rms = np.sqrt(np.mean(found**2, axis=(0, 2)))
    errors = dict(zip(constants, jacobian.errors(found).tolist(), strict=True))
    with np.errstate(invalid="ignore"):  # 0 times infinity, where nothing was measured
        own = np.nan_to_num(np.sqrt(np.mean((found * pieces.unit[None]) ** 2, axis=(0, 2))))
    return Shot(tuple(form.at(fitted) for form in forms), errors, rms, at.starts, float(np.sum(found**2)), own)


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
    flow = _Flow.of(forms, variables, tuple(constants), pieces)
    at = _Point(np.array(list(constants.values()), np.float64), near.starts)
    found = flow.residual(at)
    jacobian = flow.jacobian(at, found)
    q = jacobian.basis(0.0)[0]
    left = _by_piece(found[None])
    left = left - q @ (q.transpose(0, 2, 1) @ left)
    rest = jacobian.rest(q)
    return rest.reshape(-1, rest.shape[2]), -left.ravel()


@dataclass(frozen=True, eq=False)
class _Point:
    constants: Values
    starts: Float64[np.ndarray, "variables pieces"]


@dataclass(frozen=True, eq=False)
class _Flow:
    """The system made ready to be integrated for many ways of its constants at once."""

    slopes: Callable[..., Any]
    pieces: Pieces

    @staticmethod
    def of(
        forms: Sequence[Form], variables: Sequence[sympy.Symbol], constants: Sequence[sympy.Dummy], pieces: Pieces
    ) -> "_Flow":
        plain = [sympy.Symbol(f"variable_{i}", real=True) for i in range(len(variables))]
        named = dict(zip(variables, plain, strict=True))
        expressions = [form.expression.xreplace(named) for form in forms]
        function = sympy.lambdify([*plain, *constants], expressions, "numpy", cse=True, docstring_limit=0)
        return _Flow(function, pieces)

    def path(self, constants: Float64[np.ndarray, "constants ways 1"], state: States) -> Float64[np.ndarray, "..."]:
        """The states at all times, [times, variables, ways, pieces]: Runge and Kutta's method of order four."""
        arguments = list(constants)

        def slope(now: States) -> States:
            parts = self.slopes(*now, *arguments)
            return np.stack([np.broadcast_to(np.asarray(part, np.float64), now.shape[1:]) for part in parts])

        found = [state]
        with np.errstate(all="ignore"):
            for gap, substeps in zip(np.diff(self.pieces.times, axis=0), self.pieces.substeps.tolist(), strict=True):
                h = gap / substeps
                for _ in range(substeps):
                    a = slope(state)
                    b = slope(state + 0.5 * h * a)
                    c = slope(state + 0.5 * h * b)
                    d = slope(state + h * c)
                    state = state + h / 6 * (a + 2 * b + 2 * c + d)
                found.append(state)
        return np.stack(found)

    def residual(self, at: _Point) -> Float64[np.ndarray, "times variables pieces"]:
        """What the integrated states miss of the measured ones, in units of the noise."""
        path = self.path(at.constants[:, None, None], at.starts[:, None, :])[:, :, 0]
        return self._told(path)

    def _told(
        self, path: Float64[np.ndarray, "times variables pieces"]
    ) -> Float64[np.ndarray, "times variables pieces"]:
        left = (path - self.pieces.values) / self.pieces.unit[None]
        far = _FAR * np.std(self.pieces.values, axis=(0, 2))[:, None] / self.pieces.unit
        bound = np.broadcast_to(far[None], left.shape)
        return np.where(np.isfinite(left), np.clip(left, -bound, bound), bound)

    def jacobian(self, at: _Point, found: Float64[np.ndarray, "times variables pieces"]) -> "_Jacobian":
        """Derivatives by constants and starts, from nudged copies that are integrated together."""
        count, width = len(at.constants), len(at.starts)
        ways = count + width
        constants = np.repeat(at.constants[:, None, None], ways, axis=1)
        state = np.repeat(at.starts[:, None, :], ways, axis=1)
        nudges = _NUDGE * np.maximum(np.abs(at.constants), 1e-3)
        spread = _NUDGE * (np.std(self.pieces.values, axis=(0, 2)) + 1e-12)
        constants[range(count), range(count), 0] += nudges
        state[range(width), range(count, ways), :] += spread[:, None]
        path = self.path(constants, state)
        moved = np.stack([self._told(path[:, :, way]) for way in range(ways)])
        by = (moved - found) / np.concatenate([nudges, spread])[:, None, None, None]
        return _Jacobian.of(by[:count], by[count:])


@dataclass(frozen=True, eq=False)
class _Jacobian:
    """Derivatives [pieces, rows, ...] by the constants, and by the start of each piece."""

    free: Float64[np.ndarray, "pieces rows constants"]
    own: Float64[np.ndarray, "pieces rows variables"]

    @staticmethod
    def of(constants: Float64[np.ndarray, "c t v p"], starts: Float64[np.ndarray, "v t v p"]) -> "_Jacobian":
        return _Jacobian(_by_piece(constants), _by_piece(starts))

    def step(self, at: _Point, found: Float64[np.ndarray, "times variables pieces"], damping: float) -> _Point:
        """The next point of a damped fit; constants that the pieces leave open stay where they are."""
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

    def errors(self, found: Float64[np.ndarray, "times variables pieces"]) -> Values:
        """Standard errors of the constants."""
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
        """Factors Q and R of the derivatives by starts, damped."""
        rows, count = self.own.shape[1:]
        size = np.sqrt(np.sum(self.own**2, axis=1)) + 1e-12
        held = np.sqrt(damping + 1e-14) * size[:, :, None] * np.eye(count)
        q, triangle = np.linalg.qr(np.concatenate([self.own, held], axis=1))
        return q[:, :rows], triangle

    def rest(self, q: Float64[np.ndarray, "pieces rows variables"]) -> Float64[np.ndarray, "pieces rows constants"]:
        """The derivatives by constants without what starts can make up for."""
        return np.asarray(self.free - q @ (q.transpose(0, 2, 1) @ self.free))

    def _square(self, rest: Float64[np.ndarray, "pieces rows constants"]) -> Float64[np.ndarray, "constants constants"]:
        return np.asarray(np.einsum("prc,prd->cd", self.free, rest), np.float64)


def _by_piece(
    parts: Float64[np.ndarray, "columns times variables pieces"],
) -> Float64[np.ndarray, "pieces rows columns"]:
    """One matrix for each piece."""
    columns, times, variables, pieces = parts.shape
    return np.ascontiguousarray(parts.transpose(3, 1, 2, 0).reshape(pieces, times * variables, columns))
