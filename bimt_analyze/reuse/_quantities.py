"""A circuit of layers as quantities: each a function of few others, or of inputs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float64
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from bimt_train.models.building_blocks.activations import activated

from ..audits.functions._module_comparison import EQUIVALENT
from ._dense_part import DensePart, Layer, Rows

_SUMS = 0.995  # share of the variance of what a part reads that one weighted sum must have
_APART = 3e-2  # share of the variance that may be left of a sum of functions of one argument each


@dataclass(frozen=True, eq=False)
class Quantity:
    """One number that a part of the circuit computes.

    Attributes
    ----------
    read : array of float64, shape (arguments, sources)
        How its arguments are made of the sources: inputs, then the quantities before it.
    part : DensePart
        What it is of its arguments, one output.
    """

    read: Float64[np.ndarray, "arguments sources"]
    part: DensePart


@dataclass(frozen=True, eq=False)
class Quantities:
    """What a circuit computes, quantity by quantity, and its outputs as weighted sums of them.

    Attributes
    ----------
    inputs : int
        How many inputs there are: the first sources.
    curved : tuple of Quantity
        The quantities, each of sources before it.
    reading : array of float64, shape (outputs, sources)
        How outputs are made of sources.
    offset : array of float64, shape (outputs,)
        What is added to that.
    """

    inputs: int
    curved: tuple[Quantity, ...]
    reading: Float64[np.ndarray, "outputs sources"]
    offset: Float64[np.ndarray, " outputs"]

    def sources(self, x: Rows) -> Rows:
        """Inputs and quantities on some rows.

        Parameters
        ----------
        x : array of float64, shape (rows, inputs)
            The rows.
        """
        return _with_quantities(x, self.curved)

    def predict(self, x: Rows) -> Rows:
        """Outputs on some rows.

        Parameters
        ----------
        x : array of float64, shape (rows, inputs)
            The rows.
        """
        return np.asarray(self.sources(x) @ self.reading.T + self.offset)

    def additive(self, x: Rows) -> "Quantities":
        """The quantities, where each that is a sum of functions of one argument is replaced by these functions.

        Parameters
        ----------
        x : array of float64, shape (rows, inputs)
            Rows as the network sees them.
        """
        values, found = self.sources(x), list[Quantity]()
        now = np.eye(self.inputs)  # sources before, in sources now
        shift = np.zeros(self.inputs)
        for number, one in enumerate(self.curved, start=self.inputs):
            seen = one.read.shape[1]
            points = values[:, :seen] @ one.read.T
            apart = [one.part.of_one(k, points.mean(axis=0).tolist()) for k in range(points.shape[1])]
            each = sum(part(points[:, [k]])[:, 0] for k, part in enumerate(apart))
            left = values[:, number] - each
            sums = len(apart) > 1 and left.var() <= _APART * values[:, number].var()
            read, moved = one.read @ now[:seen], one.read @ shift[:seen]
            if sums:
                fresh = [Quantity(read[[k]], part.moved(moved[[k]])) for k, part in enumerate(apart)]
            else:
                fresh = [Quantity(read, one.part.moved(moved))]
            fresh = [Quantity(np.pad(q.read, ((0, 0), (0, k))), q.part) for k, q in enumerate(fresh)]
            found += fresh
            row = np.concatenate([np.zeros(now.shape[1]), np.ones(len(fresh))])
            now = np.vstack([np.pad(now, ((0, 0), (0, len(fresh)))), row])
            shift = np.append(shift, left.mean() if sums else 0.0)
        return Quantities(self.inputs, tuple(found), self.reading @ now, self.offset + self.reading @ shift)

    def shallow(self, x: Rows) -> "Quantities":
        """The quantities, each part with one hidden layer.

        Parameters
        ----------
        x : array of float64, shape (rows, inputs)
            Rows as the network sees them.
        """
        values = self.sources(x)
        parts = [one.part.of_depth(1, values[:, : one.read.shape[1]] @ one.read.T) for one in self.curved]
        curved = tuple(replace(one, part=part) for one, part in zip(self.curved, parts, strict=True))
        return replace(self, curved=curved)


@dataclass(frozen=True, eq=False)
class _Sent:
    """One number that a part sends: how the layer above reads it, and what it is."""

    loading: Float64[np.ndarray, " readers"]
    linear: dict[int, float]  # of sources; empty where it is a quantity
    constant: float
    quantity: Quantity | None


def quantities(
    layers: Sequence[Layer], activation: str, x: Rows, *, cut: int, leak: float, told: float, sums: bool
) -> Quantities | None:
    """Take a circuit apart at one hidden layer after the other, the highest first at which it falls apart.

    Parameters
    ----------
    layers : sequence of (weight, bias)
        The circuit, the last layer linear.
    activation : str
        A name in `bimt_train.models.ACTIVATIONS`.
    x : array of float64, shape (rows, inputs)
        Rows as the network sees them.
    cut : int
        The highest hidden layer, from 1, at which it is taken apart first.
    leak : float
        What moves a neuron by at most this share of what moves it most joins nothing.
    told : float
        Share of the variance of what is read of a part that its quantities must have; 0 takes one quantity.
    sums : bool
        Whether a part that reads one weighted sum alone has that sum as its argument.

    Returns
    -------
    Quantities or None
        None where nothing that it computes is curved.

    Notes
    -----
    Neurons up to a layer that weights join, directly or through the numbers that they read, are a part. What the
    layer above reads of a part are its principal components, as many as have ``told`` of the variance. One that is a
    linear function of the part's arguments is read off these; the others are quantities. The layers above are then a
    circuit of these.
    """
    below = [(np.asarray(w, dtype=np.float64), np.asarray(b, dtype=np.float64)) for w, b in layers]
    found, sources, level = list[Quantity](), x, cut
    while len(below) > 1:
        for height in range(min(level, len(below) - 1), 0, -1):
            strong = _without_leaks(below[:height], activation, sources, leak)
            parts = _parts(strong, sources.shape[1])
            if len(parts) > 1:
                break
        else:
            height = len(below) - 1
            strong = _without_leaks(below[:height], activation, sources, leak)
            parts = _parts(strong, sources.shape[1])
        reader, above = below[height]
        sent = [one for members in parts for one in _sent(strong, reader, members, activation, sources, told, sums)]
        wide = sources.shape[1] + sum(one.quantity is not None for one in sent)
        reading, bias = np.zeros((len(above), wide)), above.copy()
        fresh = sources.shape[1]
        for one in sent:
            bias = bias + one.loading * one.constant
            for source, weight in one.linear.items():
                reading[:, source] += one.loading * weight
            if one.quantity is not None:
                reading[:, fresh] += one.loading
                found.append(one.quantity)
                fresh += 1
        below = [(reading, bias), *below[height + 1 :]]
        sources = _with_quantities(x, found)
        level = len(below) - 1
    return Quantities(x.shape[1], tuple(found), *below[0]) if found else None


def _with_quantities(x: Rows, curved: Sequence[Quantity]) -> Rows:
    """Inputs, and after them the quantities, each computed from the sources before it."""
    for one in curved:
        x = np.concatenate([x, one.part(x[:, : one.read.shape[1]] @ one.read.T)], axis=1)
    return x


def _few_arguments(weight: np.ndarray, points: Rows) -> tuple[np.ndarray, np.ndarray]:
    """The numbers that a layer reads as few weighted sums of them: how these are made, and how they are read."""
    unit = points.std(axis=0)
    left, sizes, right = np.linalg.svd(weight * unit, full_matrices=False)
    share = np.cumsum(sizes**2) / max(float((sizes**2).sum()), 1e-300)
    count = int(np.searchsorted(share, _SUMS)) + 1
    if count > 1 or weight.shape[1] == 1:
        return np.eye(weight.shape[1]), weight
    sums = right[0] / unit
    largest = sums[np.argmax(np.abs(right[0]))]
    return (sums / largest)[None], left[:, [0]] * sizes[0] * largest


def _without_leaks(layers: Sequence[Layer], activation: str, x: Rows, leak: float) -> list[Layer]:
    """The layers without what hardly moves the neuron that reads it."""
    kept = []
    for weight, bias in layers:
        moves = np.abs(weight) * x.std(axis=0)
        weak = moves <= leak * moves.max(axis=1, keepdims=True)
        clean = np.where(weak, 0.0, weight)
        kept.append((clean, bias + (weight - clean) @ x.mean(axis=0)))
        x = np.asarray(activated(activation, x @ weight.T + bias))
    return kept


def _parts(layers: Sequence[Layer], sources: int) -> list[tuple[list[int], list[list[int]]]]:
    """Sources and the neurons of each layer of every part that has neurons in the last layer."""
    starts = np.cumsum([0, sources, *(len(b) for _, b in layers)])
    pairs = [np.argwhere(w != 0) + np.array([starts[k + 1], starts[k]]) for k, (w, _) in enumerate(layers)]
    ends = np.concatenate(pairs).T
    graph = coo_matrix((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(starts[-1], starts[-1]))
    labels = connected_components(graph, directed=False)[1]
    own = [labels[a:b] for a, b in pairwise(starts)]
    found = []
    for label in dict.fromkeys(own[-1].tolist()):
        reads, *neurons = (np.flatnonzero(level == label).tolist() for level in own)
        if reads:
            found.append((reads, neurons))
    return found


def _sent(
    layers: Sequence[Layer],
    reader: np.ndarray,
    members: tuple[list[int], list[list[int]]],
    activation: str,
    sources: Rows,
    told: float,
    sums: bool,
) -> list[_Sent]:
    """The numbers that the layer above reads of a part."""
    reads, neurons = members
    places = [reads, *neurons]
    own = [(w[np.ix_(up, low)], b[up]) for (w, b), low, up in zip(layers, places, neurons, strict=False)]
    out = reader[:, neurons[-1]]
    points = sources[:, reads]
    below = DensePart((*own, (np.eye(len(neurons[-1])), np.zeros(len(neurons[-1])))), activation)
    read = below(points) @ out.T
    middle = read.mean(axis=0)
    unit = np.where(read.std(axis=0) > 0, read.std(axis=0).max(), 1.0)
    _, sizes, directions = np.linalg.svd((read - middle) / unit, full_matrices=False)
    share = np.cumsum(sizes**2) / max(float((sizes**2).sum()), 1e-300)
    count = int(np.searchsorted(share, told)) + 1
    found = [_Sent(middle, {}, 1.0, None)]
    design = np.column_stack([points, np.ones(len(points))])
    for direction in directions[:count]:
        weights = (direction / unit) @ out
        constant = float((direction / unit) @ middle)
        values = (read - middle) @ (direction / unit)
        line = np.linalg.lstsq(design, values, rcond=None)[0]
        if (design @ line - values).var() <= (1 - EQUIVALENT) * values.var():
            pairs = {j: float(w) for j, w in zip(reads, line[:-1], strict=True) if w}
            found.append(_Sent(direction * unit, pairs, float(line[-1]), None))
            continue
        weight = own[0][0]
        taken, first = _few_arguments(weight, points) if sums else (np.eye(len(reads)), weight)
        part = DensePart(((first, own[0][1]), *own[1:], (weights[None], np.array([-constant]))), activation)
        made = np.zeros((len(taken), sources.shape[1]))
        made[:, reads] = taken
        found.append(_Sent(direction * unit, {}, 0.0, Quantity(made, part)))
    return found
