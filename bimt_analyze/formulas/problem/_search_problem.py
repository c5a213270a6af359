"""What a generator of formulas is asked: some rows, their hints, and how much work it may do."""

from dataclasses import dataclass, field, replace

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray

from ._budget import Budget
from ._prior_knowledge import NOTHING_KNOWN, PriorKnowledge
from ._structure import Structure

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "rows columns"]

RELATIVE_ROUNDING = 1e-11  # of y's deviation; see rounding()
COVERED = 0.95  # share of the rows that a tolerance for all of them must cover
_FURTHEST = 5.0  # times the root mean square: the largest residual of approximate rows
_SLOPES, _CHANCE = 1.2, 4.0  # of the mean square: how far estimated slopes, and chance in few rows, may raise it


def deviation(y: Rows) -> float:
    """The unit in which errors are told: the standard deviation of y, or its size where y is constant.

    Parameters
    ----------
    y : array of shape [rows]
        The output.

    Examples
    --------
    >>> deviation(np.array([2.0, 2.0]))
    2.0
    """
    peak = float(np.max(np.abs(y), initial=0.0))
    if peak == 0.0:
        return 1.0
    spread = float(np.std(y / peak)) * peak
    return spread if spread > 1e-14 * peak else peak


def mean_sigma(sigma: Rows) -> float:
    """The standard error of a row of weight 1: 1 / sigma is of this mean square.

    Parameters
    ----------
    sigma : array of shape [rows]
        The standard error of each row, positive.

    Examples
    --------
    >>> mean_sigma(np.array([0.5, 0.5]))
    0.5
    """
    least = float(np.min(sigma))
    return least / float(np.sqrt(np.mean((least / sigma) ** 2)))  # of any size, without overflow


def weights_of(sigma: Rows) -> Rows:
    """What each residual counts: 1 / sigma, of mean square 1.

    Parameters
    ----------
    sigma : array of shape [rows]
        The standard error of each row, positive.

    Examples
    --------
    >>> weights_of(np.array([0.1, 0.1])), weights_of(np.array([1.0, 7.0])).round(3)
    (array([1., 1.]), array([1.4, 0.2]))
    """
    return np.asarray(mean_sigma(sigma) / sigma)


def rounding(y: Rows) -> float:
    """The largest absolute error that rounding can explain: 1e-11 of y's deviation, plus 16 ulp of its largest value.

    A formula of some dozen operations loses about 1e-15 of the values; four orders are left for cancellation inside
    it (a root of a small difference, a small sine of a large phase). A true term of 1e-10 still shows.

    Parameters
    ----------
    y : array of shape [rows]
        The output.
    """
    return RELATIVE_ROUNDING * deviation(y) + 16 * float(np.finfo(np.float64).eps) * float(
        np.max(np.abs(y), initial=0.0)
    )


@dataclass(frozen=True)
class SearchProblem:
    """Rows to explain: y = f(x) up to a tolerance.

    Attributes
    ----------
    x : array of shape [rows, columns]
        The inputs.
    y : array of shape [rows]
        What is to be explained.
    columns : tuple of sympy.Symbol
        The symbols of the columns of ``x``.
    budget : Budget
        How much work may be done.
    structure : Structure or None
        Hints, in the names of the columns.
    tolerance : float
        Root mean square that may be left of y, in units of its deviation; 0 for exact rows. Where ``weights`` say that
        some rows are known better, it is that of the coarsest, but for one in twenty.
    depth : int
        How often the problem may still be split.
    seed : int
        Of everything random.
    weights : array of shape [rows], optional
        What each residual counts, of mean square 1 (`weights_of`); all alike without them. They count where constants
        are fitted and formulas compared; generators propose without them.
    prior : PriorKnowledge
        What is known of y = f(x) as a whole; a part of it may be otherwise.
    unit : float
        The deviation of y; computed.
    floor : float
        Root mean square that may be left of residuals as the weights count them, in y's own units; of exact rows the
        largest that counts as none. Computed.
    """

    x: Float64[np.ndarray, "rows columns"]
    y: Float64[np.ndarray, "rows"]
    columns: tuple[sympy.Symbol, ...]
    budget: Budget
    structure: Structure | None = None
    tolerance: float = 0.0
    depth: int = 2
    seed: int = 0
    weights: Float64[np.ndarray, "rows"] | None = None
    prior: PriorKnowledge = NOTHING_KNOWN
    unit: float = field(init=False)
    floor: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", deviation(self.y))
        weight = 1.0 if self.weights is None else float(np.quantile(self.weights, 1 - COVERED))
        object.__setattr__(self, "floor", max(rounding(self.y), weight * self.tolerance * self.unit))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.x.shape[0])

    @property
    def width(self) -> int:
        """How many inputs there are."""
        return int(self.x.shape[1])

    @property
    def least(self) -> float:
        """The error of residuals, as weights count them, below which no less counts as better; 0 for exact rows."""
        return self.floor / self.unit if self.tolerance else 0.0

    @property
    def row_weights(self) -> Rows | None:
        """The weights where each row is known to a tolerance of its own; None where proposals count all rows alike."""
        return self.weights if self.tolerance else None

    def terms(self) -> tuple[tuple[int, ...], ...]:
        """The hinted additive groups as column numbers; empty where nothing is hinted or there is one group."""
        if self.structure is None:
            return ()
        names = [str(column) for column in self.columns]
        groups = [tuple(i for i, name in enumerate(names) if name in term) for term in self.structure.terms]
        groups = [group for group in groups if group]
        return tuple(groups) if len(groups) > 1 else ()

    def ridges(self) -> tuple[tuple[tuple[int, ...], tuple[float, ...]], ...]:
        """The hinted weighted sums whose inputs are all here, as (column numbers, direction)."""
        if self.structure is None:
            return ()
        names = [str(column) for column in self.columns]
        return tuple(
            (tuple(names.index(name) for name in ridge.inputs), ridge.direction)
            for ridge in self.structure.ridges
            if set(ridge.inputs) <= set(names)
        )

    def some(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> "SearchProblem":
        """The problem on some of its rows.

        Parameters
        ----------
        rows : array of int, or of bool
            The numbers of the rows that are kept, or for each row whether it is.
        """
        weights = None if self.weights is None else self.weights[rows]
        part = replace(self, x=self.x[rows], y=self.y[rows], weights=weights)
        # the rows are known as well as before, in y's own units
        return replace(part, tolerance=self.tolerance * self.floor / part.floor) if self.tolerance else part

    def target(self, y: Rows, *, tolerance: float) -> "SearchProblem":
        """The problem with another target on the same rows, whose residuals all count alike.

        Parameters
        ----------
        y : array of shape [rows]
            The new target.
        tolerance : float
            How well it is known, in units of its deviation.
        """
        return replace(self, y=y, tolerance=tolerance, weights=None)

    def measured(self, y: Rows, sigma: Rows) -> "SearchProblem":
        """The problem with another target on the same rows, of which each is known to an error of its own.

        Parameters
        ----------
        y : array of shape [rows]
            The new target.
        sigma : array of shape [rows]
            The standard error of each row, positive.
        """
        weights = weights_of(sigma)
        coarsest = float(np.quantile(weights, 1 - COVERED)) * deviation(y)
        return replace(self, y=y, tolerance=mean_sigma(sigma) / coarsest, weights=weights)

    def part(self, columns: tuple[int, ...], y: Rows, *, tolerance: float) -> "SearchProblem":
        """A smaller problem: some columns, another target, one split fewer.

        Parameters
        ----------
        columns : tuple of int
            The columns that are kept.
        y : array of shape [rows]
            The new target.
        tolerance : float
            How well it is known, in units of its deviation.
        """
        return replace(
            self,
            x=np.ascontiguousarray(self.x[:, list(columns)]),
            y=y,
            columns=tuple(self.columns[i] for i in columns),
            tolerance=tolerance,
            depth=self.depth - 1,
            weights=self.weights if y is self.y else None,
        )

    def residual(self, values: Rows) -> Rows:
        """What values leave of y, each row as its weight counts it, in y's own units.

        Parameters
        ----------
        values : array of shape [rows]
            What a formula says.
        """
        with np.errstate(all="ignore"):
            left: Rows = self.y - values
        return left if self.weights is None else left * self.weights

    def allows(self, expression: sympy.Expr) -> bool:
        """Whether an expression agrees with what is known.

        Parameters
        ----------
        expression : sympy.Expr
            Over the columns, without open constants.
        """
        return self.prior is NOTHING_KNOWN or self.prior.allows(expression, self.columns, self.x)

    def relative(self, residual: Rows) -> float:
        """Root mean square of a residual in units of y's deviation; infinite where it is not finite.

        Parameters
        ----------
        residual : array of shape [rows]
            In y's own units.
        """
        with np.errstate(all="ignore"):
            size = float(np.sqrt(np.mean((residual / self.unit) ** 2)))
        return size if np.isfinite(size) else float("inf")

    def explained(self, residual: Rows) -> bool:
        """Whether a residual is no more than rounding, or than the tolerance of approximate rows.

        Of approximate rows none may be off by more than five times as much. Where each row is known to its own
        rounding, the mean square may be no more than chance and estimated slopes leave, too.

        Parameters
        ----------
        residual : array of shape [rows]
            In y's own units, as the weights count it.
        """
        left = np.abs(residual) / self.floor
        chance = self.row_weights is None or np.mean(left**2) <= _SLOPES + _CHANCE / np.sqrt(len(left))
        return bool(chance and np.all(left <= (_FURTHEST if self.tolerance else 1.0)))
