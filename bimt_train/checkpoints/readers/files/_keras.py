"""Keras models: the archive .keras, and HDF5 files. Both need the package h5py."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ...._errors import CheckpointError
from ....extras import need
from .._values import Chain, Tensors, Told
from ._bounds import ZIP_ERRORS, check_bytes, members_of
from ._keras_chain import KerasModel, chain_of_keras
from ._weight_file import WEIGHT_FILES

_CONFIG, _WEIGHTS, _ABOUT = "config.json", "model.weights.h5", "metadata.json"


def is_keras(path: Path) -> bool:
    """Whether a file is an archive of a config and weights.

    Parameters
    ----------
    path : Path
        What is asked about.

    Returns
    -------
    bool
        Whether it is so.
    """
    return {_CONFIG, _WEIGHTS} <= members_of(path).keys()


def is_hdf5(path: Path) -> bool:
    """Whether a file is HDF5.

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
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


@WEIGHT_FILES.register(
    "keras", label="Keras", sentence="A chain of Dense layers, with its activations, norms and scales.", knows=is_keras
)
def read_keras(path: Path, told: Told) -> Chain:
    """Read a .keras archive.

    Parameters
    ----------
    path : Path
        The file.
    told : Told
        Not needed here.

    Returns
    -------
    Chain
        With its activation.

    Raises
    ------
    CheckpointError
        The model is no chain, or the file is damaged.
    """
    members = members_of(path)
    try:
        with zipfile.ZipFile(path) as archive:
            config, weights = json.loads(archive.read(_CONFIG)), archive.read(_WEIGHTS)
            about = json.loads(archive.read(_ABOUT)) if _ABOUT in members else {}
            version = _major(about.get("keras_version"))
    except (*ZIP_ERRORS, AttributeError) as error:
        raise _damaged(path, error) from error
    return _chain(KerasModel(config, _datasets(io.BytesIO(weights), path), version, str(path)), path)


@WEIGHT_FILES.register("hdf5", label="HDF5", sentence="A Keras model, or named weights, in HDF5.", knows=is_hdf5)
def read_hdf5(path: Path, told: Told) -> Chain | Tensors:
    """Read an HDF5 file of Keras.

    Parameters
    ----------
    path : Path
        The file.
    told : Told
        Not needed here.

    Returns
    -------
    Chain or Tensors
        A chain where the file holds its config, else named tensors.

    Raises
    ------
    CheckpointError
        The package h5py is missing, the model is no chain, or the file is damaged.
    """
    arrays = _datasets(path, path)
    config, version = _config_of(path)
    if config is not None:
        return _chain(KerasModel(config, arrays, version, str(path)), path)
    return Tensors(_named(arrays, path), ordered=False)


def _h5py(path: Path) -> Any:
    need("h5py", f"{path}, an HDF5 file,")
    import h5py

    return h5py


def _damaged(path: Path, error: BaseException) -> CheckpointError:
    got, hint = f"{type(error).__name__}: {error}"[:120], "save the model again"
    return CheckpointError("a Keras file that is damaged", where=str(path), got=got, hint=hint)


def _datasets(source: Any, path: Path) -> dict[str, np.ndarray]:
    """Every dataset of the file that is stored in it; what is elsewhere, or larger than what is stored, is refused."""
    h5py = _h5py(path)
    found: dict[str, np.ndarray] = {}
    wanted = 0
    try:
        with h5py.File(source, "r") as file:
            waiting, seen = [("", file)], set()
            while waiting:
                at, group = waiting.pop(0)
                for name in group:
                    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                        raise CheckpointError("a part that lies in another file", where=f"{path}, '{at}{name}'")
                    item = group[name]
                    if isinstance(item, h5py.Group):
                        if item.id not in seen:
                            seen.add(item.id)
                            waiting.append((f"{at}{name}/", item))
                        continue
                    wanted += item.size * item.dtype.itemsize
                    if item.external or item.is_virtual:
                        raise CheckpointError("a part that lies in another file", where=f"{path}, '{at}{name}'")
                    check_bytes(path, wanted, f"'{at}{name}'")
                    if item.dtype.kind in "fiub":
                        found[f"{at}{name}"] = np.asarray(item[()])
    except CheckpointError:
        raise
    except Exception as error:  # damaged files make h5py raise anything
        raise _damaged(path, error) from error
    return {name: array for name, array in found.items() if not re.match(r"optimizer|seed_generator|metrics", name)}


def _config_of(path: Path) -> tuple[Any, int | None]:
    with _h5py(path).File(path, "r") as file:
        text, version = file.attrs.get("model_config"), _major(file.attrs.get("keras_version"))
    if text is None:
        return None, version
    try:
        return json.loads(text), version
    except (ValueError, TypeError, RecursionError) as error:
        raise _damaged(path, error) from error


def _named(arrays: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """Weights alone, by name. Keras numbers a layer's variables: of a Dense layer 0 is the kernel, 1 the bias."""
    named: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        match = re.fullmatch(r"(.+)/vars/(\d+)", name)
        if match and (int(match[2]) > 1 or array.ndim != 2 - int(match[2])):
            raise CheckpointError(
                "weights of Keras layers that are not Dense, without the model's config",
                where=f"{path}, '{name}' {array.shape}", expected="a kernel and at most one bias a layer",
                hint='save the whole model, which says what they are: model.save("net.keras")',
            )  # fmt: skip
        folder = re.sub(r"(?:^|/)_?layers/", "/", match[1]).strip("/").replace("/", ".") if match else ""
        named[f"{folder}.{('kernel', 'bias')[int(match[2])]}" if match else name] = array
    return named


def _chain(model: KerasModel, path: Path) -> Chain:
    try:
        return chain_of_keras(model)
    except CheckpointError:
        raise
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError, ValueError) as error:
        raise _damaged(path, error) from error


def _major(version: Any) -> int | None:
    """The first number of a version, as 3.4.1."""
    match = re.match(r"(\d+)\.", str(version))
    return int(match[1]) if match else None
