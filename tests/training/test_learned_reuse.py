"""Learned reuse: weights out of rules, what they pay, and the checkpoint that has both."""

import json

import numpy as np
import pytest
import torch

from bimt_train import ConnectionCost, InputError, Recipe, Relocation, Reuse, train
from bimt_train._cli import main
from bimt_train.checkpoints import load_checkpoint, save_checkpoint
from bimt_train.models import MLP, ImageMLP
from bimt_train.tasks import formula_task, pipeline
from bimt_train.training._stack import shapes_of
from bimt_train.training.parameters._reuse import reused

SHORT = Recipe(steps=20, lr=5e-3, relocation=Relocation(every=10), reuse=Reuse(blocks=5, rules=2))


@pytest.fixture(scope="module")
def runs():
    return train(pipeline(rows=(40, 20)), seeds=2, recipe=SHORT, kind="bimt+reuse")


def block_by_block(made, name, blocks, bias=None):
    """The weight, and where rules give it the bias, by loops over places and rules."""
    use, own = made[f"use.{name}"], made[f"own.{name}"].copy()
    height, width = own.shape[0] // blocks[0], own.shape[1] // blocks[1]
    shift = np.zeros(own.shape[0])
    for p in range(blocks[0]):
        for q in range(blocks[1]):
            for k in range(use.shape[2]):
                rows, columns = slice(p * height, (p + 1) * height), slice(q * width, (q + 1) * width)
                own[rows, columns] += use[p, q, k] * made[f"rule.{height}x{width}"][k]
                shift[rows] += use[p, q, k] * made.get(f"rule.{height}x{width}.bias", np.zeros((9, height)))[k]
    return own, shift


def test_every_block_is_the_sum_of_rules_and_weights_of_its_own(runs):
    for run in runs.runs:
        made, tensors = dict(run.checkpoint.network.generator), run.checkpoint.network.tensors
        for layer in (0, 1, 2):
            weight, bias = block_by_block(made, f"layers.{layer}.weight", (5, 5))
            np.testing.assert_allclose(tensors[f"layers.{layer}.weight"], weight, atol=1e-5)
            bias = bias if layer < 2 else made["own.layers.2.bias"]
            np.testing.assert_allclose(tensors[f"layers.{layer}.bias"], bias, atol=1e-5)


def test_pixels_fall_into_blocks_from_left_to_right():
    module = ImageMLP([12, 4, 2], [3, 4], generator=torch.Generator().manual_seed(0))
    parameters = reused(module.layout(), shapes_of(module), blocks=2, rules=1)
    rng = np.random.default_rng(0)
    made = {name: rng.normal(size=shape) for name, shape in parameters.shapes.items()}
    own = made["own.layers.0.weight"]
    made["own.layers.0.weight"] = np.zeros_like(own)
    found = parameters.tensors({name: torch.tensor(array)[None] for name, array in made.items()})["layers.0.weight"][0]
    image = found.numpy().reshape(2, 2, 3, 4)  # block and neuron, row, column
    halves = image[..., :2], image[..., 2:]
    use = made["use.layers.0.weight"][..., 0]
    for p in range(2):
        np.testing.assert_allclose(halves[0][p] / use[p, 0], halves[1][p] / use[p, 1])


def test_a_rule_pays_its_cheapest_place_once_and_a_coefficient_the_mean_of_its_block():
    module = MLP([4, 6, 2], generator=torch.Generator().manual_seed(0))
    layout = module.layout()
    parameters = reused(layout, shapes_of(module), blocks=2, rules=1)
    from bimt_train.layouts import Placement

    price = ConnectionCost().prices(layout, Placement.identity(layout), shapes_of(module))
    paid, first = parameters.prices(price), price["layers.0.weight"]
    places = [first[3 * p : 3 * p + 3, 2 * q : 2 * q + 2] for p in (0, 1) for q in (0, 1)]
    np.testing.assert_allclose(paid["rule.3x2"][0], np.min(places, axis=0))
    np.testing.assert_allclose(paid["use.layers.0.weight"].ravel(), [place.mean() for place in places])
    np.testing.assert_array_equal(paid["own.layers.0.weight"], first)


def test_a_run_says_how_many_numbers_it_has(runs, tmp_path):
    run = runs.runs[0]
    counted = sum(int((np.abs(array) > 0.01).sum()) for array in run.checkpoint.network.generator.values())
    assert run.to_json()["parameters"] == run.checkpoint.config["parameters"] == counted
    assert counted < sum((np.abs(array) > 0.01).sum() for array in run.checkpoint.network.tensors.values())
    assert run.checkpoint.config["engine"] == "torch"
    save_checkpoint(tmp_path / "net.safetensors", run.checkpoint)
    again = load_checkpoint(tmp_path / "net.safetensors")
    assert again.network.parameters == counted and set(again.network.generator) == set(run.checkpoint.network.generator)
    assert all(
        (again.network.generator[name] == array).all() for name, array in run.checkpoint.network.generator.items()
    )
    save_checkpoint(tmp_path / "again.safetensors", again)
    assert (tmp_path / "net.safetensors").read_bytes() == (tmp_path / "again.safetensors").read_bytes()


def test_a_seed_is_the_same_in_any_company(runs):
    alone = train(pipeline(rows=(40, 20)), seeds=[1], recipe=SHORT, kind="bimt+reuse").runs[0].checkpoint
    for name, array in runs.runs[1].checkpoint.network.tensors.items():
        np.testing.assert_allclose(alone.network.tensors[name], array, atol=1e-5)


def test_other_types_have_no_rules():
    assert SHORT.as_type("bimt").reuse is None and Recipe().as_type("bimt+reuse").reuse == Reuse()
    assert SHORT.as_type("bimt+reuse").cost == SHORT.as_type("bimt").cost
    assert Recipe.from_json(SHORT.to_json()) == SHORT


def test_rules_that_nothing_uses_twice_are_refused():
    task = formula_task(["y = x1*x2"], widths=(2, 7, 1))
    with pytest.raises(InputError, match="nothing to use twice"):
        train(task, seeds=1, recipe=SHORT, kind="bimt+reuse")
    with pytest.raises(InputError, match="2 blocks or more"):
        Reuse(blocks=1)
    with pytest.raises(InputError, match="weights are generated"):
        train(pipeline(), seeds=1, recipe=SHORT, kind="bimt+reuse", engine="compiled")


def test_blocks_from_the_shell(tmp_path, capsys):
    words = ["y = x1*x2 + x3*x4", "--steps", "5", "--seeds", "1", "--quiet", "--out", str(tmp_path)]
    assert main([*words, "--type", "bimt+reuse", "--blocks", "4"]) == 0
    checkpoint = load_checkpoint(tmp_path / "seed-000.safetensors")
    assert checkpoint.config["recipe"]["reuse"] == {"blocks": 4, "rules": 1}
    assert json.loads((tmp_path / "runs.json").read_text())["records"][0]["parameters"] == checkpoint.network.parameters
    assert str(checkpoint.network.parameters) in capsys.readouterr().out
    assert main([*words, "--blocks", "4"]) == 2
    assert "--blocks is for --type bimt+reuse" in capsys.readouterr().err
