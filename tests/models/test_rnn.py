"""The recurrent net: as torch computes it, read step by step, stored, pruned, and the same in any company."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from bimt_train import CheckpointError, InputError, LayoutError, Recipe, prune, train, verify
from bimt_train.checkpoints import Checkpoint, Network, load_checkpoint, save_checkpoint
from bimt_train.layouts import Layout
from bimt_train.models import RNN
from bimt_train.tasks import evidence

ROWS = torch.rand((20, 12), generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 0.5


def net(activation: str = "tanh") -> RNN:
    return RNN(3, 4, 9, 2, activation, generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_it_computes_what_torchs_own_computes(activation: str) -> None:
    module, twin = net(activation), torch.nn.RNN(3, 9, nonlinearity=activation, batch_first=True).double()
    with torch.no_grad():
        twin.weight_ih_l0.copy_(module.read.weight)
        twin.bias_ih_l0.copy_(module.read.bias)
        twin.weight_hh_l0.copy_(module.recur.weight)
        twin.bias_hh_l0.zero_()
        last = twin(ROWS.reshape(20, 4, 3))[0][:, -1]
        torch.testing.assert_close(module(ROWS), last @ module.write.weight.T + module.write.bias)


def test_rows_that_hold_channel_after_channel_are_refused() -> None:
    class ChannelsFirst(RNN):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.unflatten(-1, (3, 4)).transpose(-1, -2).flatten(-2))

    module = ChannelsFirst(3, 4, 9, 2)
    with pytest.raises(LayoutError, match="group 'x'"):
        verify(module, module.layout(), ROWS)


def test_a_layout_that_forgets_the_steps_is_refused() -> None:
    module = net()
    with pytest.raises(LayoutError, match="expected 3, got 12"):
        verify(module, replace(module.layout(), row=""), ROWS)


def test_a_layout_keeps_its_steps() -> None:
    layout = net().layout()
    assert (layout.steps, layout.columns) == (4, 12)
    assert Layout.from_json(layout.to_json()) == layout != replace(layout, row="(2 x)")
    assert layout.with_groups([]).steps == 4
    assert "row" not in replace(layout, row="").to_json()  # as files were before there were any


def test_channels_are_called_as_their_first_columns_without_the_step() -> None:
    labels = [f"{channel}{step}" for step in range(4) for channel in "abc"]
    assert net().layout(input_labels=labels).group("x").labels == ("a", "b", "c")
    plain = [f"x{i}" for i in range(12)]  # all alike without their numbers
    assert net().layout(input_labels=plain).group("x").labels == ("x0", "x1", "x2")


@pytest.mark.parametrize("options", [(0, 4, 9, 2), (3, 4, 9, 2, "step")])
def test_a_net_that_cannot_be_built_is_refused(options: tuple) -> None:
    with pytest.raises(InputError, match="cannot be built"):
        RNN(*options)


# ---- trained, stored, pruned


@pytest.fixture(scope="module")
def trained() -> dict[int, Checkpoint]:
    task = evidence(steps=3, state=9, rows=(60, 20))
    runs = train(task, seeds=[4, 2], recipe=Recipe(steps=30, lr=1e-2, batch=20))
    return {run.seed: run.checkpoint for run in runs.runs}


def test_a_seed_gives_the_same_net_in_any_company(trained: dict[int, Checkpoint]) -> None:
    task = evidence(steps=3, state=9, rows=(60, 20))
    alone = train(task, seeds=[2], recipe=Recipe(steps=30, lr=1e-2, batch=20)).runs[0].checkpoint.network
    for name, tensor in alone.tensors.items():
        np.testing.assert_array_equal(tensor, trained[2].network.tensors[name])
    assert alone.placement == trained[2].network.placement


def test_a_checkpoint_is_stored_and_read_back(trained: dict[int, Checkpoint], tmp_path) -> None:
    path, kept = tmp_path / "net.safetensors", trained[4]
    save_checkpoint(path, kept)
    read = load_checkpoint(path)
    assert read.network.layout == kept.network.layout
    np.testing.assert_array_equal(read.predict(kept.probe.x_test), kept.predict(kept.probe.x_test))


@pytest.mark.parametrize(("option", "value"), [("state", 10), ("channels", 3), ("outputs", 2), ("steps", 10**9)])
def test_options_that_contradict_the_file_are_refused(
    trained: dict[int, Checkpoint], tmp_path, option: str, value: int
) -> None:
    kept, path = trained[4], tmp_path / "net.safetensors"
    model = replace(kept.network.model, options={**kept.network.model.options, option: value})
    save_checkpoint(path, replace(kept, network=replace(kept.network, model=model)))
    with pytest.raises(CheckpointError, match="the model contradicts the"):
        load_checkpoint(path)


def silent_and_idle() -> Network:
    """Six neurons: 0 and 1 do the work, 2 reaches no output, 3 is driven by its bias alone, 4 and 5 have no edge."""
    network = Network.of(RNN(2, 3, 6, 1).double())
    read, recur, write = np.zeros((6, 2)), np.zeros((6, 6)), np.zeros((1, 6))
    read[[0, 1, 2], [0, 1, 0]] = 1.0, 2.0, 3.0
    recur[[0, 1, 3, 2], [0, 0, 3, 2]] = 0.5, 0.7, 2.0, 0.3
    write[0, [0, 1, 3]] = 1.0, -1.0, 0.1
    bias = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    tensors = {"read.weight": read, "read.bias": bias, "recur.weight": recur, "write.weight": write}
    return network.with_tensors(tensors)


def test_pruning_takes_out_what_reaches_no_output_and_nothing_else() -> None:
    network = silent_and_idle()
    x = np.random.default_rng(0).uniform(-1, 1, (40, 6))
    circuit = prune(network, x, network.predict(x), tolerance=0.0, refit_steps=0)
    assert circuit.kept["state"] == (0, 1, 3)  # what grows by itself is no constant that could be folded into a bias
    np.testing.assert_allclose(circuit.network.predict(x), network.predict(x), rtol=1e-12)
    places = [network.placement.coordinates(network.layout, "state")[k] for k in (0, 1, 3)]
    np.testing.assert_array_equal(circuit.network.placement.coordinates(circuit.network.layout, "state"), places)
    assert circuit.edges == 2 + 3 + 3
