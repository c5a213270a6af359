"""Modules as files, and in the hidden layers of a network that is trained."""

import json
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from bimt_train import CheckpointError, InputError, Recipe, train
from bimt_train._cli import command
from bimt_train.library import StoredModule, load_module
from bimt_train.library._from_modules import from_modules
from bimt_train.models import MLP
from bimt_train.tasks import formula_task

RNG = np.random.default_rng(0)


def module(*, inputs=("x1", "x3"), outputs=("y1",), hidden=(3, 2), activation="silu"):
    sizes = [len(inputs), *hidden, len(outputs)]
    layers = tuple((RNG.normal(size=(b, a)), RNG.normal(size=b)) for a, b in pairwise(sizes))
    return StoredModule(inputs, outputs, layers, activation, {"y1": "(x1 + x3)**3"}, {"task": "independence"})


def test_a_file_holds_all_of_a_module_and_equal_modules_equal_bytes(tmp_path):
    one = module()
    first, second = (one.save(tmp_path / name).read_bytes() for name in ("a.safetensors", "b.safetensors"))
    again = load_module(tmp_path / "a.safetensors")
    assert first == second
    assert (again.inputs, again.outputs, again.activation) == (one.inputs, one.outputs, one.activation)
    assert dict(again.formulas) == dict(one.formulas) and dict(again.provenance) == dict(one.provenance)
    x = RNG.uniform(-1, 1, (5, 2))
    np.testing.assert_array_equal(again.predict(x), one.predict(x))


def test_half_a_file_is_refused_with_what_to_do(tmp_path):
    path = module().save(tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match="hint: copy the file again"):
        load_module(path)


@pytest.mark.parametrize("place", [0.3, 0.99])
def test_a_damaged_file_is_refused(tmp_path, place):
    path = module().save(tmp_path / "a.safetensors")
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError):
        load_module(path)


def test_modules_that_fit_no_network_are_refused():
    task = formula_task(["y1 = x1 + x3"], widths=(2, 4, 4, 1))
    for wrong, words in (
        (module(inputs=("x1", "x9")), "does not have"),
        (module(activation="tanh"), "another activation"),
        (module(hidden=(2, 2, 2)), "more hidden layers"),
        (module(hidden=(9, 2)), "too few neurons"),
    ):
        with pytest.raises(InputError, match=words):
            train(task, seeds=1, recipe=Recipe(steps=1), given=[wrong])
    assert module().reading({"x1": "x2"}).inputs == ("x2", "x3")
    with pytest.raises(InputError, match="no such input"):
        module().reading({"x7": "x2"})


@pytest.mark.parametrize("hidden", [(3,), (3, 2)])
@pytest.mark.parametrize("ranges", [(-1.0, 1.0), (0.0, 4.0)])
def test_outputs_begin_as_what_modules_give(hidden, ranges):
    one = module(hidden=hidden)
    task = formula_task(["y1 = (x1 + x3)**2 + x2"], widths=(3, 8, 8, 1), ranges=ranges, rows=(50, 50))
    data = task.data(0)
    given = one.predict(data.x_train[:, [0, 2]])
    told = type(task)(
        task.spec, task.model, lambda seed: type(data)(data.x_train, 2 * given + 1, data.x_test, data.y_test)
    )
    run = train(told, seeds=1, recipe=Recipe(steps=1, lr=1e-12), given=[one]).best
    np.testing.assert_allclose(run.checkpoint.predict(data.x_train), 2 * given + 1, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("engine", ["auto", "torch"])
def test_kept_modules_stay_and_soft_ones_do_not(engine):
    task, one = formula_task(["y1 = (x1 + x3)**2"], widths=(2, 8, 8, 1)), module(hidden=(3, 2))
    recipe = Recipe(steps=30, lr=1e-2)
    first = {}
    for keep in (True, False):
        runs = train(task, seeds=2, recipe=recipe, given=[one], keep=keep, engine=engine)
        for run in runs.runs:
            weight = run.checkpoint.network.tensors["layers.0.weight"]
            same = np.array_equal(weight[:3], one.layers[0][0].astype(np.float32))
            others = run.checkpoint.network.tensors["layers.1.weight"][:2, 3:]
            assert same == keep and (not others.any()) == keep
            (said,) = run.checkpoint.config["given"]
            assert said["neurons"] == {"h1": [0, 1, 2], "h2": [0, 1]} and said["kept"] == keep and said["used"]
        first[keep] = runs
    alone = train(task, seeds=[1], recipe=recipe, given=[one], engine=engine).best.checkpoint
    np.testing.assert_array_equal(
        alone.network.tensors["layers.1.weight"], first[True].runs[1].checkpoint.network.tensors["layers.1.weight"]
    )


def test_a_network_without_layers_takes_no_modules():
    with pytest.raises(InputError, match="need a network of layers"):
        from_modules([module()], formula_task(["y1 = x1 + x3"]).spec, None, MLP([2, 3, 1]).layout(), keep=True)


def test_the_command_takes_modules_at_other_inputs_and_says_so(tmp_path):
    path = module(inputs=("a", "b")).save(tmp_path / "cube.safetensors")
    words = ["y = (x1 + x2)**3", "--seeds", "1", "--steps", "5", "--out", str(tmp_path / "out"), "--quiet"]
    said = CliRunner().invoke(command, [*words, "--with", f"{path}:a=x1,b=x2", "--soft"], standalone_mode=False)
    assert said.exception is None, said.output
    assert json.loads((tmp_path / "out" / "runs.json").read_text())["records"]
    refused = CliRunner().invoke(command, [*words, "--with", str(path)], standalone_mode=False)
    assert isinstance(refused.exception, InputError) and "does not have" in str(refused.exception)
    for wrong in (["--soft"], ["--with", f"{path}:a=x1,b=x2", "--with", str(tmp_path / "out")]):
        alone = CliRunner().invoke(command, [*words, *wrong], standalone_mode=False)
        assert isinstance(alone.exception, InputError) and alone.exception.hint
