"""Modules whose calls are a chain of layers are read as one; all others are traced."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune

from bimt_train.checkpoints import from_module
from bimt_train.checkpoints.readers._module_chain import chain_of_module


def linear(*widths: int) -> list[nn.Linear]:
    return [nn.Linear(a, b) for a, b in pairwise(widths)]


class Called(nn.Module):
    """Layers with functions between them, written out in forward."""

    def __init__(self, between: object, before: object = None, after: object = None) -> None:
        super().__init__()
        self.fc1, self.fc2, self.fc3 = linear(4, 6, 5, 2)
        self.between, self.before, self.after = between, before, after
        self.register_buffer("mean", torch.arange(4.0))

    def forward(self, x: Tensor) -> Tensor:
        h = self.before(self, x) if self.before else x
        h = self.fc3(self.between(self.fc2(self.between(self.fc1(h)))))
        return self.after(h) if self.after else h


def normed() -> nn.Module:
    a, b = linear(4, 6, 2)
    norms = nn.BatchNorm1d(4), nn.BatchNorm1d(6), nn.BatchNorm1d(2, affine=False)
    for norm in norms:
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
        if norm.affine:
            norm.weight.data.normal_()
            norm.bias.data.normal_()
    return nn.Sequential(norms[0], a, nn.ReLU(), norms[1], nn.Dropout(), b, norms[2])


def pruned() -> nn.Module:
    a, b = linear(4, 6, 2)
    prune.l1_unstructured(a, "weight", 0.5)
    return nn.Sequential(a, nn.Tanh(), parametrizations.weight_norm(b))


CHAINS = {
    "nested": lambda: nn.Sequential(nn.Flatten(), nn.Sequential(*linear(4, 6), nn.SiLU()), *linear(6, 2)),
    "settings": lambda: nn.Sequential(*linear(4, 6), nn.LeakyReLU(0.3), *linear(6, 2)),
    "no biases": lambda: nn.Sequential(nn.Linear(4, 6, bias=False), nn.GELU("tanh"), nn.Linear(6, 2, bias=False)),
    "batch norms": normed,
    "masks and weight norms": pruned,
    "functions": lambda: Called(functional.relu),
    "settings of functions": lambda: Called(lambda h: functional.gelu(h, approximate="tanh")),
    "methods": lambda: Called(lambda h: h.tanh()),
    "in place": lambda: Called(lambda h: torch.relu_(functional.dropout(h, 0.5, False))),
    "scaled": lambda: Called(torch.sigmoid, lambda m, x: 3 * (x - m.mean) / 2 - 1, lambda h: 0.5 - h * 2),
    "rows flattened": lambda: Called(torch.relu, lambda _, x: x.view(x.size(0), -1)),
    "ends in tanh": lambda: nn.Sequential(*linear(4, 6), nn.Tanh(), *linear(6, 2), nn.Tanh()),
    "a layer": lambda: nn.Linear(4, 2),
    "half precision": lambda: nn.Sequential(*linear(4, 6), nn.ReLU(), *linear(6, 2)).bfloat16(),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_becomes_an_mlp_that_computes_the_same(name: str) -> None:
    torch.manual_seed(0)
    module, x = CHAINS[name]().eval(), torch.randn(40, 4)
    checkpoint = from_module(module, x)
    assert checkpoint.network.model.kind == "mlp"
    wanted = module.to(torch.float64)(x.double()).detach()
    np.testing.assert_allclose(checkpoint.network.predict(checkpoint.network.rows(x)), wanted, atol=1e-6)
    assert "read as a chain" in checkpoint.config["assumed"][0]


def hooked() -> nn.Module:
    module = nn.Sequential(*linear(4, 6), nn.ReLU(), *linear(6, 2))
    module[0].register_forward_hook(lambda *_: None)
    return module


def shared() -> nn.Module:
    a, b, c = linear(4, 4, 4, 2)
    b.weight = a.weight
    return nn.Sequential(a, nn.ReLU(), b, nn.ReLU(), c)


def called_twice() -> nn.Module:
    a, b = linear(4, 4, 2)
    return nn.Sequential(a, nn.ReLU(), a, nn.ReLU(), b)


class Sum(nn.Linear):
    """A layer of a class of its own."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) + x.sum(1, keepdim=True)


OTHERS = {
    "hooks": hooked,
    "shared weights": shared,
    "a layer called twice": called_twice,
    "two activations": lambda: nn.Sequential(*linear(4, 6), nn.ReLU(), *linear(6, 6), nn.Tanh(), *linear(6, 2)),
    "a slope for each neuron": lambda: nn.Sequential(*linear(4, 6), nn.PReLU(6), *linear(6, 2)),
    "layers without an activation": lambda: nn.Sequential(*linear(4, 6, 2)),
    "layer norm": lambda: nn.Sequential(*linear(4, 6), nn.LayerNorm(6), nn.ReLU(), *linear(6, 2)),
    "a skip": lambda: Called(lambda h: h + torch.relu(h)),
    "a gain that is trained": lambda: Called(torch.relu, lambda m, x: x * m.fc1.weight[0]),
    "dropout that stays": lambda: Called(lambda h: functional.dropout(h, 0.5)),
    "ends in relu": lambda: nn.Sequential(*linear(4, 6), nn.ReLU(), *linear(6, 2), nn.ReLU()),
    "divided by what is computed": lambda: Called(lambda h: 1 / h),
    "a class of its own": lambda: nn.Sequential(Sum(4, 6), nn.ReLU(), *linear(6, 2)),
    "norm of the rows at hand": lambda: nn.Sequential(
        *linear(4, 6), nn.BatchNorm1d(6, track_running_stats=False), nn.ReLU(), *linear(6, 2)
    ),
    "a branch": lambda: Called(lambda h: h if h.sum() > 0 else torch.relu(h)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_chain_is_left_to_tracing(name: str) -> None:
    torch.manual_seed(0)
    assert chain_of_module(OTHERS[name]().eval(), torch.randn(40, 4)) is None


def test_a_named_argument_and_rows_of_images() -> None:
    module, x = nn.Sequential(nn.Flatten(), *linear(6, 3), nn.ReLU(), *linear(3, 1)), torch.randn(20, 1, 2, 3)
    checkpoint = from_module(module, {"input": x})
    rows = checkpoint.network.rows(x)
    assert checkpoint.network.model.kind == "mlp" and rows.shape == (20, 6)
    np.testing.assert_allclose(checkpoint.network.predict(rows), module(x).detach(), atol=1e-6)


def test_an_end_in_chances_is_taken_away_for_classes_alone() -> None:
    module, x = nn.Sequential(*linear(4, 6), nn.ReLU(), *linear(6, 3), nn.LogSoftmax(-1)), torch.randn(60, 4)
    logits = module[:3](x).detach()
    checkpoint = from_module(module, x, y=logits.argmax(1))
    assert checkpoint.network.model.kind == "mlp" and checkpoint.task.loss == "cross-entropy"
    np.testing.assert_allclose(checkpoint.network.predict(x.numpy()), logits, atol=1e-6)
    assert "outputs: the numbers before the softmax with which the module ends" in checkpoint.config["assumed"]
    assert chain_of_module(module, x).final == "logsoftmax"  # and without targets the module is traced whole
