"""Arrays of numpy: one in a file, or several by name in an archive."""

import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ...._errors import CheckpointError
from .._values import Tensors, Told
from ._bounds import ZIP_ERRORS, members_of
from ._weight_file import WEIGHT_FILES

_MAGIC = b"\x93NUMPY"


def is_npz(path: Path) -> bool:
    """Whether a file is a zip archive of arrays.

    Parameters
    ----------
    path : Path
        What is asked about.

    Returns
    -------
    bool
        Whether it is so.
    """
    names = members_of(path)
    return bool(names) and all(name.endswith(".npy") for name in names)


def is_npy(path: Path) -> bool:
    """Whether a file is one array.

    Parameters
    ----------
    path : Path
        What is asked about.

    Returns
    -------
    bool
        Whether it is so.
    """
    with path.open("rb") as file:
        return file.read(6) == _MAGIC


@WEIGHT_FILES.register(
    "npz", label="npz", sentence="Named arrays, in the order in which they were saved.", knows=is_npz
)
def read_npz(path: Path, told: Told) -> Tensors:
    """Read the arrays of an archive of numpy.

    Parameters
    ----------
    path : Path
        The file.
    told : Told
        Not needed here.

    Returns
    -------
    Tensors
        In the order in which they were saved.

    Raises
    ------
    CheckpointError
        An array holds objects, or is larger than what is stored of it.
    """
    state, texts = {}, []
    with zipfile.ZipFile(path) as archive:
        for name, info in members_of(path).items():
            try:
                with archive.open(name) as file:
                    array = _array(file, info.file_size, f"{path}, '{name}'", texts=True)
                if array.dtype.kind == "U":
                    texts.append(f"'{name.removesuffix('.npy')}'")
                else:
                    state[name.removesuffix(".npy")] = array
            except CheckpointError:
                raise
            except ZIP_ERRORS as error:
                got, hint = str(error)[:120] or type(error).__name__, "copy the file again"
                raise CheckpointError(
                    "an archive that is damaged", where=f"{path}, '{name}'", got=got, hint=hint
                ) from error
    said = (f"{', '.join(texts[:8])} left out: texts are no tensors",) if texts else ()
    return Tensors(state, ordered=True, assumed=said)


@WEIGHT_FILES.register("npy", label="npy", sentence="One matrix: a single layer without a bias.", knows=is_npy)
def read_npy(path: Path, told: Told) -> Tensors:
    """Read an array of numpy.

    Parameters
    ----------
    path : Path
        The file.
    told : Told
        Not needed here.

    Returns
    -------
    Tensors
        One, under the file's name.

    Raises
    ------
    CheckpointError
        It holds objects, or is larger than what is stored of it.
    """
    with path.open("rb") as file:
        return Tensors({"W": _array(file, path.stat().st_size, str(path))}, ordered=True)


def _array(file: Any, size: int, where: str, *, texts: bool = False) -> np.ndarray:
    """Read one array, whose header is held against the bytes that follow it before they are read."""
    try:
        version = np.lib.format.read_magic(file)
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, by_columns, dtype = readers[version](file)
    except (ValueError, KeyError, TypeError, SyntaxError, EOFError, RecursionError, MemoryError) as error:
        got = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise CheckpointError("an array that cannot be read", where=where, got=got, hint="save it again") from error
    if dtype.kind not in ("fiubU" if texts else "fiub") or dtype.subdtype is not None:
        expected, hint = "plain numbers", "save each array by name with np.savez"
        raise CheckpointError(
            "an array that holds no plain numbers", where=where, expected=expected, got=str(dtype)[:60], hint=hint
        )
    wanted = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or len(shape) > 8 or wanted > size:
        got = f"shape {shape}"[:100]
        raise CheckpointError(
            "an array larger than what is stored of it", where=where, expected=f"{size} bytes", got=got
        )
    content = file.read(wanted)
    if len(content) < wanted:
        raise CheckpointError(
            "an array that is cut off", where=where, expected=f"{wanted} bytes", got=str(len(content))
        )
    return (
        np.frombuffer(content, dtype).reshape(shape, order="F" if by_columns else "C").astype(dtype.newbyteorder("="))
    )
