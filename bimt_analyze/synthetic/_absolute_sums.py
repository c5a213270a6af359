"""Sums of absolute values, compiled exactly into a ReLU network."""

import numpy as np

from ._blueprint import Blueprint, Layer
from ._draws import at_least, streams
from ._synthetic_network import SyntheticNetwork


def absolute_sums(
    *, outputs: int = 2, terms: int = 3, variables: int = 2, scale: float = 10.0, rows: int = 500, seed: int = 0
) -> SyntheticNetwork:
    """Plant sums of absolute values: ``y_j = sum_t |a_jt . x_jt|``; the modules are the terms.

    Parameters
    ----------
    outputs : int, default 2
        Number of sums.
    terms : int, default 3
        Number of terms of each sum; each has variables of its own.
    variables : int, default 2
        Number of variables of each term.
    scale : float, default 10.0
        Hidden neurons are rescaled by factors between 1/scale and scale, as in `block_network`.
    rows : int, default 500
        Number of rows of ``x``.
    seed : int, default 0
        Seed of all that is random.

    Returns
    -------
    SyntheticNetwork
        The network with its planted modules.

    Raises
    ------
    InputError
        There are no outputs, terms or variables, the scale is impossible, or there are no rows.

    Notes
    -----
    A term is two neurons, as |u| = ReLU(u) + ReLU(-u). An output belongs to no term, unless it has one term only. The
    coefficients are +-u with u uniform in [1/2, 3/2]; inputs are independent and standard normal.

    Examples
    --------
    >>> from bimt_analyze.synthetic import absolute_sums
    >>> planted = absolute_sums(outputs=1, terms=2, variables=1)
    >>> len(planted.partition.modules), bool((planted.network.predict(planted.x) >= 0).all())
    (2, True)
    """
    counts = {"outputs": outputs, "terms": terms, "variables": variables, "rows": rows}
    for option, value in counts.items():
        at_least(option, value, 1)
    coefficients, data = streams(seed, "weights", "x")
    number = outputs * terms
    a = coefficients.uniform(0.5, 1.5, (number, variables)) * coefficients.choice([-1.0, 1.0], (number, variables))
    term = np.zeros((number, number, variables))
    term[np.arange(number), np.arange(number)] = a
    inner = np.kron(term.reshape(number, -1), [[1.0], [-1.0]])
    outer = np.kron(np.eye(outputs), np.ones((1, 2 * terms)))
    owners = (
        tuple(t for t in range(number) for _ in range(variables)),
        tuple(t for t in range(number) for _ in range(2)),
        tuple(j if terms == 1 else None for j in range(outputs)),
    )
    layers = (Layer(inner, np.zeros(2 * number)), Layer(outer, np.zeros(outputs)))
    x = data.normal(size=(rows, number * variables))
    return Blueprint(layers, owners, x).planted("absolute_sums", seed=seed, scale=scale, modular=number > 1, **counts)
