"""The file of a run's state: all that `train` needs to go on as if it had never stopped, checked field by field."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ..._errors import CheckpointError, InputError
from ...layouts import Placement
from ...models._contract import Strict
from ...whole_files import content_digest, write_whole
from .._random_restarts import seeds_of
from .._record import Record
from ..engines._engine import Moments
from ._progress import Ahead, Progress
from ._run_folder import STATE_FILE

_KEY, _FORMAT = "bimt-state", 4
_HINT = "delete it and train anew, or restore it from a copy"
Slots = dict[str, list[int]]


class _RecordData(Strict):
    step: int
    train_loss: list[float]
    test_loss: list[float]
    cost: list[float]
    edges: list[int]
    accuracy: list[float] | None

    def value(self) -> Record:
        losses = {name: np.array(getattr(self, name), np.float64) for name in ("train_loss", "test_loss", "cost")}
        right = None if self.accuracy is None else np.array(self.accuracy, np.float64)
        return Record(self.step, **losses, edges=np.array(self.edges, np.int64), accuracy=right)


class _AheadData(Strict):
    step: int
    placements: list[Slots]


class _StateData(Strict):
    format: Literal[4]
    run: dict[str, Any]
    step: int
    replicas: list[tuple[int, int]]
    leaders: list[int]
    placements: list[Slots]
    records: list[_RecordData]
    diverged: list[tuple[int, int]]
    seconds: float
    ahead: _AheadData | None
    digest: str


def save_progress(folder: Path, progress: Progress, run: Mapping[str, Any]) -> None:
    """Write the state, whole or not at all.

    Parameters
    ----------
    folder : Path
        Where.
    progress : Progress
        What to write.
    run : mapping
        What the run is, as plain values that `load_progress` compares; its ``seeds`` among them.
    """
    tensors = _tensors(progress.moments) | ({} if progress.ahead is None else _tensors(progress.ahead.moments, "ahead"))
    said = {
        "format": _FORMAT,
        "run": dict(run),
        "step": progress.step,
        "replicas": progress.replicas,
        "leaders": progress.leaders,
        "placements": _slots(progress.placements),
        "records": [
            {k: v if v is None else np.asarray(v).tolist() for k, v in vars(r).items()} for r in progress.records
        ],
        "diverged": progress.diverged,
        "seconds": progress.seconds,
        "ahead": progress.ahead and {"step": progress.ahead.step, "placements": _slots(progress.ahead.placements)},
    }
    said["digest"] = _digest(tensors, said)
    write_whole(folder / STATE_FILE, save(tensors, {_KEY: json.dumps(said)}))


def _tensors(moments: Moments, prefix: str = "measured") -> dict[str, torch.Tensor]:
    return {f"{prefix}.{name}": tensor.detach().cpu().contiguous() for name, tensor in vars(moments).items()}


def _slots(placements: tuple[Placement, ...]) -> list[Slots]:
    return [{name: list(slots) for name, slots in placement.slots.items()} for placement in placements]


def _digest(tensors: Mapping[str, torch.Tensor], said: Mapping[str, Any]) -> str:
    text = json.dumps({k: v for k, v in said.items() if k != "digest"}, sort_keys=True)
    return content_digest({name: tensor.numpy() for name, tensor in tensors.items()}, text)


def load_progress(folder: Path, run: Mapping[str, Any]) -> Progress | None:
    """The state that `save_progress` wrote.

    Parameters
    ----------
    folder : Path
        Where the state was written.
    run : mapping
        What the run that goes on is, as plain values.

    Returns
    -------
    Progress or None
        The state; None where there is none.

    Raises
    ------
    InputError
        The state is of another run: of other seeds, another recipe, task or data.
    CheckpointError
        The file is damaged.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return None
    data, tensors = _read(path)
    for name, ours in run.items():
        theirs = data.run.get(name)
        if ours != theirs:
            raise _other_run(path, name, ours, theirs)
    return _value(path, data, tensors, tuple(run["seeds"]))


def _read(path: Path) -> tuple[_StateData, dict[str, torch.Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(_KEY, "")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        data = _StateData.model_validate_json(text)
        whole = _digest(tensors, json.loads(text)) == data.digest
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(step) for step in first["loc"])
        raise _damaged(path, f"{f'field {field!r}: ' if field else ''}{first['msg']}") from None
    except (SafetensorError, OSError, RecursionError, TypeError) as error:
        raise _damaged(path, str(error)) from None
    if not whole:
        raise _damaged(path, "its digest does not fit its content")
    return data, tensors


def _value(path: Path, data: _StateData, tensors: dict[str, torch.Tensor], seeds: tuple[int, ...]) -> Progress:
    rows, led = len(data.replicas), [data.replicas[row][0] for row in data.leaders if 0 <= row < len(data.replicas)]
    parts = ["measured"] if data.ahead is None else ["measured", "ahead"]
    names = {f"{part}.{name}" for part in parts for name in ("flat", "first", "second")}
    shapes = {tuple(tensor.shape) for tensor in tensors.values()}
    placed = [data.placements] if data.ahead is None else [data.placements, data.ahead.placements]
    told = [
        getattr(record, name) for record in data.records for name in ("train_loss", "test_loss", "cost", "edges")
    ] + [record.accuracy for record in data.records if record.accuracy is not None]
    fits = {
        "tensors": set(tensors) == names and len(shapes) == 1 and [len(s) for s in shapes] == [2],
        "rows": all(shape[:1] == (rows,) for shape in shapes) and all(len(one) == rows for one in placed),
        "leaders": seeds_of(data.replicas) == tuple(led) == seeds and len(led) == len(data.leaders),
        "diverged": all(0 <= row < rows for row, _ in data.diverged),
        "records": all(len(values) == len(seeds) for values in told),
        "step": data.step >= 0 and (data.ahead is None or data.ahead.step > data.step),
    }  # fmt: skip
    for what, holds in fits.items():
        if not holds:
            raise _damaged(path, f"its {what} contradict each other")
    ahead = None
    if data.ahead is not None:
        ahead = Ahead(data.ahead.step, _moments(tensors, "ahead"), _placements(data.ahead.placements))
    return Progress(
        data.step,
        tuple(data.replicas),
        tuple(data.leaders),
        _moments(tensors, "measured"),
        _placements(data.placements),
        tuple(record.value() for record in data.records),
        tuple(data.diverged),
        data.seconds,
        ahead,
    )


def _moments(tensors: Mapping[str, torch.Tensor], prefix: str) -> Moments:
    return Moments(*(tensors[f"{prefix}.{name}"] for name in ("flat", "first", "second")))


def _placements(placed: list[Slots]) -> tuple[Placement, ...]:
    return tuple(Placement({name: tuple(slots) for name, slots in slots_of.items()}) for slots_of in placed)


def _damaged(path: Path, reason: str) -> CheckpointError:
    what = "the state of the run cannot be read"
    return CheckpointError(what, where=str(path), got=reason.splitlines()[0] if reason else "", hint=_HINT)


def _other_run(path: Path, name: str, ours: Any, theirs: Any) -> InputError:
    """What differs, of two mappings only the fields that do."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        differ = [key for key in {**theirs, **ours} if ours.get(key) != theirs.get(key)]
        ours, theirs = ({key: one.get(key) for key in differ} for one in (ours, theirs))
    hint = "resume with the options of the first call, or train anew into another folder"
    said = [text if len(text) <= 200 else f"{text[:197]}..." for text in (str(theirs), str(ours))]
    return InputError(f"the run to resume has other {name}", where=str(path), expected=said[0], got=said[1], hint=hint)
