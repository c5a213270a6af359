"""Block networks against their blocks run alone; networks without modules against the block networks they mimic."""

from itertools import pairwise, product

import numpy as np
import pytest

from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules import connected_components
from bimt_analyze.synthetic import SyntheticNetwork, block_network, dense_network, rewired_network
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import MLP

UNEQUAL = ((2, 4, 4, 1), (3, 6, 5, 2), (1, 3, 4, 1))
SEEDS = range(4)


def alone(planted: SyntheticNetwork, module: int) -> tuple[Network, np.ndarray, np.ndarray]:
    """One block as a network of its own, with the numbers of its inputs and outputs in the whole."""
    sizes = planted.network.layout.sizes
    own = [np.array([i for i in range(n) if planted.modules[group, i] == module]) for group, n in sizes.items()]
    tensors = {}
    for n, (before, after) in enumerate(pairwise(own)):
        tensors[f"layers.{n}.weight"] = planted.network.tensors[f"layers.{n}.weight"][np.ix_(after, before)]
        tensors[f"layers.{n}.bias"] = planted.network.tensors[f"layers.{n}.bias"][after]
    small = Network.of(MLP([len(row) for row in own], "relu")).with_tensors(tensors)
    return small, own[0], own[-1]


def weights(planted: SyntheticNetwork) -> list[np.ndarray]:
    network = planted.network
    return [network.tensors[name] for name in network.layout.weights()]


def between(planted: SyntheticNetwork) -> list[np.ndarray]:
    """For each layer, which weights join different modules."""
    groups = [np.array([planted.modules[g, i] for i in range(n)]) for g, n in planted.network.layout.sizes.items()]
    return [after[:, None] != before[None, :] for before, after in pairwise(groups)]


def content(planted: SyntheticNetwork) -> list[bytes]:
    network = planted.network
    return [network.tensors[name].tobytes() for name in sorted(network.tensors)] + [planted.x.tobytes()]


@pytest.mark.parametrize("seed", SEEDS)
def test_each_block_computes_what_it_computes_alone(seed):
    planted = block_network(blocks=UNEQUAL, seed=seed)
    whole = planted.network.predict(planted.x)
    for module, widths in enumerate(UNEQUAL):
        small, inputs, outputs = alone(planted, module)
        assert (len(inputs), len(outputs)) == (widths[0], widths[-1])
        assert np.allclose(whole[:, outputs], small.predict(planted.x[:, inputs]), atol=1e-12)
        assert (whole[:, outputs].std(0) > 0.1).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_components_are_the_blocks(seed):
    planted = block_network(blocks=UNEQUAL, seed=seed)
    assert not any(weight[apart].any() for weight, apart in zip(weights(planted), between(planted), strict=True))
    assert connected_components(neuron_graph(planted.network)).same_modules(planted.partition)
    assert sorted(map(len, planted.partition.modules)) == sorted(map(sum, UNEQUAL))
    assert planted.modular


def test_every_neuron_is_active_on_some_rows_and_silent_on_others():
    for make, seed in product((block_network, dense_network, rewired_network), range(8)):
        planted = make(seed=seed)
        h, tensors = planted.x, planted.network.tensors
        for n in range(2):
            h = np.maximum(h @ tensors[f"layers.{n}.weight"].T + tensors[f"layers.{n}.bias"], 0)
            active = (h > 0).mean(0)
            assert ((active > 0.05) & (active < 0.95)).all()


def test_neurons_are_in_no_telling_order():
    planted = block_network()
    for group, size in planted.network.layout.sizes.items():
        owners = [planted.modules[group, i] for i in range(size)]
        assert size < 4 or owners != sorted(owners)


def test_scales_change_weights_and_no_output():
    plain, rescaled = block_network(scale=1.0, crosstalk=0.1), block_network(scale=100.0, crosstalk=0.1)
    assert np.allclose(plain.network.predict(plain.x), rescaled.network.predict(rescaled.x), atol=1e-9)
    factors = weights(rescaled)[0] / weights(plain)[0]
    assert np.allclose(factors, factors[:, :1])  # one a neuron
    assert np.log(factors[:, 0]).min() < -1 and np.log(factors[:, 0]).max() > 1
    assert (factors <= 100).all() and (factors >= 0.01).all()


def test_crosstalk_is_the_size_of_what_lies_between_blocks():
    separate, joined, dense = (block_network(crosstalk=c, scale=1.0, seed=5) for c in (0.0, 0.1, 1.0))
    for apart, none, some, full in zip(between(joined), *map(weights, (separate, joined, dense)), strict=True):
        assert np.array_equal(none[~apart], some[~apart])
        assert np.allclose(some[apart], 0.1 * full[apart])
        assert np.abs(some[apart]).mean() == pytest.approx(0.1 * np.abs(some[~apart]).mean(), rel=0.2)
    assert joined.modular and not dense.modular


def test_the_same_seed_makes_the_same_bytes_and_others_do_not():
    for make in (block_network, dense_network, rewired_network):
        assert content(make(seed=1)) == content(make(seed=1))
        assert content(make(seed=1)) != content(make(seed=2))
        assert make(seed=1).modules == make(seed=1).modules


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("crosstalk", [0.0, 0.1])
def test_rewiring_keeps_degrees_and_weights_and_joins_the_blocks(seed, crosstalk):
    options = {"blocks": UNEQUAL, "scale": 1.0, "seed": seed, "crosstalk": crosstalk}
    blocks, random = block_network(**options), rewired_network(**options)
    for before, after in zip(weights(blocks), weights(random), strict=True):
        assert sorted((before != 0).sum(0)) == sorted((after != 0).sum(0))
        # both are in random order: compare what each neuron reads as a bag of bags
        assert sorted(sorted(row) for row in before.tolist()) == sorted(sorted(row) for row in after.tolist())
    assert len(connected_components(neuron_graph(random.network)).modules) == 1
    assert not random.modular and set(random.modules.values()) == {0}


def test_rewiring_leaves_nothing_of_the_blocks():
    # in a block network two readers share all they read or nothing; dealt anew, 4 of 12 inputs each, hardly ever
    matrix = weights(rewired_network(blocks=((4, 8, 1),) * 3))[0] != 0
    shared = (matrix[:, None, :] & matrix[None, :, :]).sum(-1)[~np.eye(24, dtype=bool)]
    assert (shared == 4).mean() < 0.05
    assert 0.3 < (shared == 1).mean() < 0.6


def test_a_dense_network_has_every_edge_and_no_modules():
    planted = dense_network(widths=(4, 7, 2), seed=1)
    assert all((weight != 0).all() for weight in weights(planted))
    assert not planted.modular and set(planted.modules.values()) == {0}
    assert planted.options == {"widths": (4, 7, 2), "rows": 500, "scale": 10.0}


def test_a_synthetic_network_is_frozen_and_whole():
    planted = block_network()
    with pytest.raises(ValueError, match="read-only"):
        planted.x[0, 0] = 1
    with pytest.raises(TypeError):
        planted.modules["x", 0] = 1
    with pytest.raises(InputError, match=r"modules of other neurons than the network has: modules: got \[\('h1', 0\)"):
        SyntheticNetwork(planted.network, planted.x, {}, True, "", {}, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blocks": ()}, "blocks that do not fit side by side: blocks: expected for each block its widths"),
        ({"blocks": ((2, 3, 1), (2, 1))}, "blocks that do not fit side by side"),
        ({"blocks": ((2, 0, 1),)}, "blocks that do not fit side by side"),
        ({"crosstalk": 1.5}, "not a share: crosstalk: expected a number from 0 to 1, got 1.5"),
        ({"scale": 0.5}, "an impossible scale: expected 1 or more, got 0.5"),
        ({"rows": 3}, "too few: rows: expected 4 or more, got 3"),
    ],
)
def test_what_is_refused(options, message):
    for make in (block_network, rewired_network):
        with pytest.raises(InputError, match=message):
            make(**options)


def test_chains_cannot_be_wired_into_one_piece():
    with pytest.raises(InputError, match="not to be wired into one piece: blocks: expected one piece, got 30 draws"):
        rewired_network(blocks=((1, 1, 1),) * 2, rows=4)
