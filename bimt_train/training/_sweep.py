"""One task under many recipes: every combination of the values of some fields, and one table of what came of them."""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .._errors import InputError
from ..extras import need
from ..frozen import FrozenDict
from ..showing import Shown, to_cell
from ..tasks import Task
from ..whole_files import made_folder, write_whole
from ._callbacks import Callback
from ._runs import Runs
from ._train import train
from ._train_distributed import train_distributed
from .engines._engine_choice import EngineChoice
from .recipes._presets import default_recipe
from .recipes._recipe import Recipe, TrainingType
from .recipes._recipe_fields import with_value

if TYPE_CHECKING:
    import pandas as pd

SWEEP_FILE = "sweep.json"
_SPREAD = {"median": 0.5, "lower_quartile": 0.25, "upper_quartile": 0.75}

Value = float | str | None


@dataclass(frozen=True, eq=False, repr=False)
class SweepCell(Shown):
    """One combination of values, and the runs under it.

    Attributes
    ----------
    values : mapping of str to number or str
        Field -> value.
    runs : Runs
        One run a seed.

    Examples
    --------
    >>> from bimt_train import Recipe, sweep
    >>> from bimt_train.tasks import two_moons
    >>> found = sweep(two_moons(rows=(20, 20)), {"lr": [0.01]}, seeds=2, recipe=Recipe(steps=2))
    >>> found.cells[0].folder, found.cells[0].to_json()["seeds"]
    ('lr=0.01', 2)
    """

    values: Mapping[str, Value]
    runs: Runs

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", FrozenDict(self.values))

    @property
    def folder(self) -> str:
        """The name of the folder of these runs."""
        return _folder(self.values)

    def _brief(self) -> str:
        return f"{self.folder}: {self.runs._brief()}"

    def to_json(self) -> dict[str, Any]:
        """Values, folder, number of seeds and of diverged ones, and the spread of losses, cost and edges.

        Returns
        -------
        dict
            Plain values; a number that is not finite is None.
        """
        records = [run.to_json() for run in self.runs.runs]
        lasting = [record for record in records if record["diverged_at"] is None]
        measured = [name for name in ("train_loss", "test_loss", "accuracy", "cost", "edges") if name in records[0]]
        return {
            "values": dict(self.values),
            "folder": self.folder,
            "seeds": len(records),
            "diverged": len(records) - len(lasting),
            "interrupted": self.runs.interrupted,
            **{name: _spread([record[name] for record in lasting]) for name in measured},
        }


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Shown):
    """What came of a sweep.

    Attributes
    ----------
    task : str
        The task's name.
    cells : tuple of SweepCell
        One for each combination, in the order in which they were trained; fewer where it was interrupted.
    interrupted : bool
        Whether it was stopped before the last step of the last combination.

    Examples
    --------
    >>> from bimt_train import Recipe, sweep
    >>> from bimt_train.tasks import two_moons
    >>> found = sweep(two_moons(rows=(20, 20)), {"lr": [0.01]}, seeds=2, recipe=Recipe(steps=2))
    >>> list(found.to_frame().columns[:3])
    ['lr', 'seed', 'train_loss']
    """

    task: str
    cells: tuple[SweepCell, ...]
    interrupted: bool = False

    def _brief(self) -> str:
        over = ", ".join(self.cells[0].values) if self.cells else "nothing"
        said = f"{len(self.cells)} recipe{'' if len(self.cells) == 1 else 's'} of {self.task} over {over}"
        return f"{said}{', interrupted' if self.interrupted else ''}"

    def _repr_html_(self) -> str:
        names = tuple(self.cells[0].values) if self.cells else ()
        rows = []
        for plain in map(SweepCell.to_json, self.cells):
            medians = [spread and spread["median"] for spread in (plain["test_loss"], plain["edges"])]
            rows.append((*plain["values"].values(), plain["seeds"], plain["diverged"], *medians))
        columns = (*names, "seeds", "diverged", "median test loss", "median edges")
        return to_cell(self._brief(), columns=columns, rows=rows)

    def to_json(self) -> dict[str, Any]:
        """The content of sweep.json.

        Returns
        -------
        dict
            ``task``, ``interrupted`` and ``cells``.
        """
        cells = [cell.to_json() for cell in self.cells]
        return {"task": self.task, "interrupted": self.interrupted, "cells": cells}

    def to_frame(self) -> "pd.DataFrame":
        """One row a seed of each combination.

        Returns
        -------
        pandas.DataFrame
            A column for each field that was swept, then those of runs.json.
        """
        need("pandas", "to_frame()")
        import pandas as pd

        return pd.DataFrame([{**cell.values, **run.to_json()} for cell in self.cells for run in cell.runs.runs])

    def save(self, folder: str | Path) -> Path:
        """Write sweep.json.

        Parameters
        ----------
        folder : str or Path
            Where the folders of the combinations are.

        Returns
        -------
        Path
            The file.
        """
        path = made_folder(folder) / SWEEP_FILE
        write_whole(path, json.dumps(self.to_json(), indent=2) + "\n")
        return path


def sweep(
    task: Task,
    over: Mapping[str, Sequence[Value]],
    *,
    seeds: int | Sequence[int] = 16,
    recipe: Recipe | None = None,
    kind: TrainingType = "bimt",
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    device: str = "cpu",
    engine: EngineChoice = "auto",
    dask: str | None = None,
) -> Sweep:
    """Train the seeds under every combination of some values of the recipe.

    Parameters
    ----------
    task : Task
        What to learn.
    over : mapping of str to sequence
        The values that each field of the recipe is to have, by its name in `recipe_fields`, such as ``lambda`` or
        ``relocation.every``.
    seeds : int or sequence of int
        The same for every combination.
    recipe : Recipe or None
        Gives all other fields; None takes the task's own.
    kind : {"vanilla", "l1", "l1+local", "l1+swap", "bimt", "bimt+reuse"}
        As `train` takes it.
    out : str, Path or None
        A folder for sweep.json, which grows as combinations end, and a folder for each combination.
    resume : bool
        Go on with an unfinished sweep.
    callbacks : sequence of Callback
        Listeners to each of the runs, without Dask.
    device : str
        As `train` takes it.
    engine : {"auto", "compiled", "torch"}
        As `train` takes it.
    dask : str or None
        Address of a Dask scheduler, on whose workers the seeds of a combination are trained.

    Returns
    -------
    Sweep
        The runs of every combination.

    Raises
    ------
    InputError
        An unknown field, a value that it cannot have, no values, a value twice, or what `train` refuses. Nothing is
        trained then.

    Examples
    --------
    >>> from bimt_train import Recipe
    >>> from bimt_train.tasks import two_moons
    >>> found = sweep(two_moons(rows=(20, 20)), {"lambda": [1e-3, 1e-2]}, seeds=2, recipe=Recipe(steps=2))
    >>> [(dict(cell.values), len(cell.runs.runs)) for cell in found.cells]
    [({'lambda': 0.001}, 2), ({'lambda': 0.01}, 2)]
    """
    folder = None if out is None else Path(out)
    cells: list[SweepCell] = []
    for cell, changed in combinations(recipe or default_recipe(task), over):
        place = None if folder is None else folder / _folder(cell)
        one = partial(train_distributed, dask=dask) if dask else partial(train, callbacks=callbacks)
        runs = one(task, seeds=seeds, recipe=changed, kind=kind, out=place, resume=resume, device=device, engine=engine)
        cells.append(SweepCell(cell, runs))
        found = Sweep(task.spec.name, tuple(cells), runs.interrupted)
        if folder is not None:
            found.save(folder)
        if runs.interrupted:
            break
    return found


def combinations(base: Recipe, over: Mapping[str, Sequence[Value]]) -> tuple[tuple[Mapping[str, Value], Recipe], ...]:
    """Every combination of the values, with its recipe.

    Parameters
    ----------
    base : Recipe
        What all else is taken from.
    over : mapping of str to sequence
        Field -> values, as `sweep` takes them.

    Returns
    -------
    tuple of (mapping, Recipe)
        In the order in which they are trained; the base alone where nothing is swept.

    Raises
    ------
    InputError
        A field or a value that is not one, no values, or a value twice.
    """
    for name, values in over.items():
        if not values or len(set(values)) < len(values):
            got = ", ".join(map(str, values)) or "none"
            raise InputError("values that cannot be swept", where=name, expected="one or more, each once", got=got)
    chosen = [dict(zip(over, values, strict=True)) for values in itertools.product(*over.values())]
    return tuple((values, _with_all(base, values)) for values in chosen)


def _folder(values: Mapping[str, Value]) -> str:
    return ",".join(f"{name}={value}" for name, value in values.items())


def _with_all(recipe: Recipe, values: Mapping[str, Value]) -> Recipe:
    for name, value in values.items():
        recipe = with_value(recipe, name, value)
    return recipe


def _spread(numbers: Sequence[float | None]) -> dict[str, float | None]:
    """Median and quartiles of the numbers that there are."""
    finite = [number for number in numbers if number is not None]
    return {name: float(np.quantile(finite, share)) if finite else None for name, share in _SPREAD.items()}
