"""Laws of motion in the manner of scikit-learn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, no_type_check

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted, validate_data

from bimt_train import InputError
from bimt_train.tasks.tables.column_names import safe_names
from bimt_train.trajectories import Trajectory
from bimt_train.trajectories.split import split_trajectories

from ._find_motion import find_motion

if TYPE_CHECKING:
    import sympy

Rows = Float64[np.ndarray, "rows variables"]


class OdeRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """The differential equations behind trajectories, found by `find_motion`, as a scikit-learn regressor.

    The rows of X are states, and what is predicted are their derivatives by time. Of three trajectories or more the
    last is held out, and the equations are checked by integration from its start (``motion_.word``).

    Parameters
    ----------
    time_limit : float, default 60.0
        Seconds of the search, as in `find_motion`.
    second_order : mapping of str to str, optional
        ``{"x": "v"}`` declares that the column v is the derivative of x, which is then not searched.
    random_state : int, default 0
        Seed of everything random in the search.

    Attributes
    ----------
    motion_ : Motion
        The equations, a word for them, how well they predict, and what they conserve.
    formulas_ : tuple of Equation
        One for each variable.
    names_ : tuple of str
        For each column of X, the variable that stands for it.
    n_features_in_ : int
        How many columns X has.
    feature_names_in_ : array of str
        The names of X's columns; only there where X was a table with names.

    Examples
    --------
    >>> times = np.tile(np.linspace(0, 6, 60), 3)
    >>> runs = np.repeat([1.0, 2.0, 0.5], 60)
    >>> found = OdeRegressor(time_limit=10).fit((runs * np.exp(-times))[:, None], t=times)
    >>> found.sympy(), found.predict([[3.0]]).tolist()
    ([-x1], [[-3.0]])
    >>> found.simulate([2.0], [0.0, 1.0]).round(4).tolist()
    [[2.0], [0.7358]]
    """

    time_limit: float
    second_order: Mapping[str, str] | None
    random_state: int

    @no_type_check  # scikit-learn wants anything taken here and judged by fit
    def __init__(
        self, *, time_limit: float = 60.0, second_order: Mapping[str, str] | None = None, random_state: int = 0
    ) -> None:
        self.time_limit = time_limit
        self.second_order = second_order
        self.random_state = random_state

    def fit(
        self, X: Any, y: Any = None, *, t: float | ArrayLike = 1.0, trajectories: Sequence[object] | None = None
    ) -> Self:
        """Find an equation for each column.

        Parameters
        ----------
        X : array or data frame of shape [rows, variables]
            The states, those of all trajectories below each other.
        y : None
            Not used: derivatives are not needed.
        t : float or array of shape [rows]
            The time of each row, at any distances, or the step between rows.
        trajectories : sequence of shape [rows], optional
            To which trajectory each row belongs. If left out, a new one begins wherever time goes back.

        Returns
        -------
        OdeRegressor
            The regressor itself, fitted.

        Raises
        ------
        ValueError
            For rows that are no finite numbers.
        InputError
            For times that do not fit the rows, fewer than 12 times of a trajectory, and options out of their range.
        """
        X = validate_data(self, X, dtype=np.float64)
        columns = getattr(self, "feature_names_in_", [f"x{i + 1}" for i in range(X.shape[1])])
        self.names_ = safe_names([str(name) for name in columns])
        self.motion_ = find_motion(
            _split(X, t, trajectories),
            names=self.names_,
            second_order=self.second_order,
            time_limit=self.time_limit,
            seed=self.random_state,
        )
        self.formulas_ = self.motion_.equations
        return self

    def predict(self, X: Any) -> Rows:
        """The derivatives by time at given states.

        Parameters
        ----------
        X : array or data frame of shape [rows, variables]
            The columns of `fit`.

        Returns
        -------
        array of shape [rows, variables]
            NaN where an equation is not real.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For rows that are no finite numbers, or other columns than at `fit`.
        """
        check_is_fitted(self)
        return self.motion_.slopes(validate_data(self, X, dtype=np.float64, reset=False))

    def simulate(self, x0: ArrayLike, t: ArrayLike) -> Float64[np.ndarray, "times variables"]:
        """The trajectory from a start on, integrated.

        Parameters
        ----------
        x0 : array of shape [variables]
            The state at the first time.
        t : array of shape [times]
            When the state is asked for, growing.

        Returns
        -------
        array of shape [times, variables]
            NaN from where on the state grows without bound.
        """
        check_is_fitted(self)
        return self.motion_.predict(x0, t)

    def score(
        self, X: Any, y: Any = None, *, t: float | ArrayLike = 1.0, trajectories: Sequence[object] | None = None
    ) -> float:
        """R2 of whole trajectories that are integrated from their first rows; of the derivatives, where y holds them.

        Parameters
        ----------
        X : array or data frame of shape [rows, variables]
            States.
        y : array of shape [rows, variables], optional
            Their derivatives, if these are known.
        t : float or array of shape [rows]
            Times or the step, as in `fit`.
        trajectories : sequence of shape [rows], optional
            As in `fit`.

        Returns
        -------
        float
            1 for a perfect prediction, -inf where the equations cannot be followed.
        """
        check_is_fitted(self)
        if y is not None:
            return float(r2_score(y, self.predict(X)))
        X = validate_data(self, X, dtype=np.float64, reset=False)
        runs = _split(X, t, trajectories)
        paths = np.concatenate([self.motion_.predict(one.start, one.times) for one in runs])
        if not np.isfinite(paths).all():
            return float("-inf")
        return float(r2_score(np.concatenate([one.values for one in runs]), paths))

    def sympy(self) -> "list[sympy.Expr]":
        """The right-hand sides, one for each variable."""
        check_is_fitted(self)
        return [one.expression for one in self.formulas_]

    def latex(self) -> str:
        """The equations in LaTeX, one on each line."""
        check_is_fitted(self)
        return self.motion_.latex()


def _split(X: Rows, t: float | ArrayLike, trajectories: Sequence[object] | None) -> tuple[Trajectory, ...]:
    """The trajectories in rows."""
    times = np.asarray(t, np.float64)
    if times.ndim == 0:
        labels = np.array([str(label) for label in (trajectories or [""] * len(X))])
        steps = np.zeros(len(labels))
        for label in set(labels.tolist()):
            steps[labels == label] = np.arange(np.sum(labels == label))
        times = float(times) * steps
    if times.shape != (len(X),) or (trajectories is not None and len(trajectories) != len(X)):
        got = f"{times.shape}" + ("" if trajectories is None else f" and {len(trajectories)} labels")
        raise InputError("times do not fit the rows", where="OdeRegressor", expected=f"{len(X)} of each", got=got)
    return split_trajectories(times, X, trajectories)
