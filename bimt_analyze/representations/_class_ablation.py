"""Modules ablated and kept alone: what the classes lose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.special import log_softmax

from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ..graph import NodeId
from ._hidden_activations import activations, last_hidden, outputs_of


@dataclass(frozen=True, repr=False)
class Ablation(Shown):
    """What the classifier does without one module, and with that module alone.

    Attributes
    ----------
    module : int
        Number of the module in the order given; -1 for the whole network.
    without_accuracy : float
        Share of rows whose class is right once the module's neurons of the last hidden layer are set to their means.
    without_loss : float
        Cross-entropy, in nats, once they are.
    alone_accuracy : float
        Share of rows whose class is right once all other neurons of the layer are set to their means.
    alone_loss : float
        Cross-entropy, in nats, once they are.

    Examples
    --------
    >>> from bimt_analyze.representations import Ablation
    >>> found = Ablation(module=0, without_accuracy=0.5, without_loss=0.7, alone_accuracy=1.0, alone_loss=0.1)
    >>> found.alone_accuracy - found.without_accuracy
    0.5
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
    """Ablate every module, and keep every module alone, at the layer that the classes read.

    Parameters
    ----------
    network : Network
        A classifier.
    modules : sequence of frozenset of (str, int)
        Modules as sets of neurons in any layers; those of the last hidden one are set to their means over the rows.
    x : array of float64, shape (rows, columns)
        Input rows as the network sees them.
    y : array of float64, shape (rows, classes)
        One-hot classes.

    Returns
    -------
    tuple of Ablation
        The whole network for comparison, then one ablation a module.

    Raises
    ------
    InputError
        The network has no last hidden layer, or several.

    Examples
    --------
    >>> from bimt_analyze.representations import ablations
    >>> import numpy as np
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(seed=1)
    >>> y = np.eye(3)[planted.network.predict(planted.x).argmax(axis=1)]
    >>> [one.without_accuracy < 1 for one in ablations(planted.network, planted.partition.modules, planted.x, y)]
    [False, True, True, True]
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
