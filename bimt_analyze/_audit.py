"""From a checkpoint or a network to its audit, in one call."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float

from bimt_train import Circuit, InputError
from bimt_train.network import Checkpoint, KnownParts, Network, Probe, TaskCard

from ._circuit_of import all_rows, circuit_of, graph_of
from ._sources import best_checkpoint, open_checkpoint
from .audits import (
    Audit,
    Measure,
    NullModel,
    Retrained,
    SecondOpinion,
    Significance,
    Statistic,
    agreement,
    agreement_of,
    alike,
    carriers,
    damage,
    faithfulness,
    shared_neurons,
    significance,
    specialisation,
    thresholds,
    weighings,
    wiring,
)
from .audits._retrained import FEWEST, affordable, retrainable, retrained
from .graph import NeuronGraph
from .modules import Hierarchy, choose_level, hierarchy, infomap
from .report import in_task_order, named_modules

Progress = Callable[[str], None]
Found = TypeVar("Found")

RETRAINING_WORK = 1.5e11
"""Multiplications that retrained null networks of one kind may take: half a minute on two cores, or less."""

STATISTICS: tuple[Statistic, ...] = ("specialisation", "modularity")
MODELS: tuple[NullModel, ...] = ("rewired", "shuffled")


def audit(
    source: Checkpoint | Network | str | Path,
    *,
    x: Float[np.ndarray, "rows inputs"] | None = None,
    y: Float[np.ndarray, "rows outputs"] | None = None,
    known: KnownParts | None = None,
    seed: int = 0,
    samples: int = 200,
    retrain_steps: int = 1000,
    tolerance: float = 0.05,
    refit_steps: int = 60,
    processes: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Whether a network is modular, how much of that is chance, and what its modules do.

    docs/audit.md explains every number, and what it does not show. The same source, options and seed give the same
    audit.

    Args:
        source: a checkpoint, its file, a folder of them (the best seed is taken), or a network with its rows.
        x: for a network: rows as it sees them.
        y: for a network: targets in the units of its outputs; left out, what it says itself.
        known: for a network: what is known of its task, if anything.
        seed: of everything random.
        samples: of every null model; at least 20, or no p can be below 0.05.
        retrain_steps: of the null networks that are trained anew; 0 trains none.
        tolerance: of pruning, a fraction of the loss.
        refit_steps: of pruning.
        processes: that train null networks at once; one a core if left out.
        progress: is called with the name of each stage as it begins.

    Raises:
        CheckpointError: no such file or folder, or one that cannot be read.
        InputError: rows for a checkpoint, none for a network, too few samples, or inputs that are tokens.
    """
    tell = progress or (lambda stage: None)
    tell("read")
    name, checkpoint = _opened(source, x, y, known)
    tell("prune")
    circuit = circuit_of(checkpoint, tolerance=tolerance, refit_steps=refit_steps)
    graph = graph_of(circuit.network, checkpoint)
    tell("modules")
    levels = hierarchy(graph, seed=seed)
    return audit_of(
        name, checkpoint, circuit, graph, levels, seed=seed, samples=samples, retrain_steps=retrain_steps,
        processes=processes, progress=tell,
    )  # fmt: skip


def audit_of(
    name: str,
    checkpoint: Checkpoint,
    circuit: Circuit,
    graph: NeuronGraph,
    levels: Hierarchy,
    *,
    seed: int,
    samples: int,
    retrain_steps: int,
    processes: int | None = None,
    progress: Progress,
) -> Audit:
    """The audit of a circuit whose modules are found.

    Raises:
        InputError: too few samples, or inputs that are tokens.
    """
    if samples < FEWEST:
        mend = "a smaller number can show nothing at p < 0.05"
        raise InputError("too few samples", where="samples", expected=f"{FEWEST} or more", got=str(samples), mend=mend)
    network, card, x = circuit.network, checkpoint.card, _inputs(checkpoint)
    if not network.layout.inputs or not network.layout.outputs:
        mend = "look at it with bimt_analyze.transformers"
        raise InputError("inputs or outputs that are no neurons cannot be audited", where=name, got="tokens", mend=mend)
    choice = choose_level(levels)
    partition, modules = choice.level.partition, in_task_order(network, choice.level.partition)
    rows, targets = _held_out(checkpoint)
    measure: Measure = "accuracy" if card.classifies else "error"
    undecided: dict[str, str] = {}

    def tried(what: str, measured: Callable[[], Found]) -> Found | None:
        """What cannot be measured of this network is told, and the audit goes on."""
        try:
            return measured()
        except InputError as error:
            undecided[what] = str(error)
            return None

    progress("edge weights")
    weighed = weighings(network, x, partition, samples=samples, seed=seed)
    other = infomap(graph, seed=seed)
    progress("null networks")
    nulls: dict[tuple[str, str], Significance] = {
        (statistic, model): significance(graph, statistic=statistic, null_model=model, samples=samples, seed=seed)
        for model in MODELS
        for statistic in STATISTICS
    }
    progress("retrained networks")
    again = _retrained(checkpoint, samples, retrain_steps, seed, processes, undecided)
    progress("known parts")
    agreed, carried = None, None
    if (parts := card.parts) is None:
        undecided["agreement"] = "no parts of the task are known"
    else:
        agreed = agreement(network, parts, x=x, graph=graph, levels=levels, seed=seed)
        carried = tried("which module carries which part", lambda: carriers(network, modules, card, x=x, seed=seed))
    if carried is not None and not carried.found:
        undecided["which module carries which part"] = carried.reason
    progress("function")
    same = tried("whether modules compute the same", lambda: alike(network, modules, x, seed=seed)) if modules else ()
    harm = tried(
        "what each module does",
        lambda: damage(network, modules, rows, targets, measure=measure, samples=samples, seed=seed),
    )
    kept = tried(
        "what the circuit keeps", lambda: faithfulness(checkpoint.network, network, rows, targets, measure=measure)
    )
    progress("locality")
    wires = wiring(network, samples=samples, seed=seed)
    if wires.locality is None:
        undecided["locality"] = "no placement found is shorter than random ones"
    return Audit(
        source=name,
        circuit=circuit,
        graph=graph,
        levels=levels,
        choice=choice,
        modules=modules,
        names=tuple(map(str, named_modules(network, card, modules))),
        weighings=weighed,
        second_opinion=SecondOpinion(other, agreement_of(partition, other)),
        thresholds=thresholds(checkpoint.network, circuit, card.parts),
        nulls=nulls,
        retrained=again,
        agreement=agreed,
        carriers=carried,
        alike=same or (),
        damage=harm,
        faithfulness=kept,
        wiring=wires,
        shared=shared_neurons(graph, modules),
        undecided=undecided,
        seed=seed,
    )


def circuit_specialisation(checkpoint: Checkpoint) -> tuple[float, float]:
    """Specialisation of a checkpoint's circuit, pruned briefly and without refitting, and the circuit's loss."""
    circuit = circuit_of(checkpoint, refit_steps=0, search="narrowing")
    if not circuit.network.edges():
        return 0.0, circuit.loss
    return specialisation(graph_of(circuit.network, checkpoint)), circuit.loss


def _retrained(
    checkpoint: Checkpoint,
    samples: int,
    steps: int,
    seed: int,
    processes: int | None,
    undecided: dict[str, str],
) -> Mapping[str, Retrained]:
    """Networks trained anew, where they can be and that does not take for ever."""
    what = "whether sparsity alone, or any task, would bring the same structure"
    if steps < 1 or (reason := retrainable(checkpoint)):
        undecided[what] = "no networks were trained anew" if steps < 1 else reason
        return {}
    many = affordable(checkpoint, steps=steps, samples=samples, work=RETRAINING_WORK)
    if many < FEWEST:
        undecided[what] = f"training {FEWEST} networks of this size anew would take too long"
        return {}
    return {
        how: retrained(
            checkpoint, circuit_specialisation, how=how, statistic="specialisation", weights="attribution",
            samples=many, steps=steps, seed=seed, processes=processes,
        )
        for how in ("l1", "permuted")
    }  # fmt: skip


def _opened(
    source: Checkpoint | Network | str | Path,
    x: np.ndarray | None,
    y: np.ndarray | None,
    known: KnownParts | None,
) -> tuple[str, Checkpoint]:
    if isinstance(source, Network):
        if x is None:
            mend = "give x, rows as the network sees them"
            raise InputError("a network without rows", where="audit", expected="x", got="None", mend=mend)
        return "in memory", checkpoint_of(source, x, y, known)
    if x is not None or y is not None or known is not None:
        expected = "x, y and known with a network only"
        raise InputError("a checkpoint brings its own rows", where="audit", expected=expected, mend="leave them out")
    if isinstance(source, Checkpoint):
        return "in memory", source
    return str(best_checkpoint(source)), open_checkpoint(source)


def checkpoint_of(
    network: Network,
    x: Float[np.ndarray, "rows inputs"],
    y: Float[np.ndarray, "rows outputs"] | None = None,
    known: KnownParts | None = None,
) -> Checkpoint:
    """A network with rows as a checkpoint: every second row is held out, and targets are the network's own outputs
    where none are given."""
    inputs = tuple(f"x{j + 1}" for j in range(x.shape[1])) if known is None else known.inputs
    targets = np.asarray(network.predict(x) if y is None else y, dtype=np.float64)
    outputs = tuple(f"y{k + 1}" for k in range(targets.shape[1])) if known is None else known.outputs
    low, high = x.min(axis=0), x.max(axis=0)
    ranges = tuple((float(a), float(b) if b > a else float(a) + 1.0) for a, b in zip(low, high, strict=True))
    card = TaskCard("network", inputs, outputs, ranges, parts=known)
    return Checkpoint(network, card, Probe(x[::2], targets[::2], x[1::2], targets[1::2]))


def _inputs(checkpoint: Checkpoint) -> Any:
    return checkpoint.card.to_network_inputs(all_rows(checkpoint)[0])


def _held_out(checkpoint: Checkpoint) -> tuple[Any, Any]:
    """Test rows as the network sees them, targets in its units."""
    card, probe = checkpoint.card, checkpoint.probe
    return card.to_network_inputs(probe.x_test), card.to_network_targets(card.one_hot(probe.y_test))
