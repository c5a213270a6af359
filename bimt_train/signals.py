"""Ctrl-C and SIGTERM: a command ends with a status of its own, and a run saves what it has first."""

import contextlib
import importlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from types import FrameType
from typing import Any

INTERRUPTED, TERMINATED = 130, 143
STOPS = (signal.SIGINT, signal.SIGTERM)

_Handler = Callable[[int, FrameType | None], None] | signal.Handlers


class Terminated(BaseException):
    """SIGTERM reached the command; like ``KeyboardInterrupt``, it passes by whoever catches errors."""


def run_command(module: str) -> int:
    """Import the module of a command and call its ``main``; from the first moment on, signals end it in good order.

    Little is imported before this, so that hardly a moment is left in which Ctrl-C shows a traceback.

    Parameters
    ----------
    module : str
        Full name of a module with a function ``main``, which returns the exit status.

    Returns
    -------
    int
        The status of the command, 130 after Ctrl-C, 143 after SIGTERM: 128 and the number of the signal.

    Examples
    --------
    >>> run_command("nowhere")
    Traceback (most recent call last):
        ...
    ModuleNotFoundError: No module named 'nowhere'
    """
    before = _handle(STOPS[1:], _raise_terminated)
    try:
        status = int(importlib.import_module(module).main())
        _handle(STOPS, signal.SIG_IGN)  # it ends anyway
    except KeyboardInterrupt:
        return _ended("interrupted", INTERRUPTED)
    except Terminated:
        return _ended("terminated", TERMINATED)
    except BaseException:
        for number, handler in before.items():
            signal.signal(number, handler)
        raise
    return status


def _ended(line: str, status: int) -> int:
    _handle(STOPS, signal.SIG_IGN)
    sys.stderr.write(f"error: {line}\n")
    return status


def _raise_terminated(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _handle(numbers: Sequence[signal.Signals], handler: _Handler) -> dict[signal.Signals, Any]:
    """Install a handler, and return those that were there.

    Outside the main thread signals do not arrive. One that is ignored stays so: a shell lets its background jobs ignore
    Ctrl-C, which is meant for another command.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    heard = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    return {number: signal.signal(number, handler) for number in heard}


@contextlib.contextmanager
def held_signals() -> Iterator[Callable[[], bool]]:
    """While inside, a first Ctrl-C or SIGTERM is only noted; work that looks at the note can end in good order.

    A second signal does at once what it did before. When the block is left, a SIGTERM that was noted is delivered:
    whoever sent it wants the process to end. A Ctrl-C is not: it asked for the work to end, and the work has ended.

    Outside the main thread, where signals never arrive, nothing is held, and signals that are ignored stay so.

    Yields
    ------
    callable
        Tells whether a signal was noted.
    """
    noted: list[int] = []
    before: dict[signal.Signals, Any] = {}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def note(number: int, frame: FrameType | None) -> None:
        if noted:
            restore()
            signal.raise_signal(number)
        noted.append(number)

    before = _handle(STOPS, note)
    try:
        yield lambda: bool(noted)
    finally:
        restore()
    if signal.SIGTERM in noted:
        signal.raise_signal(signal.SIGTERM)
