"""The command bimt-analyze: what it prints, writes and refuses, and with which status."""

import json
import os
import pickle
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from inline_fleet import in_this_process
from safetensors.torch import save_file

from bimt_analyze import open_checkpoint
from bimt_analyze._cli import main
from bimt_analyze._jobs import Job, work
from bimt_analyze.options._analysis_options import AnalysisOptions
from bimt_analyze.options._sampling import Sampling
from bimt_train.checkpoints import save_checkpoint
from bimt_train.fan_out import fan_out

FAST = ("--samples", "0", "--quiet")
QUICK = AnalysisOptions(
    seed=0, tolerance=0.05, refit_steps=60, samples=0, time_limit=5.0, audit=False, retrain_steps=0, processes=1
)


@pytest.fixture
def folder(tmp_path, make):
    for seed in (3, 1):
        save_checkpoint(tmp_path / f"seed-{seed:03d}.safetensors", make(f"task{seed}"))
    records = [{"seed": seed, "file": f"seed-{seed:03d}.safetensors"} for seed in (3, 1)]
    (tmp_path / "runs.json").write_text(json.dumps({"task": "t", "records": records}))
    return tmp_path


@pytest.fixture
def weights(tmp_path):
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Linear(2, 2))
    with torch.no_grad():
        for layer, matrix in ((model[0], [[1.0, 0.0], [0.0, 2.0]]), (model[1], [[3.0, 0.0], [0.0, 1.0]])):
            layer.weight.copy_(torch.tensor(matrix))
            layer.bias.zero_()
    torch.save(model.state_dict(), tmp_path / "model.pt")
    return tmp_path / "model.pt"


def refused(capsys, *words):
    status = main([str(word) for word in words])
    captured = capsys.readouterr()
    assert status == 2 and captured.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", captured.err), captured.err
    return captured.err


def test_it_prints_the_headline_and_writes_reports(saved, tmp_path, capsys):
    out, view = tmp_path / "deep" / "r.json", tmp_path / "v.html"
    assert main([str(saved), "--json", str(out), "--html", str(tmp_path / "r.html"), "--view", str(view), *FAST]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[:4] == [
        "network: does its task: r2 0.9999 on 80 rows (a constant: 0)",
        "y1 = x1 + 2*x3    exact on the data; the network follows it to r2 1.0000",
        "y2 = x2 - x4      exact on the data; the network follows it to r2 0.9999",
        "2 modules, matching the decomposition: {x1, x3 -> y1}  {x2, x4 -> y2}",
    ]
    assert set(lines[4:]) == {f"report: {path}" for path in (out, tmp_path / "r.html", view)}
    assert json.loads(out.read_text())["provenance"]["source"] == str(saved)
    assert (tmp_path / "r.html").read_text().startswith("<!DOCTYPE html>")
    assert '"note":"x1, x3 → y1; y1 = x1 + 2*x3"' in view.read_text() and '"cuts":[{"edges":7' in view.read_text()


def test_a_requirement_that_does_not_hold_ends_with_one(saved, capsys):
    good = ["--require", "agreement>=0.9", "--require", "formulas.*.exact"]
    assert main([str(saved), *good, *FAST]) == 0
    assert capsys.readouterr().out.count("requirement holds") == 3
    assert main([str(saved), *good, "--require", "modules>=3", *FAST]) == 1
    captured = capsys.readouterr()
    assert captured.err == "requirement does not hold: modules is 2, and >= 3 is required, off by 1\n"


def test_a_folder_means_its_best_seed_and_all_means_all(folder, capsys):
    assert main([str(folder), "--json", str(folder / "r.json"), *FAST]) == 0
    assert json.loads((folder / "r.json").read_text())["task"]["name"] == "task3"
    capsys.readouterr()
    job = Job(str(folder), Sampling(), (), ("json",), QUICK)
    assert pickle.loads(pickle.dumps(job)) == job
    outcomes = fan_out(work, [job, job], processes=1)
    assert outcomes[0].texts["json"].split('"seconds"')[0] == outcomes[1].texts["json"].split('"seconds"')[0]
    assert pickle.loads(pickle.dumps(outcomes)) == outcomes


def test_all_seeds_in_one_table(folder, capsys):
    words = [str(folder), "--all", "--markdown", str(folder / "r.md"), "--require", "modules==2", *FAST]
    with in_this_process():
        assert main(words) == 0
    out = capsys.readouterr().out.splitlines()
    assert [[*line.split()[:3], *line.split()[5:7]] for line in out[1:3]] == [
        ["seed-003", "7", "2", "yes", "2"],
        ["seed-001", "7", "2", "yes", "2"],
    ]
    assert (folder / "r.seed-001.md").read_text().startswith("# task1")
    assert sum(line.startswith("seed-001: requirement holds") for line in out) == 1


@pytest.mark.parametrize("targets", [["--target", "u", "v"], ["--target", "u", "--target", "v"]])
def test_a_network_trained_elsewhere_with_a_table(weights, tmp_path, capsys, targets):
    x = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    table = pd.DataFrame({"a": x[:, 0], "b (m)": x[:, 1], "u": 3 * x[:, 0] + 0.01, "v": 2 * x[:, 1]})
    table.to_csv(tmp_path / "t.csv", index=False)
    words = [weights, "--activation", "identity", "--probe", tmp_path / "t.csv", *targets, "--parts", "u: a; v: b_m"]
    assert main([*map(str, words), *FAST]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^u = 3\*a \+ 1/100 +an interpolation of the data, r2 1\.0", out, flags=re.MULTILINE)
    assert out.splitlines()[-1] == "2 modules, matching the decomposition: {a -> u}  {b_m -> v}"


def test_a_network_trained_elsewhere_with_a_range(weights, tmp_path, capsys):
    words = [weights, "--activation", "identity", "--range", "-1", "2", "--json", tmp_path / "r.json"]
    assert main([*map(str, words), *FAST]) == 0
    assert "{x1 -> y1}  {x2 -> y2}" in capsys.readouterr().out
    assert json.loads((tmp_path / "r.json").read_text())["task"]["name"] == "model"


def test_bad_input_is_one_line_and_status_two(weights, saved, folder, tmp_path, capsys):
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(saved.read_bytes()[:100])
    assert "bad.safetensors" in refused(capsys, bad)
    assert "no such file" in refused(capsys, tmp_path / "nothing")
    assert "--activation silu" in refused(capsys, weights, "--range", "-1", "1")
    assert "no inputs on which to sample" in refused(capsys, weights, "--activation", "silu")
    assert "--probe and --range" in refused(
        capsys, weights, "--activation", "silu", "--range", "0", "1", "--probe", "t.csv"
    )
    assert "a target is for a table" in refused(capsys, weights, "--activation", "silu", "--target", "u")
    assert "unknown activation" in refused(capsys, weights, "--activation", "swish2", "--range", "0", "1")
    assert "did you mean" in refused(capsys, saved, "--require", "agrement>=1", *FAST)
    assert "cannot be read" in refused(capsys, saved, "--require", ">=1")
    assert "--all is for a folder" in refused(capsys, saved, "--all")
    assert "no such option: got --xyzzy; hint: see bimt-analyze --help" in refused(capsys, saved, "--xyzzy")
    assert "Missing argument" in refused(capsys)
    assert "--seed" in refused(capsys, saved, "--seed", "x")
    (folder / "runs.json").write_text("{")
    assert "table of runs" in refused(capsys, folder)
    assert "unknown name" in refused(capsys, saved, "--parts", "y1: x1 x9; y2: x2", *FAST)


def test_a_report_that_cannot_be_written_is_bad_input(saved, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main([str(saved), "--json", str(tmp_path / "file" / "r.json"), *FAST]) == 2
    assert re.fullmatch(r"error: [^\n]+\n", capsys.readouterr().err)


def test_dask_without_its_package_is_bad_input(saved, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "bimt[dask]" in refused(capsys, saved, "--dask", "tcp://127.0.0.1:1", *FAST)


def test_the_help_teaches(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for said in ("--html", "--require", "Exit status", "agreement>=0.9", '--parts "y1: x1 x3; y2: x2 x4"', "Examples"):
        assert said in out


def test_from_a_shell(tmp_path):
    program = "import sys; from bimt_analyze._cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "none")], capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("error: no such file or folder") and "Traceback" not in done.stderr


def test_importing_the_package_is_light():
    program = (
        "import sys, time; t = time.perf_counter(); import bimt_analyze; t = time.perf_counter() - t;"
        "heavy = {'torch', 'sympy', 'matplotlib', 'sklearn', 'numpy', 'igraph'} & set(sys.modules);"
        "print(t); sys.exit(bool(heavy))"
    )
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True) for _ in range(3)]
    assert all(run.returncode == 0 for run in runs)
    assert min(float(run.stdout) for run in runs) < 0.3


def test_the_help_waits_for_no_library_that_draws_or_computes():
    program = (
        "import sys; from bimt_analyze._cli import main; main(['--help']);"
        "sys.exit(bool({'torch', 'sympy', 'matplotlib', 'pandas', 'igraph'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0


def test_the_worker_says_what_the_report_says(saved):
    outcome = work(Job(str(saved), Sampling(), ("modules==2",), (), QUICK))
    assert (outcome.edges, outcome.modules, outcome.matches, outcome.exact, outcome.formulas) == (7, 2, True, 2, 2)
    assert [finding.holds for finding in outcome.findings] == [True] and outcome.texts == {}


def test_genetic_reaches_the_search(saved, monkeypatch, capsys):
    from bimt_analyze.formulas import _find_formula as _find

    asked = []
    monkeypatch.setattr(_find, "check_genetic", lambda: asked.append(True))
    assert main([str(saved), *FAST]) == 0 and not asked
    assert main([str(saved), "--genetic", *FAST]) == 0 and asked


def test_a_folder_of_shards_is_one_network_as_its_single_file_is(weights, tmp_path):
    state, folder = torch.load(weights, weights_only=True), tmp_path / "model"
    folder.mkdir()
    index = {name: f"part-{number}.safetensors" for number, name in enumerate(state)}
    for name, shard in index.items():
        save_file({name: state[name]}, folder / shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))
    plain = []
    for source in (weights, folder):
        out = tmp_path / "report.json"
        said = ["--activation", "relu", "--range", "-1", "1", "--time-limit", "0", "--json", str(out)]
        assert main([str(source), *said, *FAST]) == 0
        plain.append(json.loads(out.read_text()))
    assert all(plain[0][part] == plain[1][part] for part in ("summary", "task", "modules", "circuit"))


def test_a_task_is_called_as_its_file_without_either_of_two_endings(weights, tmp_path):
    for name, called in (("net.pth.tar", "net"), ("net.v2.pt", "net.v2"), ("net.pt", "net")):
        (tmp_path / name).write_bytes(weights.read_bytes())
        said = Sampling(activation="relu", ranges=((-1.0, 1.0),))
        assert open_checkpoint(tmp_path / name, said).task.name == called
