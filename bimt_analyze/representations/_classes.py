"""What a class is made of: the neurons that it uses, and the part of the network that it is computed from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.layouts.fold import spread
from bimt_train.showing import Shown

from ..graph import NodeId


@dataclass(frozen=True, eq=False, repr=False)
class ClassUse(Shown):
    """How much each class relies on each hidden neuron.

    Attributes
    ----------
    neurons : tuple of (str, int)
        Hidden neurons as (group, number), layer by layer.
    classes : tuple of str
        Names of the classes.
    margin : array of float64, shape (classes,)
        For each class, the mean over its own rows of its output's lead over the greatest other output.
    accuracy : array of float64, shape (classes,)
        For each class, the share of its own rows that are given to it.
    margin_drop : array of float64, shape (classes, neurons)
        By how much the margin falls once the neuron is set to its mean over all rows.
    accuracy_drop : array of float64, shape (classes, neurons)
        By how much the accuracy falls once the neuron is set to its mean over all rows.

    Examples
    --------
    >>> from bimt_analyze.representations import ClassUse
    >>> import numpy as np
    >>> drops = np.array([[1.0, 0.1], [0.0, 4.0]])
    >>> neurons, margin = (("h1", 0), ("h1", 1)), np.array([2.0, 4.0])
    >>> use = ClassUse(neurons, ("cat", "dog"), margin, np.ones(2), drops, np.zeros((2, 2)))
    >>> use.shares.round(2).tolist(), use.users()["cat"]
    ([[0.5, 0.05], [0.0, 1.0]], frozenset({('h1', 0)}))
    """

    neurons: tuple[NodeId, ...]
    classes: tuple[str, ...]
    margin: Float64[np.ndarray, " classes"]
    accuracy: Float64[np.ndarray, " classes"]
    margin_drop: Float64[np.ndarray, "classes neurons"]
    accuracy_drop: Float64[np.ndarray, "classes neurons"]

    @property
    def table(self) -> list[dict[str, str | int | float]]:
        """One row a class and neuron, as ``pandas.DataFrame`` takes them."""
        return [
            {"class": name, "group": group, "neuron": number, "margin_drop": float(self.margin_drop[k, i]),
             "accuracy_drop": float(self.accuracy_drop[k, i])}
            for k, name in enumerate(self.classes)
            for i, (group, number) in enumerate(self.neurons)
        ]  # fmt: skip

    @property
    def shares(self) -> Float64[np.ndarray, "classes neurons"]:
        """The margin drops as shares of the class's margin."""
        return self.margin_drop / np.where(self.margin == 0, 1.0, np.abs(self.margin))[:, None]

    @property
    def favourites(self) -> dict[str, frozenset[NodeId]]:
        """Class -> the neurons whose loss costs it a greater share of its margin than any other class."""
        best = self.shares.argmax(axis=0)
        return {
            name: frozenset(neuron for neuron, own in zip(self.neurons, best, strict=True) if own == k)
            for k, name in enumerate(self.classes)
        }

    def users(self, least: float = 0.1) -> dict[str, frozenset[NodeId]]:
        """Neurons that each class needs.

        Parameters
        ----------
        least : float, default 0.1
            Share of its margin, 0 to 1, that a class must lose without the neuron.

        Returns
        -------
        dict of str to frozenset of (str, int)
            Class -> the neurons without which its margin falls by at least this share of it.
        """
        return {
            name: frozenset(
                neuron for neuron, share in zip(self.neurons, self.shares[k], strict=True) if share >= least
            )
            for k, name in enumerate(self.classes)
        }


def class_use(
    network: Network, x: Float64[np.ndarray, "rows columns"], y: Float64[np.ndarray, "rows classes"]
) -> ClassUse:
    """Set every hidden neuron in turn to its mean over the rows, and measure what each class loses.

    Parameters
    ----------
    network : Network
        A classifier; best a circuit, whose dead neurons are gone.
    x : array of float64, shape (rows, columns)
        Input rows as the network sees them.
    y : array of float64, shape (rows, classes)
        One-hot classes; every class must have rows.

    Returns
    -------
    ClassUse
        Margin and accuracy of each class, and their drops without each neuron, wherever it is read.

    Raises
    ------
    InputError
        A class has no rows, or a hidden neuron cannot be set (`MeanAblation`).

    Examples
    --------
    >>> from bimt_analyze.representations import class_use
    >>> import numpy as np
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 3, 1)] * 2, seed=1)
    >>> y = np.eye(2)[planted.network.predict(planted.x).argmax(axis=1)]
    >>> use = class_use(planted.network, planted.x, y)
    >>> use.margin_drop.shape, use.accuracy.tolist()
    ((2, 6), [1.0, 1.0])
    """
    from ..graph import MeanAblation

    rows = np.bincount(y.argmax(axis=1), minlength=y.shape[1])
    if not rows.all():
        empty = ", ".join(_names(network, np.flatnonzero(rows == 0).tolist()))
        raise InputError("a class without rows", where="y", got=empty, hint="give rows of every class")
    ablation = MeanAblation(network, np.asarray(x, dtype=np.float64))
    margin, accuracy = class_scores(ablation.outputs(), y)
    neurons = ablation.neurons
    left = [class_scores(ablation.outputs([neuron]), y) for neuron in neurons]
    margins, accuracies = (
        np.array([scores[at] for scores in left], dtype=np.float64).reshape(len(left), len(margin)).T for at in (0, 1)
    )
    names = _names(network, range(y.shape[1]))
    return ClassUse(neurons, names, margin, accuracy, margin[:, None] - margins, accuracy[:, None] - accuracies)


def class_circuit(network: Network, number: int, *, neurons: frozenset[NodeId] | None = None) -> Network:
    """Keep only the weights on paths to one output; all others are zero, nothing is resized.

    Parameters
    ----------
    network : Network
        The network; best a circuit, since in a dense network every path leads everywhere.
    number : int
        Number of the output, from 0.
    neurons : frozenset of (str, int), optional
        The hidden neurons that paths may pass, as `ClassUse.users` gives them; left out, all.

    Returns
    -------
    Network
        The network with zeros in place of all other weights.

    Raises
    ------
    InputError
        There is no such output.

    Examples
    --------
    >>> from bimt_analyze.representations import class_circuit
    >>> from bimt_analyze.synthetic import block_network
    >>> network = block_network(blocks=[(2, 3, 1)] * 2, seed=1).network
    >>> alone = class_circuit(network, 0)
    >>> [int((tensors["layers.0.weight"] != 0).sum()) for tensors in (network.tensors, alone.tensors)]
    [12, 6]
    """
    outputs, sizes = network.layout.outputs, network.layout.sizes
    if not 0 <= number < sizes.get(outputs, 0):
        raise InputError("no such output", expected=f"0 to {sizes.get(outputs, 0) - 1}", got=str(number))
    ends = (network.layout.inputs, outputs)
    open_: dict[str, Bool[np.ndarray, _]] = {
        name: np.array([neurons is None or name in ends or (name, i) in neurons for i in range(size)])
        for name, size in sizes.items()
    }
    reached = {name: np.zeros(size, dtype=bool) for name, size in sizes.items()}
    reached[outputs][number] = True
    grown = True
    while grown:
        before = sum(flags.sum() for flags in reached.values())
        for c in network.connections():
            reached[c.source] |= open_[c.source] & ((c.matrix != 0).T @ reached[c.target])
        grown = sum(flags.sum() for flags in reached.values()) > before
    kept = {}
    for c in network.connections():
        plan, tensor = network.layout.tensors[c.tensor].plan, network.tensors[c.tensor]
        useful = np.outer(reached[c.target], reached[c.source]).astype(np.float64)
        kept[c.tensor] = np.where(spread(useful, plan, tensor.shape, sizes) > 0, tensor, 0)
    return network.with_tensors(kept)


def class_scores(
    outputs: Float64[np.ndarray, "rows classes"], y: Float64[np.ndarray, "rows classes"]
) -> tuple[Float64[np.ndarray, " classes"], Float64[np.ndarray, " classes"]]:
    """Margin and accuracy of each class, as `ClassUse` defines them.

    Parameters
    ----------
    outputs : array of float64, shape (rows, classes)
        What the network predicts.
    y : array of float64, shape (rows, classes)
        One-hot classes.

    Returns
    -------
    (array of float64, shape (classes,), array of float64, shape (classes,))
        Margins, then accuracies, one a class.
    """
    own = y.argmax(axis=1)
    at = np.arange(len(own))
    others = outputs.copy()
    others[at, own] = -np.inf
    lead = outputs[at, own] - others.max(axis=1)
    count = np.bincount(own, minlength=y.shape[1])
    right = outputs.argmax(axis=1) == own
    return np.bincount(own, lead, y.shape[1]) / count, np.bincount(own, right, y.shape[1]) / count


def _names(network: Network, numbers: Sequence[int]) -> tuple[str, ...]:
    group = network.layout.group(network.layout.outputs)
    return tuple(group.label(k) for k in numbers)
