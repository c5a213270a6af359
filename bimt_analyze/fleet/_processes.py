"""The side of a fleet that waits: processes that can be killed without harm to the others."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from .._jobs import Job, Outcome
from ._member import Failure
from ._messages import READY, receive, send
from ._worker import COPIES, ended

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
PATIENCE = 2.0  # seconds for an idle process to end by itself
Answer = tuple[Outcome | Failure, float]


class Worker:
    """A process that does one job after the other; it is started when it is needed, and again after its end.

    It has one thread, so that sums do not depend on how many processes there are.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: Path | None = None  # what it says of errors
        self._late = self._stopped = False

    def do(self, job: Job, time_budget: float | None) -> Answer:
        """Do a job, or say why it was not done.

        Parameters
        ----------
        job : Job
            What to analyse.
        time_budget : float or None
            Seconds; a job that takes longer is killed. Starting the process does not count.

        Returns
        -------
        tuple of (Outcome or Failure, float)
            What came of it, and the seconds that it took.
        """
        before, old = len(self._said()), self._process
        process = self._started()
        before = before if process is old else 0
        began, self._late = time.perf_counter(), False
        timer = threading.Timer(time_budget or 0.0, self._too_late)
        if time_budget is not None:
            timer.start()
        found = _asked(process, job)
        timer.cancel()
        if time_budget is not None:
            timer.join()  # else it could still end the next job
        seconds = time.perf_counter() - began
        words = _last_line(self._said()[before:])
        ending = self.close() if found is None or self._late or not COPIES else ""
        if isinstance(found, Failure) and found.kind == "died":
            found = replace(found, reason=f"{found.reason}{words}")
        if found is not None:
            return found, seconds
        if self._late:
            return Failure("late", f"not done within the time budget of {time_budget:g} s"), seconds
        return Failure("died", f"the process that analysed it ended {ending}{words}"), seconds

    def stop(self) -> None:
        """End the process, whatever it does now; no other is started."""
        self._stopped = True
        self._kill()

    def close(self) -> str:
        """End the process; returns how it ended, in words."""
        process, self._process = self._process, None
        if process is None:
            return ""
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(OSError):  # what was not sent is lost
                    stream.close()
        try:
            status = process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            _kill_group(process)
            status = process.wait()
        if self._errors is not None:
            self._errors.unlink(missing_ok=True)
        return ended(status)

    def _said(self) -> bytes:
        return self._errors.read_bytes() if self._errors is not None and self._errors.exists() else b""

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        handle, name = tempfile.mkstemp(prefix="bimt-errors-")
        self._errors = Path(name)
        here = os.pathsep.join(place or os.getcwd() for place in sys.path)
        with os.fdopen(handle, "ab") as errors:
            process = self._process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}._worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | dict.fromkeys(_ONE_THREAD, "1") | {"PYTHONPATH": here},
                start_new_session=True,  # so that all that it starts ends with it
            )
        if self._stopped:
            self._kill()
        if process.stdout is None or receive(process.stdout) != READY:
            self._kill()  # then the job is not answered, and its last words say why
        return process

    def _too_late(self) -> None:
        self._late = True
        self._kill()

    def _kill(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            _kill_group(process)


def _asked(process: subprocess.Popen[bytes], job: Job) -> Outcome | Failure | None:
    """The answer to a job; None where the process ends before it answers."""
    if process.stdin is None or process.stdout is None:
        return None
    try:
        send(process.stdin, job)
        found: Outcome | Failure | None = receive(process.stdout)
    except (OSError, ValueError):  # it has ended, or was closed
        return None
    return found


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return f", saying: {' '.join(lines[-1].split())[:300]}" if lines else ""


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError):  # it has ended by itself
        os.killpg(process.pid, signal.SIGKILL)


def alone(job: Job, time_budget: float | None) -> Answer:
    """Do a job in a process that is there for it alone, as on a machine of a cluster.

    Parameters
    ----------
    job : Job
        What to analyse.
    time_budget : float or None
        Seconds; a job that takes longer is killed.

    Returns
    -------
    tuple of (Outcome or Failure, float)
        What came of it, and the seconds that it took.
    """
    worker = Worker()
    try:
        return worker.do(job, time_budget)
    finally:
        worker.close()
