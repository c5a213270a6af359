"""Files that do not end, or end their process, and files beside them."""

import json
import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from bimt_analyze import AnalysisOptions, Sampling, analyze_many
from bimt_analyze._cli import main
from bimt_train import InputError

QUICK = AnalysisOptions(samples=0, time_limit=0, refit_steps=0)
SAID = Sampling(activation="relu", ranges=((-1.0, 1.0),))
MARK = f"bimt-test-{os.getpid()}"
BUDGET = 4.0  # seconds, of which a good file takes a tenth
BAD = {
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
    "leaves": "import sys\nsys.exit(0)\n",
    "raises": "raise KeyError('two\\nlines')\n",
    "sleeps": "import time\ntime.sleep(600)\n",
}


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
    began = time.perf_counter()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MARK", MARK)  # its processes inherit it, and those that they start
        fleet = analyze_many([manifest], QUICK, sampling=SAID, time_budget=BUDGET, processes=1)
    return fleet, time.perf_counter() - began


def test_harm_stays_with_the_file_that_does_it(found):
    fleet, _ = found
    assert [member.failure is None for member in fleet.members] == [True, False] * 4
    failures = {member.name: member.failure for member in fleet.failed}
    assert failures["killed"].kind == "died" and "SIGKILL" in failures["killed"].reason
    assert failures["leaves"].kind == "crashed" and "SystemExit" in failures["leaves"].reason
    assert "KeyError" in failures["raises"].reason and "\n" not in failures["raises"].reason


def test_a_file_that_takes_too_long_says_so(found):
    fleet, seconds = found
    (late,) = [member for member in fleet.failed if member.failure.kind == "late"]
    assert late.name == "sleeps" and late.failure.reason == "not done within the time budget of 4 s"
    assert BUDGET <= late.seconds < 2 * BUDGET and seconds < 100


def test_order_and_number_of_processes_change_nothing(manifest, found):
    fleet, _ = found
    files = [manifest.parent / f"good{place}.pt" for place in (2, 0)]
    again = analyze_many(files, QUICK, sampling=SAID, processes=2)
    assert [member.name for member in again.members] == ["good2", "good0"]

    def plain(member):
        report = json.loads(member.outcome.texts["json"])
        del report["provenance"]["seconds"]
        return report

    before = {member.name: plain(member) for member in fleet.members if member.outcome}
    assert [plain(member) for member in again.members] == [before["good2"], before["good0"]]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc")
def test_no_process_is_left(found):
    left = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # it has just ended, or is another user's
            left += [environ.parent.name] if MARK.encode() in environ.read_bytes() else []
    assert left == []


def test_a_budget_of_nothing_is_bad_input(manifest, capsys):
    with pytest.raises(InputError, match="time_budget"):
        analyze_many([manifest], QUICK, time_budget=0.0)
    assert main([str(manifest), "--time-budget", "0"]) == 2
    assert "--time-budget" in capsys.readouterr().err
