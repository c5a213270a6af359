"""A mark: a function of one argument that no smooth function follows, at certain numbers."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray
from scipy.optimize import least_squares

Array = NDArray[np.float64]
Numbers = tuple[float, ...]

LINEAR = 1  # of `Ground.amplitudes`: one and each input
_ENOUGH = 0.999  # of the squares: a mark that explains so much needs no further factors
FACTOR = 0.05  # decades of what is left that one more factor must bring


@dataclass(frozen=True, eq=False)
class Mark:
    """A mark with its numbers: a wave's frequencies and phase, or where a kink or a step lies.

    Attributes
    ----------
    values : callable
        The mark on the rows, an array of shape [rows], for given numbers.
    build : callable
        The mark in sympy, for an expression in the place of each number.
    numbers : tuple of float
        Where the numbers are.
    exact : tuple of sympy.Expr or None
        The simple number that each was replaced by; None where there is none.
    opened : tuple of bool
        Which of the numbers are fitted to the rows; a step's place cannot be.
    amplitude : int
        Which of `Ground.amplitudes` the mark is multiplied by: the first that do.
    """

    values: Callable[[Numbers], Array]
    build: Callable[[tuple[sympy.Expr, ...]], sympy.Expr]
    numbers: Numbers
    exact: tuple[sympy.Expr | None, ...]
    opened: tuple[bool, ...]
    amplitude: int = 0


@dataclass(frozen=True, eq=False)
class Ground:
    """What marks are seen against: y without its smooth part, on given rows.

    Attributes
    ----------
    smooth : array of shape [rows, columns]
        An orthonormal basis of smooth functions of the inputs, and of the marks found so far.
    amplitudes : tuple of arrays of shape [rows, factors]
        What a mark may be multiplied by, from few factors to many: a number; one and each input; polynomials.
    residual : array of shape [rows]
        What the basis leaves of y.
    """

    smooth: Float64[np.ndarray, "rows columns"]
    amplitudes: tuple[Array, ...]
    residual: Float64[np.ndarray, "rows"]

    @staticmethod
    def of(
        columns: Float64[np.ndarray, "rows columns"],
        amplitudes: tuple[Array, ...],
        y: Float64[np.ndarray, "rows"],
    ) -> "Ground":
        """The ground that some columns leave.

        Parameters
        ----------
        columns : array of shape [rows, columns]
            Smooth functions and marks.
        amplitudes : tuple of arrays of shape [rows, factors]
            What a mark may be multiplied by.
        y : array of shape [rows]
            The output.
        """
        basis = np.linalg.qr(columns)[0]
        left = y - basis @ (basis.T @ y)
        return Ground(basis, amplitudes, left - basis @ (basis.T @ left))

    @property
    def size(self) -> float:
        """The sum of squares that is left."""
        return float(self.residual @ self.residual)

    def multiples(self, mark: Array, amplitude: int) -> Float64[np.ndarray, "rows factors"]:
        """A mark times each factor.

        Parameters
        ----------
        mark : array of shape [rows]
            The mark on the rows.
        amplitude : int
            Which of ``amplitudes`` gives the factors.
        """
        return np.asarray(mark[:, None] * self.amplitudes[amplitude])

    def left_by(self, columns: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, "rows"]:
        """What further columns leave of the residual.

        Parameters
        ----------
        columns : array of shape [rows, columns]
            Marks, times factors.
        """
        rest = columns - self.smooth @ (self.smooth.T @ columns)
        return np.asarray(self.residual - rest @ np.linalg.lstsq(rest, self.residual, rcond=1e-10)[0])


def gains(ground: Ground, marks: Float64[np.ndarray, "rows marks"]) -> Float64[np.ndarray, "marks"]:
    """The share of the residual's squares that each mark, times one and each input, explains.

    Parameters
    ----------
    ground : Ground
        What the marks are seen against.
    marks : array of shape [rows, marks]
        Each mark on the rows.
    """
    rows, count = marks.shape
    factors = ground.amplitudes[LINEAR]
    width = factors.shape[1]
    columns = (marks[:, :, None] * factors[:, None, :]).reshape(rows, count * width)
    columns = columns - ground.smooth @ (ground.smooth.T @ columns)
    blocks = np.ascontiguousarray(columns.reshape(rows, count, width).transpose(1, 2, 0))
    gram = blocks @ blocks.transpose(0, 2, 1)
    along = blocks @ ground.residual
    trace = np.trace(gram, axis1=1, axis2=2)
    gram += (1e-9 * trace + 1e-300)[:, None, None] * np.eye(width)
    explained = np.einsum("bk,bk->b", along, np.linalg.solve(gram, along[:, :, None])[:, :, 0])
    seen = trace > 1e-9 * rows * width
    return np.asarray(np.where(seen, explained / max(ground.size, 1e-300), 0.0))


def refined(ground: Ground, mark: Mark, *, scale: Numbers, charge: Callable[[int], None]) -> tuple[float, Mark]:
    """A mark with its open numbers refined, for the fewest factors that do, and the share of the squares it explains.

    Parameters
    ----------
    ground : Ground
        What the mark is seen against.
    mark : Mark
        Where it starts.
    scale : tuple of float
        How far each number may move in a step.
    charge : callable
        Is told how often the mark was worked out.
    """
    best: tuple[float, float, Mark] | None = None
    for amplitude in range(len(ground.amplitudes)):
        share, moved = _moved(ground, replace(mark, amplitude=amplitude), scale, charge)
        rank = float(np.log10(max(1 - share, 1e-12))) + FACTOR * ground.amplitudes[amplitude].shape[1]
        if best is None or rank < best[0]:
            best = rank, share, moved
        if share > _ENOUGH:
            break
    assert best is not None  # there is at least one amplitude
    return best[1], best[2]


def _moved(ground: Ground, mark: Mark, scale: Numbers, charge: Callable[[int], None]) -> tuple[float, Mark]:
    """A mark with its open numbers moved to where it leaves least, for its own amplitude."""
    unit = np.sqrt(max(ground.size, 1e-300))
    opened = [n for n, free in enumerate(mark.opened) if free]

    def at(steps: Array) -> Mark:
        numbers = list(mark.numbers)
        for n, step in zip(opened, steps, strict=True):
            numbers[n] += float(step) * scale[n]
        return replace(mark, numbers=tuple(numbers))

    def left(steps: Array) -> Array:
        trial = at(steps)
        return np.asarray(ground.left_by(ground.multiples(trial.values(trial.numbers), trial.amplitude)) / unit)

    if not opened:
        charge(1)
        return 1 - float(np.sum(left(np.zeros(0)) ** 2)), mark
    fit = least_squares(left, np.zeros(len(opened)), xtol=1e-13, ftol=1e-13, gtol=1e-13, max_nfev=30)
    charge(fit.nfev * (1 + len(opened)))
    return 1 - float(np.sum(fit.fun**2)), at(fit.x)
