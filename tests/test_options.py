"""The options of an analysis: one frozen value, checked, read off by the command line, and kept in provenance."""

import json
import re
from dataclasses import FrozenInstanceError, fields

import numpy as np
import pytest
from click.testing import CliRunner

from bimt_analyze import AnalysisOptions, analyze
from bimt_analyze._cli import command, main
from bimt_analyze.formulas import SearchOptions, find_formula
from bimt_train import InputError, Recipe, train
from bimt_train.tasks import formula_task


@pytest.fixture(scope="module")
def checkpoint():
    return train(formula_task(["y = x1 + x2"]), seeds=1, recipe=Recipe(steps=40)).best.checkpoint


def test_they_are_frozen_and_survive_json() -> None:
    options = AnalysisOptions(seed=3, samples=20, null_models=("weight_permutation",), leaks=(0.5,))
    assert AnalysisOptions.from_json(json.loads(json.dumps(options.to_json()))) == options
    with pytest.raises(FrozenInstanceError):
        options.seed = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"samples": -1}, "an option out of its range: samples: expected 0 or more, got -1"),
        ({"tolerance": float("nan")}, "tolerance: expected 0 or more, got nan"),
        ({"leiden_runs": 1}, "leiden_runs: expected 2 or more, got 1"),
        ({"sampels": 20}, "unknown options: AnalysisOptions: expected seed, tolerance"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(changes: dict, said: str) -> None:
    with pytest.raises(InputError) as refused:
        AnalysisOptions().with_changes(**changes)
    assert said in str(refused.value) and "\n" not in str(refused.value)


def test_every_flag_of_the_value_is_on_the_command_line_with_its_words() -> None:
    text = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    flags = {option.metadata["flag"]: option for option in fields(AnalysisOptions) if "flag" in option.metadata}
    assert len(flags) > 8
    for flag, option in flags.items():
        assert f" {flag} " in text
        assert re.split("[.:]", option.metadata["help"])[0] in text


def test_provenance_tells_all_of_them(checkpoint) -> None:
    found = analyze(checkpoint, samples=0, time_limit=0, refit_steps=0, leiden_runs=3)
    told = found.provenance["parameters"]
    assert told["leiden_runs"] == 3 and told["samples"] == 0
    assert told.keys() == AnalysisOptions().to_json().keys() - {"seed", "processes"}
    assert (told["edge_weight"], found.provenance["seeds"]["analysis"]) == ("attribution", 0)


def test_the_chosen_edge_weight_is_that_of_the_graph(checkpoint) -> None:
    found = analyze(checkpoint, edge_weight="magnitude", samples=0, time_limit=0, refit_steps=0)
    assert found.graph.weights == "magnitude"
    assert found.provenance["parameters"]["edge_weight"] == "magnitude"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": 0}, "an option out of its range: rows: expected 1 or more, got 0"),
        ({"hinted_share": 1.5}, "hinted_share: expected from 0 to 1, got 1.5"),
        ({"time": 5}, "unknown options: SearchOptions: expected time_limit, seed, genetic, rows"),
    ],
)
def test_a_search_refuses_what_makes_no_sense(changes: dict, said: str) -> None:
    x = np.linspace(0, 1, 20)[:, None]
    with pytest.raises(InputError) as refused:
        find_formula(x, x[:, 0], names=["a"], output="y", **changes)
    assert said in str(refused.value)


def test_a_search_looks_at_as_many_rows_as_it_is_told(monkeypatch) -> None:
    from bimt_analyze.formulas import _find_formula

    seen, found = [], _find_formula.search

    def counting(problem, stages):
        seen.append(problem.rows)
        return found(problem, stages)

    monkeypatch.setattr(_find_formula, "search", counting)
    options, x = SearchOptions(rows=30, time_limit=5), np.random.default_rng(0).uniform(size=(400, 2))
    for changes, rows in (({}, 30), ({"rows": 200}, 200)):
        seen.clear()
        formula = find_formula(x, x[:, 0] * x[:, 1], names=["a", "b"], output="y", options=options, **changes)
        assert str(formula) == "y = a*b" and set(seen) == {rows}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--edge-weight", "magnitud"], "unknown edge weight: expected magnitude, activation, attribution"),
        (["--audit", "--null-model", "rewird"], "unknown null model"),
        (["--audit", "--measure", "none.py:x"], "no such file: "),
    ],
)
def test_unknown_names_are_refused_before_the_work(words: list, said: str, checkpoint, tmp_path, capsys) -> None:
    from bimt_train.checkpoints import save_checkpoint

    file = tmp_path / "one.safetensors"
    save_checkpoint(file, checkpoint)
    assert main([str(file), *words, "--quiet"]) == 2
    assert said in capsys.readouterr().err
