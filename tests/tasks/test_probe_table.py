"""Tables to ask a trained network about are read as they are; they need not be fit to learn from."""

import numpy as np
import pandas as pd
import pytest

from bimt_train import TaskError
from bimt_train.tasks import read_probe_table


def test_rows_keep_their_order_and_may_be_few_or_constant(tmp_path):
    frame = pd.DataFrame({"x1": [0, 0, 1, 1], "x2": [1, 1, 1, 1], "y": [0, 0, 1, 1]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    table = read_probe_table(tmp_path / "t.csv", target="y")
    assert table.x.tolist() == [[0, 1], [0, 1], [1, 1], [1, 1]] and table.y.tolist() == [[0], [0], [1], [1]]
    assert (table.inputs, table.outputs, table.classes) == (("x1", "x2"), ("y",), ())


def test_a_target_of_texts_becomes_numbers_of_classes():
    table = read_probe_table(pd.DataFrame({"a": [0.0, 1.0, 2.0], "kind": ["b", "a", "b "]}), target="kind")
    assert table.classes == ("a", "b") and table.y.tolist() == [[1], [0], [1]]


def test_without_a_target_all_columns_are_inputs():
    table = read_probe_table(pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 2.0]}))
    assert table.y is None and table.inputs == ("a", "b")


@pytest.mark.parametrize(
    ("frame", "target", "words"),
    [
        ({"a": [1.0, np.nan], "y": [0, 1]}, "y", "missing values.*'a'"),
        ({"a": ["u", "v"], "y": [0, 1]}, "y", "values that are no numbers"),
        ({"a": [1, 2], "y": ["u", "v"], "z": [1, 2]}, ("y", "z"), "values that are no numbers"),
        ({"a": [1, 2], "y": ["u", None]}, "y", "values that are no numbers|missing"),
        ({"a": [1, 2], "y": [0, 1]}, "z", "no such target column"),
        ({"a": [], "y": []}, "y", "a table without rows"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(frame, target, words):
    with pytest.raises(TaskError, match=words):
        read_probe_table(pd.DataFrame(frame), target=target)
