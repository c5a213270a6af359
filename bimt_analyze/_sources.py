"""Where a checkpoint comes from: a file of ours, a folder's best, weights trained elsewhere, a network in memory."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bimt_train import CheckpointError, InputError

if TYPE_CHECKING:
    import numpy as np

    from bimt_train.checkpoints import Checkpoint, Network
    from bimt_train.expressions import KnownParts

RUNS_FILE = "runs.json"
TORCH = (".pt", ".pth")


@dataclass(frozen=True)
class Sampling:
    """What a file of weights does not say of itself; all empty for a checkpoint of ours.

    Attributes:
        activation: between the layers.
        probe: a table of rows to ask the network about.
        target: its columns that are outputs; all others are inputs.
        ranges: in place of a table, one pair for all inputs, or one for each.
        parts: what is known of the task, as ``y1: x1 x3; y2: x2 x4``; allowed for checkpoints of ours too.
    """

    activation: str | None = None
    probe: Path | None = None
    target: tuple[str, ...] = ()
    ranges: tuple[tuple[float, float], ...] = ()
    parts: str | None = None

    @property
    def foreign(self) -> bool:
        """Whether anything is said that only a file of weights needs."""
        return bool(self.activation or self.probe or self.target or self.ranges)


def open_checkpoint(path: str | Path, sampling: Sampling | None = None) -> "Checkpoint":
    """The checkpoint of a file; of a folder, the best seed's.

    Raises:
        CheckpointError: the file is not there, or is not what it should be.
        TaskError: the table or the known parts cannot be used.
        InputError: options that contradict each other.
    """
    from bimt_train.checkpoints import load_checkpoint
    from bimt_train.expressions import KnownParts

    said, file = sampling or Sampling(), best_checkpoint(path)
    if said.probe is not None and said.ranges:
        raise InputError("two places to sample the network", got="--probe and --range", mend="give one of them")
    if said.target and said.probe is None:
        raise InputError(
            "a target is for a table", got=f"--target {' '.join(said.target)}", mend="give --probe table.csv too"
        )
    checkpoint = _foreign(file, said) if said.foreign or file.suffix in TORCH else load_checkpoint(file)
    if said.parts is None:
        return checkpoint
    card = checkpoint.card
    parts = KnownParts.from_grouping(said.parts, inputs=card.inputs, outputs=card.outputs)
    return replace(checkpoint, card=replace(card, parts=parts))


def _foreign(file: Path, said: Sampling) -> "Checkpoint":
    """A network trained elsewhere, as a task of the file's name."""
    import numpy as np

    from bimt_train.checkpoints import read_foreign

    if said.probe is None:
        ranges = said.ranges[0] if len(said.ranges) == 1 else said.ranges
        if ranges:
            found = read_foreign(file, activation=said.activation, ranges=ranges)
        else:
            found = read_foreign(file, activation=said.activation)
    else:
        from bimt_train.tasks import table_task  # brings pandas

        table = table_task(said.probe, target=said.target)
        rows = table.data(0)
        x, y = np.concatenate([rows.x_train, rows.x_test]), np.concatenate([rows.y_train, rows.y_test])
        inputs, outputs = table.card.inputs, table.card.outputs
        found = read_foreign(file, activation=said.activation, x=x, y=y, inputs=inputs, outputs=outputs)
    return replace(found, card=replace(found.card, name=file.stem))


def checkpoint_of(
    network: "Network",
    x: "np.ndarray",
    y: "np.ndarray | None" = None,
    known: "KnownParts | None" = None,
) -> "Checkpoint":
    """A network with rows as a checkpoint: every second row is held out.

    Args:
        network: any.
        x: rows as the network sees them.
        y: targets in the units of its outputs, or for a network that speaks at each place of a sequence the tokens, by
            number, that should be said there; left out, what it says itself.
        known: the task's parts, whose names inputs and outputs then have; else they are x1, x2, ... and y1, y2, ...

    Raises:
        CheckpointError: rows that do not fit the network.
        InputError: rows that the network cannot read, tokens that it does not know, or one output at each place, which
            is no choice among tokens.
    """
    import numpy as np

    from bimt_train.checkpoints import Checkpoint, Probe, TaskCard

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
    inputs = tuple(f"x{j + 1}" for j in range(x.shape[1])) if known is None else known.inputs
    outputs = tuple(f"y{k + 1}" for k in range(said.shape[-1])) if known is None else known.outputs
    low, high = x.min(axis=0), x.max(axis=0)
    ranges = tuple((float(a), float(b) if b > a else float(a) + 1.0) for a, b in zip(low, high, strict=True))
    card = TaskCard("network", inputs, outputs, ranges, loss="next-token" if tokens else "mse", parts=known)
    return Checkpoint(network, card, Probe(x[::2], targets[::2], x[1::2], targets[1::2]))


def _answers(network: "Network", x: "np.ndarray") -> "np.ndarray":
    """What the network says on these rows.

    Raises:
        InputError: it cannot read them.
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


def checkpoints_in(folder: str | Path) -> tuple[Path, ...]:
    """The checkpoint files of a folder that `bimt_train.train` wrote, best seed first.

    Raises:
        CheckpointError: there is no runs.json, or it cannot be read.
    """
    path = Path(folder) / RUNS_FILE
    if not path.is_file():
        mend = "give a folder that bimt-train wrote, or one checkpoint"
        raise CheckpointError("not a folder of runs", where=str(folder), expected=RUNS_FILE, mend=mend)
    try:
        records = json.loads(path.read_text(encoding="utf-8"))["records"]
        files = tuple(path.parent / record["file"] for record in records)
    except (ValueError, KeyError, TypeError) as error:
        got = f"{type(error).__name__}: {error}"
        mend = "train again, or give one checkpoint"
        raise CheckpointError("a table of runs that cannot be read", where=str(path), got=got, mend=mend) from None
    if not files:
        raise CheckpointError("a table of runs without runs", where=str(path), mend="train again")
    return files


def best_checkpoint(source: str | Path) -> Path:
    """The file itself, or of a folder the best seed's.

    Raises:
        CheckpointError: there is no such file or folder.
    """
    path = Path(source)
    if path.is_dir():
        return checkpoints_in(path)[0]
    if not path.is_file():
        raise CheckpointError("no such file or folder", where=str(path), mend="correct the path")
    return path
