"""Files that appear whole or not at all, and the digest by which a damaged one is known."""

import contextlib
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ._errors import InputError

PART = ".part"  # the ending of a file that is still being written


def write_whole(path: str | Path, content: bytes | str) -> None:
    """Write a file under another name and rename it, so that a reader never meets half a file.

    Parameters
    ----------
    path : str or Path
        The file that appears, or is replaced. A device or a pipe is written to as it is.
    content : bytes or str
        All that the file will hold. Text is written in UTF-8; a character that UTF-8 lacks becomes a question mark.

    Raises
    ------
    InputError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_whole(folder / "said.txt", "all of it")
    >>> [(file.name, file.read_text()) for file in folder.iterdir()]
    [('said.txt', 'all of it')]
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # /dev/stdout, a pipe: nothing to rename
        return _pour(path, content)
    path = path.resolve()  # a link stays, and leads to the new file
    data = content.encode("utf-8", errors="replace") if isinstance(content, str) else content
    unfinished = path.with_name(f".{path.name[:40]}.{os.getpid()}{PART}")  # names have an upper length
    try:
        with unfinished.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        hint, reason = "choose a folder that exists and can be written", str(error.strerror)
        raise InputError("the file cannot be written", where=str(path), got=reason, hint=hint) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def _pour(path: Path, content: bytes | str) -> None:
    try:
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content, "utf-8", "replace")
    except OSError as error:
        raise InputError("cannot be written", where=str(path), got=str(error.strerror)) from error


def made_folder(folder: str | Path) -> Path:
    """Make a folder, and those above it, where it is not there.

    Parameters
    ----------
    folder : str or Path
        The folder.

    Returns
    -------
    Path
        The same.

    Raises
    ------
    InputError
        It cannot be made, or a file has its name.

    Examples
    --------
    >>> import tempfile
    >>> made_folder(Path(tempfile.mkdtemp()) / "a" / "b").is_dir()
    True
    """
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        got, hint = str(error.strerror), "choose another folder, one that can be written"
        raise InputError("the folder cannot be made", where=str(folder), got=got, hint=hint) from error
    return folder


def content_digest(arrays: Mapping[str, np.ndarray], text: str = "") -> str:
    """The SHA-256 of named arrays and a text: any change of a name, a type, a shape, a number or a letter shows.

    Parameters
    ----------
    arrays : mapping of str to array
        The arrays by name, in any order.
    text : str, optional
        The text.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> content_digest({"w": np.zeros(3)}) == content_digest({"w": np.zeros((3, 1))})
    False
    """
    found = hashlib.sha256(text.encode("utf-8", errors="surrogatepass"))
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        found.update(f"\n{name!r} {array.dtype.str} {arrays[name].shape}\n".encode("utf-8", errors="surrogatepass"))
        found.update(array.reshape(-1).view(np.uint8).data)
    return found.hexdigest()
