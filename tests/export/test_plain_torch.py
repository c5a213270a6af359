"""Networks of plain torch, not of this project: exported, they give on fresh rows what the user's own module gives."""

from functools import cache

import numpy as np
import pytest
import torch
from test_formats import run_by_a_stranger
from torch import nn

from bimt_analyze import circuit_of, share
from bimt_analyze.export import export_circuit
from bimt_analyze.export._measurement import Measurement, Timing, dense_calls
from bimt_analyze.reuse import module_files
from bimt_analyze.synthetic import block_network
from bimt_train import InputError, Recipe, train
from bimt_train.checkpoints import Network, from_module, from_state_dict
from bimt_train.tasks import formula_task


class Normed(nn.Module):
    def __init__(self):
        super().__init__()
        self.read, self.norm, self.write = nn.Linear(4, 8), nn.LayerNorm(8), nn.Linear(8, 2)

    def forward(self, x):
        return self.write(torch.tanh(self.norm(self.read(x))))


class Convolved(nn.Module):
    def __init__(self):
        super().__init__()
        self.seen, self.read = nn.Conv2d(1, 3, 3, padding=1), nn.Linear(3 * 3 * 3, 2)

    def forward(self, x):
        return self.read(torch.max_pool2d(torch.relu(self.seen(x)), 2).flatten(1))


class Attentive(nn.Module):
    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, dropout=0.0)
        self.embed, self.out = nn.Linear(3, 8), nn.Linear(8, 1)
        self.body = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)

    def forward(self, x):
        return self.out(self.body(self.embed(x)).mean(1))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.state, self.out = nn.LSTM(2, 5, batch_first=True), nn.Linear(5, 1)

    def forward(self, x):
        return self.out(self.state(x)[0][:, -1])


def plain():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))


NETS = {"plain": (plain, (4,)), "layer norm": (Normed, (4,)), "convolution": (Convolved, (1, 6, 6)),
        "transformer": (Attentive, (4, 3)), "lstm": (Recurrent, (5, 2))}  # fmt: skip


@cache
def made(name):
    """The module of a name, rows of it, and the network that is read of it: read once, as nothing changes them."""
    make, shape = NETS[name]
    torch.manual_seed(1)
    module, rows = make().eval(), torch.rand(30, *shape)
    return module, rows, Network.of(module, example_inputs=rows)


def held_against(module, network, fresh):
    """What an export's speed is held against gives what the module gives, and says what it is."""
    calls = [dense_calls(network, own) for own in (None, module)]
    with torch.inference_mode():
        for dense, _ in calls:
            np.testing.assert_allclose(dense(fresh.flatten(1)), module(fresh), rtol=0, atol=1e-5)
    assert [said for _, said in calls] == [
        "the traced network, one operator after the other: the module itself may be faster", "the module that was given"
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["pt2", "onnx"])
def test_modules_of_plain_torch_are_run_by_a_stranger(form, tmp_path):
    if form == "onnx":
        pytest.importorskip("onnxruntime", reason="no onnxruntime, which runs ONNX")
    jobs, expected = [], []
    for name in NETS:
        module, rows, network = made(name)
        path = tmp_path / f"{name}.{form}"
        found = export_circuit(network, path, x=rows.flatten(1).double().numpy(), measure=False)
        assert found.checked_by and found.worst < 1e-5
        fresh = torch.rand(7, *rows.shape[1:])
        held_against(module, network, fresh)
        jobs.append((path, fresh.flatten(1).numpy()[:, list(found.network.reads)]))
        expected.append(module(fresh).detach().numpy())
    for y, own in zip(run_by_a_stranger(form, jobs), expected, strict=True):
        np.testing.assert_allclose(y, own, rtol=0, atol=1e-5)


def test_what_the_speed_is_held_against_is_said(tmp_path):
    own = block_network(blocks=[(2, 3, 1)] * 2).network
    given = {"x": np.random.default_rng(0).uniform(size=(9, 4)), "write": False}
    for module, said in ((None, "the network in torch"), (own.module(), "the module that was given")):
        found = export_circuit(own, tmp_path / "net.safetensors", own=module, **given)
        assert found.measurement.dense_by == (said if found.checked_by and found.measurement.timings else "")
        lines = Measurement((Timing(1, 2e-5, 1e-5),), 40, 400, 7, 90, said)
        assert f"dense is {said}" in lines.lines() and lines.to_json()["dense"] == said


@pytest.mark.parametrize("name", ["layer norm", "transformer"])
def test_what_pruning_leaves_of_it_is_exported_too(name, tmp_path):
    module, rows, _ = made(name)
    circuit = circuit_of(from_module(module, rows), tolerance=0.5)
    x = rows.flatten(1).double().numpy()
    found = export_circuit(circuit, tmp_path / "net.pt2", x=x, measure=False)
    assert found.checked_by and found.worst < 1e-5


def test_a_module_that_is_a_chain_has_c_and_modules_and_another_says_why_not():
    module, rows, _ = made("plain")
    x, y = rows.double().numpy(), module(rows).detach().double().numpy()
    chain, of_state = from_module(module, rows, y=y), from_state_dict(module.state_dict(), activation="relu", x=x, y=y)
    assert chain.network.model == of_state.network.model
    assert all(np.array_equal(chain.network.tensors[name], own) for name, own in of_state.network.tensors.items())
    assert export_circuit(chain.network, "net.c", x=x, measure=False, write=False).variant
    assert [one.outputs for one in module_files(chain, formulas={})] == [("y1", "y2")]
    traced = from_module(made("layer norm")[0], rows)
    assert "not made of layers" in share(traced).reason and "not made of layers" not in share(chain).reason
    with pytest.raises(InputError, match=r"without modules of layers.*read with from_module"):
        module_files(traced)
    task = formula_task(["z = x1*x2"], widths=(2, 8, 1), rows=(20, 20))
    with pytest.raises(InputError, match=r"cannot go on from this one.*read with from_module"):
        train(task, seeds=1, recipe=Recipe(steps=1), given=traced)


@pytest.mark.parametrize("name", NETS)
def test_what_has_no_c_says_so_in_one_line_with_a_hint_that_works(name, tmp_path):
    _, rows, network = made(name)
    x = rows.flatten(1).double().numpy()
    with pytest.raises(InputError, match=r"a kind of model without C.*hint: export \.pt2 or \.onnx") as refused:
        export_circuit(network, tmp_path / "net.c", x=x, measure=False)
    assert "\n" not in str(refused.value) and not (tmp_path / "net.c").exists()
