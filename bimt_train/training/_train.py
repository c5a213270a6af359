"""The training loop: many seeds at once, each its own data, weights and places, none seeing another."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from .._errors import InputError
from ..checkpoints import Checkpoint, Network, Probe
from ..connection_cost._relocate import relocate
from ..layouts import Layout, Placement
from ..models import ModelSpec, build_model
from ..tasks import Dataset, Task
from ._callbacks import Callback
from ._optimise import LOSSES, Loss, Moments, accuracy, adam_step, task_gradient
from ._presets import default_recipe
from ._random_restarts import Seat, drawing_seed, leading_rows, record_of, seats_of, seeds_of, seeds_out
from ._recipe import Phase, Recipe, TrainingType
from ._record import Record
from ._resume import Progress, load_progress, save_progress
from ._runs import Run, Runs
from ._stack import Flat, Stack, one_thread

EDGE = 1e-2  # a weight below this is not counted as an edge while training; pruning finds the true threshold
RECORDS = 100  # measurements a run, at most
REGISTERS = 32  # numbers that vectorised loops take at once, at most
MEASURED_ROWS, MEASURED_OUTPUTS = 2**12, 2**19  # a seed, that a measurement looks at, at most
PROBE_ROWS, PROBE_PREDICTIONS = 2000, 2**13  # of the data that a checkpoint takes along, at most


@dataclass(frozen=True)
class _Setting:
    """All that stays the same during a run."""

    task: Task
    seats: tuple[Seat, ...]
    recipe: Recipe
    kind: TrainingType
    model: ModelSpec
    layout: Layout
    stack: Stack
    data: tuple[Dataset, ...]
    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor
    priced: dict[bool, tuple[Sequence[Placement], Flat]] = field(default_factory=dict)

    def only(self, rows: Sequence[int]) -> Self:
        """The same for some rows."""
        some = list(rows)
        arrays = {name: getattr(self, name)[some] for name in ("x", "y", "x_test", "y_test")}
        seats, data = tuple(self.seats[row] for row in some), tuple(self.data[row] for row in some)
        return replace(self, seats=seats, data=data, priced={}, **arrays)

    def prices(self, placements: Sequence[Placement], *, biases: bool) -> Flat:
        """The price of every entry of every row. Those last asked for are kept: most often nothing has moved since."""
        known = self.priced.get(biases)
        if known is None or known[0] is not placements:
            cost, layout, shapes = self.recipe.cost, self.layout, self.stack.shapes
            prices = [cost.prices(layout, placement, shapes, biases=biases) for placement in placements]
            known = self.priced[biases] = (placements, self.stack.pack(prices).to(self.x))
        return known[1]

    def charges(self, placements: Sequence[Placement], phase: Phase) -> Flat:
        """Lambda times the price of every entry of every seed."""
        return self.prices(placements, biases=phase.biases) * phase.strength

    def some(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """All rows, or so many of them, evenly spaced, that a measurement stays cheap."""
        card, rows = self.task.card, y.shape[1]
        every = max(-(-rows // MEASURED_ROWS), -(-rows * card.predictions * len(card.outputs) // MEASURED_OUTPUTS))
        return (x, y) if every == 1 else (x[:, :rows:every], y[:, ::every])

    def stride(self) -> int:
        """Steps between two measurements: a hundred a run, or so many fewer that they take no longer than the steps.

        A step passes its batch through the network once, and back at twice the cost.
        """
        measured = sum(self.some(x, y)[1].shape[1] for x, y in ((self.x, self.y), (self.x_test, self.y_test)))
        batch = min(self.recipe.batch or self.y.shape[1], self.y.shape[1])
        return max(1, self.recipe.steps // RECORDS, -(-measured // (3 * batch)))


def train(
    task: Task,
    *,
    seeds: int | Sequence[int] = 16,
    recipe: Recipe | None = None,
    kind: TrainingType = "bimt",
    out: str | Path | None = None,
    resume: bool = False,
    callbacks: Sequence[Callback] = (),
    device: str = "cpu",
) -> Runs:
    """Train one network a seed, all seeds at once.

    Seed k draws its own data, first weights and places from k alone, so that it gives the same network in any company.
    Where the recipe has a race, each seed begins from several first weights; listeners and records see the leader.

    Args:
        task: what to learn.
        seeds: how many (0, 1, 2, ...), or which.
        recipe: steps, schedules, cost and relocation; left out, the task's own preset.
        kind: one of the paper's five training types (`Recipe.as_type`).
        out: a folder for checkpoints and the state of the run, written as it goes on.
        resume: go on from the state in ``out``, to the same weights as an unbroken run.
        callbacks: listeners.
        device: where tensors live, as torch names it.

    Returns:
        One `Run` a seed. After Ctrl-C, what was reached up to the last measurement.

    Raises:
        InputError: no seeds, no such device, nothing to resume, or a state of another recipe.
    """
    chosen = chosen_seeds(seeds)
    recipe = (recipe or default_recipe(task)).as_type(kind)
    folder = None if out is None else Path(out)
    progress = load_progress(folder, recipe, chosen).to(device) if resume else None
    seats = seats_of(chosen, recipe.starts) if progress is None else progress.seats
    setting = _prepare(task, seats, recipe, kind, device)
    progress = progress or _start(setting)
    steps, began, interrupted = recipe.steps, time.perf_counter(), False
    stride = setting.stride()
    for callback in callbacks:
        callback.on_start(recipe, chosen, progress.step)
        callback.on_networks(progress.step, partial(_network, setting, progress))
    with one_thread():
        try:
            while progress.step < steps:
                racing = progress.step < recipe.race_ends
                if not racing and len(progress.seats) > len(chosen):
                    setting, progress = setting.only(progress.leaders), progress.only(progress.leaders)
                until = min(progress.step + stride, recipe.race_ends if racing else steps)
                progress = _advance(setting, progress, until, callbacks)
                for callback in callbacks:
                    callback.on_networks(progress.step, partial(_network, setting, progress))
                if folder is not None and time.perf_counter() - began > 60 * progress.saves:
                    progress = replace(progress, saves=progress.saves + 1)
                    save_progress(folder, progress, recipe, chosen)
        except KeyboardInterrupt:
            interrupted = True
            for callback in callbacks:
                callback.on_interrupt(progress.step)
    progress = replace(progress, seconds=progress.seconds + time.perf_counter() - began)
    runs = _finish(setting, progress, interrupted)
    if folder is not None:
        save_progress(folder, progress, recipe, chosen)
        runs.save(folder)
    for callback in callbacks:
        callback.on_end(runs)
    return runs


def chosen_seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """The seeds that a number of them, or a list, stands for.

    Raises:
        InputError: none, a negative one, or one twice.
    """
    chosen = tuple(range(seeds)) if isinstance(seeds, int) else tuple(seeds)
    if not chosen or len(set(chosen)) < len(chosen) or min(chosen) < 0:
        raise InputError(
            "seeds cannot be used", expected="one or more different numbers, not negative", got=str(list(chosen))
        )
    return chosen


def _prepare(task: Task, seats: tuple[Seat, ...], recipe: Recipe, kind: TrainingType, device: str) -> _Setting:
    """Draw the data, and find out how the networks of this task are stacked."""
    _check_device(device)
    module: Any = build_model(task.model, generator=torch.Generator().manual_seed(0))
    layout = module.layout(input_labels=task.card.inputs, output_labels=task.card.outputs)
    drawn = {seed: task.data(seed) for seed in seeds_of(seats)}
    data = tuple(drawn[seed] for seed, _ in seats)
    card = task.card

    def stacked(arrays: Sequence[np.ndarray]) -> Tensor:
        return torch.tensor(np.stack(arrays), dtype=torch.float32, device=device)

    return _Setting(
        task, seats, recipe, kind, task.model, layout, Stack.of(module.to(device)), data,
        x=stacked([_padded(card.to_network_inputs(d.x_train), task.widths) for d in data]),
        y=stacked([card.to_network_targets(d.y_train) for d in data]),
        x_test=stacked([card.to_network_inputs(d.x_test) for d in data]),
        y_test=stacked([card.to_network_targets(d.y_test) for d in data]),
    )  # fmt: skip


def _check_device(device: str) -> None:
    try:
        torch.zeros(1, device=device).sum().item()
    except (RuntimeError, AssertionError, NotImplementedError) as error:  # torch raises all three
        got = str(error).splitlines()[0][:120]
        raise InputError("a device that cannot compute", where=device, expected="cpu, cuda, ...", got=got) from None


def _padded(x: np.ndarray, widths: Sequence[int]) -> np.ndarray:
    """Zero rows at the end, so that every seed's activations fill whole vector registers.

    The last few numbers of an array are computed by other instructions and may be rounded otherwise; without padding
    a seed's rounding would depend on its place in the stack.
    """
    multiple = REGISTERS // math.gcd(REGISTERS, *widths[1:-1])
    return np.pad(x, ((0, -len(x) % multiple), (0, 0)))


def _start(setting: _Setting) -> Progress:
    """The first weights of every row, every neuron in its first place."""
    drawn = []
    for seat in setting.seats:
        module = build_model(setting.task.model, generator=torch.Generator().manual_seed(drawing_seed(seat)))
        drawn.append({name: p.detach() for name, p in module.named_parameters()})
    flat = setting.stack.pack(drawn).to(setting.x)
    places = (Placement.identity(setting.layout),) * len(setting.seats)
    first = leading_rows(setting.seats, np.zeros(len(setting.seats)))
    return Progress(0, setting.seats, first, Moments.start(flat), places)


def _advance(setting: _Setting, progress: Progress, until: int, callbacks: Sequence[Callback]) -> Progress:
    """Steps up to ``until``, then a measurement. The given progress is left as it is, so an interrupt loses nothing."""
    recipe, stack = setting.recipe, setting.stack
    moments, placements = progress.moments.clone(), progress.placements
    resting = [row for row, _ in progress.diverged]
    frozen = torch.tensor(resting, device=setting.x.device) if resting else None
    loss = LOSSES[setting.task.card.loss]
    phase, charges = None, None
    rows = _row_picker(setting, progress.step, until)
    for step in range(progress.step, until):
        if charges is None or phase is not recipe.phase_at(step):
            phase = recipe.phase_at(step)
            charges = setting.charges(placements, phase)
        x, y = next(rows)
        _, gradient = task_gradient(stack, moments.flat, x, y, loss)
        adam_step(moments, gradient, charges, lr=recipe.lr_at(step), step=step, frozen=frozen)
        if recipe.relocates_after(step):
            placements, charges = _relocated(setting, moments.flat, placements), None
    record = _measure(setting, until, moments.flat, placements, loss)
    fallen = [i for i in np.flatnonzero(~np.isfinite(record.train_loss)).tolist() if i not in resting]
    moments.put_back(progress.moments, torch.tensor(fallen, dtype=torch.long, device=setting.x.device))
    if fallen:
        placements = tuple(progress.placements[i] if i in fallen else p for i, p in enumerate(placements))
    diverged = progress.diverged + tuple((row, until) for row in fallen)
    down = [row for row, _ in diverged]
    lost = np.isin(np.arange(len(setting.seats)), down)
    record = replace(
        record,
        train_loss=np.where(lost, np.nan, record.train_loss),
        test_loss=np.where(lost, np.nan, record.test_loss),
    )
    leaders = leading_rows(setting.seats, record.train_loss)
    record = record_of(record, leaders)
    out = sorted(seeds_out(setting.seats, down) - seeds_out(setting.seats, resting))
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
    )


def _relocated(setting: _Setting, flat: Flat, placements: Sequence[Placement]) -> tuple[Placement, ...]:
    """Every seed's neurons in their new places; a seed whose weights are not finite stays as it is."""
    plan = setting.recipe.relocation
    moved = []
    for index, placement in enumerate(placements):
        tensors = setting.stack.tensors(flat, index)
        if all(np.isfinite(t).all() for t in tensors.values()):
            placement = relocate(
                setting.layout, placement, tensors, setting.recipe.cost, method=plan.method, top_k=plan.top_k
            )
        moved.append(placement)
    return tuple(moved)


def _row_picker(setting: _Setting, start: int, until: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The rows of each step: all of them, or a batch that depends on the seed and the stretch of steps alone."""
    batch, rows = setting.recipe.batch, setting.y.shape[1]
    if batch is None or batch >= rows:
        for _ in range(start, until):
            yield setting.x, setting.y
        return
    draws = [
        np.random.default_rng((seed, start)).integers(0, rows, (until - start, batch)) for seed, _ in setting.seats
    ]
    picks = torch.as_tensor(np.stack(draws, axis=1), device=setting.x.device)
    each = torch.arange(len(setting.seats), device=setting.x.device)[:, None]
    for pick in picks:
        yield setting.x[each, pick], setting.y[each, pick]


@torch.no_grad()
def _measure(setting: _Setting, step: int, flat: Flat, placements: Sequence[Placement], loss: Loss) -> Record:
    """Losses, cost and edges of every row."""
    views = setting.stack.unpack(flat)
    prices = setting.prices(placements, biases=True)
    edges = sum((views[name].abs() > EDGE).flatten(1).sum(1) for name in setting.layout.weights())
    (x, y), (x_test, y_test) = setting.some(setting.x, setting.y), setting.some(setting.x_test, setting.y_test)
    tested = setting.stack.forward(views, x_test)
    return Record(
        step,
        loss(setting.stack.forward(views, x)[:, : y.shape[1]], y).double().cpu().numpy(),
        loss(tested, y_test).double().cpu().numpy(),
        (flat.abs() * prices).sum(1).double().cpu().numpy(),
        torch.as_tensor(edges).cpu().numpy(),
        accuracy(tested, y_test).cpu().numpy() if setting.task.card.classifies else None,
    )


def _network(setting: _Setting, progress: Progress, seed: int) -> Network:
    """One seed's network as a value; while it races, the leader's."""
    row = next(row for row in progress.leaders if setting.seats[row][0] == seed)
    tensors = setting.stack.tensors(progress.moments.flat, row)
    return Network(setting.model, setting.layout, progress.placements[row], tensors)


def _finish(setting: _Setting, progress: Progress, interrupted: bool) -> Runs:
    """Runs as values: a checkpoint and a history for each seed."""
    diverged = dict(progress.diverged)
    taken = min(PROBE_ROWS, max(PROBE_PREDICTIONS // setting.task.card.predictions, 1))
    runs = []
    for index, row in enumerate(progress.leaders):
        (seed, start), data = setting.seats[row], setting.data[row]
        network = _network(setting, progress, seed)
        probe = Probe(*(part[:taken] for part in (data.x_train, data.y_train, data.x_test, data.y_test)))
        config = {
            "seed": seed, "start": start, "kind": setting.kind, "steps_done": progress.step,
            "recipe": setting.recipe.to_json(),
        }  # fmt: skip
        checkpoint = Checkpoint(network, setting.task.card, probe, config)
        share = progress.seconds / len(progress.leaders)
        runs.append(Run(seed, checkpoint, progress.records, index, diverged.get(row), share))
    return Runs(setting.task.card.name, tuple(runs), interrupted)
