"""Files, tables and formulas, changed at random: each is read or refused in one line, at once, and runs nothing.

A text or file fails where it ends in anything but a result or a refusal of one line, takes more than two seconds, asks
for more than a gigabyte, or where something that it says is run.
"""

import argparse
import itertools
import os
import random
import resource
import signal
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.common._measure import table as written
from benchmarks.common._measure import write_section
from benchmarks.start._fuzz_foreign import foreign, foreign_files
from benchmarks.start._fuzz_signed import Signed, mutant
from benchmarks.start._fuzz_texts import formula, table
from bimt_analyze._network_rows import checkpoint_of
from bimt_train import InputError, Recipe, train
from bimt_train.checkpoints import Network, load_checkpoint, read_foreign, save_checkpoint
from bimt_train.models import MODELS, ModelSpec
from bimt_train.models.from_spec import build_model
from bimt_train.tasks import formula_task, independence, modular_addition, table_task, two_moons

SECONDS, BYTES, TRACE = 2.0, 2**30, "bimt_was_run"
LONGEST = 1500  # letters of a refusal
SHORT = Recipe(steps=2)
FAILED = ("traceback", "hangs", "long refusal", "ran something")


@dataclass(frozen=True)
class Case:
    """One thing to try."""

    kind: str
    note: str
    do: Callable[[], object]


class _Hangs(BaseException):
    pass


def outcome(case: Case) -> tuple[str, str]:
    """What came of a case, and of a failure what it said."""

    def late(number: int, frame: object) -> None:
        raise _Hangs

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        case.do()
        found = "taken", ""
    except InputError as error:
        found = (
            ("refused", "")
            if len(str(error)) < LONGEST and "\n" not in str(error)
            else ("long refusal", str(error)[:200])
        )
    except _Hangs:
        found = "hangs", ""
    except (Exception, SystemExit) as error:  # whatever it is, it is the failure that is looked for
        found = "traceback", f"{type(error).__name__}: {str(error)[:150]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if Path(TRACE).exists():
        Path(TRACE).unlink()
        found = "ran something", ""
    return found


@contextmanager
def little_memory() -> Iterator[None]:
    """While inside, asking for a gigabyte more than is held is an error."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (held + BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


# ---- what is tried


def small_checkpoints(folder: Path) -> Iterator[Signed]:
    """A trained one of several tasks, and the example of each kind of model."""
    path = folder / "small.safetensors"
    for task in (independence().with_hidden([5, 5]), two_moons(rows=(20, 20)).with_hidden([5]), modular_addition(7)):
        save_checkpoint(path, train(task, seeds=1, recipe=SHORT).best.checkpoint)
        yield Signed(path.read_bytes(), "bimt", spaced=False)
    for kind in (*MODELS.names(), "traced"):
        options, rng = MODELS[kind].options.example(), np.random.default_rng(0)
        ends, spec = options.ends, ModelSpec(kind, options.to_json())
        x = rng.integers(0, ends.tokens, (12, ends.inputs)) if ends.tokens else rng.uniform(-1, 1, (12, ends.inputs))
        network = Network.of(build_model(spec, generator=torch.Generator().manual_seed(0)))
        if ends.outputs:
            save_checkpoint(path, checkpoint_of(network, x.astype(np.float64)))
            yield Signed(path.read_bytes(), "bimt", spaced=False)


def checkpoints(folder: Path, count: int, draw: random.Random) -> Iterator[Case]:
    """Changed checkpoints, read and run."""
    originals = list(small_checkpoints(folder))
    path = folder / "changed.safetensors"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        checkpoint = load_checkpoint(path)
        checkpoint.predict(checkpoint.probe.x_test[:5])

    for _ in range(count):
        kind, data = mutant(draw.choice(originals), draw)
        yield Case("checkpoints", kind, partial(read, data))


def states(folder: Path, count: int, draw: random.Random) -> Iterator[Case]:
    """Changed states of runs, resumed."""
    task = independence().with_hidden([5])
    train(task, seeds=2, recipe=SHORT, out=folder)
    path = folder / "state.safetensors"
    original = Signed(path.read_bytes(), "bimt-state", spaced=True)

    def resume(data: bytes) -> None:
        path.write_bytes(data)
        train(task, seeds=2, recipe=SHORT, out=folder, resume=True)

    for _ in range(count):
        kind, data = mutant(original, draw)
        yield Case("states", kind, partial(resume, data))


def tables(folder: Path, count: int, draw: random.Random) -> Iterator[Case]:
    """Changed tables."""
    path = folder / "table.csv"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        table_task(path, target="y").data(0)

    for _ in range(count):
        data = table(draw)
        yield Case("tables", repr(data[:60]), partial(read, data))


def formulas(folder: Path, count: int, draw: random.Random) -> Iterator[Case]:
    """Changed formulas, drawn from."""

    def read(text: str) -> None:
        data = formula_task([text]).data(0)
        assert np.isfinite(data.y_train).all() and np.isfinite(data.y_test).all(), "numbers that are not finite"

    for _ in range(count):
        text = formula(draw)
        yield Case("formulas", repr(text[:60]), partial(read, text))


def others(folder: Path, count: int, draw: random.Random) -> Iterator[Case]:
    """Changed files of networks from elsewhere."""
    originals = foreign_files(folder / "originals")

    def read(path: Path, data: bytes) -> None:
        path.write_bytes(data)
        checkpoint = read_foreign(path, activation="silu", ranges=(-1, 1))
        checkpoint.predict(checkpoint.probe.x_test[:5])

    for _ in range(count):
        name, data = foreign(originals, draw)
        yield Case("foreign files", name, partial(read, folder / f"changed{Path(name).suffix}", data))


KINDS = {
    "checkpoints": (checkpoints, 15_000), "states": (states, 5_000), "tables": (tables, 5_000),
    "formulas": (formulas, 5_000), "foreign files": (others, 500),
}  # fmt: skip


def tried(kind: str, count: int, seed: int) -> tuple[Counter[str], list[str], float]:
    """How often each outcome came, the failures, and the longest time."""
    counts: Counter[str] = Counter()
    failures, longest = [], 0.0
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        os.chdir(place)
        try:
            cases = KINDS[kind][0](Path(place), count, random.Random(f"{seed} {kind}"))
            first = next(cases)  # the originals are made
            with little_memory():
                for case in itertools.chain([first], cases):
                    began = time.perf_counter()
                    found, said = outcome(case)
                    longest = max(longest, time.perf_counter() - began)
                    counts[found] += 1
                    if found in FAILED:
                        failures.append(f"{case.kind}, {case.note}: {found} {said}")
        finally:
            os.chdir(home)
    return counts, failures, longest


def lines(rows: Sequence[Sequence[object]], failures: Sequence[str]) -> list[str]:
    """The section of the results."""
    head = ["", "tried", "taken", "refused in one line", *FAILED, "longest"]
    return [*written(head, rows), "", *([f"Failures: {'; '.join(failures[:20])}."] if failures else ["No failure."])]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}; all if none is named")
    parser.add_argument("--share", type=float, default=1.0, help="of the usual numbers")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rows, failures = [], []
    for kind in given.kinds or KINDS:
        count = max(1, round(KINDS[kind][1] * given.share))
        counts, failed, longest = tried(kind, count, given.seed)
        failures += failed
        outcomes = [counts[name] for name in ("taken", "refused", *FAILED)]
        rows.append([kind, count, *outcomes, f"{longest:.2f} s"])
        print(rows[-1], *failed[:30], sep="\n  ", flush=True)
    write_section("Fuzz: files, tables and formulas changed at random", lines(rows, failures))


if __name__ == "__main__":
    main()
