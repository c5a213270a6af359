"""The folder of a run: tried before the run begins, and kept from a second writer."""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..._errors import InputError
from ...extras import need
from ...whole_files import PART
from .._runs import RUNS_FILE

LOCK_FILE, STATE_FILE = ".lock", "state.safetensors"


@contextlib.contextmanager
def run_folder(folder: Path | None, needed: int) -> Iterator[None]:
    """While inside, this process alone writes runs into the folder.

    The folder is made if need be. What a killed run left half written is removed. The lock ends with the process,
    however that ends.

    Parameters
    ----------
    folder : Path or None
        The folder; None for a run that writes nothing.
    needed : int
        Bytes that the run will write.

    Raises
    ------
    InputError
        The folder cannot be written, another run writes into it, or the disk is too full.
    """
    if folder is None:
        yield
        return
    need("filelock", "a folder of runs")
    from filelock import FileLock, Timeout

    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            held.enter_context(FileLock(folder / LOCK_FILE, timeout=0))
        except Timeout:
            hint = "wait for the other run, or choose another folder"
            raise InputError("another run writes into this folder", where=str(folder), hint=hint) from None
        except OSError as error:
            hint, got = "choose a folder that can be written", error.strerror or str(error)
            raise InputError("the folder cannot be written", where=str(folder), got=got, hint=hint) from None
        _check_room(folder, needed)
        for written in (STATE_FILE, RUNS_FILE, "seed-"):  # a report may be under way in the same folder
            for left in folder.glob(f".{written}*{PART}"):
                left.unlink(missing_ok=True)
        yield


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        hint = "make room, train fewer seeds at once, or choose a folder on another disk"
        expected, got = f"{needed / 1e6:.0f} MB for checkpoints and the state", f"{free / 1e6:.0f} MB"
        raise InputError("the disk is too full", where=str(folder), expected=expected, got=got, hint=hint)
