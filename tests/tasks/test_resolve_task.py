"""The words of a command line: names, formulas and tables are told apart, and near misses are helped on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bimt_train import ExpressionError, TaskError
from bimt_train.tasks import TASKS, resolve_task


@pytest.mark.parametrize("name", [kind.name for kind in TASKS.entries() if not kind.reads])
def test_known_names_in_any_spelling(name: str) -> None:
    for word in (name, name.replace("-", "_"), name.upper(), f" {name} "):
        assert resolve_task(word).spec.name == resolve_task([word]).spec.name == name


@pytest.mark.parametrize(
    ("words", "inputs", "outputs"),
    [
        ("y1 = (x1+x3)**3", ("x1", "x3"), ("y1",)),
        (["y1 = (x1+x3)^3", "y2 = x2**2 + sin(pi*x4)"], ("x1", "x2", "x3", "x4"), ("y1", "y2")),
        ("x1*x2", ("x1", "x2"), ("y",)),
        ("x1-x2", ("x1", "x2"), ("y",)),
        ("exp(x)", ("x",), ("y",)),
        ("z=x", ("x",), ("z",)),
        ("x1/2.5", ("x1",), ("y",)),
        ("z = composition", ("composition",), ("z",)),
    ],
)
def test_formulas(words: str | list[str], inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    spec = resolve_task(words).spec
    assert (spec.inputs, spec.outputs) == (inputs, outputs)


def test_tables_take_targets(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(12, 3))
    np.savez(tmp_path / "Data.NPZ", a=x[:, 0], b=x[:, 1], c=x[:, 2])
    (tmp_path / "Data.NPZ.npz").rename(tmp_path / "Data.NPZ")
    spec = resolve_task(str(tmp_path / "Data.NPZ"), target=["c", "a"]).spec
    assert spec.name == "Data" and spec.inputs == ("b",) and spec.outputs == ("c", "a")
    with pytest.raises(TaskError, match=r"no target named: .*: got columns a, b, c; hint: .*--target NAME"):
        resolve_task(str(tmp_path / "Data.NPZ"))
    with pytest.raises(TaskError, match="one task at a time"):
        resolve_task([str(tmp_path / "Data.NPZ"), "x*y"])


@pytest.mark.parametrize(
    ("words", "target", "said"),
    [
        ("independance", None, r"expected independence, .*got 'independance'; hint: did you mean independence\?"),
        ("feature-shearing", None, r"did you mean feature-sharing\?"),
        ("three-suns", None, "unknown task.*if it is a formula, write 'y = three-suns'"),
        ("numerals", None, "unknown task.*write a formula in quotes"),
        ("mnist", None, "no MNIST files: data.mnist; hint: put train-images-idx3-ubyte .* --data FOLDER"),
        ("data.ods", None, "unknown task.*or a table \\(.csv .tsv .txt .* .npz .npy\\)"),
        ("some/where/data.log", None, "unknown task"),
        ("none.csv", ["y"], "no such file: none.csv"),
        ([], None, "no task given"),
        ("  ", None, "no task given"),
        (["y", "=", "x1", "+", "x2"], None, "a formula in pieces.*in quotes: 'y = x1 \\+ x2'"),
        (["composition", "independence"], None, "one task at a time.*give 'composition' alone"),
        (["x1*x2", "composition"], None, "one task at a time"),
        ("composition", ["y"], "a target is for tables: got --target with 'composition'"),
        ("y = x", ["y"], "a target is for tables"),
    ],
)  # fmt: skip
def test_words_that_are_no_task(words: str | list[str], target: list[str] | None, said: str) -> None:
    with pytest.raises(TaskError, match=said) as caught:
        resolve_task(words, target=target)
    assert "\n" not in str(caught.value)


def test_hostile_words_are_formulas_and_refused_as_such() -> None:
    for word in ("__import__('os').system('x')", "y = open('x').read()", "(" * 3000, "-" * 9999 + "x", "x\0*y"):
        with pytest.raises(ExpressionError):
            resolve_task(word)


def test_an_existing_path_is_no_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").mkdir()
    assert resolve_task("a/b").spec.inputs == ("a", "b")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TaskError, match=r"unknown task.*'a/b'"):
        resolve_task("a/b")


def test_naming_a_task_loads_neither_torch_nor_sympy_nor_pandas() -> None:
    code = (
        "import sys\n"
        "from bimt_train.tasks import resolve_task\n"
        "resolve_task('independence').data(0); resolve_task('x1*x2').data(0)\n"
        "heavy = {'torch', 'sympy', 'pandas', 'matplotlib', 'sklearn', 'scipy'} & set(sys.modules)\n"
        "sys.stdout.write(repr(sorted(heavy)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]", "")
