"""Neurons that more than one module has a claim to: modules are disjoint, the work of neurons need not be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from bimt_train import InputError
from bimt_train.showing import Shown

from ...graph import NeuronGraph, NodeId

CLAIM = 0.25
"""The share of a neuron's weight, in or out, from which a module has a claim to it."""


@dataclass(frozen=True, repr=False)
class SharedNeuron(Shown):
    """A neuron that another module than its own has a claim to.

    Attributes
    ----------
    label : str
        Name of the neuron.
    module : int
        Number of its own module.
    claims : tuple of (int, float)
        (Module, share) of other modules, from `CLAIM` on, the greatest first: the greater of the shares of what the
        neuron reads and of what reads it, by weight.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._shared_neurons import SharedNeuron
    >>> SharedNeuron("h1.3", module=0, claims=((1, 0.4),)).to_json()["claims"]
    [{'module': 1, 'share': 0.4}]
    """

    label: str
    module: int
    claims: tuple[tuple[int, float], ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        claims = [{"module": module, "share": share} for module, share in self.claims]
        return {"neuron": self.label, "module": self.module, "claims": claims}


def shared_neurons(
    graph: NeuronGraph, modules: Sequence[frozenset[NodeId]], *, claim: float = CLAIM
) -> tuple[SharedNeuron, ...]:
    """Find neurons to which another module than their own has a claim.

    Parameters
    ----------
    graph : NeuronGraph
        Graph of the network; its edge weights are counted.
    modules : sequence of frozenset of (str, int)
        Modules as disjoint sets of neurons.
    claim : float, default CLAIM
        Share of a neuron's weight, in or out, above 0 and at most 1, from which a module has a claim to it.

    Returns
    -------
    tuple of SharedNeuron
        The shared neurons, in the order of the graph.

    Raises
    ------
    InputError
        The claim is not a share.

    Notes
    -----
    With w the edge weights, module M's share in what neuron n reads is sum over m in M of w[n, m] / sum over all of
    w[n, .], and in what reads it likewise. A feature that two modules use is found here, in whichever of them it was
    put. It does not show that the two use it for different things.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._shared_neurons import shared_neurons
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(seed=1)
    >>> shared_neurons(neuron_graph(planted.network), planted.partition.modules)
    ()
    """
    if not 0 < claim <= 1:
        raise InputError("an impossible share", where="claim", expected="above 0, at most 1", got=str(claim))
    number = {node: m for m, module in enumerate(modules) for node in module}
    source, target, weight, _ = graph.edges
    weights = csr_array((weight, (target, source)), shape=(len(graph.nodes),) * 2)
    member = np.zeros((len(graph.nodes), len(modules)))
    for place, node in enumerate(graph.nodes):
        if node.key in number:
            member[place, number[node.key]] = 1.0
    shares = np.maximum(_shares(weights, member), _shares(weights.T.tocsr(), member))
    found = []
    for place, node in enumerate(graph.nodes):
        own = number.get(node.key)
        if own is None:
            continue
        claims = [(m, float(shares[place, m])) for m in range(len(modules)) if m != own and shares[place, m] >= claim]
        if claims:
            found.append(SharedNeuron(node.label, own, tuple(sorted(claims, key=lambda c: (-c[1], c[0])))))
    return tuple(found)


def _shares(weights: csr_array, member: np.ndarray) -> np.ndarray:
    total = np.asarray(weights.sum(axis=1))[:, None]
    return np.asarray(np.divide(weights @ member, total, out=np.zeros_like(member), where=total > 0))
