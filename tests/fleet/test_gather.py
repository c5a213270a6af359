"""What the words of a call stand for: files, folders of files, folders of runs, folders of one network."""

import json

import numpy as np
import pytest

from bimt_analyze import Sampling
from bimt_analyze.fleet._gather import holds_many, jobs_of
from bimt_analyze.fleet._report_names import distinct_names
from bimt_train import InputError
from bimt_train.checkpoints import from_state_dict, save_checkpoint


@pytest.fixture
def mixed(tmp_path, linear):
    """Two files, one without an ending that tells, one broken; runs; shards; and what is no network."""
    linear(tmp_path / "b.pt")
    linear(tmp_path / "a.weights")
    (tmp_path / "c.safetensors").write_bytes(b"")
    (tmp_path / "notes.md").write_text("nothing")
    (tmp_path / "manifest.csv").write_text("file\nb.pt\n")
    (tmp_path / "empty").mkdir()
    for name in ("runs", "shards"):
        (tmp_path / name).mkdir()
    records = [{"seed": seed, "file": f"seed-{seed:03d}.safetensors"} for seed in (3, 1)]
    (tmp_path / "runs" / "runs.json").write_text(json.dumps({"records": records}))
    (tmp_path / "shards" / "model.safetensors.index.json").write_text("{}")
    return tmp_path


def found(*sources, **options):
    return [job.path.rpartition("/")[2] for job in jobs_of(sources, **options)]


def test_a_folder_stands_for_its_files_by_content_or_ending(mixed):
    assert found(mixed) == ["a.weights", "b.pt", "c.safetensors", "runs", "shards"]
    assert holds_many(mixed)


def test_runs_and_shards_are_one_network_each(mixed):
    assert found(mixed / "runs") == ["runs"] and found(mixed / "shards") == ["shards"]
    assert not holds_many(mixed / "runs") and not holds_many(mixed / "shards") and not holds_many(mixed / "b.pt")


def test_all_seeds_where_asked(mixed):
    assert found(mixed / "runs", every=True) == ["seed-003.safetensors", "seed-001.safetensors"]


def test_all_of_a_folder_of_files_are_the_files_and_every_seed(mixed):
    seeds = ["seed-003.safetensors", "seed-001.safetensors"]
    assert found(mixed, every=True) == ["a.weights", "b.pt", "c.safetensors", *seeds, "shards"]


def test_sources_keep_their_order_and_a_missing_one_its_place(mixed):
    assert found(mixed / "b.pt", mixed / "none.pt", mixed / "manifest.csv") == ["b.pt", "none.pt", "b.pt"]


def test_nothing_at_all_is_bad_input(mixed):
    with pytest.raises(InputError, match="a folder without networks"):
        jobs_of([mixed / "empty"])
    with pytest.raises(InputError, match="no such file or folder"):
        jobs_of([mixed / "none.pt", mixed / "neither.pt"])


def test_a_checkpoint_of_ours_keeps_to_what_it_says(tmp_path, linear):
    ours = from_state_dict({"weight": np.eye(2)}, activation="tanh", ranges=(0, 1))
    save_checkpoint(tmp_path / "ours.safetensors", ours)
    linear(tmp_path / "theirs.pt")
    (tmp_path / "m.csv").write_text("file,range\nours.safetensors,\nours.safetensors,2 3\n")
    default = Sampling(activation="relu", ranges=((-1.0, 1.0),), parts="y1: x1; y2: x2")
    first, second, third, fourth = jobs_of([tmp_path, tmp_path / "m.csv"], sampling=default)
    assert (first.sampling, second.sampling) == (Sampling(parts="y1: x1; y2: x2"), default)
    assert third.sampling == first.sampling and fourth.sampling.ranges == ((2.0, 3.0),)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["a/net.pt", "b/other.pt"], ["net", "other"]),
        (["a/net.pt", "b/net.pt", "b/net.npz"], ["a-net.pt", "b-net.pt", "net.npz"]),
        (["a/Net.pt", "b/net.pt"], ["a-Net.pt", "b-net.pt"]),
        (["a/net.pt", "a/net.pt", "a/net-2.pt"], ["net", "net-3", "net-2"]),
        (["a/index.pt", "results.json"], ["index.pt", "results.json"]),
        (["a/b-net.pt", "a/b/net.pt", "net.pt"], ["b-net", "b-net.pt", None]),
    ],
)
def test_names_are_distinct_whatever_the_files_are_called(paths, names, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    said = distinct_names(paths)
    assert len({name.casefold() for name in said}) == len(paths)
    assert all(wanted in (None, name) for wanted, name in zip(names, said, strict=True))


def test_names_leave_room_and_can_be_written():
    long, odd = distinct_names(["x" * 300 + ".pt", "\udcff.pt"])
    assert len(long) <= 200 and odd.encode("utf-8")
