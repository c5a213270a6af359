"""How different the neurons of a layer are in what they read and in what they lead to. No truth is needed."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64, Int64

from ...graph import NeuronGraph
from ._absorbed_walks import absorbed
from ._group_blocks import Blocks, Stacks
from ._statistics import STATISTICS

_DAMPING = 1 - 1e-9  # keeps the system regular where a circle of neurons is cut off from all inputs


def specialisation(graph: NeuronGraph) -> float:
    """How much neurons of one layer differ in the inputs they come from and in the outputs they lead to, in bits.

    It is 0 if all neurons of a layer draw on the inputs in the same proportions and lead to the outputs in the same
    proportions; two equal and separate halves give 2.

    Parameters
    ----------
    graph : NeuronGraph
        With inputs and outputs.

    Returns
    -------
    float
        Bits, at least 0.

    Raises
    ------
    InputError
        The graph does not say what its inputs and outputs are.

    Notes
    -----
    A walk starts at neuron n and goes backwards, from each neuron to one that it reads, in proportion to the weights,
    until it stands on an input; p_n is where it ends. In a group g of N neurons, all starting equally often, the mutual
    information of start and end is

        I(g) = 1/N sum_n sum_j p_n(j) log2( p_n(j) / p(j) ),    p = 1/N sum_n p_n

    (neurons from which no input is reached are left out). Walks forwards, to the outputs, give I(g) forwards. The value
    is the mean of I(g) backwards over all groups but the inputs, plus its mean forwards over all groups but the
    outputs.

    Examples
    --------
    Two separate halves, each of one input, two hidden neurons and one output:

    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> halves = block_network(blocks=[(1, 2, 1)] * 2, seed=0)
    >>> round(specialisation(neuron_graph(halves.network)), 6)
    2.0
    """
    blocks = Blocks.of(graph)
    return float(specialisations(blocks, blocks.own(), [0])[0])


@STATISTICS.register(
    "specialisation",
    label="specialisation",
    sentence="How much neurons of one layer differ in the inputs they come from and the outputs they lead to, in bits.",
)
def specialisations(blocks: Blocks, matrices: Stacks, seeds: Sequence[int]) -> Float64[np.ndarray, " samples"]:
    """`specialisation` of each of many networks with the same groups.

    Parameters
    ----------
    blocks : Blocks
        Their groups.
    matrices : sequence of array [samples, targets, sources]
        Weights between each pair of groups that is joined.
    seeds : sequence of int
        Not used, as nothing is random.

    Returns
    -------
    array [samples]
        Bits.
    """
    backwards = {(target, source): own for (target, source, _), own in zip(blocks.matrices, matrices, strict=True)}
    forwards = {(source, target): own.swapaxes(1, 2) for (target, source), own in backwards.items()}
    samples = len(seeds)
    return np.asarray(
        _one_way(blocks.members, backwards, blocks.inputs, samples)
        + _one_way(blocks.members, forwards, blocks.outputs, samples)
    )


def _one_way(
    members: Mapping[str, Int64[np.ndarray, "_"]],
    weights: Mapping[tuple[str, str], Float64[np.ndarray, "samples _ _"]],
    ends: str,
    samples: int,
) -> Float64[np.ndarray, " samples"]:
    """Mean over all groups but ``ends`` of I(g), walks going from rows to columns of the blocks that are joined."""
    own = ends.split()
    others = [group for group in members if group not in own]
    reached = np.concatenate([members[group] for group in own])
    if not others:
        return np.zeros(samples)
    order = {end: place for place, end in enumerate(reached.tolist())}
    places = {group: np.array([order[end] for end in members[group].tolist()], dtype=np.int64) for group in own}
    steps: dict[tuple[str, str], Float64[np.ndarray, "samples _ _"]] = {}
    known = {group: np.zeros((samples, len(members[group]), len(reached))) for group in others}
    for group in others:
        read = {source: block for (row, source), block in weights.items() if row == group}
        sent = sum((block.sum(axis=2, keepdims=True) for block in read.values()), np.zeros(1))
        for source, block in read.items():
            damping = 1.0 if source in own else _DAMPING
            step = block * (damping / np.where(sent > 0, sent, 1.0))  # damped on the way: it may be a large array
            if source in own:
                known[group][:, :, places[source]] = step
            else:
                steps[group, source] = step
    return np.array(sum(map(_information, absorbed(steps, known).values())) / len(others))


def _information(shares: Float64[np.ndarray, "samples neurons ends"]) -> Float64[np.ndarray, " samples"]:
    """I(g) for rows that sum to 1, or less where walks were lost, or 0."""
    shares = np.maximum(shares, 0.0)
    total = shares.sum(axis=2, keepdims=True)
    reached = total > 1e-6
    p = np.divide(shares, total, out=np.zeros_like(shares), where=reached)
    neurons = np.maximum(reached.sum(axis=1), 1)
    mean = p.sum(axis=1) / neurons
    ratio = np.divide(p, mean[:, None, :], out=np.ones_like(p), where=p > 0)
    return np.asarray((p * np.log2(ratio)).sum(axis=(1, 2)) / neurons[:, 0])
