"""Weights that a module takes apart: each part joins the groups that it reads and writes; its edges are followed."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bimt_analyze.graph import EDGE_WEIGHTS
from bimt_train.checkpoints import from_module


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class Cross(nn.Module):
    """Attention whose queries read one thing, and whose keys and values read another."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.core, self.out = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 2)

    def forward(self, q: Tensor, k: Tensor) -> Tensor:
        return self.out(self.core(q, k, k)[0].mean(1))


class Memory(nn.Module):
    """A cell of an LSTM by hand, whose gates are taken out of packed weights."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.packed, self.out = nn.Parameter(drawn(20, 3, seed=1)), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        i, _, g, o = (nn.functional.linear(x, weight) for weight in self.packed.chunk(4))
        return self.out(torch.sigmoid(o) * torch.tanh(torch.sigmoid(i) * torch.tanh(g)))


@pytest.mark.parametrize(
    ("make", "inputs", "patterns"),
    [
        (Cross, [drawn(20, 3, 8), drawn(20, 5, 8, seed=1)],
         {"core.in_proj_weight.0": "a1 x[0:8]", "core.in_proj_weight.1": "(2 a1) x[8:16]",
          "core.out_proj.weight": "h1 a1"}),
        (lambda: nn.MultiheadAttention(8, 2, batch_first=True), [drawn(20, 4, 8, seed=k) for k in range(3)],
         {"in_proj_weight.0": "a1 x[0:8]", "in_proj_weight.1": "a1 x[8:16]", "in_proj_weight.2": "a1 x[16:24]"}),
        (Memory, [drawn(20, 3)],
         {"packed.0": "h1 x", "packed.2": "h1 x", "packed.3": "h1 x", "out.weight": "y h1"}),
    ],
    ids=["queries of one, keys and values of another", "three inputs", "gates by hand"],
)  # fmt: skip
def test_parts_of_a_packed_weight_are_groups_and_edges_of_their_own(
    make: Callable[[], nn.Module], inputs: list[Tensor], patterns: dict[str, str]
) -> None:
    module = make()
    checkpoint = from_module(module, tuple(inputs) if len(inputs) > 1 else inputs[0])
    network = checkpoint.network
    found = {name: spec.pattern for name, spec in network.layout.tensors.items() if name in patterns}
    assert found == patterns
    with torch.no_grad():
        wanted = module(*inputs)
    wanted = wanted[0] if isinstance(wanted, tuple) else wanted
    rows = network.rows(tuple(inputs) if len(inputs) > 1 else inputs[0])
    np.testing.assert_allclose(network.predict(rows).ravel(), wanted.numpy().ravel(), atol=1e-5)
    edges = EDGE_WEIGHTS["activation"].function(network, rows)
    read, first = inputs[0].double(), next(iter(patterns))
    spread = read.reshape(-1, read.shape[-1]).std(0, correction=0).numpy()
    np.testing.assert_allclose(edges[first], np.abs(network.tensors[first]) * spread, rtol=1e-5)


def test_self_attention_stays_packed() -> None:
    class Own(Cross):
        def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
            return super().forward(x, x)

    layout = from_module(Own(), drawn(20, 3, 8)).network.layout
    assert layout.tensors["core.in_proj_weight"].pattern == "(3 a1) x"
