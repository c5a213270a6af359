"""Figure 8: digits: the network in space, what its neurons look at, and which neurons a class uses."""

from pathlib import Path

from _options import Options

from bimt_analyze import circuit_of
from bimt_analyze.plots import Picture, blank_axes, draw_class_use, draw_features, draw_network_3d, panels
from bimt_analyze.representations import class_circuit, class_use
from bimt_train import InputError, train
from bimt_train.tasks import mnist


def draw(options: Options) -> None:
    task = mnist(options.mnist or Path("data/mnist"))
    run = train(task, seeds=options.seeds, recipe=options.recipe(task)).best
    network, data = circuit_of(run.checkpoint, refit_steps=0, search="narrowing").network, task.data(run.seed)
    use = class_use(network, data.x_test, data.y_test)
    modules = [neurons | {("y", k)} for k, neurons in enumerate(use.favourites.values())]
    options.save(draw_network_3d(network, partition=modules), "mnist")
    options.save(draw_features(network, partition=modules), "mnist-features")
    options.save(draw_class_use(use), "mnist-classes")
    axes = blank_axes(11.0, 5.6)
    for k, panel in enumerate(panels(axes, 2, 5, gap_x=-0.06, gap_y=-0.1)):
        circuit = class_circuit(network, k, neurons=use.users()[use.classes[k]])
        draw_network_3d(circuit, partition=modules, ax=panel)
    options.save(Picture(axes, "The part of the network that each digit needs."), "mnist-circuits")


if __name__ == "__main__":
    try:
        draw(Options.read(__doc__, seeds=1))
    except InputError as error:
        raise SystemExit(str(error)) from None
