"""The rows that a search is given: whether they can be searched, and which rows and columns it looks at."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from bimt_train import InputError

from ._search_options import SearchOptions

_FEWEST_PROPOSING = 20  # rows from which forms are proposed


def column_names(x: Float64[np.ndarray, "rows inputs"], names: Sequence[str] | None) -> tuple[str, ...]:
    """The ``names`` given to the columns of ``x``, or x1, x2, ... where none are."""
    width = np.shape(x)[1] if np.ndim(x) == 2 else 0
    return tuple(names) if names is not None else tuple(f"x{i + 1}" for i in range(width))


def check_rows(
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    names: Sequence[str],
    *,
    where: str,
    fewest: int,
) -> None:
    """Refuse rows that cannot be searched.

    Parameters
    ----------
    x : array of shape [rows, inputs]
        The inputs.
    y : array of shape [rows]
        The output.
    names : sequence of str
        The names of the columns of ``x``.
    where : str
        What the rows are, for the error's text.
    fewest : int
        How many rows there must be.

    Raises
    ------
    InputError
        For other than finite numbers, sizes that differ, too few rows, and names that do not fit.
    """
    if np.ndim(x) != 2 or np.ndim(y) != 1 or len(x) != len(y) or len(y) < fewest:
        raise InputError(
            "rows do not fit",
            where=where,
            expected=f"x [rows, inputs] and y [rows], {fewest} rows or more",
            got=f"{np.shape(x)} and {np.shape(y)}",
        )
    if len(names) != x.shape[1] or len(set(names)) != len(names):
        raise InputError(
            "names do not fit the columns",
            where=where,
            expected=f"{x.shape[1]} different names",
            got=str(list(names)),
            hint="give one name a column",
        )
    for label, values in (("x", x), ("y", y)):
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            place = ", ".join(str(int(i)) for i in bad[0])
            raise InputError(
                f"{len(bad)} values are no finite numbers",
                where=f"{where}, {label}[{place}]",
                expected="finite numbers",
                got=str(values[tuple(bad[0])]),
                hint="leave out or fill in those rows",
            )


def check_sigma(sigma: Float64[np.ndarray, "sigmas"], rows: int, *, where: str) -> None:
    """Refuse errors of measurement that are none.

    Parameters
    ----------
    sigma : array of shape [rows]
        The standard error of each row.
    rows : int
        How many rows there are.
    where : str
        What the rows are, for the error's text.

    Raises
    ------
    InputError
        For other than one positive finite number for each row.
    """
    if np.shape(sigma) != (rows,):
        raise InputError(
            "errors do not fit the rows", where=where, expected=f"sigma of shape [{rows}]", got=str(np.shape(sigma))
        )
    bad = np.flatnonzero(~((sigma > 0) & np.isfinite(sigma)))
    if len(bad):
        raise InputError(
            f"{len(bad)} errors of measurement are not positive numbers",
            where=f"{where}, sigma[{bad[0]}]",
            expected="positive finite numbers",
            got=str(sigma[bad[0]]),
            hint="leave out those rows, or give the error that they have",
        )


def searched_rows(rows: int, seed: int, *, most: int = SearchOptions.rows) -> NDArray[np.int64]:
    """Which rows a search looks at: all of them, or some of very many, drawn at random.

    Parameters
    ----------
    rows : int
        How many rows there are.
    seed : int
        Of the draw.
    most : int
        How many rows are drawn at most.

    Returns
    -------
    array of int
        The numbers of the rows, growing.
    """
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def best_known(sigma: Float64[np.ndarray, "rows"]) -> NDArray[np.int64]:
    """The rows from which forms are proposed: those of the smallest errors, as many as tell most when all count alike.

    The mean of the k best rows has the variance (sigma_1**2 + ... + sigma_k**2) / k**2, and k makes that the least, but
    is at least 20. Where all errors are equal, these are all rows.

    Parameters
    ----------
    sigma : array of shape [rows]
        The standard error of each row.

    Returns
    -------
    array of int
        The numbers of the rows, growing.

    Examples
    --------
    >>> best_known(np.array([0.1] * 25 + [2.0] * 5)).size, best_known(np.ones(30)).size
    (25, 30)
    """
    order = np.argsort(sigma, kind="stable")
    count = np.arange(1, len(sigma) + 1)
    variance = np.cumsum((sigma[order] / np.min(sigma)) ** 2) / count**2
    least = min(_FEWEST_PROPOSING, len(sigma))
    return np.sort(order[: least + int(np.argmin(variance[least - 1 :]))])


def candidate_columns(x: Float64[np.ndarray, "rows inputs"], y: Float64[np.ndarray, "rows"]) -> tuple[int, ...]:
    """The columns of ``x`` that ``y`` may depend on: none where ``y`` is constant, else those of `distinct`.

    Parameters
    ----------
    x : array of shape [rows, inputs]
        The inputs.
    y : array of shape [rows]
        The output.
    """
    constant = np.ptp(y) <= 16 * np.finfo(np.float64).eps * np.max(np.abs(y))
    return () if constant else distinct(x)


def distinct(x: Float64[np.ndarray, "rows inputs"]) -> tuple[int, ...]:
    """The columns of ``x`` that vary and are no multiple of an earlier one plus a constant.

    Parameters
    ----------
    x : array of shape [rows, inputs]
        The inputs.
    """
    kept: list[int] = []
    shapes: list[NDArray[np.float64]] = []
    for index in range(x.shape[1]):
        peak = float(np.max(np.abs(x[:, index]), initial=0.0))
        if peak == 0.0:
            continue
        column = x[:, index] / peak
        column = column - np.mean(column)
        size = float(np.linalg.norm(column))
        if size <= 1e-13 * np.sqrt(len(column)):
            continue
        column = column / size
        if all(abs(abs(float(column @ other)) - 1.0) > 1e-13 for other in shapes):
            kept.append(index)
            shapes.append(column)
    return tuple(kept)
