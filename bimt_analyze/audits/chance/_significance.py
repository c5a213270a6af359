"""Whether a network is more modular than chance: permutation tests that need no truth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self, get_args

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError

from ...graph import NeuronGraph
from ...modules import best_modularity
from ._null_models import rewired, shuffled
from ._specialisation import Blocks, Stack, specialisations

Statistic = Literal["specialisation", "modularity"]
NullModel = Literal["rewired", "shuffled"]
Streams = Sequence[np.random.SeedSequence]

_CHUNK = 4e6  # numbers in one stack of matrices
_SLACK = 1e-9  # rounding: a sample this little below the observed value counts as equal

NULL_MODELS = {
    "rewired": "degree-preserving within each pair of groups",
    "shuffled": "weights dealt anew to the same edges, within each pair of groups",
}


@dataclass(frozen=True)
class Significance:
    """A value of a network held against a null model.

    Attributes:
        p: (1 + number of null networks with at least the observed value) / (1 + their number).
        z: (observed - mean) / standard deviation of the null values; None if they are all equal.
        observed: the network's value.
        null: the null networks' values, in the order of the samples.
        statistic: what is compared.
        null_model: with what.
        weights: the edge weights of the graph.
        seed: of the samples.
    """

    p: float
    z: float | None
    observed: float
    null: tuple[float, ...]
    statistic: str
    null_model: str
    weights: str
    seed: int

    @classmethod
    def of(
        cls,
        observed: float,
        null: Float64[np.ndarray, " samples"],
        *,
        statistic: str,
        null_model: str,
        weights: str,
        seed: int,
    ) -> Self:
        """p and z of an observed value among those of null networks."""
        at_least = int((null >= observed - _SLACK).sum())
        deviation = float(null.std())
        return cls(
            p=(1 + at_least) / (1 + len(null)),
            z=(observed - float(null.mean())) / deviation if deviation > _SLACK else None,
            observed=observed,
            null=tuple(null.tolist()),
            statistic=statistic,
            null_model=null_model,
            weights=weights,
            seed=seed,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values; the null values as their number, mean and deviation."""
        plain = {name: value for name, value in vars(self).items() if name != "null"}
        values = np.array(self.null)
        return plain | {
            "samples": len(values),
            "null_mean": float(values.mean()),
            "null_deviation": float(values.std()),
        }


def significance(
    graph: NeuronGraph,
    *,
    statistic: Statistic = "specialisation",
    null_model: NullModel = "rewired",
    samples: int = 200,
    seed: int = 0,
) -> Significance:
    """How often a network without modular structure looks as modular as this one.

    Sample k depends on ``seed`` and k alone, and all is done anew for every sample.

    Null models, within every pair of groups:

    - ``rewired``: edges are dealt anew so that each neuron keeps how many neurons it reads, with which weights, and by
      how many it is read. Asks whether the wiring is more modular than chance;
    - ``shuffled``: edges stay, their weights change places. Asks whether sizes of weights say more than the wiring.
      Of separate blocks they need not: the blocks stay apart.

    Statistics: `specialisation`; or ``modularity``, the greatest that Leiden finds at resolution 1, searched anew in
    each sample (`best_modularity`).

    A small p against ``rewired`` says that what the neurons of a layer read and write goes together more than it must.
    It does not say that

    - the parts are separate: a dense network trained on a separable task has weights that follow the task, and a small
      p with a single module. Read p beside the modules;
    - the parts do different things: weights are looked at, not functions;
    - training for modularity was the cause: the null networks are not trained;
    - the modules are those of the task: that is `agreement`.

    And a large p may mean too few edges to tell: where most neurons read one neuron, or a layer has one neuron, hardly
    anything can be dealt anew.

    Raises:
        InputError: no samples, an unknown statistic or null model, or a graph that does not say what its inputs and
            outputs are.
    """
    if samples < 1:
        raise InputError("no samples to compare with", where="samples", expected="1 or more", got=str(samples))
    for option, value, known in (("statistic", statistic, Statistic), ("null_model", null_model, NullModel)):
        if value not in get_args(known):
            raise InputError(f"unknown {option}", where=option, expected=", ".join(get_args(known)), got=repr(value))
    blocks = Blocks.of(graph)
    values = _STATISTICS[statistic]
    observed = float(values(blocks, blocks.assembled([matrix[None] for _, _, matrix in blocks.matrices]), [seed])[0])
    streams = np.random.SeedSequence(seed).spawn(samples)
    size = max(1, int(_CHUNK / max(len(graph.nodes), 1) ** 2))
    null = np.concatenate(
        [_null(blocks, values, null_model, streams[k : k + size], seed) for k in range(0, samples, size)]
    )
    return Significance.of(
        observed, null, statistic=statistic, null_model=NULL_MODELS[null_model], weights=graph.weights, seed=seed
    )


Values = Callable[[Blocks, Stack, Sequence[int]], Float64[np.ndarray, " samples"]]


def _specialisations(blocks: Blocks, weights: Stack, seeds: Sequence[int]) -> Float64[np.ndarray, " samples"]:
    return specialisations(blocks, weights)


def _modularities(blocks: Blocks, weights: Stack, seeds: Sequence[int]) -> Float64[np.ndarray, " samples"]:
    return np.array([best_modularity(matrix, seed=seed) for matrix, seed in zip(weights, seeds, strict=True)])


_STATISTICS: dict[str, Values] = {"specialisation": _specialisations, "modularity": _modularities}


def _null(
    blocks: Blocks, values: Values, null_model: NullModel, streams: Streams, seed: int
) -> Float64[np.ndarray, " samples"]:
    generators = [np.random.default_rng(stream) for stream in streams]
    schedule = np.random.default_rng(seed)
    deal = partial(rewired, schedule=schedule) if null_model == "rewired" else shuffled
    drawn = [deal(matrix, generators=generators) for _, _, matrix in blocks.matrices]
    if not drawn:
        return np.zeros(len(streams))
    seeds = [int(stream.generate_state(1)[0]) for stream in streams]
    return values(blocks, blocks.assembled(drawn), seeds)
