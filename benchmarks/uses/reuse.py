"""What is saved by using a module many times: tied circuits, and modules of one task given to the next."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy
import torch

from benchmarks.common._measure import table, write_section
from bimt_analyze.reuse import SharedNetwork, module_files, share
from bimt_train import train
from bimt_train.tasks import Task, feature_sharing, formula_task, independence, pipeline
from bimt_train.training import Run

FRESH = 1000  # points on which losses are measured, that no network has seen
GOOD = 7.4e-3  # test loss of the published independence networks


@dataclass(frozen=True)
class Case:
    """A task whose circuits are tied, and the test of a name for what they share."""

    name: str
    task: Task
    truth: str


def cases() -> tuple[Case, ...]:
    """Three squares, four sums of squares, five stages of a pipeline."""
    pairs = [f"y{k} = x{2 * k - 1}**2 + x{2 * k}**2" for k in range(1, 5)]
    return (
        Case("three squares (feature sharing)", feature_sharing(), "square"),
        Case("four sums of squares", formula_task(pairs, name="four sums"), "square"),
        Case("pipeline of five stages", pipeline(), "wave"),
    )


def fresh_losses(found: SharedNetwork, before: Run, task: Task) -> tuple[float, float]:
    """Losses of the trained network and of the tied one on fresh points."""
    x, y = replace(task.sampler, rows=(FRESH, 1)).draw(np.random.default_rng(10**6), FRESH)
    errors = (float(((one.predict(x) - y) ** 2).mean()) for one in (before.checkpoint, found.checkpoint))
    return next(errors), next(errors)


def named(found: SharedNetwork, truth: str) -> bool:
    """Whether the module that is used most is called what it is, up to affine changes."""
    most = max(found.modules, key=lambda one: len(one.uses))
    expression = most.expression
    if truth == "square":
        plain = expression.is_polynomial() and sympy.Poly(expression).total_degree() == 2
        return bool(plain and all(sympy.diff(expression, a, b) == 0 for a in expression.free_symbols
                                  for b in expression.free_symbols if a != b))  # fmt: skip
    return bool(expression.has(sympy.sin, sympy.cos)) and len(expression.free_symbols) == 2


def tied(case: Case, seeds: int) -> tuple[list[object], list[str]]:
    """A row of the table, and what was found seed by seed."""
    runs = train(case.task, seeds=seeds)
    ratios, wired, losses, after, spent, lines = [], [], [], [], [], []
    good = right = 0
    for run in runs.runs:
        began = time.process_time()
        found = share(run.checkpoint)
        spent.append(time.process_time() - began)
        if found.reason:
            lines.append(f"- {case.name}, seed {run.seed}: {found.reason}.")
            ratios.append(1.0)
            continue
        own, new = fresh_losses(found, run, case.task)
        ratios.append(found.numbers / found.numbers_before)
        wired.append(found.numbers_wired / found.numbers_before)
        losses.append(own)
        after.append(new)
        held = ratios[-1] <= 0.5 and new <= own
        good, right = good + held, right + named(found, case.truth)
        if not held or not named(found, case.truth):
            lines.append(
                f"- {case.name}, seed {run.seed}: {ratios[-1]:.2f}, {own:.1e} -> {new:.1e}, {found.modules[0]}"
            )
        print(
            case.name,
            run.seed,
            *found.summary(),
            f"{own:.1e} -> {new:.1e}",
            f"{spent[-1]:.1f} s",
            sep=" | ",
            flush=True,
        )
    row = [
        case.name, f"{good} of {seeds} (14 of 16)", _spread(ratios, ".2f"), _spread(wired, ".2f"),
        _spread(losses, ".1e"), _spread(after, ".1e"), f"{right} of {seeds}", f"{np.median(spent):.0f} s",
    ]  # fmt: skip
    return row, lines


def steps_to(run: Run, level: float) -> float:
    """The first measured step at which the test loss is at most this; infinity where none is."""
    return next((one["step"] for one in run.history if one["test_loss"] <= level), np.inf)


def given(seeds: int, rows: tuple[int, int]) -> list[list[object]]:
    """Steps to published quality with modules of independence and without."""
    best = train(independence(rows=rows), seeds=4).best.checkpoint
    modules = module_files(best)
    for one in modules:
        print(one, flush=True)
    sums = formula_task("z = (x1 + x3)**3 + x2**2 + sin(pi*x4)", widths=(4, 20, 20, 1), rows=rows, name="their sum")
    mixed = formula_task(
        ["z1 = (x1 + x3)**3 + x5/2", "z2 = x2**2 + sin(pi*x4) - x5**2"], widths=(5, 30, 30, 2), rows=rows,
        name="each with a fifth input",
    )  # fmt: skip
    found = []
    for task in (sums, mixed):
        steps = {}
        for how, options in (
            ("without", {}),
            ("frozen", {"given": modules}),
            ("soft", {"given": modules, "keep": False}),
        ):
            runs = train(task, seeds=seeds, **options)
            steps[how] = [steps_to(run, GOOD) for run in runs.runs]
            print(task.spec.name, how, steps[how], flush=True)
        middle = {how: float(np.median(some)) for how, some in steps.items()}
        fast = sum(a <= b / 3 for a, b in zip(steps["frozen"], steps["without"], strict=True))
        found.append(
            [
                task.spec.name, *(_spread(steps[how], ".0f") for how in steps),
                f"{middle['frozen'] / middle['without']:.2f} (0.33)", f"{fast} of {seeds}",
            ]
        )  # fmt: skip
    return found


def _spread(values: Sequence[float], form: str) -> str:
    some = np.array(values or [np.nan])
    return f"{np.median(some):{form}} ({some.min():{form}} to {some.max():{form}})"


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=16)
    parser.add_argument("--quick", action="store_true", help="four seeds, to see that it runs; writes nothing")
    parser.add_argument("--only", default="", help="a part of the names of the tasks whose circuits are tied")
    parser.add_argument("--part", choices=("tied", "library"), help="one of the two sections alone")
    chosen = parser.parse_args()
    seeds = 4 if chosen.quick else chosen.seeds
    if chosen.part != "library":
        rows, lines = zip(*(tied(case, seeds) for case in cases() if chosen.only in case.name), strict=True)
        head = [
            "task", "at most 0.5 of the numbers at no greater loss (target)", "numbers, share of the circuit's",
            "all adapters counted", "loss before", "loss after", "shared function named", "time, median",
        ]  # fmt: skip
        text = [
            "Numbers are weights and biases that are not 0, of the pruned circuit and of the tied network; an adapter",
            f"of 0 or 1 takes none. Losses are on {FRESH:,} fresh points, before by the trained network. Median (least",
            "to greatest).", "", *table(head, list(rows)), "", *(line for some in lines for line in some),
        ]  # fmt: skip
        print(*text, sep="\n")
        if not chosen.quick:
            write_section("Shared modules", text)
    if chosen.part != "tied":
        head = [
            "task", "steps without", "steps, modules frozen", "steps, modules soft", "frozen to without (target)",
            "seeds at most a third",
        ]  # fmt: skip
        text = [
            f"Steps until the test loss is at most {GOOD:g}, the published quality of independence; measured every 60",
            "steps. The modules are those of one network of independence. Median (least to greatest).", "",
            *table(head, given(seeds, (1000, 1000))),
        ]  # fmt: skip
        print(*text, sep="\n")
        if not chosen.quick:
            write_section("Library of modules", text)


if __name__ == "__main__":
    main()
