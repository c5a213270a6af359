"""Modules as people write them: tensors made on the way, wrappers, norms by image, distances; and what is refused."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bimt_train import InputError
from bimt_train.layouts._inputs import Inputs
from bimt_train.models.traced import trace_module
from bimt_train.models.traced._as_run import as_run


class Steps(nn.Module):
    """A state that begins as zeros of torch's default type."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.RNNCell(2, 3), nn.Linear(3, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(x.shape[0], 3)
        for step in range(x.shape[1]):
            h = self.cell(x[:, step], h)
        return self.out(h)


class Bumps(nn.Module):
    """A radial basis."""

    def __init__(self) -> None:
        super().__init__()
        self.centres, self.out = nn.Parameter(torch.randn(4, 3)), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(torch.exp(-(torch.cdist(x, self.centres) ** 2)))


def normed_by_image() -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 3, 2), nn.InstanceNorm2d(3, affine=True), nn.Conv2d(3, 1, 2))


@pytest.mark.parametrize(
    ("make", "shape", "hidden"),
    [
        (Steps, (2, 2), 3),
        (Bumps, (3,), 4),
        (normed_by_image, (2, 4, 4), 3),
    ],
)
def test_a_module_is_traced_and_computes_the_same(make: type[nn.Module], shape: tuple[int, ...], hidden: int) -> None:
    torch.manual_seed(0)
    module, x = make().eval(), torch.randn(9, *shape)
    if len(shape) == 3:
        x = x.to(memory_format=torch.channels_last)
    traced = trace_module(module, x)
    assert traced.layout.sizes["h1"] == hidden
    found = traced.module(torch.tensor(traced.module._options.rows(x)).float()).detach()
    np.testing.assert_allclose(found.reshape(9, -1), module(x).detach().reshape(9, -1), atol=1e-5)


def test_a_mixture_by_rows_at_hand_is_no_norm_by_image() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4, track_running_stats=False), nn.ReLU(), nn.Linear(4, 1))
    with pytest.raises(InputError, match="rows must be independent"):
        trace_module(module, torch.randn(9, 3))


def test_wrappers_that_spread_rows_fall_away() -> None:
    inner = nn.Linear(3, 2)
    module = nn.Sequential(nn.DataParallel(inner), nn.Tanh())
    own = as_run(nn.DataParallel(module), Inputs.of(torch.randn(5, 3))).module
    assert sorted(own.state_dict()) == ["0.bias", "0.weight"] and module[0].module is inner


class Packed(nn.Module):
    """As torch's quantised layers keep their weights."""

    def get_extra_state(self) -> object:
        return (torch.qint8, None)

    def set_extra_state(self, state: object) -> None:
        pass


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace")
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: nn.Sequential(nn.LazyLinear(4)), "weights that were never made: tensor '0.weight'"),
        (lambda: nn.Sequential(Packed()), "a quantised module: tensor '0._extra_state'.*before it was quantised"),
        (lambda: torch.jit.trace(nn.Linear(3, 2), torch.randn(2, 3)), "a module of TorchScript.*before torch.jit"),
    ],
)
def test_weights_that_cannot_be_read_are_refused_by_name(make: type[nn.Module], said: str) -> None:
    with pytest.raises(InputError, match=said):
        as_run(make(), Inputs.of(torch.randn(5, 3)))
