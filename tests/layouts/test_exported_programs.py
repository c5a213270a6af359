"""A module's program is the one that torch's own decomposition writes, operator by operator."""

import pytest
import torch
from torch import nn

from bimt_train.layouts._inputs import Inputs
from bimt_train.layouts.tracing import program_of
from bimt_train.layouts.tracing._program import _decompositions, _undisturbed


class Sequences(nn.Module):
    """A product of three axes and one of two, within operators that torch composes of others."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.LSTM(3, 4, bidirectional=True, batch_first=True)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.out = nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.steps(x)[0]
        return self.out(self.attention(h, h, h)[0])


class Pictures(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv2d(1, 2, 3, padding="same"), nn.GroupNorm(1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = nn.functional.interpolate(self.norm(self.first(x)), scale_factor=2, mode="bilinear")
        return nn.functional.one_hot(h.flatten(1).argmax(1), 128).float() + h.tile(1, 2, 1, 1).sum((1, 2, 3))[:, None]


@pytest.mark.parametrize(
    ("module", "x"),
    [
        (nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(), nn.Linear(4, 1)), torch.zeros(5, 3)),
        (Sequences(), torch.zeros(5, 6, 3)),
        (nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), torch.zeros(5, 3, 8)),
        (Pictures(), torch.zeros(5, 1, 4, 4)),
    ],
)
def test_operators_are_those_of_torchs_own_decomposition(module: nn.Module, x: torch.Tensor) -> None:
    program = program_of(module, Inputs.of(x))
    with _undisturbed():
        exported = torch.export.export(module.eval(), (x,), strict=False)
        wanted = exported.run_decompositions(dict(_decompositions())).graph
    assert not program.recorded
    found = [str(node.target) for node in program.nodes if node.op == "call_function"]
    assert found == [str(node.target) for node in wanted.nodes if node.op == "call_function"]
