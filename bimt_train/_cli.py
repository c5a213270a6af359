"""bimt-train: train BIMT networks from the shell."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import click

from ._errors import InputError
from .shell import OK, UNMET, run
from .tasks import Task, formula_task, resolve_task
from .training._callbacks import ProgressBar
from .training._presets import PAPER_RECIPES, default_recipe
from .training._recipe import Race, Recipe, TrainingType
from .training._runs import RUNS_FILE, Runs
from .training._train import train
from .training._train_distributed import train_shares

HELP = """Train sparse, locally arranged networks: many seeds at once, each connection charged for its length.

TASK is one of

\b
  independence | feature-sharing | composition     the paper's formula tasks
  "y1 = (x1+x3)**3" "y2 = x2**2 + sin(pi*x4)"      one or more formulas of your own
  data.csv --target y1 y2                          a table: .csv, .tsv, .parquet, .npz or .npy
  language --data text.txt                         the next character of a text

It writes one checkpoint a seed and runs.json into the output folder, and prints a table, best seed first. Results
differ from seed to seed, so train several and look at the spread.

\b
Examples:
  bimt-train independence
  bimt-train "y = exp(-x1**2)*cos(x2)" --range -2 2 --seeds 8 --steps 4000
  bimt-train measurements.csv --target lift drag --out runs/wing
  bimt-train measurements.csv --target lift drag --out runs/wing --resume     go on after Ctrl-C
  bimt-train independence --seeds 64 --dask tcp://scheduler:8786              on a cluster

\b
Then:
  bimt-analyze runs/independence --html report.html
"""


@dataclass(frozen=True)
class _Options:
    """The command line, as click read it; the help texts say what each word means."""

    task: tuple[str, ...]
    target: tuple[str, ...]
    data: Path | None
    bounds: tuple[float, float] | None
    rows: int | None
    hidden: tuple[int, ...]
    seeds: int
    steps: int | None
    lr: float | None
    starts: int | None
    kind: TrainingType
    paper: bool
    out: Path | None
    resume: bool
    device: str
    dask: str | None
    quiet: bool


@click.command("bimt-train", help=HELP, context_settings={"show_default": True, "max_content_width": 120})
@click.argument("task", nargs=-1, required=True)
@click.option("--target", multiple=True, metavar="NAME...", help="Columns of the table to predict.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder of mnist, text of language; else below data/.")
@click.option(
    "--range", "bounds", type=float, nargs=2, help="Where the inputs of formulas are drawn; -1 1 if left out."
)
@click.option(
    "--rows", type=click.IntRange(10), help="Training rows of formulas, as many for testing; 100 if left out."
)
@click.option("--hidden", metavar="N...", multiple=True, type=click.IntRange(1), help="Neurons of each hidden layer.")
@click.option("--seeds", default=16, type=click.IntRange(1), help="How many seeds to train: 0, 1, 2, ...")
@click.option("--steps", type=click.IntRange(1), help="Steps of the optimiser; the task's own if left out.")
@click.option("--lr", type=float, help="Learning rate; the task's own if left out.")
@click.option(
    "--starts",
    type=click.IntRange(1),
    help="First weights that each seed tries for a fifth of the steps; that of the least training loss goes on. The "
    "task's own number if left out.",
)
@click.option("--type", "kind", default="bimt", type=click.Choice(get_args(TrainingType)), help="The paper's five.")
@click.option("--paper", is_flag=True, help="The paper's recipe: its steps, greedy swaps, constant learning rate.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for the results; runs/TASK if left out.")
@click.option("--resume", is_flag=True, help="Go on with the unfinished run in the output folder.")
@click.option("--device", default="cpu", help="Where to compute, as torch names it.")
@click.option("--dask", metavar="URL", help="Train on the workers of this Dask scheduler, four seeds a share.")
@click.option("--quiet", is_flag=True, help="No progress bar.")
def command(**given: Any) -> int:
    """See `HELP`, which click shows instead."""
    options = _Options(**given)
    task = _task(options)
    out = options.out or Path("runs") / task.card.name
    recipe = _recipe(task, options)
    about: Any = {"seeds": options.seeds, "recipe": recipe, "kind": options.kind, "out": out}
    about |= {"resume": options.resume, "device": options.device}
    if options.dask:
        runs = train_shares(task, dask=options.dask, **about)
    else:
        runs = train(task, callbacks=() if options.quiet else (ProgressBar(),), **about)
    click.echo(table(runs))
    click.echo(f"{len(runs.runs)} checkpoints and {RUNS_FILE} in {out}; next: bimt-analyze {out} --html report.html")
    if runs.interrupted:
        click.echo("interrupted before the last step; the same command with --resume goes on", err=True)
    return UNMET if all(run.diverged_at is not None for run in runs.runs) else OK


def _task(options: _Options) -> Task:
    """The task that the words name, with the drawing and the width that the options ask for."""
    task = resolve_task(options.task, target=options.target or None, data=options.data)
    if options.bounds or options.rows:
        if task.card.name != "formula":
            raise InputError("--range and --rows are for formulas", got=" ".join(options.task), mend="leave them out")
        low, high = options.bounds or (-1.0, 1.0)
        task = formula_task(options.task, ranges=(low, high), rows=(options.rows or 100,) * 2)
    if options.hidden:
        task = task.with_hidden(options.hidden)
    return task


def _recipe(task: Task, options: _Options) -> Recipe:
    """The task's recipe, with what the options change."""
    if options.paper and task.card.name not in PAPER_RECIPES:
        raise InputError(
            "the paper has no recipe", expected=", ".join(PAPER_RECIPES), got=task.card.name, mend="leave --paper out"
        )
    recipe = PAPER_RECIPES[task.card.name] if options.paper else default_recipe(task)
    race = recipe.race
    if options.starts is not None:
        race = None if options.starts == 1 else replace(race or Race(), starts=options.starts)
    return replace(recipe, steps=options.steps or recipe.steps, lr=options.lr or recipe.lr, race=race)


def table(runs: Runs) -> str:
    """The runs as lines of text, best seed first."""
    lines = [f"{'seed':>4}  {'train loss':>10}  {'test loss':>10}  {'cost':>8}  {'edges':>5}"]
    for record in runs.to_json()["records"]:
        numbers = (record["train_loss"], record["test_loss"], record["cost"])
        said = [
            f"{'-' if n is None else format(n, spec):>{w}}"
            for n, spec, w in zip(numbers, ("10.2e", "10.2e", "8.2f"), (10, 10, 8), strict=True)
        ]
        fate = "" if record["diverged_at"] is None else f"  diverged before step {record['diverged_at']}"
        lines.append("  ".join([f"{record['seed']:>4}", *said, f"{record['edges']:>5}"]) + fate)
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """The entry point; see ``bimt-train --help``."""
    return run(command, words, several=("--target", "--hidden"))


if __name__ == "__main__":
    sys.exit(main())
