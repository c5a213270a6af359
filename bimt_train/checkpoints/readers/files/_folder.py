"""Networks in several files: an index of shards, or the folder that a model was saved to."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...._errors import CheckpointError
from .._values import Chain, Tensors, Told
from ..graphs._graph import Graph
from ._weight_file import WEIGHT_FILES

LONGEST = 2**24  # bytes of an index
_NAMES = ("model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json", "pytorch_model.bin")
_ADAPTER = "adapter_config.json"
_ENDS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".npz", ".onnx", ".keras", ".h5")


def is_index(path: Path) -> bool:
    """Whether a file is a JSON object that says which shard holds each tensor.

    Parameters
    ----------
    path : Path
        What is asked about.

    Returns
    -------
    bool
        Whether it is so.
    """
    if path.stat().st_size > LONGEST:
        return False
    with path.open("rb") as file:
        return file.read(256).lstrip().startswith(b"{") and b'"weight_map"' in path.read_bytes()


@WEIGHT_FILES.register(
    "folder",
    label="folder",
    sentence="A folder that holds one file of weights, or an index and its shards.",
    knows=Path.is_dir,
    folder=True,
)
def read_folder(path: Path, told: Told) -> Tensors | Chain | Graph:
    """Read the one network in a folder.

    Parameters
    ----------
    path : Path
        The folder.
    told : Told
        What the user said of it.

    Returns
    -------
    Tensors or Chain
        What its file holds.

    Raises
    ------
    CheckpointError
        No file of weights, or several.
    """
    if (path / _ADAPTER).is_file():  # transformers would add it to the model
        raise CheckpointError(
            "a folder with an adapter, which is a part of another model", where=str(path),
            expected="a whole model", got=_ADAPTER,
            hint='merge them and save that: model.merge_and_unload().save_pretrained("merged")',
        )  # fmt: skip
    named = [path / name for name in _NAMES if (path / name).is_file()]
    files = named[:1] or sorted(file for file in path.iterdir() if file.suffix in _ENDS and file.is_file())
    if len(files) != 1:
        got = ", ".join(file.name for file in files[:8]) or "none"
        hint = "name the file itself" if files else "copy its weights into it"
        if files and all(re.search(r"-\d+-of-\d+$", file.stem) for file in files):
            whole = re.sub(r"-\d+-of-\d+$", "", files[0].stem) + files[0].suffix
            hint = f"these are shards: copy {whole}.index.json beside them"
        raise CheckpointError(
            "a folder without one file of weights", where=str(path), expected="one", got=got, hint=hint
        )
    found = read_weights(files[0], told)
    left = "".join(f", '{file.name}' left out" for file in named[1:])
    said = f"of the folder, '{files[0].name}' was read{left}"
    if isinstance(found, Chain):
        return Chain(found.layers, found.activation, found.final, (said, *found.assumed))
    if isinstance(found, Graph):
        return replace(found, assumed=(said, *found.assumed))
    return Tensors(found.state, found.ordered, (said, *found.assumed), found.under)


@WEIGHT_FILES.register(
    "shards",
    label="index of shards",
    sentence="A JSON index whose weight_map names the file of each tensor, beside it.",
    knows=is_index,
)
def read_shards(path: Path, told: Told) -> Tensors:
    """Read all the shards that an index names.

    Parameters
    ----------
    path : Path
        The index.
    told : Told
        What the user said of it.

    Returns
    -------
    Tensors
        In no order.

    Raises
    ------
    CheckpointError
        The index is damaged, or a shard is missing, lies elsewhere, or lacks a tensor.
    """
    try:
        shards: Any = json.loads(path.read_bytes())["weight_map"]
        said = {str(name): str(file) for name, file in shards.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        got = type(error).__name__
        raise CheckpointError("an index that cannot be read", where=str(path), got=got, hint="copy it again") from error
    state: dict[str, Any] = {}
    for name in dict.fromkeys(said.values()):
        shard = path.parent / name
        if Path(name).name != name or not shard.is_file() or is_index(shard):
            what, hint = "an index that names a file that is not beside it", "copy all shards into one folder"
            raise CheckpointError(what, where=str(path), got=repr(name)[:80], hint=hint)
        found = read_weights(shard, told)
        if not isinstance(found, Tensors):
            raise CheckpointError("a shard that holds no tensors", where=str(shard), hint="copy it again")
        state |= found.state
    missing = [name for name in said if name not in state]
    if missing:
        what, hint = "a shard without a tensor that the index names", "copy it again"
        raise CheckpointError(what, where=f"{path}, '{missing[0]}'", got=said[missing[0]][:80], hint=hint)
    shown = {name: state[name] for name in said}
    return Tensors(shown, ordered=False, assumed=(f"read from {len(set(said.values()))} shards",))


def read_weights(path: Path, told: Told) -> Tensors | Chain | Graph:
    """Read a file of weights of any kind; which kind it is, its content says.

    Parameters
    ----------
    path : Path
        The file or folder.
    told : Told
        What the user said of it.

    Returns
    -------
    Tensors, Chain or Graph
        What it holds.

    Raises
    ------
    CheckpointError
        No kind is known by its content, or its reader refuses it.
    """
    for kind in WEIGHT_FILES.entries():
        if kind.recognises(path):
            found: Tensors | Chain | Graph = kind.function(path, told)
            return found
    again = "copy it again, or save it anew with torch.save(model.state_dict(), path)"
    raise CheckpointError(
        _UNKNOWN.get(path.suffix.lower(), "a file of an unknown kind"), where=str(path),
        expected=", ".join(kind.label for kind in WEIGHT_FILES.entries()), got=_beginning(path),
        hint="unpack it" if _is_packed(path) else again,
    )  # fmt: skip


def _is_packed(path: Path) -> bool:
    """Whether a file is packed by gzip, bzip2, xz or zstandard."""
    if path.is_dir():
        return False
    with path.open("rb") as file:
        return file.read(6).startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"))


def _beginning(path: Path) -> str:
    """What a file begins with, which often says what it is: a web page, a pointer to a large file."""
    if path.is_dir():
        return "other content"
    with path.open("rb") as file:
        first = file.read(24)
    if not first:
        return "an empty file"
    return f"a file that begins with {''.join(chr(c) if 32 <= c < 127 else '.' for c in first)!r}"


_TORCH = "the file holds more than tensors, or is damaged"
# The content is of no known kind: the name tells what it should have been.
_UNKNOWN = {
    ".safetensors": "not a safetensors file",
    **dict.fromkeys((".pt", ".pth", ".bin", ".ckpt", ".tar"), _TORCH),
}
