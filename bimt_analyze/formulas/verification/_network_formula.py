"""A formula of what a network answers, where that is not the law of its rows."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from .._approximate_formula import approximate_formula
from .._formula import Formula, Predictor
from .._rows import Rows
from ._verify_formula import verify_formula

_SEARCHED, _HELD = 400, 200  # fresh points


def network_formula(
    network: Predictor,
    *,
    names: Sequence[str],
    output: str,
    ranges: Sequence[tuple[float, float]],
    time_limit: float = 3.0,
    seed: int = 0,
    rows: Float64[np.ndarray, "rows inputs"] | None = None,
) -> Formula:
    """A short formula of a network's own answers on fresh points, with its verdict.

    Parameters
    ----------
    network : callable
        The network's prediction of one output, from [rows, inputs] to [rows].
    names : sequence of str
        One name for each input.
    output : str
        The name of the output.
    ranges : sequence of (float, float)
        Least and largest value of each input, between which points are drawn.
    time_limit : float, default 3.0
        Units of work for the search.
    seed : int, default 0
        Of the points and of the search.
    rows : array of shape [rows, inputs], optional
        Where the network is asked for the search; where these are few, or left out, at drawn points too.

    Returns
    -------
    Formula
        The shortest that leaves at most 5 % of the answers' deviation, or the nearest (`approximate_formula`). Its
        ``verification.network`` says how far the network follows it on 10,000 other points.

    Examples
    --------
    >>> found = network_formula(lambda x: 2 * x[:, 0], names=["a"], output="y", ranges=[(-1, 1)])
    >>> print(found, found.verification.network.word)
    y = 2*a follows
    """
    low, high = np.array(ranges, dtype=np.float64).reshape(-1, 2).T
    x = np.random.default_rng(seed).uniform(low, high, (_SEARCHED + _HELD, len(names)))
    if rows is not None:
        x[: min(len(rows), _SEARCHED)] = rows[:_SEARCHED]
    y = np.asarray(network(x), dtype=np.float64).reshape(len(x))
    found = approximate_formula(
        x[:_SEARCHED], y[:_SEARCHED], names=names, output=output, time_limit=time_limit, seed=seed
    )
    test = Rows(x[_SEARCHED:], y[_SEARCHED:])
    return verify_formula(found, test=test, truth=None, ranges=ranges, network=network, seed=seed)
