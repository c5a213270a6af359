"""A cost term of your own: the squared length, which spares short connections and charges long ones more.

bimt-train independence --cost-term docs/extending/cost_term.py:squared=0.5 --seeds 2 --steps 50
"""

import numpy as np

from bimt_train.connection_cost import COST_TERMS


@COST_TERMS.register("squared", label="squared length", sentence="A weight pays for the square of its length.")
def squared(distances: np.ndarray) -> np.ndarray:
    """The price of one unit of |w|, for each distance [target, source] in units of the layer's width."""
    return distances**2
