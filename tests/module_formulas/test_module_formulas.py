"""Modules of planted, compiled and recurrent networks, written down."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
import sympy

from bimt_analyze._network_rows import checkpoint_of
from bimt_analyze.formulas import find_formula
from bimt_analyze.module_formulas._module_formulas import module_formulas
from bimt_analyze.synthetic import absolute_sums, boolean_hierarchy
from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec
from bimt_train.models import MLP, RNN

INPUTS = ("x1", "x2", "x3", "x4")
SYMBOLS = sympy.symbols("x1 x2 x3 x4", real=True)
X1, X2, X3, X4 = SYMBOLS
BRIEF = 4.0  # units of work: a search gets an eighth
LOW, HIGH = -1.0, 1.0


def rows(count: int = 300, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(LOW, HIGH, (count, 4))


def checkpoint(network: Network, outputs: tuple[str, ...] = ("y1",), **changes) -> Checkpoint:
    x = rows()
    task = replace(TaskSpec("planted", INPUTS, outputs, ((LOW, HIGH),) * 4), **changes)
    y = network.predict(x)
    return Checkpoint(network, task, Probe(x[::2], y[::2], x[1::2], y[1::2]), {"seed": 0})


@cache
def searched():
    x = rows(40)
    return find_formula(x, x[:, 0], names=INPUTS, output="y1", time_limit=0.0)


def formula(expression: sympy.Expr):
    """A formula as the search returns it, its expression replaced."""
    return replace(searched(), expression=expression)


def distance() -> tuple[Network, list]:
    """|x1 - x2| in h1.0 and h1.1, |x3 + 2 x4| in h1.2 and h1.3; their sum's distance from 1 in h2."""
    first = np.array([[1.0, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, 2], [0, 0, -1, -2]])
    second = np.array([[3.0, 3, 5, 5], [-3, -3, -5, -5]])  # 3 |x1 - x2| + 5 |x3 + 2 x4|, less 4
    tensors = {
        "layers.0.weight": first, "layers.0.bias": np.zeros(4), "layers.1.weight": second,
        "layers.1.bias": np.array([-4.0, 4.0]), "layers.2.weight": np.ones((1, 2)), "layers.2.bias": np.zeros(1),
    }  # fmt: skip
    network = Network.of(MLP([4, 4, 2, 1], "relu")).with_tensors(tensors)
    modules = [
        frozenset({("x", 0), ("x", 1), ("h1", 0), ("h1", 1)}),
        frozenset({("x", 2), ("x", 3), ("h1", 2), ("h1", 3)}),
        frozenset({("h2", 0), ("h2", 1), ("y", 0)}),
    ]
    return network, modules


LAW = sympy.Abs(3 * sympy.Abs(X1 - X2) + 5 * sympy.Abs(X3 + 2 * X4) - 4)


def test_each_module_sends_its_part_of_the_law_and_the_parts_give_the_law() -> None:
    network, modules = distance()
    found = module_formulas(checkpoint(network), network, modules, {"y1": formula(LAW)})
    by_name = {one.name: one for one in found.quantities}
    assert [(by_name[name].module, by_name[name].readers) for name in ("s1", "s2", "y1")] == [
        (0, (2,)),
        (1, (2,)),
        (2, ()),
    ]
    assert by_name["s1"].expression == sympy.Abs(X1 - X2) and by_name["s2"].expression == sympy.Abs(X3 + 2 * X4)
    assert by_name["y1"].arguments == ("s1", "s2") and by_name["y1"].in_inputs == LAW
    assert all(one.network.word == "follows" and one.affine and one.origin == "law" for one in found.quantities)
    assert found.compositions["y1"].equal and found.compositions["y1"].r2 == pytest.approx(1, abs=1e-12)
    assert found.lines()[-1] == "put together, the modules' formulas give the formula of 1 of 1 outputs"


def test_a_law_of_other_parts_is_not_put_into_the_modules() -> None:
    network, modules = distance()
    wrong = sympy.Abs(X1 + X2) + sympy.sin(X3 * X4)
    found = module_formulas(checkpoint(network), network, modules, {"y1": formula(wrong)}, time_limit=BRIEF)
    sent = {one.name: one for one in found.sent}
    assert {one.origin for one in sent.values()} == {"fit"}
    assert all(one.network.r2 > 0.9 for one in sent.values())  # searched on the network itself
    assert set(sent["s1"].arguments) <= {"x1", "x2"} and set(sent["s2"].arguments) <= {"x3", "x4"}
    assert found.compositions["y1"].equal is False


def test_without_formulas_of_outputs_modules_are_searched() -> None:
    network, modules = distance()
    found = module_formulas(checkpoint(network), network, modules, {}, time_limit=BRIEF)
    assert {one.origin for one in found.quantities} == {"fit"}
    assert found.compositions["y1"].equal is None and found.compositions["y1"].r2 > 0.5


def test_formulas_are_in_the_tasks_units() -> None:
    network, modules = distance()
    scaled = network.with_tensors({**network.tensors, "layers.0.weight": 4 * network.tensors["layers.0.weight"]})
    card = checkpoint(network)
    task = replace(card.task, input_scale=(4.0,) * 4, output_scale=(2.0,))
    found = module_formulas(replace(card, task=task), scaled, modules, {"y1": formula(2 * LAW)})
    assert found.quantities[-1].network.word == "follows" and found.compositions["y1"].equal


def test_planted_sums_follow_to_rounding() -> None:
    planted = absolute_sums(outputs=1, terms=2, variables=1, seed=3)
    card = checkpoint_of(planted.network, planted.x)
    found = module_formulas(card, planted.network, planted.partition.modules, {})
    assert {str(one.expression) for one in found.sent} == {"Abs(x1)", "Abs(x2)"}  # no unit, no offset
    assert {one.network.word for one in found.quantities} == {"follows"}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_boolean_modules_are_read_off_every_combination(seed: int) -> None:
    planted = boolean_hierarchy(outputs=2, depth=2, arguments=2, seed=seed)
    card = checkpoint_of(planted.network, planted.x)
    found = module_formulas(card, planted.network, planted.partition.modules, {})
    names = card.task.inputs
    table = np.array(list(product((0.0, 1.0), repeat=len(names))))
    answers = planted.network.predict(table)
    assert len(found.sent) == len(planted.partition.modules) - 2
    for place, output in enumerate(card.task.outputs):
        written = next(one for one in found.quantities if one.name == output)
        said = [bool(written.in_inputs.subs(dict(zip(map(_real, names), row, strict=True)))) for row in table > 0.5]
        assert said == (answers[:, place] > 0.5).tolist()
        assert found.compositions[output].equal and found.compositions[output].expression == written.in_inputs
        assert all(name.startswith("s") for name in written.arguments)
    assert "combinations of the inputs" in found.lines()[0]
    assert sum(len(one.expression.atoms(sympy.Not)) for one in found.sent) <= len(found.sent)  # in the plainer sense


def _real(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)


def test_a_boolean_formula_that_misses_one_row_is_not_equal() -> None:
    planted = boolean_hierarchy(outputs=1, depth=1, arguments=2, seed=1)
    card = checkpoint_of(planted.network, planted.x)
    found = module_formulas(card, planted.network, planted.partition.modules, {})
    [written] = found.quantities
    assert found.compositions[written.name].equal
    seen = written.network
    assert (seen.points, seen.r2, seen.word) == (4, 1.0, "follows")


def test_a_recurrent_network_has_the_formulas_of_its_outputs_alone() -> None:
    network = Network.of(RNN(2, 2, 3, 1))
    x = rows()
    task = TaskSpec("steps", INPUTS, ("y1",), ((LOW, HIGH),) * 4)
    card = Checkpoint(network, task, Probe(x, network.predict(x), x, network.predict(x)), {"seed": 0})
    nodes = [(group.name, i) for group in network.layout.groups for i in range(group.size)]
    found = module_formulas(card, network, [frozenset(nodes)], {"y1": formula(X1 + X2)})
    assert [one.name for one in found.quantities] == ["y1"] and not found.undecided
    parted = [frozenset(nodes[:3]), frozenset(nodes[3:])]
    assert "not read once a row" in module_formulas(card, network, parted, {"y1": formula(X1 + X2)}).undecided


def test_classes_are_not_written_down() -> None:
    _, modules = distance()
    two = Network.of(MLP([4, 4, 2], "relu"))
    x = rows()
    y = np.eye(2)[two.predict(x).argmax(axis=1)]
    task = TaskSpec("classes", INPUTS, ("a", "b"), ((LOW, HIGH),) * 4, loss="cross-entropy")
    card = Checkpoint(two, task, Probe(x, y, x, y), {"seed": 0})
    assert module_formulas(card, two, modules, {}).undecided.startswith("outputs are classes")


def test_a_part_of_the_law_is_told_through_modules_that_carry_none() -> None:
    network, _ = distance()
    inputs = frozenset({("x", 0), ("x", 1), ("x", 2), ("x", 3), ("h1", 0), ("h1", 2)})
    modules = [inputs, frozenset({("h1", 1), ("h1", 3)}), frozenset({("h2", 0), ("h2", 1)}), frozenset({("y", 0)})]
    found = module_formulas(checkpoint(network), network, modules, {"y1": formula(LAW)}, time_limit=BRIEF)
    by_module = {one.module: one for one in found.quantities}
    assert by_module[0].origin == by_module[1].origin == "fit"  # half of each distance
    assert by_module[2].origin == "through" and by_module[2].arguments == INPUTS
    assert by_module[2].network.word == "follows" and str(by_module[3].expression) == by_module[2].name
    assert found.compositions["y1"].equal
    alone = [inputs | modules[1] | modules[2], modules[3]]
    wrong = {"y1": formula(sympy.Abs(X1))}  # no part of it is carried: the output is searched in what its module reads
    other = module_formulas(checkpoint(network), network, alone, wrong, time_limit=BRIEF)
    assert other.quantities[-1].origin == "fit" and not other.compositions["y1"].equal
