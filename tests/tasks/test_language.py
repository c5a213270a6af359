"""Text as a task: windows against the text itself, errors of one line, and a training that learns."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bimt_train import Recipe, Relocation, TaskError, prune, train
from bimt_train._cli import main
from bimt_train.checkpoints import load_checkpoint
from bimt_train.tasks import characters, language, resolve_task, two_moons

TEXT = "the cat sat on the mat; the rat sat on the cat.\n" * 40
SMALL = {"context": 8, "width": 16, "heads": 2, "layers": 1, "hidden": 16}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def decoded(tokens: np.ndarray, known: tuple[str, ...]) -> str:
    return "".join(known[int(token)] for token in tokens)


def test_windows_are_pieces_of_the_text_and_targets_one_character_on(file: Path) -> None:
    task = language(file, context=8, rows=(50, 20))
    known, data = characters(task.spec), task.data(3)
    assert known == tuple(sorted(set(TEXT)))
    split = round(0.9 * len(TEXT))
    for x, y, part in ((data.x_train, data.y_train, TEXT[:split]), (data.x_test, data.y_test, TEXT[split:])):
        for row, target in zip(x, y, strict=True):
            window = decoded(row, known) + decoded(target[-1:], known)
            assert window in part and window[1:] == decoded(target, known)
    assert (len(data.x_train), len(data.x_test)) == (50, 20)


def test_seeds_draw_their_own_windows_and_are_tested_on_the_same(file: Path) -> None:
    task = language(file, context=8, rows=(30, 20))
    one, same, other = task.data(1), task.data(1), task.data(2)
    np.testing.assert_array_equal(one.x_train, same.x_train)
    assert not np.array_equal(one.x_train, other.x_train)
    np.testing.assert_array_equal(one.x_test, other.x_test)


def test_any_character_comes_back_from_the_card(tmp_path: Path) -> None:
    text = "a\\x20b \t\n\r\u00e9\u5b57\U0001f600'\"|" * 20
    path = tmp_path / "odd.txt"
    path.write_bytes(text.encode())
    spec = language(path, context=8).spec
    assert characters(spec) == tuple(sorted(set(text)))
    assert all(label.isprintable() and label.strip() for label in spec.output_labels or ())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "a text that cannot be read.*text.txt.*--data FILE.txt"),
        (b"too short", "a text too short to learn from.*330 characters.*got 9"),
        (b"a" * 5000, "a text too short to learn from.*of two kinds"),
        (b"\x89PNG\xff\xfe" * 900, "no text.*UTF-8"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(tmp_path: Path, capsys, content: bytes | None, said: str) -> None:
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TaskError, match=said):
        resolve_task("language", data=path)
    assert main(["language", "--data", str(path), "--quiet"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_folder_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="a text that cannot be read"):
        language(tmp_path)


def test_characters_are_of_language_alone() -> None:
    with pytest.raises(TaskError, match="no task of characters"):
        characters(two_moons().spec)


def test_training_beats_the_entropy_of_single_characters(file: Path, tmp_path: Path) -> None:
    task = language(file, **SMALL, rows=(200, 20))
    counts = np.array(list(Counter(TEXT).values())) / len(TEXT)
    unigram = float(-(counts * np.log(counts)).sum())
    recipe = Recipe(steps=80, lr=2e-2, batch=16, relocation=Relocation(every=40))
    runs = train(task, seeds=2, recipe=recipe, out=tmp_path / "runs")
    first, last = runs.runs[0].history[0], runs.runs[0].history[-1]
    assert last["test_loss"] < 0.6 * unigram < first["test_loss"]
    assert 0 < first["accuracy"] < last["accuracy"] <= 1

    kept = load_checkpoint(tmp_path / "runs" / "seed-000.safetensors")
    logits = kept.predict(kept.probe.x_test)
    assert logits.shape == (20, 8, len(task.spec.outputs))
    chances = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    loss = -np.take_along_axis(chances, kept.probe.y_test.astype(int)[..., None], 2).mean()
    assert loss == pytest.approx(last["test_loss"], rel=1e-5)

    about = {"loss": "next-token", "refit_steps": 0, "tolerance": 0.1}
    sweep, quick = (
        prune(kept.network, kept.probe.x_test, kept.probe.y_test, search=search, **about)
        for search in ("sweep", "narrowing")
    )
    assert quick.full_loss == pytest.approx(loss) and quick.loss <= 1.1 * loss
    assert len(quick.sweep) <= 12 < len(sweep.sweep) == 48
    held = [point.threshold for point in sweep.sweep if point.loss <= 1.1 * loss]
    assert quick.edges < kept.network.edges()
    thresholds = [point.threshold for point in sweep.sweep]
    assert held == thresholds[: len(held)]  # here the loss rises with the threshold
    assert sweep.threshold * (1 - 1e-9) <= quick.threshold < thresholds[len(held)]
    assert quick.edges <= sweep.edges


def test_more_than_a_measurement_can_look_at_is_thinned(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    setting = importlib.import_module("bimt_train.training._setting")
    task, recipe = language(file, **SMALL, rows=(100, 20)), Recipe(steps=1, batch=4)
    whole = train(task, seeds=1, recipe=recipe).runs[0]
    monkeypatch.setattr(setting, "MEASURED_OUTPUTS", 10 * 8 * len(task.spec.outputs))  # ten rows
    thin = train(task, seeds=1, recipe=recipe).runs[0]
    x, y = task.data(0).x_test[::2], task.data(0).y_test[::2].astype(int)
    logits = thin.checkpoint.predict(x)
    chances = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = -np.take_along_axis(chances, y[..., None], 2).mean()
    assert thin.history[0]["test_loss"] == pytest.approx(expected, rel=1e-4)
    assert not math.isclose(thin.history[0]["test_loss"], whole.history[0]["test_loss"], rel_tol=1e-6)
