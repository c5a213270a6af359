"""What pruning finds, as a value: the circuit, and every threshold that was tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..checkpoints import Network
from ..showing import Shown, to_cell
from ._dead_neurons import unwired

Search = Literal["sweep", "narrowing", "none"]


@dataclass(frozen=True, repr=False)
class SweepPoint(Shown):
    """What is left of a network when weights up to a threshold are cut.

    Attributes
    ----------
    threshold : float
        Weights of at most this magnitude are zero.
    edges : int
        Weights left, dead ends not counted.
    loss : float
        The loss after cutting, and after the refit where one was made.
    components : int
        Connected components among the neurons that have an edge.

    Examples
    --------
    >>> point = SweepPoint(threshold=0.01, edges=12, loss=0.002, components=2)
    >>> point.edges
    12
    """

    threshold: float
    edges: int
    loss: float
    components: int


@dataclass(frozen=True, eq=False, repr=False)
class Circuit(Shown):
    """The smallest network found that does the task as well, within a tolerance.

    Attributes
    ----------
    network : Network
        The circuit; cut weights are exactly zero, dead hidden neurons gone, biases folded onwards. How, the kind of
        model says (`ModelOptions.hidden_parts`). Where it does not, dead neurons stay without edges, and an edge goes
        only if no output moves without it on these rows.
    kept : mapping of str to tuple of int
        For each group, the numbers that its neurons had in the original network.
    threshold : float
        Weights of at most this magnitude were cut.
    loss : float
        Of the circuit.
    full_loss : float
        Of the original network.
    tolerance : float
        The loss may exceed ``full_loss`` by this fraction of it.
    refit_steps : int
        Steps of Adam on the weights left, for every threshold tried.
    sweep : tuple of SweepPoint
        Every threshold that was tried. Of those that held without a refit, narrowing refits the greatest at most.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([2, 1])).with_tensors({"layers.0.weight": np.array([[1.0, 0.0]])})
    >>> sweep = (SweepPoint(0.0, 2, 0.1, 1), SweepPoint(0.01, 1, 0.1, 1))
    >>> kept = {"x": (0, 1), "y": (0,)}
    >>> circuit = Circuit(network, kept, 0.01, 0.1, 0.1, tolerance=0.05, refit_steps=0, sweep=sweep)
    >>> circuit.edges, circuit.to_json()["loss"]
    (1, 0.1)
    """

    network: Network
    kept: Mapping[str, tuple[int, ...]]
    threshold: float
    loss: float
    full_loss: float
    tolerance: float
    refit_steps: int
    sweep: tuple[SweepPoint, ...]

    def _brief(self) -> str:
        return f"{self.edges} edges, {self.neurons} neurons, loss {self.loss:.2g}; {self.network._brief()}"

    def _repr_html_(self) -> str:
        rows = [(name, value) for name, value in self.to_json().items() if name != "sweep"]
        return to_cell(f"Circuit: {self.network._brief()}", columns=("figure", "value"), rows=rows)

    @property
    def edges(self) -> int:
        """Weights left."""
        return self.network.edges()

    @property
    def neurons(self) -> int:
        """Neurons left, inputs, outputs and residual streams included; what only fills up a head is not counted."""
        return sum(self.network.layout.sizes.values()) - unwired(self.network)

    def to_json(self) -> dict[str, Any]:
        """The figures, as plain values."""
        numbers = ("edges", "neurons", "threshold", "loss", "full_loss", "tolerance", "refit_steps")
        return {name: getattr(self, name) for name in numbers} | {"sweep": [vars(point) for point in self.sweep]}
