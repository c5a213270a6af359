"""Runs with changed neurons against whole runs with hooks that change what the layers read."""

import numpy as np
import pytest
import torch
from torch import nn

from bimt_analyze.graph import _replay
from bimt_analyze.graph._replay import Replay


class Branches(nn.Module):
    """Two branches that join, a layer that is called twice, and an activation that works in place."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.again, self.end = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(4, 4), nn.Linear(4, 2)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b = self.act(self.a(x)), torch.tanh(self.b(x))
        return self.end(self.again(self.act(self.again(a))) + b)


def chain() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 5), nn.ReLU(inplace=True), nn.Linear(5, 2))


def by_hooks(module: nn.Module, x: torch.Tensor, changes) -> torch.Tensor:
    handles = [
        module.get_submodule(name.removesuffix(".weight")).register_forward_pre_hook(
            lambda _, args, mask=mask, values=values: (torch.where(mask, values, args[0]),)
        )
        for name, (mask, values) in changes.items()
    ]
    with torch.no_grad():
        found = module(x)
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize("make", [chain, Branches])
def test_every_change_gives_what_a_whole_run_gives(make):
    torch.manual_seed(0)
    module, x = make().double(), torch.randn(7, 3, dtype=torch.float64)
    matrices = {name: tensor.detach().T for name, tensor in module.named_parameters() if name.endswith("weight")}
    replay, rng = Replay(module, x, matrices), np.random.default_rng(0)
    for trial in range(60):
        some = [name for name in matrices if rng.random() < (0.3 if trial % 2 else 0.8)]
        changes = {
            name: (
                torch.tensor(rng.random(len(matrices[name])) < 0.4),
                torch.tensor(rng.normal(size=len(matrices[name]))),
            )
            for name in some
        }
        assert torch.allclose(replay.outputs(changes), by_hooks(module, x, changes), rtol=0, atol=1e-12)
    assert torch.equal(replay.outputs({}), module(x))


def test_what_lies_before_the_change_is_not_computed_again(monkeypatch):
    module, x = chain().double(), torch.randn(7, 3, dtype=torch.float64)
    replay = Replay(module, x, {f"{number}.weight": module[number].weight.detach().T for number in (0, 2, 4)})
    called = []
    for number in (0, 1, 2, 4):
        monkeypatch.setitem(replay._own, module[number], lambda read, number=number: called.append(number))
    replay.outputs({"4.weight": (torch.tensor([True, False, False, False, True]), torch.zeros(5, dtype=torch.float64))})
    assert called == []


class WithAMemory(nn.Module):
    """A layer that gives more than a tensor, and one that is called by keyword: neither is a plain linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.memory, self.norm, self.end = nn.LSTM(3, 4, batch_first=True), nn.LayerNorm(4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.end(self.norm(input=self.memory(x[:, None])[0][:, 0]))


def test_layers_of_another_kind_are_left_as_they_are():
    module, x = WithAMemory().double(), torch.randn(7, 3, dtype=torch.float64)
    replay = Replay(module, x, {"end.weight": module.end.weight.detach().T})
    change = {"end.weight": (torch.tensor([True, False, True, False]), torch.ones(4, dtype=torch.float64))}
    assert torch.allclose(replay.outputs(change), by_hooks(module, x, change), rtol=0, atol=1e-12)


class WithItsResultUnread(nn.Module):
    """An activation that works in place and whose result nobody reads; a layer whose result is overwritten."""

    def __init__(self, *, by_name: bool) -> None:
        super().__init__()
        self.by_name = by_name
        self.read, self.middle, self.end = nn.Linear(3, 6), nn.Linear(6, 6), nn.Linear(6, 2)
        self.act = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.read(x)
        self.act(input=h) if self.by_name else self.act(h)
        later = self.middle(h)
        later += h
        return self.end(later)


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("tensor", ["middle.weight", "end.weight"])
def test_what_is_overwritten_is_overwritten_again(tensor, by_name):
    torch.manual_seed(0)
    module, x = WithItsResultUnread(by_name=by_name).double(), torch.randn(7, 3, dtype=torch.float64)
    replay = Replay(module, x, {tensor: module.get_parameter(tensor).detach().T})
    for number in range(3):  # a second run reads nothing that the first has spoilt
        mask = torch.arange(6) == number
        change = {tensor: (mask, torch.ones(6, dtype=torch.float64))}
        assert torch.allclose(replay.outputs(change), by_hooks(module, x, change), rtol=0, atol=1e-12)


class Forks(nn.Module):
    """Sparse layers: what they give is read once, or by several, or overwritten, or turned where it is larger."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.largest: float | None = None
        self.kind, self.act, self.last = kind, nn.Tanh(), nn.Sequential(nn.Identity(), nn.ReLU(inplace=kind == "in"))
        self.layers = nn.ModuleList(nn.Linear(40, 40) for _ in range(4))
        for layer in self.layers:
            layer.weight.data *= torch.rand(40, 40) < 0.04

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a, b, c, d = self.layers
        h = self.act(b(self.act(a(x))))
        if self.kind == "both":
            return d(self.act(c(h) + h)) + d(h)
        if self.kind == "over":
            h = self.act(c(h))
            h += 1
            h[:, :3] *= 2
        if self.kind == "turn":
            h = c(h)
            self.largest = float(h.sum()) if self.largest is None else self.largest
            h = -h if h.sum() > self.largest + 1e-9 else h
        return self.last(d(self.act(c(self.last(h)))))


@pytest.mark.parametrize("kind", ["chain", "both", "over", "in", "turn"])
@pytest.mark.parametrize("sparse", [False, True])
def test_few_columns_of_sparse_layers_give_what_a_whole_run_gives(monkeypatch, kind, sparse):
    monkeypatch.setattr(_replay, "_LARGE", 0 if sparse else 10**9)
    torch.manual_seed(0)
    module, x = Forks(kind).double(), torch.randn(7, 40, dtype=torch.float64)
    matrices = {name: tensor.detach().T for name, tensor in module.named_parameters() if name.endswith("weight")}
    replay, rng = Replay(module, x, matrices), np.random.default_rng(0)
    for trial in range(80):
        changes = {
            name: (torch.tensor(rng.random(40) < (0.03, 0.5)[trial % 2]), torch.tensor(rng.normal(size=40)))
            for name in rng.permutation(list(matrices))[: 1 + trial % 3 // 2]
        }
        assert torch.allclose(replay.outputs(changes), by_hooks(module, x, changes), rtol=0, atol=1e-12)
    assert torch.equal(replay.outputs({}), module(x))


def test_functions_behind_few_moved_neurons_are_computed_for_these_alone(monkeypatch):
    torch.manual_seed(0)
    module, x = Forks("chain").double(), torch.randn(7, 40, dtype=torch.float64)
    replay = Replay(module, x, {f"layers.{n}.weight": module.layers[n].weight.detach().T for n in range(4)})
    own, widths = replay._own[module.act], []
    monkeypatch.setitem(replay._own, module.act, lambda read: widths.append(read.shape[1]) or own(read))
    first = int((module.layers[1].weight != 0).any(0).nonzero()[0])
    replay.outputs({"layers.1.weight": (torch.arange(40) == first, torch.ones(40, dtype=torch.float64))})
    assert len(widths) == 2 and max(widths) <= 10
