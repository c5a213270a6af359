"""A network that does not fit its rows as it was read is read in other ways, and the one that fits is told."""

import numpy as np
import pytest
import torch
from torch import nn

from bimt_train import CheckpointError, InputError
from bimt_train.checkpoints import from_state_dict, task_score
from bimt_train.checkpoints.readers.other_readings import other_readings

RNG = np.random.default_rng(0)
RAW = RNG.normal(size=(300, 2)) * [50.0, 0.01] + [1000.0, 0.05]
UNITS = (RAW - RAW.mean(0)) / RAW.std(0)


def fitted(activation: nn.Module, end: nn.Module, x: np.ndarray, y: np.ndarray) -> nn.Sequential:
    """A network with random hidden layers, whose last layer is solved for."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(x.shape[1], 60), activation, nn.Linear(60, y.shape[1]), end).double()
    with torch.no_grad():
        module[0].weight *= 2
        hidden = activation(module[0](torch.tensor(x)))
        wide = torch.cat([hidden, torch.ones(len(x), 1, dtype=torch.float64)], 1)
        solved = torch.linalg.lstsq(wide, torch.tensor(y)).solution
        module[2].weight.copy_(solved[:-1].T)
        module[2].bias.copy_(solved[-1])
    return module


def test_raw_rows_of_a_network_that_saw_standardised_ones():
    y = UNITS[:, :1] * UNITS[:, 1:]
    state = fitted(nn.SiLU(), nn.Identity(), UNITS, y).state_dict()
    wrong = from_state_dict(state, activation="silu", x=RAW, y=y)
    assert not task_score(wrong).fits
    (told,) = other_readings(wrong)
    assert told.options == {"standardize": "inputs"} and told.score.score > 0.99
    right = from_state_dict(state, activation="silu", x=RAW, y=y, standardize="inputs")
    assert task_score(right).score == pytest.approx(told.score.score) and other_readings(right) == ()


def test_a_wrong_activation():
    y = UNITS[:, :1] * UNITS[:, 1:]
    state = fitted(nn.Tanh(), nn.Identity(), UNITS, y).state_dict()
    (told,) = other_readings(from_state_dict(state, activation="relu", x=UNITS, y=y))
    assert told.options == {"activation": "tanh"}
    assert other_readings(from_state_dict(state, activation="tanh", x=UNITS, y=y)) == ()


def test_standardised_targets():
    y = UNITS[:, :1] * UNITS[:, 1:]
    state = fitted(nn.Tanh(), nn.Identity(), UNITS, (y - y.mean()) / y.std()).state_dict()
    (told,) = other_readings(from_state_dict(state, activation="tanh", x=RAW, y=100 + 30 * y))
    assert told.options == {"standardize": "both"}


def test_an_end_that_is_no_part_of_the_loss_is_the_networks_own():
    y = UNITS[:, :1] * UNITS[:, 1:] / 10
    state = fitted(nn.Tanh(), nn.Tanh(), UNITS, np.arctanh(np.clip(y, -0.9, 0.9))).state_dict()
    checkpoint = from_state_dict(state, activation="tanh", x=UNITS, y=np.clip(y, -0.9, 0.9), final="tanh")
    assert checkpoint.network.model.options["final"] == "tanh"
    assert task_score(checkpoint).score > 0.99
    assert np.abs(checkpoint.predict(UNITS * 100)).max() <= 1


def test_classes_in_one_column_have_no_units():
    state = nn.Linear(2, 3).double().state_dict()
    wrong = from_state_dict(state, activation="relu", x=UNITS, y=(UNITS[:, :1] > 0).astype(float))
    assert wrong.task.loss == "cross-entropy" and other_readings(wrong) == ()


def test_a_network_that_fits_is_left_alone_and_noise_is_no_reason():
    y = UNITS[:, :1] * UNITS[:, 1:] + RNG.normal(size=(300, 1)) * 0.7
    state = fitted(nn.Tanh(), nn.Identity(), UNITS, y).state_dict()
    assert other_readings(from_state_dict(state, activation="tanh", x=UNITS, y=y)) == ()


@pytest.mark.parametrize(
    ("about", "error", "words"),
    [
        ({"loss": "hinge"}, InputError, "unknown loss"),
        ({"final": "step"}, InputError, "unknown activation"),
        ({"standardize": "rows"}, InputError, "unknown units"),
        ({"loss": "bce"}, CheckpointError, "targets that cannot be judged so"),
        ({"loss": "cross-entropy"}, CheckpointError, "targets that cannot be judged so"),
        ({"y": None, "standardize": "both"}, InputError, "outputs without targets of their own"),
        ({"y": None, "loss": "bce"}, CheckpointError, "a loss without targets"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(about, error, words):
    state = nn.Linear(2, 1).double().state_dict()
    with pytest.raises(error, match=words):
        from_state_dict(state, **{"activation": "relu", "x": UNITS, "y": UNITS[:, :1]} | about)


def test_a_reading_that_misses_nothing_to_speak_of_is_not_called_wrong() -> None:
    """Sure logits of -1 and 1: held between -1 and 1 by tanh they fit, however much nearer another reading comes."""
    x = np.where(np.arange(60) % 3 == 0, -1.0, 1.0)[:, None] * np.linspace(1, 2, 60)[:, None]
    state = {"0.weight": np.ones((1, 1)), "2.weight": np.array([[9.0]])}
    checkpoint = from_state_dict(state, activation="tanh", x=x, y=np.sign(x))
    assert checkpoint.network.model.options["final"] == "tanh"
    assert 0 < np.abs(checkpoint.predict(x) - np.sign(x)).max() < 1e-3
    assert other_readings(checkpoint) == ()


def test_where_no_reading_fits_the_plainest_is_taken() -> None:
    state = {"W1": np.full((1, 2), 5.0)}
    x = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    checkpoint = from_state_dict(state, activation="tanh", x=x, y=np.sin(9 * x[:, :1]))
    assert "final" not in checkpoint.network.model.options  # a tanh would be less far from the targets
