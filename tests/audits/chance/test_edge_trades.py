"""Rewiring edge by edge: what it keeps, that all patterns are equally likely, and where it is used."""

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from bimt_analyze.audits.chance import _degree_preserving, _edge_trades
from bimt_analyze.audits.chance._degree_preserving import degree_preserving
from bimt_analyze.audits.chance._edge_trades import rewired_by_edges


def random_streams(count, seed=7):
    return [np.random.default_rng([seed, k]) for k in range(count)]


@pytest.mark.parametrize("shape", [(5, 7), (8, 3), (1, 4), (30, 40)])
@pytest.mark.parametrize("density", [0.0, 0.2, 0.6, 1.0])
def test_each_neuron_keeps_its_degrees_and_its_weights(shape, density):
    rng = np.random.default_rng(0)
    matrix = np.where(
        rng.random(shape) < density, rng.permutation(np.arange(1.0, 1 + np.prod(shape))).reshape(shape), 0
    )
    samples = rewired_by_edges(matrix, schedule=np.random.default_rng(1), generators=random_streams(4))
    assert samples.shape == (4, *shape)
    for sample in samples:
        assert ((sample > 0).sum(axis=0) == (matrix > 0).sum(axis=0)).all()
        assert (np.sort(sample, axis=1) == np.sort(matrix, axis=1)).all()


def test_every_pattern_of_these_degrees_is_equally_likely():
    matrix = np.array([[1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])
    counts = Counter(
        rewired_by_edges(matrix, schedule=np.random.default_rng(k), generators=random_streams(1, k))[0].tobytes()
        for k in range(3000)
    )
    by_rows = degree_preserving(matrix, schedule=np.random.default_rng(0), generators=random_streams(3000))
    assert set(counts) == {sample.tobytes() for sample in by_rows}
    assert chisquare(list(counts.values())).pvalue > 1e-3


def test_each_weight_of_a_row_is_equally_likely_on_each_of_its_edges():
    samples = rewired_by_edges(
        np.array([[1.0, 2.0, 3.0]]), schedule=np.random.default_rng(0), generators=random_streams(3000)
    )
    assert chisquare(list(Counter(sample.tobytes() for sample in samples).values())).pvalue > 1e-3
    assert len({sample.tobytes() for sample in samples}) == 6


def test_sample_k_depends_on_generator_k_alone():
    matrix = (np.random.default_rng(0).random((20, 30)) < 0.2) * 1.0
    few, many = (
        rewired_by_edges(matrix, schedule=np.random.default_rng(5), generators=random_streams(count))
        for count in (3, 6)
    )
    assert (few == many[:3]).all() and (many[0] != many[1]).any()


@pytest.mark.parametrize(("density", "by_edges"), [(0.05, True), (0.5, False)])
def test_large_sparse_matrices_are_rewired_by_edges(monkeypatch, density, by_edges):
    monkeypatch.setattr(_degree_preserving, "_LARGE", 100)
    matrix = (np.random.default_rng(0).random((20, 30)) < density) * 1.0
    streams = {"schedule": np.random.default_rng(5), "generators": random_streams(2)}
    found = degree_preserving(matrix, **streams)
    again = {"schedule": np.random.default_rng(5), "generators": random_streams(2)}
    assert (found == rewired_by_edges(matrix, **again)).all() == by_edges


@pytest.mark.parametrize("padded", [0, 100])
def test_keys_are_put_in_order_within_their_run(monkeypatch, padded):
    monkeypatch.setattr(_edge_trades, "_PADDED", padded)
    rng = np.random.default_rng(0)
    for counts in (np.array([3, 0, 7, 1]), np.array([0]), rng.integers(0, 9, 50)):
        keys = rng.random(counts.sum())
        found = _edge_trades._in_order(keys, counts)
        assert (found == np.lexsort([keys, np.repeat(np.arange(len(counts)), counts)])).all()


def test_what_both_rows_of_a_pair_have_is_marked_and_forgotten():
    rng, marks = np.random.default_rng(0), np.zeros(60, dtype=bool)
    for _ in range(20):
        rows = [rng.choice(60, rng.integers(0, 30), replace=False) for _ in range(2)]
        second = np.repeat([False, True], [len(row) for row in rows])
        found = _edge_trades._shared(np.concatenate(rows), second, marks)
        assert (found == np.isin(np.concatenate(rows), np.intersect1d(*rows))).all() and not marks.any()
