"""Neurons that more than one module has a claim to: modules are disjoint, the work of neurons need not be."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bimt_train import InputError

from ...graph import NeuronGraph, NodeId

CLAIM = 0.25
"""The share of a neuron's weight, in or out, from which a module has a claim to it."""


@dataclass(frozen=True)
class SharedNeuron:
    """A neuron with a second home.

    Attributes:
        label: its name.
        module: the number of its own module.
        claims: module -> the greater of the shares of what it reads and of what reads it, by weight; others than its
            own, from `CLAIM` on, the greatest first.
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
    """Neurons of which another module than their own sends or reads at least the share ``claim``.

    With w the edge weights, module M's share in what neuron n reads is sum over m in M of w[n, m] / sum over all of
    w[n, .], and in what reads it likewise. A feature that two modules use is found here, in whichever of them it was
    put. It does not show that the two use it for different things.

    Raises:
        InputError: an impossible claim.
    """
    if not 0 < claim <= 1:
        raise InputError("an impossible share", where="claim", expected="above 0, at most 1", got=str(claim))
    number = {node: m for m, module in enumerate(modules) for node in module}
    weights = graph.adjacency()
    member = np.zeros((len(graph.nodes), len(modules)))
    for place, node in enumerate(graph.nodes):
        if node.key in number:
            member[place, number[node.key]] = 1.0
    shares = np.maximum(_shares(weights, member), _shares(weights.T, member))
    found = []
    for place, node in enumerate(graph.nodes):
        own = number.get(node.key)
        if own is None:
            continue
        claims = [(m, float(shares[place, m])) for m in range(len(modules)) if m != own and shares[place, m] >= claim]
        if claims:
            found.append(SharedNeuron(node.label, own, tuple(sorted(claims, key=lambda c: (-c[1], c[0])))))
    return tuple(found)


def _shares(weights: np.ndarray, member: np.ndarray) -> np.ndarray:
    total = weights.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(weights @ member, total, out=np.zeros_like(member), where=total > 0))
