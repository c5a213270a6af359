"""Figure 5: (a + b) mod 59: a module for each frequency, and the ring that its embedding lies on."""

from _options import Options

from bimt_analyze import circuit_of
from bimt_analyze.plots import draw_frequencies, draw_network
from bimt_analyze.representations import frequency_modules, module_partition
from bimt_train import train
from bimt_train.tasks import modular_addition


def draw(options: Options) -> None:
    task = modular_addition()
    run = train(task, seeds=options.seeds, recipe=options.recipe(task)).best
    network = circuit_of(run.checkpoint, refit_steps=0).network
    modules = frequency_modules(network, module_partition(network).modules)
    names = {f"module {number}: k = {module.frequency}": module.neurons for number, module in enumerate(modules, 1)}
    options.save(draw_network(network, partition=names), "modular-addition")
    options.save(draw_frequencies(modules), "modular-addition-rings")


if __name__ == "__main__":
    draw(Options.read(__doc__, seeds=2))
