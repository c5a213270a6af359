"""A process that has loaded the libraries, and does each command, or each program, in a child of its own.

To load them takes seconds, to make a child of what has loaded them takes milliseconds. What one child does reaches
neither the next nor the tests.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HEAVY = (  # what an analysis, an audit or a training imports when it is first needed
    "bimt_analyze._by_running", "bimt_analyze.measures", "bimt_analyze.report.page._pictures",
    "bimt_train.training._train", "matplotlib.pyplot", "pandas", "sympy", "torch.export",
)  # fmt: skip
PROGRAM = """
import gc, importlib, json, os, sys, traceback
import bimt_analyze._cli, bimt_train._cli
for name in sys.argv[1:]:
    importlib.import_module(name)
gc.set_threshold(100_000, 50, 100)
gc.freeze()
COMMANDS = {"bimt-train": bimt_train._cli.main, "bimt-analyze": bimt_analyze._cli.main}
def run(program, words):
    if program != "python":
        return COMMANDS[program](words)
    for number, text in enumerate(words, start=1):
        print("text", number, file=sys.stderr)
        exec(compile(text, f"text {number}", "exec"), {"__name__": "__main__"})
    return 0
for line in sys.stdin:
    folder, program, *words = json.loads(line)
    child = os.fork()
    if not child:
        status = 1
        try:
            os.chdir(folder)
            for stream, name in ((1, "stdout"), (2, "stderr")):
                os.dup2(os.open(f".{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
            status = run(program, words)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Done(NamedTuple):
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


Go = Callable[[Sequence[str], Path], Done]


@contextmanager
def opened(modules: Sequence[str] = HEAVY, env: dict[str, str] | None = None) -> Iterator[Go]:
    """What does a command in a folder: bimt-train or bimt-analyze with words, or python with the texts of programs.

    Each text has names of its own.
    """
    command = [sys.executable, "-c", PROGRAM, *modules]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None

        def go(words: Sequence[str], folder: Path) -> Done:
            print(json.dumps([str(folder), *map(str, words)]), file=process.stdin, flush=True)
            status = int(process.stdout.readline())
            return Done(status, *((folder / f".{name}").read_text() for name in ("stdout", "stderr")))

        yield go
        process.stdin.close()
