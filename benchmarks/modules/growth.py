"""How time and memory grow with the edges of a network: graph, modules, chance, relocation.

From 10,000 to 10 million edges; beyond, large.py has GPT-2 small. Dense MLPs of three equal hidden layers with two
halves planted in them, each in a process of its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.common._measure import table, write_section
from benchmarks.modules.wide import planted
from bimt_analyze import AnalysisOptions
from bimt_analyze._circuit_of import all_inputs, graph_of
from bimt_analyze.analysis._run_audit import hierarchy_of
from bimt_analyze.analysis._within_reach import within_reach
from bimt_analyze.audits._deciding_test import deciding_test
from bimt_analyze.modules import choose_level
from bimt_train import ConnectionCost, relocate
from bimt_train.checkpoints import from_state_dict

EDGES = (10_000, 100_000, 1_000_000, 10_000_000)


def timed(steps: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    """What the work gives; its seconds go to ``steps``."""
    began = time.perf_counter()
    result = work()
    steps[name] = time.perf_counter() - began
    return result


def measured(edges: int) -> dict[str, Any]:
    """Seconds of each step on one network of about so many edges, and the peak of memory."""
    width = round(np.sqrt(edges))  # two square matrices, of which each half reads itself
    state, _ = planted((20, width, width, width, 10), 1.0, True)
    checkpoint = from_state_dict(state, activation="relu", ranges=(-1, 1))
    del state
    network, steps = checkpoint.network, dict[str, float]()
    graph = timed(steps, "graph", lambda: graph_of(network, checkpoint))
    options = within_reach(AnalysisOptions(), graph)
    levels = timed(steps, "partition", lambda: hierarchy_of(graph, options))
    tested = timed(steps, "significance", lambda: deciding_test(network, graph, all_inputs(checkpoint), options))
    timed(steps, "relocation", lambda: relocate(network.layout, network.placement, network.tensors, ConnectionCost()))
    return {
        "edges": network.edges(),
        "looked at": len(graph.edges.weight),
        "samples": options.samples,
        "modules": len(choose_level(levels).partition.modules),
        "p": tested.p,
        "seconds": steps,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }


def rows(sizes: tuple[int, ...]) -> Iterator[list[str]]:
    """A row for each size."""
    for edges in sizes:
        words = [sys.executable, "-m", "benchmarks.modules.growth", "--edges", str(edges)]
        told = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        spent = [f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s" for seconds in told["seconds"].values()]
        row = [f"{told['edges']:,}", f"{told['looked at']:,}", *spent, str(told["samples"]), f"{told['peak']:.1f} GiB"]
        yield [*row, str(told["modules"]), f"{told['p']:.3f}"]
        print(row, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edges", type=int, help="one network in this process, told as JSON")
    given = parser.parse_args()
    if given.edges:
        print(json.dumps(measured(given.edges)))
        return
    head = [
        "edges", "edges looked at", "graph", "partition", "significance", "relocation", "null networks", "peak",
        "modules (2 planted)", "p",
    ]  # fmt: skip
    write_section("Growth", [
        *table(head, list(rows(EDGES))), "",
        "From ten million edges on, the graph is a backbone, the eight strongest edges of each neuron to and from each",
        "group; below, from 15,000 on, there are fewer null networks and runs of Leiden, as docs/audit.md says.",
    ])  # fmt: skip


if __name__ == "__main__":
    main()
