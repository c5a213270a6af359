"""Formulas of a table as a scikit-learn regressor."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self, no_type_check

import numpy as np
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from bimt_train import InputError
from bimt_train.tasks.tables.column_names import safe_names

from ._find_formula import find_formula
from ._formula import Formula

if TYPE_CHECKING:
    import sympy


class FormulaRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """One formula for each column of y, found by `find_formula`; it works in pipelines like any scikit-learn regressor.

    It gives the same formulas every time, on a busy machine too. Nothing is verified here: hold ``formulas_`` against
    fresh rows with `verify_formula`.

    Parameters
    ----------
    time_limit : float, default 60.0
        Seconds of a reference core for all outputs together, as in `SearchOptions`; what one leaves, the next may use.
    random_state : int, default 0
        Seed of everything random in the search.
    genetic : bool, default False
        Whether a third of the time is for genetic programming, which needs pyoperon.

    Attributes
    ----------
    formulas_ : tuple of Formula
        One for each output.
    names_ : tuple of str
        For each column of X, the variable that stands for it in the formulas: its own name, made safe where it could
        not stand in a formula, or x1, x2, ... where X has no names.
    n_features_in_ : int
        How many columns X has.
    feature_names_in_ : array of str
        The names of X's columns; only there where X was a table with names.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(size=(40, 2))
    >>> FormulaRegressor().fit(x, x[:, 0] * np.exp(x[:, 1])).sympy()
    x1*exp(x2)
    """

    time_limit: float
    random_state: int
    genetic: bool

    @no_type_check  # scikit-learn wants anything taken here and judged by fit
    def __init__(self, *, time_limit: float = 60.0, random_state: int = 0, genetic: bool = False) -> None:
        self.time_limit = time_limit
        self.random_state = random_state
        self.genetic = genetic

    def fit(self, X: Any, y: Any, sigma: Any = None) -> Self:
        """Find a formula for each output; a KeyboardInterrupt ends the search with the best so far.

        Parameters
        ----------
        X : array or data frame of shape [rows, inputs]
            The inputs.
        y : array, series or data frame of shape [rows] or [rows, outputs]
            The outputs.
        sigma : array of shape [rows] or [rows, outputs], optional
            The standard error of each output, as in `find_formula`.

        Returns
        -------
        FormulaRegressor
            The regressor itself, fitted.

        Raises
        ------
        ValueError
            For rows that are no finite numbers, or do not fit each other.
        InputError
            For a ``time_limit`` that is not positive, and a ``sigma`` that is not positive or does not fit ``y``.
        """
        if not self.time_limit > 0:
            raise InputError(
                "no time to search in", where="FormulaRegressor", expected="time_limit > 0", got=str(self.time_limit)
            )
        labels = _labels(y)
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        targets = np.asarray(y, dtype=np.float64)
        self._flat = targets.ndim == 1
        targets = targets.reshape(len(targets), -1)
        errors = None if sigma is None else _errors(sigma, targets.shape)
        columns = [str(name) for name in getattr(self, "feature_names_in_", _numbered("x", X.shape[1]))]
        inputs, outputs = _names(columns, labels or _numbered("y", targets.shape[1]))
        self.names_ = inputs
        formulas: list[Formula] = []
        left = float(self.time_limit)
        for place, output in enumerate(outputs):
            column = np.ascontiguousarray(targets[:, place])
            found = find_formula(
                X,
                column,
                names=inputs,
                output=output,
                sigma=None if errors is None else np.ascontiguousarray(errors[:, place]),
                time_limit=max(left, 0.0) / (len(outputs) - place),
                seed=self.random_state,
                genetic=self.genetic,
            )
            formulas.append(found)
            left = 0.0 if found.message.startswith("interrupted") else left - found.work
        self.formulas_ = tuple(formulas)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The formulas' values.

        Parameters
        ----------
        X : array or data frame of shape [rows, inputs]
            The columns of `fit`.

        Returns
        -------
        array
            In the shape that y had at `fit`; NaN where a formula is not real.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            For rows that are no finite numbers, or other columns than at `fit`.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        columns = [formula.predict(X) for formula in self.formulas_]
        return columns[0] if self._flat else np.stack(columns, axis=1)

    def sympy(self) -> "sympy.Expr | list[sympy.Expr]":
        """The expression, or a list of them where there are several outputs."""
        check_is_fitted(self)
        expressions = [formula.expression for formula in self.formulas_]
        return expressions[0] if len(expressions) == 1 else expressions

    def latex(self) -> str:
        """``output = expression`` in LaTeX; of several outputs, one on each line."""
        check_is_fitted(self)
        return "\\\\\n".join(formula.latex() for formula in self.formulas_)


def _errors(sigma: Any, shape: tuple[int, int]) -> np.ndarray:
    """The errors of all outputs; those of a single column hold for each output."""
    errors = np.asarray(sigma, dtype=np.float64)
    if errors.ndim == 1 and len(errors) == shape[0]:
        errors = np.repeat(errors[:, None], shape[1], axis=1)
    if errors.shape != shape:
        raise InputError(
            "errors do not fit the outputs", where="FormulaRegressor.fit, sigma", expected=f"shape {list(shape)}",
            got=str(list(errors.shape)), hint="give one error a row, or one for each output",
        )  # fmt: skip
    return errors


def _labels(y: Any) -> list[str] | None:
    """The names of a data frame's columns or of a series; None where y has none."""
    if hasattr(y, "columns"):
        return [str(name) for name in y.columns]
    name = getattr(y, "name", None)
    return [name] if isinstance(name, str) else None


def _numbered(letter: str, count: int) -> list[str]:
    """x1, x2, ...; a single output is y alone."""
    return [letter] if letter == "y" and count == 1 else [f"{letter}{i + 1}" for i in range(count)]


def _names(columns: Sequence[str], outputs: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Variables for the columns of X, and names for those of y, all different: an input keeps its name first."""
    right = [name if name not in columns else f"{name} out" for name in outputs]
    names = safe_names((*columns, *right))
    return names[: len(columns)], names[len(columns) :]
