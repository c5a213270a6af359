"""Choosing lambda: the same seeds under nine lambdas. What sparsity costs, and where the structure appears."""

import numpy as np
from _options import Options
from matplotlib.axes import Axes

from bimt_analyze.audits import dependency_score
from bimt_analyze.graph import neuron_graph
from bimt_analyze.plots import Picture, blank_axes, panels
from bimt_train import Sweep, sweep
from bimt_train.checkpoints import Checkpoint
from bimt_train.tasks import independence

LAMBDAS = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
CUT = 1e-2  # weights up to here are left out, as in the table of a sweep
TICKS = (10, 20, 30, 50, 100, 200, 300, 500)
BLUE, ORANGE, GREY = "#2f6fd0", "#f2a41f", "#7b828f"


def draw(options: Options) -> None:
    task = independence()
    found = sweep(task, {"lambda": LAMBDAS}, seeds=options.seeds, recipe=options.recipe(task))
    axes = blank_axes(11.0, 3.8)
    loss, structure = panels(axes, 1, 2, gap_x=0.1)
    draw_losses(found, loss)
    shares = [np.mean([is_separate(run.checkpoint) for run in cell.runs.runs]) for cell in found.cells]
    structure.plot(LAMBDAS, shares, "o-", color=ORANGE)
    structure.set(xscale="log", xlabel="lambda", ylabel="share of the seeds", ylim=(-0.05, 1.05))
    structure.set_title("inputs reach exactly the outputs that they should", fontsize=9, loc="left")
    options.save(Picture(axes, "Loss and edges at each lambda of a sweep."), "choosing-lambda")


def draw_losses(found: Sweep, axes: Axes) -> None:
    """Test loss against edges: medians over the seeds, and quartiles as bars; each point is a lambda."""
    cells = [cell.to_json() for cell in found.cells]
    loss = {name: np.array([cell["test_loss"][name] for cell in cells]) for name in cells[0]["test_loss"]}
    edges = [cell["edges"]["median"] for cell in cells]
    bars = (loss["median"] - loss["lower_quartile"], loss["upper_quartile"] - loss["median"])
    axes.errorbar(edges, loss["median"], yerr=bars, fmt="o-", color=BLUE, ecolor=GREY, elinewidth=1)
    for cell, x, y in zip(cells, edges, loss["median"], strict=True):
        said = f"{cell['values']['lambda']:g}"
        axes.annotate(said, (x, y), xytext=(5, 5), textcoords="offset points", fontsize=8)
    axes.set(xscale="log", yscale="log", xlabel=f"edges: weights above {CUT:g}", ylabel="test loss")
    axes.set_xticks(TICKS, map(str, TICKS))
    axes.set_xticks([], minor=True)
    axes.set_title("each point is a lambda", fontsize=9, loc="left")


def is_separate(checkpoint: Checkpoint) -> bool:
    """Whether, small weights left out, each output is reached by its own inputs and no others."""
    tensors = {name: np.where(np.abs(w) > CUT, w, 0) for name, w in checkpoint.network.tensors.items()}
    graph = neuron_graph(checkpoint.network.with_tensors(tensors))
    return dependency_score(graph, checkpoint.task.decomposition).f1 == 1.0


if __name__ == "__main__":
    draw(Options.read(__doc__, seeds=16))
