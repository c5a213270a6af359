"""Runs that are killed at random moments, by SIGTERM, SIGINT and SIGKILL in turn, and resumed: what is lost.

Each process is forked from this one, which has loaded everything, so that the moments lie in the run itself.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

import bimt_train._cli
from benchmarks.common._measure import table, write_section
from bimt_train.signals import run_command
from bimt_train.training import train  # noqa: F401 (loaded before the processes are forked)
from bimt_train.training.state._run_folder import STATE_FILE

SIGNALS = {signal.SIGTERM: 143, signal.SIGINT: 130, signal.SIGKILL: -9}
RUNS = {
    "independence": ["independence", "--seeds", "4", "--steps", "120000"],
    "a table": ["table.csv", "--target", "y", "--seeds", "3", "--steps", "40000"],
    "in-context": ["in-context", "--seeds", "2", "--steps", "150"],
    "permutation-s4 (restarts)": ["permutation-s4", "--seeds", "2", "--steps", "6000"],
    "language (batches)": ["language", "--data", "story.txt", "--seeds", "2", "--steps", "60"],
}


@dataclass(frozen=True)
class Kill:
    """What came of one killed run.

    ``lost`` is the seconds between the last save and the end.
    """

    signal: signal.Signals
    ended: bool  # before the signal came
    status: bool  # as it should be
    begun: bool  # a state was there
    same: bool  # bytes, after the run was resumed
    lost: float
    rubbish: int  # files half written, after the run was resumed


def forked(words: Sequence[str], said: Path) -> int:
    """The command in a process of its own; its number."""
    number = os.fork()
    if number:
        return number
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["bimt-train", *words]
    os._exit(run_command(bimt_train._cli.__name__))


def status(number: int) -> int:
    """What the process ends with."""
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def content(folder: Path) -> dict[str, bytes]:
    """The checkpoints of a run."""
    return {path.name: path.read_bytes() for path in sorted(folder.glob("seed-*.safetensors"))}


def kill(words: Sequence[str], whole: dict[str, bytes], lasts: float, sent: signal.Signals, at: float) -> Kill:
    """Begin the run, send the signal, and resume."""
    with tempfile.TemporaryDirectory() as place:
        folder, said = Path(place) / "run", Path(place) / "said"
        command = [*words, "--quiet", "--out", str(folder)]
        number = forked(command, said)
        time.sleep(at * lasts)
        state = folder / STATE_FILE
        now, saved = time.time(), state.stat().st_mtime if state.exists() else None
        os.kill(number, sent)
        got = status(number)
        told = said.read_text()
        right = got == SIGNALS[sent] and "Traceback" not in told
        again = status(forked([*command, "--resume"], said))
        same = again == 0 and content(folder) == whole
        lost = 0.0 if saved is None or sent != signal.SIGKILL else now - saved
        rubbish = sum(".part" in path.name for path in folder.iterdir())
        return Kill(sent, got == 0, right, saved is not None, same, lost, rubbish)


def prepare(folder: Path) -> None:
    """The table and the text that runs read."""
    os.chdir(folder)
    x = np.random.default_rng(0).uniform(-1, 1, (300, 3))
    y = x[:, 0] * x[:, 1] + np.sin(x[:, 2])
    np.savetxt("table.csv", np.column_stack([x, y]), delimiter=",", header="a,b,c,y", comments="")
    Path("story.txt").write_text("the cat sat on the mat, and the dog saw the cat sit. " * 400)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40, help="of each kind of run")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        prepare(Path(place))
        for kind, words in RUNS.items():
            draw, began = random.Random(f"{given.seed} {kind}"), time.perf_counter()
            assert status(forked([*words, "--quiet", "--out", kind], Path("said"))) == 0, Path("said").read_text()
            lasts, whole = time.perf_counter() - began, content(Path(kind))
            signals = list(SIGNALS)
            kills = [
                kill(words, whole, lasts, signals[k % 3], draw.uniform(0.02, 0.98)) for k in range(given.kills)
            ]  # fmt: skip
            alive = [one for one in kills if not one.ended]
            same, right = sum(one.same for one in kills), sum(one.status for one in alive)
            rows.append([
                kind, f"{lasts:.1f} s", len(kills), len(kills) - len(alive), sum(not one.begun for one in alive),
                f"{right} of {len(alive)}", f"{same} of {len(kills)}",
                f"{max(one.lost for one in kills):.1f} s", sum(one.rubbish for one in kills),
            ])  # fmt: skip
            print(rows[-1], flush=True)
        os.chdir(home)
    head = (
        "run", "lasts", "kills", "over before", "nothing saved yet", "status as it should be",
        "resumed to the same bytes", "most work lost", "half files left",
    )  # fmt: skip
    lines = [*table(head, rows), "", "A run that was killed before anything was saved begins anew when it is resumed."]
    write_section("Kills: runs ended at random moments and resumed", lines)


if __name__ == "__main__":
    main()
