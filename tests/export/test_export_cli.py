"""--export on the command line."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from bimt_analyze._cli import main
from bimt_analyze.synthetic import block_network
from bimt_train.checkpoints import Checkpoint, Probe, TaskSpec, save_checkpoint

SHORT = ("--samples", "0", "--quiet", "--time-limit", "0", "--refit", "0")


@pytest.fixture
def file(tmp_path):
    network = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    x, y = network.x[:50], network.network.predict(network.x[:50])
    task = TaskSpec("two", ("a", "b", "c", "d"), ("u", "v"), ((-3, 3),) * 4)
    save_checkpoint(tmp_path / "two.safetensors", Checkpoint(network.network, task, Probe(x, y, x, y), {"seed": 0}))
    return tmp_path / "two.safetensors"


def test_the_circuit_is_written_checked_and_measured(file, tmp_path, capsys):
    path = tmp_path / "folder" / "circuit.safetensors"
    assert main([str(file), *SHORT, "--export", str(path)]) == 0
    said = capsys.readouterr().out
    assert f"export: {path}" in said and "4 of 4 inputs, 18 weights, 2 modules" in said and "2000 rows: " in said
    np.testing.assert_array_equal(load_file(path)["columns"], range(4))
    head = path.read_bytes()
    facts = json.loads(json.loads(head[8 : 8 + int.from_bytes(head[:8], "little")])["__metadata__"]["circuit"])
    assert facts["modules"] == [{"inputs": ["a", "c"], "outputs": ["u"]}, {"inputs": ["b", "d"], "outputs": ["v"]}]


def test_each_module_takes_a_file_of_its_own(file, tmp_path, capsys):
    assert main([str(file), *SHORT, "--export", str(tmp_path / "net.safetensors"), "--apart"]) == 0
    said = capsys.readouterr().out
    assert all(f"export: {tmp_path / f'net.{number}.safetensors'}" in said for number in (1, 2))
    assert load_file(tmp_path / "net.2.safetensors")["columns"].tolist() == [1, 3]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--export", "net.tflite"], "an export in an unknown format"),
        (["--apart"], "--apart is for an export"),
        (["--export", "net.c", "--all"], "--all is for a folder"),
        (["--export", "net.c", "--out", "folder"], "--export is for one network"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(file, words, message, capsys):
    assert main([str(file), *SHORT, *words]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_a_dry_run_says_what_would_be_written(file, tmp_path, capsys):
    assert main([str(file), *SHORT, "--export", str(tmp_path / "net.c"), "--dry-run"]) == 0
    assert f"writes    {tmp_path / 'net.c'}" in capsys.readouterr().out and not (tmp_path / "net.c").exists()
