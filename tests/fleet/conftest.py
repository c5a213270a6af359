"""Tiny networks as files, some of them broken, and what one call makes of them all."""

import json
from types import SimpleNamespace

import pytest
import torch

from bimt_analyze._cli import main
from bimt_analyze.fleet import Failure, Member

QUICK = ("--samples", "0", "--time-limit", "0", "--quiet")
GOOD = ("m3", "m1", "m8", "m5", "m4", "m2", "m7", "m6", "m0")  # no order that a sort would give


def save_linear(path, seed=0):
    generator = torch.Generator().manual_seed(seed)
    state = {"weight": torch.randn(2, 2, generator=generator), "bias": torch.randn(2, generator=generator)}
    torch.save(state, path)
    return path


@pytest.fixture(scope="session")
def linear():
    return save_linear


@pytest.fixture(scope="session")
def fleet(tmp_path_factory):
    """The outcome of one call on a manifest of 12 files, of which 3 are broken each in its own way."""
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "nets").mkdir()
    files = [save_linear(folder / "nets" / f"{name}.pt", seed) for seed, name in enumerate(GOOD)]
    truncated = folder / "nets" / "truncated.pt"
    truncated.write_bytes(files[0].read_bytes()[:200])
    empty = folder / "nets" / "empty.pt"
    torch.save({"epoch": 3}, empty)
    odd = save_linear(folder / "nets" / "odd.pt")
    files[2:2], files[6:6], files[9:9] = [truncated], [odd], [empty]
    rows = [f"nets/{file.name},{'swish2' if file is odd else ''}" for file in files]
    (folder / "manifest.csv").write_text("\n".join(["file,activation", *rows]) + "\n")
    words = [folder / "manifest.csv", "--activation", "relu", "--range", "-1", "1", "--out", folder / "audits"]
    gates = ["--require", "circuit.edges>=1", "--require", "formulas.y9.exact"]
    status = main([*map(str, words), *gates, *QUICK])
    out = folder / "audits"
    results = json.loads((out / "results.json").read_text())
    return SimpleNamespace(folder=folder, out=out, files=files, status=status, results=results)


@pytest.fixture
def failed():
    def make(name="net", reason="no such file", kind="refused"):
        return Member(name, f"nets/{name}.pt", None, Failure(kind, reason), 0.5)

    return make
