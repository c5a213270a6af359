"""Subspaces of a residual stream: of compiled programs, whose variables are known, and of streams without any."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from bimt_analyze.audits.chance._stream_subspaces import subspaces
from bimt_analyze.modules._leiden import best_modularity
from bimt_analyze.synthetic import block_network, compiled_program
from bimt_analyze.transformers._subspace_graph import stream_units, together
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import GPT


def test_the_variables_of_a_program_are_found_and_are_no_accident() -> None:
    made = compiled_program(program="reverse", seed=1)
    found = subspaces(made.network, samples=99, seed=0)
    truth = {node: module for node, module in made.modules.items() if node[0] == "resid" and module is not None}
    label = {node: n for n, module in enumerate(found.level.partition.modules) for node in module}
    both = sorted(set(truth) & set(label))
    assert adjusted_mutual_info_score([truth[n] for n in both], [label[n] for n in both]) > 0.95
    assert found.significance.p == 0.01 and found.significance.z > 3


def test_units_that_touch_positions_at_random_are_not_shown_to_be_more_than_chance() -> None:
    reached = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        network = Network.of(GPT(5, 4, 16, 2, 2, 12))
        tensors = {
            name: np.where(rng.random(network.tensors[name].shape) < 0.3, 1.0, 0.0) for name in network.layout.weights()
        }
        reached += subspaces(network.with_tensors(tensors), samples=39, seed=seed).significance.p <= 0.05
    assert reached <= 3  # 1 of 20 is expected


def test_null_streams_keep_what_units_touch_and_how_often_positions_are_touched() -> None:
    from bimt_analyze.audits.chance._degree_preserving import degree_preserving

    units = stream_units(compiled_program(program="reverse", seed=0).network)
    generators = [np.random.default_rng(k) for k in range(3)]
    drawn = degree_preserving(units.astype(float), schedule=np.random.default_rng(0), generators=generators) > 0
    assert (drawn.sum(axis=2) == units.sum(axis=1)).all() and (drawn.sum(axis=1) == units.sum(axis=0)).all()
    assert all(best_modularity(together(one), seed=0) < best_modularity(together(units), seed=0) for one in drawn)


def test_other_networks_and_no_samples_are_refused() -> None:
    with pytest.raises(InputError, match="no residual stream"):
        subspaces(block_network(blocks=[(1, 2, 1)] * 2, seed=0).network)
    with pytest.raises(InputError, match="no samples"):
        subspaces(compiled_program(seed=0).network, samples=0)
