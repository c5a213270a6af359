"""Files that appear whole or not at all."""

import contextlib
import os
from pathlib import Path

from .._errors import CheckpointError


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` beside ``path`` and rename it, so that a reader never meets half a file.

    Parameters
    ----------
    path : Path
        The file that appears, or is replaced.
    content : bytes
        All that it will hold.

    Raises
    ------
    CheckpointError
        The file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        hint, reason = "choose a folder that exists and can be written", str(error.strerror)
        raise CheckpointError("the file cannot be written", where=str(path), got=reason, hint=hint) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
