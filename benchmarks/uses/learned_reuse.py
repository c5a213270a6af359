"""Learned reuse beside vanilla, L1 and BIMT: parameters at equal loss, and examples until a loss, over eight seeds."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from scipy.stats import wilcoxon

from benchmarks.common._measure import table, write_section
from benchmarks.training.tasks import DIGITS
from benchmarks.uses._fewest import Cut, cuts, fewest
from bimt_train import Recipe, TrainingType, default_recipe, train
from bimt_train.tasks import Dataset, Task, pipeline, two_digits
from bimt_train.training import Run
from bimt_train.training.recipes._recipe_fields import with_value

SEEDS = 8
REUSE: TrainingType = "bimt+reuse"
OTHERS: tuple[TrainingType, ...] = ("vanilla", "l1", "bimt")
TOLERANCE = 0.05  # by how much the loss may exceed that of the same seed's BIMT network
Losses = Mapping[int, Sequence[float]]
"""Examples -> the test loss of each seed."""


@dataclass(frozen=True)
class Case:
    """A task of any number of examples, and how it is trained.

    The first lambda is that of the recipe.
    """

    make: Callable[[int], Task]
    lambdas: tuple[float, ...]
    examples: tuple[int, ...]
    steps: int
    about: str
    known: dict[tuple[str, int, float], list[float]] = field(default_factory=dict)

    def runs(self, kind: TrainingType, examples: int, strength: float) -> tuple[Run, ...]:
        """The runs of all seeds; their losses are remembered."""
        task = self.make(examples)
        recipe: Recipe = with_value(replace(default_recipe(task), steps=self.steps), "lambda", strength)
        runs = train(task, seeds=SEEDS, recipe=recipe, kind=kind).runs
        self.known[kind, examples, strength] = [last(run) for run in runs]
        return runs

    def losses(self, kind: TrainingType, examples: int, strength: float) -> list[float]:
        """The test loss of each seed."""
        if (kind, examples, strength) not in self.known:
            self.runs(kind, examples, strength)
        return self.known[kind, examples, strength]

    def strengths(self, kind: TrainingType, most: int) -> tuple[float, ...]:
        """The first so many lambdas, as far as they matter."""
        return self.lambdas[: 1 if kind == "vanilla" else most]


@dataclass(frozen=True)
class Shuffled:
    """Rows whose inputs stand in another order, in which no block holds what belongs together."""

    task: Task

    def __call__(self, seed: int) -> Dataset:
        """The data of one seed."""
        data = self.task.data(seed)
        order = np.random.default_rng(0).permutation(data.x_train.shape[1])
        return Dataset(data.x_train[:, order], data.y_train, data.x_test[:, order], data.y_test)


def shuffled(rows: int) -> Task:
    """The pipeline, its inputs in a random order."""
    task = pipeline(rows=(rows, 1000))
    return replace(task, spec=replace(task.spec, decomposition=None), sampler=Shuffled(task))


CASES = {
    "pipeline": Case(
        lambda rows: pipeline(rows=(rows, 1000)),
        (1e-3, 3e-4, 3e-3),
        (300, 60, 100, 150, 200),
        3000,
        "10-25-25-5 neurons, blocks of 5",
    ),
    "two-digits": Case(
        lambda pairs: two_digits(DIGITS, hidden=(40, 40), pairs=pairs),
        (0.8, 2.4),
        (4000, 1000, 2000),
        600,
        "1568-40-40-20 neurons, blocks of 2, the 10,000 images of the test file of MNIST alone",
    ),
}


def last(run: Run) -> float:
    """The test loss of a run, infinite where it diverged."""
    return run.history[-1]["test_loss"] if run.diverged_at is None else np.inf


def compared(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """Wilcoxon's signed-rank test on the logarithms, one-sided: ours are less."""
    ratios = np.log(np.minimum(ours, 1e12)) - np.log(np.minimum(theirs, 1e12))
    return f"{wilcoxon(ratios, alternative='less').pvalue:.3f}" if np.any(ratios) else "-"


def spread(values: Sequence[float]) -> str:
    """Median, least and greatest; infinite where a seed never got there."""
    said = ["never" if not np.isfinite(v) else f"{v:,.4g}" for v in (np.median(values), min(values), max(values))]
    return f"{said[0]} ({said[1]} to {said[2]})"


def ratio_row(arm: str, found: Sequence[float], ours: Sequence[float]) -> list[object]:
    """A line of a table: an arm, and ours over it, seed by seed. A seed that never got there counts as infinite."""
    missing = sum(not np.isfinite(v) for v in found)
    if arm == REUSE:
        return [arm, spread(found), missing, "", "", ""]
    ratios = [a / b if np.isfinite(a) else np.inf for a, b in zip(ours, found, strict=True)]  # x / inf is 0
    held = f"{sum(r <= 0.6 for r in ratios)} of {len(ratios)}"
    ratio = f"{np.median(ratios):.2f}" if missing < len(found) else "-"
    return [arm, spread(found), missing, ratio, held, compared(ours, found)]


HEAD = ("arm", "median (least to greatest)", "seeds without", "ours over theirs", "at most 0.6", "p")


def parameters(case: Case, say: Callable[[str], None]) -> tuple[list[str], dict[TrainingType, list[float]]]:
    """Fewest parameters with the loss of the same seed's BIMT network, over thresholds and lambdas."""
    found: dict[TrainingType, list[list[tuple[Cut, ...]]]] = {}
    losses: dict[TrainingType, list[float]] = {}
    for kind in (*OTHERS, REUSE):
        found[kind] = []
        for strength in case.strengths(kind, len(case.lambdas)):
            runs = case.runs(kind, case.examples[0], strength)
            found[kind].append([cuts(run.checkpoint) for run in runs])
            losses.setdefault(kind, [last(run) for run in runs])
            say(f"{kind} {strength}: {spread([last(run) for run in runs])}")
            del runs  # probes of images are large
    limits = [(1 + TOLERANCE) * loss for loss in losses["bimt"]]
    counts = {}
    for kind, by_strength in found.items():
        best = [[fewest(seeds[seed], limits[seed]) for seeds in by_strength] for seed in range(SEEDS)]
        counts[kind] = [float(min((n for n in seed if n is not None), default=np.inf)) for seed in best]
    rows = [ratio_row(kind, counts[kind], counts[REUSE]) for kind in found]
    rows = [[*row, spread(losses[kind])] for kind, row in zip(found, rows, strict=True)]
    return table((*HEAD, "test loss by the recipe's lambda, uncut"), rows), losses


def examples(case: Case, limit: float, say: Callable[[str], None]) -> list[str]:
    """Fewest examples from which on the test loss is within the limit."""
    needed: dict[TrainingType, list[float]] = {}
    for kind in (*OTHERS, REUSE):
        best: dict[int, list[float]] = {}
        for number in sorted(case.examples):
            best[number] = case.losses(kind, number, case.lambdas[0])
            say(f"{kind} {number}: {spread(best[number])}")
        needed[kind] = [_from_on(best, seed, limit) for seed in range(SEEDS)]
    return table(HEAD, [ratio_row(kind, needed[kind], needed[REUSE]) for kind in needed])


def _from_on(best: Losses, seed: int, limit: float) -> float:
    """The least number of examples that is enough, and more are enough too."""
    enough = np.inf
    for number in sorted(best, reverse=True):
        if best[number][seed] > limit:
            break
        enough = float(number)
    return enough


def control(case: Case, say: Callable[[str], None]) -> str:
    """The pipeline whose inputs are in a random order."""
    mixed, said = replace(case, make=shuffled, known={}), []
    for kind in ("bimt", REUSE):
        runs = mixed.runs(kind, case.examples[0], case.lambdas[0])
        living = [run.checkpoint.network.parameters for run in runs]
        said.append(f"{kind} {spread([last(run) for run in runs])} with {spread(living)} parameters above 0.01")
        say(said[-1])
    return f"Inputs in a random order, so that no block holds the inputs of a stage; test losses: {'; '.join(said)}."


def measure(name: str) -> list[str]:
    """Both tables of a task."""
    case, say = CASES[name], partial(print, name, flush=True)
    sizes, losses = parameters(case, say)
    limit = float(np.median(losses["bimt"]))
    lambdas = ", ".join(f"{strength:g}" for strength in case.lambdas)
    lines = [
        f"{case.about}; {case.steps} steps, {SEEDS} seeds, greatest lambda {lambdas}. p: Wilcoxon's signed-rank test "
        f"on the logarithms of {SEEDS} pairs, one-sided; 0.004 is the least that {SEEDS} pairs can give.",
        "",
        f"Parameters at equal loss, {case.examples[0]} examples: the fewest above a threshold, over all thresholds and "
        f"lambdas, with a test loss of at most {1 + TOLERANCE:g} times that of the same seed's BIMT network, nothing "
        "refitted. Counted are rules, coefficients and own weights, or weights, and biases, as far as they move an "
        "output.",
        "",
        *sizes,
        "",
        f"Examples until a test loss of {limit:.4g}, the median of BIMT with {case.examples[0]}: the fewest of "
        f"{', '.join(map(str, sorted(case.examples)))} from which on it is reached, by the first lambda.",
        "",
        *examples(case, limit, say),
    ]
    return [*lines, "", control(case, say)] if name == "pipeline" else lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", choices=tuple(CASES), help="this task alone")
    chosen = parser.parse_args().task
    for name in CASES if chosen is None else (chosen,):
        if name != "two-digits" or DIGITS.exists():
            write_section(f"Learned reuse: {name}", measure(name))
