"""The controls of a circuit, kind by kind: nonsense targets, untrained networks, networks trained again."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from bimt_train.checkpoints import Checkpoint
from bimt_train.pruning import Circuit

from ..._circuit_of import circuit_of
from ..._network_rows import checkpoint_of
from ..ablation._output_losses import LossMeasure
from ._behaviour import Behaviour, measure_of
from ._circuit_edges import only, strongest_edges
from ._control import Control, median_of
from ._fresh_weights import untrained
from ._probe_rows import ProbeRows, all_of, with_rows
from ._refit import refitted

OWN, TRUE, NONSENSE = "untrained, own outputs", "untrained, true targets", "nonsense targets"
AGAIN, TRAINED_NONSENSE = "trained again", "trained on nonsense targets"
TRIES = 3  # untrained networks drawn for each that is wanted, where some give a constant


@dataclass(frozen=True, kw_only=True)
class Pruning:
    """How the audited network was pruned, and what came of it; all controls share it.

    Attributes
    ----------
    count : int
        Weights that are left.
    observed : float
        Share of the behaviour that these keep, on all rows.
    behaviour : Behaviour
        What the audited network does on all rows.
    measure : LossMeasure
        Measure of the loss.
    tolerance : float
        Of the pruning.
    refit_steps : int
        Of the refits; 0 for none.
    few : int
        Networks of each kind that are pruned at the tolerance too; 0 where that takes too long. One is refitted.
    """

    count: int
    observed: float
    behaviour: Behaviour
    measure: LossMeasure
    tolerance: float
    refit_steps: int
    few: int


@dataclass(frozen=True, eq=False)
class _Subject:
    """A network to prune: its checkpoint, its rows, and what there is to do."""

    checkpoint: Checkpoint
    rows: ProbeRows
    behaviour: Behaviour
    measure: LossMeasure


def nonsense(checkpoint: Checkpoint, seed: int) -> Checkpoint:
    """The checkpoint with its targets in random order over all rows.

    Parameters
    ----------
    checkpoint : Checkpoint
        Any checkpoint.
    seed : int
        Of the order.

    Returns
    -------
    Checkpoint
        Equal but for the targets, which are not the network's own any more.
    """
    x, y = all_of(checkpoint)
    config = {name: value for name, value in checkpoint.config.items() if name != "targets"}
    return replace(with_rows(checkpoint, x, np.random.default_rng(seed).permutation(y)), config=config)


def control_networks(checkpoint: Checkpoint, pruning: Pruning, *, samples: int, seed: int) -> Iterator[Control]:
    """The controls that need no training.

    Parameters
    ----------
    checkpoint : Checkpoint
        The audited network with its rows, or some of them.
    pruning : Pruning
        How it was pruned.
    samples : int
        Networks of each kind.
    seed : int
        Of weights and orders.

    Yields
    ------
    Control
        Nonsense targets; untrained networks towards the true targets, and towards their own outputs.
    """

    def seeds(kind: int) -> list[int]:
        drawn: list[int] = np.random.SeedSequence((seed, kind)).generate_state(TRIES * samples).tolist()
        return drawn

    def fresh(one: int) -> Checkpoint:
        return replace(checkpoint, network=untrained(checkpoint.network, seed=one))

    def towards(found: Checkpoint) -> _Subject:
        return _Subject(found, ProbeRows.all(found), pruning.behaviour, pruning.measure)

    yield from _control(NONSENSE, (towards(nonsense(checkpoint, one)) for one in seeds(0)), pruning, samples)
    yield from _control(TRUE, (towards(fresh(one)) for one in seeds(1)), pruning, samples)
    yield from _control(OWN, (_towards_its_own(fresh(one)) for one in seeds(1)), pruning, samples)


def trained_controls(name: str, trained: Iterable[Checkpoint], pruning: Pruning, *, null: bool) -> Iterator[Control]:
    """The control of networks that were trained again, on the rows that they were trained on.

    Parameters
    ----------
    name : str
        What they are.
    trained : iterable of Checkpoint
        The networks.
    pruning : Pruning
        How the audited network was pruned.
    null : bool
        Whether a circuit must not be found there.

    Yields
    ------
    Control
        One, or none where there are no networks.
    """
    subjects = [_Subject(one, ProbeRows.trained_on(one), pruning.behaviour, pruning.measure) for one in trained]
    yield from _control(name, subjects, pruning, len(subjects), null=null)


def _towards_its_own(fresh: Checkpoint) -> _Subject:
    """The network with its own outputs as targets, as `audit` takes a network without targets."""
    found = checkpoint_of(fresh.network, ProbeRows.all(fresh).x)
    rows = ProbeRows.all(found)
    outputs = found.network.predict(rows.x)
    means = np.broadcast_to(outputs.reshape(-1, outputs.shape[-1]).mean(axis=0), outputs.shape)
    measure = measure_of(found.task)
    return _Subject(found, rows, Behaviour.of(outputs, means, rows.y, measure), measure)


def _control(
    name: str, subjects: Iterable[_Subject], pruning: Pruning, samples: int, *, null: bool = True
) -> Iterator[Control]:
    """The first so many networks that do anything at all: of an untrained one the outputs may never vary."""
    kept, first = list[float](), list[_Subject]()
    for one in subjects:
        found = _kept(one, pruning.count)
        if np.isfinite(found):
            kept.append(found)
            first += [one] if len(first) < pruning.few else []
        if len(kept) == samples:
            break
    if not kept:
        return
    plain = _circuits(first, pruning, 0)
    again = first[:1] if pruning.refit_steps else []
    refits = _circuits(again, pruning, pruning.refit_steps)
    yield Control(
        name=name,
        null=null,
        kept=tuple(kept),
        observed=pruning.observed,
        refitted=median_of([_kept(one, pruning.count, pruning.refit_steps) for one in again]),
        weights=median_of([weights for weights, _ in plain]),
        refitted_weights=median_of([weights for weights, _ in refits]),
        full_loss=median_of([circuit.full_loss for _, circuit in plain]),
        loss=median_of([circuit.loss for _, circuit in plain]),
        refitted_loss=median_of([circuit.loss for _, circuit in refits]),
    )


def _circuits(subjects: list[_Subject], pruning: Pruning, steps: int) -> list[tuple[float, Circuit]]:
    """The circuit of each, and the share of its weights in it."""
    found = []
    for one in subjects:
        circuit = circuit_of(one.checkpoint, tolerance=pruning.tolerance, refit_steps=steps, search="narrowing")
        found.append((circuit.edges / max(one.checkpoint.network.edges(-1.0), 1), circuit))
    return found


def _kept(subject: _Subject, count: int, steps: int = 0) -> float:
    """The share of what there is to do that the largest weights do, as they are or refitted."""
    network, rows = subject.checkpoint.network, subject.rows
    edges = strongest_edges(network, count)
    if steps:
        left = refitted(network, edges, rows.x, rows.targets, loss=rows.loss, steps=steps)
    else:
        left = only(network, edges)
    return subject.behaviour.kept(left.predict(rows.x), rows.y)
