"""Outputs that a module puts together: an end of the layout where groups stand side by side, else kept in place."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from bimt_train import verify
from bimt_train.layouts import layout_for

X = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
Heads = Callable[["Several", Tensor], list[Tensor]]


class Several(nn.Module):
    """Heads of a body, put together by a function."""

    def __init__(self, heads: Heads) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body, self.heads = nn.Linear(3, 6), heads
        self.mean, self.other = nn.Linear(6, 2), nn.Linear(6, 3)
        self.one, self.two = nn.Linear(6, 1), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(self.heads(self, torch.tanh(self.body(x))), dim=-1)


@pytest.mark.parametrize(
    ("heads", "patterns"),
    [
        (lambda m, h: [m.mean(h), m.one(h).squeeze(-1).reshape(-1, 1)],
         {"mean.weight": "y[0:2] h1", "one.weight": "y[2:3] h1"}),
        (lambda m, h: [m.one(h).squeeze(-1).unsqueeze(-1), m.mean(h)],
         {"one.weight": "y[0:1] h1", "mean.weight": "y[1:3] h1"}),
        (lambda m, h: [torch.stack([m.one(h)[:, 0], torch.exp(m.two(h).squeeze(1))], dim=-1)],
         {"one.weight": "y[0:1] h1", "two.weight": "y[1:2] h1"}),
        (lambda m, h: [(m.one(h)[:, 0] * 2)[:, None], m.other(h)],
         {"one.weight": "y[0:1] h1", "other.weight": "y[1:4] h1"}),
    ],
    ids=["squeezed", "back again", "stacked", "a column"],
)  # fmt: skip
def test_an_output_that_lost_its_axis_is_still_a_neuron(heads: Heads, patterns: dict[str, str]) -> None:
    module = Several(heads)
    layout = layout_for(module, X)
    assert layout.outputs == "y" and {name: layout.tensors[name].pattern for name in patterns} == patterns
    verify(module, layout, X)


@pytest.mark.parametrize(
    "heads",
    [
        lambda m, h: [m.mean(h), m.other(h) * torch.tensor([1.0, 2.0, 3.0])],
        lambda m, h: [m.mean(h).flip(-1), m.other(h)],
        lambda m, h: [mean := m.mean(h), m.other(h), mean.exp()],
        lambda m, h: [mean := m.mean(h), mean.sum(-1, keepdim=True)],
        lambda m, h: [m.mean(h), X[: len(h)]],
    ],
    ids=["unequal", "turned", "twice", "with their sum", "with numbers"],
)
def test_outputs_that_no_group_says_stay_in_place(heads: Heads) -> None:
    module = Several(heads)
    layout = layout_for(module, X)
    assert layout.outputs == "" and layout.tensors["body.weight"].pattern == "h1 x"
    verify(module, layout, X)


def test_inputs_that_are_passed_on_stay_in_place() -> None:
    class Passed(Several):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([self.mean(torch.tanh(self.body(x))), x], dim=-1)

    module = Passed(lambda m, h: [h])
    layout = layout_for(module, X)
    assert layout.outputs == "" and layout.tensors["mean.weight"].pattern.endswith(" h1")
    verify(module, layout, X)
