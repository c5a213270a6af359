"""A null model of your own: each neuron reads other neurons with the same weights, all of them chosen at random.

Use it from Python as ``significance(graph, null_model="docs/extending/null_model.py:row_permutation")``, and on the
command line as ``bimt-analyze runs/NAME --audit --null-model docs/extending/null_model.py:row_permutation``.
"""

from collections.abc import Sequence

import numpy as np

from bimt_analyze.audits import NULL_MODELS


@NULL_MODELS.register(
    "row_permutation",
    label="each neuron reads at random, within each pair of groups",
    sentence="Each neuron keeps its incoming weights; which neurons it reads with them is random.",
    phrase="in which every neuron reads at random, with the same weights",
)
def row_permutation(
    matrix: np.ndarray, *, schedule: np.random.Generator, generators: Sequence[np.random.Generator]
) -> np.ndarray:
    """Samples [samples, targets, sources]: the rows of the matrix, each in an order of its own."""
    return np.stack([generator.permuted(matrix, axis=1) for generator in generators])
