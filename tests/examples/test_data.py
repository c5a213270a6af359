"""The small files of examples/data are what their script makes, and what their README says."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import torch

DATA = Path(__file__).resolve().parents[2] / "examples" / "data"
sys.path.insert(0, str(DATA))

import make  # noqa: E402


def test_every_file_is_told_of():
    told = (DATA / "README.md").read_text()
    assert all(
        f"`{file.name}`" in told for file in DATA.iterdir() if file.is_file() and file.suffix not in (".py", ".md")
    )


def test_the_table_is_what_the_script_makes(tmp_path):
    make.main(tmp_path)
    assert (tmp_path / "measurements.csv").read_bytes() == (DATA / "measurements.csv").read_bytes()
    made, kept = (torch.load(folder / "model.pt", weights_only=True) for folder in (tmp_path, DATA))
    assert {name: w.shape for name, w in made.items()} == {name: w.shape for name, w in kept.items()}
    assert misses(made) < 1e-4


def test_the_table_follows_the_laws_that_are_told():
    table = pd.read_csv(DATA / "measurements.csv")
    speed, area = table["speed"], table["area"]
    assert len(table) == 117
    assert np.allclose(table["lift"], 0.6 * speed**2 * area)
    assert np.allclose(table["drag"], 0.03 * speed**2 * area + 0.5 * speed)


def test_the_network_follows_the_function_that_is_told():
    assert misses(torch.load(DATA / "model.pt", weights_only=True)) < 1e-4


def misses(state: dict[str, torch.Tensor]) -> float:
    """The mean squared difference from the function, where it varies by about 0.6."""
    x = torch.linspace(-1, 1, 41)
    x1, x2 = (side.ravel() for side in torch.meshgrid(x, x, indexing="ij"))
    hidden = torch.nn.functional.silu(torch.stack([x1, x2], 1) @ state["0.weight"].T + state["0.bias"])
    said = (hidden @ state["2.weight"].T + state["2.bias"])[:, 0]
    return float(((said - torch.sin(3 * x1) - x2**2) ** 2).mean())
