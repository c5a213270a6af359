"""Where a call writes: a place that cannot be one is said in one line, before the work."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from bimt_analyze._cli import main
from bimt_train import InputError
from bimt_train.whole_files import made_folder


@pytest.fixture
def network(tmp_path: Path) -> list[str]:
    save_file({"0.weight": np.ones((3, 2)), "1.weight": np.ones((1, 3))}, tmp_path / "net.safetensors")
    options = ["--activation", "relu", "--range", "-1", "1", "--samples", "0", "--time-limit", "0"]
    return [str(tmp_path / "net.safetensors"), *options]


@pytest.mark.parametrize(
    ("option", "name"), [("--html", "a.html"), ("--json", "a.json"), ("--graph", "a.graphml"), ("--out", "")]
)
def test_a_folder_that_cannot_be_made(
    option: str, name: str, network: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    assert main([*network, option, str(tmp_path / "taken" / "of" / name)]) == 2
    said = capsys.readouterr().err
    assert "the folder cannot be made" in said and "taken" in said and "hint:" in said
    assert "Errno" not in said and "analysis:" not in said


def test_a_folder_in_place_of_a_file(network: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*network, "--html", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "a folder in place of a file" in said and "report" in said and "analysis:" not in said


def test_a_file_has_the_name_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(InputError, match=r"the folder cannot be made.*/a: got File exists"):
        made_folder(tmp_path / "a")
