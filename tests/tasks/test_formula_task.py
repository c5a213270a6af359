"""The paper's tasks and tasks from text: the data are what the formulas say, and the same for the same seed."""

import copy

import numpy as np
import pytest

from bimt_train import ExpressionError, TaskError
from bimt_train.expressions import Decomposition
from bimt_train.tasks import TASKS, Dataset, Task, composition, feature_sharing, formula_task, independence, mlp
from bimt_train.tasks._formula_task import FormulaSampler, default_widths

BY_HAND = {
    "independence": lambda x: [(x[:, 0] + x[:, 2]) ** 3, x[:, 1] ** 2 + np.sin(np.pi * x[:, 3])],
    "feature-sharing": lambda x: list(np.cumsum(x**2, axis=1).T),
    "composition": lambda x: [np.hypot(x[:, 0] - x[:, 1], x[:, 2] - x[:, 3])],
}


@pytest.mark.parametrize("name", BY_HAND)
def test_the_paper_tasks_are_the_formulas_written_out(name: str) -> None:
    task = TASKS[name].make()
    data = task.data(3)
    rng = np.random.default_rng(3)
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        np.testing.assert_array_equal(x, rng.uniform(-1, 1, (100, len(task.spec.inputs))))
        np.testing.assert_allclose(y, np.stack(BY_HAND[name](x), axis=1), rtol=1e-13)
    assert task.spec.name == name and task.spec.loss == "mse"
    assert task.spec.input_scale is task.spec.output_scale is None


def test_the_paper_networks() -> None:
    assert independence().widths == (4, 20, 20, 2)
    assert feature_sharing().widths == (3, 20, 20, 3)
    assert composition().widths == (4, 20, 20, 20, 20, 1)


def _same(a: Dataset, b: Dataset) -> bool:
    return all(np.array_equal(getattr(a, f), getattr(b, f)) for f in ("x_train", "y_train", "x_test", "y_test"))


def test_data_are_a_pure_function_of_the_seed() -> None:
    task, state = independence(), np.random.get_state()[1].copy()  # noqa: NPY002 -- that it is left alone
    first = task.data(5)
    first.x_train[:] = 0
    assert _same(task.data(5), independence().data(5))
    assert not _same(task.data(5), task.data(6))
    assert _same(copy.deepcopy(task).data(5), task.data(5))
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


def test_rows_and_widths_can_be_chosen() -> None:
    data = composition(rows=(7, 1000), widths=(4, 8, 1)).data(0)
    assert data.x_train.shape == (7, 4) and data.y_test.shape == (1000, 1)
    with pytest.raises(TaskError, match=r"widths that do not fit.*expected 4 \(inputs\).*got 3-8-1"):
        composition(widths=(3, 8, 1))
    with pytest.raises(TaskError, match="widths that do not fit"):
        composition(widths=(4, 0, 1))


def test_text_gives_the_same_task_as_the_paper_constructor() -> None:
    task = formula_task(["y1 = (x1+x3)^3", "y2 = x2**2 + sin(pi*x4)"])
    assert _same(task.data(1), independence().data(1))
    assert task.widths == independence().widths
    assert task.spec.decomposition == independence().spec.decomposition
    assert task.spec.input_shift is task.spec.output_shift is None


def test_bare_formulas_are_named_and_inputs_are_in_natural_order() -> None:
    assert formula_task("x10*x2").spec.outputs == ("y",)
    assert formula_task("x10*x2").spec.inputs == ("x2", "x10")
    assert formula_task(["x1", "x2", "out = x1*x2"]).spec.outputs == ("y1", "y2", "out")


def test_a_formula_may_use_anothers_name() -> None:
    task = formula_task(["y = a**2", "a = x1 + x2"])
    assert task.spec.inputs == ("x1", "x2") and task.spec.outputs == ("y", "a")
    data = task.data(0)
    np.testing.assert_allclose(data.y_train[:, 0], data.y_train[:, 1] ** 2)
    assert task.spec.decomposition is not None and str(task.spec.decomposition.expression("y")) == "(x1 + x2)**2"


def test_ranges_one_for_all_or_by_name() -> None:
    task = formula_task("a*b", ranges={"b": (10, 20)}, rows=(400, 50))
    assert task.spec.ranges == ((-1.0, 1.0), (10, 20))
    x = task.data(0).x_train
    assert -1 <= x[:, 0].min() < -0.9 and 0.9 < x[:, 0].max() <= 1
    assert 10 <= x[:, 1].min() < 10.3 and 19.7 < x[:, 1].max() <= 20
    assert formula_task("a*b", ranges=(1, 3)).spec.ranges == ((1, 3), (1, 3))


def test_units_bring_inputs_into_the_unit_range_and_outputs_to_unit_deviation() -> None:
    task = formula_task("100*m*v**2", ranges={"m": (1.0, 5.0), "v": (0.0, 10.0)}, rows=(4000, 10))
    data, spec = task.data(9), task.spec
    assert spec.input_shift == (3.0, 5.0) and spec.input_scale == (2.0, 5.0)
    x, y = spec.to_network_inputs(data.x_train), spec.to_network_targets(data.y_train)
    assert -1 <= x.min() < -0.99 and 0.99 < x.max() <= 1
    assert abs(y.mean()) < 0.1 and abs(y.std() - 1) < 0.1
    large = formula_task("1000*x").spec
    assert large.input_scale is None and large.output_scale is not None


def test_irrelevant_inputs_can_be_added_and_the_order_chosen() -> None:
    task = formula_task("x1 + x2**2", inputs=["x3", "x2", "x1"])
    assert task.spec.inputs == ("x3", "x2", "x1") and task.widths[0] == 3
    data = task.data(0)
    np.testing.assert_allclose(data.y_train[:, 0], data.x_train[:, 2] + data.x_train[:, 1] ** 2)
    with pytest.raises(TaskError, match="not among the inputs: 'x2'"):
        formula_task("x1 + x2", inputs=["x1"])


def test_points_without_a_finite_value_are_drawn_again() -> None:
    task = formula_task("log(x1) + sqrt(x2)")
    data = task.data(0)
    assert data.x_train.shape == (100, 2) and data.x_test.shape == (100, 2)
    assert (data.x_train > 0).all() and np.isfinite(data.y_train).all() and np.isfinite(data.y_test).all()
    assert _same(data, task.data(0))
    # by hand: batches of 100 points, each keeping its good rows
    rng, kept = np.random.default_rng(0), np.zeros((0, 2))
    while len(kept) < 100:
        batch = rng.uniform(-1, 1, (100, 2))
        kept = np.concatenate([kept, batch[(batch > 0).all(axis=1)]])
    np.testing.assert_array_equal(data.x_train, kept[:100])


def test_default_widths_grow_with_the_steps_that_join_variables() -> None:
    def hidden(text: str) -> int:
        return len(formula_task(text, ranges=(0.1, 0.9)).widths) - 2

    assert hidden("x1 + 2*x2 - x3/3") == 2
    assert hidden("exp(-x1**2) + sin(sqrt(x2))") == 2
    assert hidden("x1*x2") == hidden("x1/x2") == hidden("1/(x1 + x2)") == hidden("(x1 + x2)**3") == 2
    assert hidden("sqrt(x1*x2)") == hidden("x3*(x1*x2 + 1)") == hidden("sqrt(1/(x1 + x2))") == 4
    assert hidden("sin(x4*sin(x3*sin(x1*x2)))") == 4
    for make in (independence, feature_sharing, composition):
        parts = make().spec.decomposition
        assert parts is not None and default_widths(parts) == make().widths
    assert formula_task("x1*x2", widths=[2, 5, 1]).widths == (2, 5, 1)


@pytest.mark.parametrize(
    ("formulas", "options", "said"),
    [
        ([], {}, "no formulas given"),
        ("y = y + 1", {}, "'y' is defined by itself"),
        ("y + 1", {}, "'y' is defined by itself"),
        (["y = x1", "y = x2"], {}, "two formulas for one output: 'y'"),
        (["a = b + x", "b = a"], {}, "in a circle"),
        ("y = 2*pi", {}, "without variables"),
        ("y = x - x", {}, "constant value: y = x - x: got 0 everywhere"),
        ("y = sin(x)**2 + cos(x)**2", {}, "constant value.*got 1 everywhere"),
        (["y1 = x", "y2 = 3"], {}, "constant value: y2 = 3"),
        ("2 = x", {}, "cannot name the output"),
        ("y == x", {}, "cannot name the output"),
        ("a b = x", {}, "cannot name the output"),
        ("sin = x", {}, "cannot name the output"),
        ("y = sqrt(-1 - x**2)", {}, "hardly ever defined.*expected a finite value at 10% of the points, got 0.0%"),
        (["a = log(x - 0.5)", "b = log(-x - 0.5)"], {}, "hardly ever defined together"),
        ("y = 1e120*x", {}, "too large to learn"),
        ("y = x", {"ranges": (1.0, 1.0)}, r"impossible range: task 'formula', input 'x'"),
        ("y = x", {"ranges": (1.0, float("nan"))}, "impossible range"),
        ("y = x", {"ranges": {"z": (0.0, 1.0)}}, "range for an unknown input: 'z': expected x"),
        ("y = mass", {"ranges": {"mas": (0.0, 1.0)}}, "did you mean mass?"),
        ("y = x", {"rows": (0, 5)}, "too few rows"),
        ("y = x", {"inputs": ["x", "x"]}, "given twice: 'x'"),
        ("y = x", {"inputs": ["x", "y"]}, "given twice: 'y'"),
    ],
)
def test_formulas_that_make_no_task(formulas: str | list[str], options: dict, said: str) -> None:
    with pytest.raises(TaskError, match=said) as caught:
        formula_task(formulas, **options)
    assert "\n" not in str(caught.value)


def test_hostile_formulas_are_refused_by_the_language() -> None:
    for text in ("y = __import__('os').system('x')", "10**10**10*x", "y = x.real"):
        with pytest.raises(ExpressionError):
            formula_task(text)


def test_a_sampler_that_finds_too_little_says_so() -> None:
    parts = Decomposition(("x",), ("y",), (("y", "sqrt(-1 - x**2)"),))
    with pytest.raises(TaskError, match="defined almost nowhere"):
        FormulaSampler(parts, ((-1.0, 1.0),), (5, 5))(0)


def test_a_task_of_ones_own_is_a_card_and_a_sampler() -> None:
    spec = independence().spec
    task = Task(spec, mlp((4, 3, 2)), independence().sampler)
    assert _same(task.data(2), independence().data(2))
