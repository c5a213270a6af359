"""Figure 7: linear regression in context: the transformer along its residual stream, and where w can be read off."""

import numpy as np
from _options import Options

from bimt_analyze import circuit_of
from bimt_analyze.plots import draw_network, draw_readability
from bimt_analyze.representations import readability
from bimt_train import train
from bimt_train.tasks import in_context

SHOWN = 0.15  # of the greatest weight of its tensor, from which a weight is drawn


def draw(options: Options) -> None:
    task = in_context()
    checkpoint = train(task, seeds=options.seeds, recipe=options.recipe(task)).best.checkpoint
    network = circuit_of(checkpoint, refit_steps=0).network
    strong = {name: cut(network.tensors[name]) for name in network.layout.weights()}
    options.save(draw_network(network.with_tensors(strong)), "in-context")
    x = checkpoint.probe.x_test
    found = readability(checkpoint.network, x, x[:, 1] / x[:, 0])
    options.save(draw_readability(found, tokens=task.spec.inputs), "in-context-weight")


def cut(tensor: np.ndarray) -> np.ndarray:
    return np.where(np.abs(tensor) >= SHOWN * np.abs(tensor).max(), tensor, 0)


if __name__ == "__main__":
    draw(Options.read(__doc__, seeds=1))
