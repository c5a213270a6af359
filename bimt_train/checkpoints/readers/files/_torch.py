"""Files of torch.save: through torch's own reader of weights, which runs nothing."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...._errors import CheckpointError
from ....extras import need
from .._values import Tensors, Told
from ._bounds import ZIP_ERRORS, check_bytes, damaged, members_of
from ._harmless import HARMLESS
from ._state_dict import state_dict_in
from ._weight_file import WEIGHT_FILES

_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the number with which torch.save began before zip archives
_SAVE = "save it anew with torch.save(model.state_dict(), path)"


def is_torch(path: Path) -> bool:
    """Whether a file is an archive, or a stream of pickles, as torch writes them.

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
    if names:
        return any(name.endswith("data.pkl") for name in names) or _program(names) is not None
    with path.open("rb") as file:
        return file.read(1) == b"\x80"


@WEIGHT_FILES.register(
    "torch",
    label="torch",
    sentence="A state dict in a file of torch.save, under any key; optimisers are left out, and nothing is run.",
    knows=is_torch,
)
def read_torch(path: Path, told: Told) -> Tensors:
    """Read the state dict of a torch file.

    Parameters
    ----------
    path : Path
        The file.
    told : Told
        With the key, where there are several networks.

    Returns
    -------
    Tensors
        In the order in which the model made them.

    Raises
    ------
    CheckpointError
        It holds more than tensors, a program, several networks, or is damaged.
    """
    names = members_of(path)
    program = _program(names)
    if program is not None:
        raise CheckpointError("a program, which would have to be run", where=str(path), got=program[0], hint=program[1])
    _check_pickle(path, names)
    content = _loaded(path)
    check_bytes(path, _stored(content), "the tensors")
    try:
        state, under, assumed = state_dict_in(content, told.key)
    except CheckpointError as error:
        where = ", ".join(filter(None, (str(path), error.where)))
        raise CheckpointError(
            error.what, where=where, expected=error.expected, got=error.got, hint=error.hint
        ) from None
    return Tensors(state, ordered=True, assumed=assumed, under=under)


def _program(names: Iterable[str]) -> tuple[str, str] | None:
    lasts = {name.rpartition("/")[2] for name in names}
    tops = {name.partition("/")[2] for name in names}
    if "constants.pkl" in lasts or any(name.startswith("code/") for name in tops):
        return "TorchScript", "torch.save(torch.jit.load(path).state_dict(), new_path) if you trust it, and read that"
    exported = {"archive_format", "serialized_exported_program.json", "aotinductor_model.so"}
    if exported & lasts or any("models/" in name and name.endswith(".json") for name in names):
        return "an exported program (pt2)", (
            "torch.save(torch.export.load(path).state_dict, new_path) if you trust it, and read that"
        )
    return None


def _check_pickle(path: Path, names: Iterable[str]) -> None:
    """Refuse changed bytes, and what torch's reader would make room for at a pickle's word alone."""
    if names:
        import zipfile

        with zipfile.ZipFile(path) as archive:
            try:
                wrong = archive.testzip()  # torch's reader does not look at the checksums
                if wrong is not None:
                    raise zipfile.BadZipFile(f"'{wrong}' has another checksum than was written")
                pickles = [archive.read(name) for name in names if name.endswith(".pkl")]
            except ZIP_ERRORS as error:
                raise damaged(path, error) from error
    else:
        content = path.read_bytes()
        if _MAGIC not in content[:64]:
            raise CheckpointError(
                "a pickle, which is not read as it may run anything", where=str(path), expected="a state_dict",
                hint="from Python: from_sklearn(model) of scikit-learn's, torch.save(model.state_dict(), path)",
            )  # fmt: skip
        pickles = [content]
    if any(b"bytearray" in pickled for pickled in pickles):
        what = "the file holds more than tensors, or is damaged"
        raise CheckpointError(what, where=str(path), got="a bytearray", hint=_SAVE)


def _loaded(path: Path) -> Any:
    need("torch", f"{path}, a file of torch.save,")
    import torch

    try:
        # An open file, as torch goes by the suffix of a path.
        with warnings.catch_warnings(), path.open("rb") as file, torch.serialization.safe_globals(list(HARMLESS)):
            warnings.simplefilter("ignore")  # of old formats, which are read all the same
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle can make torch's reader raise anything
        raise damaged(path, error) from error


def _stored(content: Any) -> int:
    """Bytes of all storages, each once."""
    import torch

    seen: set[int] = set()
    storages: dict[int, int] = {}
    waiting = [content]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, torch.Tensor):
            if one.layout == torch.strided and one.device.type != "meta":
                storage = one.untyped_storage()
                storages[storage.data_ptr()] = storage.nbytes()
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list | tuple | set):
            waiting += one
    return sum(storages.values())
