"""A thousand seeds on a local cluster of four workers, two of which are killed: what is lost, and what it costs."""

import argparse
import json
import logging
import os
import random
import signal
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

from distributed import Client, LocalCluster

from benchmarks.common._measure import table, write_section
from bimt_train import Recipe, default_recipe, train
from bimt_train.tasks import independence
from bimt_train.training import Runs, train_distributed

WORKERS, KILLED, COMPARED = 4, 2, 40


def killing(pids: list[int], folder: Path, seeds: int) -> threading.Thread:
    """A thread that kills workers once a fifth, and two fifths, of the seeds are trained."""

    def ended() -> int:
        file = folder / "runs.json"
        return len(json.loads(file.read_text())["records"]) if file.exists() else 0

    def kill() -> None:
        for number, pid in enumerate(pids, 1):
            while ended() < seeds * number / 5:
                time.sleep(0.2)
            os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    return thread


def trained(recipe: Recipe, seeds: int, *, killed: bool) -> tuple[Runs, float]:
    """All seeds on a cluster, and the seconds that they took."""
    with (
        tempfile.TemporaryDirectory() as place,
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, protocol="tcp", dashboard_address=None) as local,
    ):
        with Client(local) as client:
            pids = list(client.run(os.getpid).values())
        thread = killing(pids[:KILLED], Path(place), seeds) if killed else None
        began = time.perf_counter()
        runs = train_distributed(
            independence(), dask=local.scheduler_address, seeds=seeds, recipe=recipe, out=Path(place)
        )
        seconds = time.perf_counter() - began
        if thread is not None:
            thread.join()
        assert len(json.loads((Path(place) / "runs.json").read_text())["records"]) == seeds
    return runs, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--steps", type=int, default=1000)
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # the cluster tells of each worker that is lost
    recipe = replace(default_recipe(independence()), steps=given.steps)
    rows = []
    for killed in (False, True):
        runs, seconds = trained(recipe, given.seeds, killed=killed)
        some = sorted(random.Random(0).sample(range(given.seeds), min(COMPARED, given.seeds)))
        alone = train(independence(), seeds=some, recipe=recipe)
        by_seed = {run.seed: run for run in runs.runs}
        same = sum(by_seed[run.seed].history == run.history for run in alone.runs)
        rows.append([KILLED if killed else 0, len(runs.runs), f"{same} of {len(some)}", f"{seconds:.0f} s"])
        print(rows[-1], flush=True)
    head = ["workers killed", "seeds trained", "as in one batch on this machine", "time"]
    about = f"{given.seeds} seeds of the independence task, {given.steps} steps, {WORKERS} workers."
    write_section("A cluster whose workers are killed", [about, "", *table(head, rows)])


if __name__ == "__main__":
    main()
