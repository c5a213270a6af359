"""Losses agree with torch's own, and no constant answer loses less than the one that a loss names."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from bimt_train.losses import LOSSES

SEEDS, ROWS, OUTPUTS = 3, 40, 4


def drawn(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Outputs and targets of a few seeds."""
    generator = torch.Generator().manual_seed(1)
    outputs = torch.randn(SEEDS, ROWS, OUTPUTS, generator=generator, dtype=torch.float64)
    numbers = torch.randint(0, OUTPUTS, (SEEDS, ROWS), generator=generator)
    targets = {
        "numbers": torch.randn(SEEDS, ROWS, OUTPUTS, generator=generator, dtype=torch.float64),
        "class": F.one_hot(numbers, OUTPUTS).double(),
        "labels": (torch.rand(SEEDS, ROWS, OUTPUTS, generator=generator) < 0.3).double(),
        "tokens": torch.randint(0, OUTPUTS, (SEEDS, ROWS, 5), generator=generator).double(),
    }
    if LOSSES[name].targets == "tokens":
        outputs = torch.randn(SEEDS, ROWS, 5, OUTPUTS, generator=generator, dtype=torch.float64)
    return outputs, targets[LOSSES[name].targets]


def torchs(name: str, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    if name == "mse":
        return F.mse_loss(outputs, targets)
    if LOSSES[name].targets == "labels":
        return F.binary_cross_entropy_with_logits(outputs, targets)
    if name == "cross-entropy":
        return F.cross_entropy(outputs, targets.argmax(-1))
    return F.cross_entropy(outputs.flatten(0, 1), targets.long().flatten())


@pytest.mark.parametrize("name", LOSSES.names())
def test_each_seed_has_torchs_loss(name):
    outputs, targets = drawn(name)
    expected = torch.stack([torchs(name, o, t) for o, t in zip(outputs, targets, strict=True)])
    torch.testing.assert_close(LOSSES[name].function(outputs, targets), expected)


@pytest.mark.parametrize("name", LOSSES.names())
def test_no_constant_loses_less_than_the_one_that_is_named(name):
    outputs, targets = drawn(name)
    best = LOSSES[name].constant(targets[0], OUTPUTS)
    least = LOSSES[name].function(best.expand_as(outputs[0])[None], targets[:1])
    rng = np.random.default_rng(0)
    for _ in range(50):
        moved = best + torch.tensor(rng.normal(scale=0.1, size=tuple(best.shape[-1:])))
        assert LOSSES[name].function(moved.expand_as(outputs[0])[None], targets[:1]) >= least - 1e-12


def test_a_label_is_right_on_its_own_side_of_zero():
    outputs = torch.tensor([[[2.0, -1.0], [-0.5, 3.0]]])
    targets = torch.tensor([[[1.0, 1.0], [0.0, 1.0]]])
    assert LOSSES["bce"].right is not None
    assert float(LOSSES["bce"].right(outputs, targets)[0]) == 0.75


def test_a_row_of_labels_is_right_where_all_are():
    outputs = torch.tensor([[[2.0, -1.0], [-0.5, 3.0]]])
    targets = torch.tensor([[[1.0, 1.0], [0.0, 1.0]]])
    assert LOSSES["multi-label"].right is not None
    assert float(LOSSES["multi-label"].right(outputs, targets)[0]) == 0.5


def test_a_label_that_is_always_true_has_a_finite_constant():
    constant = LOSSES["bce"].constant(torch.ones(5, 1, dtype=torch.float64), 1)
    assert torch.isfinite(constant).all() and float(constant[0]) > 10
