"""Two tasks one after the other: how much of the first is forgotten, and what it helps with the second; eight seeds.

The outputs of the two tasks differ. After the second, the first is measured by the output layer that it had.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import wilcoxon

from benchmarks.common._measure import no_options, table, write_section
from benchmarks.training.tasks import DIGITS
from bimt_train import Recipe, TrainingType, default_recipe, train
from bimt_train.checkpoints import Checkpoint, TaskSpec
from bimt_train.tasks import Dataset, Task, formula_task, mnist
from bimt_train.training import Run
from bimt_train.training.recipes._recipe_fields import with_value

SEEDS = 8
ARMS: Mapping[str, tuple[TrainingType, bool]] = {
    "vanilla": ("vanilla", False),
    "l1": ("l1", False),
    "bimt": ("bimt", False),
    "vanilla, kept": ("vanilla", True),
    "l1, kept": ("l1", True),
    "bimt, kept": ("bimt", True),
}
OURS = "bimt, kept"
FIRST = ("a1 = sin(pi*x1)*x2", "a2 = (x3 - x4)**2")
SECOND = ("b1 = sin(pi*x1)*x2 + (x3 - x4)**2", "b2 = sin(pi*x1)*x2/2 + x3*x4")
MANY, FEW, TESTED = 3500, 200, 900  # images of the first task, of the second, and tested ones of either


@dataclass(frozen=True)
class Pair:
    """Two tasks for networks of one shape, and how both are trained."""

    first: Task
    second: Task
    recipe: Recipe
    about: str


@dataclass(frozen=True)
class SomeDigits:
    """So many images of some digits, numbered anew."""

    task: Task
    digits: tuple[int, ...]
    images: int

    def __call__(self, seed: int) -> Dataset:
        """The data of one seed."""
        data = self.task.data(seed)
        rows, rows_test = (np.isin(y.argmax(1), self.digits) for y in (data.y_train, data.y_test))
        chosen = list(self.digits)
        x, y = data.x_train[rows][: self.images], data.y_train[rows][: self.images][:, chosen]
        return Dataset(x, y, data.x_test[rows_test][:TESTED], data.y_test[rows_test][:TESTED][:, chosen])


def some_digits(digits: tuple[int, ...], images: int, width: int) -> Task:
    """MNIST with some digits alone."""
    task = mnist(DIGITS, hidden=(width, width))
    names = tuple(f"digit{digit}" for digit in digits)
    spec = TaskSpec(f"digits {digits[0]} to {digits[-1]}", task.spec.inputs, names, task.spec.ranges, classes=True)
    model = replace(task.model, options={**task.model.options, "widths": [784, width, width, len(digits)]})
    return Task(spec, model, SomeDigits(task, digits, images))


def pairs() -> Mapping[str, Callable[[], Pair]]:
    """What is measured."""

    def formulas() -> Pair:
        first, second = (
            formula_task(said, inputs=("x1", "x2", "x3", "x4"), rows=(rows, 1000), widths=(4, 40, 40, 2), name=name)
            for said, rows, name in ((FIRST, 300, "first"), (SECOND, 60, "second"))
        )
        recipe = with_value(replace(default_recipe(first), steps=2000), "lambda", 3e-3)
        return Pair(first, second, recipe, f"{'; '.join(FIRST)} from 300 rows, then {'; '.join(SECOND)} from 60")

    def digits() -> Pair:
        recipe = replace(default_recipe(mnist(DIGITS)), steps=600)
        about = f"MNIST: digits 0 to 4 from {MANY} images by 64 + 64 neurons, then 5 to 9 from {FEW} by 96 + 96"
        return Pair(some_digits((0, 1, 2, 3, 4), MANY, 64), some_digits((5, 6, 7, 8, 9), FEW, 96), recipe, about)

    return {"formulas": formulas} | ({"digits": digits} if DIGITS.exists() else {})


def first_again(first: Checkpoint, second: Checkpoint) -> float:
    """The test loss of the first task, by the hidden layers after the second and the output layer of the first.

    Both tasks have as many outputs; neurons that the first network did not have are not read.
    """
    layout, tensors = first.network.layout, dict(second.network.tensors)
    for name, tensor in first.network.tensors.items():
        if layout.tensors[name].plan.groups[0] == layout.outputs:
            wider = tensors[name].shape[-1] - tensor.shape[-1]
            tensors[name] = np.pad(tensor, [(0, 0)] * (tensor.ndim - 1) + [(0, wider)])
    return loss_of(first, second.network.with_tensors(tensors).predict(first_inputs(first)))


def loss_of(checkpoint: Checkpoint, outputs: np.ndarray) -> float:
    """The squared error in the network's own units."""
    return float(((outputs - checkpoint.task.to_network_targets(checkpoint.probe.y_test)) ** 2).mean())


def last(run: Run) -> float:
    """The test loss of a run."""
    return run.history[-1]["test_loss"]


@dataclass(frozen=True)
class Outcome:
    """One seed: test losses of the first task before and after, of the second alone and after the first."""

    before: float
    after: float
    alone: float
    helped: float
    kept: int
    parameters: int


def outcomes(pair: Pair, kind: TrainingType, keep: bool, alone: Sequence[Run], firsts: Sequence[Run]) -> list[Outcome]:
    """All seeds of one arm; the second task of a seed begins with the first task's network of that seed."""
    found = []
    for first, fresh in zip(firsts, alone, strict=True):
        options = {"recipe": pair.recipe, "kind": kind, "given": first.checkpoint, "keep": keep}
        run = train(pair.second, seeds=[first.seed], **options).runs[0]
        own = loss_of(first.checkpoint, first.checkpoint.network.predict(first_inputs(first.checkpoint)))
        again = first_again(first.checkpoint, run.checkpoint)
        (given,) = run.checkpoint.config["given"]
        kept = sum(map(len, given["neurons"].values())) if given["kept"] else 0
        found.append(Outcome(own, again, last(fresh), last(run), kept, run.checkpoint.network.parameters))
    return found


def first_inputs(checkpoint: Checkpoint) -> np.ndarray:
    """The test rows as the network sees them."""
    return checkpoint.task.to_network_inputs(checkpoint.probe.x_test)


def spread(values: Sequence[float]) -> str:
    """Median, least and greatest."""
    middle, least, greatest = (
        f"{v:.0f}" if v >= 100 else f"{v:.2g}" for v in (np.median(values), min(values), max(values))
    )
    return f"{middle} ({least} to {greatest})"


def measure(name: str, pair: Pair) -> list[str]:
    """A line for each arm."""
    found: dict[str, list[Outcome]] = {}
    trained: dict[str, tuple[Sequence[Run], Sequence[Run]]] = {}
    for arm, (kind, keep) in ARMS.items():
        if kind not in trained:
            both = (train(task, seeds=SEEDS, recipe=pair.recipe, kind=kind).runs for task in (pair.second, pair.first))
            alone, firsts = both
            trained[kind] = alone, firsts
        found[arm] = outcomes(pair, kind, keep, *trained[kind])
        print(
            name, arm, spread([one.after for one in found[arm]]), spread([one.helped for one in found[arm]]), flush=True
        )
    rows = []
    for arm, seeds in found.items():
        ratios = [one.helped / one.alone for one in seeds]
        others = [] if arm == OURS else [one.helped for one in seeds]
        p = [np.log(a.helped) - np.log(b) for a, b in zip(found[OURS], others, strict=False)]
        rows.append([
            arm, spread([one.before for one in seeds]), spread([one.after for one in seeds]),
            sum(one.after <= 1.01 * one.before for one in seeds), spread([one.alone for one in seeds]),
            spread([one.helped for one in seeds]), f"{np.median(ratios):.2f}",
            f"{wilcoxon(p, alternative='less').pvalue:.3f}" if p else "",
            spread([one.kept for one in seeds]), spread([one.parameters for one in seeds]),
        ])  # fmt: skip
    head = (
        "arm", "first task, before", "after the second", "seeds that forget nothing (1 %)", "second task alone",
        "after the first", "after over alone", "p: ours is less", "neurons kept", "parameters",
    )  # fmt: skip
    return [f"{name}: {pair.about}. {pair.recipe.steps} steps for each task.", "", *table(head, rows), ""]


if __name__ == "__main__":
    no_options(__doc__)
    lines = [
        f"Test losses, median (least to greatest) of {SEEDS} seeds. All arms but the kept ones go on training every "
        "weight of the first task's network; dead neurons are drawn anew in all of them. Kept: nothing that enters a "
        "living neuron of the first task changes. The first task's output layer is that of its own checkpoint. p: "
        "Wilcoxon's signed-rank test, one-sided, on the logarithms of the second task's loss, bimt kept against "
        "the arm.",
        "",
    ]
    for name, make in pairs().items():
        lines += measure(name, make())
    write_section("Continual use", lines)
