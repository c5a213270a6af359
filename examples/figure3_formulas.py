"""Figure 3: networks of three symbolic tasks, what the five training types make of one, and the formulas read off."""

from typing import get_args

from _options import Options

from bimt_analyze import Report, analyze
from bimt_analyze.plots import Picture, blank_axes, draw_network, panels
from bimt_train import TrainingType, train
from bimt_train.tasks import composition, feature_sharing, independence

SECONDS = 40.0  # for the formulas of a task
LONGEST = 44  # characters of a formula that are shown


def draw(options: Options) -> None:
    draw_types(options)
    axes = blank_axes(11.0, 4.2)
    for panel, make in zip(panels(axes, 1, 3, gap_x=0.05), (independence, feature_sharing, composition), strict=True):
        task = make()
        run = train(task, seeds=options.seeds, recipe=options.recipe(task)).best
        seconds = SECONDS if options.steps is None else 0.0
        report = analyze(run.checkpoint, samples=0, time_limit=seconds, refit_steps=options.refit_steps)
        draw_network(report.circuit.network, partition=report.partition, legend=False, ax=panel)
        panel.set_title(f"{task.spec.name}\n{formulas(report)}", fontsize=8.5, pad=22, parse_math=False)
    options.save(Picture(axes, "Networks of three tasks, and their formulas."), "formulas")


def draw_types(options: Options) -> None:
    task, types = independence(), get_args(TrainingType)
    axes = blank_axes(12.5, 2.8)
    for panel, kind in zip(panels(axes, 1, len(types), gap_x=0.03), types, strict=True):
        run = train(task, seeds=options.seeds, recipe=options.recipe(task), kind=kind).best
        draw_network(run.checkpoint.network, threshold=1e-2, legend=False, ax=panel)
        last = run.history[-1]
        panel.set_title(f"{kind}\n{last['edges']} edges, test error {last['test_loss']:.1e}", fontsize=8.5, pad=18)
    options.save(Picture(axes, "What five kinds of training make of one task."), "training-types")


def formulas(report: Report) -> str:
    """One line an output."""
    return "\n".join(shorten(f"{name} = {found.expression}") for name, found in report.formulas.items())


def shorten(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


if __name__ == "__main__":
    draw(Options.read(__doc__, seeds=8))
