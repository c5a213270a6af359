"""Public results can be pickled and copied, and the copies are as frozen as the results."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import torch

from bimt_analyze import audit
from bimt_train import Recipe, train
from bimt_train.integrations import Penalty
from bimt_train.layouts import layout_for
from bimt_train.tasks import independence


def through_file(dump, load):
    def copied(value):
        file = io.BytesIO()
        dump(value, file)
        file.seek(0)
        return load(file)

    return copied


COPIES = {
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "deepcopy": copy.deepcopy,
    "joblib": through_file(joblib.dump, joblib.load),
    "torch": through_file(torch.save, lambda file: torch.load(file, weights_only=False)),
}


@pytest.fixture(scope="module")
def values(report):
    runs = train(independence(), seeds=2, recipe=Recipe(steps=4))
    checkpoint = runs.best.checkpoint
    found = audit(checkpoint, samples=20, retrain_steps=0, refit_steps=0, controls=0)
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    return {
        "task": independence(), "runs": runs, "checkpoint": checkpoint, "network": checkpoint.network,
        "layout": layout_for(module), "placement": checkpoint.network.placement, "recipe": Recipe(),
        "report": report, "formula": report.formulas["y1"], "audit": found, "graph": found.graph,
        "partition": found.partition, "circuit": found.circuit,
    }  # fmt: skip


NAMES = (
    "task", "runs", "checkpoint", "network", "layout", "placement", "recipe", "report", "formula", "audit", "graph",
    "partition", "circuit",
)  # fmt: skip


@pytest.mark.parametrize("how", COPIES)
@pytest.mark.parametrize("name", NAMES)
def test_a_copy_shows_what_the_value_shows(name, how, values):
    copied = COPIES[how](values[name])
    assert type(copied) is type(values[name]) and repr(copied) == repr(values[name])


def test_a_copied_network_computes_the_same_and_cannot_be_changed(values):
    x = np.random.default_rng(0).uniform(-1, 1, (20, 4))
    copied = copy.deepcopy(values["network"])
    assert (copied.predict(x) == values["network"].predict(x)).all()
    with pytest.raises(ValueError, match="read-only"):
        copied.tensors["layers.0.weight"][0, 0] = 1.0
    with pytest.raises(TypeError, match="cannot be changed"):
        copied.tensors["layers.0.weight"] = np.zeros(1)


def test_copied_reports_are_written_alike(values):
    copied = pickle.loads(pickle.dumps(values["report"]))
    assert copied.to_json() == values["report"].to_json()


def test_a_penalty_in_the_middle_of_a_training_can_be_saved():
    module = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1))
    penalty = Penalty.of(module)
    copied = COPIES["torch"](penalty)
    assert copied.cost(module).item() == penalty.cost(module).item() > 0
