"""A recurrent net in the plane: sums over time, each in a pair of neurons that lie side by side."""

from _options import Options

from bimt_analyze import analyze
from bimt_analyze.plots import draw_network
from bimt_train import train
from bimt_train.tasks import evidence


def draw(options: Options) -> None:
    task = evidence()
    run = train(task, seeds=options.seeds, recipe=options.recipe(task)).best
    report = analyze(run.checkpoint, samples=0, time_limit=0.0, refit_steps=options.refit_steps)
    options.save(draw_network(report.circuit.network, partition=report.partition), "evidence")


if __name__ == "__main__":
    draw(Options.read(__doc__, seeds=4))
