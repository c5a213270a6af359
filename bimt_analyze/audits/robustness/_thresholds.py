"""Over which thresholds of pruning a network shows the same structure from inputs to outputs, and at what cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.expressions import Decomposition
from bimt_train.pruning import Circuit
from bimt_train.showing import Shown

from ...graph import neuron_graph, with_ends
from ..truth._dependencies import known_dependencies, reachable_columns, reachable_inputs

_NOTHING = 1e-9  # of a constant's loss: what rounding leaves of a network that is its own target


@dataclass(frozen=True)
class ThresholdPoint:
    """One threshold of the sweep.

    Attributes
    ----------
    threshold : float
        Weights of at most this magnitude are 0.
    edges : int
        Number of edges left, dead ends not counted.
    loss : float
        Loss after cutting, and after the circuit's refit where it had one.
    exact : bool
        Whether each output is joined to exactly the inputs of the reference.
    """

    threshold: float
    edges: int
    loss: float
    exact: bool


@dataclass(frozen=True, repr=False)
class Thresholds(Shown):
    """Where along the sweep the structure is that of the reference.

    Attributes
    ----------
    points : tuple of ThresholdPoint
        The sweep, in rising order.
    reference : str
        "decomposition", the task's own, or "circuit" where that is not known.
    low : float or None
        First threshold of the widest run of exact ones; None where there is none.
    high : float or None
        Last threshold of that run.
    cost_low : float or None
        Loss at ``low``, over ``unit``.
    cost_high : float or None
        Loss at ``high``, over ``unit``.
    unit : {"network", "constant"}
        Whose loss the costs are counted in: the whole network's, or, where that misses next to nothing, a constant's.

    Examples
    --------
    >>> from bimt_analyze.audits.robustness._thresholds import Thresholds
    >>> found = Thresholds((), "circuit", low=0.125, high=0.5, cost_low=1.0, cost_high=1.5)
    >>> found.octaves
    2.0
    """

    points: tuple[ThresholdPoint, ...]
    reference: str
    low: float | None
    high: float | None
    cost_low: float | None
    cost_high: float | None
    unit: str = "network"

    @property
    def octaves(self) -> float:
        """How often ``low`` must be doubled to reach ``high``; 0 where one threshold alone is exact, or none."""
        return float(np.log2(self.high / self.low)) if self.low and self.high else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        names = ("reference", "low", "high", "octaves", "cost_low", "cost_high", "unit")
        return {name: getattr(self, name) for name in names} | {"points": [dict(vars(p)) for p in self.points]}


def thresholds(
    network: Network, circuit: Circuit, decomposition: Decomposition | None = None, *, constant_loss: float = 0.0
) -> Thresholds:
    """Cut the network at every threshold of the circuit's sweep, and ask which inputs reach which outputs.

    Parameters
    ----------
    network : Network
        The network before pruning.
    circuit : Circuit
        Its circuit, with the sweep.
    decomposition : Decomposition, optional
        The task's decomposition; left out, the circuit's own structure is the reference.
    constant_loss : float, default 0
        The loss of the best answer that is equal for all rows: the unit of costs where the network's loss is next to
        nothing beside it.

    Returns
    -------
    Thresholds
        Each threshold of the sweep, and the widest run of thresholds with the structure of the reference.

    Raises
    ------
    InputError
        The circuit is of another network.

    Notes
    -----
    The reference is what is known to depend on what; where nothing is known it is the circuit itself, and then the
    interval says only how long the circuit's own structure lasts. A narrow interval, or a high cost, means that the
    structure hangs on the choice of the threshold. Reaching is a path of weights, however small: it does not show that
    an output varies with an input (`leak` does).

    Examples
    --------
    >>> from bimt_analyze.audits.robustness._thresholds import thresholds
    >>> from bimt_train.pruning import Circuit
    >>> from bimt_train.pruning._circuit import SweepPoint
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 2, 1)] * 2, seed=1)
    >>> network = planted.network
    >>> kept = {group.name: tuple(range(group.size)) for group in network.layout.groups}
    >>> sweep = (SweepPoint(0.01, edges=8, loss=1.0, components=2), SweepPoint(0.04, edges=8, loss=1.5, components=2))
    >>> circuit = Circuit(network, kept, 0.04, loss=1.5, full_loss=1.0, tolerance=0.5, refit_steps=0, sweep=sweep)
    >>> found = thresholds(network, circuit)
    >>> found.low, found.high, found.octaves, found.cost_high
    (0.01, 0.04, 2.0, 1.5)
    """
    groups = {group.name: group.size for group in network.layout.groups}
    if set(circuit.kept) != set(groups):
        expected, got = ", ".join(groups), ", ".join(circuit.kept)
        raise InputError("a circuit of another network", where="circuit", expected=expected, got=got)
    wanted = _reached_in_circuit(network, circuit) if decomposition is None else known_dependencies(decomposition)
    ordered = sorted(circuit.sweep, key=lambda point: point.threshold)
    points = tuple(
        ThresholdPoint(
            point.threshold, point.edges, point.loss,
            bool((_reached(_cut(network, point.threshold), decomposition) == wanted).all()),
        )
        for point in ordered
    )  # fmt: skip
    reference = "circuit" if decomposition is None else "decomposition"
    run = _widest([point for point in points if point.threshold > 0])
    if not run:
        return Thresholds(points, reference, None, None, None, None)
    none = circuit.full_loss <= _NOTHING * constant_loss
    unit, amount = ("constant", constant_loss) if none else ("network", circuit.full_loss)
    low, high = ((point.threshold, point.loss / amount if amount > 0 else None) for point in (run[0], run[-1]))
    return Thresholds(points, reference, low[0], high[0], low[1], high[1], unit)


def _cut(network: Network, threshold: float) -> Network:
    kept = {
        name: np.where(np.abs(network.tensors[name]) > threshold, network.tensors[name], 0)
        for name in network.layout.weights()
    }
    return network.with_tensors(kept)


def _reached_in_circuit(network: Network, circuit: Circuit) -> Bool[np.ndarray, "outputs inputs"]:
    """In the network's own numbers: where inputs are no neurons, what stands for them may be cut itself."""
    graph, sizes = with_ends(neuron_graph(network), network.layout), network.layout.sizes
    if not graph.has_ends:
        raise InputError("it is not known at which neurons the network begins or ends")
    outputs, inputs = (
        np.concatenate([_flagged(circuit.kept[group], sizes[group]) for group in end.split()])
        for end in (graph.outputs, graph.inputs)
    )
    found = np.zeros((len(outputs), len(inputs)), dtype=bool)
    found[np.ix_(outputs, inputs)] = _reached(circuit.network, None)
    return found


def _flagged(kept: Sequence[int], size: int) -> Bool[np.ndarray, " neurons"]:
    return np.isin(np.arange(size), kept)


def _reached(network: Network, decomposition: Decomposition | None) -> Bool[np.ndarray, "outputs inputs"]:
    graph = with_ends(neuron_graph(network), network.layout)
    if decomposition is None:
        return np.asarray(reachable_inputs(graph)[graph.members(graph.outputs)])
    reached = reachable_columns(graph, decomposition, network.layout.input_neurons)
    return np.asarray(reached[graph.members(graph.outputs)])


def _widest(points: Sequence[ThresholdPoint]) -> list[ThresholdPoint]:
    """The run of neighbours that are all exact and span the widest range, in octaves."""
    runs: list[list[ThresholdPoint]] = [[]]
    for point in points:
        if point.exact:
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return max(runs, key=lambda run: (run[-1].threshold / run[0].threshold, len(run)) if run else (0.0, 0))
