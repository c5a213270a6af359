"""``--certify`` writes, ``--check`` says: 0 proved, 1 not proved, 2 no certificate."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from certified_networks import gate_network

from bimt_analyze._cli import main
from bimt_train.checkpoints import from_state_dict, save_checkpoint

QUICK = ["--samples", "0", "--refit", "0", "--time-limit", "2", "--quiet"]


@pytest.fixture(scope="module")
def gate():
    return gate_network()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A linear network of two outputs, and another that differs in one weight."""
    folder = tmp_path_factory.mktemp("nets")
    weights = np.array([[1.0, 2.0], [0.5, -1.0]])
    checkpoint = from_state_dict({"weight": weights}, activation="relu", ranges=(-1, 1))
    save_checkpoint(folder / "net.safetensors", checkpoint)
    other = checkpoint.network.with_tensors({"layers.0.weight": np.array([[1.0, 2.0], [0.5, -1.01]])})
    save_checkpoint(folder / "other.safetensors", replace(checkpoint, network=other))
    assert main([str(folder / "net.safetensors"), *QUICK, "--certify", str(folder / "proofs" / "c.json")]) == 0
    return folder


def test_one_certificate_an_output(files):
    assert sorted(path.name for path in (files / "proofs").iterdir()) == ["c.y1.json", "c.y2.json"]


def test_a_certificate_holds_for_its_network_alone(files, capsys):
    file = str(files / "proofs" / "c.y2.json")
    assert main(["--check", file]) == 0
    line = capsys.readouterr().out
    assert line.startswith("proved: |network - (") and line.count("\n") == 1
    assert main(["--check", file, str(files / "net.safetensors")]) == 0
    assert capsys.readouterr().out.rstrip().endswith("net.safetensors")
    assert main(["--check", file, str(files / "other.safetensors")]) == 1
    assert "another network" in capsys.readouterr().err


def test_a_changed_file_ends_with_1_and_another_file_with_2(files, capsys, tmp_path):
    text = (files / "proofs" / "c.y1.json").read_text()
    (tmp_path / "changed.json").write_text(text.replace('"y1"', '"y2"', 1))
    (tmp_path / "other.json").write_text("{}")
    assert main(["--check", str(tmp_path / "changed.json")]) == 1
    assert main(["--check", str(tmp_path / "other.json")]) == 2
    assert main(["--check", str(tmp_path / "nowhere.json")]) == 2
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["not proved", "error", "error"]


def test_a_certificate_is_for_one_network(files, capsys):
    assert main([str(files / "net.safetensors"), "--certify", "c.json", "--out", "x"]) == 2
    assert main(["--check", "c.json", "a", "b"]) == 2


def test_a_table_of_decisions_is_certified(tmp_path, gate, capsys):
    save_checkpoint(tmp_path / "gate.safetensors", gate)
    assert main([str(tmp_path / "gate.safetensors"), *QUICK, "--certify", str(tmp_path / "c.json")]) == 0
    capsys.readouterr()
    assert main(["--check", str(tmp_path / "c.json"), str(tmp_path / "gate.safetensors")]) == 0
    assert "y1 > 0 is as said by (table 00001011) at all 8 points" in capsys.readouterr().out


def test_the_checker_runs_without_the_libraries_of_the_project(files):
    """Torch, sympy and scipy are not loaded, nor anything else of the project but the empty package around."""
    program = (
        "import sys; from pathlib import Path; from bimt_analyze.certificates.checker._check import check;"
        "print(check(Path(sys.argv[1]).read_bytes()).statement);"
        "others = [n for n in sys.modules if n.split('.')[0] in ('torch', 'sympy', 'scipy', 'bimt_train')"
        " or (n.startswith('bimt_analyze') and 'certificates' not in n and n != 'bimt_analyze')];"
        "assert not others, others"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, str(files / "proofs" / "c.y1.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("proved: ")
