"""A small language model by three types of training, held against each other at equal loss."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from benchmarks.common._measure import table, write_section
from benchmarks.training.tasks import spread
from bimt_analyze.modules import connected_components, leiden, modularity
from bimt_analyze.transformers import alive, virtual_graph
from bimt_train import TrainingType, default_recipe, prune, relocate, train
from bimt_train.checkpoints import Network
from bimt_train.tasks import Task, language
from bimt_train.tasks._language import TextSampler
from bimt_train.training import Runs

TEXT = Path(__file__).resolve().parents[3] / "shared" / "data" / "text" / "tinyshakespeare.txt"
RUNS = Path(__file__).resolve().parents[2] / "runs" / "language"
KINDS: tuple[TrainingType, ...] = ("vanilla", "l1", "bimt")
TOLERANCE = 0.05
BIT = np.log(2)


def trained(task: Task, kind: TrainingType, seeds: int) -> Runs:
    """The runs of seeds 0, 1, ...; what an earlier call has written is gone on with."""
    folder = RUNS / kind
    begun = (folder / "state.safetensors").exists()
    return train(task, seeds=seeds, kind=kind, out=folder, resume=begun)


def bits(network: Network, x: np.ndarray, y: np.ndarray) -> float:
    """Bits per character."""
    total = 0.0
    for rows in np.array_split(np.arange(len(x)), -(-len(x) // 256)):
        logits = network.predict(x[rows])
        total -= np.take_along_axis(log_softmax(logits, axis=-1), y[rows].astype(int)[..., None], 2).sum()
    return float(total / y.size / BIT)


def counted(sampler: TextSampler, order: int) -> float:
    """Bits per character on the last tenth of a model of counts: the ``order`` characters before, add one."""
    kinds = int(sampler.tokens.max()) + 1
    train_part, test_part = np.split(sampler.tokens, [round(0.9 * len(sampler.tokens))])
    counts = np.ones((kinds,) * (order + 1))

    def places(tokens: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(np.lib.stride_tricks.sliding_window_view(tokens, order + 1).T)

    np.add.at(counts, places(train_part), 1)
    chances = counts / counts.sum(-1, keepdims=True)
    return float(-np.log2(chances[places(test_part)]).mean())


def measured(task: Task, runs: dict[str, Runs]) -> tuple[list[list[object]], list[str]]:
    """A row for each type, and what did not reach the loss."""
    recipe, rows, missed = default_recipe(task), [], []
    found: dict[str, list[list[float]]] = {kind: [] for kind in runs}
    for index in range(len(runs["bimt"].runs)):
        of = {kind: each.runs[index] for kind, each in runs.items()}
        data = task.data(of["bimt"].seed)
        x, y = (np.concatenate([getattr(data, f"{name}_{part}")[:128] for part in ("train", "test")]) for name in "xy")
        limit = bits(of["bimt"].checkpoint.network, x, y) * (1 + TOLERANCE)
        for kind, run in of.items():
            network = run.checkpoint.network
            tolerance = limit / bits(network, x, y) - 1
            if tolerance < 0:
                missed.append(f"{kind}, seed {run.seed}")
                continue
            circuit = prune(
                network, x, y, loss="next-token", tolerance=tolerance, refit_steps=0, search="narrowing"
            ).network
            tensors = dict(circuit.tensors)
            placement = relocate(circuit.layout, circuit.placement, tensors, recipe.cost)
            living = alive(circuit)
            graph = virtual_graph(circuit).without(["y"])
            modules = leiden(graph, resolution=1.0, seed=0)
            found[kind].append(
                [bits(network, data.x_test, data.y_test), bits(circuit, data.x_test, data.y_test),
                 circuit.edges(), circuit.edges() / network.edges(-1.0),
                 recipe.cost.value(circuit.layout, placement, tensors), living.heads,
                 sum(sum(part.attending) for part in living.parts), living.neurons, sum(living.positions),
                 len(connected_components(graph).modules), modularity(graph, modules)]
            )  # fmt: skip
    forms = ("{:.3f}", "{:.3f}", "{:.0f}", "{:.1%}", "{:.0f}", *["{:.0f}"] * 5, "{:.2f}")
    for kind, values in found.items():
        if values:
            columns = [spread(column, form) for column, form in zip(zip(*values, strict=True), forms, strict=True)]
            rows.append([kind, len(values), *columns])
    return rows, missed


def lines(task: Task, kinds: Sequence[str], seeds: int) -> list[str]:
    runs = {kind: trained(task, kind, seeds) for kind in kinds}
    rows, missed = measured(task, runs)
    sampler, options, recipe = task.sampler, task.model.options, default_recipe(task)
    assert isinstance(sampler, TextSampler)
    context = ", ".join(f"{counted(sampler, order):.3f} from {order} before" for order in range(3))
    network = runs["bimt"].runs[0].checkpoint.network
    seconds = [run.seconds for each in runs.values() for run in each.runs]
    head = [
        "type", "seeds", "test bits per character", "after pruning", "weights left", "of all", "connection cost",
        "heads alive", "of these attending", "MLP neurons alive", "positions used", "components", "modularity",
    ]  # fmt: skip
    return [
        f"Shakespeare's {len(sampler.tokens):,} characters, the last tenth for testing; a transformer of "
        f"{options['layers']} blocks, width {options['width']}, {options['layers'] * options['heads']} heads, "
        f"{options['layers'] * options['hidden']} MLP neurons, {network.edges(-1.0):,} weights, context "
        f"{options['context']}; {recipe.steps} steps of {recipe.batch} windows, in {min(seconds):.0f} to "
        f"{max(seconds):.0f} s a seed. Median (least to greatest).",
        "",
        f"Equal loss: each network is cut by magnitude, without refitting, as far as its loss stays within "
        f"{TOLERANCE:.0%} above that of the whole bimt network of the same seed, on 128 windows of the training text "
        "and 128 of the test text. Bits are over all test windows. Cost is bimt's, after one more relocation, which "
        "networks of all three types get. Components and modularity (Leiden, resolution 1) are those of virtual "
        "weights, outputs left out.",
        "",
        f"For comparison, bits per character of counted characters: {context}.",
        "",
        *table(head, rows),
        "",
        f"Above that loss before anything is cut: {', '.join(missed) or 'none'}.",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--kinds", nargs="+", default=list(KINDS), choices=KINDS, help="train these only; all: measure")
    chosen = parser.parse_args()
    if not TEXT.exists():
        print(f"language is left out: no {TEXT}")
        return
    task = language(TEXT)
    if set(chosen.kinds) < set(KINDS):
        for kind in chosen.kinds:
            trained(task, kind, chosen.seeds)
    else:
        write_section("Language model", lines(task, KINDS, chosen.seeds))


if __name__ == "__main__":
    main()
