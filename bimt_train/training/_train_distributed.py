"""Training on a cluster: the seeds in shares, each share a batch on one worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .._fan_out import fan_out
from ..tasks import Task
from ._recipe import Recipe, TrainingType
from ._resume import STATE_FILE
from ._runs import Runs
from ._train import chosen_seeds, train

SHARE = 4  # seeds trained together; a constant, so that a run goes on whatever the number of workers
FOLDER = "shares"


@dataclass(frozen=True)
class _Share:
    """What one worker is asked for."""

    task: Task
    seeds: tuple[int, ...]
    recipe: Recipe | None
    kind: TrainingType
    folder: Path | None
    resume: bool
    device: str


def train_shares(
    task: Task,
    *,
    dask: str | None,
    seeds: int | Sequence[int] = 16,
    recipe: Recipe | None = None,
    kind: TrainingType = "bimt",
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "cpu",
    processes: int | None = None,
) -> Runs:
    """`train`, with four seeds a worker, on the workers of a Dask scheduler or in processes on this machine.

    Seed k gives the same network as in one batch of all (the same machine provided). Each worker writes the state of
    its seeds into ``out/shares``, which it must see under the same path; where the work is interrupted, a resumed run
    takes every share up where it stood.

    Args:
        task: what to learn.
        dask: address of the scheduler; None for processes on this machine.
        seeds: how many (0, 1, 2, ...), or which.
        recipe: as `train` takes it.
        kind: as `train` takes it.
        out: a folder for the checkpoints and the states.
        resume: go on from the states in ``out``; a share that had not begun begins.
        device: where each worker's tensors live.
        processes: how many at once without Dask; one a core if left out.

    Raises:
        InputError: what `train` refuses; no package for Dask; no scheduler at that address.
    """
    chosen = chosen_seeds(seeds)
    folder = None if out is None else Path(out).resolve()
    shares = []
    for first in range(0, len(chosen), SHARE):
        some = chosen[first : first + SHARE]
        place = None if folder is None else folder / FOLDER / "-".join(f"{seed:03d}" for seed in some)
        begun = place is not None and (place / STATE_FILE).exists()
        shares.append(_Share(task, some, recipe, kind, place, resume and begun, device))
    parts = fan_out(_trained, shares, dask=dask, processes=processes)
    runs = Runs(parts[0].task, tuple(run for part in parts for run in part.runs))
    if folder is not None:
        runs.save(folder)
    return runs


def _trained(share: _Share) -> Runs:
    return train(
        share.task,
        seeds=share.seeds,
        recipe=share.recipe,
        kind=share.kind,
        out=share.folder,
        resume=share.resume,
        device=share.device,
    )
