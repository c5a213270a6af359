"""Which of several networks in a file is meant: every key that a refusal names leads to a network."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bimt_analyze import Sampling, open_checkpoint
from bimt_train import CheckpointError
from bimt_train.checkpoints import from_state_dict, read_foreign

X = np.random.default_rng(0).uniform(-1, 1, (12, 3))
A, B, C = (torch.tensor(np.random.default_rng(k).normal(size=(3, 3))) for k in (1, 2, 3))
RANGE: dict[str, Any] = {"activation": "identity", "ranges": (-1, 1)}


def net(matrix: torch.Tensor, prefix: str = "") -> dict[str, torch.Tensor]:
    """Two layers, of which only the first does anything."""
    return {f"{prefix}0.weight": matrix, f"{prefix}2.weight": torch.eye(3, dtype=torch.float64)}


def keys_in(message: str) -> list[tuple[str, str]]:
    """The keys that a message names, for Python and for the command line."""
    return re.findall(r"key='([^']+)' \(--key ('[^']+'|\S+?)\)", message)


CASES: dict[str, tuple[Any, dict[str, torch.Tensor]]] = {
    "two entries": ({"model": net(A), "ema": net(B)}, {"model": A, "ema": B}),
    "deeper": ({"state": {"model": net(A), "ema model": net(B)}, "epoch": 3}, {"state.model": A, "state.ema model": B}),
    "in a list": ({"nets": [net(A), net(B)]}, {"nets.0": A, "nets.1": B}),
    "one beside the other's tensors": ({**net(A), "ema": net(B)}, {".": A, "ema": B}),
    "in the names": ({**net(A, "net_a."), **net(B, "net_b.")}, {"net_a": A, "net_b": B}),
    "in the names of an entry": (
        {"state": {**net(A, "net_a."), **net(B, "net_b.")}, "epoch": 1}, {"state.net_a": A, "state.net_b": B},
    ),
    "in the names of one of two entries": (
        {"model": {**net(A, "net_a."), **net(B, "net_b.")}, "ema": net(C)},
        {"model.net_a": A, "model.net_b": B, "ema": C},
    ),
    "copies in the names": ({**net(A, "net."), **net(B, "ema.")}, {"net": A, "ema": B}),
    "copies under one name": ({**net(A, "state.net."), **net(B, "state.ema.")}, {"state.net": A, "state.ema": B}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_key_is_the_network_under_it(name: str, tmp_path: Path) -> None:
    content, networks = CASES[name]
    torch.save(content, tmp_path / "net.pt")
    for key, matrix in networks.items():
        found = read_foreign(tmp_path / "net.pt", key=key, **RANGE)
        np.testing.assert_allclose(found.predict(X), X @ matrix.numpy().T, atol=1e-12)
        said = Sampling(activation="identity", ranges=((-1.0, 1.0),), key=key)
        np.testing.assert_array_equal(open_checkpoint(tmp_path / "net.pt", said).predict(X), found.predict(X))
        assert any("key was given" in sentence for sentence in found.config["assumed"])


def followed(read: Callable[[str | None], Any]) -> torch.Tensor:
    """What is read where each refusal's first hint is followed."""
    key = None
    for _ in range(4):
        try:
            return torch.tensor(read(key).predict(np.eye(3))).T
        except CheckpointError as error:
            (key, shell), *_ = keys_in(str(error))
            assert shell.strip("'") == key
    raise AssertionError("hints without end")


@pytest.mark.parametrize("name", CASES)
def test_the_hint_of_an_ambiguous_file_leads_to_a_network(name: str, tmp_path: Path) -> None:
    content, networks = CASES[name]
    path = tmp_path / "net.pt"
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="--key"):
        read_foreign(path, **RANGE)
    found = followed(lambda key: read_foreign(path, key=key, **RANGE))
    assert any(torch.allclose(found, matrix) for matrix in networks.values())


@pytest.mark.parametrize("name", ["in the names", "copies in the names", "copies under one name"])
def test_the_hint_is_true_of_files_without_entries_and_of_tensors_in_memory(name: str, tmp_path: Path) -> None:
    content, networks = CASES[name]
    save_file(content, tmp_path / "net.safetensors")
    for read in (
        lambda key: read_foreign(tmp_path / "net.safetensors", key=key, **RANGE),
        lambda key: from_state_dict(content, key=key, **RANGE),
    ):
        found = followed(read)
        assert any(torch.allclose(found, matrix) for matrix in networks.values())


@pytest.mark.parametrize("key", ["best", "model.net_c", "mod", "epoch", ""])
def test_a_key_of_nothing_is_refused_with_those_that_there_are(key: str, tmp_path: Path) -> None:
    torch.save({"model": net(A), "ema": net(B), "epoch": 3}, tmp_path / "net.pt")
    with pytest.raises(CheckpointError, match=r"no network under that key.*'model' or 'ema'"):
        read_foreign(tmp_path / "net.pt", key=key, **RANGE)


# ---- orientation


@pytest.mark.parametrize(("way", "right"), [("out_in", A @ B), ("in_out", (B @ A).T)])
def test_square_kernels_are_turned_as_the_hint_says(way: Any, right: torch.Tensor, tmp_path: Path) -> None:
    path = tmp_path / "net.npz"
    np.savez(path, W1=B.numpy(), W2=A.numpy())
    with pytest.raises(CheckpointError, match=r'orientation="in_out" \(--orientation out-in, or in-out\)'):
        read_foreign(path, **RANGE)
    found = read_foreign(path, orientation=way, **RANGE)
    np.testing.assert_allclose(found.predict(X), X @ right.numpy().T, atol=1e-12)
    said = Sampling(activation="identity", ranges=((-1.0, 1.0),), orientation=way.replace("_", "-"))
    np.testing.assert_array_equal(open_checkpoint(path, said).predict(X), found.predict(X))


def test_an_orientation_of_another_name_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "net.npz", W1=A.numpy())
    with pytest.raises(CheckpointError, match=r"orientation: expected out_in or in_out, got 'sideways'"):
        read_foreign(tmp_path / "net.npz", orientation="sideways", **RANGE)  # type: ignore[arg-type]


def test_anything_that_is_said_of_the_reading_makes_a_file_a_foreign_one() -> None:
    assert Sampling(key="ema").foreign and Sampling(orientation="in-out").foreign
