"""What an audit looks at: a network with its circuit, its graph and its modules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from jaxtyping import Float

from bimt_train import InputError
from bimt_train.expressions import Decomposition

from .._circuit_of import all_inputs, held_out
from ..graph import NodeId
from ..modules import Choice, Partition
from ..modules._module_names import in_task_order, named_modules
from ._subject import Subject

if TYPE_CHECKING:  # brings torch
    from .functions._functional_modules import FunctionalModules

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AuditSubject(Subject):
    """What is audited: all that a measure may look at.

    Attributes
    ----------
    source : str
        Where the network comes from.
    checkpoint : Checkpoint
        The network before pruning, its task and its probe rows.
    circuit : Circuit
        The pruned network, whose modules are audited.
    graph : NeuronGraph
        The graph of the circuit.
    levels : Hierarchy
        The hierarchy of the graph.
    options : AnalysisOptions
        Seed, number of null networks and all else that was asked for.
    functional : FunctionalModules or None
        Modules by what the network does; None where they cannot be found.
    choice : Choice
        The level that is audited, chosen without looking at the truth.
    results : mapping of str to object
        The results of the measures that were made before this one.

    Examples
    --------
    An audit makes its subject; this one is made by hand, to try a measure on.

    >>> import numpy as np
    >>> from bimt_analyze import AnalysisOptions
    >>> from bimt_analyze.audits import MEASURES, AuditSubject
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.modules import choose_level, hierarchy
    >>> from bimt_train.checkpoints import from_state_dict
    >>> from bimt_train.pruning import Circuit
    >>> checkpoint = from_state_dict({"weight": np.eye(2)}, activation="relu", ranges=(-1, 1))
    >>> network, graph = checkpoint.network, neuron_graph(checkpoint.network)
    >>> whole = {group.name: tuple(range(group.size)) for group in network.layout.groups}
    >>> circuit = Circuit(network, whole, 0.0, loss=0.0, full_loss=0.0, tolerance=0.05, refit_steps=0, sweep=())
    >>> levels = hierarchy(graph, resolutions=(1.0,), runs=2)
    >>> subject = AuditSubject(
    ...     source="two wires", checkpoint=checkpoint, circuit=circuit, graph=graph, levels=levels, functional=None,
    ...     choice=choose_level(levels), options=AnalysisOptions(samples=20),
    ... )
    >>> subject.names
    ('{x1 -> y1}', '{x2 -> y2}')
    >>> MEASURES["shared_neurons"].function(subject)
    ()
    """

    functional: "FunctionalModules | None"
    choice: Choice
    results: Mapping[str, Any] = field(default_factory=dict)

    def _brief(self) -> str:
        return f"{self.source}, {len(self.choice.partition.modules)} modules, {len(self.results)} results"

    def too_large_for(self, measure: str) -> str:
        """Why a measure was left out of a network whose graph is a backbone.

        Parameters
        ----------
        measure : str
            Its name.

        Returns
        -------
        str
            A sentence without its full stop.
        """
        edges = len(self.graph.edges.weight) + self.graph.left_out
        return f"left out, as it takes long for {edges:,} edges; options that name it, {measure!r}, have it made"

    @property
    def partition(self) -> Partition:
        """The audited modules as a partition."""
        return self.choice.level.partition

    @cached_property
    def modules(self) -> tuple[frozenset[NodeId], ...]:
        """The audited modules, in the order in which the task names their outputs."""
        return in_task_order(self.network, self.partition)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The audited modules as ``{x1, x3 -> y1}``."""
        return tuple(map(str, named_modules(self.network, self.task, self.modules)))

    @cached_property
    def x(self) -> Float[np.ndarray, "rows inputs"]:
        """All rows of the probe as the network sees them."""
        return all_inputs(self.checkpoint)

    @cached_property
    def held_out(self) -> tuple[Float[np.ndarray, "tests inputs"], Float[np.ndarray, "tests *places outputs"]]:
        """The held-out rows as the network sees them, and their targets in its units; classes are one-hot."""
        return held_out(self.checkpoint)

    @property
    def decomposition(self) -> Decomposition | None:
        """The task's known decomposition; None where none is known, or where inputs and outputs are no neurons."""
        return self.task.decomposition if self.network.layout.ends_are_neurons else None

    def need_neurons(self) -> None:
        """Pass if inputs and outputs are neurons, so that single inputs can be varied.

        Raises
        ------
        InputError
            They are not, as in networks that read tokens.
        """
        if not self.network.layout.ends_are_neurons:
            raise InputError("inputs or outputs are no neurons")
