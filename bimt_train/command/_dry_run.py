"""What a run would do, in lines; nothing is trained or written."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ..checkpoints import Checkpoint
from ..library import StoredModule
from ..shell.words import few_names
from ..tasks import Task
from ..training import Recipe, TrainingType
from ..training._random_restarts import replicas_of
from ..training._runs import RUNS_FILE
from ..training._setting import Setting, prepare
from ..training._sweep import SWEEP_FILE, combinations
from ..training._train import engine_of
from ..training.engines._engine_choice import EngineChoice
from ..training.state._run_folder import STATE_FILE


@dataclass(frozen=True)
class Planned:
    """A run that is asked for.

    Attributes
    ----------
    task : Task
        What is to be learned.
    seeds : int
        How many.
    recipe : Recipe
        How.
    kind : TrainingType
        The type of training.
    out : Path
        The folder of results.
    resume : bool
        Whether an unfinished run goes on.
    device : str
        Where to compute.
    engine : EngineChoice
        What computes the steps.
    dask : str or None
        The scheduler whose workers train.
    over : mapping
        What is swept: field -> values; empty for one run.
    film : bool
        Whether each seed's training is kept.
    given : Checkpoint or sequence of StoredModule
        What the networks begin with.
    keep : bool
        Whether that stays as it is.
    """

    task: Task
    seeds: int
    recipe: Recipe
    kind: TrainingType
    out: Path
    resume: bool
    device: str
    engine: EngineChoice
    dask: str | None
    over: Mapping[str, Sequence[Any]]
    film: bool
    given: Checkpoint | Sequence[StoredModule]
    keep: bool


def dry_run(planned: Planned) -> str:
    """What would be read, trained and written; bad input is refused as the run refuses it.

    The data of one seed is drawn and its network is built, as nothing else would tell their sizes.

    Parameters
    ----------
    planned : Planned
        The run.

    Returns
    -------
    str
        A line a subject.
    """
    cells, recipe = combinations(planned.recipe, planned.over), planned.recipe.as_type(planned.kind)
    rows = replicas_of((0,), recipe.replicas)
    setting = prepare(planned.task, rows, recipe, planned.kind, planned.device, given=planned.given, keep=planned.keep)
    steps = engine_of(setting, planned.engine, torch.get_num_threads()).name
    where = f"the workers of {planned.dask}" if planned.dask else planned.device
    said = {
        "task": _task(planned.task, setting),
        "network": f"{setting.model.kind}, {sum(map(math.prod, setting.shapes.values()))} weights and biases"
        + ("" if recipe.reuse is None else f", by {recipe.reuse.rules} rules in {recipe.reuse.blocks} blocks"),
        "training": _training(planned, recipe),
        "sweep": f"{len(cells)} recipes: {', '.join(f'{name} {few_names(v)}' for name, v in planned.over.items())}",
        "computing": f"{steps} steps on {where}",
        "writes": _writes(planned, len(cells), _bytes(planned, setting) * planned.seeds * len(cells)),
        "found": _found(planned),
    }
    lines = [f"{name:<10} {text}" for name, text in said.items() if text and (name != "sweep" or planned.over)]
    return "\n".join([*lines, "nothing is done: this was --dry-run"])


def _task(task: Task, setting: Setting) -> str:
    spec, data = task.spec, setting.data[0]
    ends = f"{few_names(spec.outputs)} from {few_names(spec.inputs)}"
    return f"{spec.name}: {ends}; {len(data.x_train)} rows for training, {len(data.x_test)} for testing"


def _training(planned: Planned, recipe: Recipe) -> str:
    lambdas = " then ".join(f"{phase.strength:g}" for phase in recipe.phases)
    said = [f"{planned.kind}, seeds 0 to {planned.seeds - 1}, {recipe.steps} steps, lr {recipe.lr:g}, lambda {lambdas}"]
    if recipe.relocation.method != "none" and recipe.relocation.every:
        said.append(f"relocation by {recipe.relocation.method} every {recipe.relocation.every} steps")
    if recipe.replicas > 1:
        said.append(f"{recipe.replicas} replicas a seed until step {recipe.restarts_end}")
    if isinstance(planned.given, Checkpoint) or planned.given:
        names = [planned.given.task.name] if isinstance(planned.given, Checkpoint) else map(str, planned.given)
        said.append(f"with {', '.join(names)}, {'kept' if planned.keep else 'trained too'}")
    return "; ".join(said)


def _bytes(planned: Planned, setting: Setting) -> int:
    """What a seed takes on a disk."""
    frames = setting.recipe.steps // setting.stride() + 2 if planned.film else 0
    return setting.bytes_written() + 4 * frames * sum(map(math.prod, setting.shapes.values()))


def _writes(planned: Planned, folders: int, size: int) -> str:
    number = f"{planned.seeds} checkpoints{', their films' if planned.film else ''} and {RUNS_FILE}"
    each = f"{folders} folders of {number}, and {SWEEP_FILE}" if planned.over else number
    return f"{each} in {planned.out}, at most {size / 1e6:.0f} MB"


def _found(planned: Planned) -> str:
    """What lies in the folder already."""
    if planned.over or (not (planned.out / RUNS_FILE).exists() and not (planned.out / STATE_FILE).exists()):
        return ""
    return f"a run in {planned.out}, which {'goes on' if planned.resume else 'is replaced'}"
