"""Modules as other people write them, as torch draws their weights, read by `from_module` with a true table."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from bimt_train.checkpoints import Checkpoint, from_module
from bimt_train.tasks import Task, composition, feature_sharing, independence, two_moons

from ._case import Case

ROWS, WIDTH, STEPS, SIDE, P = 200, 16, 4, 4, 11
Table = tuple[Any, np.ndarray]


class GatedMLP(nn.Module):
    """SwiGLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(inputs, WIDTH), nn.Linear(inputs, WIDTH), nn.Linear(WIDTH, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(functional.silu(self.gate(x)) * self.up(x))


class ResidualMLP(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(inputs, WIDTH), nn.Linear(WIDTH, outputs)
        self.up = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(2))
        self.down = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        h = self.first(x)
        for up, down in zip(self.up, self.down, strict=True):
            h = h + down(torch.relu(up(h)))
        return self.last(h)


class CNN(nn.Module):
    """Two convolutions, and a reading of the channels at each place."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 8, 3, padding=1)
        self.out = nn.Linear(8 * 4, 2)

    def forward(self, x: Tensor) -> Tensor:
        h = functional.max_pool2d(torch.relu(self.one(x)), 2)
        h = torch.relu(self.two(h))
        return self.out(h.flatten(1))


class Recurrent(nn.Module):
    """A recurrent layer and a reading of its last state."""

    def __init__(self, layer: Callable[..., nn.Module]) -> None:
        super().__init__()
        self.layer, self.out = layer(2, WIDTH, batch_first=True), nn.Linear(WIDTH, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.layer(x)[0][:, -1])


class Encoder(nn.Module):
    """Two tokens and a place for the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(P + 1, WIDTH), nn.Parameter(torch.randn(3, WIDTH) / 4)
        layer = nn.TransformerEncoderLayer(WIDTH, 2, 32, dropout=0.0, batch_first=True)
        self.layers, self.out = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), nn.Linear(WIDTH, P)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.out(self.layers(self.tokens(tokens) + self.places)[:, -1])


class TwoInputs(nn.Module):
    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(2, WIDTH), nn.Linear(2, WIDTH)
        self.middle, self.out = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, outputs)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        h = torch.tanh(self.a(first)) + torch.tanh(self.b(second))
        return self.out(torch.tanh(self.middle(h)))


def _single(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32)


def _rows(task: Task, seed: int) -> Table:
    data = task.data(seed)
    y = np.concatenate([data.y_train, data.y_test])
    return _single(np.concatenate([data.x_train, data.x_test])), y.argmax(1) if task.spec.loss != "mse" else y


def _halves(task: Task, seed: int) -> Table:
    x, y = _rows(task, seed)
    return (x[:, :2], x[:, 2:]), y


def _images(seed: int) -> Table:
    """The sum of the left half, and the product of two corners."""
    x = np.random.default_rng(seed).uniform(-1, 1, (ROWS, 1, SIDE, SIDE))
    return _single(x), np.stack([x[..., : SIDE // 2].sum((1, 2, 3)), x[:, 0, 0, 0] * x[:, 0, -1, -1]], 1)


def _classes_of_images(seed: int) -> Table:
    """Whether the left half is lighter than the right one."""
    x = np.random.default_rng(seed).uniform(-1, 1, (ROWS, 1, SIDE, SIDE))
    return _single(x), (x[..., : SIDE // 2].sum((1, 2, 3)) > x[..., SIDE // 2 :].sum((1, 2, 3))).astype(np.int64)


def _numbers_in_time(seed: int) -> Table:
    """The sum over time of one channel, and the first times the last of the other."""
    x = np.random.default_rng(seed).uniform(-1, 1, (ROWS, STEPS, 2))
    return _single(x), np.stack([x[..., 0].sum(1), x[:, 0, 1] * x[:, -1, 1]], 1)


def _sums(seed: int) -> Table:
    """All sums modulo P, in an order of the seed's."""
    pairs = np.random.default_rng(seed).permutation(P * P)
    a, b = pairs // P, pairs % P
    return torch.tensor(np.stack([a, b, np.full_like(a, P)], 1)), (a + b) % P


def _read(module: Callable[[], nn.Module], table: Callable[[int], Table], seed: int) -> Checkpoint:
    x, y = table(seed)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        made = module()
    return from_module(made, x, y=y)


def others() -> list[Case]:
    """Seven kinds, each with the tables of a kind that it can read."""
    found: list[tuple[str, str, Callable[[], nn.Module], Callable[[int], Table]]] = []
    for task in (independence(), feature_sharing(), composition(), two_moons(rows=(100, 100))):
        ends, name = (len(task.spec.inputs), len(task.spec.outputs)), task.spec.name
        found.append(("gated MLP", name, partial(GatedMLP, *ends), partial(_rows, task)))
        found.append(("residual MLP", name, partial(ResidualMLP, *ends), partial(_rows, task)))
        if ends[0] == 4:
            found.append(("two inputs", name, partial(TwoInputs, ends[1]), partial(_halves, task)))
    found += [
        ("CNN", "image rule", CNN, _images),
        ("CNN", "image classes", CNN, _classes_of_images),
        ("LSTM", "sequence of numbers", partial(Recurrent, nn.LSTM), _numbers_in_time),
        ("GRU", "sequence of numbers", partial(Recurrent, nn.GRU), _numbers_in_time),
        ("transformer encoder", "modular addition", Encoder, _sums),
    ]
    return [Case(f"{kind} (module)", table, partial(_read, make, rows)) for kind, table, make, rows in found]
