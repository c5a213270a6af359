"""Networks of many weights see fewer rows, evenly spaced; small ones see all."""

import numpy as np
import pytest

from bimt_analyze.audits.functions import _fewer_rows
from bimt_analyze.audits.functions._fewer_rows import fewer_rows
from bimt_train.checkpoints import Network
from bimt_train.models import MLP

NETWORK = Network.of(MLP((2, 4, 1)))  # 12 weights


@pytest.mark.parametrize(
    ("many", "most", "fewest", "seen"),
    [(12, None, 5, 100), (6, None, 5, 50), (1, None, 20, 20), (12, 40, 5, 40), (6, 40, 5, 20), (1, None, 500, 100)],
)
def test_rows_go_down_as_weights_go_up(monkeypatch, many, most, fewest, seen):
    monkeypatch.setattr(_fewer_rows, "MANY_WEIGHTS", many)
    x = np.arange(200.0).reshape(100, 2)
    rows = fewer_rows(NETWORK, x, most=most, fewest=fewest)
    assert len(rows) == seen
    assert (rows[0] == x[0]).all() and (rows[-1] == x[-1]).all()
    assert (np.diff(rows[:, 0]) > 0).all()
