"""A short run of the fuzz: whatever is changed in a file, a table or a formula, the answer is a result or one line."""

import time
from pathlib import Path

import pytest

from benchmarks.start import fuzz
from benchmarks.start.fuzz import Case, outcome
from bimt_train import InputError

COUNTS = {"checkpoints": 400, "states": 150, "tables": 300, "formulas": 200, "foreign files": 80}


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_what_is_changed_at_random_is_read_or_refused_in_one_line(kind):
    counts, failures, _ = fuzz.tried(kind, COUNTS[kind], seed=0)
    assert failures == []
    assert counts["taken"] > 3 and counts["refused"] > 3  # changes neither too small nor too great to find anything


def run_something() -> None:
    Path(fuzz.TRACE).touch()


def refuse_at_length() -> None:
    raise InputError("a", where="b" * 1000, got="c" * 1000, expected="d" * 1000, hint="e" * 1000)


@pytest.mark.parametrize(
    ("do", "found"),
    [
        (lambda: None, "taken"),
        (lambda: [][0], "traceback"),
        (lambda: time.sleep(0.5), "hangs"),
        (refuse_at_length, "long refusal"),
        (run_something, "ran something"),
    ],
)
def test_failures_are_noticed(do, found, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fuzz, "SECONDS", 0.2)
    assert outcome(Case("a kind", "a note", do))[0] == found


def test_a_gigabyte_is_not_given():
    with fuzz.little_memory():
        assert outcome(Case("a kind", "a note", lambda: bytearray(2 * fuzz.BYTES)))[0] == "traceback"
        assert outcome(Case("a kind", "a note", lambda: bytearray(fuzz.BYTES // 10)))[0] == "taken"
