"""Module outputs: what neurons outside a module read of it."""

from functools import cached_property

import numpy as np
import scipy.linalg
from jaxtyping import Float, Float64

from bimt_train import InputError
from bimt_train.checkpoints import Connection, Network

from ...graph import NodeId, Trace

Module = frozenset[NodeId]
Columns = Float64[np.ndarray, "rows columns"]
Matrix = Float64[np.ndarray, "targets sources"]

_CONSTANT = 1e-9  # of the largest value: a smaller deviation is rounding


class RecordedActivations:
    """Activations of a feed-forward network on a batch of rows, and what each module contributes to its readers.

    Parameters
    ----------
    network : Network
        A feed-forward network.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them.

    Attributes
    ----------
    activations : dict of str to array
        Group -> the activations of its neurons, inputs and outputs too.
    connections : tuple of Connection
        Connections of the network.

    Raises
    ------
    InputError
        A weight tensor is no plain matrix or is not applied once a row; or as `Trace` raises it.
    """

    def __init__(self, network: Network, x: Float[np.ndarray, "rows inputs"]) -> None:
        trace = Trace(network, x)
        self.network, self.connections = network, network.connections()
        self._inputs, self._outputs = network.layout.inputs, network.layout.outputs
        layout = network.layout
        if layout.inputs and layout.input_neurons != tuple(range(layout.sizes[layout.inputs])):
            expected, hint = "rows that hold each input once", "ask about a feed-forward network of numbers"
            raise InputError("inputs that are not read once a row", where="x", expected=expected, hint=hint)
        self.activations = {c.source: np.zeros((len(x), c.matrix.shape[1])) for c in self.connections}
        for c in self.connections:  # each reads a group, or a part of one
            part = layout.tensors[c.tensor].plan.parts[1].neurons
            self.activations[c.source][:, part] = _once(c, part, trace.sources(c.tensor), len(x))
        self.activations[self._outputs] = trace.outputs()

    @cached_property
    def alive(self) -> Module:
        """The neurons, inputs and outputs too, that vary over the rows and, but for outputs, are read at all."""
        read = {(c.source, int(j)) for c in self.connections for j in np.flatnonzero((c.matrix != 0).any(axis=0))}
        return frozenset(
            (group, j)
            for group, columns in self.activations.items()
            for j in np.flatnonzero(spread(columns) > 0).tolist()
            if group == self._outputs or (group, j) in read
        )

    def hidden(self, module: Module) -> Module:
        """The module's alive neurons between inputs and outputs.

        Parameters
        ----------
        module : frozenset of (group, index)
            Its neurons.

        Returns
        -------
        frozenset of (group, index)
            Those that are hidden and alive.
        """
        return frozenset(node for node in module & self.alive if node[0] not in (self._inputs, self._outputs))

    def arguments(self, module: Module) -> tuple[NodeId, ...]:
        """What the module reads and does not compute itself: inputs, and alive hidden neurons of others.

        Parameters
        ----------
        module : frozenset of (group, index)
            Its neurons.

        Returns
        -------
        tuple of (str, int)
            The neurons read, sorted.
        """
        own, found = self.hidden(module), set[NodeId]()
        for c in self.connections:
            reads = own if c.target != self._outputs else module
            rows = [(c.target, i) in reads for i in range(len(c.matrix))]
            found |= {(c.source, int(j)) for j in np.flatnonzero((c.matrix[rows] != 0).any(axis=0))}
        return tuple(sorted((found & self.alive) - own))

    def values(self, nodes: tuple[NodeId, ...]) -> Columns:
        """Activations of some neurons.

        Parameters
        ----------
        nodes : tuple of (str, int)
            The neurons.

        Returns
        -------
        array of float64, shape (rows, columns)
            One column a neuron.
        """
        columns = [self.activations[group][:, j] for group, j in nodes]
        return np.stack(columns, axis=1) if columns else np.zeros((len(self.activations[self._outputs]), 0))

    def output_weights(self, module: Module) -> dict[str, Matrix]:
        """For each weight tensor, the matrix that takes what it reads to the module's contribution at its targets.

        To an output in the module, the output; to a neuron i outside, sum over the module's hidden neurons j of w_ij
        a_j; to its own hidden neurons nothing. Each in units of the deviation of all that i reads on the rows of this
        batch, so that no neuron's scale matters and a reader that hardly reads the module hardly counts.

        Parameters
        ----------
        module : frozenset of (group, index)
            Its neurons.

        Returns
        -------
        dict of str to array of float64
            Name of the tensor -> matrix of targets and sources.
        """
        own, found = self.hidden(module), dict[str, Matrix]()
        for c in self.connections:
            units = self._units[c.target][:, None]
            inside = np.array([[(c.target, i) in module] for i in range(len(c.matrix))])
            mine = np.array([(c.source, j) in own for j in range(c.matrix.shape[1])])
            weights = np.divide(c.matrix, units, out=np.zeros(c.matrix.shape), where=units > 0)
            found[c.tensor] = np.where(np.where(inside, c.target == self._outputs, mine), weights, 0.0)
        return found

    def deviation_read(self, group: str, i: int) -> float:
        """Standard deviation of all that a neuron reads.

        Parameters
        ----------
        group : str
            Its group.
        i : int
            Its number in the group.

        Returns
        -------
        float
            On the rows of this batch; 0 where that is constant.
        """
        return float(self._units[group][i])

    @cached_property
    def _units(self) -> dict[str, Float64[np.ndarray, " neurons"]]:
        """Standard deviation of all that each neuron reads."""
        received: dict[str, Columns] = {}
        for c in self.connections:
            received[c.target] = received.get(c.target, 0.0) + self.activations[c.source] @ c.matrix.T
        return {group: spread(columns) for group, columns in received.items()}


class ModuleOutputs:
    """A module's output as one number: the first principal component of all its outputs.

    See `RecordedActivations.output_weights` for what these are.

    Parameters
    ----------
    recorded : RecordedActivations
        Activations of the network.
    module : frozenset of (group, index)
        Neurons of the module.

    Attributes
    ----------
    module : frozenset of (str, int
        ) Neurons of the module.
    weights : dict of str to array
        For each weight tensor, how the number is made of what the tensor reads.
    component : array of float64, shape (rows,
        ) The number, row by row.
    share : float
        Share of the variance of all the module's outputs that this number has.
    """

    def __init__(self, recorded: RecordedActivations, module: Module) -> None:
        weights_out = recorded.output_weights(module)
        ends: dict[str, Columns] = {}
        for c in recorded.connections:
            ends[c.target] = ends.get(c.target, 0.0) + recorded.activations[c.source] @ weights_out[c.tensor].T
        columns = np.concatenate(list(ends.values()), axis=1)
        direction, share = _first_component(columns - columns.mean(axis=0))
        parts = np.split(direction, np.cumsum([end.shape[1] for end in ends.values()])[:-1])
        along = dict(zip(ends, parts, strict=True))
        self.module = module
        self.weights = {c.tensor: weights_out[c.tensor].T @ along[c.target] for c in recorded.connections}
        self.component: Float64[np.ndarray, " rows"] = columns @ direction
        self.share = share

    @property
    def constant(self) -> bool:
        """Whether no output of the module varies."""
        return bool(spread(self.component[:, None])[0] == 0)


def _first_component(columns: Columns) -> tuple[Float64[np.ndarray, " columns"], float]:
    """The direction along which centred columns vary most, its sum at least 0, and its share of their variance."""
    wide = columns.shape[1] > columns.shape[0]
    products = columns @ columns.T if wide else columns.T @ columns
    last = len(products) - 1
    sizes, vectors = scipy.linalg.eigh(products, subset_by_index=(last, last))
    total = float(np.trace(products))
    direction = columns.T @ vectors[:, 0] if wide else vectors[:, 0]
    length = float(np.linalg.norm(direction))
    if total == 0 or length == 0:  # nothing varies: any direction serves
        return np.eye(columns.shape[1])[0], 0.0
    return direction * ((1.0 if direction.sum() >= 0 else -1.0) / length), float(sizes[0]) / total


def spread(columns: Columns) -> Float64[np.ndarray, " columns"]:
    """Standard deviations; rounding about a constant is no deviation.

    Parameters
    ----------
    columns : array of float64, shape (rows, columns)
        Values, one quantity a column.

    Returns
    -------
    array of float64, shape (columns,)
        One deviation a column; 0 where it is below 1e-9 of the largest value.
    """
    found = columns.std(axis=0)
    return np.where(found > _CONSTANT * np.abs(columns).max(axis=0, initial=0.0), found, 0.0)


def squared_correlation(a: Float64[np.ndarray, " rows"], b: Float64[np.ndarray, " rows"]) -> float:
    """r2 of one quantity by another up to scale and offset.

    Parameters
    ----------
    a : array of float64, shape (rows,)
        Values of the one.
    b : array of float64, shape (rows,)
        Values of the other.

    Returns
    -------
    float
        The squared correlation; 0 where one of them is constant.
    """
    a, b = a - a.mean(), b - b.mean()
    size = float((a @ a) * (b @ b))
    return float(a @ b) ** 2 / size if size > 0 else 0.0


def _once(connection: Connection, part: slice, read: Columns, rows: int) -> Columns:
    width = connection.matrix[:, part].shape[1]
    if read.shape != (rows, width):
        raise InputError(
            "a layer that is not read once a row",
            where=f"tensor '{connection.tensor}'",
            expected=str([rows, width]),
            got=str(list(read.shape)),
            hint="ask about a feed-forward network of numbers",
        )
    return read
