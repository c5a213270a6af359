"""Tables: linear between their points, as scipy has it."""

import numpy as np
import pytest
import torch
from scipy.interpolate import RegularGridInterpolator
from torch import nn

from bimt_analyze.in_place._lookup_table import LookupTable
from bimt_train import InputError

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("sizes", [(5,), (4, 7), (2, 3, 4)], ids=str)
def test_it_agrees_with_scipy(sizes: tuple[int, ...]) -> None:
    axes = [np.sort(RNG.uniform(-2, 2, size)) for size in sizes]
    values = RNG.normal(size=(*sizes, 3))
    low, high = np.array([(axis[0], axis[-1]) for axis in axes]).T
    x = RNG.uniform(low, high, (50, len(sizes)))
    expected = RegularGridInterpolator(axes, values)(x)
    table = LookupTable(axes, values)
    given = table(torch.tensor(x).reshape(5, 10, len(sizes))).detach().numpy()
    np.testing.assert_allclose(given.reshape(50, 3), expected, atol=1e-12)
    beyond = table(torch.tensor(x + 100)).detach().numpy()
    np.testing.assert_allclose(beyond, np.broadcast_to(values[(-1,) * len(sizes)], (50, 3)), atol=1e-12)


def test_few_values_are_points_and_exact() -> None:
    net = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 2))
    x = torch.tensor([[a, b] for a in (0.0, 1.0, 5.0) for b in (-2.0, 3.0)])
    table = LookupTable.of(net, "", x=x)
    assert table.sizes == (3, 2)
    torch.testing.assert_close(table(x), net(x))


def test_an_input_that_does_not_vary() -> None:
    table = LookupTable([np.array([1.0]), np.array([0.0, 1.0])], np.array([[[2.0], [4.0]]]))
    assert table(torch.tensor([[9.0, 0.5]])).item() == 3.0


def test_values_are_trained() -> None:
    table = LookupTable([np.linspace(0, 1, 3)], np.zeros((3, 1)))
    table(torch.tensor([[0.25]])).sum().backward()
    assert table.values.grad.flatten().tolist() == [0.5, 0.5, 0.0]


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(InputError, match=r"do not fit the axes: expected \[2, outputs\], got \[3, 1\]"):
        LookupTable([np.arange(2.0)], np.zeros((3, 1)))
    with pytest.raises(InputError, match="points that do not grow: axis 0"):
        LookupTable([np.array([1.0, 1.0])], np.zeros((2, 1)))
    wide = nn.Linear(6, 1)
    with pytest.raises(InputError, match="too large: the whole model: expected 1,000,000 points"):
        LookupTable.of(wide, "", x=torch.rand(50, 6))
    with pytest.raises(InputError, match="too few points: points: expected 2 or more, got 1"):
        LookupTable.of(wide, "", x=torch.rand(50, 6), points=1)
