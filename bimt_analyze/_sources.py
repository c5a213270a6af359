"""Where a checkpoint comes from: a file of ours, a folder's best, weights trained elsewhere, a network in memory."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bimt_train import CheckpointError, InputError
from bimt_train.training.checkpoints_in import checkpoints_in

from ._network_rows import checkpoint_of
from .options._sampling import Sampling

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from bimt_train.checkpoints import Checkpoint, Network
    from bimt_train.expressions import Decomposition
    from bimt_train.layouts import Layout

WEIGHTS = (".pt", ".pth", ".ckpt", ".tar", ".bin", ".npz", ".npy", ".onnx", ".keras", ".h5")

_TABLES = (".csv", ".tsv", ".xlsx", ".parquet", ".feather", ".arrow")
CONFIG, RUNS = "config.json", "runs.json"  # what a folder of transformers' has, and what one of ours has
MODEL = "model.safetensors"  # what a folder of one network has, without either
SHARDS = "*.index.json"  # marks a folder that holds one network in pieces


def open_checkpoint(path: str | Path, sampling: Sampling | None = None) -> "Checkpoint":
    """The checkpoint of a file; of a folder, the best seed's.

    Parameters
    ----------
    path : str or Path
        A checkpoint, a folder of runs, or a file of weights trained elsewhere.
    sampling : Sampling or None
        What a file of weights does not say of itself.

    Returns
    -------
    Checkpoint
        Network, task and rows.

    Raises
    ------
    CheckpointError
        The file is not there, or is not what it should be.
    TaskError
        The table or the decomposition cannot be used.
    InputError
        Options that contradict each other, or a model that cannot be loaded.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from bimt_analyze import Sampling, open_checkpoint
    >>> from bimt_train.checkpoints import from_state_dict, save_checkpoint
    >>> checkpoint = from_state_dict({"weight": np.eye(2)}, activation="relu", ranges=(-1, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "network.safetensors"
    ...     save_checkpoint(file, checkpoint)
    ...     found = open_checkpoint(file, Sampling(parts="y1: x1; y2: x2"))
    >>> found.task.decomposition.outputs
    ('y1', 'y2')
    """
    from bimt_train.checkpoints import load_checkpoint
    from bimt_train.expressions import Decomposition

    said, file = sampling or Sampling(), best_checkpoint(path)
    if said.probe is not None and said.ranges:
        raise InputError("two places to sample the network", got="--probe and --range", hint="give one of them")
    if file.suffix.lower() in _TABLES:
        what, hint = (
            "a table in the place of a network",
            f"a table has a call of its own: bimt-analyze {file} --target y",
        )
        raise InputError(what, where=str(file), expected="a checkpoint, or a file of weights", hint=hint)
    if said.target and said.probe is None:
        raise InputError(
            "a target is for a table", got=f"--target {' '.join(said.target)}", hint="give --probe table.csv too"
        )
    factory = None if said.model is None else _factory(said.model)
    if said.layout is not None and factory is None:
        hint = "add --model file.py:make, the function that makes the module"
        raise InputError("a layout is for a module", got=f"--layout {said.layout}", hint=hint)
    elsewhere = said.foreign or file.suffix in WEIGHTS or file.is_dir()
    if factory is not None:
        checkpoint = _built(file, factory, said)
    else:
        checkpoint = _foreign(file, said) if elsewhere else load_checkpoint(file)
    if said.parts is None:
        return checkpoint
    task = checkpoint.task
    parts = Decomposition.from_grouping(said.parts, inputs=task.inputs, outputs=task.outputs)
    return replace(checkpoint, task=replace(task, decomposition=parts))


def _factory(place: str) -> "Callable[[], nn.Module] | None":
    """The function at a place; None where it is a kind of model, which is registered thereby."""
    from bimt_train.models import MODELS
    from bimt_train.registry import load_object

    if ":" not in place:
        MODELS[place]
        return None
    found = load_object(place)
    if MODELS.from_object(found) is not None:
        return None
    if not callable(found):
        expected, got = "a function that takes nothing and returns the module", type(found).__name__
        raise InputError("a model that cannot be made", where=place, expected=expected, got=got)
    return cast("Callable[[], nn.Module]", found)


def _built(file: Path, factory: "Callable[[], nn.Module]", said: Sampling) -> "Checkpoint":
    """Weights of any module, with the rows that the user gave."""
    from bimt_train.checkpoints import read_into

    beside = {"activation": said.activation} if said.activation is not None else said.reading
    for flag, given in beside.items():
        what = f"the option {flag.replace('_', '-')} beside a model"
        raise InputError(what, got=str(given), hint="leave it out: the module says it")
    about = _said_of(said)
    if said.layout is not None:
        about["layout"] = _layout(said.layout)
    return _named(read_into(file, factory, about.pop("x", None), **about), file)


def _foreign(file: Path, said: Sampling) -> "Checkpoint":
    """A network trained elsewhere."""
    from bimt_train.checkpoints import read_foreign

    return _named(read_foreign(file, activation=said.activation, **_said_of(said), **said.reading), file)


def _layout(path: Path) -> "Layout":
    from bimt_train.layouts import layout_from_toml

    try:
        return layout_from_toml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        got = str(getattr(error, "strerror", None) or error)
        raise InputError("a layout that cannot be read", where=str(path), got=got) from None
    except InputError as error:
        where = ", ".join(filter(None, (str(path), error.where)))
        raise type(error)(error.what, where=where, expected=error.expected, got=error.got, hint=error.hint) from None


def _named(found: "Checkpoint", file: Path) -> "Checkpoint":
    """The checkpoint as a task of the file's name."""
    if file.is_dir():
        return replace(found, task=replace(found.task, name=file.resolve().name))
    name = file.stem
    for ending in WEIGHTS:  # of two, as .pth.tar
        name = name.removesuffix(ending) or name
    return replace(found, task=replace(found.task, name=name))


def _said_of(said: Sampling) -> dict[str, Any]:
    """Rows and all else that weights do not say, as readers take it."""
    about: dict[str, Any] = {"final": said.final, "loss": said.loss, "standardize": said.standardize, "key": said.key}
    arrays = None if said.target or said.probe is None else _arrays(said.probe, of_a_module=said.model is not None)
    if arrays is not None:
        about |= arrays
    elif said.probe is not None:
        from bimt_train.tasks import read_probe_table  # brings pandas

        table = read_probe_table(said.probe, target=said.target, table=said.table)
        about |= {"x": table.x, "y": table.y, "inputs": table.inputs}
        about |= {"outputs": table.outputs} if table.outputs else {}
    elif said.ranges:
        about["ranges"] = said.ranges[0] if len(said.ranges) == 1 else said.ranges
    return about


def _arrays(path: Path, *, of_a_module: bool) -> dict[str, Any] | None:
    """Arguments of any shape, and the targets: the array called y, if there is one. None for columns of a table."""
    from bimt_train.checkpoints.readers.probe_arrays import read_arrays

    if path.suffix != ".npz":
        return None
    arrays = dict(read_arrays(path))
    if not of_a_module and all(array.ndim < 2 for array in arrays.values()):
        return None
    targets = {"y": arrays.pop("y")} if "y" in arrays else {}
    if not arrays:
        expected = "an array x, or one for each argument by its name, and targets called y"
        raise InputError("no inputs in the file", where=str(path), expected=expected, got="y alone")
    return {"x": arrays["x"] if list(arrays) == ["x"] else arrays, **targets}


def opened(
    source: "Checkpoint | Network | nn.Module | str | Path",
    x: Any = None,
    y: Any = None,
    decomposition: "Decomposition | None" = None,
) -> "tuple[str, Checkpoint]":
    """What a source is called, and its checkpoint.

    Parameters
    ----------
    source : Checkpoint, Network, torch.nn.Module, str or Path
        A checkpoint, its file, a folder of them (the best seed is taken); or a network or any module, with its rows.
    x : array of shape (rows, ...), tuple or mapping of them, or None
        For a network or a module: rows of what it takes.
    y : array of shape (rows, outputs) or None
        For a network or a module: targets; its own outputs if left out.
    decomposition : Decomposition or None
        For a network or a module: the known decomposition of its task, if there is one.

    Returns
    -------
    name : str
        The file's path, or "in memory".
    checkpoint : Checkpoint
        Network, task and rows.

    Raises
    ------
    CheckpointError
        There is no such file or folder, or it cannot be read.
    InputError
        Rows for a checkpoint, or none for a network or a module.
    """
    from bimt_train.checkpoints import Checkpoint, Network, from_module

    if isinstance(source, Checkpoint | str | Path):
        if x is not None or y is not None or decomposition is not None:
            expected, hint = "x, y and decomposition with a network only", "leave them out"
            raise InputError("a checkpoint brings its own rows", where="source", expected=expected, hint=hint)
        if isinstance(source, Checkpoint):
            return "in memory", source
        return str(best_checkpoint(source)), open_checkpoint(source)
    if x is None:
        raise InputError("a network without rows", where="source", expected="x", got="None",
                         hint="give x, rows of what it takes")  # fmt: skip
    if isinstance(source, Network):
        return "in memory", checkpoint_of(source, source.rows(x), y, decomposition)
    if not hasattr(source, "state_dict"):
        expected = "a checkpoint, a network, a torch.nn.Module, a file or a folder"
        hint = "of scikit-learn's give from_sklearn(model, x=x, y=y), of skorch's model.module_"
        raise InputError(
            "nothing that can be analysed", where="source", expected=expected, got=type(source).__name__, hint=hint
        )
    about: dict[str, Any] = {"y": y, "decomposition": decomposition}
    if decomposition is not None:
        about |= {"inputs": decomposition.inputs, "outputs": decomposition.outputs}
    return "in memory", from_module(source, x, **about)


def best_checkpoint(source: str | Path) -> Path:
    """The file itself, or of a folder the best seed's file.

    Parameters
    ----------
    source : str or Path
        A file, a folder of runs, or a folder with a config.json or an index of shards, as transformers saves a model;
        or one that `save_pretrained` wrote.

    Returns
    -------
    Path
        The checkpoint's file; the folder itself where it has a config.json or an index, and no runs.

    Raises
    ------
    CheckpointError
        There is no such file or folder.
    """
    path = Path(source)
    if not (path / RUNS).is_file() and ((path / CONFIG).is_file() or any(path.glob(SHARDS))):
        return path
    if path.is_dir():
        alone = (path / MODEL).is_file() and not (path / RUNS).is_file()
        return path / MODEL if alone else checkpoints_in(path)[0]
    if not path.is_file():
        raise CheckpointError("no such file or folder", where=str(path), hint="correct the path")
    return path
