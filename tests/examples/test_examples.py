"""Every example runs from training to picture; a few steps are enough to see that."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bimt_train import InputError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PICTURES = {
    "figure3_formulas": {"training-types.png", "formulas.png"},
    "figure4_two_moons": {"two-moons.png"},
    "figure5_modular_addition": {"modular-addition.png", "modular-addition-rings.png"},
    "figure6_permutations": {"permutations.png", "permutations-representations.png"},
    "figure7_in_context": {"in-context.png", "in-context-weight.png"},
    "figure8_mnist": {"mnist.png", "mnist-features.png", "mnist-classes.png", "mnist-circuits.png"},
    "film": {"training.gif"},
    "recurrent_net": {"evidence.png"},
    "calibration": {"calibration.png"},
    "choosing_lambda": {"choosing-lambda.png"},
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


@pytest.fixture(scope="module")
def gallery(digits, go, tmp_path_factory) -> Path:
    """The whole gallery, in its own process as `make gallery` runs it."""
    folder = tmp_path_factory.mktemp("pictures")
    words = [str(folder), "--seeds", "1", "--steps", "4", "--mnist", str(digits)]
    script = (
        f"import sys; sys.path.insert(0, {str(EXAMPLES)!r}); sys.argv[1:] = {words}; import gallery; gallery.main()"
    )
    done = go(["python", script], digits)
    assert done.status == 0, done.stderr
    return folder


@pytest.mark.parametrize("name", PICTURES)
def test_the_example_draws_its_pictures(name, gallery) -> None:
    for picture in PICTURES[name]:
        with Image.open(gallery / picture) as drawn:
            assert min(drawn.size) > 200
            assert drawn.convert("L").getextrema()[0] < 150  # something is on it


def test_every_figure_is_in_the_gallery_and_tested() -> None:
    others = {"gallery", "language_model", "own_loop", "huggingface_trainer", "lightning_module"}
    scripts = {path.stem for path in EXAMPLES.glob("[a-z]*.py")} - others
    text = (EXAMPLES / "gallery.py").read_text()
    assert scripts == set(PICTURES)
    assert all(f"import {name}" in text for name in scripts)


def test_pictures_of_the_page_are_those_of_the_gallery(gallery) -> None:
    shown = set(re.findall(r"\(pictures/(.*?)\)", (EXAMPLES.parent / "docs" / "gallery.md").read_text()))
    assert shown == {path.name for path in gallery.iterdir()} == set().union(*PICTURES.values())


def test_without_digits_one_line_says_what_to_put_where(tmp_path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    import figure8_mnist
    from _options import Options

    with pytest.raises(InputError, match=r"no MNIST files.*put train-images-idx3-ubyte"):
        figure8_mnist.draw(Options(tmp_path, seeds=1, mnist=tmp_path))
