"""Whether the backbone of a very large network falls into modules more than chance: weights change their readers."""

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from jaxtyping import Float, Float64, Int64, Num

from bimt_train import InputError
from bimt_train.checkpoints import Network

from ...graph._backbone import among_strongest
from ...graph._build_graph import group_strengths
from ...modules._leiden import best_modularity_of
from ._significance import Significance

BACKBONE = ("modularity", "readers_permuted")
"""Statistic and null model of the test that decides for large networks."""

PHRASE = "whose weights have other readers"
"""What follows the word "networks" in a sentence."""

_LABEL = "each neuron's outgoing weights permuted among its readers, within each pair of groups; backbones found anew"
_THREADS = 4  # at most; each holds the weights between two groups

Pair = tuple[str, str]
Block = Float[np.ndarray, "_ _"]
Graph = tuple[Int64[np.ndarray, " edges"], Int64[np.ndarray, " edges"], Float64[np.ndarray, " edges"]]


def backbone_significance(
    network: Network,
    *,
    strongest: int,
    weights: str = "magnitude",
    x: Num[np.ndarray, "rows ..."] | None = None,
    samples: int = 20,
    seed: int = 0,
) -> Significance:
    """How often the backbone of a network whose weights have other readers is as modular as that of this network.

    For networks of so many weights that `significance`, which takes a matrix for each sample, is out of reach.

    Parameters
    ----------
    network : Network
        The network.
    strongest : int
        Edges of each neuron to and from each group, in the backbone, as `neuron_graph` takes it.
    weights : str, default "magnitude"
        Which strength an edge has: a name in `EDGE_WEIGHTS`.
    x : array [rows, ...], optional
        Probe rows as the network sees them. All edge weights but ``magnitude`` need them.
    samples : int, default 20
        Null networks.
    seed : int, default 0
        Of everything random; sample k depends on it and k alone.

    Returns
    -------
    Significance
        Of the greatest modularity that one run of Leiden finds in the backbone, against null networks in which the
        strengths that leave a neuron for a group are in random order.

    Raises
    ------
    InputError
        No samples, no edges to keep, or what `neuron_graph` refuses.

    Notes
    -----
    The statistic and the backbone are found anew for each null network, so that a network of independent random
    weights, whatever the scale of each neuron's outgoing weights, is a null network like any other: p is below 0.05 in
    at most that share of cases. What the test does not show is what `significance` does not show.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(4, 40, 4)] * 2, seed=0)
    >>> backbone_significance(planted.network, strongest=3, samples=19).p
    0.05
    """
    if samples < 1 or strongest < 1:
        expected, got = "samples 1 or more, strongest 1 or more", f"{samples}, {strongest}"
        raise InputError("nothing to compare", where="samples, strongest", expected=expected, got=got)
    joined = group_strengths(network, weights=weights, x=x)
    blocks = {pair: found.strength.astype(np.float32) for pair, found in joined.items()}
    del joined
    first: dict[str, int] = {}
    for group in network.layout.groups:
        first[group.name] = sum(network.layout.sizes[name] for name in first)
    nodes = sum(network.layout.sizes.values())

    def modularity(graph: Graph, own_seed: int) -> float:
        return best_modularity_of(*graph, nodes=nodes, seed=own_seed)

    observed = modularity(_backbone(blocks.items(), first, strongest), seed)
    streams = np.random.SeedSequence(seed).spawn(samples)
    seeds = [int(stream.generate_state(1)[0]) for stream in streams]

    def drawn(stream: np.random.SeedSequence) -> Graph:
        return _backbone(_permuted(blocks, np.random.default_rng(stream)), first, strongest)

    null: list[float] = []
    threads = min(os.cpu_count() or 1, _THREADS, samples)
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, samples, threads):  # so many at a time, as backbones wait for their search
            some = slice(start, start + threads)
            null += [
                modularity(graph, own) for graph, own in zip(pool.map(drawn, streams[some]), seeds[some], strict=True)
            ]
    about: dict[str, Any] = {"statistic": BACKBONE[0], "null_model": _LABEL, "weights": weights, "seed": seed}
    return Significance.of(observed, np.array(null), **about)


def _permuted(blocks: Mapping[Pair, Block], generator: np.random.Generator) -> Iterator[tuple[Pair, Block]]:
    """Each column in random order, column by column."""
    for pair, block in blocks.items():
        yield pair, generator.permuted(np.ascontiguousarray(block.T), axis=1).T


def _backbone(blocks: Iterable[tuple[Pair, Block]], first: Mapping[str, int], strongest: int) -> Graph:
    """Sources, targets and weights of the edges that stay."""
    sources, targets, weights = [], [], []
    for (target, source), block in blocks:
        i, j = np.nonzero(among_strongest(block, strongest))
        sources.append(first[source] + j)
        targets.append(first[target] + i)
        weights.append(block[i, j].astype(np.float64))
    return np.concatenate(sources), np.concatenate(targets), np.concatenate(weights)
