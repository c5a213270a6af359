"""Three ways of a newcomer, from an installation to a result: the lines of the README as they stand there, timed."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch

from benchmarks.common._measure import no_options, table, write_section
from bimt_train import train
from bimt_train.tasks import independence

ROOT = Path(__file__).resolve().parents[2]
COMMANDS, LINES, SECONDS = 3, 10, 120  # that a way may take, at most


@dataclass(frozen=True)
class Way:
    """What stands below one heading of the README.

    Attributes
    ----------
    heading : str
        The heading.
    programs : tuple of tuple of str
        What is run, in its order, as words.
    lines : int
        How many commands, or lines of Python, a reader types.
    typed : str
        What these are, ``command`` or ``line``.
    """

    heading: str
    programs: tuple[tuple[str, ...], ...]
    lines: int
    typed: str

    @property
    def short(self) -> bool:
        """Whether it is as short as promised."""
        return self.lines <= (COMMANDS if self.typed == "command" else LINES)


def ways(readme: str) -> tuple[Way, ...]:
    """The ways that the README shows, each below a heading of its own."""
    (section,) = re.findall(r"^## Three ways in\n(.*?)(?=^## )", readme, re.MULTILINE | re.DOTALL)
    found = []
    for heading, kind, block in re.findall(
        r"^### (.+?)\n.*?```(sh|python)\n(.*?)```", section, re.MULTILINE | re.DOTALL
    ):
        lines = [line for line in block.splitlines() if line.strip()]
        if kind == "sh":
            programs = tuple(tuple(shlex.split(line, comments=True)) for line in lines)
        else:
            programs = ((sys.executable, "-c", block),)
        found.append(Way(heading, programs, len(lines), "command" if kind == "sh" else "line"))
    return tuple(found)


def twenty_files(folder: Path) -> None:
    """Ten networks trained with the connection cost and ten without it, saved by torch, and rows of their task."""
    task = independence()
    (folder / "nets").mkdir()
    for kind in ("bimt", "vanilla"):
        for run in train(task, seeds=10, kind=kind).runs:
            torch.save(run.checkpoint.network.module().state_dict(), folder / "nets" / f"{kind}-{run.seed}.pt")
    data = task.data(seed=99)
    rows = pd.DataFrame(data.x_test, columns=["x1", "x2", "x3", "x4"])
    rows.assign(y1=data.y_test[:, 0], y2=data.y_test[:, 1]).to_csv(folder / "rows.csv", index=False)


# What the newcomer has, beside the files of the repository.
GIVEN: dict[str, Callable[[Path], None]] = {"Twenty files, and one table": twenty_files}


def walked(way: Way, folder: Path) -> tuple[float, str]:
    """The seconds of a way, and what it ends with."""
    shutil.copytree(ROOT / "examples" / "data", folder / "examples" / "data")
    GIVEN.get(way.heading, lambda _: None)(folder)
    scripts = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    said, began = "", time.perf_counter()
    for words in way.programs:
        said = subprocess.run(words, cwd=folder, env=scripts, stdout=subprocess.PIPE, text=True, check=True).stdout
    return time.perf_counter() - began, said.strip()


def ending(said: str) -> str:
    """What answers: the laws, the verdict, or how many files were analysed."""
    lines = [" ".join(line.split()) for line in said.splitlines()]
    laws = [line for line in lines if re.match(r"\w+ = ", line)]
    return "; ".join(laws or [line for line in lines if "modular" in line or "files analysed" in line][:1])


def main() -> None:
    no_options(__doc__)
    rows = []
    for way in ways((ROOT / "README.md").read_text()):
        with tempfile.TemporaryDirectory() as folder:
            seconds, said = walked(way, Path(folder))
        rows.append([way.heading, f"{way.lines} {way.typed}{'s' * (way.lines > 1)}", f"{seconds:.0f} s", ending(said)])
    about = (
        'What the README says under "Three ways in", run as it stands there where the project is installed. A way has '
        f"at most {COMMANDS} commands or {LINES} lines, and takes less than {SECONDS} s. Of the twenty files ten were "
        "trained with the connection cost and ten without it; their training is not counted."
    )
    write_section("Newcomers", [about, "", *table(["way", "typed", "time", "ends with"], rows)])


if __name__ == "__main__":
    main()
