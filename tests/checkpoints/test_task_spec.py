"""The card of a task: units there and back, and a JSON round trip that damages cannot pass."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimt_train import TaskError
from bimt_train.checkpoints import TaskSpec
from bimt_train.checkpoints._units_in_names import split_unit
from bimt_train.expressions import Decomposition
from bimt_train.tasks import TASKS

CARD = TaskSpec(
    "weights",
    ("mass_kg", "x2"),
    ("y",),
    ((0.0, 4.0), (-1, 1)),
    decomposition=Decomposition(("mass_kg", "x2"), ("y",), (("y", "mass_kg*x2"),)),
    input_shift=(2.0, 0.0),
    input_scale=(2.0, 1.0),
    output_shift=(0.1,),
    output_scale=(3.0,),
    input_labels=("mass (kg)", "x2"),
)


def test_units_are_shift_then_scale() -> None:
    x, y = np.array([[4.0, 0.5], [0.0, -1.0]]), np.array([[3.1], [-2.9]])
    np.testing.assert_allclose(CARD.to_network_inputs(x), [[1.0, 0.5], [-1.0, -1.0]])
    np.testing.assert_allclose(CARD.to_network_targets(y), [[1.0], [-1.0]])
    np.testing.assert_allclose(CARD.from_network_outputs(np.array([[1.0], [0.0]])), [[3.1], [0.1]])
    plain = TaskSpec("plain", ("a", "b"), ("c",), ((0.0, 1.0),) * 2)
    np.testing.assert_array_equal(plain.to_network_inputs(x), x)
    np.testing.assert_array_equal(plain.from_network_outputs(y), y)


def test_tokens_are_asked_for_at_each_place_and_have_no_units() -> None:
    task = TaskSpec("text", ("t1", "t2", "t3"), ("a", "b"), ((0, 1),) * 3, loss="next-token")
    assert (task.predictions, task.targets, task.classifies) == (3, task.inputs, True)
    assert (CARD.predictions, CARD.targets) == (1, CARD.outputs)
    tokens, logits = np.array([[0.0, 1.0, 1.0]]), np.zeros((1, 3, 2))
    np.testing.assert_array_equal(task.to_network_targets(tokens), tokens)
    assert task.from_network_outputs(logits) is logits
    with pytest.raises(TaskError, match=r"wrong shape.*3"):
        task.to_network_targets(np.zeros((1, 2)))
    with pytest.raises(TaskError, match="logits have no units"):
        replace(task, output_scale=(1.0, 1.0))


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=5))
def test_outputs_come_back_in_the_units_of_the_targets(shift: float, scale: float, y: list[float]) -> None:
    task = TaskSpec("t", ("x",), ("y",), ((0.0, 1.0),), output_shift=(shift,), output_scale=(scale,))
    targets = np.array(y)[:, None]
    np.testing.assert_allclose(task.from_network_outputs(task.to_network_targets(targets)), targets, atol=1e-9)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=64), min_size=2, max_size=2, unique=True))
def test_json_round_trip_is_exact(ends: list[float]) -> None:
    task = TaskSpec("t", ("x",), ("y",), ((min(ends), max(ends)),), input_shift=(ends[0],), output_labels=("Y (m)",))
    assert TaskSpec.from_json(json.loads(json.dumps(task.to_json()))) == task


def test_units_are_said_or_stand_in_labels() -> None:
    assert CARD.units == {"mass_kg": "kg"} and CARD.with_unit("mass_kg") == "mass_kg [kg]"
    said = replace(CARD, input_units=("", "m/s"), output_units=("N",), notes=("2 rows left out",))
    assert said.units == {"mass_kg": "kg", "x2": "m/s", "y": "N"} and said.with_unit("x2") == "x2 [m/s]"
    assert replace(CARD, input_units=("t", "")).units == {"mass_kg": "t"}
    assert TaskSpec.from_json(json.loads(json.dumps(said.to_json()))) == said
    assert not {"input_units", "output_units", "notes"} & CARD.to_json().keys()
    with pytest.raises(TaskError, match="input_units of the wrong length"):
        replace(CARD, input_units=("m",))


@pytest.mark.parametrize(
    ("label", "name", "unit"),
    [
        ("drag [N]", "drag", "N"), ("T (K)", "T", "K"), ("v[m/s]", "v", "m/s"), ("x (mean)", "x (mean)", ""),
        ("rate (1/s)", "rate", "1/s"), ("flux [W m^-2]", "flux", "W m^-2"), ("E (kg·m²/s²)", "E", "kg·m²/s²"),
        ("p (hPa)", "p", "hPa"), ("t (°C)", "t", "°C"), ("share (%)", "share", "%"), ("x[0]", "x[0]", ""),
        ("(K)", "(K)", ""), ("f(x)", "f(x)", ""), ("c (mg/(L s))", "c (mg/(L s))", ""), ("λ [µm]", "λ", "µm"),
    ],
)  # fmt: skip
def test_units_in_labels(label: str, name: str, unit: str) -> None:
    assert split_unit(label) == (name, unit)


@pytest.mark.parametrize(
    "task", [CARD, *(kind.make().spec for kind in TASKS.entries() if not kind.reads)], ids=lambda task: task.name
)
def test_every_card_survives_json(task: TaskSpec) -> None:
    assert TaskSpec.from_json(json.loads(json.dumps(task.to_json()))) == task


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"inputs": ()}, "needs inputs and outputs"),
        ({"inputs": ("mass (kg)", "x2")}, r"cannot stand in a formula.*'mass \(kg\)'"),
        ({"inputs": ("pi", "x2")}, "cannot stand in a formula.*'pi'; hint: call it pi_"),
        ({"inputs": ("lambda", "x2")}, "cannot stand in a formula.*'lambda'; hint: call it lambda_"),
        ({"inputs": ("x²", "x3")}, "cannot stand in a formula.*'x²'; hint: call it x2"),
        ({"inputs": ("y", "x2")}, "given twice.*'y'"),
        ({"ranges": ((0.0, 1.0),)}, "ranges of the wrong length.*expected 2, as many as inputs, got 1"),
        ({"ranges": ((0.0, 1.0), (1.0, 1.0))}, r"impossible range.*input 'x2'.*got \[1.0, 1.0\]"),
        ({"ranges": ((0.0, 1.0), (1.0, float("inf")))}, "impossible range"),
        ({"output_scale": (0.0,)}, "impossible output_scale.*got 0.0"),
        ({"input_shift": (float("nan"), 0.0)}, "impossible input_shift"),
        (
            {"output_shift": (0.0, 0.0)},
            "output_shift of the wrong length: task 'weights': expected 1, as many as outputs, got 2",
        ),
        ({"input_labels": ("one",)}, "input_labels of the wrong length"),
        ({"loss": "cross-entropy"}, "logits have no units"),
        ({"outputs": ("z",)}, "the decomposition is of another task"),
    ],
)
def test_cards_that_contradict_themselves(change: dict, said: str) -> None:
    fields = {name: getattr(CARD, name) for name in CARD.__dataclass_fields__}
    with pytest.raises(TaskError, match=said):
        TaskSpec(**(fields | change))


@pytest.mark.parametrize(
    "change",
    [
        {"name": 3},
        {"loss": "hinge"},
        {"inputs": "ab"},
        {"ranges": [[0, 1], [0]]},
        {"ranges": [[0, 1], [0, "1"]]},
        {"ranges": [[0, 1], [0, True]]},
        {"input_scale": 4},
        {"input_labels": [1, 2]},
        {"extra": 1},
        {"decomposition": {}},
        {"decomposition": 7},
    ],
)
def test_damaged_json_is_a_task_error(change: dict) -> None:
    with pytest.raises(TaskError, match="cannot be read"):
        TaskSpec.from_json(CARD.to_json() | change)


@pytest.mark.parametrize("field", sorted(CARD.to_json()))
def test_every_field_must_be_there(field: str) -> None:
    plain = CARD.to_json()
    del plain[field]
    with pytest.raises(TaskError, match=f"KeyError: '{field}'"):
        TaskSpec.from_json(plain)


def test_points_of_another_width_are_refused() -> None:
    with pytest.raises(
        TaskError, match=r"wrong shape: task 'weights': expected \[rows, 2\] for mass_kg, x2, got \[3, 1\]"
    ):
        CARD.to_network_inputs(np.zeros((3, 1)))
