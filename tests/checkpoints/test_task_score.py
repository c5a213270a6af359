"""A network is held against its rows before anything else is said of it."""

import numpy as np
import pytest
import torch
from torch import nn

from bimt_train.checkpoints import from_state_dict, task_score
from bimt_train.checkpoints.own_outputs import OWN_OUTPUTS

RNG = np.random.default_rng(0)
X = RNG.uniform(-1, 1, (200, 3))


def network(outputs: int = 1, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, outputs)).double()


def said(module: nn.Module, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return module(torch.tensor(x)).numpy()


def read(module: nn.Module, y: np.ndarray, **about):
    return from_state_dict(module.state_dict(), activation="tanh", x=X, y=y, **about)


def test_r2_is_one_minus_the_share_of_the_variance_that_is_missed():
    module = network()
    y = said(module, X) + 0.1 * RNG.normal(size=(200, 1))
    score = task_score(read(module, y))
    expected = 1 - ((y - said(module, X)) ** 2).mean() / y.var()
    assert score.score == pytest.approx(expected, abs=1e-12) and score.baseline == 0 and score.fits


def test_an_untrained_network_is_no_better_than_a_constant():
    y = X[:, :1] * X[:, 1:2] + X[:, 2:] ** 2
    scores = [task_score(read(network(seed=seed), y)) for seed in range(20)]
    assert not any(score.fits for score in scores)


def test_each_output_has_its_own_score():
    module = network(outputs=2)
    y = said(module, X)
    y[:, 1] = RNG.normal(size=200)
    outputs = task_score(read(module, y)).outputs
    assert outputs["y1"] == pytest.approx(1.0) and outputs["y2"] < 0.1


def test_own_outputs_say_nothing_of_a_task():
    checkpoint = read(network(), None)
    assert checkpoint.config["targets"] == OWN_OUTPUTS and task_score(checkpoint) is None


def test_labels_are_judged_by_their_logits():
    module = network(outputs=2)
    logits = said(module, X)
    y = (logits > np.median(logits, axis=0)).astype(float)
    with torch.no_grad():
        module[2].bias -= torch.tensor(np.median(logits, axis=0))
        module[2].weight *= 50
        module[2].bias *= 50
    checkpoint = read(module, y)
    score = task_score(checkpoint)
    assert (checkpoint.task.loss, score.measure, score.score) == ("bce", "accuracy", 1.0)
    assert score.baseline == pytest.approx(0.5, abs=0.01) and score.outputs == {"y1": 1.0, "y2": 1.0}


def test_classes_are_read_from_a_column_of_numbers_or_one_column_a_class():
    module = network(outputs=3)
    with torch.no_grad():
        module[2].weight *= 50
    numbers = said(module, X).argmax(1)
    for y in (numbers[:, None].astype(float), np.eye(3)[numbers]):
        checkpoint = read(module, y)
        assert checkpoint.task.loss == "cross-entropy" and task_score(checkpoint).score == 1.0
    assert checkpoint.task.outputs == ("y1", "y2", "y3")


def test_a_constant_target_that_is_missed_is_not_fitted():
    score = task_score(read(network(), np.full((200, 1), 3.0)))
    assert score.score == 0 and not score.fits
