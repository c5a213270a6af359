"""Groups: which irreducible representation each neuron represents, from characters."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ._hidden_activations import activations
from .group_tables._real_characters import real_characters
from .group_tables._target_group import TargetGroup

NAMED = 0.9  # share from which a neuron is called by one representation
STILL = 1e-12  # variance of a neuron that is dead


@dataclass(frozen=True, repr=False)
class IrrepShares(Shown):
    """Shares of one neuron's variance in the irreducible representations of a group.

    Attributes
    ----------
    neuron : int
        Number of the neuron in the last hidden layer.
    shares : mapping of str to float
        Representation, as `real_characters` names it -> share of the neuron's variance over all pairs (trivial: always
        0, a constant has none); the rest is no function of the product.
    spread : float
        Standard deviation of the neuron.

    Examples
    --------
    >>> from bimt_analyze.representations import IrrepShares
    >>> IrrepShares(neuron=0, shares={"2": 0.95, "3": 0.05}, spread=1.0).name
    '2'
    >>> IrrepShares(neuron=1, shares={"2": 0.5, "3": 0.5}, spread=1.0).name
    'mixed'
    """

    neuron: int
    shares: Mapping[str, float]
    spread: float

    @property
    def name(self) -> str:
        """The representation that holds 90 % of the variance, or ``mixed``; ``dead`` without variance."""
        if self.spread == 0.0:
            return "dead"
        best = max(self.shares, key=lambda irrep: self.shares[irrep])
        return best if self.shares[best] >= NAMED else "mixed"


def irrep_shares(
    network: Network, found: TargetGroup, *, x: Float64[np.ndarray, "pairs columns"] | None = None
) -> tuple[IrrepShares, ...]:
    """For each neuron of the last hidden layer, measure its variance in each irreducible representation of a group.

    Parameters
    ----------
    network : Network
        A network that reads pairs of tokens.
    found : TargetGroup
        The group whose products its classes are.
    x : array of float64, shape (pairs, columns), optional
        All pairs as the network sees them; left out, ``found.pairs``.

    Returns
    -------
    tuple of IrrepShares
        One value a neuron.

    Raises
    ------
    InputError
        The network has no last hidden layer, or its activations cannot be told.

    Notes
    -----
    With F(c) the mean of the neuron's activation f(a, b) over all pairs with product c, the part of F in the
    representation r of dimension d is F_r(g) = d/n sum_h chi_r(h) F(h^-1 g) [1]_; its share is mean F_r^2 over the
    variance of f over pairs. A complex representation and its conjugate are taken together.

    References
    ----------
    .. [1] J.-P. Serre, "Linear Representations of Finite Groups", theorem 8.

    Examples
    --------
    >>> from bimt_analyze.representations import irrep_shares, operation_table, target_group
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import EmbeddingMLP
    >>> from bimt_train.tasks import permutation_s4
    >>> data = permutation_s4().data(0)
    >>> group = target_group(operation_table(data.x_train, data.y_train))
    >>> found = irrep_shares(Network.of(EmbeddingMLP(24, 2, 4, (3, 24))), group)
    >>> list(found[0].shares), found[0].shares["trivial"] < 1e-9
    (['trivial', 'sign', '2', '3', "3'"], True)
    """
    return shares_of(activations(network, found.pairs if x is None else x), found)


def shares_of(hidden: Float64[np.ndarray, "pairs neurons"], found: TargetGroup) -> tuple[IrrepShares, ...]:
    """Shares of any values over all pairs, in the order of ``found.pairs``; see `irrep_shares`.

    Parameters
    ----------
    hidden : array of float64, shape (pairs, neurons)
        Values over the pairs, one neuron a column.
    found : TargetGroup
        The group.

    Returns
    -------
    tuple of IrrepShares
        One value a neuron.
    """
    group, products = found.group, found.products.ravel()
    means = np.stack([hidden[products == c].mean(axis=0) for c in range(group.order)]) - hidden.mean(axis=0)
    total = hidden.var(axis=0)
    quotients = group.product[:, group.inverse]
    parts = {one.name: np.mean(np.square(one.projection(quotients) @ means), axis=0) for one in real_characters(group)}
    alive = total > STILL
    return tuple(
        IrrepShares(
            k,
            {name: float(part[k] / total[k]) if alive[k] else 0.0 for name, part in parts.items()},
            float(np.sqrt(total[k])) if alive[k] else 0.0,
        )
        for k in range(hidden.shape[1])
    )
