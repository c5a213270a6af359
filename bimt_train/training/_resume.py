"""The state of a run, whole: what `train` needs to go on as if it had never stopped."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .._errors import CheckpointError, InputError
from ..layouts import Placement
from ._optimise import Moments
from ._random_restarts import Replica
from ._recipe import Recipe
from ._record import Record

STATE_FILE = "state.safetensors"
_FORMAT = "bimt-state-3"


@dataclass(frozen=True, eq=False)
class Progress:
    """Everything that changes during a run.

    Attributes
    ----------
    step : int
        Steps done.
    replicas : tuple of (int, int)
        Seed and replica of each row; before restarts end, several of one seed.
    leaders : tuple of int
        For each seed, the row of least training loss when last measured.
    moments : Moments
        Weights and Adam's moments, row by row.
    placements : tuple of Placement
        One for each row.
    records : tuple of Record
        The leaders' measurements so far.
    diverged : tuple of (int, int)
        Row and step, for each row that is no longer trained.
    seconds : float
        Time spent so far.
    saves : int
        How often the state was written.
    """

    step: int
    replicas: tuple[Replica, ...]
    leaders: tuple[int, ...]
    moments: Moments
    placements: tuple[Placement, ...]
    records: tuple[Record, ...] = ()
    diverged: tuple[tuple[int, int], ...] = ()
    seconds: float = 0.0
    saves: int = 1

    def to(self, device: str) -> Self:
        """A copy of the progress on another device.

        Parameters
        ----------
        device : str
            Where to compute, as torch names it.
        """
        return replace(self, moments=self.moments.each(lambda tensor: tensor.to(device)))

    def only(self, rows: Sequence[int]) -> Self:
        """The progress of one row of each seed.

        Parameters
        ----------
        rows : sequence of int
            Numbers of the rows to keep, one a seed.
        """
        some = list(rows)
        return replace(
            self,
            replicas=tuple(self.replicas[row] for row in some),
            leaders=tuple(range(len(some))),
            moments=self.moments.each(lambda tensor: tensor[some]),
            placements=tuple(self.placements[row] for row in some),
            diverged=tuple((some.index(row), step) for row, step in self.diverged if row in some),
        )


def save_progress(folder: Path, progress: Progress, recipe: Recipe, seeds: tuple[int, ...]) -> None:
    """Write the state, whole or not at all.

    Parameters
    ----------
    folder : Path
        Where; it is made if need be.
    progress : Progress
        What to write.
    recipe : Recipe
        The recipe of the run, for the check on resuming.
    seeds : tuple of int
        The seeds of the run, for the check on resuming.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = {
        "step": progress.step,
        "recipe": recipe.to_json(),
        "seeds": list(seeds),
        "replicas": list(progress.replicas),
        "leaders": list(progress.leaders),
        "placements": [{name: list(slots) for name, slots in p.slots.items()} for p in progress.placements],
        "records": [{k: np.asarray(v).tolist() for k, v in vars(record).items()} for record in progress.records],
        "diverged": list(progress.diverged),
        "seconds": progress.seconds,
    }
    tensors: dict[str, Tensor] = {name: tensor.contiguous() for name, tensor in vars(progress.moments).items()}
    unfinished = folder / f".{STATE_FILE}.part"
    save_file(tensors, unfinished, metadata={"format": _FORMAT, "state": json.dumps(said)})
    unfinished.replace(folder / STATE_FILE)


def load_progress(folder: Path | None, recipe: Recipe, seeds: tuple[int, ...]) -> Progress:
    """The state that `save_progress` wrote.

    Parameters
    ----------
    folder : Path or None
        Where the state was written.
    recipe : Recipe
        The recipe of the run that goes on.
    seeds : tuple of int
        Its seeds.

    Returns
    -------
    Progress
        The state.

    Raises
    ------
    InputError
        There is none, or it belongs to other seeds or another recipe.
    CheckpointError
        The file is damaged.
    """
    if folder is None or not (folder / STATE_FILE).exists():
        where = "no output folder" if folder is None else str(folder / STATE_FILE)
        raise InputError("nothing to resume", where=where, hint="train without resume first, into the same folder")
    path = folder / STATE_FILE
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        said = json.loads(metadata["state"]) if metadata.get("format") == _FORMAT else None
    except (SafetensorError, json.JSONDecodeError, KeyError) as error:
        said, tensors, reason = None, {}, str(error)
    else:
        reason = f"format {metadata.get('format')}"
    if said is None:
        hint = "delete it and train anew, or restore it from a copy"
        raise CheckpointError(
            "the state of the run cannot be read", where=str(path), expected=_FORMAT, got=reason, hint=hint
        )
    for name, ours, theirs in (("seeds", list(seeds), said["seeds"]), ("recipe", recipe.to_json(), said["recipe"])):
        if ours != theirs:
            changed = ours if name == "seeds" else {k: v for k, v in recipe.to_json().items() if v != theirs.get(k)}
            then = theirs if name == "seeds" else {k: theirs.get(k) for k in changed}
            hint = "resume with the options of the first call, or train anew into another folder"
            raise InputError(
                f"the run to resume has other {name}", where=str(path), expected=str(then), got=str(changed), hint=hint
            )
    records = tuple(_record(record) for record in said["records"])
    placements = tuple(
        Placement({name: tuple(chosen) for name, chosen in slots.items()}) for slots in said["placements"]
    )
    replicas, diverged = (tuple((int(a), int(b)) for a, b in said[name]) for name in ("replicas", "diverged"))
    leaders = tuple(said["leaders"])
    return Progress(
        said["step"], replicas, leaders, Moments(**tensors), placements, records, diverged, said["seconds"]
    )  # fmt: skip


def _record(said: dict[str, Any]) -> Record:
    losses = {name: np.array(said[name], np.float64) for name in ("train_loss", "test_loss", "cost")}
    right = None if said["accuracy"] is None else np.array(said["accuracy"], np.float64)
    return Record(said["step"], **losses, edges=np.array(said["edges"], np.int64), accuracy=right)
