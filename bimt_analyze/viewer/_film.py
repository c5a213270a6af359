"""Training as a film: the network at some steps."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bimt_train import InputError
from bimt_train.showing import Shown
from bimt_train.training import Snapshot

from ..graph import Edges, NeuronGraph, neuron_graph

FRAMES = 60
WEIGHT = 1e-2  # weights from which an edge is shown, as training counts edges
MOST = 2_000_000  # edges of all frames together


@dataclass(frozen=True, repr=False)
class Frame(Shown):
    """A network at one step of its training.

    Attributes
    ----------
    step : int
        Steps done.
    graph : NeuronGraph
        The network then; its neurons stand where they stood.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> Frame(10, neuron_graph(block_network(blocks=[(2, 3, 1)], seed=0).network)).step
    10
    """

    step: int
    graph: NeuronGraph


def film_of(snapshots: Sequence[Snapshot], *, frames: int = FRAMES, threshold: float = WEIGHT) -> tuple[Frame, ...]:
    """The frames of a film of one network's training, for `network_view`.

    Frames are snapshots; they are evenly spaced in the square root of the step, since most of the moving is early. Of
    large networks each frame keeps its strongest edges, 2,000,000 in all frames together.

    Parameters
    ----------
    snapshots : sequence of Snapshot
        Snapshots of one seed, as `bimt_train.Snapshots` keeps them.
    frames : int, default 60
        Frames at most.
    threshold : float, default 0.01
        Weights of at most this magnitude are left out.

    Returns
    -------
    tuple of Frame
        First to last.

    Raises
    ------
    InputError
        There are fewer than two snapshots or frames, or the snapshots have different layouts.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.viewer import network_view
    >>> film = film_of([Snapshot(step, block_network(blocks=[(2, 3, 1)], seed=step).network) for step in (0, 10)])
    >>> [frame.step for frame in film]
    [0, 10]
    >>> network_view(film[-1].graph, film=film)
    NetworkView(network: 6 neurons, 9 edges, 0 modules, 2 frames)
    """
    if min(len(snapshots), frames) < 2 or any(one.network.layout != snapshots[0].network.layout for one in snapshots):
        raise InputError(
            "no film can be made of these snapshots",
            expected="two or more, of one layout, and two frames or more",
            got=f"{len(snapshots)} snapshots, {frames} frames",
            hint="train with --film and read them with load_snapshots, or pass a Snapshots() to train's callbacks",
        )
    steps = np.array([one.step for one in snapshots])
    wanted = steps[0] + (steps[-1] - steps[0]) * np.linspace(0, 1, frames) ** 2
    kept = np.unique(np.abs(steps[:, None] - wanted).argmin(axis=0))
    return tuple(
        Frame(snapshots[at].step, _strongest(neuron_graph(snapshots[at].network), threshold, MOST // len(kept)))
        for at in kept.tolist()
    )


def _strongest(graph: NeuronGraph, threshold: float, most: int) -> NeuronGraph:
    """The graph with edges above a threshold alone, and at most so many of them."""
    above = np.flatnonzero(graph.edges.weight > threshold)
    order = np.sort(above[np.argsort(-graph.edges.weight[above], kind="stable")[:most]])
    left_out = graph.left_out + len(above) - len(order)
    return replace(graph, edges=Edges(*(values[order] for values in graph.edges)), left_out=left_out)
