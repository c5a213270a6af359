"""Six changes that a newcomer makes, each one file outside the package, used by the command that the page shows."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from bimt_analyze._cli import main as analyze_main
from bimt_analyze.audits import MEASURES, NULL_MODELS
from bimt_analyze.graph import EDGE_WEIGHTS
from bimt_train._cli import main as train_main
from bimt_train.connection_cost import COST_TERMS
from bimt_train.models import MODELS
from bimt_train.registry import FILE_PREFIX
from bimt_train.tasks import TASKS

FILES = Path(__file__).parents[1] / "docs" / "extending"
QUICK = ["--quiet", "--time-limit", "0", "--refit", "5"]
REGISTRIES = (EDGE_WEIGHTS, NULL_MODELS, MEASURES, COST_TERMS, MODELS, TASKS)
AUDIT = [*QUICK, "--audit", "--samples", "20", "--retrain", "0", "--controls", "0"]
SHORT = ["--seeds", "1", "--quiet"]
PAGE = (FILES.parent / "extending.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def shown(file: str) -> list[str]:
    """The words behind the program's name in the page's command that uses a file."""
    (line,) = (line for line in COMMANDS if f"{file}.py" in line)
    return shlex.split(line)[1:]


@pytest.fixture(scope="module", autouse=True)
def untouched():
    """Registries as they stood before, with none of these files in them, and afterwards again.

    What the packages registered meanwhile stays: their modules are loaded once.
    """
    stood = [(registry, dict(registry._found)) for registry in REGISTRIES]
    for registry, _ in stood:
        registry._found = without_files(registry._found)
    yield
    for registry, found in stood:
        registry._found = without_files(registry._found) | found


def without_files(found):
    return {name: entry for name, entry in found.items() if not entry.function.__module__.startswith(FILE_PREFIX)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder with copies of the files, and a trained run in it."""
    folder = tmp_path_factory.mktemp("newcomer")
    for file in FILES.glob("*.py"):
        shutil.copy(file, folder)
    assert COMMANDS[0] == "bimt-train independence"
    out = folder / "runs" / "independence"
    assert train_main(["independence", *SHORT, "--steps", "300", "--out", str(out)]) == 0
    return folder


@pytest.fixture
def analysed(run, monkeypatch, capsys):
    """Run bimt-analyze in the newcomer's folder; returns the report, the page and what was printed."""

    def go(words):
        monkeypatch.chdir(run)
        status = analyze_main([*words, "--json", "report.json", "--html", "report.html"])
        said = capsys.readouterr()
        assert status == 0, said.err
        return json.loads(Path("report.json").read_text()), Path("report.html").read_text(), said.out

    return go


def test_an_edge_weight(analysed) -> None:
    _, name = registered("edge_weight")
    report, page, _ = analysed([*shown("edge_weight"), *AUDIT])
    assert report["provenance"]["parameters"]["edge_weight"] == name
    assert name in report["audit"]["edge_weight_robustness"] and name in page


def test_a_null_model(analysed) -> None:
    _, name = registered("null_model")
    report, page, _ = analysed([*shown("null_model"), *AUDIT])
    tests = report["audit"]["nulls"]
    assert list(tests) == ["degree_preserving", "weight_permutation", name]
    label = tests[name]["specialisation"]["null_model"]
    assert label in page and label != tests["weight_permutation"]["specialisation"]["null_model"]
    assert tests[name]["specialisation"]["null_mean"] != tests["weight_permutation"]["specialisation"]["null_mean"]
    chance = [said["text"] for said in report["audit"]["verdict"] if said["topic"] == "chance"]
    assert len(chance) == 6 and len(set(chance)) == 6


def test_an_audit_measure(analysed) -> None:
    _, name = registered("measure")
    report, page, _ = analysed([*shown("measure"), *AUDIT])
    assert sum(report["audit"][name]["edges"]) <= report["circuit"]["edges"]
    assert any("edges within them" in said["text"] for said in report["audit"]["verdict"])
    assert 'id="audit-edges-per-module"' in page


def test_a_task(run, monkeypatch) -> None:
    monkeypatch.chdir(run)
    assert train_main([*shown("task"), *SHORT, "--out", "mine"]) == 0
    assert train_main(["task.py", *SHORT, "--steps", "20", "--out", "mine"]) == 0
    assert analyze_main(["mine", *QUICK, "--samples", "0"]) == 0


def test_an_architecture(run, monkeypatch, capsys) -> None:
    monkeypatch.chdir(run)
    function, kind = registered("architecture")
    assert train_main([*shown("architecture"), *SHORT, "--out", "arch"]) == 0
    told = ["arch", *QUICK, "--samples", "0", "--json", "arch.json", "--model", f"architecture.py:{function}"]
    assert analyze_main(told) == 0, capsys.readouterr().err
    assert kind in Path("arch/seed-000.safetensors").read_bytes()[:4000].decode(errors="replace")
    assert json.loads(Path("arch.json").read_text())["circuit"]["edges"] > 0


def test_a_cost_term(run, monkeypatch) -> None:
    monkeypatch.chdir(run)
    words = [*SHORT, "--steps", "250", "--out"]
    assert train_main(["independence", *words, "plain"]) == 0
    assert train_main([*shown("cost_term"), *words, "more"]) == 0
    costs = [json.loads(Path(out, "runs.json").read_text())["records"][0]["cost"] for out in ("plain", "more")]
    assert costs[0] != costs[1]


def registered(file: str) -> tuple[str, str]:
    """The name of the decorated function or class in a file, and the name that it registers."""
    lines = (FILES / f"{file}.py").read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if ".register(" in line)
    text = "\n".join(lines[start:])
    name = text.split('"')[1]
    found = next(line for line in lines[start:] if line.startswith(("def ", "class ")))
    return found.split()[1].partition("(")[0].rstrip(":"), name


def test_no_command_of_the_page_is_left_out() -> None:
    used = [line for file in FILES.glob("*.py") for line in COMMANDS if f"{file.name}:" in line]
    assert sorted([COMMANDS[0], *used]) == sorted(COMMANDS)
