"""The agreement of two labellings against scikit-learn's numbers, and its two ends."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from bimt_analyze.modules import adjusted_mutual_information
from bimt_analyze.modules._labelling_agreement import adjusted_rand


@pytest.mark.parametrize(("things", "first", "second"), [(3, 2, 2), (12, 3, 4), (60, 8, 2), (500, 40, 30), (40, 40, 5)])
def test_they_are_scikit_learns_numbers(things, first, second):
    rng = np.random.default_rng(things)
    for _ in range(20):
        one, other = rng.integers(first, size=things), rng.integers(second, size=things)
        near = np.where(rng.random(things) < 0.3, other, one)  # from chance to nearly alike
        for a, b in ((one, other), (one, near), (one, one)):
            assert adjusted_mutual_information(a, b) == pytest.approx(adjusted_mutual_info_score(a, b), abs=1e-9)
            assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b), abs=1e-12)


def test_labels_may_be_any_names():
    assert adjusted_mutual_information(["x", "x", ("y", 2)], [None, None, 5]) == 1.0
    assert adjusted_rand(["x", "x", ("y", 2)], [None, None, 5]) == 1.0


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [([], [], 1.0), ([0, 0], [1, 1], 1.0), ([0, 0, 0], [0, 1, 1], 0.0), ([0, 1, 2], [0, 1, 2], 1.0)],
)
def test_what_tells_nothing_apart(one, other, score):
    assert adjusted_mutual_information(one, other) == adjusted_mutual_info_score(one, other) == score
    assert adjusted_rand(one, other) == adjusted_rand_score(one, other) == score
