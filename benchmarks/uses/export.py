"""Exports beside the dense networks that they came from: speed, size and what stays equal."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.common._measure import no_options, table, write_section
from benchmarks.training.language import TEXT, TOLERANCE
from benchmarks.training.tasks import DIGITS, accuracy
from bimt_analyze import circuit_of, export_circuit
from bimt_analyze.export import Export, compact, in_threads
from bimt_analyze.export._compact import separate
from bimt_analyze.export.writers._c_compiled import compiled
from bimt_analyze.export.writers._c_file import c_source
from bimt_train import prune, train
from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.models import MLP
from bimt_train.tasks import Task, evidence, in_context, language, mnist, modular_addition

FORMATS = ("c", "pt2", "onnx", "safetensors")
BLOCKS, WIDTHS, ROWS = (2, 4, 8), (32, 384, 384, 4), 2000  # modules; neurons of each; rows at once


def all_rows(checkpoint: Checkpoint) -> np.ndarray:
    """The rows of the probe, as the network sees them."""
    probe = checkpoint.probe
    return checkpoint.task.to_network_inputs(np.concatenate([probe.x_train, probe.x_test]))


def exports(dense: Network, circuit: Network, x: np.ndarray) -> dict[str, Export | str]:
    """The circuit in every format that takes it; else why not."""
    found: dict[str, Export | str] = {}
    with tempfile.TemporaryDirectory() as folder:
        for form in FORMATS:
            try:
                found[form] = export_circuit(circuit, Path(folder) / f"circuit.{form}", x=x, dense=dense)
            except ValueError as error:
                found[form] = str(error)
    return found


def rows_of(name: str, found: Mapping[str, Export | str]) -> list[list[object]]:
    """A line of the table for each format."""
    lines: list[list[object]] = []
    for form, export in found.items():
        if isinstance(export, str):
            lines.append([name, f".{form}", export.partition(":")[0], "", "", "", "", ""])
            continue
        speeds = [
            f"{one.export * 1e6:,.1f} us ({one.dense * 1e6:,.0f}): {one.times:.1f}"
            for one in export.measurement.timings
        ]
        measured = export.measurement
        share = f"1/{measured.dense_bytes / measured.bytes:.1f}"
        lines.append([name, f".{form}", export.variant, *speeds, share, f"{export.worst:.0e}"])
    return lines


def circuits() -> Iterator[tuple[str, Network, Network, np.ndarray]]:
    """Networks of the paper's tasks and a language model: before pruning and after it, and rows."""
    tasks: dict[str, Callable[[], Task]] = {
        "modular addition": modular_addition, "evidence (RNN)": evidence, "in-context": in_context,
    }  # fmt: skip
    if DIGITS.exists():
        tasks = {"MNIST": lambda: mnist(DIGITS), **tasks}
    for name, make in tasks.items():
        checkpoint = train(make(), seeds=1).best.checkpoint
        yield name, checkpoint.network, circuit_of(checkpoint, refit_steps=0).network, all_rows(checkpoint)
    if TEXT.exists():
        task = language(TEXT)
        network, data = train(task, seeds=1).best.checkpoint.network, task.data(0)
        x, y = (np.concatenate([getattr(data, f"{name}_{part}")[:128] for part in ("train", "test")]) for name in "xy")
        found = prune(network, x, y, loss="next-token", tolerance=TOLERANCE, refit_steps=0, search="narrowing")
        yield "language model", network, found.network, x


def measure_tasks() -> list[str]:
    """Circuits, exported in every format."""
    lines, said = [], []
    for name, dense, circuit, x in circuits():
        found = exports(dense, circuit, x)
        lines += rows_of(name, found)
        some = next(one for one in found.values() if isinstance(one, Export))
        sizes = f"{circuit.edges()} of {dense.edges(-1.0)} weights ({circuit.edges() / dense.edges(-1.0):.1%}), "
        sizes += f"{len(some.network.reads)} of {some.network.columns} inputs"
        if name == "MNIST":
            data = mnist(DIGITS).data(0)
            before, after = (accuracy(one, data.x_test, data.y_test) for one in (dense, circuit))
            sizes += f", accuracy {before:.4f} before pruning and {after:.4f} after"
        said.append(f"- {name}: {sizes}, multiply-adds {some.measurement.multiply_adds:,} of "
                    f"{some.measurement.dense_multiply_adds:,}.")  # fmt: skip
    head = ["circuit", "file", "written", "1 row (dense): times faster", "100 rows", "2,000 rows",
            "bytes of the dense network", "farthest from the network"]  # fmt: skip
    return [*said, "", *table(head, lines)]


def measure_blocks() -> list[str]:
    """Networks of separate blocks: their modules one after the other and side by side."""
    lines = []
    for count in BLOCKS:
        network = compact(blocks_of(count))
        modules = separate(network)
        x = torch.from_numpy(np.random.default_rng(0).normal(size=(ROWS, len(network.reads))).astype(np.float32))
        rows = x.numpy()
        source = c_source(modules, network, name="circuit", storage="dense", said="").text
        c_one, c_many = (
            compiled(source, "circuit", len(network.outputs), flags=flags) for flags in ((), ("-DTHREADS", "-pthread"))
        )
        assert c_one is not None and c_many is not None
        with torch.inference_mode():
            one, many = (partial(in_torch, in_threads(network, threads=threads), x) for threads in (1, 2))
            reference = one()
            calls = {"torch": (one, many), "C": (partial(c_one, rows), partial(c_many, rows))}
            for by, (in_turn, beside) in calls.items():
                apart = float(np.abs(beside() - in_turn()).max()), float(np.abs(beside() - reference).max())
                seconds = median_seconds(in_turn, beside)
                lines.append([count, by, *(f"{one * 1e3:.1f} ms" for one in seconds),
                              f"{seconds[0] / seconds[1]:.2f}", f"{apart[0]:.0e}", f"{apart[1]:.0e}"])  # fmt: skip
    head = ["modules", "in", "one after the other", "in threads", "times faster", "outputs apart", "from torch"]
    return [f"Each module has {' x '.join(map(str, WIDTHS))} neurons; {ROWS} rows; a machine of 2 cores.", "",
            *table(head, lines)]  # fmt: skip


def blocks_of(count: int) -> Network:
    """A network of equal blocks side by side, no weight between them."""
    network = Network.of(MLP([count * width for width in WIDTHS], generator=torch.Generator().manual_seed(0)))
    masks = {name: np.kron(np.eye(count), np.ones(np.array(network.tensors[name].shape) // count))
             for name in network.layout.weights()}  # fmt: skip
    return network.with_tensors({name: network.tensors[name] * mask.astype(np.float32) for name, mask in masks.items()})


def in_torch(module: torch.nn.Module, x: torch.Tensor) -> np.ndarray:
    """What a module gives, as an array."""
    given: np.ndarray = module(x).numpy()
    return given


def median_seconds(*calls: Callable[[], object], times: int = 7) -> list[float]:
    """The median time of each call, made in turn."""
    seconds: list[list[float]] = [[] for _ in calls]
    for _ in range(times):
        for found, call in zip(seconds, calls, strict=True):
            began = time.perf_counter()
            call()
            found.append(time.perf_counter() - began)
    return [float(np.median(found)) for found in seconds]


def main() -> None:
    no_options(__doc__)
    torch.set_num_threads(1)
    write_section("Exports", measure_tasks())
    write_section("Exports: modules side by side", measure_blocks())


if __name__ == "__main__":
    main()
