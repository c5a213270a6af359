"""Every example runs from training to picture; a few steps are enough to see that."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PICTURES = {
    "figure3_formulas": {"training-types.png", "formulas.png"},
    "figure4_two_moons": {"two-moons.png"},
    "figure5_modular_addition": {"modular-addition.png", "modular-addition-rings.png"},
    "figure6_permutations": {"permutations.png", "permutations-representations.png"},
    "figure7_in_context": {"in-context.png", "in-context-weight.png"},
    "figure8_mnist": {"mnist.png", "mnist-features.png", "mnist-classes.png", "mnist-circuits.png"},
    "film": {"training.gif"},
}


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Path:
    """Eighty pictures of noise, labelled 0 to 9 in turn, in the files' own format."""
    folder, rng = tmp_path_factory.mktemp("mnist"), np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (200, 28, 28), np.uint8), (np.arange(200) % 10).astype(np.uint8)
    for name, values in (("t10k-images-idx3-ubyte", images), ("t10k-labels-idx1-ubyte", labels)):
        head = bytes([0, 0, 8, values.ndim]) + b"".join(n.to_bytes(4, "big") for n in values.shape)
        (folder / name).write_bytes(head + values.tobytes())
    return folder


@pytest.mark.parametrize("name", PICTURES)
def test_the_example_draws_its_pictures(name, digits, tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    options = __import__("_options").Options(tmp_path / "pictures", seeds=1, steps=4, mnist=digits)
    __import__(name).draw(options)
    written = {path.name: path.read_bytes()[:4] for path in (tmp_path / "pictures").iterdir()}
    assert set(written) == PICTURES[name]
    assert all(begins in (b"\x89PNG", b"GIF8") for begins in written.values())


def test_every_figure_is_in_the_gallery_and_tested() -> None:
    scripts = {path.stem for path in EXAMPLES.glob("[a-z]*.py")} - {"gallery"}
    text = (EXAMPLES / "gallery.py").read_text()
    assert scripts == set(PICTURES)
    assert all(f"import {name}" in text for name in scripts)


def test_without_digits_one_line_says_what_to_put_where(tmp_path) -> None:
    words = [sys.executable, str(EXAMPLES / "figure8_mnist.py"), str(tmp_path), "--mnist", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "no MNIST files" in done.stderr and "train-images-idx3-ubyte" in done.stderr
