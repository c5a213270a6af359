"""Tasks of one's own: in a file, registered or not, with a recipe and a file that they read."""

import re
from pathlib import Path

import numpy as np
import pytest

from bimt_train import InputError, Recipe, TaskError, default_recipe
from bimt_train.checkpoints import TaskSpec
from bimt_train.registry import load_file
from bimt_train.tasks import TASKS, Dataset, Task, formula_task, mlp, resolve_task
from bimt_train.training import train_distributed

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "extending" / "task.py"
HEAD = "from bimt_train.tasks import TASKS, formula_task, independence\n"
ONE = (
    HEAD
    + """
@TASKS.register("mine", label="mine", sentence="My own task.")
def made():
    return formula_task("y = x1*x2", name="mine")
"""
)
TWO = (
    ONE
    + """
@TASKS.register("other", label="other", sentence="My other task.", reads="a number")
def other(data="1"):
    return formula_task(f"y = x1 + {data}*x2**2", name="other")
"""
)


pytestmark = pytest.mark.usefixtures("forgotten_entries")


def _written(folder: Path, text: str) -> str:
    file = folder / "mytask.py"
    file.write_text(text)
    return str(file)


@pytest.mark.parametrize("kind", TASKS.entries(), ids=lambda kind: kind.name)
def test_each_task_says_what_it_is_and_has_a_function_with_defaults(kind: object) -> None:
    assert TASKS[kind.name] is kind  # type: ignore[attr-defined]
    assert re.fullmatch(r"[A-Z].*\.", kind.sentence)  # type: ignore[attr-defined]


def test_a_file_that_registers_one_task_needs_no_name(tmp_path: Path) -> None:
    file = _written(tmp_path, ONE)
    for words in (file, f"{file}:made", [f" {file} "]):
        assert resolve_task(words).spec.name == "mine"
    assert resolve_task("mine").spec.inputs == ("x1", "x2")


def test_a_file_of_several_tasks_needs_a_name_or_a_task(tmp_path: Path) -> None:
    file = _written(tmp_path, TWO)
    with pytest.raises(
        TaskError, match=rf"which task of the file: {file}: got 2 registered tasks; hint: write .*:made"
    ):
        resolve_task(file)
    assert resolve_task(f"{file}:other").spec.name == "other"
    (tmp_path / "more").mkdir()
    named = TWO.replace('"mine"', '"third"').replace('"other"', '"fourth"') + "task = independence()\n"
    assert resolve_task(_written(tmp_path / "more", named)).spec.name == "independence"


@pytest.mark.parametrize(
    "text",
    ["def free():\n    return formula_task('y = x')\n", "free = formula_task('y = x')\n"],
    ids=["function", "task"],
)
def test_what_is_not_registered_serves_too(text: str, tmp_path: Path) -> None:
    assert resolve_task(f"{_written(tmp_path, HEAD + text)}:free").spec.outputs == ("y",)
    with pytest.raises(TaskError, match=r"which task of the file.*no registered task; hint: write .*:NAME"):
        resolve_task(str(tmp_path / "mytask.py"))


def test_a_task_in_a_module_is_found_by_its_dots() -> None:
    assert resolve_task("bimt_train.tasks._paper:feature_sharing").spec.name == "feature-sharing"


def test_data_goes_to_the_task_that_reads(tmp_path: Path) -> None:
    file = _written(tmp_path, TWO)
    assert "3*x2**2" in str(resolve_task(f"{file}:other", data="3").spec.decomposition).replace(" ", "")
    with pytest.raises(TaskError, match="a task that reads no files: got mine"):
        resolve_task(f"{file}:made", data="3")


@pytest.mark.parametrize(
    ("text", "word", "said"),
    [
        ("task = 3\n", "", "no task: FILE: expected a Task, or a function that returns one, got int"),
        ("def task():\n    return 3\n", ":task", "no task: FILE:task: expected a Task.*got int"),
        ("def task():\n    return 1 / 0\n", "", "a task that cannot be made: FILE: got ZeroDivisionError"),
        ("import nowhere_at_all\n", "", "a file that cannot be run: FILE: got ModuleNotFoundError"),
        (ONE, ":mad", r"no such name in the file: FILE:mad: .*did you mean made\?"),
        (ONE.replace('name="mine"', 'name="yours"'), "", "a task of another name: expected 'mine', got 'yours'"),
        (ONE, ":formula_task", "a task that cannot be made: FILE:formula_task: got TypeError"),
    ],
)
def test_what_is_no_task_is_refused_in_one_line(text: str, word: str, said: str, tmp_path: Path) -> None:
    file = _written(tmp_path, text)
    with pytest.raises(InputError, match=said.replace("FILE", file)) as caught:
        resolve_task(file + word)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mytask.py", "x1*x2"], "one task at a time.*give 'mytask.py' alone"),
        (["nowhere.py"], "no such file: nowhere.py"),
        (["no.such.module:task"], "a module that cannot be imported"),
    ],
)
def test_places_that_are_none(words: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        resolve_task(words)


def test_a_task_from_outside_brings_its_recipe() -> None:
    task = resolve_task(str(EXAMPLE))
    assert default_recipe(task) == Recipe(steps=2000, lr=1e-2, decay_from=0.5)
    assert default_recipe(task) != default_recipe(formula_task("y = x1*x2"))
    TASKS.register("dull", label="dull", sentence="Dull.", recipe=lambda: 3)(lambda: formula_task("y = x", name="dull"))
    with pytest.raises(
        InputError, match="no recipe: task 'dull', recipe: expected a function that returns a Recipe, got"
    ):
        default_recipe(resolve_task("dull"))


def test_the_example_knows_its_own_decomposition() -> None:
    task = resolve_task(f"{EXAMPLE}:rectangle")
    data = task.data(0)
    np.testing.assert_allclose(data.y_test, np.stack([data.x_test.prod(1), 2 * data.x_test.sum(1)], axis=1))
    assert task.spec.decomposition is not None and "half" in dict(task.spec.decomposition.definitions)


def test_a_task_in_a_file_can_be_trained_in_other_processes() -> None:
    recipe = Recipe(steps=2)
    runs = train_distributed(resolve_task(str(EXAMPLE)), dask=None, seeds=5, recipe=recipe, processes=2)
    assert [run.seed for run in runs.runs] == [0, 1, 2, 3, 4]


def test_rows_that_do_not_fit_the_names_are_refused() -> None:
    def sampled(seed: int) -> Dataset:
        return Dataset(np.zeros((4, 3)), np.zeros((4, 1)), np.zeros((4, 3)), np.zeros((4, 1)))

    task = Task(TaskSpec("odd", ("a", "b"), ("y",), ((0, 1),) * 2), mlp((2, 3, 1)), sampled)
    with pytest.raises(TaskError, match=r"rows that do not fit the task: task 'odd', sampler: expected 2 columns"):
        task.data(0)


def test_a_file_is_run_once(tmp_path: Path) -> None:
    file = _written(tmp_path, ONE)
    assert load_file(file) is load_file(file)
