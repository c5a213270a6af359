"""Known parts: dependencies and groupings against networkx, values against hand-written formulas."""

import itertools
import json

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_train import TaskError
from bimt_train.expressions import Decomposition
from bimt_train.tasks import composition, feature_sharing, independence


def _graph(parts: Decomposition) -> networkx.DiGraph:
    graph = networkx.DiGraph()
    graph.add_nodes_from((*parts.inputs, *parts.names))
    graph.add_edges_from(
        (n, name) for name, text in parts.definitions for n in parts.expression(name, expanded=False).names
    )
    graph.add_edges_from((n, name) for name, needed in parts.stated for n in needed)
    return graph


@st.composite
def _definitions(draw: st.DrawFn) -> dict:
    """What KnownParts takes. Not KnownParts itself: the type checks draw random numbers, which a strategy must not."""
    inputs = tuple(f"x{i}" for i in range(1, draw(st.integers(1, 5)) + 1))
    made: list[tuple[str, str]] = []
    for at in range(draw(st.integers(1, 6))):
        known = [*inputs, *(name for name, _ in made)]
        made.append((f"p{at}", " + ".join(draw(st.lists(st.sampled_from(known), max_size=3, unique=True))) or "1"))
    outputs = tuple(draw(st.lists(st.sampled_from([n for n, _ in made]), min_size=1, unique=True)))
    return {"inputs": inputs, "outputs": outputs, "definitions": tuple(draw(st.permutations(made)))}


@settings(max_examples=40, deadline=None)
@given(_definitions())
def test_dependencies_and_modules_are_those_of_the_graph(given_parts: dict) -> None:
    parts = Decomposition(**given_parts)
    graph = _graph(parts)
    for name, found in parts.dependencies().items():
        assert found == networkx.ancestors(graph, name) & set(parts.inputs)
    groups = [
        (frozenset(group) & set(parts.inputs), frozenset(group) & set(parts.outputs))
        for group in networkx.connected_components(graph.to_undirected())
    ]
    assert set(parts.modules()) == {group for group in groups if any(group)}
    assert sorted(n for ins, outs in parts.modules() for n in (*ins, *outs)) == sorted(parts.inputs + parts.outputs)


@settings(max_examples=40, deadline=None)
@given(_definitions())
def test_each_level_of_the_hierarchy_groups_everything_and_refines_the_next(given_parts: dict) -> None:
    parts = Decomposition(**given_parts)
    graph = _graph(parts)
    levels = parts.hierarchy()
    height: dict[str, int] = {}
    for name in networkx.topological_sort(graph):
        height[name] = 0 if name in parts.inputs else 1 + max((height[n] for n in graph.predecessors(name)), default=0)
    assert len(levels) == max(height.values())
    for k, level in enumerate(levels, start=1):
        edges = [(a, b) for a, b in graph.edges if height[b] <= k]
        small = networkx.Graph(edges)
        small.add_nodes_from(graph)
        assert set(level) == {frozenset(group) for group in networkx.connected_components(small)}
    for fine, coarse in itertools.pairwise(levels):
        assert all(any(group <= wider for wider in coarse) for group in fine)


@settings(max_examples=30, deadline=None)
@given(_definitions(), st.integers(0, 99))
def test_expanded_expressions_and_evaluation_agree_and_json_round_trips(given_parts: dict, seed: int) -> None:
    parts = Decomposition(**given_parts)
    x = np.random.default_rng(seed).uniform(-1, 1, (7, len(parts.inputs)))
    columns = dict(zip(parts.inputs, x.T, strict=True))
    values = parts.evaluate(x)
    assert tuple(values) == parts.names
    for name, found in values.items():
        expanded = parts.expression(name)
        assert set(expanded.names) <= set(parts.inputs)
        np.testing.assert_allclose(expanded.evaluate(columns), found, rtol=1e-12, atol=1e-12)
    assert Decomposition.from_json(json.loads(json.dumps(parts.to_json()))) == parts


def test_the_parts_of_the_paper_tasks() -> None:
    parts = composition().spec.decomposition
    assert parts is not None
    assert parts.dependencies() == {"a": {"x1", "x2"}, "b": {"x3", "x4"}, "y": {"x1", "x2", "x3", "x4"}}
    assert parts.modules() == ((frozenset({"x1", "x2", "x3", "x4"}), frozenset({"y"})),)
    assert parts.hierarchy() == (
        (frozenset({"x1", "x2", "a"}), frozenset({"x3", "x4", "b"}), frozenset({"y"})),
        (frozenset({"x1", "x2", "x3", "x4", "a", "b", "y"}),),
    )
    assert str(parts.expression("y")) == "sqrt((x1 - x2)**2 + (x3 - x4)**2)"
    assert str(parts.expression("y", expanded=False)) == "sqrt(a + b)"
    apart = independence().spec.decomposition
    assert apart is not None
    assert apart.modules() == (
        (frozenset({"x1", "x3"}), frozenset({"y1"})),
        (frozenset({"x2", "x4"}), frozenset({"y2"})),
    )
    shared = feature_sharing().spec.decomposition
    assert shared is not None
    assert [str(shared.expression(y)) for y in shared.outputs] == ["x1**2", "x1**2 + x2**2", "x1**2 + x2**2 + x3**2"]
    assert shared.dependencies()["y2"] == {"x1", "x2"}
    assert len(shared.modules()) == 1 and len(shared.hierarchy()[0]) == 6


def test_an_unused_input_is_a_group_of_its_own() -> None:
    parts = Decomposition(("x1", "x2"), ("y",), (("y", "x1**2"),))
    assert parts.modules() == ((frozenset({"x1"}), frozenset({"y"})), (frozenset({"x2"}), frozenset()))


def test_parts_known_by_their_dependencies_only() -> None:
    parts = Decomposition.from_grouping("y10: a x3 ; a: x1, x2; y2: x10 x4;")
    assert parts.inputs == ("x1", "x2", "x3", "x4", "x10")
    assert parts.outputs == ("y10", "y2")
    assert not parts.has_expressions and independence().spec.decomposition.has_expressions
    assert parts.dependencies() == {"y10": {"x1", "x2", "x3"}, "a": {"x1", "x2"}, "y2": {"x4", "x10"}}
    assert len(parts.hierarchy()) == 2
    assert Decomposition.from_json(json.loads(json.dumps(parts.to_json()))) == parts
    with pytest.raises(TaskError, match="only the dependencies"):
        parts.expression("a")
    with pytest.raises(TaskError, match="only the dependencies"):
        parts.evaluate(np.zeros((2, 5)))
    wide = Decomposition.from_grouping("y1: x1", inputs=["x1", "x2"], outputs=["y1"])
    assert wide.inputs == ("x1", "x2") and wide.dependencies() == {"y1": {"x1"}}


@pytest.mark.parametrize(
    ("text", "inputs", "said"),
    [
        ("y1 x1 x3", None, "cannot read the decomposition: 'y1 x1 x3': expected 'y1: x1 x3; y2: x2 x4'"),
        ("y1: x1: x2", None, "cannot read the decomposition"),
        (": x1", None, "cannot read the decomposition"),
        (" ; ", None, "an empty decomposition"),
        ("y1: x1; y1: x2", None, "given twice: 'y1'"),
        ("y1: mass", ["mas", "x2"], "unknown name: 'mass', in the definition of 'y1'.*did you mean mas?"),
        ("y1: a; a: y1", None, "in a circle: 'y1', 'a'"),
        ("y1: x+1", None, "not a name.*'x\\+1'"),
    ],
)
def test_groupings_that_cannot_be(text: str, inputs: list[str] | None, said: str) -> None:
    with pytest.raises(TaskError, match=said):
        Decomposition.from_grouping(text, inputs=inputs, outputs=["y1"])


@pytest.mark.parametrize(
    ("inputs", "outputs", "definitions", "said"),
    [
        (("x",), ("y",), (("y", "x + z"),), "unknown name: 'z', in the definition of 'y': expected x, y"),
        (("x",), ("y",), (("y", "y + x"),), "in a circle: 'y'"),
        (("x",), ("y",), (("y", "b"), ("b", "c + x"), ("c", "y")), "in a circle: 'y', 'b', 'c'"),
        (("x", "x"), ("y",), (("y", "x"),), "given twice: 'x'"),
        (("x",), ("y", "y"), (("y", "x"),), "given twice: 'y'"),
        (("x",), ("y",), (("y", "x"), ("x", "1")), "given twice: 'x'"),
        (("x",), ("z",), (("y", "x"),), "output without a definition: 'z'"),
        (("x y",), ("z",), (("z", "1"),), "not a name.*'x y'"),
        (("pi",), ("z",), (("z", "1"),), "not a name.*'pi'"),
        (("x",), ("y",), (("y", "x.real"),), "subfunction 'y': an attribute"),
    ],
)
def test_definitions_that_cannot_be(inputs: tuple, outputs: tuple, definitions: tuple, said: str) -> None:
    with pytest.raises(TaskError, match=said) as caught:
        Decomposition(inputs, outputs, definitions)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        {"inputs": "x1"},
        {"inputs": [1]},
        {"definitions": [["y"]]},
        {"definitions": 3},
        {"stated": [["y", "x"]]},
        {"outputs": None},
    ],
)
def test_damaged_json_is_refused(damage: dict) -> None:
    good = Decomposition(("x1",), ("y",), (("y", "x1"),)).to_json()
    with pytest.raises(TaskError, match="a decomposition that cannot be read"):
        Decomposition.from_json(good | damage)
    with pytest.raises(TaskError, match=r"cannot be read.*KeyError"):
        Decomposition.from_json({"inputs": []})


def test_questions_with_no_answer() -> None:
    parts = Decomposition(("x1",), ("y",), (("y", "x1"),))
    with pytest.raises(TaskError, match="no such subfunction: 'z': expected y"):
        parts.expression("z")
    with pytest.raises(TaskError, match=r"wrong shape: expected \[rows, 1\], got \[3, 2\]"):
        parts.evaluate(np.zeros((3, 2)))


def test_an_expansion_that_doubles_at_every_step_is_refused_not_awaited() -> None:
    doubling = tuple((f"p{i + 1}", f"p{i}*p{i} + p{i}") for i in range(60))
    parts = Decomposition(("p0",), ("p60",), doubling)
    with pytest.raises(ValueError, match=r"too long|too deeply|at most"):
        parts.expression("p60")
