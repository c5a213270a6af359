"""The registries of null models, statistics and retrainings: a name runs its own function, or nothing runs."""

from pathlib import Path

import numpy as np
import pytest

from bimt_analyze._network_rows import checkpoint_of
from bimt_analyze.audits import NULL_MODELS, significance
from bimt_analyze.audits.chance._degree_preserving import degree_preserving
from bimt_analyze.audits.chance._group_blocks import Blocks
from bimt_analyze.audits.chance._statistics import STATISTICS
from bimt_analyze.audits.chance._weight_permutation import weight_permutation
from bimt_analyze.audits.chance.retraining._retrained import Measured, retrained
from bimt_analyze.audits.chance.retraining._retrainings import RETRAININGS, NullTraining
from bimt_analyze.graph import neuron_graph
from bimt_analyze.synthetic import block_network
from bimt_train import InputError
from bimt_train.models import MODELS

EXAMPLE = Path(__file__).parents[3] / "docs" / "extending" / "null_model.py"
PLANTED = block_network(blocks=[(2, 4, 1)] * 3, seed=0)
GRAPH = neuron_graph(PLANTED.network)
BLOCKS = Blocks.of(GRAPH)
WEIGHTS = np.where(np.random.default_rng(0).random((5, 7)) < 0.5, 1.0, 0.0) * np.arange(1.0, 36.0).reshape(5, 7)


def by_hand(statistic, null_model, samples, seed):
    streams = np.random.SeedSequence(seed).spawn(samples)
    generators, schedule = [np.random.default_rng(s) for s in streams], np.random.default_rng(seed)
    matrices = [null_model(m, schedule=schedule, generators=generators) for _, _, m in BLOCKS.matrices]
    return statistic(BLOCKS, matrices, [int(s.generate_state(1)[0]) for s in streams])


def random_streams(count):
    return [np.random.default_rng([7, k]) for k in range(count)]


@pytest.mark.parametrize("null_model", NULL_MODELS.names())
@pytest.mark.parametrize("statistic", STATISTICS.names())
def test_a_name_runs_its_own_function(statistic, null_model):
    measured, drawn_by = STATISTICS[statistic], NULL_MODELS[null_model]
    found = significance(GRAPH, statistic=statistic, null_model=null_model, samples=15, seed=3)
    assert found.null == tuple(by_hand(measured.function, drawn_by.function, 15, 3).tolist())
    assert (found.statistic, found.null_model) == (statistic, drawn_by.label)


def test_two_null_models_are_two():
    assert NULL_MODELS["degree_preserving"].function is degree_preserving
    assert NULL_MODELS["weight_permutation"].function is weight_permutation
    values = {name: significance(GRAPH, null_model=name, samples=5).null for name in NULL_MODELS}
    assert len(set(values.values())) == len(tuple(NULL_MODELS))


@pytest.mark.parametrize("null_model", NULL_MODELS.names())
def test_every_null_model_keeps_the_weights_of_a_pair_of_groups(null_model):
    drawn = NULL_MODELS[null_model].function(WEIGHTS, schedule=np.random.default_rng(0), generators=random_streams(20))
    assert drawn.shape == (20, 5, 7)
    assert all((np.sort(sample, axis=None) == np.sort(WEIGHTS, axis=None)).all() for sample in drawn)
    assert len({sample.tobytes() for sample in drawn}) > 1


@pytest.mark.parametrize("null_model", NULL_MODELS.names())
def test_sample_k_depends_on_generator_k_alone(null_model):
    function = NULL_MODELS[null_model].function
    many, few = (function(WEIGHTS, schedule=np.random.default_rng(0), generators=random_streams(n)) for n in (9, 3))
    assert (many[:3] == few).all()


@pytest.mark.parametrize(("option", "registry"), [("null_model", NULL_MODELS), ("statistic", STATISTICS)])
@pytest.mark.parametrize("name", ["rewired", "shuffled", "degree-preserving", ""])
def test_unknown_names_are_refused_with_those_that_are_known(option, registry, name):
    with pytest.raises(InputError, match=rf"unknown {registry.kind}: expected {', '.join(registry)}, or file.py:NAME"):
        significance(GRAPH, samples=3, **{option: name})


@pytest.mark.parametrize("missing", ["label", "sentence", "phrase"])
def test_a_half_registered_null_model_cannot_run(missing):
    about = {"label": "l", "sentence": "S.", "phrase": "p"}
    with pytest.raises((InputError, TypeError), match=missing):
        NULL_MODELS.register("half", **{k: v for k, v in about.items() if k != missing})(weight_permutation)
    with pytest.raises(InputError, match="unknown null model"):
        significance(GRAPH, null_model="half", samples=3)


def test_a_null_model_of_a_users_file():
    try:
        found = significance(GRAPH, null_model=f"{EXAMPLE}:row_permutation", samples=19)
        entry = NULL_MODELS["row_permutation"]
        assert found.null_model == entry.label
        assert found.null == significance(GRAPH, null_model="row_permutation", samples=19).null
        drawn = entry.function(WEIGHTS, schedule=np.random.default_rng(0), generators=random_streams(20))
        assert all((np.sort(sample, axis=1) == np.sort(WEIGHTS, axis=1)).all() for sample in drawn)
        assert any(((sample > 0).sum(0) != (WEIGHTS > 0).sum(0)).any() for sample in drawn)
    finally:
        NULL_MODELS._found.pop("row_permutation", None)


def test_functions_that_give_something_else_are_refused_in_one_line():
    try:
        NULL_MODELS.register("one", label="l", sentence="S.", phrase="p")(lambda m, *, schedule, generators: m)
        STATISTICS.register("total", label="l", sentence="S.")(lambda blocks, matrices, seeds: matrices[0].sum())
        with pytest.raises(InputError, match=r"samples of another shape: null model 'one': expected \[3, 12, 6\]"):
            significance(GRAPH, null_model="one", samples=3)
        with pytest.raises(InputError, match=r"values of another shape: statistic 'total': expected \[1\], got \[\]"):
            significance(GRAPH, statistic="total", samples=3)
    finally:
        NULL_MODELS._found.pop("one", None)
        STATISTICS._found.pop("total", None)


CHECKPOINT = checkpoint_of(PLANTED.network, PLANTED.x[:60], PLANTED.network.predict(PLANTED.x[:60]))


@pytest.mark.parametrize("how", RETRAININGS.names())
def test_every_retraining_gives_rows_of_the_checkpoint_to_its_own_model(how):
    entry = RETRAININGS[how]
    told = entry.function(CHECKPOINT)
    assert isinstance(told, NullTraining) and told.task.model == CHECKPOINT.network.model
    data = told.task.data(0)
    assert (data.x_train == CHECKPOINT.probe.x_train).all()
    assert (np.sort(data.y_train, axis=0) == np.sort(CHECKPOINT.probe.y_train, axis=0)).all()
    assert entry.phrase and entry.significant and entry.not_significant


def test_targets_are_permuted_for_label_permutation_alone():
    moved = {how: RETRAININGS[how].function(CHECKPOINT).task.data(0).y_train for how in RETRAININGS}
    same = {how for how, y in moved.items() if (y == CHECKPOINT.probe.y_train).all()}
    assert same == set(RETRAININGS) - {"label_permutation"}
    other = RETRAININGS["label_permutation"].function(CHECKPOINT).task.data(1).y_train
    assert (other != moved["label_permutation"]).any()


def test_an_unknown_retraining_is_refused():
    assert CHECKPOINT.network.model.kind in MODELS
    with pytest.raises(InputError, match=f"unknown retraining: expected {', '.join(RETRAININGS)}"):
        retrained(CHECKPOINT, Measured("s", "w", lambda c: (0.0, 0.0)), how="permuted", samples=2)
