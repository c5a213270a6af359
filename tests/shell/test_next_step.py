"""The last line of a command says what to type next, and fits what just happened; what it says can be typed."""

import shlex

import pytest

from bimt_analyze import analyze
from bimt_analyze._cli import main as analyze_main
from bimt_analyze._next_step import after_analysis
from bimt_train import Recipe, train
from bimt_train._cli import main as train_main
from bimt_train.tasks import formula_task


@pytest.fixture
def last(tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder and returns the words of its line ``next: ...``, and the comment there."""
    monkeypatch.chdir(tmp_path)

    def run(main, *words, status=0):
        assert main([*words]) == status
        line = capsys.readouterr().out.splitlines()[-1]
        assert line.startswith("next: ")
        words, _, why = line.removeprefix("next: ").partition("    # ")
        return shlex.split(words), why

    return run


GOOD = ("y = x1", "--hidden", "3", "--seeds", "1", "--steps", "300", "--lr", "0.02")


def test_a_good_run_is_read_and_a_half_trained_one_trained_longer(last):
    words, why = last(train_main, *GOOD, "--out", "a run")
    assert (words, why) == (["bimt-analyze", "a run", "--html", "a run/report.html"], "")
    assert analyze_main([*words[1:], "--samples", "0", "--time-limit", "0", "--quiet"]) == 0
    words, why = last(train_main, *GOOD[:-4], "--steps", "2", "--out", "b")
    assert words == ["bimt-train", "--config", "b/run.toml", "--steps", "4"] and why.endswith("in part at most")
    assert last(analyze_main, "b", "--samples", "0")[0] == words
    assert last(train_main, *words[1:])[0][-1] == "8"


def test_a_run_that_diverged_gets_a_lower_rate_and_a_sweep_its_best_recipe(last):
    words, why = last(train_main, *GOOD[:-2], "--lr", "3e30", "--out", "c", status=1)
    assert words == ["bimt-train", "--config", "c/run.toml", "--lr", "1e+30"] and why == "every seed diverged"
    words, why = last(train_main, *GOOD[:-2], "--sweep", "lr=1e-9,0.02,3e30", "--out", "d")
    assert (words[:2], why) == (["bimt-analyze", "d/lr=0.02"], "the least median test loss")


def test_an_interrupted_run_goes_on(last, monkeypatch):
    def stop(self, step, network):
        if step:
            raise KeyboardInterrupt

    monkeypatch.setattr("bimt_train._cli._HowToGoOn.on_networks", stop, raising=True)
    words, _ = last(train_main, *GOOD, "--out", "e", status=130)
    assert words == ["bimt-train", "--config", "e/run.toml", "--resume"]
    monkeypatch.undo()


def test_nothing_is_said_where_quiet_is_asked_for(tmp_path, capsys):
    assert train_main([*GOOD, "--out", str(tmp_path), "--quiet"]) == 0
    assert analyze_main([str(tmp_path), "--samples", "0", "--time-limit", "0", "--quiet"]) == 0
    assert "next:" not in capsys.readouterr().out


def test_an_analysis_is_followed_by_what_was_not_asked_for(tmp_path):
    runs = train(formula_task("y = x1"), seeds=1, recipe=Recipe(steps=300, lr=0.02), out=tmp_path)
    report = analyze(runs.best.checkpoint, samples=0, time_limit=0.5, refit_steps=0)
    assert report.fit.fits and report.formulas["y"].exact
    file = tmp_path / runs.best.file

    def after(*formats, audit=False, certify=False):
        return after_analysis(report, file, formats=formats, audit=audit, certify=certify).partition(":")[0]

    assert after() == "add --html report.html"
    assert after("html") == "add --audit"
    assert after("html", audit=True) == "add --certify proof.json"
    assert after("html", audit=True, certify=True) == f"bimt-analyze --check PROOF {file}"
