"""Sums of absolute values, compiled exactly into a ReLU network."""

import numpy as np

from ._blueprint import Blueprint, Layer
from ._draws import at_least, streams
from ._synthetic_network import Specimen


def absolute_sums(
    *, outputs: int = 2, terms: int = 3, variables: int = 2, scale: float = 10.0, rows: int = 500, seed: int = 0
) -> Specimen:
    """``y_j = sum_t |a_jt . x_jt|``, each term with variables of its own; the modules are the terms.

    A term is two neurons, as |u| = ReLU(u) + ReLU(-u). An output belongs to no term, unless it has one term only. The
    coefficients are +-u with u uniform in [1/2, 3/2]; inputs are independent and standard normal.

    Args:
        outputs: how many sums.
        terms: of each sum.
        variables: of each term.
        scale: as in `block_network`.
        rows: of ``x``.
        seed: of all that is random.

    Raises:
        InputError: no outputs, terms or variables, an impossible scale, or no rows.
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
    return Blueprint(layers, owners, x).specimen("absolute_sums", seed=seed, scale=scale, modular=number > 1, **counts)
