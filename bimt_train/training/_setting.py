"""What stays the same during a run: data, stacked networks and the schedule of measurements."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from .._errors import CheckpointError, InputError
from ..checkpoints import Checkpoint
from ..layouts import Layout, Placement
from ..library import StoredModule
from ..library._begin_with import begin
from ..library._beginning import Beginning
from ..models import ModelSpec
from ..models.from_spec import build_model, check_options
from ..tasks import Dataset, Task
from ..whole_files import content_digest
from ._random_restarts import Replica, seeds_of
from ._seeds_side_by_side import check_trainable
from ._stack import Flat, Stack, shapes_of
from .parameters._parameters import Direct, Parameters
from .parameters._reuse import reused
from .recipes._recipe import Recipe, TrainingType
from .recipes._recipe_parts import Phase
from .state._progress import Progress

RECORDS = 100  # measurements a run, at most
REGISTERS = 32  # numbers that vectorised loops take at once, at most
MEASURED_ROWS, MEASURED_OUTPUTS = 2**12, 2**19  # a seed, that a measurement looks at, at most


@dataclass(frozen=True)
class Setting:
    """All that stays the same during a run."""

    task: Task
    replicas: tuple[Replica, ...]
    recipe: Recipe
    kind: TrainingType
    model: ModelSpec
    layout: Layout
    shapes: Mapping[str, tuple[int, ...]]
    stack: Stack
    data: tuple[Dataset, ...]
    x: Tensor
    y: Tensor
    x_test: Tensor
    y_test: Tensor
    beginning: Beginning | None = None
    priced: dict[bool, tuple[Sequence[Placement], Flat]] = field(default_factory=dict)

    def fingerprint(self) -> dict[str, Any]:
        """What makes two runs the same run, as plain values: seeds, recipe, task and data."""
        spec = self.task.spec.to_json()
        distinct = {id(array): array for data in self.data for array in data.arrays.values()}
        data = content_digest({str(number): array for number, array in enumerate(distinct.values())}, json.dumps(spec))
        said = {
            "seeds": seeds_of(self.replicas),
            "recipe": self.recipe.to_json(),
            "task": {name: spec.get(name) for name in ("name", "inputs", "outputs", "loss", "decomposition")},
            "model": {"kind": self.model.kind, "options": dict(self.model.options)},
            "data": data,
            "given": None if self.beginning is None else self.beginning.digest(),
        }
        plain: dict[str, Any] = json.loads(json.dumps(said))
        return plain

    def bytes_written(self) -> int:
        """What checkpoints and state take on a disk, the new state beside the old one; about, and not less."""
        row: int = 4 * (self.stack.width + sum(b.numel() for b in self.stack.buffers.values()))
        probes: int = sum(array[:2000].nbytes for data in self.data for array in data.arrays.values())
        return (2 * 2 * 3 + 2) * row * len(self.replicas) + probes + 2**20  # states: moments measured and ahead

    def fitting(self, progress: Progress) -> Self:
        """The setting of the rows that a run has when it goes on.

        Parameters
        ----------
        progress : Progress
            What the state file says.

        Raises
        ------
        CheckpointError
            The state is of networks of another make.
        """
        rows = {replica: row for row, replica in enumerate(self.replicas)}
        width = progress.moments.flat.shape[1]
        if width != self.stack.width or not set(progress.replicas) <= set(rows):
            expected = f"{len(rows)} rows of {self.stack.width} entries"
            got, hint = (
                f"{len(progress.replicas)} rows of {width}",
                "train anew; this state is damaged or of other code",
            )
            raise CheckpointError("the state of other networks", expected=expected, got=got, hint=hint)
        for placement in progress.placements + (() if progress.ahead is None else progress.ahead.placements):
            placement.check(self.layout)
        if progress.replicas == self.replicas:
            return self
        return self.only([rows[replica] for replica in progress.replicas])

    def only(self, rows: Sequence[int]) -> Self:
        """The setting of some rows of the stack alone.

        Parameters
        ----------
        rows : sequence of int
            Numbers of the rows to keep, in their new order.
        """
        some = list(rows)
        arrays = {name: getattr(self, name)[some] for name in ("x", "y", "x_test", "y_test")}
        replicas, data = tuple(self.replicas[row] for row in some), tuple(self.data[row] for row in some)
        return replace(self, replicas=replicas, data=data, priced={}, **arrays)

    def held(self, flat: Flat) -> tuple[Tensor, Tensor] | None:
        """The entries of a row that never change, and what they are in every row; None where all may change.

        Parameters
        ----------
        flat : tensor, [rows, entries]
            The weights.
        """
        places = self.held_places.to(flat.device)
        return (places, flat[:, places].clone()) if len(places) else None

    @cached_property
    def held_places(self) -> Tensor:
        """Numbers of the entries of a row that never change."""
        if self.beginning is None:
            return torch.zeros(0, dtype=torch.long)
        marks = {name: rows.astype(np.float32) for name, rows in self.beginning.held.items()}
        return self.stack.pack([marks])[0].nonzero().ravel()

    def prices(self, placements: Sequence[Placement], *, biases: bool) -> Flat:
        """The price of every entry of every row. Those last asked for are kept: most often nothing has moved since.

        Parameters
        ----------
        placements : sequence of Placement
            Where the neurons sit, one placement a row.
        biases : bool
            Whether biases pay too.

        Returns
        -------
        tensor, [rows, entries]
            Prices, before lambda.
        """
        known = self.priced.get(biases)
        if known is None or known[0] is not placements:
            rows = self._all_prices(placements) if biases else self.prices(placements, biases=True) * self._not_biases()
            known = self.priced[biases] = (placements, rows)
        return known[1]

    def _all_prices(self, placements: Sequence[Placement]) -> Flat:
        """Prices with those of biases; only rows whose neurons moved since are computed anew."""
        before, rows = self.priced.get(True, ((), None))
        same = [old is new for old, new in zip(before, placements, strict=False)] or [False] * len(placements)
        moved = [row for row, stays in enumerate(same) if not stays]
        parameters, shapes = self.stack.parameters, self.shapes
        rows = torch.zeros(len(placements), self.stack.width, device=self.x.device) if rows is None else rows.clone()
        if moved:
            free = {name: np.zeros(shape) for name, shape in shapes.items()}  # what indexes no neuron pays nothing
            fresh = [free | self.recipe.cost.prices(self.layout, placements[row], shapes) for row in moved]
            priced = self.stack.pack([parameters.prices(each) for each in fresh])
            priced[:, self.held_places] = 0.0
            rows[moved] = priced.to(rows)
        return rows

    def _not_biases(self) -> Tensor:
        """0 for entries of biases, 1 for all others."""
        ones = {
            name: np.full(shape, self.layout.tensors[name].role != "bias", np.float32)
            for name, shape in self.shapes.items()
        }
        return self.stack.pack([self.stack.parameters.prices(ones)]).to(self.x)

    def charges(self, placements: Sequence[Placement], phase: Phase) -> Flat:
        """Lambda times the price of every entry of every seed.

        Parameters
        ----------
        placements : sequence of Placement
            Where the neurons sit, one placement a row.
        phase : Phase
            Gives lambda, and whether biases pay.

        Returns
        -------
        tensor, [rows, entries]
            Charges a unit of magnitude.
        """
        return self.prices(placements, biases=phase.biases) * phase.strength

    def some(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """All rows, or so many of them, evenly spaced, that a measurement stays cheap.

        Parameters
        ----------
        x : tensor, [seeds, rows, inputs]
            Inputs; they may be padded beyond the rows of y.
        y : tensor, [seeds, rows, outputs]
            Targets.

        Returns
        -------
        tensor, tensor
            Inputs and targets of the chosen rows.
        """
        spec, rows = self.task.spec, y.shape[1]
        every = max(-(-rows // MEASURED_ROWS), -(-rows * spec.predictions * len(spec.outputs) // MEASURED_OUTPUTS))
        return (x, y) if every == 1 else (x[:, :rows:every], y[:, ::every])

    def stride(self) -> int:
        """Steps between two measurements: a hundred a run, or so many fewer that they take no longer than the steps.

        A step passes its batch through the network once, and back at twice the cost.
        """
        measured = sum(self.some(x, y)[1].shape[1] for x, y in ((self.x, self.y), (self.x_test, self.y_test)))
        batch = min(self.recipe.batch or self.y.shape[1], self.y.shape[1])
        return max(1, self.recipe.steps // RECORDS, -(-measured // (3 * batch)))


def prepare(
    task: Task,
    replicas: tuple[Replica, ...],
    recipe: Recipe,
    kind: TrainingType,
    device: str,
    *,
    given: Checkpoint | Sequence[StoredModule] = (),
    keep: bool = True,
) -> Setting:
    """Draw the data, and find out how the networks of this task are stacked.

    Parameters
    ----------
    task : Task
        What is trained.
    replicas : tuple of (int, int)
        The rows of the stack, as (seed, replica).
    recipe : Recipe
        How it is trained.
    kind : TrainingType
        Which of the paper's five types of training.
    device : str
        Where to compute, as torch names it.
    given : Checkpoint or sequence of StoredModule
        What the networks begin with, beside what is drawn.
    keep : bool
        Whether that stays as it is.

    Returns
    -------
    Setting
        Data and stack, on the device.
    """
    _check_device(device)
    module: Any = build_model(task.model, generator=torch.Generator().manual_seed(0))
    layout = module.layout(input_labels=task.spec.inputs, output_labels=task.spec.outputs)
    drawn = {seed: task.data(seed) for seed in seeds_of(replicas)}
    data = tuple(drawn[seed] for seed, _ in replicas)
    spec, shapes = task.spec, shapes_of(module)
    parameters = _parameters(recipe, layout, shapes)
    beginning = None
    if isinstance(given, Checkpoint) or given:
        if not parameters.direct:
            hint = "leave one of them out"
            raise InputError("rules begin with nothing that is given", got="given networks and rules", hint=hint)
        beginning = begin(given, spec, task.model, layout, shapes, keep=keep)

    def stacked(arrays: Sequence[np.ndarray]) -> Tensor:
        return torch.tensor(np.stack(arrays), dtype=torch.float32, device=device)

    x = stacked([_padded(spec.to_network_inputs(d.x_train), task.widths) for d in data])
    _check_declared(task.model, layout, module)
    if not hasattr(module, "stacked_forward"):
        check_trainable(module.to(x.dtype), x[0, :2].cpu())
    return Setting(
        task, replicas, recipe, kind, task.model, layout, shapes, Stack.of(module.to(device), x[0], parameters), data,
        x=x,
        y=stacked([spec.to_network_targets(d.y_train) for d in data]),
        x_test=stacked([spec.to_network_inputs(d.x_test) for d in data]),
        y_test=stacked([spec.to_network_targets(d.y_test) for d in data]),
        beginning=beginning,
    )  # fmt: skip


def _parameters(recipe: Recipe, layout: Layout, shapes: Mapping[str, tuple[int, ...]]) -> Parameters:
    """What is trained."""
    if recipe.reuse is None:
        return Direct(shapes)
    return reused(layout, shapes, blocks=recipe.reuse.blocks, rules=recipe.reuse.rules)


def _check_declared(model: ModelSpec, layout: Layout, module: torch.nn.Module) -> None:
    """A kind of model that does not declare its tensors would be trained, and its files refused."""
    try:
        check_options(model, layout.steps, {name: tuple(t.shape) for name, t in module.state_dict().items()})
    except CheckpointError as error:
        raise InputError(
            f"options that do not tell what the model '{model.kind}' is made of", where=error.where,
            expected=error.expected, got=error.got, hint="let shapes() of its options name every parameter and buffer",
        ) from None  # fmt: skip


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
