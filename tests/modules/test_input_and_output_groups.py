"""Groups of inputs and outputs on networks whose functions are written by hand."""

from itertools import product

import numpy as np
import pytest

from bimt_analyze.audits.functions._decided_values import decided_values
from bimt_analyze.audits.functions._input_and_output_groups import input_and_output_groups
from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules import hierarchy
from bimt_analyze.synthetic import block_network
from bimt_train import InputError
from bimt_train.checkpoints import from_state_dict


def found(*layers, targets=None, x=None):
    """The groups of a ReLU chain of (weight rows, biases), on all rows of 0 and 1; numbers from 1."""
    inputs = len(layers[0][0][0])
    x = np.array(list(product([0.0, 1.0], repeat=inputs))) if x is None else x
    state = {
        f"{n}.{kind}": np.array(a, dtype=float)
        for n, one in enumerate(layers)
        for kind, a in zip(("weight", "bias"), one, strict=True)
    }
    network = from_state_dict(state, activation="relu", ranges=(0, 1)).network
    levels = hierarchy(neuron_graph(network, weights="attribution", x=x), runs=2, resolutions=(1.0,))
    groups = input_and_output_groups(
        network, levels, x, targets=None if targets is None else targets(network.predict(x))
    )
    return tuple(
        [[k + 1 for k in group] for group in side] for side in (groups.inputs, groups.outputs, [groups.shared])
    )


def exactly_one(a, b, of, sign=1.0):
    """Two neurons that are 1 where input a is on and b off, and the other way round."""
    first, second = np.zeros(of), np.zeros(of)
    first[a], first[b], second[a], second[b] = 1, -1, -1, 1
    return [sign * first, sign * second]


def both(*inputs, of):
    """A neuron that is 1 where all of these inputs are."""
    row = np.zeros(of)
    row[list(inputs)] = 1
    return row, 1 - len(inputs)


def layer(*neurons):
    return [row for row, _ in neurons], [bias for _, bias in neurons]


def test_separate_functions_with_complementary_outputs():
    first = exactly_one(0, 1, 4) + exactly_one(2, 3, 4)
    inputs, outputs, shared = found(
        (first, [0] * 4), ([[1, 1, 0, 0], [-1, -1, 0, 0], [0, 0, 1, 1], [0, 0, -3, -3]], [0, 1, 0, 2])
    )
    assert (inputs, outputs, shared) == ([[1, 2], [3, 4]], [[1, 2], [3, 4]], [[]])


def test_one_function_with_many_outputs():
    first = layer(both(0, 1, 2, of=4), both(1, 3, of=4))
    inputs, outputs, _ = found(first, ([[1, 1], [2, 2], [-1, -1]], [0, 1, 0]))
    assert (inputs, outputs) == ([[1, 2, 3, 4]], [[1, 2, 3]])


def test_two_functions_reuse_what_reads_all_inputs():
    first = layer(both(0, 1, 2, 3, of=4), both(0, 1, of=4), both(2, 3, of=4))
    inputs, outputs, shared = found(first, ([[5, 1, 1], [-5, 1, 1], [5, 1, 1]], [0, 0, 0]))
    assert (inputs, outputs, shared) == ([[1, 2, 3, 4]], [[1, 3], [2]], [[]])


def test_an_input_that_two_functions_share_is_in_no_group():
    first = layer(both(0, 1, 2, of=5), both(2, 3, 4, of=5))
    inputs, outputs, shared = found(first, ([[1, 0], [0, 1]], [0, 0]))
    assert (inputs, outputs, shared) == ([[1, 2], [4, 5]], [[1], [2]], [[3]])


def test_functions_of_functions_group_their_inputs_below_the_cut():
    first = exactly_one(0, 1, 4) + exactly_one(2, 3, 4)
    second = ([[1, 1, 0, 0], [0, 0, 1, 1]], [0, 0])
    inputs, outputs, _ = found(
        (first, [0] * 4), second, ([[1, 1], [1, -1]], [-1, 0]), ([[1, 0], [0, 1], [2, 0]], [0, 0, 0])
    )
    assert (inputs, outputs) == ([[1, 2], [3, 4]], [[1, 3], [2]])


def test_the_highest_cut_decides_not_the_pieces_of_a_function():
    first = layer(both(0, 1, of=6), both(2, 3, of=6), both(4, of=6), both(5, of=6))
    second = ([[1, 1, 0, 0], [0, 0, 1, 1]], [0, -1])
    inputs, outputs, _ = found(first, second, ([[1, 1], [1, -1]], [-1, 0]), ([[1, 0], [0, 1]], [0, 0]))
    assert (inputs, outputs) == ([[1, 2, 3, 4], [5, 6]], [[1], [2]])


def test_separate_parts_that_several_outputs_use():
    first = layer(both(0, 1, of=6), both(2, 3, of=6), both(4, 5, of=6))
    inputs, outputs, shared = found(first, ([[1, 1, 0], [0, 1, 1], [1, 0, 1]], [0, 0, 0]))
    assert (inputs, outputs, shared) == ([[1, 2], [3, 4], [5, 6]], [[1], [2], [3]], [[]])


def test_a_neuron_that_hands_on_one_input_is_no_sub_function():
    first = layer(both(0, 1, 2, of=4), both(0, 1, of=4), both(1, 2, of=4), both(3, of=4))
    second = ([[1, 1, 0, 1], [0, 1, -1, 1]], [-1, -1])
    inputs, outputs, _ = found(first, second, ([[1, 1], [1, 2]], [0, 0]))
    assert (inputs, outputs) == ([[1, 2, 3, 4]], [[1], [2]])


def test_equal_functions_are_one_whatever_the_wiring():
    first = layer(both(0, 1, of=2), both(0, 1, of=2), both(0, of=2))
    _, outputs, _ = found(first, ([[1, 0, 0], [0, 2, 0], [0, 0, 1]], [0, 3, 0]))
    assert outputs == [[1, 2], [3]]


def test_a_difference_on_one_row_of_32_makes_two_functions():
    first = layer(both(0, of=5), both(0, 1, 2, 3, 4, of=5))
    _, outputs, _ = found(first, ([[1, 0], [1, -1]], [0, 0]))
    assert outputs == [[1], [2]]


def test_how_sure_a_decision_is_does_not_count():
    first = layer(both(0, 1, of=3), both(0, of=3), both(2, of=3))
    # the second is surer where x3 is on, but it decides as the first does
    second = ([[10, 0, 0], [10, 0, 2]], [-5, -5])
    inputs, outputs, _ = found(first, second, targets=lambda y: (y > 0) * 1.0)
    assert (inputs, outputs) == ([[1, 2]], [[1, 2]])
    _, outputs, _ = found(first, second)
    assert outputs == [[1], [2]]


def test_an_input_that_cancels_is_not_used():
    first = layer(both(0, 1, of=4), both(0, 1, of=4), both(2, 3, of=4), both(1, 2, of=4))
    inputs, outputs, shared = found(first, ([[1, 0, 0, 1], [1, -1, 1, 1]], [0, 0]))
    assert (inputs, outputs, shared) == ([[1], [4]], [[1], [2]], [[2, 3]])


def test_many_weak_inputs_are_all_used():
    width = 150
    x = np.random.default_rng(0).uniform(0, 1, (400, width))
    inputs, _, _ = found(([np.ones(width)], [0]), ([[1.0]], [0]), x=x)
    assert inputs == [list(range(1, width + 1))]


def test_an_output_that_never_changes_is_in_no_group():
    first = layer(both(0, 1, of=2), both(0, of=2))
    _, outputs, _ = found(first, ([[1, 0], [0, 0]], [0, 4]))
    assert outputs == [[1]]


def test_the_cut_of_a_decision_gets_most_targets_right():
    outputs = np.array([[-2.0], [-1.0], [0.5], [3.0], [9.0]])
    targets = np.array([[0.0], [1.0], [0.0], [1.0], [1.0]])
    decide = decided_values(outputs, targets)
    assert decide(np.array([[1.7], [1.8]])).tolist() == [[0.0], [1.0]]
    same = np.array([[2.0], [2.0], [2.0], [2.0], [2.0]])
    assert decided_values(same, targets)(same).tolist() == same.tolist()
    three = np.array([[0.0], [1.0], [2.0], [1.0], [0.0]])
    assert decided_values(outputs, three)(outputs).tolist() == outputs.tolist()


def test_the_level_says_where_the_inputs_fall_apart():
    planted = block_network(blocks=[(2, 3, 3, 1)] * 2, seed=0)
    levels = hierarchy(neuron_graph(planted.network), runs=2, resolutions=(1.0,))
    groups = input_and_output_groups(planted.network, levels, planted.x)
    assert groups.level == "components"
    assert "from inputs to outputs" in groups.reason


def test_rows_of_another_width_are_refused():
    network = from_state_dict({"weight": np.ones((1, 2))}, activation="relu", ranges=(0, 1)).network
    levels = hierarchy(neuron_graph(network), runs=2, resolutions=(1.0,))
    with pytest.raises(InputError, match="rows of another kind"):
        input_and_output_groups(network, levels, np.zeros((3, 5)))
