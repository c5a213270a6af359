"""Any module as a stored program: it gives what the module gives, and a file can ask for nothing but numbers."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from bimt_train import CheckpointError, InputError, verify
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec, load_checkpoint, save_checkpoint
from bimt_train.models.building_blocks.linear_layers import linear_layers
from bimt_train.models.traced import TracedOptions, trace_module, without_end
from bimt_train.models.traced._traced_module import TracedModule


class Gated(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gate, self.up, self.down = nn.Linear(4, 6), nn.Linear(4, 6), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(torch.sigmoid(self.gate(x)) * self.up(x))


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = nn.LSTM(3, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.cell(x)[0][:, -1])


class Two(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.other, self.out = nn.Linear(3, 5), nn.Linear(2, 5), nn.Linear(5, 1)

    def forward(self, x: Tensor, *, condition: Tensor) -> Tensor:
        return self.out(torch.tanh(self.one(x) * self.other(condition)))


class Words(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(7, 8), nn.Parameter(torch.randn(5, 8))
        self.block = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
        self.out = nn.Linear(8, 7)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.out(self.block(self.words(tokens) + self.places))


def convolution() -> nn.Module:
    layers = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 5, 3)
    return nn.Sequential(*layers, nn.ReLU(), nn.Flatten(), nn.Linear(20, 2))


def line() -> nn.Module:
    return nn.Sequential(nn.Conv1d(2, 4, 3, stride=2, padding=1), nn.GELU(), nn.Flatten(), nn.Linear(16, 3))


def drawn(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


CASES: dict[str, tuple[Callable[[], nn.Module], Any]] = {
    "gated": (Gated, drawn(9, 4)),
    "lstm": (Recurrent, drawn(9, 5, 3)),
    "two inputs": (Two, {"x": drawn(9, 3), "condition": drawn(9, 2)}),
    "tokens": (Words, torch.arange(45).reshape(9, 5) % 7),
    "images": (convolution, drawn(9, 3, 8, 8)),
    "a line": (line, drawn(9, 2, 8)),
}


def made(name: str) -> tuple[nn.Module, Any]:
    torch.manual_seed(0)
    make, inputs = CASES[name]
    module = make().eval()
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            torch.nn.init.uniform_(tensor, 0.2, 0.9)
            tensor.mul_(torch.sign(torch.randn(tensor.shape)) if tensor.ndim > 1 else 1.0)
    return module, inputs


@cache
def traced(name: str) -> Network:
    """The network of a case, which takes longest to make."""
    module, inputs = made(name)
    return Network.of(module, example_inputs=inputs)


@pytest.mark.parametrize("name", CASES)
def test_the_program_gives_what_the_module_gives_for_any_number_of_rows(name: str) -> None:
    module, inputs = made(name)
    network = traced(name)
    rows = network.rows(inputs)
    module = module.double()
    given = inputs if isinstance(inputs, dict) else {"": inputs}
    doubled = {k: v.double() if v.is_floating_point() else v for k, v in given.items()}
    with torch.no_grad():
        wanted = np.asarray(module(**doubled) if "" not in doubled else module(doubled[""]))
    found = network.predict(rows)
    np.testing.assert_allclose(found, wanted.reshape(found.shape), rtol=0, atol=1e-9 * np.abs(wanted).max())
    for some in (slice(0, 1), slice(2, 7)):
        np.testing.assert_allclose(network.predict(rows[some]), found[some], rtol=0, atol=1e-9 * np.abs(wanted).max())


@pytest.mark.parametrize("name", CASES)
def test_every_weight_is_read_by_a_module_that_hooks_can_watch(name: str) -> None:
    network = traced(name)
    rows, program = torch.tensor(network.rows(CASES[name][1])), network.module().double()
    layers, seen = linear_layers(program), {}
    assert set(network.layout.weights()) <= set(layers)
    plain = program(rows)
    for tensor in network.layout.weights():

        def note(_: object, args: tuple[Tensor, ...], out: Tensor, tensor: str = tensor) -> None:
            seen.setdefault(tensor, []).append((args[0], out))

        layers[tensor].register_forward_hook(note)
    torch.testing.assert_close(program(rows), plain, rtol=1e-9, atol=1e-12)  # by products with patches, for instance
    for tensor, calls in seen.items():
        weight = torch.tensor(network.tensors[tensor], dtype=torch.float64)
        matrix = weight.reshape(len(weight), -1).T
        for read, written in calls:
            torch.testing.assert_close(read @ matrix, written, rtol=1e-9, atol=1e-12)
    assert set(seen) == set(network.layout.weights())


def test_who_watches_a_product_sees_all_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many rows are computed in pieces, but not under a hook, which may hold a value for every row."""
    monkeypatch.setattr("bimt_train.models.traced._traced_module._AT_ONCE", 32)
    x, seen = torch.randn(20, 4), []
    module = Network.of(Gated(), example_inputs=x).module()
    pieces = module(x)
    linear_layers(module)["up.weight"].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    together = module(x)
    assert len(seen) == 1 and torch.equal(seen[0], x)
    np.testing.assert_allclose(pieces.detach(), together.detach(), atol=1e-6)


def test_columns_of_an_image_run_over_its_channels() -> None:
    network, images = traced("images"), CASES["images"][1]
    assert (network.layout.inputs, network.layout.steps) == ("x", 64)
    np.testing.assert_allclose(network.rows(images)[:, :3], images[:, :, 0, 0], atol=1e-7)
    assert max(verify(network.module(), network.layout, network.rows(images)).deviations.values()) < 1e-9


def test_rows_of_another_shape_are_refused() -> None:
    network = traced("images")
    with pytest.raises(
        InputError, match=r"inputs of another shape: x: expected \['rows', 3, 8, 8\], got \[9, 1, 8, 8\]"
    ):
        network.rows(drawn(9, 1, 8, 8))
    assert network.rows(np.zeros((2, 192))).shape == (2, 192)


class Mixing(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x - x.mean(0))


class Branching(Mixing):
    def forward(self, x: Tensor) -> Tensor:
        return self.out(x) if float(x.sum()) > 0 else self.out(-x)


class Drawing(Mixing):
    def forward(self, x: Tensor) -> Tensor:
        return self.out(x + torch.randn_like(x))


class Neighbours(Mixing):
    """Rows are nodes of a graph: one alone has no neighbour."""

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x) + self.out(x[torch.tensor([1, 0])]).sum(0)


class Summed(Mixing):
    def forward(self, x: Tensor) -> Tensor:
        return self.out(x).sum(0)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Mixing, "do not reproduce"),
        (Branching, "cannot export"),
        (Drawing, "no rule for an operator: .*randn_like"),
        (Summed, "outputs without rows"),
        (Neighbours, "cannot be run on one row"),
    ],
)
def test_modules_that_are_no_functions_of_single_rows_are_refused(kind: type[Mixing], said: str) -> None:
    with pytest.raises(InputError, match=said):
        trace_module(kind(), drawn(9, 3))


def test_inputs_without_common_rows_are_refused() -> None:
    with pytest.raises(InputError, match="inputs without common rows"):
        trace_module(Two(), {"x": drawn(9, 3), "condition": drawn(4, 2)})


def test_a_module_without_example_inputs_is_told_what_to_give() -> None:
    with pytest.raises(InputError, match=r"hint: give example_inputs, .*Network.of\(module, example_inputs=x\)"):
        Network.of(Gated())


def plain() -> dict[str, Any]:
    return json.loads(json.dumps(TracedOptions.example().to_json()))


def with_node(op: str, args: list[Any], **kwargs: Any) -> dict[str, Any]:
    """The example, to whose output an operator is applied."""
    options = plain()
    node = {"name": "last", "op": op, "args": [{"node": "y"}, *args], "kwargs": kwargs}
    return {**options, "nodes": [*options["nodes"], node], "output": "last"}


@pytest.mark.parametrize(
    "op",
    [
        "aten.from_file.default", "aten.relu_.default", "aten.bernoulli.default", "aten.rand_like.default", "os.system",
        "aten.save", "builtins.eval.default", "aten.__class__.default", "aten.relu.nonsense", "aten.copy_.default", "",
    ],
)  # fmt: skip
def test_operators_that_do_more_than_compute_are_refused(op: str) -> None:
    with pytest.raises(ValidationError, match="an operator that is not allowed"):
        TracedOptions.model_validate(with_node(op, []))


@pytest.mark.parametrize(
    ("op", "args", "said"),
    [
        ("aten.expand.default", [[10**9, 10**6, 2]], "cannot be run|too much memory"),
        ("aten.repeat.default", [[1, 10**9]], "too much memory"),
        ("aten.repeat.default", [[1, 2**22]], "too much memory: .*expected 4194304 numbers a row at most"),
        ("aten.constant_pad_nd.default", [[0, 10**12]], "too much memory|cannot be run"),
        ("aten.mm.default", [{"node": "tensor read.weight"}], "cannot be run"),
        ("aten.sum.dim_IntList", [[0]], "other outputs"),
    ],
)
def test_programs_that_cannot_run_or_ask_for_memory_are_refused_before_they_run(
    op: str, args: list[Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        TracedModule(**with_node(op, args))


@pytest.mark.parametrize(
    "changed",
    [
        {"output": "nothing"},
        {"nodes": [{"name": "y", "op": "aten.relu.default", "args": [{"node": "later"}], "kwargs": {}}]},
        {"nodes": [{"name": "y", "op": "aten.relu.default", "args": [{"file": "/etc/passwd"}], "kwargs": {}}]},
        {"nodes": [{"name": "y", "op": "aten.relu.default", "args": [{"dtype": "load"}], "kwargs": {}}]},
        {"tensors": {"read.weight": {"shape": [-1], "dtype": "float32", "trained": True}}},
        {"tensors": {"read.weight": {"shape": [1], "dtype": "load", "trained": True}}},
        {"inputs": [{"shape": [0], "kind": "numbers", "neurons": -1}]},
        {"surplus": 1},
    ],
)
def test_a_damaged_program_is_refused_field_by_field(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TracedOptions.model_validate({**plain(), **changed})


@pytest.mark.parametrize(("end", "final"), [(nn.Sigmoid(), "sigmoid"), (nn.Softmax(dim=-1), "softmax"),
                                            (nn.LogSoftmax(dim=-1), "softmax")])  # fmt: skip
def test_a_sigmoid_or_softmax_at_the_end_can_be_taken_away(end: nn.Module, final: str) -> None:
    torch.manual_seed(0)
    body = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    network = Network.of(nn.Sequential(body, end), example_inputs=drawn(9, 3))
    found = without_end(TracedOptions.model_validate(dict(network.model.options)))
    assert found is not None and found.final == final
    module = TracedModule(**found.options.to_json())
    module.load_state_dict(network.module().state_dict())
    torch.testing.assert_close(module(drawn(9, 3)), body(drawn(9, 3)))


def test_an_end_that_is_used_twice_stays() -> None:
    class Both(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.out = nn.Linear(3, 2)

        def forward(self, x: Tensor) -> Tensor:
            chance = torch.sigmoid(self.out(x))
            return chance * (1 - chance)

    network = Network.of(Both(), example_inputs=drawn(9, 3))
    assert without_end(TracedOptions.model_validate(dict(network.model.options))) is None


def test_a_file_with_a_program_that_cannot_run_is_refused_when_it_is_read(tmp_path: Path) -> None:
    network = traced("gated")
    x, names = np.zeros((5, 4)), tuple(f"x{k}" for k in range(4))
    task = TaskSpec("gated", names, ("y0", "y1"), ((0, 1),) * 4)
    file, y = tmp_path / "net.safetensors", np.zeros((5, 2))
    save_checkpoint(file, Checkpoint(network, task, Probe(x, y, x, y)))
    load_checkpoint(file)
    file.write_bytes(file.read_bytes().replace(b"aten.sigmoid.default", b"aten.median.default "[:20]))
    with pytest.raises(CheckpointError, match=r"net.safetensors, field 'model.options"):
        load_checkpoint(file)
    save_checkpoint(file, Checkpoint(network, task, Probe(x, y, x, y)))
    whole, told = file.read_bytes(), b'tensor down.weight\\"},[1,0]'
    assert whole.count(told) == 1
    file.write_bytes(whole.replace(told, told.replace(b"[1,0]", b"[0,1]")))
    with pytest.raises(CheckpointError, match=r"a program that cannot be run: .*net.safetensors"):
        load_checkpoint(file)
