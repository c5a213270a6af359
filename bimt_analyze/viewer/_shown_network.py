"""What a view shows, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bimt_train.showing import Shown

from ..graph import NeuronGraph, NodeId
from ._cuts import Cut
from ._film import Frame


@dataclass(frozen=True, eq=False, repr=False)
class ShownNetwork(Shown):
    """A graph, its modules, and what is known of both.

    Attributes
    ----------
    graph : NeuronGraph
        What is shown.
    modules : tuple of frozenset of (str, int)
        The modules by their neurons; neurons of none are shown as such.
    title : str
        The heading.
    notes : tuple of str
        A line about each module; empty where there is nothing to say.
    effects : mapping of (str, int) to float
        What the outputs lose without a neuron, where that is known.
    cuts : tuple of Cut
        The loss of the network without its weak edges, where that is known.
    loss : str
        What the loss is called.
    film : tuple of Frame
        Its training, where that is known.
    """

    graph: NeuronGraph
    modules: tuple[frozenset[NodeId], ...]
    title: str
    notes: tuple[str, ...] = ()
    effects: Mapping[NodeId, float] = field(default_factory=dict)
    cuts: tuple[Cut, ...] = ()
    loss: str = ""
    film: tuple[Frame, ...] = ()

    def _brief(self) -> str:
        sizes = f"{len(self.graph.nodes)} neurons, {len(self.graph.edges.weight)} edges, {len(self.modules)} modules"
        return f"{self.title}: {sizes}{f', {len(self.film)} frames' if self.film else ''}"
