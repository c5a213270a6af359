"""The greatest modularity of a network as a statistic."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from ...modules._leiden import best_modularity
from ._group_blocks import Blocks, Stacks
from ._statistics import STATISTICS


@STATISTICS.register(
    "modularity",
    label="modularity",
    searched=True,
    sentence="The greatest modularity that Leiden finds at resolution 1, searched anew in each network.",
)
def best_modularities(blocks: Blocks, matrices: Stacks, seeds: Sequence[int]) -> Float64[np.ndarray, " samples"]:
    """`best_modularity` of each of many networks.

    Parameters
    ----------
    blocks : Blocks
        Their groups, which modularity does not look at.
    matrices : sequence of array [samples, targets, sources]
        Weights between each pair of groups that is joined.
    seeds : sequence of int
        One a sample, of the search.

    Returns
    -------
    array [samples]
        Modularities.
    """
    return np.array(
        [best_modularity(matrix, seed=seed) for matrix, seed in zip(blocks.assembled(matrices), seeds, strict=True)]
    )
