"""Where a checkpoint comes from: a file of ours, a folder's best, weights trained elsewhere, a network in memory."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bimt_train import CheckpointError, InputError
from bimt_train.training import checkpoints_in

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from torch import nn

    from bimt_train.checkpoints import Checkpoint, Network
    from bimt_train.expressions import Decomposition

WEIGHTS = (".pt", ".pth", ".ckpt", ".tar", ".bin", ".npz", ".npy", ".onnx", ".keras", ".h5")

CONFIG, RUNS = "config.json", "runs.json"  # what a folder of transformers' has, and what one of ours has
SHARDS = "*.index.json"  # marks a folder that holds one network in pieces


@dataclass(frozen=True)
class Sampling:
    """What a file of weights does not say of itself; all empty for a checkpoint of this project.

    Attributes
    ----------
    activation : str or None
        Activation between the layers.
    probe : Path or None
        A table of rows to ask the network about.
    target : tuple of str
        Columns of the table that are outputs; all others are inputs.
    ranges : tuple of (float, float)
        In place of a table: one pair for all inputs, or one for each.
    parts : str or None
        The known decomposition of the task, as ``y1: x1 x3; y2: x2 x4``; allowed for every checkpoint.
    final : str
        What follows the last layer: "none", "sigmoid", "softmax", "tanh"; "auto" takes what fits the rows best.
    loss : str
        A name in `bimt_train.losses.LOSSES`; "auto" takes the one that fits the rows best.
    standardize : str
        Columns that the network saw with mean 0 and deviation 1: "raw" (none), "inputs", "outputs" or "both".
    model : str or None
        A function that makes the module to which a file's weights belong, as ``file.py:make``; or a kind of model from
        outside the project that a checkpoint needs. The file is run.

    Examples
    --------
    >>> from bimt_analyze import Sampling
    >>> Sampling(activation="relu", ranges=((-1.0, 1.0),)).foreign, Sampling().foreign
    (True, False)
    """

    activation: str | None = None
    probe: Path | None = None
    target: tuple[str, ...] = ()
    ranges: tuple[tuple[float, float], ...] = ()
    parts: str | None = None
    model: str | None = None
    final: str = "auto"
    loss: str = "auto"
    standardize: str = "raw"

    @property
    def foreign(self) -> bool:
        """Whether anything is said that only a file of weights needs."""
        unsaid = (self.final, self.loss, self.standardize) == ("auto", "auto", "raw")
        return bool(self.activation or self.probe or self.target or self.ranges or not unsaid)


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
    if said.target and said.probe is None:
        raise InputError(
            "a target is for a table", got=f"--target {' '.join(said.target)}", hint="give --probe table.csv too"
        )
    factory = None if said.model is None else _factory(said.model)
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
    from bimt_train import load_object
    from bimt_train.models import MODELS

    if ":" not in place:
        MODELS[place]
        return None
    found = load_object(place)
    if MODELS.from_object(found) is not None:
        return None
    if not callable(found):
        expected, got = "a function that takes nothing and returns the module", type(found).__name__
        raise InputError("a model that cannot be made", where=place, expected=expected, got=got)
    return found  # type: ignore[no-any-return]


def _built(file: Path, factory: "Callable[[], nn.Module]", said: Sampling) -> "Checkpoint":
    """Weights of any module, with the rows that the user gave."""
    from bimt_train.checkpoints import read_into

    if said.activation is not None:
        raise InputError("an activation beside a model", got=f"--activation {said.activation}", hint="leave it out")
    about: dict[str, Any] = {"final": said.final, "loss": said.loss, "standardize": said.standardize}
    x: Any = None
    if said.probe is not None and said.probe.suffix == ".npz" and not said.target:
        x, y = _arrays(said.probe)
        about |= {} if y is None else {"y": y}
    elif said.probe is not None:
        from bimt_train.tasks import read_probe_table  # brings pandas

        table = read_probe_table(said.probe, target=said.target)
        x = table.x
        about |= {"y": table.y, "inputs": table.inputs}
        about |= {"outputs": table.outputs} if table.outputs else {}
    elif said.ranges:
        about["ranges"] = said.ranges[0] if len(said.ranges) == 1 else said.ranges
    found = read_into(file, factory, x, **about)
    return replace(found, task=replace(found.task, name=file.resolve().name if file.is_dir() else file.stem))


def _arrays(path: Path) -> "tuple[Any, np.ndarray | None]":
    """Arguments of any shape, and the targets: the array called y, if there is one."""
    from bimt_train.checkpoints import read_arrays

    arrays = dict(read_arrays(path))
    y = arrays.pop("y", None)
    if not arrays:
        expected = "an array x, or one for each argument by its name, and targets called y"
        raise InputError("no inputs in the file", where=str(path), expected=expected, got="y alone")
    return (arrays["x"] if list(arrays) == ["x"] else arrays), y


def _foreign(file: Path, said: Sampling) -> "Checkpoint":
    """A network trained elsewhere, as a task of the file's name."""
    from bimt_train.checkpoints import read_foreign

    about: dict[str, Any] = {"final": said.final, "loss": said.loss, "standardize": said.standardize}
    if said.probe is not None:
        from bimt_train.tasks import read_probe_table  # brings pandas

        table = read_probe_table(said.probe, target=said.target)
        about |= {"x": table.x, "y": table.y, "inputs": table.inputs}
        about |= {"outputs": table.outputs} if table.outputs else {}
    elif said.ranges:
        about["ranges"] = said.ranges[0] if len(said.ranges) == 1 else said.ranges
    found = read_foreign(file, activation=said.activation, **about)
    return replace(found, task=replace(found.task, name=file.resolve().name if file.is_dir() else file.stem))


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
        raise InputError("nothing that can be analysed", where="source", expected=expected, got=type(source).__name__)
    about: dict[str, Any] = {"y": y, "decomposition": decomposition}
    if decomposition is not None:
        about |= {"inputs": decomposition.inputs, "outputs": decomposition.outputs}
    return "in memory", from_module(source, x, **about)


def checkpoint_of(
    network: "Network",
    x: "np.ndarray",
    y: "np.ndarray | None" = None,
    decomposition: "Decomposition | None" = None,
) -> "Checkpoint":
    """A network with rows as a checkpoint: every second row is held out.

    Parameters
    ----------
    network : Network
        The network.
    x : float array [rows, inputs]
        Rows as the network sees them.
    y : float array [rows, outputs] or None
        Targets in the units of the outputs; for a network that predicts a token at each place of a sequence, the
        right tokens by number. Left out, the network's own outputs.
    decomposition : Decomposition or None
        The known decomposition of the task, whose names inputs and outputs then have; else they are x1, x2, ... and
        y1, y2, ...

    Returns
    -------
    Checkpoint
        The network with its rows.

    Raises
    ------
    CheckpointError
        Rows that do not fit the network.
    InputError
        Rows that the network cannot read, unknown tokens, or one output at each place, which is no choice among
        tokens.
    """
    import numpy as np

    from bimt_train.checkpoints import OWN_OUTPUTS, Checkpoint, Probe, TaskSpec

    x = np.asarray(x, dtype=np.float64)
    said = _answers(network, x)
    tokens = said.ndim == 3
    if tokens and said.shape[-1] == 1:
        got = "one output at each place"
        raise InputError("a sequence of numbers is no choice among tokens", expected="an output a token", got=got)
    targets = np.asarray((said.argmax(-1) if tokens else said) if y is None else y, dtype=np.float64)
    if tokens and not np.isin(targets, np.arange(said.shape[-1])).all():
        expected, got = f"tokens from 0 to {said.shape[-1] - 1}", f"{targets.min():g} to {targets.max():g}"
        raise InputError("targets that are no tokens of the network", where="y", expected=expected, got=got)
    inputs = tuple(f"x{j + 1}" for j in range(x.shape[1])) if decomposition is None else decomposition.inputs
    outputs = tuple(f"y{k + 1}" for k in range(said.shape[-1])) if decomposition is None else decomposition.outputs
    low, high = x.min(axis=0), x.max(axis=0)
    ranges = tuple((float(a), float(b) if b > a else float(a) + 1.0) for a, b in zip(low, high, strict=True))
    task = TaskSpec(
        "network", inputs, outputs, ranges, loss="next-token" if tokens else "mse", decomposition=decomposition
    )
    config = {"targets": OWN_OUTPUTS} if y is None else {}
    return Checkpoint(network, task, Probe(x[::2], targets[::2], x[1::2], targets[1::2]), config)


def _answers(network: "Network", x: "np.ndarray") -> "np.ndarray":
    """What the network says on these rows.

    Raises
    ------
    InputError
        It cannot read them.
    """
    import numpy as np

    reads, unreadable = network.layout.columns, "rows that the network cannot read"
    if x.ndim != 2 or len(x) < 2 or (reads and x.shape[1] != reads):
        expected, got = f"[rows, {reads or 'columns'}], 2 rows or more", str(list(x.shape))
        raise InputError(unreadable, where="x", expected=expected, got=got)
    embeds = any(spec.role == "embedding" for spec in network.layout.tensors.values())
    if embeds and not reads and (x != np.floor(x)).any():
        raise InputError("rows that are no tokens", where="x", expected="whole numbers", got="fractions")
    try:
        return network.predict(x)
    except (IndexError, RuntimeError) as error:  # torch's own words
        expected = "tokens that it knows, as many in a row as it takes"
        raise InputError(unreadable, where="x", expected=expected, got=str(error)) from None


def best_checkpoint(source: str | Path) -> Path:
    """The file itself, or of a folder the best seed's file.

    Parameters
    ----------
    source : str or Path
        A file, a folder of runs, or a folder with a config.json or an index of shards, as transformers saves a model.

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
        return checkpoints_in(path)[0]
    if not path.is_file():
        raise CheckpointError("no such file or folder", where=str(path), hint="correct the path")
    return path
