"""Calls in processes of their own, a few at once; one that fails, dies or hangs is told of, and the others go on."""

import inspect
import multiprocessing
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Generic, TypeVar

Job = TypeVar("Job")
Message = TypeVar("Message")

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Finished(Generic[Job, Message]):
    """A job, what it said before it ended, and why it ended where that was not by itself."""

    job: Job
    messages: tuple[Message, ...]
    fault: str


@dataclass(frozen=True)
class _End:
    """The last thing that a process says."""

    fault: str


@dataclass
class _Running(Generic[Job, Message]):
    job: Job
    process: BaseProcess
    deadline: float
    messages: list[Message] = field(default_factory=list)


def watched(
    function: Callable[[Job], Iterator[Message]],
    jobs: Sequence[Job],
    *,
    limits: Sequence[float],
    processes: int,
) -> Iterator[Finished[Job, Message]]:
    """Each job as it ends. Every process uses one thread.

    ``function`` says one thing after the other; ``limits[i]`` is how many seconds message i, or the end, may take after
    the one before, the last limit for all that follow. A process that takes longer is killed. Function, jobs and
    messages travel, so all must be values; what the function's module loads is loaded once.
    """
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    # The server that processes are forked from does not get our sys.path, and would load nothing.
    folder = str(Path(inspect.getfile(function)).resolve().parent)
    os.environ["PYTHONPATH"] = os.pathsep.join([folder, *filter(None, [os.environ.get("PYTHONPATH")])])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([function.__module__])
    waiting, running = list(jobs), {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                ours, theirs = context.Pipe(duplex=False)
                job = waiting.pop(0)
                process = context.Process(target=_work, args=(function, job, theirs), daemon=True)
                process.start()
                theirs.close()
                running[ours] = _Running(job, process, time.monotonic() + limits[0])
            patience = min(one.deadline for one in running.values()) - time.monotonic()
            for pipe in wait(list(running), timeout=max(patience, 0.0)):
                fault = _heard(pipe, running[pipe], limits)
                if fault is not None:
                    yield _ended(pipe, running, fault)
            for pipe in [pipe for pipe, one in running.items() if time.monotonic() > one.deadline]:
                limit = limits[min(len(running[pipe].messages), len(limits) - 1)]
                yield _ended(pipe, running, f"ended after {limit:.0f} s")
    finally:
        for one in running.values():
            one.process.kill()


def _heard(pipe: Connection, one: _Running[Job, Message], limits: Sequence[float]) -> str | None:
    """Take a message; how the process ended, if it did."""
    try:
        message = pipe.recv()
    except (EOFError, OSError):
        return "the process died"
    if isinstance(message, _End):
        return message.fault
    one.messages.append(message)
    one.deadline = time.monotonic() + limits[min(len(one.messages), len(limits) - 1)]
    return None


def _ended(pipe: Connection, running: dict[Connection, _Running[Job, Message]], fault: str) -> Finished[Job, Message]:
    one = running.pop(pipe)
    if fault:
        one.process.kill()
    one.process.join()
    pipe.close()
    return Finished(one.job, tuple(one.messages), fault)


def _work(function: Callable[[Job], Iterator[Message]], job: Job, pipe: Connection) -> None:
    """What a process does."""
    warnings.simplefilter("ignore")
    fault = ""
    try:
        for message in function(job):
            pipe.send(message)
    except Exception as error:  # whatever goes wrong in one job is a result, and no reason to stop the others
        fault = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    pipe.send(_End(fault))
