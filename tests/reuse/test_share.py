"""Modules that compute the same function become one: what is tied, what that keeps, and what is said."""

import numpy as np
import pytest
import sympy
import torch

from bimt_analyze import share
from bimt_analyze.reuse import module_files
from bimt_analyze.reuse._dense_part import DensePart
from bimt_analyze.reuse._fit_plan import Fitter, plainest
from bimt_analyze.reuse._quantities import Quantities, Quantity, quantities
from bimt_analyze.reuse._share import _missed, _named
from bimt_analyze.reuse._tie import Ties
from bimt_analyze.reuse._tied_network import TiedNetwork
from bimt_analyze.reuse._tied_plan import Adapter, TiedPlan
from bimt_analyze.synthetic import block_network
from bimt_train import InputError
from bimt_train.checkpoints import (
    Checkpoint,
    Network,
    Probe,
    TaskSpec,
    load_checkpoint,
    save_checkpoint,
)
from bimt_train.models import MLP, GatedMLP

X = np.random.default_rng(0).uniform(-1, 1, (120, 3))


def bump(scale, shift):
    """Layers of ``relu(s x + t) + relu(-s x + t)``, which is even, as a part of one argument."""
    return ((np.array([[scale], [-scale]]), np.full(2, shift)), (np.ones((1, 2)), np.zeros(1)))


def three_bumps():
    """Sums of one function of each of three inputs, whose second layer passes on what it gets."""
    first, bias = np.zeros((6, 3)), np.zeros(6)
    second = np.zeros((3, 6))
    for k, scale in enumerate((1.0, 2.0, -1.5)):
        first[2 * k : 2 * k + 2, k], bias[2 * k : 2 * k + 2] = (scale, -scale), 0.1
        second[k, 2 * k : 2 * k + 2] = 1.0
    sums = np.array([[1.0, 0, 0], [1, 1, 0], [1, 1, 1]])
    return [(first, bias), (second, np.zeros(3)), (sums, np.zeros(3))]


def checkpoint_of(layers, x=X):
    widths = [layers[0][0].shape[1], *(len(b) for _, b in layers)]
    tensors = {
        f"layers.{k}.{name}": a
        for k, layer in enumerate(layers)
        for name, a in zip(("weight", "bias"), layer, strict=True)
    }
    network = Network.of(MLP(widths, "relu")).with_tensors(tensors)
    names = [tuple(f"{letter}{k + 1}" for k in range(width)) for letter, width in (("x", widths[0]), ("y", widths[-1]))]
    task = TaskSpec("bumps", *names, ((-1, 1),) * widths[0])
    y = network.predict(x) + 1e-3 * np.random.default_rng(1).normal(size=(len(x), widths[-1]))
    return Checkpoint(network, task, Probe(x[:80], y[:80], x[80:], y[80:]))


@pytest.mark.parametrize("told", [0.995, 0.0])
def test_quantities_compute_what_the_layers_do(told):
    layers = three_bumps()
    found = quantities(layers, "relu", X, cut=2, leak=0.0, told=told, sums=True)
    assert [np.flatnonzero(one.read.any(axis=0)).tolist() for one in found.curved] == [[0], [1], [2]]
    np.testing.assert_allclose(found.predict(X), DensePart(tuple(layers), "relu")(X), atol=1e-12)


def wave(error):
    """A part of 80 neurons that gives ``u2 sin(5 u1)`` and, beside it, errors of a deviation of 0.5 ``error``."""
    random = np.random.default_rng(3)
    weight, bias = 3 * random.normal(size=(80, 2)), 2 * random.normal(size=80)
    u = random.uniform(-1, 1, (2000, 2))
    hidden = DensePart(((weight, bias), (np.eye(80), np.zeros(80))), "silu")(u)
    wanted = u[:, 1] * np.sin(5 * u[:, 0]) + error * np.cos(5 * u[:, 0] + 4 * u[:, 1])
    read = np.linalg.lstsq(np.column_stack([hidden, np.ones(len(u))]), wanted, rcond=None)[0]
    return DensePart(((weight, bias), (read[None, :-1], read[[-1]])), "silu")


def test_a_module_is_named_as_nearly_as_its_network_does_the_task():
    """A network of one module misses its targets by what the module misses its law; the law is its name."""
    part, x = wave(0.035), np.random.default_rng(0).uniform(-1, 1, (300, 2))
    read = Adapter.of(np.eye(2), np.zeros(2))
    plan = TiedPlan(2, (part,), ((0, read),), Adapter.of(np.array([[0.0, 0, 1]]), np.zeros(1)))
    rows = Fitter(x, (x[:, 1] * np.sin(5 * x[:, 0]))[:, None])
    missed = _missed(rows, plan)
    assert missed == pytest.approx(np.sqrt(((plan.predict(x) - rows.y) ** 2).mean() / rows.y.var()))
    assert 0.05 < missed < 0.08
    assert _missed(Fitter(x, plan.predict(x)), plan) == 0
    checkpoint = checkpoint_of(three_bumps())
    name = _named(checkpoint, plan, 0, x, missed, seed=0).expression
    u1, u2 = sympy.symbols("u1 u2", real=True)
    assert name.has(sympy.sin) and name.count_ops() <= 5
    points = np.random.default_rng(1).uniform(-1, 1, (200, 2))
    said = sympy.lambdify((u1, u2), name)(*points.T)
    assert np.corrcoef(said, points[:, 1] * np.sin(5 * points[:, 0]))[0, 1] > 0.999


def test_a_sum_of_functions_of_one_argument_each_falls_into_them():
    (w, b), (v, c) = bump(1.0, 0.0)
    both = DensePart(((np.kron(np.eye(2), w), np.tile(b, 2)), (np.tile(v, 2), c + 0.5)), "relu")
    whole = Quantities(2, (Quantity(np.eye(2), both),), np.array([[0.0, 0, 1]]), np.array([1.0]))
    apart = whole.additive(X[:, :2])
    assert [one.part.arguments for one in apart.curved] == [1, 1]
    np.testing.assert_allclose(apart.predict(X[:, :2]), whole.predict(X[:, :2]), atol=1e-12)


def test_a_product_does_not_fall_apart():
    product = DensePart(
        ((np.array([[1.0, 1], [1, -1], [-1, 1], [-1, -1]]), np.zeros(4)), (np.array([[1.0, -1, -1, 1]]), np.zeros(1))),
        "relu",
    )
    whole = Quantities(2, (Quantity(np.eye(2), product),), np.array([[0.0, 0, 1]]), np.zeros(1))
    assert [one.part.arguments for one in whole.additive(X[:, :2]).curved] == [2]


def test_the_module_of_torch_computes_what_the_plan_does():
    found = quantities(three_bumps(), "relu", X, cut=2, leak=0.0, told=0.995, sums=True)
    plan = Ties(found, X, 0).plan(0.99)
    assert [module for module, _ in plan.uses] == [0, 0, 0]
    with torch.no_grad():
        np.testing.assert_allclose(TiedNetwork(plan)(torch.tensor(X)).numpy(), plan.predict(X), atol=1e-12)
    np.testing.assert_allclose(plan.with_vector(plan.vector()).predict(X), plan.predict(X), atol=1e-14)
    np.testing.assert_allclose(plan.in_unit().predict(X), plan.predict(X), atol=1e-12)
    own = {id(p) for p in TiedNetwork(plan).shared.parameters()}
    assert len(own) == 6  # of three layers, once


def test_numbers_of_0_and_1_cost_nothing_and_the_loss_holds():
    layers = three_bumps()
    found = quantities(layers, "relu", X, cut=2, leak=0.0, told=0.995, sums=True)
    fitter = Fitter(X, DensePart(tuple(layers), "relu")(X))
    plan, _ = fitter.fitted(Ties(found, X, 0).plan(0.8), enough=1e-8)
    plain = plainest(plan, fitter, 1e-4)
    assert fitter.loss(plain) <= 1e-4 and plain.numbers < plan.numbers
    for one in plain.adapters:
        assert set(np.unique(one.weight[~one.free])) <= {0.0, 1.0} and not one.shift[~one.free_shift].any()


def test_uses_that_read_nothing_or_are_not_read_cost_nothing():
    part, zero = DensePart(bump(1.0, 0.1), "relu"), np.zeros((1, 3))
    reads = [zero, np.eye(3)[:1], np.eye(3)[1:2]]  # a constant; x1 and the constant; what nothing reads
    uses = [(k, Adapter.of(np.pad(read, ((0, 0), (0, k))), np.array([0.3]))) for k, read in enumerate(reads)]
    uses[1][1].weight[0, 3] = 2.0
    out = Adapter.of(np.array([[0.0, 0, 1, 0, 2, 0]]), np.zeros(1))
    plan = TiedPlan(3, (part, DensePart(bump(2.0, 0.1), "relu"), part), tuple(uses), out)
    lean = plan.without_idle()
    np.testing.assert_allclose(lean.predict(X), plan.predict(X), atol=1e-12)
    assert [module for module, _ in lean.uses] == [0] and len(lean.modules) == 1 and lean.numbers < plan.numbers / 2


def test_what_is_the_same_is_shared_and_the_checkpoint_reads_back(tmp_path):
    found = share(checkpoint_of(three_bumps()))
    assert found.shares and len(found.modules[0].uses) == 3
    assert found.numbers <= found.numbers_before / 2 < found.numbers_untied
    assert found.loss <= 1.3 * found.loss_before
    save_checkpoint(tmp_path / "tied.safetensors", found.checkpoint)
    again = load_checkpoint(tmp_path / "tied.safetensors")
    with torch.no_grad():
        expected = found.network(torch.tensor(again.probe.x_test)).numpy()
    np.testing.assert_allclose(again.predict(again.probe.x_test), expected, atol=1e-9)
    assert "used 3 times" in found.summary()[0]


def test_what_is_not_the_same_is_not_shared():
    layers = [(np.array([[3.0], [1.0]]), np.array([0.2, -0.5])), (np.array([[1.0, -2.0]]), np.zeros(1))]
    found = share(checkpoint_of(layers, X[:, :1]))
    assert not found.shares and found.numbers == found.numbers_before
    assert found.summary()[0].startswith("nothing is shared: no two parts")


def test_files_of_modules_compute_what_the_network_does():
    planted = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    task = TaskSpec("own", ("a", "b", "c", "d"), ("u", "v"), ((0, 4),) * 4, input_shift=(2,) * 4, input_scale=(2,) * 4,
                    output_shift=(1, -1), output_scale=(3, 2))  # fmt: skip
    x = np.random.default_rng(0).uniform(0, 4, (60, 4))
    y = task.from_network_outputs(planted.network.predict(task.to_network_inputs(x)))
    checkpoint = Checkpoint(planted.network, task, Probe(x[:40], y[:40], x[40:], y[40:]))
    one, two = module_files(checkpoint, formulas={}, tolerance=0.0)
    assert (one.inputs, one.outputs, two.inputs, two.outputs) == (("a", "c"), ("u",), ("b", "d"), ("v",))
    np.testing.assert_allclose(one.predict(x[:, [0, 2]])[:, 0], y[:, 0], atol=1e-5)
    np.testing.assert_allclose(two.predict(x[:, [1, 3]])[:, 0], y[:, 1], atol=1e-5)


def test_a_network_of_other_make_has_no_files_of_modules():
    network = Network.of(GatedMLP([2, 3, 1]))
    task = TaskSpec("gated", ("a", "b"), ("y",), ((-1, 1),) * 2)
    checkpoint = Checkpoint(network, task, Probe(X[:, :2], X[:, 2:], X[:, :2], X[:, 2:]))
    with pytest.raises(InputError, match="without modules of layers"):
        module_files(checkpoint)
    assert share(checkpoint).reason == "the network is not made of layers with a linear last one"
