"""bimt-train: train BIMT networks from the shell."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from ._errors import InputError
from .command._asked_training import Asked, asked_given, asked_recipe, asked_sweep, asked_task
from .command._help import help_text
from .command._next_step import CONFIG_FILE, after_sweep, after_training
from .connection_cost._cost_terms import COST_TERMS
from .models import MODELS
from .shell.completion import completion_options
from .shell.config_file import config_option, config_text
from .shell.list_names import list_names_option
from .shell.options import OTHER, Choice, Command, completions, in_group
from .shell.run_command import OK, UNMET, run
from .shell.shown_logs import shown_logs
from .signals import INTERRUPTED
from .tasks import TASKS
from .tasks._task_table import task_table
from .tasks.tables.table_flags import TABLE_SEVERAL, table_flags
from .training._callbacks import Callback, ProgressBar
from .training._runs import RUNS_FILE, Run
from .training._text_tables import runs_table, sweep_table
from .training.engines._engine_choice import EngineChoice
from .training.recipes._recipe import Recipe, TrainingType
from .training.state._run_folder import STATE_FILE
from .training.trackers._log_to import LogTo
from .training.trackers._tracker import TRACKERS
from .whole_files import write_whole

if TYPE_CHECKING:  # brings torch
    pass

SEVERAL = ("--target", *TABLE_SEVERAL, "--hidden")
HOW = ("resume", "quiet", "dry-run")  # options that say how to go about a run, and not what is run


class _HowToGoOn(Callback):
    """Says how an interrupted run goes on."""

    def on_interrupt(self, step: int) -> None:
        """Print a line.

        Parameters
        ----------
        step : int
            Steps done and kept.
        """
        click.echo(f"interrupted after step {step}; the same command with --resume goes on", err=True)


class _KeepsOptions(Callback):
    """Writes the options into the folder of the run as it begins, so that it can be repeated however it ends."""

    def __init__(self, folder: Path, text: str) -> None:
        self._folder, self._text = folder, text

    def on_start(self, recipe: Recipe, seeds: Sequence[int], step: int) -> None:
        """Write the file.

        Parameters
        ----------
        recipe : Recipe
            Not used.
        seeds : sequence of int
            Not used.
        step : int
            Not used.
        """
        self.write()

    def write(self) -> None:
        """Write the file."""
        write_whole(self._folder / CONFIG_FILE, self._text)


class _Command(Command):
    """A command whose help names the tasks that there are, installed ones among them."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help with the names of the registry.

        Parameters
        ----------
        ctx : click.Context
            The call whose help is shown.
        formatter : click.HelpFormatter
            Takes the text.
        """
        self.help = help_text()
        super().format_help_text(ctx, formatter)


def _list_tasks(context: click.Context, option: click.Parameter, wanted: bool) -> None:
    """Print the table of tasks, and end."""
    if wanted:
        click.echo(task_table())
        context.exit()


_WIDE = {"show_default": True, "max_content_width": 120}
_data, _table, _network, _recipe_option = map(in_group, ("Task", "Table", "Network", "Training"))
_motion = in_group("Trajectories")
_machine, _files, _other = in_group("Machine"), in_group("Files"), in_group(OTHER)


@click.command("bimt-train", cls=_Command, help="Train networks.", context_settings=_WIDE)
@click.argument("task", nargs=-1, required=True, shell_complete=lambda ctx, param, word: completions(TASKS, word))
@_data("--data", type=click.Path(path_type=Path), help="Folder of mnist, text of language; else below data/.")
@_data("--range", "bounds", type=float, nargs=2, help="Where the inputs of formulas are drawn; -1 1 if left out.")
@_data("--rows", type=click.IntRange(10), help="Training rows of formulas, as many for testing; 100 if left out.")
@_table("--target", multiple=True, metavar="NAME...", help="Columns of the table to predict.")
@table_flags
@_motion("--time", metavar="COLUMN", help="TASK is a table of trajectories; this is its column of times.")
@_motion("--trajectory", metavar="COLUMN", help="Its column that says to which trajectory a row belongs.")
@_motion(
    "--second-order", metavar="POSITION:SPEED,...",
    help="x:v says that the column v is the derivative of x, which is then not learned.",
)  # fmt: skip
@_network("--hidden", metavar="N...", multiple=True, type=click.IntRange(1), help="Neurons of each hidden layer.")
@_network(
    "--model", names=MODELS, metavar="KIND",
    help="The kind of model: NAMES, or file.py:NAME. The task's own if left out.",
)  # fmt: skip
@_network(
    "--model-option", multiple=True, metavar="KEY=VALUE",
    help="An option of that model, hidden=20 or hidden=[20,20] for each kind. Can be given several times.",
)  # fmt: skip
@_recipe_option("--seeds", default=16, type=click.IntRange(1), help="How many seeds to train: 0, 1, 2, ...")
@_recipe_option("--steps", type=click.IntRange(1), help="Steps of the optimiser; the task's own if left out.")
@_recipe_option("--lr", type=float, help="Learning rate; the task's own if left out.")
@_recipe_option(
    "--replicas", type=click.IntRange(1),
    help="First weights that each seed tries for a fifth of the steps; that of the least training loss goes on. The "
    "task's own number if left out.",
)  # fmt: skip
@_recipe_option(
    "--cost-term", names=COST_TERMS, multiple=True, metavar="NAME=COEFFICIENT",
    help="What a weight pays: NAMES, or file.py:NAME for a term of your own. Can be given several times.",
)  # fmt: skip
@_recipe_option(
    "--type", "kind", default="bimt", type=Choice(get_args(TrainingType)),
    help="The paper's five, and bimt+reuse, in which a few rules generate the weights.",
)  # fmt: skip
@_recipe_option(
    "--with", "given", multiple=True, metavar="WHAT",
    help="Begin with a trained network, a checkpoint or the best of a folder of runs; or with a module that was saved "
    "to a file, at inputs of its names, or of others: FILE:NAME=INPUT,... It stays as it is, and forgets nothing. "
    "Modules can be given several times.",
)  # fmt: skip
@_recipe_option("--soft", is_flag=True, help="What --with gives is trained too.")
@_recipe_option(
    "--blocks", type=click.IntRange(2), metavar="N",
    help="Blocks of neurons that bimt+reuse parts each layer into, each made by the same rules; the task's own if left "
    "out.",
)  # fmt: skip
@_recipe_option("--paper", is_flag=True, help="The paper's recipe: its steps, greedy swaps, constant learning rate.")
@_recipe_option(
    "--sweep", multiple=True, metavar="FIELD=VALUE,...",
    help="Train the seeds under each of these values, and under every combination where given several times: "
    "lambda=1e-3,1e-2 or lr, steps, cost.l0, relocation.every and the like. Writes a table, sweep.json.",
)  # fmt: skip
@_files("--out", type=click.Path(path_type=Path), help="Folder for the results; runs/TASK if left out.")
@_files(
    "--film", is_flag=True,
    help="Keep every seed's network at each measurement, beside its checkpoint; bimt-analyze --film shows them.",
)  # fmt: skip
@_files(
    "--log-to", names=TRACKERS, multiple=True, metavar="NAME",
    help="Write the runs for an experiment tracker too, below the output folder: NAMES, or file.py:NAME.",
)  # fmt: skip
@_files("--resume", is_flag=True, help="Go on with the unfinished run in the output folder; begin where there is none.")
@config_option("Files")
@_files("--dry-run", is_flag=True, help="Say what would be read, trained and written, and do nothing.")
@_machine("--device", default="cpu", help="Where to compute, as torch names it.")
@_machine(
    "--engine", default="auto", type=Choice(get_args(EngineChoice)),
    help="What computes the steps: compiled code serves MLPs on the CPU, several times faster, and torch all else.",
)  # fmt: skip
@_machine("--dask", metavar="URL", help="Train on the workers of this Dask scheduler, four seeds a share.")
@_other("--quiet", is_flag=True, help="Tell neither how far it is nor what to do next.")
@_other(
    "--list-tasks", is_flag=True, is_eager=True, expose_value=False, callback=_list_tasks,
    help="Print a table of the tasks that have a name, and end.",
)  # fmt: skip
@list_names_option({"--model": MODELS, "--cost-term": COST_TERMS, "--log-to": TRACKERS})
@completion_options
@click.version_option(package_name="bimt")
def command(**given: Any) -> int:
    """Train the networks that the words and options ask for."""
    from .training._snapshots import Snapshots
    from .training._sweep import SWEEP_FILE, sweep  # brings torch
    from .training._train import train
    from .training._train_distributed import train_distributed

    options = Asked(**given)
    with shown_logs(progress=not options.quiet, times=False):
        task = asked_task(options)
    out = options.out or Path("runs") / task.spec.name
    recipe, over = asked_recipe(task, options), asked_sweep(options.sweep)
    about: Any = {"seeds": options.seeds, "recipe": recipe, "kind": options.kind, "out": out}
    about |= {"resume": options.resume, "device": options.device, "engine": options.engine}
    beginning: Any = {"given": asked_given(options), "keep": not options.soft}
    if options.dry_run:
        from .command._dry_run import Planned, dry_run

        click.echo(dry_run(Planned(task, **about, dask=options.dask, over=over, film=options.film, **beginning)))
        return OK
    if options.dask and (options.log_to or options.film):
        got, hint = f"--dask and --{'log-to' if options.log_to else 'film'}", "leave one of them out"
        raise InputError("workers tell no tracker, and keep no film", got=got, hint=hint)
    trackers = [LogTo(name, out) for name in options.log_to]
    keeper = _KeepsOptions(out, config_text(click.get_current_context(), without=HOW))
    bar = sys.stderr.isatty() and not options.quiet
    films = [Snapshots(files=True)] if options.film else []
    listeners = (keeper, *([ProgressBar()] if bar else ()), *trackers, *films, _HowToGoOn())
    with shown_logs(progress=not (bar or options.quiet)):
        if over:
            found = sweep(task, over, callbacks=listeners, dask=options.dask, **about)
        elif options.dask:
            runs = train_distributed(task, dask=options.dask, **about)
        else:
            if options.resume and not (out / STATE_FILE).exists():
                click.echo(f"nothing to resume in {out}: the run begins", err=True)
            runs = train(task, callbacks=listeners, **beginning, **about)
    keeper.write()
    if over:
        _tell(sweep_table(found), f"{len(found.cells)} folders of runs and {SWEEP_FILE} in {out}")
        _tell_next(after_sweep(found, out), options)
        return _status(found.interrupted, [run for cell in found.cells for run in cell.runs.runs])
    _tell(runs_table(runs), f"{len(runs.runs)} checkpoints and {RUNS_FILE} in {out}")
    _tell_next(after_training(runs, out, film=options.film), options)
    return _status(runs.interrupted, runs.runs)


def _tell(*lines: str) -> None:
    click.echo("\n".join(lines))


def _tell_next(words: str, options: Asked) -> None:
    if not options.quiet:
        click.echo(f"next: {words}")


def _status(interrupted: bool, runs: Sequence[Run]) -> int:
    """Interrupted, or not met where every seed diverged."""
    if interrupted:
        return INTERRUPTED
    return UNMET if all(run.diverged_at is not None for run in runs) else OK


def main(words: Sequence[str] | None = None) -> int:
    """The entry point; see ``bimt-train --help``.

    Parameters
    ----------
    words : sequence of str, optional
        The command line's words after the program's name; left out, those of the process.

    Returns
    -------
    int
        The exit code.
    """
    return run(command, words, several=SEVERAL)
