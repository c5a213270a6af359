"""``--dry-run`` of both commands: it tells what the command would do, refuses what it refuses, and writes nothing."""

import pytest

from bimt_analyze._cli import main as analyze
from bimt_train._cli import main as train


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder, and returns what it says: the first word of a line -> the rest."""
    monkeypatch.chdir(tmp_path)

    def run(main, *words, status=0):
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        assert main([*words, "--dry-run"]) == status
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
        said = capsys.readouterr()
        if status:
            return said.err
        lines = [line.partition(" ")[::2] for line in said.out.splitlines()]
        assert lines.pop() == ("nothing", "is done: this was --dry-run")
        return {name: text.strip() for name, text in lines}

    return run


def test_a_run_is_told_with_its_sizes(told):
    said = told(train, "y = x1*x2", "--hidden", "5", "--rows", "30", "--seeds", "3", "--steps", "40", "--out", "o")
    assert said["task"] == "formula: y from x1, x2; 30 rows for training, 30 for testing"
    assert said["network"] == f"mlp, {2 * 5 + 5 + 5 * 1 + 1} weights and biases"
    assert said["training"].startswith(
        "bimt, seeds 0 to 2, 40 steps, lr 0.01, lambda 0.001 then 0.01 then 0.001; reloc"
    )
    assert said["computing"].endswith(" steps on cpu")
    assert said["writes"].startswith("3 checkpoints and runs.json in o, at most ")
    assert "found" not in said and "sweep" not in said


def test_a_sweep_and_restarts_are_told(told):
    words = ["--sweep", "lr=1,2", "--sweep", "lambda=0.1,0.2,0.3", "--replicas", "2", "--type", "l1", "--steps", "50"]
    said = told(train, "independence", *words)
    assert said["sweep"] == "6 recipes: lr 1, 2, lambda 0.1, 0.2, 0.3"
    assert said["training"].endswith("; 2 replicas a seed until step 10") and "relocation" not in said["training"]
    assert said["writes"].startswith("6 folders of 16 checkpoints and runs.json, and sweep.json in runs/independence")


def test_what_a_run_refuses_its_dry_run_refuses(told):
    assert "a device that cannot compute" in told(train, "independence", "--device", "abacus", status=2)
    assert "no compiled steps" in told(train, "evidence", "--engine", "compiled", status=2)
    assert "each once" in told(train, "independence", "--sweep", "lr=1,1", status=2)
    assert "no such file" in told(analyze, "nowhere", status=2)


def test_an_analysis_is_told_and_a_run_that_is_there(told):
    assert train(["y = x1*x2", "--seeds", "2", "--steps", "2", "--hidden", "3", "--quiet", "--out", "run"]) == 0
    assert told(train, "y = x1*x2", "--out", "run")["found"] == "a run in run, which is replaced"
    assert told(train, "y = x1*x2", "--out", "run", "--resume")["found"] == "a run in run, which goes on"
    one = told(analyze, "run", "--html", "r.html", "--require", "modules==1", "--samples", "0", "--time-limit", "0")
    assert "seed-00" in one["reads"] and one["reads"].endswith("y from x1, x2; mlp, 13 weights and biases; 200 rows")
    assert one["computes"] == "a circuit within 5% of the loss; modules and no null networks; no formulas"
    assert (one["requires"], one["writes"]) == ("modules==1", "r.html")
    assert one["size"] == "9 weights between neurons, all of them; about 0.5 GiB"
    assert "too large a network: 9 weights" in told(analyze, "run", "--memory", "0.25G", status=2)
    many = told(analyze, "run", "--all", "--audit", "--retrain", "7", "--out", "audits")
    assert many["reads"] == "2 networks, a process each" and many["writes"] == "audits"
    assert many["computes"].endswith("; an audit, its null networks trained for 7 steps")
    assert many["audits"].startswith("null networks, ") and many["audits"].endswith("as far as they apply")
    timed = told(analyze, "run", "--audit", "--minutes", "5")["audits"]
    assert timed.endswith("what would end after 5 minutes is left out")
