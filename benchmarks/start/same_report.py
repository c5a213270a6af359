"""Twenty commands alone and under four busy processes: whether each writes the same report, byte for byte.

Reports are compared as JSON, Markdown and HTML, without the seconds that each stage took. The two runs of a command
have different hash seeds too. Some commands find a law; of others the search ends with its budget of work.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common._measure import table, write_section

LIMITS = (2, 10)  # seconds of a reference core for all formulas of a network
STEPS = 300  # of training: what is analysed need not be good
FORMS = ("json", "markdown", "html")
BUSY = "while True: pass"
STAGES = rb"(?m)^(- seconds:|\s*<dt>seconds</dt>).*$"  # how long each stage took
TOOLS = {name: f"import sys; from bimt_{name}._cli import main; sys.exit(main())" for name in ("train", "analyze")}


@dataclass(frozen=True)
class Case:
    """A network to train: its name, and what bimt-train is given."""

    name: str
    asked: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """What a command wrote, without seconds; how long it took; and how the searches of its formulas ended."""

    written: tuple[bytes, ...]
    seconds: float
    found: str
    cut: int


def cases(folder: Path) -> tuple[Case, ...]:
    """Formulas, tables with a law, with noise, without a law, and with many columns."""
    rng = np.random.default_rng(0)

    def rows(name: str, width: int, count: int, law: Any) -> str:
        x = rng.uniform(0.5, 2.0, (count, width))
        data = pd.DataFrame(x, columns=[f"x{k + 1}" for k in range(width)])
        data["y"] = law(x)
        data.to_csv(folder / f"{name}.csv", index=False)
        return str(folder / f"{name}.csv")

    noisy = rows("noisy", 3, 400, lambda x: x[:, 0] * np.exp(-x[:, 1]) + x[:, 2] ** 2 + 0.05 * rng.normal(size=400))
    lawless = rows("lawless", 4, 300, lambda x: rng.normal(size=300))
    wide = rows("wide", 9, 400, lambda x: np.sin(3 * x[:, 0]) * np.abs(x[:, 4] - 1) + np.tanh(x[:, 7] * x[:, 8]) ** 3)
    rough = rows("rough", 2, 300, lambda x: np.round(np.sqrt(1 + x[:, 0] ** 2) / x[:, 1], 3))
    laws = {
        "independence": ("independence",),
        "feature-sharing": ("feature-sharing",),
        "composition": ("composition",),
        "product": ("y = x1*exp(-x2)/x3",),
        "two outputs": ("y1 = sin(pi*x1) + x2**2", "y2 = x3/(1 + x1**2)"),
        "no short form": ("y = tanh(x1*x2)**3 + abs(x1 - x3)**1.5*cos(3*x2)",),
    }
    tables = {"noisy": noisy, "lawless": lawless, "wide": wide, "rough": rough}
    asked = [Case(name, given) for name, given in laws.items()]
    return (*asked, *(Case(name, (path, "--target", "y")) for name, path in tables.items()))


def command(tool: str, *arguments: str, hash_seed: int = 0) -> None:
    """One of the two commands, in a process of its own, one thread each."""
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", TOOLS[tool], *arguments], env=environment, capture_output=True)
    if done.returncode:
        raise SystemExit(f"bimt-{tool} {' '.join(arguments)}: {done.stderr.decode()[-2000:]}")


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that do nothing but work."""
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def analysed(network: str, limit: int, folder: Path, hash_seed: int) -> Run:
    """One command and what it wrote."""
    files = [folder / f"report.{form}" for form in FORMS]
    asked = [part for form, file in zip(FORMS, files, strict=True) for part in (f"--{form}", str(file))]
    began = time.monotonic()
    command("analyze", network, "--time-limit", str(limit), *asked, hash_seed=hash_seed)
    spent = time.monotonic() - began
    print(f"{Path(network).name}, {limit} s: {spent:.1f} s", flush=True)
    report = json.loads(files[0].read_text())
    report["provenance"].pop("seconds")
    told = [json.dumps(report).encode(), *(re.sub(STAGES, b"", file.read_bytes()) for file in files[1:])]
    formulas = report["formulas"].values()
    words = [one["data"]["word"] for one in formulas]
    return Run(tuple(told), spent, ", ".join(words) or "none", sum(one["cut_after"] is not None for one in formulas))


def differences(one: Run, other: Run) -> str:
    """Which forms of the report differ."""
    pairs = zip(FORMS, one.written, other.written, strict=True)
    return ", ".join(name for name, first, second in pairs if first != second)


def section(rows: Sequence[tuple[Case, int, Run, Run]], processes: int) -> list[str]:
    """The section of RESULTS.md."""
    same = sum(not differences(alone, loaded) for _, _, alone, loaded in rows)
    head = ["network", "time limit", "words", "alone", "busy", "cut short", "differs in"]
    lines = [
        [
            case.name, f"{limit} s", alone.found, f"{alone.seconds:.1f} s", f"{loaded.seconds:.1f} s",
            alone.cut + loaded.cut, differences(alone, loaded) or "nothing",
        ]
        for case, limit, alone, loaded in rows
    ]  # fmt: skip
    about = (
        f"{same} of {len(rows)} commands write the same JSON, Markdown and HTML alone and under {processes} busy "
        "processes, but for the seconds of each stage. The two runs have different hash seeds."
    )
    return [about, "", *table(head, lines)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=4, help="that keep the cores busy")
    parser.add_argument("--limits", type=int, nargs="+", default=list(LIMITS), help="time limits of each network")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these networks; RESULTS.md is left as it is")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asked = [case for case in cases(folder) if not chosen.only or case.name in chosen.only]
        for case in asked:
            command("train", *case.asked, "--seeds", "1", "--steps", str(STEPS), "--out", str(folder / case.name))
        pairs = [(case, limit) for case in asked for limit in chosen.limits]
        alone = [analysed(str(folder / case.name), limit, folder, 1) for case, limit in pairs]
        with busy(chosen.processes):
            loaded = [analysed(str(folder / case.name), limit, folder, 2) for case, limit in pairs]
    rows = [(*pair, one, other) for pair, one, other in zip(pairs, alone, loaded, strict=True)]
    lines = section(rows, chosen.processes)
    if chosen.only:
        print("\n".join(lines))
    else:
        write_section("The same report twice", lines)


if __name__ == "__main__":
    main()
