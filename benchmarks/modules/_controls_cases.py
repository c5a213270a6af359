"""Networks with a circuit that means something, and networks in which none can."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
import torch
from torch import nn

from bimt_analyze._network_rows import checkpoint_of
from bimt_analyze.synthetic import absolute_sums, block_network, boolean_hierarchy, compiled_program
from bimt_train import Recipe, TrainingType, train
from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.models import MLP
from bimt_train.tasks import Dataset, Task, independence

WIDTHS = ([2, 8, 1], [4, 12, 12, 2], [3, 20, 1], [6, 10, 10, 10, 3], [5, 30, 2], [4, 20, 20, 2])
ACTIVATIONS = ("relu", "tanh", "silu", "gelu", "sigmoid")
TRAINED: Sequence[TrainingType] = ("vanilla", "l1", "bimt")


@dataclass(frozen=True)
class Case:
    """A network to prune, made when it is needed."""

    kind: str
    number: int
    make: Callable[[], Checkpoint]


def dead(each: int) -> Iterator[Case]:
    """``each`` networks of every kind whose circuits mean nothing."""
    kinds: dict[str, Callable[[int], Checkpoint]] = {
        "untrained, its own outputs": _own,
        "untrained, its own outputs on a Boolean table": _own_on_a_table,
        "untrained, other first weights, its own outputs": _other_first_weights,
        "untrained, somebody's targets": _somebodys,
        "untrained, a random table as targets": _random_table,
        "random targets known by heart, others held out": partial(_by_heart, all_rows=False),
        "random targets known by heart, all of them": partial(_by_heart, all_rows=True),
        "trained on permuted targets": _permuted,
    }
    for kind, make in kinds.items():
        yield from (Case(kind, n, partial(make, n)) for n in range(each))


def alive(each: int) -> Iterator[Case]:
    """``each`` networks of every kind with a circuit that was planted or compiled."""
    kinds: dict[str, Callable[[int], Checkpoint]] = {
        "blocks": _blocks,
        "sums of absolute values": _sums,
        "Boolean hierarchy": _hierarchy,
        "compiled program": _program,
    }
    for kind, make in kinds.items():
        yield from (Case(kind, n, partial(make, n)) for n in range(each))


def _drawn(n: int) -> Network:
    widths, activation = WIDTHS[n % len(WIDTHS)], ACTIVATIONS[n // len(WIDTHS) % len(ACTIVATIONS)]
    return Network.of(MLP(widths, activation, generator=torch.Generator().manual_seed(10_000 + n)))


def _rows(network: Network, n: int, rows: int = 400) -> np.ndarray:
    return np.random.default_rng((3, n)).uniform(-1, 1, (rows, network.layout.columns))


def _table(network: Network) -> np.ndarray:
    """Every row of bits, at least 64 rows."""
    every = np.array(list(product([0.0, 1.0], repeat=network.layout.columns)))
    return np.tile(every, (-(-64 // len(every)), 1))


def _own(n: int) -> Checkpoint:
    network = _drawn(n)
    return checkpoint_of(network, _rows(network, n))


def _own_on_a_table(n: int) -> Checkpoint:
    network = _drawn(n)
    return checkpoint_of(network, _table(network))


def _other_first_weights(n: int) -> Checkpoint:
    """Normal, orthogonal or Glorot's, which are other than what controls are drawn by."""
    network = _drawn(n)
    module = network.module()
    generator = torch.Generator().manual_seed(n)
    draws = (nn.init.kaiming_normal_, nn.init.orthogonal_, nn.init.xavier_uniform_)
    for name, parameter in module.named_parameters():
        if name.endswith("weight"):
            draws[n % len(draws)](parameter, generator=generator)
    fresh = {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}
    network = network.with_tensors(fresh)
    return checkpoint_of(network, _rows(network, n))


def _somebodys(n: int) -> Checkpoint:
    network = _drawn(n)
    x, outputs = _rows(network, n), network.layout.sizes["y"]
    y = np.stack([np.sin(np.pi * x[:, k % x.shape[1]]) + x[:, -1] ** 2 for k in range(outputs)], axis=1)
    return checkpoint_of(network, x, y)


def _random_table(n: int) -> Checkpoint:
    network = _drawn(n)
    x, rng = _table(network), np.random.default_rng((4, n))
    return checkpoint_of(network, x, rng.integers(0, 2, (len(x), network.layout.sizes["y"])).astype(float))


def _by_heart(n: int, *, all_rows: bool) -> Checkpoint:
    """Thirty random numbers learnt by heart; rows between them are held out, or there are none."""
    network, rng = _drawn(n), np.random.default_rng((5, n))
    x = rng.uniform(-1, 1, (30, network.layout.columns))
    y = rng.normal(size=(30, network.layout.sizes["y"]))
    module = network.module().double()
    module.requires_grad_(True)
    wanted, given = torch.tensor(y), torch.tensor(x)
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-2)
    for _ in range(3000):
        optimiser.zero_grad()
        loss = ((module(given) - wanted) ** 2).mean()
        loss.backward()
        optimiser.step()
    learnt = network.with_tensors({k: v.detach().numpy() for k, v in module.state_dict().items()})
    if all_rows:
        return checkpoint_of(learnt, x, y)
    fresh = rng.uniform(-1, 1, x.shape)
    between = np.stack([x, fresh], axis=1).reshape(-1, x.shape[1])
    targets = np.stack([y, rng.normal(size=y.shape)], axis=1).reshape(-1, y.shape[1])
    return checkpoint_of(learnt, between, targets)


def _permuted(n: int) -> Checkpoint:
    """The independence task with its targets in random order, trained with and without charges."""
    task = independence()
    recipe = Recipe(steps=1500)
    return train(
        replace(task, sampler=partial(_dealt, task)), seeds=[n], recipe=recipe, kind=TRAINED[n % 3]
    ).best.checkpoint


def _dealt(task: Task, seed: int) -> Dataset:
    data, rng = task.data(seed), np.random.default_rng(seed)
    return replace(data, y_train=rng.permutation(data.y_train), y_test=rng.permutation(data.y_test))


def _with_targets(network: Network, x: np.ndarray, n: int) -> Checkpoint:
    """Every second network is given its targets, as somebody who knows them would."""
    return checkpoint_of(network, x, network.predict(x) if n % 2 else None)


def _blocks(n: int) -> Checkpoint:
    rng = np.random.default_rng((1, n))
    depth = 1 + n % 3
    blocks = [
        (int(rng.integers(1, 5)), *map(int, rng.integers(3, 9, depth)), int(rng.integers(1, 3)))
        for _ in range(2 + n % 4)
    ]
    made = block_network(blocks=blocks, seed=n)
    return _with_targets(made.network, made.x, n)


def _sums(n: int) -> Checkpoint:
    made = absolute_sums(outputs=1 + n % 4, terms=2 + n % 3, variables=2 + n % 2, seed=n)
    return _with_targets(made.network, made.x, n)


def _hierarchy(n: int) -> Checkpoint:
    shape = {"outputs": 2 + n % 2, "depth": 2, "arguments": 2 + n // 4 % 2}
    made = boolean_hierarchy(seed=n, overlap=0.5 * (n % 2), reuse=0.5 * (n // 2 % 2), **shape)
    return checkpoint_of(made.network, made.x)


def _program(n: int) -> Checkpoint:
    made = compiled_program(program=("reverse", "sort_by_frequency")[n % 2], seed=n)
    return checkpoint_of(made.network, made.x)
