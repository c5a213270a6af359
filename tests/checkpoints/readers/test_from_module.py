"""Modules and files of weights that anybody made, as checkpoints."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bimt_train import CheckpointError, InputError, prune
from bimt_train.checkpoints import from_module, load_checkpoint, read_into, save_checkpoint
from bimt_train.checkpoints.readers.probe_arrays import read_arrays


class Gated(nn.Module):
    """y1 = x1 x2 and y2 = x3 in pieces that do not touch: what belongs together is known."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(4, 2)
        with torch.no_grad():
            for layer in (self.gate, self.up, self.down):
                layer.weight.zero_()
                layer.bias.zero_()
            self.gate.weight[0, 0] = self.up.weight[0, 1] = self.down.weight[0, 0] = 1.0
            self.gate.weight[1, 2] = self.down.weight[1, 1] = 1.0
            self.up.bias[1] = 1.0

    def forward(self, x: Tensor) -> Tensor:
        return self.down(self.gate(x) * self.up(x))


def rows(count: int = 60) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (count, 3)).astype(np.float32)


def test_a_module_with_its_targets_becomes_a_checkpoint_that_is_read_back(tmp_path: Path) -> None:
    x = rows()
    y = np.stack([x[:, 0] * x[:, 1], x[:, 2]], axis=1)
    checkpoint = from_module(Gated(), x, y=y, inputs=["a", "b", "c"], outputs=["u", "v"])
    save_checkpoint(tmp_path / "gated.safetensors", checkpoint)
    again = load_checkpoint(tmp_path / "gated.safetensors")
    assert again.task.inputs == ("a", "b", "c") and again.network.layout.group("y").labels == ("u", "v")
    np.testing.assert_allclose(again.predict(x.astype(np.float64)), y, atol=1e-6)


def test_pruning_leaves_what_carries_something() -> None:
    x = rows()
    module = Gated()
    with torch.no_grad():
        module.gate.weight[2] = 0.3  # a neuron that nothing reads
        module.down.weight[0, 3] = 0.7  # a neuron that reads nothing, and gives 0
    checkpoint = from_module(module, x)
    circuit = prune(
        checkpoint.network, x.astype(np.float64), checkpoint.predict(x.astype(np.float64)), refit_steps=0,
        allowance=1e-9,
    )  # fmt: skip
    assert (circuit.edges, circuit.neurons) == (5, 3 + 2 + 2)
    np.testing.assert_allclose(
        circuit.network.predict(x.astype(np.float64)), module(torch.tensor(x)).detach(), atol=1e-6
    )


def test_chances_are_judged_as_logits_where_targets_are_yes_or_no() -> None:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    x = rows(200)
    y = (body(torch.tensor(x)) > 0).double().numpy()
    checkpoint = from_module(nn.Sequential(body, nn.Sigmoid()), x, y=y)
    assert checkpoint.task.loss == "bce"
    assert any("before the sigmoid" in said for said in checkpoint.config["assumed"])
    np.testing.assert_allclose(checkpoint.predict(x.astype(np.float64)), body(torch.tensor(x)).detach(), atol=1e-5)


def test_tokens_and_classes_by_number() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Embedding(5, 4), nn.Flatten(), nn.Linear(8, 5))
    tokens = torch.cartesian_prod(torch.arange(5), torch.arange(5))
    checkpoint = from_module(module, tokens, y=(tokens.sum(1) % 5))
    assert checkpoint.task.loss == "cross-entropy" and checkpoint.network.model.options["tokens"] == 5
    as_table = from_module(module, tokens.double().numpy(), y=(tokens.sum(1) % 5))
    np.testing.assert_array_equal(as_table.network.predict(np.eye(2)), checkpoint.network.predict(np.eye(2)))


@pytest.mark.parametrize("before", ["", "module.", "model._orig_mod.", "net.module."])
def test_weights_find_their_module_whatever_stands_before_their_names(before: str, tmp_path: Path) -> None:
    state = {before + name: tensor for name, tensor in Gated().state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "net.ckpt")

    def fresh() -> nn.Module:
        module = Gated()
        nn.init.ones_(module.down.weight)
        return module

    checkpoint = read_into(tmp_path / "net.ckpt", fresh, rows())
    np.testing.assert_allclose(
        checkpoint.predict(rows().astype(np.float64)), Gated()(torch.tensor(rows())).detach(), atol=1e-6
    )


def test_weights_of_another_module_are_refused_by_name(tmp_path: Path) -> None:
    torch.save(Gated().state_dict(), tmp_path / "net.pt")

    def other() -> nn.Module:
        module = Gated()
        module.side = nn.Linear(2, 2)
        return module

    with pytest.raises(CheckpointError, match=r"another module: .*missing 'side.weight' \(2, 2\), 'side.bias' \(2,\)"):
        read_into(tmp_path / "net.pt", other, rows())

    def larger() -> nn.Module:
        module = Gated()
        module.down = nn.Linear(4, 3)
        return module

    with pytest.raises(CheckpointError, match=r"another shape: .*'down.weight': expected \(3, 4\), got \(2, 4\)"):
        read_into(tmp_path / "net.pt", larger, rows())


def test_a_function_that_makes_no_module_is_named(tmp_path: Path) -> None:
    torch.save(Gated().state_dict(), tmp_path / "net.pt")

    def broken() -> nn.Module:
        raise RuntimeError("no weights")

    with pytest.raises(InputError, match=r"makes no module: .*broken: got RuntimeError: no weights"):
        read_into(tmp_path / "net.pt", broken, rows())
    with pytest.raises(InputError, match=r"makes no module: .*got int"):
        read_into(tmp_path / "net.pt", int, rows())


def test_arrays_of_any_shape_come_from_a_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "rows.npz", x=np.zeros((5, 1, 8, 8)), y=np.arange(5))
    assert {name: array.shape for name, array in read_arrays(tmp_path / "rows.npz").items()} == {
        "x": (5, 1, 8, 8), "y": (5,),
    }  # fmt: skip
    with pytest.raises(CheckpointError, match="no such file"):
        read_arrays(tmp_path / "nothing.npz")


class Heads(nn.Module):
    """Several outputs, as a mapping or as a tuple."""

    def __init__(self, kind: type) -> None:
        super().__init__()
        self.kind, self.body, self.policy, self.value = kind, nn.Linear(3, 4), nn.Linear(4, 2), nn.Linear(4, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor] | tuple[Tensor, ...]:
        h = torch.tanh(self.body(x))
        found = {"policy": self.policy(h), "value": self.value(h)}
        return found if self.kind is dict else tuple(found.values())


@pytest.mark.parametrize(
    ("kind", "output", "place"), [(dict, "value", 1), (tuple, 1, 1), (tuple, "0", 0), (dict, None, 0)]
)
def test_one_of_several_outputs_is_chosen(kind: type, output: str | int | None, place: int) -> None:
    module, x = Heads(kind).eval(), rows()
    checkpoint = from_module(module, x, output=output)
    found = module(torch.tensor(x))
    wanted = (tuple(found.values()) if kind is dict else found)[place].detach().numpy()
    np.testing.assert_allclose(checkpoint.network.predict(x), wanted, atol=1e-6)
    said = " ".join(checkpoint.config["assumed"])
    assert (f"outputs: {output!r} of those" if output is not None else "the first of the 2") in said
    assert "body.weight" in checkpoint.network.layout.tensors and type(module) is Heads


@pytest.mark.parametrize(("module", "output"), [(Heads(dict), "reward"), (Heads(tuple), 2), (nn.Linear(3, 1), 0)])
def test_an_output_that_is_not_there_is_refused_with_those_that_are(module: nn.Module, output: str | int) -> None:
    with pytest.raises(InputError, match=f"no output of this name: output={output!r}: expected"):
        from_module(module, rows(), output=output)


def test_a_module_that_draws_numbers_is_told_so() -> None:
    class Draws(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mean = nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.mean(x) + 0.1 * torch.randn(len(x), 2)

    with pytest.raises(
        InputError, match=r"no rule for an operator: .*randn.*hint: give a module that draws no numbers in evaluation"
    ):
        from_module(Draws(), rows())
