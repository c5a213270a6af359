"""Sweeps over fields of the recipe: what is trained, what is written, what is refused, and how one goes on."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bimt_train import RandomRestarts, Recipe, sweep, train
from bimt_train._cli import main
from bimt_train.tasks import independence
from bimt_train.training import Callback, recipe_fields
from bimt_train.training.recipes._recipe_fields import with_value

SHORT = Recipe(steps=20, lr=5e-3)


def test_every_combination_is_trained_under_its_own_recipe(tmp_path):
    found = sweep(independence(), {"lr": [1e-3, 1e-2], "cost.l0": [0.0, 0.5]}, seeds=2, recipe=SHORT, out=tmp_path)
    assert [dict(cell.values) for cell in found.cells] == [
        {"lr": lr, "cost.l0": l0} for lr in (1e-3, 1e-2) for l0 in (0.0, 0.5)
    ]
    alone = train(independence(), seeds=2, recipe=replace(SHORT, lr=1e-2, cost=replace(SHORT.cost, l0=0.5)))
    last = found.cells[-1].runs.runs[1].checkpoint
    for name, tensor in alone.runs[1].checkpoint.network.tensors.items():
        assert np.array_equal(tensor, last.network.tensors[name])
    said = json.loads((tmp_path / "sweep.json").read_text())["cells"]
    assert [cell["folder"] for cell in said] == [cell.folder for cell in found.cells]
    assert all((tmp_path / cell["folder"] / "seed-001.safetensors").exists() for cell in said)
    losses = [run.history[-1]["test_loss"] for run in alone.runs]
    assert said[-1]["test_loss"]["median"] == pytest.approx(np.median(losses))
    frame = found.to_frame()
    assert len(frame) == 8 and set(frame["cost.l0"]) == {0.0, 0.5} and frame["test_loss"].notna().all()


def test_an_interrupted_sweep_goes_on(tmp_path):
    class Impatient(Callback):
        runs = 0

        def on_start(self, recipe, seeds, step):
            self.runs += 1

        def on_record(self, record):
            if self.runs == 2:
                raise KeyboardInterrupt

    over = {"lr": [1e-3, 1e-2, 2e-2]}
    stopped = sweep(independence(), over, seeds=1, recipe=SHORT, out=tmp_path, callbacks=[Impatient()])
    assert stopped.interrupted and len(stopped.cells) == 2
    resumed = sweep(independence(), over, seeds=1, recipe=SHORT, out=tmp_path, resume=True)
    whole = sweep(independence(), over, seeds=1, recipe=SHORT)
    assert not resumed.interrupted
    assert [c["test_loss"] for c in resumed.to_json()["cells"]] == [c["test_loss"] for c in whole.to_json()["cells"]]


def test_each_field_of_a_recipe_can_be_set():
    values = {int: 7, float: 0.25}
    recipe = replace(SHORT, restarts=RandomRestarts())
    for name, kind in recipe_fields().items():
        value = kind[-1] if isinstance(kind, tuple) else values[kind]
        changed = with_value(recipe, name, value).to_json()
        part = changed
        if name == "lambda":
            assert max(phase["strength"] for phase in changed["phases"]) == 0.25
            continue
        for key in name.split("."):
            part = part[key]
        assert part == value, name


def test_what_may_be_left_out_can_be_none_and_what_is_left_out_is_begun():
    assert with_value(replace(SHORT, batch=3), "batch", None).batch is None
    assert with_value(SHORT, "restarts.replicas", 3).restarts == RandomRestarts(replicas=3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lamda=1"], "no such field of a recipe"),
        (["lambda=a"], "lambda: expected a number, got a"),
        (["lambda=-1"], "a lambda that cannot be set"),
        (["lambda"], "a sweep names each field once"),
        (["lr=1", "lr=2"], "a sweep names each field once"),
        (["steps=1.5"], "steps: expected a whole number, got 1.5"),
        (["lambda=1,1"], "values that cannot be swept"),
        (["lr=1e-3,-1"], "a run needs a learning rate"),
        (["lambda=nan"], "lambda: expected a number, got nan"),
        (["lr=1e-3,inf"], "lr: expected a number, got inf"),
        (["batch=0"], "batch: expected 1 or more, or None, got 0"),
        (["warmup=2"], "warmup: expected a fraction"),
        (["decay_from=-1"], "decay_from: expected a fraction"),
        (["final_lr=-1"], "final_lr: expected 0 or more"),
        (["cost.l0=-1"], "a price cannot be negative: l0"),
        (["cost.scale=-1"], "a price cannot be negative: scale"),
        (["relocation.every=-1"], "relocation that cannot be made"),
        (["relocation.method=jump"], "expected assignment, swap, none, got jump"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_anything_is_trained(words, said, tmp_path, capsys):
    sweeps = [part for word in words for part in ("--sweep", word)]
    assert main(["independence", *sweeps, "--quiet", "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not (tmp_path / "run").exists()


def test_a_sweep_from_the_shell(tmp_path, capsys):
    words = ["independence", "--sweep", "lambda=1e-3,1e-2", "--seeds", "2", "--steps", "9", "--quiet"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].split()[:2] == ["lambda", "seeds"] and [line.split()[0] for line in said[1:3]] == ["0.001", "0.01"]
    assert said[3] == f"2 folders of runs and sweep.json in {tmp_path}"
    assert (tmp_path / "lambda=0.01" / "runs.json").exists()
