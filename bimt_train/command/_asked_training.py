"""What a command line of bimt-train asks for: the task, the recipe, and what the networks begin with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._errors import InputError
from ..library import StoredModule, load_module
from ..library._stored_module import is_module
from ..shell.words import assignments
from ..tasks import Task, formula_task, resolve_task
from ..tasks.tables.table_flags import table_options
from ..tasks.tables.table_options import speeds_of_word
from ..training.checkpoints_in import checkpoints_in
from ..training.engines._engine_choice import EngineChoice
from ..training.recipes._presets import PAPER_RECIPES, default_recipe
from ..training.recipes._recipe import Recipe, TrainingType
from ..training.recipes._recipe_parts import RandomRestarts, Reuse

if TYPE_CHECKING:  # brings torch
    from ..checkpoints import Checkpoint


@dataclass(frozen=True)
class Asked:
    """The command line, as click read it; the help texts say what each word means."""

    task: tuple[str, ...]
    target: tuple[str, ...]
    inputs: tuple[str, ...]
    skip: tuple[str, ...]
    missing: tuple[str, ...]
    drop_missing: bool
    impute: str | None
    categories: str | None
    dates: str | None
    decimal: str | None
    units: tuple[str, ...]
    sigma: tuple[str, ...]
    encoding: str | None
    time: str | None
    trajectory: str | None
    second_order: str | None
    data: Path | None
    bounds: tuple[float, float] | None
    rows: int | None
    hidden: tuple[int, ...]
    model: str | None
    model_option: tuple[str, ...]
    seeds: int
    steps: int | None
    lr: float | None
    replicas: int | None
    cost_term: tuple[str, ...]
    sweep: tuple[str, ...]
    kind: TrainingType
    blocks: int | None
    paper: bool
    given: tuple[str, ...]
    soft: bool
    out: Path | None
    film: bool
    log_to: tuple[str, ...]
    resume: bool
    device: str
    engine: EngineChoice
    dask: str | None
    dry_run: bool
    quiet: bool


def asked_task(options: Asked) -> Task:
    """The task that the words name, with the drawing and the width that the options ask for.

    Parameters
    ----------
    options : Asked
        The command line.

    Raises
    ------
    InputError
        For words that name no task, and options of other tasks.
    """
    motion: dict[str, Any] = {"time": options.time, "trajectory": options.trajectory}
    motion |= {"second_order": speeds_of_word(options.second_order)}
    task = resolve_task(
        options.task,
        target=options.target or None,
        data=options.data,
        table=table_options(vars(options)),
        motion={name: value for name, value in motion.items() if value},
    )
    if options.bounds or options.rows:
        if task.spec.name != "formula":
            raise InputError("--range and --rows are for formulas", got=" ".join(options.task), hint="leave them out")
        low, high = options.bounds or (-1.0, 1.0)
        task = formula_task(options.task, ranges=(low, high), rows=(options.rows or 100,) * 2)
    chosen = assignments(options.model_option, "--model-option")
    if chosen and options.model is None:
        raise InputError("--model-option is for --model", got=" ".join(options.model_option), hint="add --model KIND")
    if options.model is not None:
        task = task.with_model(options.model, chosen)
    if options.hidden:
        task = task.with_hidden(options.hidden)
    return task


def asked_recipe(task: Task, options: Asked) -> Recipe:
    """The task's recipe, with what the options change.

    Parameters
    ----------
    task : Task
        What is learned.
    options : Asked
        The command line.

    Raises
    ------
    InputError
        For options that do not go together.
    """
    if options.paper and task.spec.name not in PAPER_RECIPES:
        raise InputError(
            "the paper has no recipe", expected=", ".join(PAPER_RECIPES), got=task.spec.name, hint="leave --paper out"
        )
    recipe = PAPER_RECIPES[task.spec.name] if options.paper else default_recipe(task)
    restarts, cost = recipe.restarts, recipe.cost
    if options.replicas == 1:
        restarts = None
    elif options.replicas is not None:
        restarts = replace(restarts or RandomRestarts(), replicas=options.replicas)
    for text in options.cost_term:
        cost = cost.with_term(*_coefficient(text))
    if options.blocks is not None and options.kind != "bimt+reuse":
        raise InputError(
            "--blocks is for --type bimt+reuse", got=f"--type {options.kind}", hint="leave one of them out"
        )
    reuse = recipe.reuse if options.blocks is None else replace(recipe.reuse or Reuse(), blocks=options.blocks)
    steps, lr = options.steps or recipe.steps, recipe.lr if options.lr is None else options.lr
    return replace(recipe, steps=steps, lr=lr, cost=cost, restarts=restarts, reuse=reuse)


def asked_given(options: Asked) -> "Checkpoint | tuple[StoredModule, ...]":
    """What the networks begin with: a trained network, or modules, or nothing.

    Parameters
    ----------
    options : Asked
        The command line.

    Raises
    ------
    InputError
        For options that do not go together, and files that cannot be read.
    """
    if options.given and (options.dask or options.sweep):
        hint = "train on this machine, one recipe at a time"
        raise InputError("--with is for one run here", got="--with and --dask or --sweep", hint=hint)
    if options.soft and not options.given:
        raise InputError("--soft is for --with", hint="give a trained network or the file of a module")
    found = tuple(map(_given, options.given))
    modules = tuple(one for one in found if isinstance(one, StoredModule))
    networks = tuple(one for one in found if not isinstance(one, StoredModule))
    if not networks:
        return modules
    if len(found) > 1:
        hint = "give one trained network, or modules alone"
        raise InputError("training begins with one network", got=f"--with {' --with '.join(options.given)}", hint=hint)
    return networks[0]


def _given(text: str) -> "Checkpoint | StoredModule":
    """A folder of runs, a checkpoint, or a module as ``FILE`` or ``FILE:NAME=INPUT,...``."""
    path, colon, names = text.rpartition(":")
    if colon and "=" in names:
        return load_module(path).reading(dict(word.split("=", 1) for word in names.split(",") if "=" in word))
    if is_module(text):
        return load_module(text)
    from ..checkpoints import load_checkpoint

    return load_checkpoint(checkpoints_in(text)[0] if Path(text).is_dir() else text)


def asked_sweep(words: Sequence[str]) -> dict[str, list[Any]]:
    """The fields and their values; a value is a number where it reads as one.

    Parameters
    ----------
    words : sequence of str
        Each ``FIELD=VALUE,...``.

    Raises
    ------
    InputError
        For a word of another form, and a field that is named twice.
    """
    found: dict[str, list[Any]] = {}
    for word in words:
        name, equals, values = word.partition("=")
        if not (name and equals and values) or name in found:
            hint = "--sweep lambda=1e-3,1e-2 --sweep lr=0.01,0.02"
            raise InputError("a sweep names each field once, with its values", where="--sweep", got=word, hint=hint)
        found[name] = [_number_or_word(value) for value in values.split(",")]
    return found


def _number_or_word(text: str) -> float | str | None:
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return None if text == "none" else text


def _coefficient(text: str) -> tuple[str, float]:
    """The term and its coefficient that an option names."""
    name, _, number = text.rpartition("=")
    try:
        return name, float(number)
    except ValueError:
        raise InputError("a cost term without its coefficient", expected="NAME=COEFFICIENT", got=text) from None
