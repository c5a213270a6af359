"""Networks of the published notebooks whose inputs are tokens."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bimt_train import CheckpointError, ConnectionCost
from bimt_train.checkpoints import from_bimt_notebook, load_checkpoint, read_foreign, save_checkpoint

TOKENS, ENTRIES, CLASSES = 7, 4, 5


class TokenNotebook(nn.Module):
    """The forward pass of the method: vectors of two tokens side by side, each in the same order of slots."""

    def __init__(self, in_perm: list[int], out_perm: list[int], copies: int = 2) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(1)
        self.embedding = nn.Parameter(torch.randn(TOKENS, ENTRIES, generator=draw))
        self.linears = nn.ModuleList()
        for a, b in ((copies * ENTRIES, 6), (6, CLASSES)):
            layer = nn.Module()
            layer.linear = nn.Linear(a, b)
            with torch.no_grad():
                for parameter in layer.parameters():
                    parameter.copy_(torch.randn(parameter.shape, generator=draw))
            self.linears.append(layer)
        self.in_perm = nn.Parameter(torch.tensor(in_perm, dtype=torch.float))
        self.out_perm = nn.Parameter(torch.tensor(out_perm, dtype=torch.float))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        vectors = self.embedding[x.long()][:, :, self.in_perm.long()].flatten(1)
        h = self.linears[1].linear(nn.functional.silu(self.linears[0].linear(vectors)))
        back = torch.zeros(CLASSES, dtype=torch.long)
        back[self.out_perm.long()] = torch.arange(CLASSES)
        return h[:, back]


MIXED = TokenNotebook([2, 0, 3, 1], [4, 0, 3, 1, 2])


def _said(notebook: nn.Module, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        outputs: np.ndarray = notebook.double()(torch.tensor(x)).numpy()
    return outputs


def test_a_notebook_of_tokens_predicts_what_it_did() -> None:
    checkpoint = from_bimt_notebook(MIXED.state_dict())
    x = np.array([[a, b] for a in range(TOKENS) for b in range(TOKENS)], dtype=np.float64)
    right = _said(MIXED, x)
    assert np.allclose(checkpoint.predict(x), right, atol=1e-6)
    assert checkpoint.network.model.kind == "embedding-mlp"
    assert checkpoint.network.placement.slots["e"] == (1, 3, 0, 2)
    rows = np.concatenate([checkpoint.probe.x_train, checkpoint.probe.x_test])
    assert sorted(map(tuple, rows)) == sorted(map(tuple, x))
    labels = np.concatenate([checkpoint.probe.y_train, checkpoint.probe.y_test])
    assert np.array_equal(labels[:, 0], _said(MIXED, rows).argmax(1))


def test_slots_are_those_of_the_notebook() -> None:
    """The cost of the method in slot order, whatever the orders at the ends."""
    network = from_bimt_notebook(MIXED.state_dict()).network
    first, second = (layer.linear.weight.detach().double() for layer in MIXED.linears)
    middle = lambda n: (torch.arange(n).double() + 0.5) / n  # noqa: E731
    total = 0.0
    for weight, into in ((first, middle(ENTRIES).repeat(2)), (second, middle(6))):
        total += float((weight.abs() * ((middle(len(weight))[:, None] - into).abs() + 0.1)).sum())
    biases = sum(0.1 * float(layer.linear.bias.detach().double().abs().sum()) for layer in MIXED.linears)
    cost = ConnectionCost(embedding=0.0).value(network.layout, network.placement, network.tensors)
    assert cost == pytest.approx(total + biases, rel=1e-6)


def test_a_notebook_of_tokens_goes_through_files(tmp_path: Any) -> None:
    torch.save(MIXED.state_dict(), tmp_path / "tokens.pt")
    found = read_foreign(tmp_path / "tokens.pt")
    save_checkpoint(tmp_path / "ours.safetensors", found)
    again = load_checkpoint(tmp_path / "ours.safetensors")
    assert again.config["assumed"] == found.config["assumed"]
    assert np.array_equal(again.predict(found.probe.x_test), found.predict(found.probe.x_test))


def test_three_tokens_without_orders() -> None:
    notebook = TokenNotebook([0, 1, 2, 3], [0, 1, 2, 3, 4], copies=3)
    state = {name: tensor for name, tensor in notebook.state_dict().items() if "perm" not in name}
    x = np.array([[0.0, 6.0, 3.0], [1.0, 1.0, 2.0]])
    assert np.allclose(from_bimt_notebook(state).predict(x), _said(notebook, x), atol=1e-6)


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"ranges": (-1, 1)}, "ranges for inputs that are tokens"),
        ({"x": np.full((9, 2), 0.5)}, "rows that are no tokens"),
        ({"x": np.full((9, 2), 7.0)}, "tokens from 0 to 6"),
        ({"x": np.zeros((9, 2)), "y": np.full((9, 1), 5.0)}, "targets that are no classes"),
        ({"inputs": ("a",)}, "a wrong number of names"),
    ],
)
def test_rows_that_are_no_tokens_are_refused(about: dict[str, Any], words: str) -> None:
    with pytest.raises(CheckpointError, match=words):
        from_bimt_notebook(MIXED.state_dict(), **about)


def test_an_order_over_all_copies_is_refused() -> None:
    """Whether it holds vectors apart is not known of the notebooks."""
    state = {**MIXED.state_dict(), "in_perm": torch.arange(8.0)}
    with pytest.raises(CheckpointError, match="an order that is no permutation"):
        from_bimt_notebook(state)
