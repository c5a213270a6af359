"""A checkpoint as a folder with its model card: what it says, what it keeps, what is refused."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from inline_fleet import in_this_process

from bimt_analyze import analyze, open_checkpoint
from bimt_analyze._cli import main as bimt_analyze
from bimt_train import CheckpointError, InputError, Recipe, train
from bimt_train.checkpoints import (
    from_pretrained,
    from_state_dict,
    load_checkpoint,
    save_checkpoint,
    save_pretrained,
    task_score,
)
from bimt_train.tasks import formula_task, two_moons

SHORT = ("--samples", "0", "--time-limit", "0", "--refit", "0", "--quiet")


@pytest.fixture(scope="module")
def checkpoint():
    return train(formula_task(["y1 = x1*x2", "y2 = x3"]), seeds=[7], recipe=Recipe(steps=200, lr=1e-2)).best.checkpoint


@pytest.fixture
def folder(checkpoint, tmp_path):
    return save_pretrained(tmp_path / "net", checkpoint)


def header_and_text(folder):
    _, header, text = (folder / "README.md").read_text().split("---\n", 2)
    return yaml.safe_load(header), text


def test_what_is_saved_is_what_comes_back(checkpoint, folder):
    found = from_pretrained(folder)
    assert found.task == checkpoint.task and found.config == checkpoint.config
    assert {name: array.tobytes() for name, array in found.network.tensors.items()} == {
        name: array.tobytes() for name, array in checkpoint.network.tensors.items()
    }
    assert found.network.placement == checkpoint.network.placement
    save_checkpoint(folder / "alone", checkpoint)
    assert (folder / "model.safetensors").read_bytes() == (folder / "alone").read_bytes()


def test_the_card_states_what_the_file_holds(checkpoint, folder):
    header, text = header_and_text(folder)
    assert header["library_name"] == "bimt" and header["pipeline_tag"] == "tabular-regression"
    assert "license" not in header and "bimt" in header["tags"]
    network, probe = checkpoint.network, checkpoint.probe
    outputs = network.predict(checkpoint.task.to_network_inputs(probe.x_test))
    loss = float(((outputs - checkpoint.task.to_network_targets(probe.y_test)) ** 2).mean())
    assert f"mean squared error {loss:.4g} on {len(probe.x_test)} rows" in text
    assert task_score(checkpoint).loss != pytest.approx(loss)  # which is of the training rows too
    weights = np.concatenate([network.tensors[name].ravel() for name in network.layout.weights()])
    strong = int((np.abs(weights) > 1e-2).sum())
    assert 0 < strong < len(weights) and f"Of {len(weights)} weights" in text and f"{strong} are above 0.01" in text
    for cell in ("| seed | 7 |", "| recipe.steps | 200 |", r"| recipe.phases\[1\].strength | 0.01 |"):
        assert cell in text
    assert r"| known decomposition | y1 = x1\*x2; y2 = x3 |" in text
    assert "x1 -1 to 1" in text and "was not analysed" in text
    assert all(len(line) == len(line.rstrip()) for line in text.splitlines())


def test_licence_tags_and_the_unit_of_the_loss(checkpoint, tmp_path):
    scaled = replace(checkpoint, task=replace(checkpoint.task, output_scale=(2.0, 4.0)))
    header, text = header_and_text(
        save_pretrained(tmp_path / "n", scaled, license="cc-by-4.0", tags=["physics", "yes"])
    )
    assert header["license"] == "cc-by-4.0" and header["tags"][-2:] == ["physics", "yes"]
    assert "outputs are divided by 2, 4" in text
    classes = train(two_moons(rows=(20, 20)), seeds=1, recipe=Recipe(steps=2)).best.checkpoint
    header, text = header_and_text(save_pretrained(tmp_path / "moons", classes))
    assert header["pipeline_tag"] == "tabular-classification" and "share of right answers" in text


def test_a_report_gives_the_card_its_headline_and_no_other_networks(checkpoint, tmp_path):
    report = analyze(checkpoint, samples=0, time_limit=0.5, refit_steps=0)
    said = json.loads(json.dumps(report.to_json()))
    _, text = header_and_text(save_pretrained(tmp_path / "net", checkpoint, report=said))
    for line in report.summary():
        assert f"    {line}\n" in text
    assert "was not analysed" not in text
    other = replace(checkpoint, config=checkpoint.config | {"seed": 8})
    with pytest.raises(InputError, match="a report on another network: report, training"):
        save_pretrained(tmp_path / "other", other, report=said)
    with pytest.raises(InputError, match=r"cannot be read.*report\.to_json"):
        save_pretrained(tmp_path / "other", checkpoint, report={"summary": []})
    assert not (tmp_path / "other").exists()


def test_a_card_without_targets_and_with_names_that_are_markup(tmp_path):
    drawn = from_state_dict({"weight": np.eye(2)}, activation="silu", ranges=(-1, 1))
    named = replace(drawn, task=replace(drawn.task, name="a | b\n---\n# <b>", input_labels=("`x`", "y|z")))
    header, text = header_and_text(save_pretrained(tmp_path / "net", named))
    assert header["library_name"] == "bimt" and "No targets are known" in text
    assert r"# a \| b --- \# \<b\>" in text and r"| inputs | \`x\`, y\|z |" in text


@pytest.mark.parametrize("word", ["mit\nlibrary_name: x", "", "#no", "two words", '"'])
def test_words_that_would_break_the_header_are_refused(checkpoint, tmp_path, word):
    with pytest.raises(InputError, match="tags"):
        save_pretrained(tmp_path / "net", checkpoint, tags=[word])
    if word:
        with pytest.raises(InputError, match="license"):
            save_pretrained(tmp_path / "net", checkpoint, license=word)
    assert not (tmp_path / "net").exists()


def test_folders_that_are_missing_wrong_or_damaged_are_one_line(checkpoint, folder, tmp_path):
    with pytest.raises(CheckpointError, match=r"no such folder: .*only a folder on this machine"):
        from_pretrained(tmp_path / "someone" / "model")
    with pytest.raises(CheckpointError, match=r"not a folder: .*load_checkpoint"):
        from_pretrained(folder / "model.safetensors")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(CheckpointError, match="a damaged checkpoint"):
        from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(
        CheckpointError, match=r"a folder without a checkpoint: .*expected model.safetensors, got README"
    ):
        from_pretrained(folder)
    (folder / "model.safetensors").mkdir()
    with pytest.raises(CheckpointError, match="a folder without a checkpoint"):
        from_pretrained(folder)


@pytest.mark.parametrize("name", ["runs.json", "config.json"])
def test_a_folder_that_is_something_else_is_not_written_into(checkpoint, tmp_path, name):
    (tmp_path / name).write_text("{}")
    with pytest.raises(CheckpointError, match="the folder is taken"):
        save_pretrained(tmp_path, checkpoint)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_the_analysis_reads_the_folder_as_it_reads_the_file(folder, tmp_path, capsys):
    file = folder / "model.safetensors"
    assert open_checkpoint(folder).config == load_checkpoint(file).config
    said = []
    for source in (folder, file):
        assert bimt_analyze([str(source), *SHORT, "--json", str(tmp_path / "report.json")]) == 0
        said.append(re.sub(r'"seconds": \{[^}]*\}', "", (tmp_path / "report.json").read_text()))
    assert said[0] == said[1]
    (folder / "README.md").unlink()  # the card is for people
    assert bimt_analyze([str(folder), *SHORT]) == 0
    file.write_bytes(b"")
    capsys.readouterr()
    assert bimt_analyze([str(folder), *SHORT]) != 0
    assert "damaged" in "".join(capsys.readouterr())


def test_folders_among_many_networks(checkpoint, folder, tmp_path, capsys):
    both = tmp_path / "both"
    for name in ("a", "b"):
        shutil.copytree(folder, both / name)
    words = [*SHORT, "--activation", "silu", "--range", "-1", "1", "--out"]
    with in_this_process():
        assert bimt_analyze([str(both), *words, str(tmp_path / "o")]) == 0
        assert "2 of 2 files analysed" in capsys.readouterr().out
        shutil.copy(folder / "model.safetensors", Path(folder) / "second.safetensors")  # now it is a folder of files
        assert bimt_analyze([str(folder), *SHORT, "--out", str(tmp_path / "p")]) == 0
    assert {file.stem for file in (tmp_path / "p").glob("*.html")} == {"index", "model", "second"}
