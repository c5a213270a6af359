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

HERE = Path(__file__).parent
LIBRARIES = (  # of others, that functions of the packages import
    "jinja2", "joblib", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg", "matplotlib.pyplot",
    "pandas", "scipy.optimize", "scipy.stats", "sympy", "torch.export",
)  # fmt: skip
PROGRAM = """
import gc, importlib, json, os, pkgutil, sys, traceback
from contextlib import suppress
import bimt_analyze._cli, bimt_train._cli
here, *names = sys.argv[1:]
sys.path.append(here)
for package in (bimt_train, bimt_analyze):
    names += [module.name for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
for name in names:
    if "integrations" not in name:  # which take as long as all else together
        with suppress(ImportError):  # where what it needs is refused
            importlib.import_module(name)
import bimt_analyze.fleet._analyze_many, inline_fleet
bimt_analyze.fleet._analyze_many.Worker = inline_fleet.Here
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
def opened(libraries: Sequence[str] = LIBRARIES, env: dict[str, str] | None = None) -> Iterator[Go]:
    """What does a command in a folder: bimt-train or bimt-analyze with words, or python with the texts of programs.

    Each text has names of its own. A fleet does its jobs in the child too.
    """
    command = [sys.executable, "-c", PROGRAM, str(HERE), *libraries]
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None

        def go(words: Sequence[str], folder: Path) -> Done:
            print(json.dumps([str(folder), *map(str, words)]), file=process.stdin, flush=True)
            status = int(process.stdout.readline())
            return Done(status, *((folder / f".{name}").read_text() for name in ("stdout", "stderr")))

        yield go
        process.stdin.close()
