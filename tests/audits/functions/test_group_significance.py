"""Groups of inputs and outputs against tables in random order."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from bimt_analyze import analyze, audit
from bimt_analyze.audits import Significance
from bimt_analyze.audits._verdict import shown
from bimt_analyze.audits.chance._significance import corrected_p
from bimt_analyze.audits.functions import _group_significance
from bimt_analyze.audits.functions._group_significance import GroupSignificance, group_significance
from bimt_analyze.audits.functions._input_and_output_groups import InputAndOutputGroups
from bimt_train.checkpoints import Network, from_state_dict

ROWS = np.array(list(product([0.0, 1.0], repeat=4)))


def network_of(table, rows=ROWS):
    """One hidden neuron a row of the table, which fires on this row alone."""
    signs = 2 * rows - 1
    hidden, last = nn.Linear(rows.shape[1], len(rows)), nn.Linear(len(rows), table.shape[1])
    with torch.no_grad():
        hidden.weight.copy_(torch.tensor(signs))
        hidden.bias.copy_(torch.tensor(1.0 - rows.sum(axis=1)))
        last.weight.copy_(torch.tensor(table.T))
        last.bias.zero_()
    return nn.Sequential(hidden, nn.ReLU(), last)


def checkpoint_of(table, rows=ROWS):
    return from_state_dict(network_of(table, rows).state_dict(), activation="relu", x=rows, y=table, loss="mse")


def measured(table, inputs, outputs, rows=ROWS, **options) -> _group_significance.GroupSignificance:
    network: Network = checkpoint_of(table, rows).network
    groups = InputAndOutputGroups(inputs, outputs, shared=(), level="", reason="")
    return group_significance(network, groups, rows, targets=table, **options)


def halves():
    """x1 xor x2 and x3 and x4, each twice."""
    a, b, c, d = ROWS.T
    return np.stack([(a != b).astype(float), c * d, (a != b).astype(float), c * d], axis=1)


def test_two_halves_are_more_than_chance_at_both_ends():
    found = measured(halves(), ((0, 1), (2, 3)), ((0, 2), (1, 3)), samples=99)
    assert (found.inputs.p, found.outputs.p) == (0.01, 0.01)
    # each function needs one bit of its own pair, and none of the other's, where four bits could be had
    assert (found.inputs.observed, found.outputs.observed) == (2 * 4 - 2, 2)
    assert max(found.inputs.null) < 6


def test_the_saving_of_a_group_is_that_of_its_columns_counted_one_by_one():
    rng = np.random.default_rng(0)
    sizes = (2, 3, 2, 2)
    tables = rng.integers(0, 2, (5, 2, int(np.prod(sizes))))
    keys = rng.integers(1, 2**40, tables.shape[-1])
    for group in ((0,), (1, 3), (0, 2, 3)):
        shaped = tables.reshape(5, 2, *sizes)
        found = _group_significance._saving(shaped, group, keys)
        for table, saved in zip(shaped, found, strict=True):
            expected = 0.0
            for function in table:
                columns = {
                    function[tuple(at)].tobytes()
                    for value in product(*(range(sizes[j]) for j in group))
                    for at in [[value[group.index(j)] if j in group else slice(None) for j in range(4)]]
                }
                expected += np.log2(np.prod([sizes[j] for j in group])) - np.log2(len(columns))
            assert saved == pytest.approx(expected)


def test_every_grouping_is_looked_at_once():
    found = list(_group_significance._groupings(range(5), [2, 2]))
    assert len(found) == len(set(found)) == 15  # 5! / (2! 2! 1!) / 2!
    assert all(not set(one) & set(two) for one, two in found)
    assert len(found) <= _group_significance._count(5, [2, 2])


@pytest.mark.parametrize("outputs", [((0, 1, 2, 3),), ((0,), (1,), (2,), (3,))])
def test_one_function_and_functions_that_all_differ_have_nothing_to_test(outputs):
    table = np.random.default_rng(2).integers(0, 2, (16, 4)).astype(float)
    assert measured(table, ((0, 1, 2, 3),), outputs).tests == ()


def test_p_is_seldom_small_for_random_tables():
    """Groups said of tables that have none, 60 tables: p keeps its level."""
    rng = np.random.default_rng(3)
    tables = rng.integers(0, 2, (60, 16, 2)).astype(float)
    found = [measured(table, ((0, 1), (2, 3)), ((0,), (1,)), samples=39).inputs.p for table in tables]
    assert np.mean(np.array(found) <= 0.05) <= 0.1 and np.median(found) > 0.3


def test_a_table_too_large_to_write_down_is_not_tested():
    x = np.random.default_rng(0).uniform(size=(50, 4))
    network = checkpoint_of(halves()).network
    groups = InputAndOutputGroups(((0, 1), (2, 3)), ((0, 2), (1, 3)), shared=(), level="", reason="")
    assert group_significance(network, groups, x).tests == ()


@pytest.mark.parametrize(("inputs", "values"), [(1, 60), (2, 3), (3, 12)])
def test_quantities_are_not_tested_since_smooth_functions_are_alike(inputs: int, values: int):
    """An untrained network of one quantity and a narrow layer has nearly equal outputs, and no modules."""
    rows = np.array(list(product(np.linspace(-1, 1, values), repeat=inputs)))
    torch.manual_seed(3)
    module = nn.Sequential(nn.Linear(inputs, 2), nn.Tanh(), nn.Linear(2, 6))
    found = audit(module, x=rows, samples=20, retrain_steps=0, refit_steps=0, controls=0)
    assert "group_significance" not in found and not found.verdict.modular


@pytest.mark.parametrize("seed", range(4))
def test_outputs_that_are_quantities_are_not_tested_since_sums_save_bits(seed: int):
    """An untrained network with few connections adds up its inputs, in whatever groups."""
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    with torch.no_grad():
        for weight in (module[0].weight, module[2].weight):
            weight *= torch.rand_like(weight) < 0.5
    found = audit(module, x=ROWS, samples=20, retrain_steps=0, refit_steps=0, controls=0)
    assert found["group_significance"].tests == () if "group_significance" in found else True


@pytest.mark.parametrize(("noise", "tested"), [(0.0, True), (0.05, True), (0.2, False)])
def test_outputs_near_two_values_are_decisions(noise: float, tested: bool):
    shaken = halves() + noise * np.random.default_rng(0).uniform(-1, 1, (16, 4))
    network = checkpoint_of(shaken).network
    groups = InputAndOutputGroups(((0, 1), (2, 3)), ((0, 2), (1, 3)), shared=(), level="", reason="")
    assert bool(group_significance(network, groups, ROWS, samples=19).tests) == tested


def test_functions_of_one_input_are_alike_by_chance_too():
    """Of six outputs that read one of four inputs each, at least two repeat another."""
    a, b, c, d = ROWS.T
    table = np.stack([a, 1 - a, b, 3 - b, c, d], axis=1)
    found = measured(table, ((0,), (1,), (2,), (3,)), ((0, 1), (2, 3), (4,), (5,)), samples=99)
    assert found.outputs.observed == 2 and min(found.outputs.null) == 2 and found.outputs.p == 1


def test_the_verdict_and_the_report_tell_it():
    table = halves()
    brief = {"time_limit": 0, "refit_steps": 0, "retrain_steps": 0, "controls": 0}
    report = analyze(checkpoint_of(table), samples=39, audit=True, **brief)
    told = report.to_json()["significance"]
    tests = [told[name] for name in ("wiring_p", "input_groups_p", "output_groups_p") if told[name] is not None]
    assert told["p"] == pytest.approx(min(1.0, len(tests) * min(tests))) == report.p
    assert told["output_groups_p"] == 1 / 201 and "output_groups_p" in report.to_html()
    sentences = [said["text"] for said in report.audit.to_json()["verdict"]]
    assert any(said.startswith("0 of 200 tables of these values in random order ") for said in sentences)


def test_a_network_whose_weights_show_nothing_may_be_modular_in_its_table():
    a, b, c, d = ROWS.T
    unlike = [(a * b != c * d), ((a != d) & (b == 1))]
    table = np.stack([unlike[k % 2] for k in range(6)], axis=1).astype(float)
    found = audit(checkpoint_of(table), samples=99, retrain_steps=0, refit_steps=0, controls=0)
    wiring, groups = found["nulls"]["specialisation", "degree_preserving"], found["group_significance"]
    assert corrected_p([wiring, *groups.tests]) < 0.05 and found.verdict.modular
    assert "groups of outputs this good are rare" in found.summary()[0] or wiring.p < 0.02


def of_p(p: float) -> Significance:
    null = np.concatenate([np.ones(round(p * 200) - 1), np.zeros(200 - round(p * 200))])
    return Significance.of(1.0, null, statistic="", null_model="", weights="", seed=0)


@pytest.mark.parametrize(
    ("wiring", "inputs", "outputs", "expected"),
    [
        (0.03, None, None, (True, ())),
        (0.03, 0.9, None, (False, ())),  # 0.06 after the correction
        (0.005, 0.005, None, (True, ("inputs",))),  # of two that are equally small both count
        (0.9, 0.005, 0.01, (False, ("inputs", "outputs"))),
        (0.9, 0.5, 0.02, (False, ())),
    ],
)
def test_each_p_stands_the_correction_for_all_of_them(wiring, inputs, outputs, expected):
    groups = GroupSignificance(*(None if p is None else of_p(p) for p in (inputs, outputs)))
    assert shown(of_p(wiring), groups) == expected


def test_a_network_of_many_values_is_not_asked():
    x = np.random.default_rng(0).uniform(size=(60, 4))
    many = from_state_dict(network_of(halves()).state_dict(), activation="relu", x=x)
    found = audit(many, samples=20, retrain_steps=0, refit_steps=0, controls=0)
    assert "group_significance" not in found and "group_significance" not in found.undecided
