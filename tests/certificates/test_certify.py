"""What is certified is true on as many points as one likes, and what is false is not certified."""

from dataclasses import replace

import numpy as np
import pytest
import sympy
from certified_networks import scaled_network
from torch import nn

from bimt_analyze.certificates import Certificate, certify, check_certificate
from bimt_train import InputError
from bimt_train.checkpoints import Network, from_module, from_state_dict
from bimt_train.models import MLP

FORMULA = "2*tanh(u*v) + sqrt(u)"


@pytest.fixture(scope="module")
def scaled():
    return scaled_network()


def difference(checkpoint, points, output):
    u, v = points.T
    return np.abs(checkpoint.predict(points)[:, output] - (2 * np.tanh(u * v) + np.sqrt(u)))


@pytest.fixture(scope="module")
def certificate(scaled) -> Certificate:
    return certify(scaled, FORMULA, output="z")


def test_the_bound_holds_on_a_million_points_and_is_nearly_reached(scaled, certificate):
    points = np.random.default_rng(0).uniform((1, -0.5), (3, 0.5), (1_000_000, 2))
    worst = difference(scaled, points, 1).max()
    point = np.array([list(certificate.point.values())])
    assert worst <= certificate.bound
    assert certificate.reached <= difference(scaled, point, 1)[0] <= certificate.reached + 1e-6
    found = check_certificate(certificate.data, checkpoint=scaled)
    assert certificate.bound - certificate.reached <= 0.01 * found.deviation
    u, v = points.T
    assert found.deviation == pytest.approx((2 * np.tanh(u * v) + np.sqrt(u)).std(), rel=0.05)
    assert certificate.mean == pytest.approx(difference(scaled, points, 1).mean(), rel=0.05)
    assert found.statement.startswith(f"proved: |network - ({FORMULA})| <= ")


def test_a_bound_that_is_asked_is_proved_or_refuted(scaled, certificate):
    wide = certify(scaled, FORMULA, output="z", eps=1.5 * certificate.bound)
    assert certificate.bound < wide.bound <= 1.5 * certificate.bound
    refuted = certify(scaled, FORMULA, output="z", eps=0.5 * certificate.bound)
    assert refuted.reached > 0.5 * certificate.bound
    assert refuted.bound == pytest.approx(certificate.bound, rel=1e-2)


def test_a_smaller_box_has_a_smaller_bound(scaled, certificate):
    box = ((1.5, 1.6), (0.0, 0.1))
    small = certify(scaled, FORMULA, output="z", box=box)
    points = np.random.default_rng(0).uniform((1.5, 0.0), (1.6, 0.1), (10_000, 2))
    assert difference(scaled, points, 1).max() <= small.bound < certificate.bound


def test_equal_calls_give_equal_bytes_and_files_come_back(scaled, certificate, tmp_path):
    assert certify(scaled, FORMULA, output="z").data == certificate.data
    certificate.save(tmp_path / "c.json")
    assert Certificate.load(tmp_path / "c.json") == certificate
    assert check_certificate(tmp_path / "c.json").claim.formula == FORMULA == certificate.formula


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "sigmoid", "identity", "leaky_relu", "elu"])
def test_networks_of_other_activations(scaled, activation):
    options = {**scaled.network.model.options, "activation": activation}
    network = replace(scaled.network, model=replace(scaled.network.model, options=options))
    checkpoint = replace(scaled, network=network)
    found = certify(checkpoint, FORMULA, output="w")
    points = np.random.default_rng(0).uniform((1, -0.5), (3, 0.5), (100_000, 2))
    assert difference(checkpoint, points, 0).max() <= found.bound
    check_certificate(found.data, checkpoint=checkpoint)


def test_a_final_activation_is_part_of_the_network():
    network = Network.of(MLP([1, 3, 1], "tanh", final="tanh"))
    checkpoint = from_state_dict(
        {name.removeprefix("layers."): tensor for name, tensor in network.tensors.items()},
        activation="tanh", final="tanh", ranges=(-1, 1),
    )  # fmt: skip
    found = certify(checkpoint, "x1/3", output="y1")
    x = np.linspace(-1, 1, 1001)[:, None]
    assert np.abs(checkpoint.predict(x)[:, 0] - x[:, 0] / 3).max() <= found.bound


def test_a_network_that_is_its_formula_is_certified_to_rounding():
    checkpoint = from_state_dict({"weight": np.array([[0.5, -2.0]])}, activation="relu", ranges=(-1, 1))
    x1, x2 = sympy.symbols("x1 x2", real=True)
    found = certify(checkpoint, x1 / 2 - 2 * x2, output="y1")
    assert 0 <= found.reached <= found.bound < 1e-8


def test_a_short_time_gives_a_larger_bound_that_is_proved_too(scaled, certificate):
    hasty = certify(scaled, FORMULA, output="z", seconds=0.0)
    assert not hasty.complete
    assert certificate.bound < hasty.bound
    check_certificate(hasty.data, checkpoint=scaled)


@pytest.mark.parametrize("formula", ["log(u - 2)", "1/(u - 2)", "sqrt(v)", "1/v", "log(log(u))"])
def test_where_the_formula_is_not_defined_nothing_is_claimed(scaled, formula):
    with pytest.raises(InputError, match=r"nothing can be proved in a part of the box: near u = .*hint"):
        certify(scaled, formula, output="z", seconds=5)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"output": "y"}, "unknown output"),
        ({"formula": "u + q"}, "unknown name 'q'"),
        ({"formula": "sign(u)"}, "cannot be certified"),
        ({"box": ((1, 3),)}, "an impossible box"),
        ({"box": ((3, 1), (0, 1))}, "an impossible box"),
        ({"box": ((float("nan"), 1), (0, 1))}, "an impossible box"),
    ],
)
def test_bad_input_is_said_in_one_line(scaled, change, line):
    given = {"formula": "u", "output": "z"} | change
    with pytest.raises(InputError, match=line):
        certify(scaled, given.pop("formula"), **given)


def test_a_network_of_another_kind_is_refused():
    module = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3), nn.Linear(3, 1))
    checkpoint = from_module(module, np.random.default_rng(0).normal(size=(20, 2)))
    with pytest.raises(InputError, match="a network that cannot be certified: model: expected mlp"):
        certify(checkpoint, "x1", output="y1")
