"""Whether a network is laid out as locally as it could be: its wiring length, against chance and against the best."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from bimt_train import ConnectionCost, InputError, relocate
from bimt_train.checkpoints import Network
from bimt_train.layouts import Layout, Placement, distances
from bimt_train.layouts.fold import fold
from bimt_train.showing import Shown

_SLACK = 1e-9  # relative; a random placement this little longer counts as equally short

LENGTH = ConnectionCost(l0=0.0)
"""Prices every unit of |w| d with 1, and nothing else."""


@dataclass(frozen=True, eq=False, repr=False)
class Wiring(Shown):
    """The wiring length of a network in its placement; each number is defined at `wiring`.

    Attributes
    ----------
    length : float
        Of the network as it is placed; in units of |weight| times the layer's width.
    random : array [samples]
        Lengths of the random placements, in the order of the samples.
    p : float
        (1 + number of random placements at most as long) / (1 + their number).
    relocated : float
        Length after relocation from the network's own placement.
    best : float
        Length of the best placement found.
    best_placement : Placement
        That placement.
    starts : int
        How many random placements relocation started from.
    seed : int
        Of all that is random.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.audits.chance._wiring import Wiring
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 2, 1)] * 2, seed=1)
    >>> best = planted.network.placement
    >>> found = Wiring(2.0, np.array([3.0, 5.0]), 0.5, 1.5, 1.0, best_placement=best, starts=1, seed=0)
    >>> found.random_mean, round(found.locality, 2)
    (4.0, 0.67)
    """

    length: float
    random: Float64[np.ndarray, " samples"]
    p: float
    relocated: float
    best: float
    best_placement: Placement
    starts: int
    seed: int

    @property
    def random_mean(self) -> float:
        """Mean length of a random placement."""
        return float(self.random.mean())

    @property
    def random_deviation(self) -> float:
        """Standard deviation of the lengths of random placements."""
        return float(self.random.std())

    @property
    def locality(self) -> float | None:
        """(random mean - length) / (random mean - best): 0 is as random, 1 as the best placement found.

        None where no placement is shorter than random ones are on average.
        """
        room = self.random_mean - self.best
        return (self.random_mean - self.length) / room if room > _SLACK * self.random_mean else None

    def to_json(self) -> dict[str, Any]:
        """Plain values; the random lengths as their number, mean and deviation, the best placement left out."""
        names = ("length", "p", "relocated", "best", "locality", "random_mean", "random_deviation", "starts", "seed")
        return {name: getattr(self, name) for name in names} | {"samples": len(self.random)}


def wiring(network: Network, *, samples: int = 200, starts: int = 5, max_sweeps: int = 20, seed: int = 0) -> Wiring:
    """The wiring length of a network, against random placements of its neurons and against the best one found.

    Random placements put the neurons of each movable group on its positions at random, heads as blocks, weights staying
    as they are; fixed groups stay put. The best is the shortest of the network's own placement and of what `relocate`
    makes of it and of ``starts`` random placements: not proven to be the shortest, except where one movable group has
    no recurrent weights and no heads. Sample k depends on ``seed`` and k alone.

    Parameters
    ----------
    network : Network
        With its placement.
    samples : int, default 200
        Random placements.
    starts : int, default 5
        Random placements from which relocation starts, besides the network's own.
    max_sweeps : int, default 20
        At most so many sweeps over all groups in each relocation.
    seed : int, default 0
        Of everything random.

    Returns
    -------
    Wiring
        Lengths and p.

    Raises
    ------
    InputError
        No samples, or a negative number of starts.

    Notes
    -----
    The length is

        length = sum over weights |w_ij| d(place of i, place of j),

    with d the L1 distance that training charges for (section 2 of [1]_; equation 1 with A = 1, l0 = 0), over all
    weights between neurons; biases and embeddings have no length.

    What this does not show:

    - that training made the network local: relocation alone, of random dense weights, gives a small p. Only a network
      with structure gets *far* below random: compare ``best`` / ``random_mean`` between networks;
    - modules: a smooth map laid out in order has short wires and no modules;
    - anything that survives rescaling: neurons whose scale is free (ReLU) can trade length between layers.

    References
    ----------
    .. [1] Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic
       Interpretability", arXiv 2305.08746.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> found = wiring(block_network(blocks=[(1, 2, 1)] * 2, seed=0).network, samples=19, starts=1)
    >>> found.best <= found.length, found.p >= 0.05
    (True, True)
    """
    if samples < 1 or starts < 0:
        expected, got = "samples 1 or more, starts 0 or more", f"{samples}, {starts}"
        raise InputError("nothing to compare with", where="samples, starts", expected=expected, got=got)
    streams = np.random.SeedSequence(seed).spawn(samples + starts)
    drawn = [_random(network.layout, network.placement, np.random.default_rng(stream)) for stream in streams]
    length, *random = _lengths(network, [network.placement, *drawn[:samples]])
    begun = (network.placement, *drawn[samples:])
    moved = (relocate(network.layout, start, network.tensors, LENGTH, max_sweeps=max_sweeps) for start in begun)
    candidates = [network.placement, *moved]
    reached = _lengths(network, candidates)
    best = int(np.argmin(reached))
    at_most = int((np.array(random) <= length * (1 + _SLACK)).sum())
    return Wiring(
        length=float(length),
        random=np.array(random),
        p=(1 + at_most) / (1 + samples),
        relocated=float(reached[1]),
        best=float(reached[best]),
        best_placement=candidates[best],
        starts=starts,
        seed=seed,
    )


def _lengths(network: Network, placements: list[Placement]) -> Float64[np.ndarray, " placements"]:
    """Wiring length in each placement: only weights that are there are looked at."""
    total, layout = np.zeros(len(placements)), network.layout
    for name in layout.weights():
        plan = layout.tensors[name].plan
        target, source = plan.groups
        mass = fold(np.abs(network.tensors[name]).astype(np.float64), plan, layout.sizes)
        apart = distances(layout.group(target).coordinates, layout.group(source).coordinates)
        i, j = np.nonzero(mass)
        for number, placement in enumerate(placements):
            here, there = np.array(placement.slots[target]), np.array(placement.slots[source])
            total[number] += apart[here[i], there[j]] @ mass[i, j]
    return total


def _random(layout: Layout, placement: Placement, generator: np.random.Generator) -> Placement:
    """The placement with every movable group placed at random, heads staying whole."""
    slots = dict(placement.slots)
    for group in layout.groups:
        if group.movable:
            blocks = np.arange(group.size).reshape(group.heads, -1)[generator.permutation(group.heads)]
            slots[group.name] = tuple(generator.permuted(blocks, axis=1).ravel().tolist())
    return Placement(slots)
