"""Training on a cluster: the seeds in shares, each share a batch on one worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..fan_out import fan_out
from ..tasks import Task
from ._runs import Runs
from ._train import chosen_seeds, train
from .engines._engine_choice import EngineChoice
from .recipes._recipe import Recipe, TrainingType
from .state._run_folder import STATE_FILE

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
    device: str
    engine: EngineChoice


def train_distributed(
    task: Task,
    *,
    dask: str | None,
    seeds: int | Sequence[int] = 16,
    recipe: Recipe | None = None,
    kind: TrainingType = "bimt",
    out: str | Path | None = None,
    resume: bool = False,
    device: str = "cpu",
    engine: EngineChoice = "auto",
    processes: int | None = None,
) -> Runs:
    """`train`, with four seeds a worker, on the workers of a Dask scheduler or in processes on this machine.

    Seed k gives the same network as in one batch of all (the same machine provided). Each worker writes the state of
    its seeds into ``out/shares``; where workers see that folder under the same path, a share whose worker died goes on
    where it was last saved, and so does every share of a resumed run. Checkpoints and ``runs.json`` are written here,
    share by share as they end.

    Parameters
    ----------
    task : Task
        What to learn.
    dask : str or None
        Address of the scheduler, as ``tcp://host:8786``; None for processes on this machine.
    seeds : int or sequence of int
        How many (0, 1, 2, ...), or which.
    recipe : Recipe or None
        As `train` takes it.
    kind : {"vanilla", "l1", "l1+local", "l1+swap", "bimt", "bimt+reuse"}
        As `train` takes it.
    out : str, Path or None
        A folder for the checkpoints and the states.
    resume : bool
        Go on from the states in ``out``; a share without a state begins anew.
    device : str
        Where the tensors of each worker live.
    engine : {"auto", "compiled", "torch"}
        As `train` takes it.
    processes : int or None
        How many at once without Dask; None takes one a core.

    Returns
    -------
    Runs
        One run for each seed.

    Raises
    ------
    InputError
        What `train` refuses; the package for Dask is missing; no scheduler answers at that address.

    Examples
    --------
    >>> from bimt_train import Recipe
    >>> from bimt_train.tasks import two_moons
    >>> runs = train_distributed(two_moons(rows=(20, 20)), dask=None, seeds=2, recipe=Recipe(steps=2), processes=1)
    >>> [run.seed for run in runs.runs]
    [0, 1]
    """
    chosen = chosen_seeds(seeds)
    folder = None if out is None else Path(out).resolve()
    shares: list[_Share] = []
    for first in range(0, len(chosen), SHARE):
        some = chosen[first : first + SHARE]
        place = None if folder is None else folder / FOLDER / "-".join(f"{seed:03d}" for seed in some)
        if place is not None and not resume:
            (place / STATE_FILE).unlink(missing_ok=True)
        shares.append(_Share(task, some, recipe, kind, place, device, engine))
    ended: dict[int, Runs] = {}

    def save(place: int, part: Runs) -> None:
        ended[place] = part
        if folder is not None:
            part.save(folder)
            Runs(part.task, tuple(run for number in sorted(ended) for run in ended[number].runs)).save_table(folder)

    parts = fan_out(_trained, shares, dask=dask, processes=processes, on_result=save)
    runs = Runs(
        parts[0].task, tuple(run for part in parts for run in part.runs), any(part.interrupted for part in parts)
    )
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
        resume=share.folder is not None,  # from the state of a worker that died, or of the run that is resumed
        device=share.device,
        engine=share.engine,
    )
