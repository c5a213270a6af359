"""Whether a network is more modular than chance: a permutation test that needs no truth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError

from ..graph import NeuronGraph
from ._rewired import rewired
from ._specialisation import Blocks, specialisations

_CHUNK = 4e6  # numbers in one stack of matrices
_SLACK = 1e-9  # rounding: a sample this little below the observed value counts as equal


@dataclass(frozen=True)
class Significance:
    """A value of a network held against a null model.

    Attributes:
        p: (1 + number of null networks with at least the observed value) / (1 + their number).
        z: (observed - mean) / standard deviation of the null values; None if they are all equal.
        observed: the network's `specialisation`.
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

    def to_json(self) -> dict[str, Any]:
        """Plain values; the null values as their number, mean and deviation."""
        plain = {name: value for name, value in vars(self).items() if name != "null"}
        values = np.array(self.null)
        return plain | {
            "samples": len(values),
            "null_mean": float(values.mean()),
            "null_deviation": float(values.std()),
        }


def significance(graph: NeuronGraph, *, samples: int = 200, seed: int = 0) -> Significance:
    """How often a network without modular structure looks as modular as this one.

    Statistic: `specialisation`. Null model: for every pair of groups, edges are dealt anew so that each neuron keeps
    how many neurons it reads, with which weights, and by how many it is read (`rewired`). Sample k depends on ``seed``
    and k alone.

    A small p says that what the neurons of a layer read and write goes together more than it must. It does not say that

    - the parts are separate: a dense network trained on a separable task has weights that follow the task, and a small
      p with a single module. Read p beside the modules;
    - the parts do different things: weights are looked at, not functions;
    - training for modularity was the cause: the null networks are not trained;
    - the modules are those of the task: that is `agreement`.

    And a large p may mean too few edges to tell: where most neurons read one neuron, or a layer has one neuron, hardly
    anything can be dealt anew.

    Raises:
        InputError: no samples, or a graph that does not say what its inputs and outputs are.
    """
    if samples < 1:
        raise InputError("no samples to compare with", where="samples", expected="1 or more", got=str(samples))
    blocks = Blocks.of(graph)
    observed = float(specialisations(blocks, blocks.assembled([matrix[None] for _, _, matrix in blocks.matrices]))[0])
    streams = np.random.SeedSequence(seed).spawn(samples)
    size = max(1, int(_CHUNK / max(len(graph.nodes), 1) ** 2))
    values = np.concatenate([_null(blocks, streams[k : k + size], seed) for k in range(0, samples, size)])
    at_least = int((values >= observed - _SLACK).sum())
    deviation = float(values.std())
    return Significance(
        p=(1 + at_least) / (1 + samples),
        z=(observed - float(values.mean())) / deviation if deviation > _SLACK else None,
        observed=observed,
        null=tuple(values.tolist()),
        statistic="specialisation",
        null_model="degree-preserving within each pair of groups",
        weights=graph.weights,
        seed=seed,
    )


def _null(blocks: Blocks, streams: list[np.random.SeedSequence], seed: int) -> Float64[np.ndarray, " samples"]:
    generators = [np.random.default_rng(stream) for stream in streams]
    schedule = np.random.default_rng(seed)
    drawn = [rewired(matrix, schedule=schedule, generators=generators) for _, _, matrix in blocks.matrices]
    if not drawn:
        return np.zeros(len(streams))
    return specialisations(blocks, blocks.assembled(drawn))
