"""A film of training: neurons find their places, and two modules part."""

from _options import Options

from bimt_analyze import analyze
from bimt_analyze.plots import animate_training
from bimt_train import Snapshots, train
from bimt_train.tasks import independence


def draw(options: Options) -> None:
    task, kept = independence(), Snapshots()
    run = train(task, seeds=options.seeds, recipe=options.recipe(task), callbacks=[kept]).best
    report = analyze(run.checkpoint, samples=0, time_limit=0.0, refit_steps=options.refit_steps)
    found, names = report.circuit.kept, report.module_sets
    modules = [{(group, found[group][index]) for group, index in module} for module in names]  # as before pruning
    film = animate_training(kept.of(run.seed), partition=modules, frames=60 if options.steps is None else 5)
    options.out.mkdir(parents=True, exist_ok=True)
    film.save(options.out / "training.gif", writer="pillow", dpi=88)
    print(options.out / "training.gif")


if __name__ == "__main__":
    draw(Options.read(__doc__, seeds=8))
