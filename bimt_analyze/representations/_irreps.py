"""The permutations of four things: which irreducible representation each neuron represents, from characters."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.tasks import s4_elements

from ._hidden_activations import activations, all_pairs

IRREPS: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "trivial": {"1111": 1, "211": 1, "22": 1, "31": 1, "4": 1},
        "sign": {"1111": 1, "211": -1, "22": 1, "31": 1, "4": -1},
        "2": {"1111": 2, "211": 0, "22": 2, "31": -1, "4": 0},
        "3": {"1111": 3, "211": 1, "22": -1, "31": 0, "4": -1},
        "3'": {"1111": 3, "211": -1, "22": -1, "31": 0, "4": 1},
    }
)
"""Representation -> cycle type, cycles by falling length -> character."""

NAMED = 0.9  # share from which a neuron is called by one representation


@dataclass(frozen=True)
class IrrepShares:
    """Shares of one neuron's variance in the irreducible representations of S4.

    Attributes
    ----------
    neuron : int
        Number of the neuron in the last hidden layer.
    shares : mapping of str to float
        Representation -> share of the neuron's variance over all pairs (trivial: always 0, a constant has none); the
        rest is no function of the product.
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


def irrep_shares(network: Network) -> tuple[IrrepShares, ...]:
    """For each neuron of the last hidden layer, measure its variance in each irreducible representation of S4.

    Parameters
    ----------
    network : Network
        A network that reads pairs of 24 tokens.

    Returns
    -------
    tuple of IrrepShares
        One value a neuron.

    Raises
    ------
    InputError
        The network does not read pairs of 24 tokens.

    Notes
    -----
    With F(c) the mean of the neuron's activation f(a, b) over all pairs with product ab = c, the part of F in the
    representation r of dimension d is F_r(g) = d/24 sum_h chi_r(h) F(h^-1 g) [1]_; its share is mean F_r^2 over the
    variance of f over pairs.

    References
    ----------
    .. [1] J.-P. Serre, "Linear Representations of Finite Groups", theorem 8.

    Examples
    --------
    >>> from bimt_analyze.representations import irrep_shares
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import EmbeddingMLP
    >>> found = irrep_shares(Network.of(EmbeddingMLP(24, 2, 4, (3, 24))))
    >>> len(found), found[0].shares["trivial"] < 1e-9
    (3, True)
    """
    n = len(s4_elements())
    if not any(s.role == "embedding" and len(network.tensors[t]) == n for t, s in network.layout.tensors.items()):
        raise InputError("not a network of S4", where="layout", expected="an embedding of 24 tokens", got="none")
    return shares_of(activations(network, all_pairs(n)))


def shares_of(hidden: Float64[np.ndarray, "pairs neurons"]) -> tuple[IrrepShares, ...]:
    """Shares of any values over all 576 pairs, a slowest; see `irrep_shares`.

    Parameters
    ----------
    hidden : array of float64, shape (pairs, neurons)
        Values over the pairs, one neuron a column.

    Returns
    -------
    tuple of IrrepShares
        One value a neuron.
    """
    elements = s4_elements()
    n = len(elements)
    number = {element: k for k, element in enumerate(elements)}
    product = np.array([[number[tuple(a[i] for i in b)] for b in elements] for a in elements])
    inverse = np.array([int(np.flatnonzero(row == number[(0, 1, 2, 3)])[0]) for row in product])
    classes = product.ravel()
    means = np.stack([hidden[classes == c].mean(axis=0) for c in range(n)]) - hidden.mean(axis=0)
    total = hidden.var(axis=0)
    types = [cycle_type(element) for element in elements]
    parts = {}
    for irrep, character in IRREPS.items():
        weights = character["1111"] / n * np.array([character[t] for t in types])
        projected = sum(weights[h] * means[product[inverse[h]]] for h in range(n))
        parts[irrep] = np.mean(np.square(projected), axis=0)
    return tuple(
        IrrepShares(
            k,
            {irrep: float(part[k] / total[k]) if total[k] > 1e-12 else 0.0 for irrep, part in parts.items()},
            float(np.sqrt(total[k])) if total[k] > 1e-12 else 0.0,
        )
        for k in range(hidden.shape[1])
    )


def cycle_type(element: tuple[int, ...]) -> str:
    """The lengths of a permutation's cycles, longest first.

    Parameters
    ----------
    element : tuple of int
        The permutation, as the images of 0, 1, ...

    Returns
    -------
    str
        One digit a cycle.

    Examples
    --------
    >>> cycle_type((1, 0, 3, 2))
    '22'
    """
    left, lengths = set(range(len(element))), []
    while left:
        start = at = left.pop()
        length = 1
        while (at := element[at]) != start:
            left.discard(at)
            length += 1
        lengths.append(length)
    return "".join(map(str, sorted(lengths, reverse=True)))
