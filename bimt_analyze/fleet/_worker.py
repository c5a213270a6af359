"""The side of a fleet that analyses: loads the libraries once, then does each job in a fresh copy of itself."""

import gc
import importlib
import os
import pkgutil
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from bimt_train import InputError

from .._jobs import Job, Outcome, work
from ._member import Failure
from ._messages import READY, receive, send

# A copy of a process costs milliseconds, and nothing that one file does reaches the next. Where copies are not safe
# (macOS) or not known (Windows), a process does one job and ends.
COPIES = sys.platform.startswith("linux")
_LIBRARIES = (
    "bimt_analyze.analysis._analyze", "bimt_analyze.analysis._by_running", "bimt_analyze.formulas._find_formula",
    "bimt_analyze.formulas._shared_parts", "bimt_analyze.report.page._page", "bimt_analyze.report.page._pictures",
    "bimt_train.pruning._prune", "matplotlib.pyplot", "matplotlib.backends.backend_svg",
    "pandas", "sympy",
)  # fmt: skip


def serve() -> None:
    """Answer the jobs that come on standard input, until it ends."""
    given, told = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints is no answer
    for name in (*_LIBRARIES, *_measures()):
        with suppress(ImportError):  # of what is not installed; the job that needs it says so
            importlib.import_module(name)
    gc.freeze()  # what is loaded stays: no copy looks through it for garbage
    send(told, READY)
    while (job := receive(given)) is not None:
        send(told, _in_a_copy(job, given) if COPIES else answer(job))
        if not COPIES:
            return


def _measures() -> Iterator[str]:
    """The modules of the audit's measures, which an audit imports one by one."""
    room = importlib.import_module("bimt_analyze.measures")
    return (f"{room.__name__}.{module.name}" for module in pkgutil.iter_modules(room.__path__))


def answer(job: Job) -> Outcome | Failure:
    """What comes of a job, whatever it raises.

    Parameters
    ----------
    job : Job
        What to analyse.

    Returns
    -------
    Outcome or Failure
        A value in each case.
    """
    try:
        return work(job, strict=False)
    except (InputError, OSError) as error:
        return Failure("refused", one_line(error, named=False))
    except BaseException as error:  # a user's file may even leave the program
        return Failure("crashed", one_line(error, named=True))


def one_line(error: BaseException, *, named: bool) -> str:
    """An error in one line.

    Parameters
    ----------
    error : BaseException
        What was raised.
    named : bool
        Whether the kind of the error is said too.

    Returns
    -------
    str
        At most some hundred letters.

    Examples
    --------
    >>> one_line(KeyError("w"), named=True)
    "KeyError: 'w'"
    """
    said = " ".join(str(error).split())[:600].encode("utf-8", "replace").decode()
    return f"{type(error).__name__}: {said}".removesuffix(": ") if named or not said else said


def ended(status: int) -> str:
    """How a process ended, in words.

    Parameters
    ----------
    status : int
        Its exit status; of a signal, its number below 0.

    Returns
    -------
    str
        A piece of a sentence.

    Examples
    --------
    >>> ended(-9), ended(3)
    ('by SIGKILL, as when memory runs out', 'with status 3')
    """
    if status >= 0:
        return f"with status {status}"
    name = next((each.name for each in signal.Signals if each == -status), f"signal {-status}")
    return f"by {name}" + (", as when memory runs out" if name == "SIGKILL" else "")


def _in_a_copy(job: Job, given: IO[bytes]) -> Outcome | Failure:
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.close(reads)
            with os.fdopen(writes, "wb") as out:
                send(out, answer(job))
            status = 0
        finally:
            os._exit(status)
    os.close(writes)
    with os.fdopen(reads, "rb") as answers:
        if answers not in select.select([answers, given], [], [])[0]:
            os.killpg(0, signal.SIGKILL)  # who asked has ended: nobody waits for the answer
        found = receive(answers)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return found or Failure("died", f"the process that analysed it ended {ended(status)}")


if __name__ == "__main__":
    serve()
