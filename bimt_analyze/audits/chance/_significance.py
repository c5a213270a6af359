"""Whether a network is more modular than chance: permutation tests that need no truth."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.showing import Shown

from ...graph import NeuronGraph
from ._group_blocks import Blocks, Stacks
from ._null_models import NULL_MODELS, Matrices, NullModel
from ._statistics import STATISTICS, Statistic

Streams = Sequence[np.random.SeedSequence]

LEVEL = 0.05
"""Significance level: a p below it is called significant. Five percent is the convention of the field."""

FEWEST = 20
"""Null networks: with fewer, p cannot be below 0.05."""

_CHUNK = 1e6  # numbers in one stack of matrices
_THREADS = 4  # at most, as each holds matrices of its own
_SLACK = 1e-9  # rounding: a sample this little below the observed value counts as equal


@dataclass(frozen=True, repr=False)
class Significance(Shown):
    """A value of a network held against a null model.

    Attributes
    ----------
    p : float
        (1 + number of null networks with at least the observed value) / (1 + their number).
    z : float or None
        (observed - mean) / standard deviation of the null values; None if they are all equal.
    observed : float
        The network's value.
    null : tuple of float
        The null networks' values, in the order of the samples.
    statistic : str
        What is compared.
    null_model : str
        With what: the null model's label.
    weights : str
        The edge weights of the graph.
    seed : int
        Of the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.audits import Significance
    >>> tested = Significance.of(
    ...     2.0, np.array([1.0, 1.5, 2.0]), statistic="specialisation", null_model="chance", weights="magnitude", seed=0
    ... )
    >>> tested.p, round(tested.z, 2)
    (0.5, 1.22)
    """

    p: float
    z: float | None
    observed: float
    null: tuple[float, ...]
    statistic: str
    null_model: str
    weights: str
    seed: int

    def _brief(self) -> str:
        return f"{self.statistic}: {self.p_and_z}; null model: {self.null_model}, {len(self.null)} samples"

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
        """Work out p and z of an observed value among those of null networks.

        Parameters
        ----------
        observed : float
            The network's value.
        null : array [samples]
            The null networks' values.
        statistic, null_model, weights : str
            As the attributes say.
        seed : int
            Of the samples.

        Returns
        -------
        Significance
            With p and z worked out.

        Examples
        --------
        >>> null = np.array([1.0, 2.0, 3.0])
        >>> Significance.of(2.0, null, statistic="", null_model="", weights="", seed=0).p
        0.75
        """
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

    @property
    def null_mean(self) -> float:
        """Mean of the null networks' values."""
        return float(np.mean(self.null))

    @property
    def reached(self) -> str:
        """How many null networks reach the observed value, as ``3 of 200``."""
        return f"{round(self.p * (1 + len(self.null))) - 1} of {len(self.null)}"

    @property
    def p_and_z(self) -> str:
        """The numbers of the test in a sentence, as ``p = 0.005, z = 4.1``."""
        return f"p = {self.p:.2g}" + ("" if self.z is None else f", z = {self.z:.1f}")

    @property
    def conclusion(self) -> str:
        """Whether the test shows more than chance, in words."""
        return "more than chance" if self.p < LEVEL else "not shown to be more than chance"

    def to_json(self) -> dict[str, Any]:
        """Plain values; the null values as their number, mean and standard deviation."""
        plain = {name: value for name, value in vars(self).items() if name != "null"}
        values = np.array(self.null)
        return plain | {
            "samples": len(values),
            "null_mean": float(values.mean()),
            "null_deviation": float(values.std()),
        }


def corrected_p(tests: Sequence[Significance]) -> float:
    """The least p of several tests of one question, times their number (Bonferroni), and at most 1.

    Parameters
    ----------
    tests : sequence of Significance
        At least one.

    Returns
    -------
    float
        Where no test shows anything, it is below a level in at most that share of cases.

    Examples
    --------
    >>> null = np.array([1.0, 2.0, 3.0])
    >>> tests = [Significance.of(v, null, statistic="", null_model="", weights="", seed=0) for v in (4.0, 2.0)]
    >>> corrected_p(tests)
    0.5
    """
    return min(1.0, len(tests) * min(test.p for test in tests))


def significance(
    graph: NeuronGraph,
    *,
    statistic: str = "specialisation",
    null_model: str = "degree_preserving",
    samples: int = 200,
    seed: int = 0,
) -> Significance:
    """How often a network without modular structure looks as modular as this one.

    Sample k depends on ``seed`` and k alone, and all is done anew for every sample.

    Parameters
    ----------
    graph : NeuronGraph
        With inputs and outputs.
    statistic : str, default "specialisation"
        What is compared: a name in `STATISTICS`, or ``file.py:NAME``. ``specialisation`` is the function of that name;
        ``modularity`` the greatest that Leiden finds at resolution 1, searched anew in each sample (`best_modularity`).
    null_model : str, default "degree_preserving"
        With what, within every pair of groups: a name in `NULL_MODELS`, or ``file.py:NAME``.

        - ``degree_preserving``: edges are placed anew so that each neuron keeps how many neurons it reads, with which
          weights, and by how many it is read. Asks whether the wiring is more modular than chance.
        - ``weight_permutation``: edges stay, their weights change places. Asks whether sizes of weights say more than
          the wiring. Of separate blocks they need not: the blocks stay apart.
    samples : int, default 200
        Null networks.
    seed : int, default 0
        Of everything random.

    Returns
    -------
    Significance
        p, z and the null networks' values.

    Raises
    ------
    InputError
        No samples, an unknown statistic or null model, one whose function gives something else than it should, or a
        graph that does not say what its inputs and outputs are.

    Notes
    -----
    A small p against ``degree_preserving`` says that what the neurons of a layer read and write goes together more than
    it must. It does not say that

    - the parts are separate: a dense network trained on a separable task has weights that follow the task, and a small
      p with a single module. Read p beside the modules;
    - the parts do different things: weights are looked at, not functions;
    - training for modularity was the cause: the null networks are not trained;
    - the modules are those of the task: that is `agreement`.

    And a large p may mean too few edges to tell: where most neurons read one neuron, or a layer has one neuron, hardly
    any edge can be placed elsewhere.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_analyze.graph import neuron_graph
    >>> graph = neuron_graph(block_network(seed=0).network)
    >>> significance(graph, samples=19).p
    0.05
    """
    if samples < 1:
        raise InputError("no samples to compare with", where="samples", expected="1 or more", got=str(samples))
    measured, drawn_by = STATISTICS[statistic], NULL_MODELS[null_model]
    blocks = Blocks.of(graph)
    observed = float(_values(measured, blocks, blocks.own(), [seed])[0])
    streams = np.random.SeedSequence(seed).spawn(samples)
    size = max(1, int(_CHUNK / max(sum(matrix.size for _, _, matrix in blocks.matrices), 1)))
    chunks = [streams[k : k + size] for k in range(0, samples, size)]
    # numpy lets threads run side by side; a search sets igraph's one generator of random numbers
    at_once = 1 if measured.searched else min(len(chunks), os.cpu_count() or 1, _THREADS)
    with ThreadPoolExecutor(at_once) as pool:
        null = np.concatenate(list(pool.map(partial(_null, blocks, measured, drawn_by, seed), chunks)))
    return Significance.of(
        observed, null, statistic=measured.name, null_model=drawn_by.label, weights=graph.weights, seed=seed
    )


def _null(
    blocks: Blocks, statistic: Statistic, null_model: NullModel, seed: int, streams: Streams
) -> Float64[np.ndarray, " samples"]:
    generators = [np.random.default_rng(stream) for stream in streams]
    schedule = np.random.default_rng(seed)
    drawn = [_drawn(null_model, matrix, schedule, generators) for _, _, matrix in blocks.matrices]
    if not drawn:
        return np.zeros(len(streams))
    return _values(statistic, blocks, drawn, [int(stream.generate_state(1)[0]) for stream in streams])


def _drawn(
    null_model: NullModel,
    matrix: Float64[np.ndarray, "targets sources"],
    schedule: np.random.Generator,
    generators: Sequence[np.random.Generator],
) -> Matrices:
    """The null model's samples of one pair of groups."""
    found = np.asarray(null_model.function(matrix, schedule=schedule, generators=generators), dtype=np.float64)
    if found.shape != (len(generators), *matrix.shape):
        expected, got = str([len(generators), *matrix.shape]), str(list(found.shape))
        raise InputError(
            "samples of another shape", where=f"null model {null_model.name!r}", expected=expected, got=got,
            hint="correct its function: [samples, targets, sources]",
        )  # fmt: skip
    return found


def _values(
    statistic: Statistic, blocks: Blocks, matrices: Stacks, seeds: Sequence[int]
) -> Float64[np.ndarray, " samples"]:
    """The statistic of each sample."""
    found = np.asarray(statistic.function(blocks, matrices, seeds), dtype=np.float64)
    if found.shape != (len(seeds),):
        raise InputError(
            "values of another shape", where=f"statistic {statistic.name!r}", expected=str([len(seeds)]),
            got=str(list(found.shape)), hint="correct its function: one value a sample",
        )  # fmt: skip
    return found
