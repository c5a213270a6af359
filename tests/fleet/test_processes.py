"""Files that do not end, or end their process, and files beside them."""

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from bimt_analyze import AnalysisOptions, Sampling, analyze_many
from bimt_analyze._cli import main
from bimt_train import InputError

QUICK = AnalysisOptions(samples=0, time_limit=0, refit_steps=0)
SAID = Sampling(activation="relu", ranges=((-1.0, 1.0),))
MARK = f"bimt-test-{os.getpid()}"
BUDGET = 3.0  # seconds, of a file that never ends
BAD = {
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
    "leaves": "import sys\nsys.exit(0)\n",
    "raises": "raise KeyError('two\\nlines')\n",
}


def processes_left():
    """Processes that a run started and did not end; where there is no /proc, none are seen."""
    left = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has just ended, or is another user's
            left += [environ.parent.name] if MARK.encode() in environ.read_bytes() else []
    return left


@pytest.fixture(scope="module")
def manifest(tmp_path_factory, linear):
    """Good files around such that name a file of Python that does harm."""
    folder = tmp_path_factory.mktemp("harm")
    rows = ["file,model"]
    for place, (name, program) in enumerate(BAD.items()):
        (folder / f"{name}.py").write_text(program)
        linear(folder / f"good{place}.pt", place)
        linear(folder / f"{name}.pt", place)
        rows += [f"good{place}.pt,", f"{name}.pt,{name}.py:Kind"]
    (folder / "all.csv").write_text("\n".join(rows) + "\n")
    return folder / "all.csv"


@pytest.fixture(scope="module")
def found(manifest):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARK", MARK)  # its processes inherit it, and those that they start
        return analyze_many([manifest], QUICK, sampling=SAID, processes=1)


def test_harm_stays_with_the_file_that_does_it(found):
    assert [member.failure is None for member in found.members] == [True, False] * 3
    failures = {member.name: member.failure for member in found.failed}
    assert failures["killed"].kind == "died" and "SIGKILL" in failures["killed"].reason
    assert failures["leaves"].kind == "crashed" and "SystemExit" in failures["leaves"].reason
    assert "KeyError" in failures["raises"].reason and "\n" not in failures["raises"].reason


def test_a_file_that_takes_too_long_says_so(tmp_path, linear, monkeypatch):
    """Alone: on a busy machine a good file beside this one may take that long as well."""
    monkeypatch.setenv("MARK", MARK)
    linear(tmp_path / "sleeps.pt")
    (tmp_path / "sleeps.py").write_text("import time\ntime.sleep(600)\n")
    (tmp_path / "all.csv").write_text("file,model\nsleeps.pt,sleeps.py:Kind\n")
    fleet = analyze_many([tmp_path / "all.csv"], QUICK, sampling=SAID, time_budget=BUDGET, processes=1)
    (late,) = fleet.members
    assert late.failure.kind == "late" and late.failure.reason == "not done within the time budget of 3 s"
    assert BUDGET <= late.seconds < 100  # far from the 600 s that it wants
    assert processes_left() == []


def test_order_and_number_of_processes_change_nothing(manifest, found):
    files = [manifest.parent / f"good{place}.pt" for place in (2, 0)]
    again = analyze_many(files, QUICK, sampling=SAID, processes=2)
    assert [member.name for member in again.members] == ["good2", "good0"]

    def plain(member):
        report = json.loads(member.outcome.texts["json"])
        del report["provenance"]["seconds"]
        return report

    before = {member.name: plain(member) for member in found.members if member.outcome}
    assert [plain(member) for member in again.members] == [before["good2"], before["good0"]]


def test_no_process_is_left(found):
    assert processes_left() == []


def test_a_budget_of_nothing_is_bad_input(manifest, capsys):
    with pytest.raises(InputError, match="time_budget"):
        analyze_many([manifest], QUICK, time_budget=0.0)
    assert main([str(manifest), "--time-budget", "0"]) == 2
    assert "--time-budget" in capsys.readouterr().err
