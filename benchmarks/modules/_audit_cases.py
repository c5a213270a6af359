"""Networks to audit whose answer is known: with modules, and without."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from bimt_analyze.graph import NodeId, neuron_graph
from bimt_analyze.modules import connected_components
from bimt_analyze.synthetic import (
    SyntheticNetwork,
    absolute_sums,
    block_network,
    boolean_hierarchy,
    dense_network,
    rewired_network,
    superposition,
)
from bimt_train import TrainingType, default_recipe, train
from bimt_train.checkpoints import Network
from bimt_train.models import MLP
from bimt_train.tasks import Dataset, Task, independence

Truth = dict[NodeId, int]


@dataclass(frozen=True)
class Case:
    """A network to audit, made when it is needed.

    ``make`` gives the network, its rows, and the known levels, the one asked for first; none for a negative.
    """

    kind: str
    number: int
    make: Callable[[], tuple[Network, np.ndarray, tuple[Truth, ...]]]


def positives(each: int) -> Iterator[Case]:
    """``each`` networks of every kind with modules."""
    for n in range(each):
        yield Case("blocks", n, partial(_blocks, n, 0.0))
        yield Case("blocks, cross-talk 0.1 an edge", n, partial(_blocks, n, 0.1))
        yield Case("blocks, cross-talk 10 % in sum", n, partial(_blocks, n, None))
        shape = {"outputs": 1 + n % 4, "terms": 2 + n % 3, "variables": 2 + n % 2}
        yield Case("sums of absolute values", n, partial(_planted, absolute_sums, seed=n, **shape))
    for kind, dials in BOOLEAN.items():
        for n in range(each):
            shape = {"outputs": 2 + n % 2, "depth": 2 + n // 2 % 2, "arguments": 2 + n // 4 % 2}
            shape["depth"] = 2 if shape["arguments"] == 3 else shape["depth"]
            yield Case(f"Boolean hierarchy, {kind}", n, partial(_planted, boolean_hierarchy, seed=n, **shape, **dials))
    for features, hidden in ((5, 2), (40, 10)):
        for n in range(each):
            made = partial(_planted, superposition, seed=n, features=features, hidden=hidden)
            yield Case(f"superposition, {features} in {hidden}", n, made)
    for n in range(each):
        yield Case("superposition, trained, 5 in 2", n, partial(squeezed, n))


BOOLEAN = {
    "own inputs, no reuse": {"overlap": 0.0, "reuse": 0.0},
    "inputs overlap": {"overlap": 0.5, "reuse": 0.0},
    "functions reused": {"overlap": 0.0, "reuse": 0.5},
    "overlap and reuse": {"overlap": 0.5, "reuse": 0.5},
}


def negatives(each: int) -> Iterator[Case]:
    """``each`` networks of every kind without modules; those that are trained take four training types in turn."""
    for n in range(each):
        shape = _shape(n)
        widths = [sum(layer) for layer in zip(*shape, strict=True)]
        yield Case("dense", n, partial(_negative, dense_network, widths=widths, seed=n))
        yield Case("wired at random, same degrees", n, partial(_negative, rewired_network, blocks=_joinable(n), seed=n))
        yield Case("dense teacher, fitted", n, partial(_fitted, n))
        kinds: Sequence[TrainingType] = ("vanilla", "l1", "l1+swap", "bimt")
        kind = kinds[n % len(kinds)]
        yield Case(f"permuted labels, {kind}", n, partial(_permuted, kind, n))


def _shape(n: int) -> list[tuple[int, ...]]:
    """Two to five blocks, of one to three hidden layers."""
    rng = np.random.default_rng((1, n))
    depth = 1 + n % 3
    return [
        (int(rng.integers(1, 5)), *map(int, rng.integers(3, 9, depth)), int(rng.integers(1, 3)))
        for _ in range(2 + n % 4)
    ]


def _joinable(n: int) -> list[tuple[int, ...]]:
    """Blocks of equal shape that are wide enough to be joined by rewiring."""
    return [(2 + n % 3, *[4 + n % 4] * (1 + n % 3), 1 + n % 2)] * (2 + n % 4)


def _blocks(n: int, crosstalk: float | None) -> tuple[Network, np.ndarray, tuple[Truth, ...]]:
    """None: as much cross-talk as makes a tenth of what a neuron reads, on average over neurons."""
    blocks = _shape(n)
    if crosstalk is None:
        sources = np.array([block[:-1] for block in blocks], dtype=float)
        others = (sources.sum(axis=0) - sources) / sources  # neurons of other blocks for each of one's own
        crosstalk = float(0.1 / others.mean())
    return _planted(block_network, blocks=blocks, crosstalk=crosstalk, seed=n)


def _planted(make: Callable[..., SyntheticNetwork], **options: object) -> tuple[Network, np.ndarray, tuple[Truth, ...]]:
    """The planted modules, and of sums and hierarchies the trees that they form, which are as true."""
    made = make(**options)
    fine = {node: module for node, module in made.modules.items() if module is not None}
    trees = connected_components(neuron_graph(made.network))
    coarse = {node: n for n, module in enumerate(trees.modules) for node in module if node in fine}
    levels = (fine,) if len(trees.modules) < 2 or made.kind == "block_network" else (fine, coarse)
    return made.network, made.x, levels


def squeezed(n: int, *, steps: int = 3000, rows: int = 1024) -> tuple[Network, np.ndarray, tuple[Truth, ...]]:
    """Y = ReLU(W^T W x + b) trained on features that are graded and rarely there (Elhage et al., arXiv 2209.10652)."""
    import torch

    features, hidden, present = 5, 2, 0.02
    draws = torch.Generator().manual_seed(n)
    w = (0.5 * torch.randn(hidden, features, generator=draws)).requires_grad_()
    b = torch.zeros(features, requires_grad=True)
    optimizer = torch.optim.Adam([w, b], lr=0.01)

    def drawn(count: int) -> torch.Tensor:
        there = torch.rand(count, features, generator=draws) < present
        return torch.rand(count, features, generator=draws) * there

    for _ in range(steps):
        x = drawn(rows)
        loss = ((torch.relu(x @ w.T @ w + b) - x) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    down, offset = w.detach().double().numpy(), b.detach().double().numpy()
    raised = np.full(hidden, 10.0)  # so that the ReLU of the bottleneck never bends
    matrices = (down, down.T, np.eye(features))
    biases = (raised, offset - down.T @ raised, np.zeros(features))
    tensors = {f"layers.{k}.weight": matrix for k, matrix in enumerate(matrices)}
    tensors |= {f"layers.{k}.bias": bias for k, bias in enumerate(biases)}
    network = Network.of(MLP([features, hidden, features, features], "relu")).with_tensors(tensors)
    truth = {(group, k): k for group in ("x", "h2", "y") for k in range(features)}
    return network, drawn(2000).double().numpy(), (truth,)


def _negative(
    make: Callable[..., SyntheticNetwork], **options: object
) -> tuple[Network, np.ndarray, tuple[Truth, ...]]:
    made = make(**options)
    return made.network, made.x, ()


def _permuted(kind: TrainingType, n: int) -> tuple[Network, np.ndarray, tuple[Truth, ...]]:
    """The independence task with its targets dealt to other rows."""
    task = independence()
    return _trained(replace(task, sampler=partial(_dealt, task)), kind, n)


def _dealt(task: Task, seed: int) -> Dataset:
    data, rng = task.data(seed), np.random.default_rng(seed)
    return replace(data, y_train=rng.permutation(data.y_train), y_test=rng.permutation(data.y_test))


def _fitted(n: int) -> tuple[Network, np.ndarray, tuple[Truth, ...]]:
    """A student of a dense random teacher, trained without any charge."""
    task = independence()
    return _trained(replace(task, sampler=partial(_taught, n)), "vanilla", n)


def _taught(teacher: int, seed: int) -> Dataset:
    import torch

    rng = np.random.default_rng((2, seed))
    module = MLP([4, 12, 12, 2], "silu", generator=torch.Generator().manual_seed(teacher))
    x = rng.uniform(-1, 1, (200, 4))
    with torch.no_grad():
        y = module.double()(torch.tensor(x)).numpy()
    y = (y - y.mean(axis=0)) / y.std(axis=0)
    return Dataset(x[:100], y[:100], x[100:], y[100:])


def _trained(task: Task, kind: TrainingType, n: int) -> tuple[Network, np.ndarray, tuple[Truth, ...]]:
    recipe = replace(default_recipe(independence()), steps=3000)
    run = train(task, seeds=[n], recipe=recipe, kind=kind).best
    probe = run.checkpoint.probe
    return run.checkpoint.network, np.concatenate([probe.x_train, probe.x_test]), ()
