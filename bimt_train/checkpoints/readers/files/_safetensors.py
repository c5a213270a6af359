"""Safetensors files of other programs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open

from ...._errors import CheckpointError
from ....extras import need
from .._values import Tensors, Told
from ._weight_file import WEIGHT_FILES

_PLAIN = {"F64", "F32", "F16", "I64", "I32", "I16", "I8", "U8", "BOOL"}  # types that numpy has


def is_safetensors(path: Path) -> bool:
    """Whether a file begins with the length of a JSON header, and the header.

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
        start = file.read(9)
    return start[8:] == b"{" and start[:1] != b"{"


@WEIGHT_FILES.register(
    "safetensors",
    label="safetensors",
    sentence="Named tensors, in no order: layers are taken in the order of the numbers in their names.",
    knows=is_safetensors,
)
def read_safetensors(path: Path, told: Told) -> Tensors:
    """Read the tensors of a safetensors file.

    Parameters
    ----------
    path : Path
        The file.
    told : Told
        Not needed here.

    Returns
    -------
    Tensors
        In no order.

    Raises
    ------
    CheckpointError
        It is damaged, or a checkpoint of this program.
    """
    with _told(path), safe_open(path, framework="np") as file:
        ours = "bimt" in (file.metadata() or {})
        plain = all(file.get_slice(name).get_dtype() in _PLAIN for name in file.keys())  # noqa: SIM118
    if ours:
        hint = (
            "leave out --activation, --loss, --range and the like, as it says all that; in Python, use load_checkpoint"
        )
        raise CheckpointError("a checkpoint of this program", where=str(path), hint=hint)
    if not plain:
        need("torch", f"{path}, with tensors of a type that numpy does not have,")
    with _told(path), safe_open(path, framework="np" if plain else "pt") as file:
        return Tensors({name: file.get_tensor(name) for name in sorted(file.keys())}, ordered=False)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell in one line why a file cannot be read."""
    try:
        yield
    except Exception as error:  # its own error, or torch's of a type that is not known
        got, hint = str(error).strip().splitlines() or [type(error).__name__], "copy the file again"
        what = (
            "not a safetensors file" if isinstance(error, SafetensorError) else "a safetensors file that cannot be read"
        )
        raise CheckpointError(what, where=str(path), got=got[0][:160], hint=hint) from error
