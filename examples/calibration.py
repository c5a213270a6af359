"""How far p and the verdicts can be trusted: networks without structure, and planted ones with more and more noise."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from _options import Options
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import beta

from bimt_analyze import circuit_of
from bimt_analyze._network_rows import checkpoint_of
from bimt_analyze.audits import circuit_controls, significance
from bimt_analyze.graph import neuron_graph
from bimt_analyze.plots import Picture
from bimt_analyze.synthetic import block_network, dense_network, rewired_network
from bimt_train import default_recipe, train
from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.models import MLP
from bimt_train.tasks import Dataset, Task, independence

CROSSTALK = (0.0, 0.01, 0.02, 0.05, 0.2, 0.4)
SAMPLES, LEVEL, STEPS = 99, 0.05, 1500


def p_of(checkpoint: Checkpoint) -> float:
    """P of the test that decides the verdict."""
    network = circuit_of(checkpoint, refit_steps=0).network
    if not network.edges():
        return 1.0
    return significance(neuron_graph(network, weights="attribution", x=checkpoint.probe.x_test), samples=SAMPLES).p


def untrained(seed: int) -> Checkpoint:
    network = Network.of(MLP([4, 12, 12, 2], "silu", generator=torch.Generator().manual_seed(seed)))
    return checkpoint_of(network, np.random.default_rng(seed).uniform(-1, 1, (200, 4)))


def made(make: Callable[..., object], seed: int) -> Checkpoint:
    network = make(seed=seed)
    return checkpoint_of(network.network, network.x[:200])


def on_nonsense(seeds: int, steps: int) -> Iterator[Checkpoint]:
    task = independence()
    nonsense = replace(task, sampler=partial(dealt, task))
    recipe = replace(default_recipe(task), steps=steps)
    yield from (run.checkpoint for run in train(nonsense, seeds=seeds, recipe=recipe).runs)


def dealt(task: Task, seed: int) -> Dataset:
    data, rng = task.data(seed), np.random.default_rng(seed)
    return replace(data, y_train=rng.permutation(data.y_train), y_test=rng.permutation(data.y_test))


def draw_level(axes: Axes, kinds: dict[str, list[float]]) -> None:
    grid = np.linspace(0, 1, 101)
    many = max(map(len, kinds.values()))
    low, high = (beta.ppf(q, grid * many + 0.5, (1 - grid) * many + 0.5) for q in (0.025, 0.975))
    axes.fill_between(grid, low, high, color="0.9", label=f"95 % of {many} networks, were p exact")
    axes.plot(grid, grid, color="0.6", lw=0.8)
    for kind, values in kinds.items():
        axes.step(grid, [(np.array(values) <= p).mean() for p in grid], where="post", label=kind, lw=1.2)
    axes.set(xlabel="nominal p", ylabel="networks with at most this p", title="without structure")
    axes.legend(frameon=False, fontsize=7)


def draw_power(axes: Axes, levels: tuple[float, ...], modular: list[float], faithful: list[float], many: int) -> None:
    places = np.arange(len(levels))
    for shares, label, colour in ((modular, f"p < {LEVEL}", "tab:blue"), (faithful, "circuit faithful", "tab:orange")):
        counts = np.array(shares) * many
        low, high = (beta.ppf(q, counts + 0.5, many - counts + 0.5) for q in (0.025, 0.975))
        axes.fill_between(places, low, high, color=colour, alpha=0.15)
        axes.plot(places, shares, marker="o", color=colour, label=label)
    axes.set_xticks(places, map(str, levels))
    axes.set(
        xlabel="cross-talk between planted blocks", ylabel="share of networks", ylim=(-0.02, 1.04), title="planted"
    )
    axes.legend(frameon=False, fontsize=7)


def draw(options: Options) -> None:
    seeds = range(options.seeds)
    kinds = {
        "untrained": map(untrained, seeds),
        "dense": map(partial(made, dense_network), seeds),
        "wired at random": map(partial(made, rewired_network), seeds),
        "trained on nonsense": on_nonsense(options.seeds, options.steps or STEPS),
    }
    found = {kind: [p_of(one) for one in checkpoints] for kind, checkpoints in kinds.items()}
    modular, faithful = [], []
    levels = CROSSTALK if options.steps is None else CROSSTALK[::5]  # steps are given for a quick look
    samples = 20 if options.steps is None else 2
    for crosstalk in levels:
        planted = [made(partial(block_network, crosstalk=crosstalk), seed) for seed in seeds]
        modular.append(float(np.mean([p_of(one) < LEVEL for one in planted])))
        held = [circuit_controls(one, circuit_of(one, refit_steps=0), samples=samples) for one in planted]
        faithful.append(float(np.mean([one.faithful for one in held])))
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_level(left, found)
    draw_power(right, levels, modular, faithful, options.seeds)
    figure.draw_without_rendering()  # the picture is cropped to where things then are
    figure.set_layout_engine("none")
    options.save(Picture(left, "How far p and the verdicts can be trusted."), "calibration")
    for kind, values in found.items():
        print(f"{kind}: {np.mean(np.array(values) < LEVEL):.0%} of {len(values)} with p < {LEVEL}")
    print("cross-talk:", *(f"{c}: {m:.0%} / {f:.0%};" for c, m, f in zip(levels, modular, faithful, strict=True)))


if __name__ == "__main__":
    draw(Options.read(__doc__, seeds=20))
