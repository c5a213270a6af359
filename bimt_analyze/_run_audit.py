"""From a checkpoint or a network to its audit, in one call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from bimt_train import Circuit, InputError
from bimt_train.checkpoints import Checkpoint, Network, TaskCard
from bimt_train.expressions import KnownParts

from ._circuit_of import all_inputs, circuit_of, graph_of, held_out
from ._retraining import retrained_nulls
from ._sources import best_checkpoint, checkpoint_of, open_checkpoint
from .audits import (
    FEWEST,
    HEADLINE,
    WEIGHTS,
    Agreement,
    Audit,
    Carriers,
    Measure,
    NullModel,
    SecondOpinion,
    SignalFormula,
    Significance,
    Statistic,
    agreement,
    alike,
    as_trained,
    carriers,
    damage,
    faithfulness,
    functional_choice,
    functional_modules,
    partition_ami,
    shared_neurons,
    signal_formulas,
    significance,
    subspaces,
    thresholds,
    weighings,
    wiring,
)
from .graph import NeuronGraph, NodeId
from .modules import Hierarchy, Partition, choose_level, hierarchy, in_task_order, infomap, named_modules
from .transformers import has_stream

Progress = Callable[[str], None]
Found = TypeVar("Found")

STATISTICS: tuple[Statistic, ...] = ("specialisation", "modularity")
MODELS: tuple[NullModel, ...] = ("rewired", "shuffled")
_UNPLACED = "inputs or outputs are no neurons"


@dataclass
class _Questions:
    """What cannot be measured of a network is told, and its audit goes on.

    Attributes:
        placed: whether inputs and outputs are neurons.
        undecided: what could not be measured -> why.
    """

    placed: bool
    undecided: dict[str, str] = field(default_factory=dict)

    def tried(self, what: str, measured: Callable[[], Found]) -> Found | None:
        """The answer, or None where there is none."""
        try:
            return measured()
        except InputError as error:
            self.undecided[what] = str(error)
            return None

    def varied(self, what: str, measured: Callable[[], Found]) -> Found | None:
        """The same for what asks for inputs that can be varied."""
        if self.placed:
            return self.tried(what, measured)
        self.undecided[what] = _UNPLACED
        return None


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
        InputError: rows for a checkpoint, none for a network, too few samples, or a network that begins or ends at no
            one group of neurons (`bimt_analyze.graph.with_ends`).
    """
    check_samples(samples)
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
    """The audit of a circuit whose modules are found."""
    network, card, x = circuit.network, checkpoint.card, all_inputs(checkpoint)
    placed = network.layout.ends_are_neurons
    rows, targets = held_out(checkpoint)
    parts = card.parts if placed else None
    asked = _Questions(placed)
    progress("before cutting")
    whole = asked.tried(
        "the network before cutting",
        lambda: as_trained(checkpoint.network, graph_of(checkpoint.network, checkpoint), x, parts),
    )
    progress("effects")
    served = asked.varied("modules by function", lambda: functional_modules(network, graph, x))
    by_weights = choose_level(levels)
    choice = by_weights if served is None else functional_choice(by_weights, levels, served, graph)
    partition, modules = choice.partition, in_task_order(network, choice.partition)
    progress("null networks")
    nulls: dict[tuple[str, str], Significance] = {
        (statistic, model): significance(graph, statistic=statistic, null_model=model, samples=samples, seed=seed)
        for model in MODELS
        for statistic in STATISTICS
    }
    progress("edge weights")
    own = {graph.weights: (by_weights.level, nulls[HEADLINE])}
    # gradients of as many outputs as there are tokens would take long
    kinds = WEIGHTS if placed else tuple(weights for weights in WEIGHTS if weights != "attribution")
    weighed = weighings(network, x, partition, weights=kinds, known=own, samples=samples, seed=seed)
    other = infomap(graph, seed=seed)
    stream = subspaces(network, samples=samples, seed=seed) if has_stream(network) else None
    progress("retrained networks")
    again = asked.tried(
        "whether sparsity alone, or any task, would bring the same structure",
        lambda: retrained_nulls(checkpoint, samples=samples, steps=retrain_steps, seed=seed, processes=processes),
    )
    progress("known parts")
    agreed, carried, sent = _against_known(asked, network, card, x, graph, levels, partition, modules, seed=seed)
    progress("function")
    same = None
    if modules:
        same = asked.varied("whether modules compute the same", lambda: alike(network, modules, x, seed=seed))
    harm = asked.tried(
        "what each module does",
        lambda: damage(network, modules, rows, targets, measure=_measure(card), samples=samples, seed=seed),
    )
    kept = asked.tried(
        "what the circuit keeps",
        lambda: faithfulness(checkpoint.network, network, rows, targets, measure=_measure(card)),
    )
    progress("locality")
    wires = wiring(network, samples=samples, seed=seed)
    if wires.locality is None:
        asked.undecided["locality"] = "no placement found is shorter than random ones"
    return Audit(
        source=name,
        as_trained=whole,
        circuit=circuit,
        graph=graph,
        levels=levels,
        functional=served,
        choice=choice,
        modules=modules,
        names=tuple(map(str, named_modules(network, card, modules))),
        weighings=weighed,
        second_opinion=SecondOpinion(other, partition_ami(partition, other)),
        subspaces=stream,
        thresholds=thresholds(checkpoint.network, circuit, parts),
        nulls=nulls,
        retrained=again or {},
        agreement=agreed,
        carriers=carried,
        signals=sent,
        alike=same or (),
        damage=harm,
        faithfulness=kept,
        wiring=wires,
        shared=shared_neurons(graph, modules),
        undecided=asked.undecided,
        seed=seed,
    )


def _against_known(
    asked: _Questions,
    network: Network,
    card: TaskCard,
    x: Float[np.ndarray, "rows inputs"],
    graph: NeuronGraph,
    levels: Hierarchy,
    partition: Partition,
    modules: tuple[frozenset[NodeId], ...],
    *,
    seed: int,
) -> tuple[Agreement | None, Carriers | None, tuple[SignalFormula, ...]]:
    """The modules held against the known parts: how well they agree, which carries which, and what it sends."""
    if card.parts is None or not asked.placed:
        asked.undecided["agreement"] = "no parts of the task are known" if card.parts is None else _UNPLACED
        return None, None, ()
    agreed = agreement(network, card.parts, x=x, graph=graph, levels=levels, partition=partition, seed=seed)
    which, what = "which module carries which part", "what the carriers send, as formulas"
    carried = asked.tried(which, lambda: carriers(network, modules, card, x=x, seed=seed))
    if carried is None:
        return agreed, None, ()
    if not carried.found:
        asked.undecided[which] = carried.reason
    sent = asked.tried(what, lambda: signal_formulas(network, modules, carried, card, x=x, seed=seed))
    return agreed, carried, sent or ()


def _measure(card: TaskCard) -> Measure:
    """What is lost with a module: of many classes over sequences some have no rows, so they are taken together."""
    if card.loss == "next-token":
        return "surprise"
    return "accuracy" if card.classifies else "error"


def check_samples(samples: int) -> None:
    """Pass if null networks are enough to show anything.

    Raises:
        InputError: with so few, no p can be below 0.05.
    """
    if samples < FEWEST:
        expected = f"{FEWEST} or more, as p is at least 1 / (1 + samples)"
        raise InputError("too few samples", where="samples", expected=expected, got=str(samples), mend="use 200")


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
