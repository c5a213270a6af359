"""Options in a file: read, refused in one line, beaten by the command line, and written so that a run is repeated."""

import click
import pytest

from bimt_analyze._cli import command as analyze
from bimt_train._cli import command as train
from bimt_train._cli import main
from bimt_train.shell.config_file import config_text

TRAIN = (
    "data.csv --target a b --inputs c --skip d --missing x --drop-missing --impute mean --categories one-hot "
    "--dates days --decimal comma --units c=m/s --sigma e --encoding latin-1 "
    "--time t --trajectory r --second-order x:v --data d "
    "--range -1 2 --rows 20 --hidden 5 6 --model mlp --model-option hidden=[4,4] "
    "--seeds 3 --steps 9 --lr 0.5 --replicas 2 --cost-term length=2 --cost-term existence=1 --type l1 --paper "
    "--blocks 3 --with m.safetensors --soft "
    "--sweep lr=1,2 --log-to mlflow --out there --film --resume --device cpu --engine torch --dask tcp://x:1 --dry-run "
    "--quiet"
)
ANALYZE = (
    "a.pt b.pt --html h --json j --markdown m --view v --film w --certify c --check k --require modules==2 --all "
    "--activation silu --model f.py:make --probe t.csv --target y --range -1 1 --range 0 2 --parts p --final none "
    "--loss mse --standardize both --key k --orientation in-out --role W1=weight --batch-norm after --lora-scale 0.5 "
    "--layout l.toml --out o --time-budget 3.5 --seed 0 "
    "--tolerance 0 --refit 0 --edge-weight magnitude --samples 0 --time-limit 0.5 --genetic --audit --retrain 0 "
    "--controls 0 --null-model weight_permutation --statistic modularity --measure wiring "
    "--groups g --functions sin --form a*x --discrete --time t --trajectory k --order 2 --second-order x:v "
    "--export e.c --apart --inputs c --skip d --missing x --drop-missing --impute mean --categories one-hot "
    "--dates days --decimal comma --units c=m/s --sigma e --encoding latin-1 "
    "--graph g.gexf --front --minutes 0.5 --memory 8G --dask tcp://x:1 --dry-run --quiet"
)


def context(command, words):
    """The call as click reads it; options that take several values have each its own word here."""
    spread = []
    for word in words:
        spread += {"b": ["--target", "b"], "6": ["--hidden", "6"]}.get(word, [word])
    return command.make_context(command.name, spread)


@pytest.mark.parametrize(("command", "words"), [(train, TRAIN.split()), (analyze, ANALYZE.split())])
def test_what_is_written_is_read_as_the_same_call(command, words, tmp_path):
    told = context(command, words)
    options = {each.name for each in command.params if each.expose_value and isinstance(each, click.Option)}
    left_out = {name for name in options if told.get_parameter_source(name).name == "DEFAULT"}
    assert not left_out, "the words above lack an option"
    file = tmp_path / "told.toml"
    file.write_text(config_text(told))
    again = context(command, ["--config", str(file)])
    assert again.params == told.params


def refused(capsys, tmp_path, text, *words):
    file = tmp_path / "c.toml"
    file.write_text(text)
    assert main([*words, "--config", str(file), "--quiet"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("error: ") and list(tmp_path.iterdir()) == [file]
    return said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed = 3", "no such option: "),
        ("seed = 3", "got seed; hint: did you mean seeds?"),
        ("config = 'x'", "got config"),
        ("seeds = 1.5", "c.toml, seeds: expected a whole number from 1, got '1.5'"),
        ("seeds = true", "c.toml, seeds: expected a whole number from 1, got 'true'"),
        ("seeds = 0", "c.toml, seeds: expected a whole number from 1, got '0'"),
        ("range = [1, 'a']", "c.toml, range: expected a number, got 'a'"),
        ("range = [1, 2, 3]", "c.toml, range: got Takes 2 values but 3 were given"),
        ("type = 'bmit'", "hint: did you mean bimt?"),
        ("[seeds]\nx = 1", "c.toml, seeds: expected a text, a number, true, false, or a list, got dict"),
        ("steps = 1979-05-27", "c.toml, steps: expected a text, a number, true, false, or a list, got date"),
        ("seeds = ", "not a file of options in TOML"),
    ],
)
def test_what_is_no_option_is_refused_in_one_line(text, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert said in refused(capsys, tmp_path, text, "independence")


def test_a_file_that_is_not_there_and_a_task_that_is_not_named(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["--config", "nowhere.toml"]) == 2
    assert "options that cannot be read: nowhere.toml" in capsys.readouterr().err
    assert "TASK" in refused(capsys, tmp_path, "seeds = 3")


def test_the_command_line_wins_and_one_value_stands_for_a_list_of_one(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("task = 'y = x1'\nseeds = 3\nhidden = [5, 6]\nquiet = false\nresume = true\ntarget = 'a'")
    params = context(train, ["--config", str(file), "--hidden", "7", "--quiet"]).params
    assert (params["task"], params["seeds"], params["hidden"], params["target"]) == (("y = x1",), 3, (7,), ("a",))
    assert (params["quiet"], params["resume"], params["kind"]) == (True, True, "bimt")
    assert context(train, ["--config", str(file), "y = x2"]).params["task"] == ("y = x2",)


def test_a_run_is_repeated_from_its_folder_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["y = x1*x2", "--range", "-2", "2", "--seeds", "1", "--steps", "4", "--hidden", "3", "--quiet"]
    assert main(words) == 0
    first = (tmp_path / "runs" / "formula" / "seed-000.safetensors").read_bytes()
    assert main(["--config", "runs/formula/run.toml", "--out", "again", "--quiet"]) == 0
    assert (tmp_path / "again" / "seed-000.safetensors").read_bytes() == first
    assert "quiet" not in (tmp_path / "again" / "run.toml").read_text()
    assert main(["--config", "runs/formula/run.toml", "--steps", "5", "--out", "other", "--quiet"]) == 0
    assert (tmp_path / "other" / "seed-000.safetensors").read_bytes() != first


def test_a_sweep_keeps_its_options_beside_its_table(tmp_path):
    words = ["y = x1", "--seeds", "1", "--steps", "2", "--sweep", "lr=0.01,0.02", "--out", str(tmp_path), "--quiet"]
    assert main(words) == 0
    assert 'sweep = [\n    "lr=0.01,0.02",\n]' in (tmp_path / "run.toml").read_text()
    assert [path.name for path in tmp_path.glob("*/run.toml")] == []
