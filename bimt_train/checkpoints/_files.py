"""Files that appear whole or not at all."""

import contextlib
import os
from pathlib import Path

from .._errors import CheckpointError


def write_whole(path: Path, content: bytes) -> None:
    """Write beside the goal and rename, so that a reader never meets half a file.

    Raises:
        CheckpointError: the file cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        mend, reason = "choose a folder that exists and can be written", str(error.strerror)
        raise CheckpointError("the file cannot be written", where=str(path), got=reason, mend=mend) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
