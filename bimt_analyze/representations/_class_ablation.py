"""Modules knocked out and kept alone: what the classes lose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.special import log_softmax

from bimt_train.checkpoints import Network

from ..graph import NodeId
from ._activations import activations, last_hidden, outputs_of


@dataclass(frozen=True)
class Ablation:
    """What the classifier does without one module, and with that module alone.

    Attributes:
        module: its number in the order given; -1 for the whole network.
        without_accuracy: share of rows whose class is right once the module's neurons of the last hidden layer are set
            to their means.
        without_loss: cross-entropy there.
        alone_accuracy: the same with all other neurons of the layer at their means.
        alone_loss: cross-entropy there.
    """

    module: int
    without_accuracy: float
    without_loss: float
    alone_accuracy: float
    alone_loss: float


def ablations(
    network: Network,
    modules: Sequence[frozenset[NodeId]],
    x: Float64[np.ndarray, "rows columns"],
    y: Float64[np.ndarray, "rows classes"],
) -> tuple[Ablation, ...]:
    """Every module knocked out and kept, at the layer that the classes read; first the whole network for comparison.

    Args:
        network: a classifier.
        modules: neurons, in any layers; those of the last hidden one are set to their means over the rows.
        x: rows as the network sees them.
        y: one-hot classes.
    """
    layer, hidden = last_hidden(network), activations(network, x)
    means = hidden.mean(axis=0)

    def scores(kept: Sequence[bool] | np.ndarray) -> tuple[float, float]:
        logits = outputs_of(network, np.where(np.asarray(kept), hidden, means), x)
        right = logits.argmax(axis=1) == y.argmax(axis=1)
        return float(right.mean()), float(-(log_softmax(logits, axis=1) * y).sum(axis=1).mean())

    everything = scores(np.ones(hidden.shape[1], dtype=bool))
    found = [Ablation(-1, *everything, *everything)]
    for number, module in enumerate(modules):
        own = np.array([(layer, i) in module for i in range(hidden.shape[1])])
        found.append(Ablation(number, *scores(~own), *scores(own)))
    return tuple(found)
