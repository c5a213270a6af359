import copy
import itertools
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from bimt_train import CheckpointError, ConnectionCost, InputError, TaskError
from bimt_train.checkpoints import (
    Checkpoint,
    Network,
    Probe,
    TaskSpec,
    from_bimt_notebook,
    from_state_dict,
    read_foreign,
    save_checkpoint,
)
from bimt_train.expressions import Decomposition
from bimt_train.models import MLP

RANGE = (-1.0, 1.0)


def _chain(*widths: int, bias: bool = True, seed: int = 0) -> nn.Sequential:
    generator = torch.Generator().manual_seed(seed)
    parts: list[nn.Module] = []
    for a, b in itertools.pairwise(widths):
        layer = nn.Linear(a, b, bias=bias)
        with torch.no_grad():
            for parameter in layer.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
        parts += [layer, nn.Tanh()]
    return nn.Sequential(*parts[:-1])


CHAIN = _chain(3, 5, 4, 2)
X = np.random.default_rng(0).uniform(-1, 1, (20, 3))


def _direct(module: nn.Module, x: np.ndarray) -> np.ndarray:
    """What the module itself says, in double precision."""
    with torch.no_grad():
        outputs: np.ndarray = copy.deepcopy(module).double()(torch.tensor(x)).numpy()
    return outputs


def _renamed(names: list[str]) -> dict[str, torch.Tensor]:
    return dict(zip(names, CHAIN.state_dict().values(), strict=True))


# ---- chains


@pytest.mark.parametrize(
    "names",
    [
        list(CHAIN.state_dict()),
        ["in.kernel", "in.bias", "mid.kernel", "mid.bias", "out.kernel", "out.bias"],
        ["W1", "b1", "W2", "b2", "W3", "b3"],
        ["net.w1", "net.b1", "net.w2", "net.b2", "net.w3", "net.b3"],
        ["module.net.10.weight", "module.net.10.bias", "z.weight", "z.bias", "a.weight", "a.bias"],
    ],
)
def test_a_chain_under_any_names_predicts_as_the_module_does(names: list[str]) -> None:
    checkpoint = from_state_dict(_renamed(names), activation="tanh", x=X)
    assert np.allclose(checkpoint.predict(X), _direct(CHAIN, X), atol=1e-12)
    assert [group.size for group in checkpoint.network.layout.groups] == [3, 5, 4, 2]


def test_all_biases_after_all_weights() -> None:
    w1, b1, w2, b2, w3, b3 = CHAIN.state_dict().values()
    state = {"W1": w1, "W2": w2, "W3": w3, "b1": b1, "b2": b2, "b3": b3}
    assert np.allclose(from_state_dict(state, activation="tanh", x=X).predict(X), _direct(CHAIN, X), atol=1e-12)


def test_missing_biases_are_zero() -> None:
    bare = _chain(3, 4, 2, bias=False)
    checkpoint = from_state_dict(bare.state_dict(), activation="tanh", x=X)
    assert np.allclose(checkpoint.predict(X), _direct(bare, X), atol=1e-12)
    assert not checkpoint.network.tensors["layers.1.bias"].any()
    w1, b1, w2, _, w3, b3 = CHAIN.state_dict().values()
    mixed = from_state_dict({"W1": w1, "b1": b1, "W2": w2, "W3": w3, "b3": b3}, activation="tanh", x=X)
    assert mixed.network.tensors["layers.0.bias"].any()
    assert not mixed.network.tensors["layers.1.bias"].any()


def test_arrays_and_other_precisions_will_do() -> None:
    exact = {name: tensor.double().numpy() for name, tensor in CHAIN.state_dict().items()}
    assert from_state_dict(exact, activation="tanh", x=X).network.tensors["layers.0.weight"].dtype == np.float64
    half = {name: tensor.bfloat16() for name, tensor in CHAIN.state_dict().items()}
    assert from_state_dict(half, activation="tanh", x=X).network.tensors["layers.0.weight"].dtype == np.float32


_W = {name: np.ones(shape) for name, shape in {"0.weight": (5, 3), "0.bias": (5,), "2.weight": (2, 5)}.items()}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            {**_W, "1.weight": np.ones(5), "1.bias": np.ones(5), "1.num_batches_tracked": np.array(3)},
            "tensors that do not belong to a plain feed-forward chain (a gain, or a layer norm): '1.weight' (5,), "
            "'1.bias' (5,): expected for each layer one weight of two axes and at most one bias of one axis; "
            "hint: if these do nothing say roles={'1.weight': 'ignore', '1.bias': 'ignore'} "
            "(--role 1.weight=ignore --role 1.bias=ignore), else read the network with "
            "its module (--model file.py:make, or read_into)",
        ),
        (
            {"conv.weight": np.ones((2, 3, 4, 4))},
            "a convolution, or another layer whose weights have three axes or more: 'conv.weight' (2, 3, 4, 4): "
            "expected a plain feed-forward chain; hint: read it with its module (--model file.py:make, or read_into), "
            "or a part of it with key= (--key) or roles= (--role)",
        ),
        (
            {},
            "no layers: the state: expected for each layer one weight of two axes and at most one bias of one axis; "
            "hint: give model.state_dict() of a chain of linear layers",
        ),
        (
            {"a": np.ones((3, 5)), "a.b": np.ones(5), "c": np.ones((5, 2))},
            "tensors that do not belong to a plain feed-forward chain: 'a' (3, 5), 'a.b' (5,), 'c' (5, 2): "
            "expected for each layer one weight of two axes and at most one bias of one axis; "
            "hint: if these are layers say roles={'a': 'weight', 'a.b': 'bias', 'c': 'weight'} "
            "(--role a=weight --role a.b=bias --role c=weight), first to last, kernel where stored [in, out]; "
            "if these do nothing say roles={'a': 'ignore', 'a.b': 'ignore', 'c': 'ignore'} "
            "(--role a=ignore --role a.b=ignore --role c=ignore), else read the network with "
            "its module (--model file.py:make, or read_into)",
        ),
        (
            {"0.weight": np.ones((3, 5)), "0.bias": np.ones(5), "2.weight": np.ones((5, 2)), "2.bias": np.ones(2)},
            "a bias that does not fit its weight: tensor '0.bias', axis 0: expected 3, the rows of '0.weight' (3, 5), "
            'got 5; hint: every weight is stored [in, out]: give each transposed, or orientation="in_out" '
            "(--orientation in-out)",
        ),
        (
            {"0.weight": np.ones((3, 5)), "2.weight": np.ones((5, 2))},
            "weights that do not chain: tensor '2.weight', axis 1: expected 3, the outputs of '0.weight', "
            "got 2 of shape (5, 2); "
            'hint: every weight is stored [in, out]: give each transposed, or orientation="in_out" '
            "(--orientation in-out), "
            "or give the layers first to last",
        ),
        (
            {"0.weight": np.ones((5, 3)), "2.weight": np.ones((5, 2)), "4.weight": np.ones((1, 2))},
            "weights that do not chain: tensor '2.weight', axis 1: expected 5, the outputs of '0.weight', "
            "got 2 of shape (5, 2); hint: the weight is stored [in, out]: give '2.weight' transposed",
        ),
        (
            {"out.weight": np.ones((2, 5)), "in.weight": np.ones((5, 3))},
            "weights that do not chain: tensor 'in.weight', axis 1: expected 2, the outputs of 'out.weight', "
            "got 3 of shape (5, 3); "
            'hint: every weight is stored [in, out]: give each transposed, or orientation="in_out" '
            "(--orientation in-out), "
            "or give the layers first to last",
        ),
        (
            {"out.w": np.ones((2, 5)), "out.b": np.ones(2), "in.w": np.ones((5, 3)), "in.b": np.ones(5)},
            "weights that do not chain: tensor 'in.w', axis 1: expected 2, the outputs of 'out.w', "
            "got 3 of shape (5, 3); hint: give the tensors in the order of the layers, each weight [out, in]",
        ),
        (
            {"W1": np.ones((5, 3)), "b1": np.ones(4)},
            "a bias that does not fit its weight: tensor 'b1', axis 0: expected 5, the rows of 'W1' (5, 3), got 4; "
            "hint: give each bias right after its weight",
        ),
        ({"epoch": 3}, "not a tensor: 'epoch': got int; hint: give model.state_dict()"),
    ],
)
def test_what_is_no_chain_is_refused(state: Mapping[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        from_state_dict(state, activation="silu", ranges=RANGE)
    assert str(caught.value) == message


def test_an_unknown_activation_is_refused() -> None:
    with pytest.raises(InputError, match=r"unknown activation: expected silu, .*, got 'sinus'"):
        from_state_dict(CHAIN.state_dict(), activation="sinus", ranges=RANGE)


def test_weights_that_are_not_finite_are_refused() -> None:
    state = {"a": np.full((2, 3), np.nan)}
    with pytest.raises(CheckpointError, match=r"not finite"):
        from_state_dict(state, activation="silu", x=X)


# ---- probes and names


def test_a_table_is_parted_and_every_fifth_row_kept_for_testing() -> None:
    y = X[:, :2] * 3
    checkpoint = from_state_dict(CHAIN.state_dict(), activation="tanh", x=X, y=y)
    assert np.array_equal(checkpoint.probe.x_test, X[4::5])
    assert np.array_equal(checkpoint.probe.y_test, y[4::5])
    both = np.vstack([checkpoint.probe.x_train, checkpoint.probe.x_test])
    assert np.array_equal(np.sort(both, axis=0), np.sort(X, axis=0))
    assert checkpoint.task.ranges == tuple(zip(X.min(0), X.max(0), strict=True))
    assert (checkpoint.task.inputs, checkpoint.task.outputs) == (("x1", "x2", "x3"), ("y1", "y2"))
    assert checkpoint.config["adapter"] == "state_dict" and "targets" not in checkpoint.config


def test_without_targets_the_networks_own_outputs_serve() -> None:
    checkpoint = from_state_dict(CHAIN.state_dict(), activation="tanh", x=X)
    assert np.allclose(checkpoint.probe.y_train, checkpoint.predict(checkpoint.probe.x_train))


def test_ranges_are_sampled_the_same_way_each_time() -> None:
    ranges = [(-1, 1), (0, 2), (5, 6)]
    one, two = (from_state_dict(CHAIN.state_dict(), activation="tanh", ranges=ranges) for _ in range(2))
    low, high = np.array(ranges).T
    assert one.probe.x_train.shape == (1000, 3)
    assert (one.probe.x_train >= low).all()
    assert (one.probe.x_train <= high).all()
    assert np.allclose(one.probe.x_train.mean(0), (low + high) / 2, atol=0.1)
    assert not np.array_equal(one.probe.x_train, one.probe.x_test)
    assert np.array_equal(one.probe.x_train, two.probe.x_train)
    assert np.allclose(one.probe.y_test, one.predict(one.probe.x_test))
    assert from_state_dict(CHAIN.state_dict(), activation="tanh", ranges=RANGE).task.ranges == (RANGE,) * 3


def test_names_and_decomposition_are_kept() -> None:
    names = {"inputs": ("a", "b", "c"), "outputs": ("p", "q")}
    decomposition = Decomposition.from_grouping("p: a b; q: c", **names)
    checkpoint = from_state_dict(CHAIN.state_dict(), activation="tanh", x=X, decomposition=decomposition, **names)
    assert checkpoint.task.decomposition == decomposition
    assert checkpoint.network.layout.group("x").labels == ("a", "b", "c")
    assert checkpoint.network.layout.group("y").label(1) == "q"


@pytest.mark.parametrize(
    ("about", "error", "words"),
    [
        ({}, CheckpointError, "no inputs on which to sample the network: expected either a table or ranges"),
        ({"y": X}, CheckpointError, "no inputs on which to sample the network"),
        ({"x": X, "ranges": RANGE}, CheckpointError, "no inputs on which to sample the network"),
        ({"x": X[:, :2]}, CheckpointError, "a table of the wrong shape: x: expected [rows, 3], got [20, 2]"),
        ({"x": X, "y": X}, CheckpointError, "a table of the wrong shape: y: expected [rows, 2], got [20, 3]"),
        ({"x": X, "y": X[:7, :2]}, CheckpointError, "got 20 rows of x, 7 of y"),
        ({"x": X[:1]}, CheckpointError, "a target row for each of at least two rows"),
        ({"x": X * np.nan}, CheckpointError, "not finite: probe.x_train"),
        ({"ranges": [(-1, 1), (0, 2)]}, CheckpointError, "ranges that do not fit: ranges: expected one pair, or one"),
        ({"ranges": ["a", "b"]}, CheckpointError, "ranges that do not fit"),
        ({"ranges": (1, -1)}, TaskError, "the lower first"),
        ({"x": X, "inputs": ("a", "b")}, CheckpointError, "a wrong number of names: inputs: expected 3"),
        ({"x": X, "outputs": ("a b", "c")}, TaskError, "cannot stand in a formula"),
        (
            {"x": X, "decomposition": Decomposition.from_grouping("y1: x1")},
            TaskError,
            "the decomposition is of another task",
        ),
    ],
)
def test_what_does_not_fit_the_network_is_refused(about: dict[str, Any], error: type[InputError], words: str) -> None:
    with pytest.raises(error) as caught:
        from_state_dict(CHAIN.state_dict(), activation="tanh", **about)
    assert words in str(caught.value)


@pytest.mark.parametrize(("rows", "tested"), [(2, [1]), (4, [3]), (5, [4]), (14, [4, 9])])
def test_every_fifth_row_is_for_testing_or_the_last_of_fewer(rows: int, tested: list[int]) -> None:
    """Two bits make four rows, and a network of them can be asked about."""
    probe = from_state_dict(CHAIN.state_dict(), activation="tanh", x=X[:rows]).probe
    np.testing.assert_array_equal(probe.x_test, X[tested])
    np.testing.assert_array_equal(probe.x_train, np.delete(X[:rows], tested, axis=0))


# ---- the published notebooks


class Notebook(nn.Module):
    """The forward pass of the notebooks, from the method's description: orders are kept as floats."""

    def __init__(self, in_perm: list[int], out_perm: list[int]) -> None:
        super().__init__()
        widths = [len(in_perm), 5, len(out_perm)]
        generator = torch.Generator().manual_seed(3)
        self.linears = nn.ModuleList()
        for a, b in itertools.pairwise(widths):
            layer = nn.Module()
            layer.linear = nn.Linear(a, b)
            with torch.no_grad():
                for parameter in layer.parameters():
                    parameter.copy_(torch.randn(parameter.shape, generator=generator))
            self.linears.append(layer)
        self.in_perm = nn.Parameter(torch.tensor(in_perm, dtype=torch.float))
        self.out_perm = nn.Parameter(torch.tensor(out_perm, dtype=torch.float))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[:, self.in_perm.long()]
        x = torch.nn.functional.silu(self.linears[0].linear(x))
        x = self.linears[1].linear(x)
        back = torch.zeros(len(self.out_perm), dtype=torch.long)
        back[self.out_perm.long()] = torch.arange(len(self.out_perm))
        return x[:, back]

    def cost(self) -> float:
        """Neuron i of a layer sits at (i + 1/2)/n, whatever the orders at the ends."""
        total = 0.0
        for layer in self.linears:
            weight = layer.linear.weight.detach().double()
            out, into = ((torch.arange(n).double() + 0.5) / n for n in weight.shape)
            total += float((weight.abs() * ((out[:, None] - into).abs() + 0.1)).sum())
            total += 0.1 * float(layer.linear.bias.detach().double().abs().sum())
        return total


@pytest.mark.parametrize(
    ("in_perm", "out_perm"),
    [([0, 1, 2, 3], [0, 1]), ([2, 0, 3, 1], [1, 2, 0]), ([3, 1, 0, 2], [2, 0, 3, 1])],
)
def test_a_notebooks_network_predicts_and_costs_what_it_did(in_perm: list[int], out_perm: list[int]) -> None:
    notebook = Notebook(in_perm, out_perm)
    x = np.random.default_rng(0).uniform(-1, 1, (30, 4))
    checkpoint = from_bimt_notebook(notebook.state_dict(), x=x)
    assert np.allclose(checkpoint.predict(x), _direct(notebook, x), atol=1e-12)
    network = checkpoint.network
    cost = ConnectionCost().value(network.layout, network.placement, network.tensors)
    assert cost == pytest.approx(notebook.cost(), rel=1e-9)
    for slot, (of_input, of_output) in enumerate(zip(in_perm, out_perm, strict=False)):
        assert network.placement.slots["x"][of_input] == slot
        assert network.placement.slots["y"][of_output] == slot


def test_orders_may_be_left_out() -> None:
    state = {k: v for k, v in Notebook([0, 1], [0]).state_dict().items() if "perm" not in k}
    assert from_bimt_notebook(state, ranges=RANGE).network.placement.slots["x"] == (0, 1)


def test_ten_layers_are_put_in_the_order_of_their_numbers() -> None:
    state = {f"linears.{i}.linear.weight": torch.eye(2) * (1 + i) for i in (0, 10, 11, *range(1, 10))}
    tensors = from_bimt_notebook(state, ranges=RANGE).network.tensors
    assert [tensors[f"layers.{i}.weight"][0, 0] for i in range(12)] == list(range(1, 13))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"embedding": torch.zeros(59, 3)},
            "an embedding that does not fit the first layer: 'embedding' (59, 3): expected a vector a token, some of "
            "which fill the 4 inputs of the first layer; hint: read the layers behind it alone, with from_state_dict",
        ),
        (
            {"in_perm": torch.tensor([0.0, 1.0])},
            "an order that is no permutation: tensor 'in_perm', shape (2,): expected each of 0..3 once, "
            "got [0.0, 1.0]; hint: save the network again; of inputs in folded copies, "
            "one copy's order is read, with the embedding",
        ),
        (
            {"out_perm": torch.tensor([0.0, 0.0])},
            "an order that is no permutation: tensor 'out_perm', shape (2,): expected each of 0..1 once, "
            "got [0.0, 0.0]; hint: save the network again; of inputs in folded copies, "
            "one copy's order is read, with the embedding",
        ),
        (
            {"norm.weight": torch.zeros(3)},
            "not a network of the published notebooks: 'norm.weight': "
            "expected linears.N.linear.weight, linears.N.linear.bias, in_perm, out_perm, embedding; "
            "hint: read it with from_state_dict",
        ),
    ],
)
def test_other_notebooks_are_refused(change: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        from_bimt_notebook({**Notebook([0, 1, 2, 3], [0, 1]).state_dict(), **change}, ranges=RANGE)
    assert str(caught.value) == message


# ---- files


def _same(checkpoint: Checkpoint) -> bool:
    return np.allclose(checkpoint.predict(X), _direct(CHAIN, X), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.pt", lambda path: torch.save(CHAIN.state_dict(), path)),
        ("a.pth", lambda path: torch.save({"model_state_dict": CHAIN.state_dict(), "epoch": 4}, path)),
        ("b.pt", lambda path: torch.save({"state_dict": OrderedDict(CHAIN.state_dict())}, path)),
        ("a.safetensors", lambda path: safetensors.torch.save_file(CHAIN.state_dict(), path)),
    ],
)
def test_files_are_read(tmp_path: Path, name: str, write: Callable[[Path], None]) -> None:
    write(tmp_path / name)
    assert _same(read_foreign(tmp_path / name, activation="tanh", x=X))


def test_safetensors_layers_are_taken_in_natural_order(tmp_path: Path) -> None:
    deep = _chain(*([2] * 13))
    path = tmp_path / "deep.safetensors"
    safetensors.torch.save_file(deep.state_dict(), path)
    x = X[:, :2]
    assert np.allclose(read_foreign(path, activation="tanh", x=x).predict(x), _direct(deep, x), atol=1e-12)


def test_a_notebooks_file_needs_no_activation(tmp_path: Path) -> None:
    notebook, path = Notebook([2, 0, 1], [1, 0]), tmp_path / "n.pt"
    torch.save(notebook.state_dict(), path)
    assert np.allclose(read_foreign(path, x=X).predict(X), _direct(notebook, X), atol=1e-12)


def test_a_file_without_an_activation_is_asked_for_it(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save(CHAIN.state_dict(), path)
    with pytest.raises(CheckpointError) as caught:
        read_foreign(path, x=X)
    assert str(caught.value) == (
        f"the file does not say the activation: {path}: expected its name; "
        'hint: give activation="silu" for instance, on the command line --activation silu'
    )


def _refused(path: Path) -> CheckpointError:
    with pytest.raises(CheckpointError) as caught:
        read_foreign(path, activation="tanh", ranges=RANGE)
    assert str(path) in caught.value.where
    return caught.value


def test_a_pickled_module_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "whole.pt"
    torch.save(MLP([2, 1]), path)
    error = _refused(path)
    assert error.what == "the file holds more than tensors"
    assert error.got == "an object of bimt_train.models._mlp.MLP, which would have to be run"
    assert "torch.save(module.state_dict(), new_path)" in error.hint


def test_code_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    path, trace = tmp_path / "evil.pt", tmp_path / "trace"
    path.write_bytes(f"cos\nsystem\n(S'touch {trace}'\ntR.".encode())
    assert _refused(path).what == "the file holds more than tensors, or is damaged"
    assert not trace.exists()


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    torch.save(CHAIN.state_dict(), path)
    whole = path.read_bytes()
    for content in (b"", whole[:100], whole[: len(whole) // 2], b"x1,x2\n1,2\n", whole[:30] + whole[60:]):
        path.write_bytes(content)
        assert _refused(path).what == "the file holds more than tensors, or is damaged"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "no tensors")
    assert _refused(path).what == "the file holds more than tensors, or is damaged"


@pytest.mark.parametrize("content", [[1, 2], {1: torch.zeros(2)}, 3.0])
def test_a_file_without_names_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "a.pt"
    torch.save(content, path)
    assert _refused(path).what == "no state_dict"


def test_what_the_adapters_refuse_is_told_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "conv.pt"
    torch.save(nn.Conv2d(1, 1, 3).state_dict(), path)
    assert _refused(path).where == f"{path}, 'weight' (1, 1, 3, 3)"


def test_our_own_checkpoint_is_sent_to_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    network = Network.of(MLP([1, 1], generator=torch.Generator().manual_seed(0)))
    rows = np.ones((2, 1))
    save_checkpoint(path, Checkpoint(network, TaskSpec("t", ("x",), ("y",), ((0, 1),)), Probe(rows, rows, rows, rows)))
    hint = "leave out --activation, --loss, --range and the like, as it says all that; in Python, use load_checkpoint"
    assert str(_refused(path)) == f"a checkpoint of this program: {path}; hint: {hint}"


def test_other_files_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "a.safetensors"
    broken.write_bytes(b"0" * 20)
    assert _refused(broken).what == "not a safetensors file"
    table = tmp_path / "a.csv"
    table.write_text("x1\n1\n")
    assert _refused(table).what == "a file of an unknown kind"
    assert _refused(tmp_path / "none.pt").what == "no such file"
