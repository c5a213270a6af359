"""Who is asked about a path: kinds of files about files, kinds of folders about folders."""

from pathlib import Path

import pytest

from bimt_train import CheckpointError
from bimt_train.checkpoints import WEIGHT_FILES, read_foreign
from bimt_train.checkpoints.readers.files._weight_file import WeightFile


def _kind(*, folder: bool, asked: list[Path]) -> WeightFile:
    def knows(path: Path) -> bool:
        asked.append(path)
        return True

    return WeightFile(name="any", label="any", sentence="Any.", function=print, knows=knows, folder=folder)


def test_a_kind_is_asked_about_its_own_sort_of_path_alone(tmp_path: Path) -> None:
    file = tmp_path / "net.bin"
    file.write_bytes(b"weights")
    asked: list[Path] = []
    assert _kind(folder=False, asked=asked).recognises(file)
    assert not _kind(folder=False, asked=asked).recognises(tmp_path)
    assert _kind(folder=True, asked=asked).recognises(tmp_path)
    assert not _kind(folder=True, asked=asked).recognises(file)
    assert asked == [file, tmp_path]


def test_one_kind_is_of_folders_and_no_file_or_folder_without_weights_is_known(tmp_path: Path) -> None:
    assert [kind.name for kind in WEIGHT_FILES.entries() if kind.folder] == ["folder"]
    with pytest.raises(CheckpointError, match="without one file of weights"):
        read_foreign(tmp_path, activation="relu", ranges=(-1, 1))
    (tmp_path / "net.txt").write_bytes(b"no weights at all")
    with pytest.raises(CheckpointError, match="unknown kind"):
        read_foreign(tmp_path / "net.txt", activation="relu", ranges=(-1, 1))
