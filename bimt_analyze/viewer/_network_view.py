"""A network as an interactive page, and how it is made."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bimt_train import InputError
from bimt_train.whole_files import made_folder, write_whole

from ..graph import NeuronGraph, NodeId
from ._cuts import Cut
from ._film import Frame
from ._shown_network import ShownNetwork
from ._view_page import render_page


@dataclass(frozen=True, eq=False, repr=False)
class NetworkView(ShownNetwork):
    """A network as an interactive page: modules first, opened on demand down to neurons and weights.

    The page is one file that needs nothing else. It can be used with the keyboard alone and with a screen reader.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> planted = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    >>> view = network_view(neuron_graph(planted.network), modules=planted.partition.modules, title="two blocks")
    >>> view
    NetworkView(two blocks: 12 neurons, 18 edges, 2 modules)
    >>> "<canvas" in view.html()
    True
    """

    def html(self) -> str:
        """The page.

        Returns
        -------
        str
            One page that holds everything, its numbers too: no library, no font, nothing from outside.
        """
        return render_page(self)

    def save(self, path: str | Path) -> Path:
        """Write the page; folders are made if need be.

        Parameters
        ----------
        path : str or Path
            The file.

        Returns
        -------
        Path
            The path.
        """
        path = Path(path)
        made_folder(path.parent)
        write_whole(path, self.html())
        return path


def network_view(
    graph: NeuronGraph,
    *,
    modules: Sequence[Collection[NodeId]] = (),
    title: str = "network",
    notes: Sequence[str] = (),
    effects: Mapping[NodeId, float] | None = None,
    cuts: Sequence[Cut] = (),
    loss: str = "loss",
    film: Sequence[Frame] = (),
) -> NetworkView:
    """An interactive page of a network, for any size up to some million edges.

    Closed modules are discs; the ends of the network and open modules show their neurons, each where its layout places
    it, and their edges. A slider hides weak edges, a search finds names, colours say the module, the layer or the
    effect of each neuron. Layers on grids are planes in space that can be turned. The report of an analysis makes its
    own: ``report.save(view="view.html")``.

    Parameters
    ----------
    graph : NeuronGraph
        What to show.
    modules : sequence of collections of (str, int), default ()
        The modules by their neurons, in their order. Neurons of none are shown as such; without any modules the layers
        stand for them.
    title : str, default "network"
        The heading.
    notes : sequence of str, default ()
        A line about each module.
    effects : mapping of (str, int) to float, optional
        What the outputs lose without a neuron.
    cuts : sequence of Cut, default ()
        The loss with the strongest edges alone, for some numbers of these.
    loss : str, default "loss"
        What the loss is called.
    film : sequence of Frame, default ()
        Training, as `film_of` gives it; ``graph`` is that of its last frame. A slider shows each frame, in which
        neurons stand where they stood. Losses of cuts are of one network, so they do not go with it.

    Returns
    -------
    NetworkView
        The page, to be saved.

    Raises
    ------
    InputError
        A module names a neuron that the graph does not have, or a film is of another network.

    Examples
    --------
    >>> import tempfile
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    >>> view = network_view(neuron_graph(planted.network), modules=planted.partition.modules)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     view.save(f"{folder}/view.html").name
    'view.html'
    """
    sets = tuple(frozenset(module) for module in modules)
    strange = sorted({key for members in sets for key in members if key not in graph.numbers})
    if strange:
        raise InputError(
            "a module names a neuron that the graph does not have",
            where="modules", expected=f"neurons of {', '.join(graph.groups)}", got=str(strange[0]),
            hint="give the modules of this very graph",
        )  # fmt: skip
    if film and (film[-1].graph is not graph or cuts or any(one.graph.numbers != graph.numbers for one in film)):
        raise InputError(
            "a film of another network", where="film", expected="frames of this graph's neurons, the last of it itself",
            got=f"{len(film)} frames, {len(cuts)} cuts",
            hint="network_view(film[-1].graph, film=film), without cuts",
        )  # fmt: skip
    return NetworkView(graph, sets, title, tuple(notes), dict(effects or {}), tuple(cuts), loss, tuple(film))
