"""The circuit of a checkpoint's network, its graph, and the rows to ask them about."""

import math

import numpy as np
from jaxtyping import Float64

from bimt_train.checkpoints import Checkpoint, Network, task_score
from bimt_train.checkpoints.own_outputs import OWN_OUTPUTS
from bimt_train.extras import MissingExtra, installed
from bimt_train.pruning import Circuit, Search

from ._network_size import STRONGEST, is_large
from .graph import NeuronGraph, neuron_graph, with_ends
from .graph._edge_weights import Unfollowed
from .options._analysis_options import AnalysisOptions

_WORK, _TOO_MUCH = 1e7, 1e8  # weights times predictions (times steps) to look at; from where on it must be brief
_MUCH_ATTENTION = 1e7  # of sequences of tokens, whose attention is work besides: from where on thresholds are few
_FEWEST_ROWS, _FEWEST_TOKENS = 400, 4096  # that it looks at in any case
_WEIGHED_ROWS = 500
_JUDGED_TOKENS, _FEWEST_SEQUENCES = 2000, 20


def circuit_of(
    checkpoint: Checkpoint, *, tolerance: float = 0.05, refit_steps: int = 60, search: Search = "sweep"
) -> Circuit:
    """The circuit of a checkpoint's network, found in the network's own units.

    All rows of the probe serve: judged on its training rows alone, a network keeps weak connections that fit their
    accidents. So the circuit's loss is no estimate of a loss on fresh data. A network of many weights is pruned on some
    of them, evenly spaced, so that weights times predictions, times the steps of a sequence, stay near ten million; on
    400 rows at least, or 4096 tokens. Where that is more than a hundred million, thresholds are narrowed down and
    nothing is refitted. Of sequences of tokens thresholds are narrowed down from ten million on.

    Where the targets are the network's own outputs, its loss is 0, and a fraction of 0 allows nothing. There the
    circuit's outputs may move by ``tolerance`` deviations: its loss may reach ``tolerance**2`` times a constant's.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network and its rows.
    tolerance : float
        Fraction of its loss that the circuit may lose.
    refit_steps : int
        Steps of Adam on the weights left, at every threshold.
    search : str
        How thresholds are tried, as `bimt_train.prune` takes it.

    Returns
    -------
    Circuit
        The smallest network found that does the task as well.

    Examples
    --------
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import formula_task
    >>> runs = train(formula_task(["y = x1 + x2"]), seeds=1, recipe=Recipe(steps=40))
    >>> circuit_of(runs.best.checkpoint, refit_steps=0).edges > 0
    True
    """
    from bimt_train import prune  # brings torch

    task, (x, y) = checkpoint.task, all_rows(checkpoint)
    tokens = task.predictions
    weights = max(checkpoint.network.edges(-1.0), 1) * checkpoint.network.layout.steps
    fewest = _FEWEST_ROWS if tokens == 1 else -(-_FEWEST_TOKENS // tokens)
    enough = min(len(x), max(fewest, round(_WORK / weights / tokens)))
    brief = weights * enough * tokens > _TOO_MUCH
    narrows = brief or (tokens > 1 and weights * enough * tokens > _MUCH_ATTENTION)
    some = np.linspace(0, len(x) - 1, enough).astype(np.int64)
    x, y = x[some], y[some]
    y = task.to_network_targets(task.one_hot(y))
    own = checkpoint.config.get("targets") == OWN_OUTPUTS and not task.reads_sequences
    return prune(
        checkpoint.network,
        task.to_network_inputs(x),
        y,
        loss=task.loss,
        tolerance=tolerance,
        refit_steps=0 if brief else refit_steps,
        search="narrowing" if narrows and search == "sweep" else search,
        allowance=tolerance**2 * float(y.var(axis=0).mean()) if own else 0.0,
    )


def circuit_to_analyse(checkpoint: Checkpoint, options: AnalysisOptions) -> Circuit:
    """The circuit that an analysis or an audit looks at.

    A network that is hardly better than a constant (`TaskScore.useless`) is not pruned: any cut would be as good. Nor
    is one of very many weights (`is_large`). Where torch is not installed, nothing is run, and nothing is cut.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network and its rows.
    options : AnalysisOptions
        Tolerance, and steps of refitting.

    Returns
    -------
    Circuit
        What `circuit_of` finds, or the network with nothing cut.
    """
    if not installed("torch"):
        return _uncut(checkpoint.network, options.tolerance)
    score = task_score(checkpoint)
    whole = (score is not None and score.useless) or is_large(checkpoint.network, memory=options.memory)
    search: Search = "none" if whole else "sweep"
    return circuit_of(checkpoint, tolerance=options.tolerance, refit_steps=options.refit_steps, search=search)


def _uncut(network: Network, tolerance: float) -> Circuit:
    """The network as it is, of unknown loss."""
    kept = {group.name: tuple(range(group.size)) for group in network.layout.groups}
    return Circuit(network, kept, 0.0, math.nan, math.nan, tolerance, refit_steps=0, sweep=())


def graph_of(
    network: Network, checkpoint: Checkpoint, *, edge_weight: str | None = None, memory: float = 0.0
) -> NeuronGraph:
    """The graph of a checkpoint's network or circuit.

    On 500 rows of the probe at most, evenly spaced. Of a large network (`is_large`) the graph is a backbone: the eight
    strongest edges of each neuron to and from each group. Where inputs are tokens, the graph begins at what embeddings
    fill (`with_ends`).

    Parameters
    ----------
    network : Network
        The checkpoint's network or its circuit.
    checkpoint : Checkpoint
        Gives the rows.
    edge_weight : str or None
        Name of the edge weight. None takes attribution, which no scale of neurons changes, or activation where inputs
        are tokens: gradients of as many outputs as there are tokens would take long. Where what a weight reads and
        writes cannot be followed, or torch is not installed, None takes magnitude.
    memory : float, default 0.0
        GiB that the analysis may take; 0 for no such limit.

    Returns
    -------
    NeuronGraph
        Only weights that are not exactly 0 become edges.

    Raises
    ------
    InputError
        There is no such edge weight, or the network cannot be weighted by it.
    """
    x, strongest = all_inputs(checkpoint), STRONGEST if is_large(checkpoint.network, memory=memory) else None
    if not network.layout.ends_are_neurons:
        return with_ends(_weighted(network, x, edge_weight, "activation", strongest), network.layout)
    some = np.linspace(0, len(x) - 1, min(len(x), _WEIGHED_ROWS)).astype(np.int64)
    return _weighted(network, x[some], edge_weight, "attribution", strongest)


def _weighted(
    network: Network, x: np.ndarray, edge_weight: str | None, best: str, strongest: int | None
) -> NeuronGraph:
    """The graph with the best edge weights, or those that were asked for; magnitudes where nobody asked."""
    try:
        return neuron_graph(network, weights=edge_weight or best, x=x, strongest=strongest)
    except (Unfollowed, MissingExtra):
        if edge_weight is not None:
            raise
        return neuron_graph(network, weights="magnitude", strongest=strongest)


def all_rows(checkpoint: Checkpoint) -> tuple[Float64[np.ndarray, "rows inputs"], Float64[np.ndarray, "rows targets"]]:
    """All rows of the probe, training rows first.

    Parameters
    ----------
    checkpoint : Checkpoint
        Gives the probe.

    Returns
    -------
    x : float64 array [rows, inputs]
        Inputs in the task's units.
    y : float64 array [rows, targets]
        Targets in the task's units.
    """
    probe = checkpoint.probe
    return np.concatenate([probe.x_train, probe.x_test]), np.concatenate([probe.y_train, probe.y_test])


def all_inputs(checkpoint: Checkpoint) -> Float64[np.ndarray, "rows inputs"]:
    """All rows of the probe as the network sees them.

    Parameters
    ----------
    checkpoint : Checkpoint
        Gives the probe and the task's units.

    Returns
    -------
    float64 array [rows, inputs]
        Inputs in the network's units.
    """
    return checkpoint.task.to_network_inputs(all_rows(checkpoint)[0])


def held_out(
    checkpoint: Checkpoint,
) -> tuple[Float64[np.ndarray, "rows inputs"], Float64[np.ndarray, "rows *places targets"]]:
    """The test rows as the network sees them, and their targets in its units, classes one-hot.

    Of sequences of tokens, as many rows, evenly spaced, as ask for some 2,000 predictions.

    Parameters
    ----------
    checkpoint : Checkpoint
        Gives the probe and the task's units.

    Returns
    -------
    x : float64 array [rows, inputs]
        Inputs in the network's units.
    y : float64 array [rows, *places, targets]
        Targets in the network's units.
    """
    task, probe = checkpoint.task, checkpoint.probe
    if not task.reads_sequences:
        return task.to_network_inputs(probe.x_test), task.to_network_targets(task.one_hot(probe.y_test))
    enough = min(len(probe.x_test), max(_FEWEST_SEQUENCES, _JUDGED_TOKENS // task.predictions))
    some = np.linspace(0, len(probe.x_test) - 1, enough).astype(np.int64)
    return task.to_network_inputs(probe.x_test[some]), np.eye(len(task.outputs))[probe.y_test[some].astype(np.int64)]
