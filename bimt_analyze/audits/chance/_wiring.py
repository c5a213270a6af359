"""Whether a network is laid out as locally as it could be: its wiring length, against chance and against the best."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from bimt_train import ConnectionCost, InputError, relocate
from bimt_train.checkpoints import Network
from bimt_train.layouts import Layout, Placement, distances, fold

_SLACK = 1e-9  # relative; a random placement this little longer counts as equally short

LENGTH = ConnectionCost(l0=0.0)
"""Prices every unit of |w| d with 1, and nothing else."""


@dataclass(frozen=True, eq=False)
class Wiring:
    """The wiring length of a network in its placement; each number is defined at `wiring`.

    Attributes:
        length: of the network as it is placed.
        random: of the random placements, in the order of the samples.
        p: (1 + number of random placements at most as long) / (1 + their number).
        relocated: after relocation from the network's own placement.
        best: of the best placement found.
        best_placement: that placement.
        starts: how many random placements relocation started from.
        seed: of all that is random.
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
        """(random mean - length) / (random mean - best): 0 is as random, 1 as the best placement found. None where no
        placement is shorter than random ones are on average."""
        room = self.random_mean - self.best
        return (self.random_mean - self.length) / room if room > _SLACK * self.random_mean else None

    def to_json(self) -> dict[str, Any]:
        """Plain values; the random lengths as their number, mean and deviation, the best placement left out."""
        names = ("length", "p", "relocated", "best", "locality", "random_mean", "random_deviation", "starts", "seed")
        return {name: getattr(self, name) for name in names} | {"samples": len(self.random)}


def wiring(network: Network, *, samples: int = 200, starts: int = 5, seed: int = 0) -> Wiring:
    """The wiring length of a network, against random placements of its neurons and against the best one found.

        length = sum over weights |w_ij| d(place of i, place of j),

    d the L1 distance that training charges for (arXiv 2305.08746, section 2; equation 1 with A = 1, l0 = 0), over all
    weights between neurons; biases and embeddings have no length. Random placements deal the neurons of each movable
    group to its slots at random, heads as blocks, weights staying as they are; fixed groups stay put. The best is the
    shortest of the network's own placement and of what `relocate` makes of it and of ``starts`` random placements: not
    proven to be the shortest, except where one movable group has no recurrent weights and no heads.
    Sample k depends on ``seed`` and k alone.

    What this does not show:

    - that training made the network local: relocation alone, of random dense weights, gives a small p. Only a network
      with structure gets *far* below random: compare ``best`` / ``random_mean`` between networks;
    - modules: a smooth map laid out in order has short wires and no modules;
    - anything that survives rescaling: neurons whose scale is free (ReLU) can trade length between layers.

    Raises:
        InputError: no samples, or a negative number of starts.
    """
    if samples < 1 or starts < 0:
        expected, got = "samples 1 or more, starts 0 or more", f"{samples}, {starts}"
        raise InputError("nothing to compare with", where="samples, starts", expected=expected, got=got)
    streams = np.random.SeedSequence(seed).spawn(samples + starts)
    drawn = [_random(network.layout, network.placement, np.random.default_rng(stream)) for stream in streams]
    length, *random = _lengths(network, [network.placement, *drawn[:samples]])
    begun = (network.placement, *drawn[samples:])
    candidates = [network.placement, *(relocate(network.layout, start, network.tensors, LENGTH) for start in begun)]
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
    """The placement with every movable group dealt at random, heads staying whole."""
    slots = dict(placement.slots)
    for group in layout.groups:
        if group.movable:
            blocks = np.arange(group.size).reshape(group.heads, -1)[generator.permutation(group.heads)]
            slots[group.name] = tuple(generator.permuted(blocks, axis=1).ravel().tolist())
    return Placement(slots)
