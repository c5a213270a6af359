"""Which variables of a system drive which, as a network that learned their derivatives says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.showing import Shown

_LEAST = 1e-3  # of a derivative's variance: an ablation that moves it less tells of no driver

Joined = Bool[np.ndarray, "outputs inputs"]


@dataclass(frozen=True, repr=False)
class Drive(Shown):
    """What one variable has to do with the derivative of another.

    Attributes
    ----------
    source : str
        The variable that may drive.
    target : str
        The variable whose derivative it is.
    joined : bool
        Whether living connections lead from the one to the other.
    effect : float or None
        What holding the source at its mean changes of the network's derivative: the mean square, over the variance of
        the derivative. None where the derivative is declared, and not learned.

    Examples
    --------
    >>> Drive("v", "x", True, 0.5), Drive("x", "x", True, 1e-5)
    (Drive(v drives x, effect 0.5), Drive(x does not drive x, effect 1e-05))
    """

    source: str
    target: str
    joined: bool
    effect: float | None

    @property
    def drives(self) -> bool:
        """Whether the source drives the target: connections lead there, and the effect is 0.001 or more."""
        return self.joined and (self.effect is None or self.effect >= _LEAST)

    def _brief(self) -> str:
        verb = "drives" if self.drives else "does not drive"
        how = "declared" if self.effect is None else f"effect {self.effect:.3g}"
        return f"{self.source} {verb} {self.target}, {how}"


@dataclass(frozen=True, repr=False)
class DrivingGraph(Shown):
    """The graph of a system, as a network says: which variable drives which.

    Attributes
    ----------
    variables : tuple of str
        The variables.
    drives : tuple of Drive
        One for each pair of variables, target by target.

    Examples
    --------
    >>> pairs = [("x", "x", False), ("v", "x", True), ("x", "v", True), ("v", "v", False)]
    >>> graph = DrivingGraph(("x", "v"), tuple(Drive(a, b, joined, 1.0) for a, b, joined in pairs))
    >>> graph
    DrivingGraph(x is driven by v; v is driven by x)
    >>> graph.adjacency().tolist()
    [[False, True], [True, False]]
    """

    variables: tuple[str, ...]
    drives: tuple[Drive, ...]

    @property
    def drivers(self) -> Mapping[str, tuple[str, ...]]:
        """Which variables drive which: variable -> those that drive it."""
        return {
            name: tuple(one.source for one in self.drives if one.target == name and one.drives)
            for name in self.variables
        }

    def adjacency(self) -> Bool[np.ndarray, "variables variables"]:
        """The graph as a matrix: entry [i, j] is True where variable j drives variable i."""
        drivers = self.drivers
        return np.array([[one in drivers[other] for one in self.variables] for other in self.variables])

    def lines(self) -> tuple[str, ...]:
        """What drives each variable, a clause each."""
        return tuple(f"{name} is driven by {', '.join(by) or 'nothing'}" for name, by in self.drivers.items())

    def _brief(self) -> str:
        return "; ".join(self.lines())

    def to_json(self) -> dict[str, Any]:
        """The graph as plain values."""
        pairs = [
            {"source": one.source, "target": one.target, "joined": one.joined, "effect": one.effect,
             "drives": one.drives}
            for one in self.drives
        ]  # fmt: skip
        return {"drivers": {name: list(by) for name, by in self.drivers.items()}, "pairs": pairs}


def driving_graph(checkpoint: Checkpoint, circuit: Network, joined: Joined) -> DrivingGraph:
    """Read the graph of a system off a network that learned its derivatives.

    A variable drives another where living connections of the pruned network lead from the one to the derivative of the
    other, and where holding it at its mean changes that derivative by 0.001 of its variance or more.

    Parameters
    ----------
    checkpoint : Checkpoint
        Of a task of motion (`bimt_train.tasks.ode_task`).
    circuit : Network
        Its pruned network.
    joined : array of bool, shape (outputs, inputs)
        Whether a path of the circuit joins them (`bimt_analyze.audits.reachable_inputs`).

    Returns
    -------
    DrivingGraph
        The graph.

    Raises
    ------
    InputError
        The task is none of motion.

    Examples
    --------
    >>> from bimt_train.checkpoints import Probe, TaskSpec, from_state_dict
    >>> from bimt_train.checkpoints._ode_spec import OdeSpec
    >>> x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    >>> read = from_state_dict({"weight": np.array([[0.0, 1.0], [-4.0, 0.0]])}, activation="relu", ranges=(-1, 1))
    >>> spec = TaskSpec("swing", ("x", "v"), ("a", "b"), ((-1, 1),) * 2, ode=OdeSpec("t", ("x", "v")))
    >>> rows = Probe(x, x[:, ::-1] * [1, -4], x, x[:, ::-1] * [1, -4])
    >>> driving_graph(Checkpoint(read.network, spec, rows), read.network, np.array([[False, True], [True, False]]))
    DrivingGraph(x is driven by v; v is driven by x)
    """
    task, ode = checkpoint.task, checkpoint.task.ode
    if ode is None:
        raise InputError("no task of motion", where=f"task {task.name!r}", hint="train it by --time COLUMN")
    effect = _effects(checkpoint, circuit)
    speeds, pairs = dict(ode.speeds), list[Drive]()
    for target in task.inputs:
        for place, source in enumerate(task.inputs):
            if target in speeds:
                pairs.append(Drive(source, target, speeds[target] == source, None))
                continue
            output = ode.derivatives.index(target)
            pairs.append(Drive(source, target, bool(joined[output, place]), float(effect[output, place])))
    return DrivingGraph(task.inputs, tuple(pairs))


def _effects(checkpoint: Checkpoint, circuit: Network) -> Float64[np.ndarray, "outputs inputs"]:
    """What holding each input at its mean changes of each output, over the variance of the target."""
    task, probe = checkpoint.task, checkpoint.probe
    x, y = (np.concatenate(side) for side in ((probe.x_train, probe.x_test), (probe.y_train, probe.y_test)))
    plain, spread = _outputs(checkpoint, circuit, x), np.var(y, axis=0)
    found = np.empty((len(task.outputs), len(task.inputs)))
    for place in range(x.shape[1]):
        held = x.copy()
        held[:, place] = np.mean(x[:, place])
        moved = np.mean((_outputs(checkpoint, circuit, held) - plain) ** 2, axis=0)
        found[:, place] = moved / np.where(spread > 0, spread, 1.0)
    return found


def _outputs(
    checkpoint: Checkpoint, circuit: Network, x: Float64[np.ndarray, "rows inputs"]
) -> Float64[np.ndarray, "rows outputs"]:
    task = checkpoint.task
    return task.from_network_outputs(circuit.predict(task.to_network_inputs(x)))
