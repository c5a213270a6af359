"""What a run keeps of its training: the networks that were measured, in a file of each seed."""

import numpy as np
import pytest

from bimt_train import CheckpointError, InputError, Recipe, Snapshots, train
from bimt_train._cli import main
from bimt_train.tasks import two_moons
from bimt_train.training import Callback, load_snapshots

SHORT = Recipe(steps=12)


class StopAt(Callback):
    """Ctrl-C after a number of measurements."""

    def __init__(self, records):
        self.left = records

    def on_record(self, record):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def trained(out, *callbacks, resume=False, recipe=SHORT):
    return train(two_moons(rows=(20, 20)), seeds=2, recipe=recipe, out=out, callbacks=callbacks, resume=resume)


def same(some, others):
    """Whether two rows of snapshots are the same, number by number."""
    for one, other in zip(some, others, strict=True):
        assert (one.step, one.network.placement) == (other.step, other.network.placement)
        assert one.network.tensors.keys() == other.network.tensors.keys()
        for name, tensor in one.network.tensors.items():
            np.testing.assert_array_equal(tensor, other.network.tensors[name])
            assert tensor.dtype == other.network.tensors[name].dtype


def test_the_file_has_what_the_listener_has(tmp_path):
    kept = Snapshots(files=True)
    runs = trained(tmp_path, kept)
    for run in runs.runs:
        found = load_snapshots(tmp_path / run.file)
        same(found, kept.of(run.seed))
        assert [one.step for one in found] == list(range(13))
    assert trained(None, Snapshots()).best.checkpoint is not None  # without files no folder is needed


def test_a_resumed_run_has_the_film_of_an_unbroken_one(tmp_path):
    trained(tmp_path / "whole", Snapshots(files=True))
    broken = trained(tmp_path / "parts", Snapshots(files=True), StopAt(5))
    assert broken.interrupted and len(load_snapshots(tmp_path / "parts" / "seed-000.safetensors")) < 13
    trained(tmp_path / "parts", Snapshots(files=True), resume=True)
    for name in ("seed-000", "seed-001"):
        same(*(load_snapshots(tmp_path / folder / f"{name}.safetensors") for folder in ("whole", "parts")))


def test_what_is_no_film_of_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"files of snapshots without a folder.*out=FOLDER"):
        trained(None, Snapshots(files=True))
    trained(tmp_path)
    file, film = tmp_path / "seed-000.safetensors", tmp_path / "seed-000.film"
    with pytest.raises(CheckpointError, match=r"no film was kept of this training.*train with --film"):
        load_snapshots(file)
    trained(tmp_path, Snapshots(files=True))
    whole = film.read_bytes()
    trained(tmp_path, recipe=Recipe(steps=5))
    with pytest.raises(CheckpointError, match=r"a film of another training.*of step 12, with other weights"):
        load_snapshots(file)
    film.write_bytes(whole[:-8] + bytes(8))
    with pytest.raises(CheckpointError, match="damaged"):
        load_snapshots(file)
    film.write_bytes(whole[:100])
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_snapshots(file)
    film.write_bytes(file.read_bytes())
    with pytest.raises(CheckpointError, match="damaged or of another version"):
        load_snapshots(file)


def test_the_command_keeps_films_of_every_recipe(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["y = x1", "--seeds", "2", "--steps", "3", "--hidden", "3", "--film", "--quiet"]
    assert main([*words, "--sweep", "lr=0.01,0.02", "--out", "swept"]) == 0
    files = sorted((tmp_path / "swept").glob("*/seed-*.safetensors"))
    assert [len(load_snapshots(file)) for file in files] == [4] * 4
    assert main([*words, "--dask", "tcp://x:1"]) == 2
    assert "keep no film: got --dask and --film" in capsys.readouterr().err
