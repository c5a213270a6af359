"""The training loop: many seeds at once, each its own data, weights and places, none seeing another."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from .._errors import InputError
from ..checkpoints import Checkpoint, Network, Probe
from ..checkpoints._network import EDGE
from ..layouts import Placement
from ..library import StoredModule
from ..losses import Loss
from ..models.from_spec import build_model
from ..signals import held_signals
from ..tasks import Task
from ._callbacks import Callback, LoggedProgress
from ._random_restarts import drawing_seed, leading_rows, record_of, replicas_of, seeds_out
from ._record import Record
from ._runs import Run, Runs
from ._setting import Setting, prepare
from ._stack import Flat, for_small_products
from ._steps import stepped
from .engines._choose import choose_engine
from .engines._engine import Engine, Moments
from .engines._engine_choice import EngineChoice
from .recipes._presets import default_recipe
from .recipes._recipe import Recipe, TrainingType
from .state._progress import Ahead, Progress
from .state._run_folder import run_folder
from .state._state_file import load_progress, save_progress

SAVE_SECONDS = 5.0  # between two saves of the state; a killed run loses no more work than this, and one step
PROBE_ROWS, PROBE_PREDICTIONS = 2000, 2**13  # of the data that a checkpoint takes along, at most


def train(
    task: Task,
    *,
    seeds: int | Sequence[int] = 16,
    recipe: Recipe | None = None,
    kind: TrainingType = "bimt",
    given: Checkpoint | Sequence[StoredModule] = (),
    keep: bool = True,
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    device: str = "cpu",
    engine: EngineChoice = "auto",
) -> Runs:
    """Train one network a seed, all seeds at once.

    Seed k draws its own data, first weights and positions from k alone, so that it gives the same network whichever
    seeds are trained with it. Where the recipe has random restarts, each seed trains several replicas at first;
    listeners and records see the replica of least training loss.

    Parameters
    ----------
    task : Task
        What to learn.
    seeds : int or sequence of int
        How many (0, 1, 2, ...), or which.
    recipe : Recipe or None
        Steps, schedules, cost and relocation; None takes the task's own (`default_recipe`).
    kind : {"vanilla", "l1", "l1+local", "l1+swap", "bimt", "bimt+reuse"}
        One of the paper's five training types, or ``bimt+reuse`` (`Recipe.as_type`).
    given : Checkpoint or sequence of StoredModule
        What the networks begin with, beside what is drawn: a trained network, or modules found in others
        (`load_module`). Of a trained network, the living hidden neurons, those that an output depends on by weights
        above 0.01, enter the new network with all that they read; inputs and outputs are found by their names. Modules
        read the inputs that have the names of their own, and are the first neurons of the hidden layers. A checkpoint's
        ``config["given"]`` says which of these neurons the trained network uses.
    keep : bool
        Whether what is given stays as it is and reads nothing new, and so forgets nothing; otherwise it is trained and
        pays like all else.
    out : str, Path or None
        A folder for checkpoints and the state of the run, written as it goes on.
    resume : bool
        Go on from the state in ``out``, to the same weights as an unbroken run; begin where there is no state.
    callbacks : sequence of Callback
        Listeners.
    device : str
        Where tensors live, as torch names it.
    engine : {"auto", "compiled", "torch"}
        What computes the steps. Compiled code serves MLPs, image MLPs and MLPs over tokens on the CPU, several times
        faster; torch serves all else. Their roundings differ, so a run goes on to the same weights with the same engine
        only, on machines of one kind. As many networks are computed side by side as torch has threads.

    Returns
    -------
    Runs
        One `Run` for each seed. After Ctrl-C, the networks as they were last measured. After SIGTERM, networks and
        state are written, and the signal is passed on.

    Raises
    ------
    InputError
        No seeds, no such device or engine, something given that the network cannot hold, a folder that cannot be
        written or that another run writes into, or a state of another recipe, task or data.

    Examples
    --------
    >>> from bimt_train import Recipe
    >>> from bimt_train.tasks import two_moons
    >>> runs = train(two_moons(rows=(20, 20)), seeds=2, recipe=Recipe(steps=3, lr=1e-2))
    >>> [run.history[-1]["step"] for run in runs.runs]
    [3, 3]
    """
    chosen = chosen_seeds(seeds)
    recipe = (recipe or default_recipe(task)).as_type(kind)
    if resume and out is None:
        raise InputError("nothing to resume", where="no output folder", hint="give the folder of the unfinished run")
    rows = replicas_of(chosen, recipe.replicas)
    setting = prepare(task, rows, recipe, kind, device, given=given, keep=keep)
    callbacks = (LoggedProgress(), *callbacks)
    progress = _start(setting)
    chosen_engine = partial(engine_of, choice=engine, threads=torch.get_num_threads())
    steps = chosen_engine(setting)
    folder, began = None if out is None else Path(out), time.perf_counter()
    run = {} if folder is None else setting.fingerprint()
    with run_folder(folder, setting.bytes_written()), for_small_products(), held_signals() as stopped:
        if folder is not None:
            found = load_progress(folder, run) if resume else None
            progress = progress if found is None else found.to(device)
            setting = setting.fitting(progress)
            steps = chosen_engine(setting)
            save_progress(folder, progress, run)
        for callback in callbacks:
            if folder is not None:
                callback.on_folder(folder)
            callback.on_start(recipe, chosen, progress.steps_done)
            callback.on_networks(progress.step, partial(_network, setting, progress))
        saved, interrupted = time.perf_counter(), False

        def due() -> bool:
            return stopped() or (folder is not None and time.perf_counter() - saved > SAVE_SECONDS)

        try:
            while progress.step < recipe.steps and not stopped():
                if progress.step >= recipe.restarts_end and len(progress.replicas) > len(chosen):
                    setting, progress = setting.only(progress.leaders), progress.only(progress.leaders)
                    steps = chosen_engine(setting)
                progress = _advance(setting, steps, progress, due, callbacks)
                if folder is not None and due():
                    save_progress(folder, progress, run)
                    saved = time.perf_counter()
        except KeyboardInterrupt:  # by a callback, or by a second Ctrl-C
            interrupted = True
        interrupted = interrupted or progress.step < recipe.steps
        for callback in callbacks if interrupted else ():
            callback.on_interrupt(progress.steps_done)
        progress = replace(progress, seconds=progress.seconds + time.perf_counter() - began)
        runs = _finish(setting, progress, interrupted, steps.name)
        if folder is not None:
            save_progress(folder, progress, run)
            runs.save(folder)
        for callback in callbacks:
            callback.on_end(runs)
    return runs


def chosen_seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """The seeds that a number of them, or a list, stands for.

    Parameters
    ----------
    seeds : int or sequence of int
        How many (0, 1, 2, ...), or which.

    Returns
    -------
    tuple of int
        The seeds.

    Raises
    ------
    InputError
        There is none, a negative one, or one twice.

    Examples
    --------
    >>> chosen_seeds(3)
    (0, 1, 2)
    """
    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    if not chosen or len(set(chosen)) < len(chosen) or min(chosen) < 0:
        raise InputError(
            "seeds cannot be used", expected="one or more different numbers, not negative", got=str(list(chosen))
        )
    return chosen


def _start(setting: Setting) -> Progress:
    """The first weights of every row, every neuron in its first place."""
    drawn = []
    for row, replica in enumerate(setting.replicas):
        module = build_model(setting.task.model, generator=torch.Generator().manual_seed(drawing_seed(replica)))
        weights = {name: p.detach().numpy() for name, p in module.named_parameters()}
        if setting.beginning is not None:
            x, y = (part[row].cpu().numpy().astype(np.float64) for part in (setting.x, setting.y))
            weights = setting.beginning.over(weights, x[: len(y)], y)
        drawn.append(setting.stack.parameters.start(weights, np.random.default_rng(drawing_seed(replica))))
    flat = setting.stack.pack(drawn).to(setting.x)
    first_places = Placement.identity(setting.layout) if setting.beginning is None else setting.beginning.placement
    places = (first_places,) * len(setting.replicas)
    first = leading_rows(setting.replicas, np.zeros(len(setting.replicas)))
    return Progress(0, setting.replicas, first, Moments.start(flat), places)


def engine_of(setting: Setting, choice: str, threads: int) -> Engine:
    """What takes the steps of a run: the engine of a ``choice`` for a ``setting``, with so many ``threads``."""
    loss, batch = setting.task.spec.judged_by, setting.recipe.batch
    data = (setting.x, setting.y)
    return choose_engine(choice, setting.model, setting.stack, *data, loss, batch=batch, threads=threads)


def _advance(
    setting: Setting, engine: Engine, progress: Progress, due: Callable[[], bool], callbacks: Sequence[Callback]
) -> Progress:
    """Steps up to the next measurement, which is made, or until ``due``. The given progress is left as it is."""
    recipe = setting.recipe
    end = recipe.restarts_end if progress.step < recipe.restarts_end else recipe.steps
    until = min(progress.step + setting.stride(), end)
    ahead = stepped(setting, engine, progress, until, due)
    if ahead.step < until:
        return replace(progress, ahead=ahead)
    progress = _measured(setting, engine.threads, progress, ahead, callbacks)
    for callback in callbacks:
        callback.on_networks(progress.step, partial(_network, setting, progress))
    return progress


def _measured(
    setting: Setting, threads: int, progress: Progress, ahead: Ahead, callbacks: Sequence[Callback]
) -> Progress:
    """What was gained since the last measurement, measured; rows that diverged go back to where they were then."""
    until, moments, placements = ahead.step, ahead.moments, ahead.placements
    resting = [row for row, _ in progress.diverged]
    loss = setting.task.spec.judged_by
    record = _measure(setting, threads, until, moments.flat, placements, loss)
    fallen = [i for i in np.flatnonzero(~np.isfinite(record.train_loss)).tolist() if i not in resting]
    moments.put_back(progress.moments, torch.tensor(fallen, dtype=torch.long, device=setting.x.device))
    if fallen:
        placements = tuple(progress.placements[i] if i in fallen else p for i, p in enumerate(placements))
    diverged = progress.diverged + tuple((row, until) for row in fallen)
    down = [row for row, _ in diverged]
    lost = np.isin(np.arange(len(setting.replicas)), down)
    record = replace(
        record,
        train_loss=np.where(lost, np.nan, record.train_loss),
        test_loss=np.where(lost, np.nan, record.test_loss),
    )
    leaders = leading_rows(setting.replicas, record.train_loss)
    record = record_of(record, leaders)
    out = sorted(seeds_out(setting.replicas, down) - seeds_out(setting.replicas, resting))
    for callback in callbacks:
        for seed in out:
            callback.on_diverged(seed, until)
        callback.on_record(record)
    return replace(
        progress,
        step=until,
        leaders=leaders,
        moments=moments,
        placements=placements,
        records=(*progress.records, record),
        diverged=diverged,
        ahead=None,
    )


@torch.no_grad()
def _measure(
    setting: Setting, threads: int, step: int, flat: Flat, placements: Sequence[Placement], loss: Loss
) -> Record:
    """Losses, cost and edges of every row."""
    views = setting.stack.unpack(flat)
    prices = setting.prices(placements, biases=True)
    weights = setting.stack.weights(flat)
    edges = sum((weights[name].abs() > EDGE).flatten(1).sum(1) for name in setting.layout.weights())
    (x, y), (x_test, y_test) = setting.some(setting.x, setting.y), setting.some(setting.x_test, setting.y_test)
    tested = setting.stack.outputs(views, x_test, threads)
    return Record(
        step,
        loss.function(setting.stack.outputs(views, x, threads)[:, : y.shape[1]], y).double().cpu().numpy(),
        loss.function(tested, y_test).double().cpu().numpy(),
        (flat.abs() * prices).sum(1).double().cpu().numpy(),
        torch.as_tensor(edges).cpu().numpy(),
        None if loss.right is None else loss.right(tested, y_test).cpu().numpy(),
    )


def _network(setting: Setting, progress: Progress, seed: int) -> Network:
    """One seed's network as a value; before restarts end, that of the leading replica."""
    row = next(row for row in progress.leaders if setting.replicas[row][0] == seed)
    tensors, generator = (get(progress.moments.flat, row) for get in (setting.stack.tensors, setting.stack.generator))
    return Network(setting.model, setting.layout, progress.placements[row], tensors, generator)


def _finish(setting: Setting, progress: Progress, interrupted: bool, engine: str) -> Runs:
    """Runs as values: a checkpoint and a history for each seed."""
    diverged = dict(progress.diverged)
    taken = min(PROBE_ROWS, max(PROBE_PREDICTIONS // setting.task.spec.predictions, 1))
    runs = []
    for index, row in enumerate(progress.leaders):
        (seed, replica), data = setting.replicas[row], setting.data[row]
        network = _network(setting, progress, seed)
        train, test = (np.arange(min(taken, len(x))) for x in (data.x_train, data.x_test))
        probe = Probe(**data.arrays).taking(train, test)
        config = {
            "seed": seed, "replica": replica, "kind": setting.kind, "steps_done": progress.step,
            "engine": engine, "recipe": setting.recipe.to_json(),
            "parameters": network.parameters,
            **({} if setting.beginning is None else {"given": setting.beginning.told(network)}),
        }  # fmt: skip
        checkpoint = Checkpoint(network, setting.task.spec, probe, config)
        share = progress.seconds / len(progress.leaders)
        runs.append(Run(seed, checkpoint, progress.records, index, diverged.get(row), share))
    return Runs(setting.task.spec.name, tuple(runs), interrupted)
