"""Choosing a model on the command line."""

import json
from pathlib import Path

import pytest

from bimt_train._cli import main
from bimt_train.checkpoints import load_checkpoint
from bimt_train.models import MODELS

EXAMPLE = Path(__file__).parents[2] / "docs" / "extending" / "architecture.py"
SHORT = ["--seeds", "1", "--steps", "3", "--replicas", "1", "--quiet"]


def test_a_kind_is_trained_by_its_name_and_by_its_file(tmp_path: Path) -> None:
    wanted = {"gated-mlp": {"widths": [4, 9, 2], "activation": "relu"},
              f"{EXAMPLE}:ResidualMLP": {"inputs": 4, "width": 7, "hidden": [9], "outputs": 2}}  # fmt: skip
    options = (["hidden=9", "activation=relu"], ["hidden=[9]", "width=7"])
    for (name, expected), given in zip(wanted.items(), options, strict=True):
        out = tmp_path / str(len(given[1]))
        words = [word for option in given for word in ("--model-option", option)]
        assert main(["independence", "--model", name, *words, "--out", str(out), *SHORT]) == 0
        model = load_checkpoint(out / "seed-000.safetensors").network.model
        assert (model.kind, json.loads(json.dumps(dict(model.options)))) == (MODELS[name].name, expected)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--model", "gated"], "unknown kind of model"),
        (["--model", "gated-mlp", "--model-option", "hiden=9"], "did you mean hidden?"),
        (["--model", "gated-mlp", "--model-option", "hidden"], "expected KEY=VALUE, got hidden"),
        (["--model-option", "hidden=9"], "add --model KIND"),
        (["--model", "gpt"], "a language model for another task"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(words: list[str], said: str, capsys: pytest.CaptureFixture) -> None:
    assert main(["independence", *words, *SHORT]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_the_help_names_every_kind(capsys: pytest.CaptureFixture) -> None:
    assert main(["--help"]) == 0
    said = " ".join(capsys.readouterr().out.split()).replace("- ", "-")  # a line may end within a name
    assert all(name in said for name in MODELS.names()) and "--model-option KEY=VALUE" in said
