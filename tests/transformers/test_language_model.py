"""A trained language model on every path that a user takes: the example, the report, the shell."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest

from bimt_analyze._cli import main
from bimt_analyze.transformers import continuation
from bimt_train import InputError, Recipe, TaskError, train
from bimt_train.checkpoints import load_checkpoint
from bimt_train.tasks import characters, language, two_moons

ROOT = Path(__file__).resolve().parents[2]
TEXT = "the cat sat on the mat; the rat sat on the cat.\n" * 40
SMALL = {"context": 8, "width": 8, "heads": 2, "layers": 1, "hidden": 8, "rows": (60, 20)}
QUICKLY = ["--refit", "0", "--quiet"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("language")
    (folder / "text.txt").write_text(TEXT)
    train(language(folder / "text.txt", **SMALL), seeds=1, recipe=Recipe(steps=40, lr=2e-2, batch=16), out=folder)
    return folder


def test_the_report_of_a_language_model_is_whole(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(runs), "--html", str(runs / "r.html"), "--json", str(runs / "r.json"), *QUICKLY]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "not used" not in said and "more}" in said  # tokens are no neurons; of many names the first
    report = json.loads((runs / "r.json").read_text())
    assert report["task"]["loss"] == "next-token" and report["formulas"] == {}
    assert 0 < report["circuit"]["loss"] <= 1.05 * report["circuit"]["full_loss"]
    assert (runs / "r.html").read_text().count("<svg") >= 2


def test_what_makes_no_sense_is_refused_in_one_line(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--require", "formulas.a.r2>0.9"], ["--parts", "q: t1"]):
        assert main([str(runs), *words, *QUICKLY]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_continuation_is_drawn_from_the_seed_and_made_of_known_characters(runs: Path) -> None:
    kept = load_checkpoint(runs / "seed-000.safetensors")
    one, same, other = (continuation(kept, "the cat sat on", length=30, seed=seed) for seed in (0, 0, 1))
    assert one == same != other and one.startswith("the cat sat on") and len(one) == 44
    assert set(one) <= set(TEXT)
    known, cold = characters(kept.task), continuation(kept, "the ", length=20, temperature=1e-6)
    for end in range(4, len(cold)):  # the likeliest character each time, told from the last eight
        window = np.array([[known.index(character) for character in cold[max(0, end - 8) : end]]], dtype=np.float64)
        assert cold[end] == known[kept.network.predict(window)[0, -1].argmax()]
    with pytest.raises(InputError, match=r"cannot be gone on with.*'Q'"):
        continuation(kept, "Q")
    with pytest.raises(TaskError, match="no task of characters"):
        continuation(train(two_moons(rows=(8, 8)), seeds=1, recipe=Recipe(steps=1)).best.checkpoint, "a")


def test_the_example_goes_from_a_text_to_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.txt").write_text(TEXT)
    script = ROOT / "examples" / "language_model.py"
    monkeypatch.setattr(sys, "argv", [script.name, str(tmp_path / "text.txt"), str(tmp_path / "out"), "--steps", "2"])
    runpy.run_path(str(script), run_name="__main__")
    assert "neurons alive" in capsys.readouterr().out
    assert (tmp_path / "out" / "stream.png").read_bytes().startswith(b"\x89PNG")
