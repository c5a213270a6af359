"""Evidence over time: the data against a direct computation, and the command line."""

import json

import numpy as np
import pytest

from bimt_train import TaskError
from bimt_train._cli import main
from bimt_train.checkpoints import load_checkpoint
from bimt_train.tasks import evidence, resolve_task


@pytest.mark.parametrize("steps", [1, 4])
def test_targets_are_sizes_of_sums_over_time(steps: int) -> None:
    task = evidence(steps=steps, rows=(30, 10))
    data = task.data(3)
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        a, b, c, d = np.abs(x.reshape(-1, steps, 4).sum(1)).T
        np.testing.assert_allclose(y, np.stack([a + b, b - c, d], axis=1), atol=1e-12)
    assert data.x_train.shape == (30, 4 * steps)
    assert 0.5 < np.abs(data.x_train).max() <= 1


def test_two_questions_share_a_part_and_one_stands_alone() -> None:
    parts = evidence(steps=2).spec.decomposition
    assert parts is not None
    abc, d = (frozenset(f"{c}{t}" for c in channels for t in (1, 2)) for channels in ("abc", "d"))
    assert set(parts.modules()) == {(abc, frozenset({"y1", "y2"})), (d, frozenset({"y3"}))}
    shared = parts.dependencies()["m_b"]
    assert shared < parts.dependencies()["y1"] & parts.dependencies()["y2"] | {"never"}


def test_a_sequence_needs_steps() -> None:
    with pytest.raises(TaskError, match="a sequence without steps"):
        evidence(steps=0)


def test_from_the_shell(tmp_path, capsys) -> None:
    out = tmp_path / "run"
    assert resolve_task("evidence").model.kind == "rnn"
    assert main(["evidence", "--seeds", "2", "--steps", "3", "--out", str(out), "--quiet"]) == 0
    assert "test loss" in capsys.readouterr().out
    assert len(json.loads((out / "runs.json").read_text())["records"]) == 2
    assert load_checkpoint(out / "seed-001.safetensors").network.layout.steps == 5


def test_there_are_no_hidden_layers_to_choose(capsys) -> None:
    assert main(["evidence", "--hidden", "5", "--quiet"]) == 2
    assert "a model without hidden layers to choose" in capsys.readouterr().err
