"""What there is to ask about: a network with its circuit, its graph and the graph's hierarchy."""

from dataclasses import dataclass

from bimt_train.checkpoints import Checkpoint, Network, TaskSpec
from bimt_train.pruning import Circuit
from bimt_train.showing import Shown

from ..graph import NeuronGraph
from ..modules import Hierarchy
from ..options._analysis_options import AnalysisOptions


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Subject(Shown):
    """A network with its circuit, its graph and the graph's hierarchy: what analyses and audits ask about.

    Attributes
    ----------
    source : str
        Where the network comes from.
    checkpoint : Checkpoint
        The network before pruning, its task and its probe rows.
    circuit : Circuit
        The pruned network.
    graph : NeuronGraph
        The graph of the circuit.
    levels : Hierarchy
        The hierarchy of the graph.
    options : AnalysisOptions
        All that was asked for, as it takes effect.
    """

    source: str
    checkpoint: Checkpoint
    circuit: Circuit
    graph: NeuronGraph
    levels: Hierarchy
    options: AnalysisOptions

    @property
    def network(self) -> Network:
        """The circuit's network."""
        return self.circuit.network

    @property
    def task(self) -> TaskSpec:
        """The task of the checkpoint."""
        return self.checkpoint.task
