"""What a file may ask for, against its own size: checked before anything is unpacked."""

import re
import zipfile
import zlib
from pathlib import Path

from ...._errors import CheckpointError

TIMES, SMALL = 20, 2**24
"""A file may unpack to 20 times its size and 16 MiB more; weights compress by less than 2, masks by 10."""
MEMBERS = 100_000
ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError)
"""What reading a damaged archive may raise."""


def limit_of(path: Path) -> int:
    """How many bytes a file may unpack to.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    int
        Bytes.
    """
    return TIMES * path.stat().st_size + SMALL


def check_bytes(path: Path, wanted: int, what: str) -> None:
    """Refuse what would take much more memory than the file itself.

    Parameters
    ----------
    path : Path
        The file.
    wanted : int
        Bytes that its headers ask for.
    what : str
        What asks for them, for the message.

    Raises
    ------
    CheckpointError
        The file asks for too much.
    """
    if wanted > limit_of(path):
        raise CheckpointError(
            "a file that asks for much more memory than its size", where=f"{path}, {what}",
            expected=f"at most {limit_of(path)} bytes, {TIMES} times the file", got=f"{wanted} bytes",
            hint="save the network again, without compression",
        )  # fmt: skip


def members_of(path: Path) -> dict[str, zipfile.ZipInfo]:
    """The members of a zip archive, whose declared sizes are within bounds; empty if it is none.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    dict of str to ZipInfo
        By name.

    Raises
    ------
    CheckpointError
        There are too many, or they would unpack to too much.
    """
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            return {}
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except ZIP_ERRORS:
        return {}
    if len(infos) > MEMBERS or len({info.filename for info in infos}) < len(infos):
        raise CheckpointError("an archive of too many members, or of two with one name", where=str(path))
    check_bytes(path, sum(info.file_size for info in infos), "the sizes of its members")
    return {info.filename: info for info in infos}


def damaged(path: Path, error: BaseException) -> CheckpointError:
    """The error for a file whose reader failed.

    Parameters
    ----------
    path : Path
        The file.
    error : BaseException
        What the reader raised.

    Returns
    -------
    CheckpointError
        In one line.
    """
    text = str(error).strip().splitlines()
    foreign = re.search(r"GLOBAL ([\w.]+)", str(error))
    if foreign:
        return CheckpointError(
            "the file holds more than tensors", where=str(path), expected="a state_dict",
            got=f"an object of {foreign[1]}, which would have to be run",
            hint="if you trust it, read it with torch.load(path, weights_only=False), and save the module's weights "
            "anew with torch.save(module.state_dict(), new_path)",
        )  # fmt: skip
    return CheckpointError(
        "the file holds more than tensors, or is damaged",
        where=str(path),
        expected="a state_dict",
        got=f"{type(error).__name__}: {text[0][:120] if text else 'nothing'}",
        hint="save it anew with torch.save(model.state_dict(), path)",
    )
