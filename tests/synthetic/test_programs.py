"""Compiled programs, against the same programs in plain Python, variable by variable; what finds their variables."""

from collections import Counter
from itertools import product

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules import choose_level, connected_components, hierarchy
from bimt_analyze.synthetic import compiled_program
from bimt_analyze.transformers import subspace_graph, virtual_graph
from bimt_train import InputError, verify

PROGRAMS = ("histogram", "reverse", "sort_by_frequency")


def one_hot(values, size):
    return np.eye(size)[values]


def answer(program, row):
    counts = Counter(row)
    if program == "histogram":
        return [counts[token] for token in row]
    return row[::-1] if program == "reverse" else sorted(row, key=lambda token: -counts[token])  # sorting is stable


def values(program, row, vocabulary):
    """Every variable at every token, ``[length, values]``."""
    n, counts = len(row), Counter(row)
    number = [counts[token] for token in row]
    last = answer(program, row)
    found = {"token": one_hot(row, vocabulary), "position": np.eye(n), "opposite": np.eye(n)[::-1]}
    if program != "histogram":  # there it is the count
        found["answer"] = one_hot(last, vocabulary)

    def shares(selected):
        return np.array([[c / sum(line) for c in line] for line in selected])

    found["same"] = shares([[a == b for b in row] for a in row])
    found["at_least"] = shares([[b >= a for b in number] for a in number])
    found["equal"] = shares([[a == b for b in number] for a in number])
    rank = [1 + sum((-number[j], j) < (-number[i], i) for j in range(n)) for i in range(n)]
    found |= {"count": np.array(number)[:, None], "rank": np.array(rank)[:, None]}
    found |= {"frequency": one_hot(np.array(number) - 1, n), "target": one_hot(np.array(rank) - 1, n)}
    return found


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("vocabulary", "length"), [(2, 2), (3, 4), (4, 5), (2, 9)])
def test_every_sequence_is_answered_exactly(program, vocabulary, length):
    for seed, scale in enumerate((10.0, 1.0, 1000.0)):
        found = compiled_program(program=program, vocabulary=vocabulary, length=length, scale=scale, seed=seed)
        rows = list(product(range(vocabulary), repeat=length))
        assert found.x.tolist() == [list(map(float, row)) for row in rows]
        expected = np.array([answer(program, list(row)) for row in rows])
        assert np.array_equal(found.run(found.x), expected)
        outputs = expected[..., None] if program == "histogram" else one_hot(expected, vocabulary)
        assert np.abs(found.network.predict(found.x) - outputs).max() < 1e-12


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_variable_has_its_values_in_its_positions(program):
    planted = compiled_program(program=program, seed=3)
    module, ends = planted.network.module(), []
    module.write.register_forward_hook(lambda _module, read, _written: ends.append(read[0].numpy()))
    rows = planted.x[::7]
    module.requires_grad_(False)(module.embedding.weight.new_tensor(rows))
    expected = [values(program, row, 4) for row in rows.astype(int).tolist()]
    for variable in planted.variables:
        truth = np.stack([each[variable.name] for each in expected])
        written = ends[0][..., list(variable.positions)]
        factors = written.max((0, 1)) / truth.max((0, 1))
        assert (factors > 0).all()
        assert np.allclose(written, factors * truth, rtol=0, atol=1e-12 * factors.max())
        assert {planted.modules["resid", p] for p in variable.positions} == {planted.variables.index(variable)}
    assert sorted(p for variable in planted.variables for p in variable.positions) == list(range(ends[0].shape[-1]))


@pytest.mark.parametrize("program", PROGRAMS)
def test_writers_read_and_write_what_they_are_said_to(program):
    planted = compiled_program(program=program, seed=1)
    layout, tensors = planted.network.layout, planted.network.tensors
    owner = np.array([planted.modules["resid", p] for p in range(layout.sizes["resid"])])
    number = {variable.name: k for k, variable in enumerate(planted.variables)}

    def touched(weights):
        return set(owner[np.any(weights, axis=0)].tolist())

    for index, group in enumerate(layout.groups[1:-1]):
        heads, names = group.heads, ("qkv", "out") if group.name[0] == "a" else ("up", "down")
        read, write = (tensors[f"parts.{index}.{name}.weight"] for name in names)
        members = np.split(np.arange(group.size), heads)
        for k, neurons in enumerate(members):
            (variable,) = [v for v in planted.variables if v.writer == (group.name, k)]
            assert touched(write[:, neurons].T) == {number[variable.name]}
            assert {planted.modules[group.name, int(i)] for i in neurons} == {number[variable.name]}
            copies = [touched(copy[neurons]) for copy in np.split(read, len(read) // group.size)]
            if group.name[0] == "a":
                assert copies == [{number[name]} for name in variable.reads]
            else:
                assert copies == [{number[name] for name in variable.reads}]
    assert touched(tensors["write.weight"]) == {len(number) - 1}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_layout_is_certified(program):
    planted = compiled_program(program=program, vocabulary=3, length=3)
    certificate = verify(planted.network.module(), planted.network.layout, planted.x.copy())
    assert max(certificate.deviations.values()) < 1e-12


def found_by(planted, graph, partition):
    """Agreement with the truth on the nodes of a graph; what has no module is one of its own."""

    def neuron(node):
        group = planted.network.layout.group(node.group)
        whole = graph.weights == "virtual" and group.name[0] == "a"  # a head is one node there
        return group.name, node.index * group.size // group.heads if whole else node.index

    truth = [planted.modules[neuron(node)] for node in graph.nodes]
    labels = partition.labels(graph.nodes)
    return adjusted_mutual_info_score(truth, np.where(labels < 0, len(labels) + np.arange(len(labels)), labels))


def test_positions_written_and_read_together_are_the_variables_and_communities_of_weights_are_not():
    for program, parts, least in (("histogram", 3, 1.0), ("reverse", 4, 1.0), ("sort_by_frequency", 7, 0.93)):
        planted = compiled_program(program=program)
        together = subspace_graph(planted.network)
        components = connected_components(together)
        assert len(components.modules) == parts
        assert found_by(planted, together, components) >= least - 1e-9
        for graph in (neuron_graph(planted.network), virtual_graph(planted.network)):
            assert found_by(planted, graph, choose_level(hierarchy(graph, runs=3)).partition) < 0.6


def test_what_reads_two_variables_together_joins_them():
    planted = compiled_program(program="sort_by_frequency", seed=2)
    components = connected_components(subspace_graph(planted.network))
    (joined,) = [m for m in components.modules if len({planted.modules[node] for node in m}) > 1]
    assert {planted.variables[planted.modules[node]].name for node in joined} == {"equal", "position"}
    single = {("resid", v.positions[0]) for v in planted.variables if len(v.positions) == 1}
    assert components.unused == single and len(single) == 2


def test_seeds_and_scales():
    def of(**options):
        return compiled_program(program="sort_by_frequency", **options)

    a, b, other, plain = of(seed=1), of(seed=1), of(seed=2), of(seed=1, scale=1.0)
    assert all(a.network.tensors[name].tobytes() == b.network.tensors[name].tobytes() for name in a.network.tensors)
    assert (a.modules, a.variables, a.options) == (b.modules, b.variables, b.options)
    assert a.variables != other.variables and a.modules == plain.modules and a.variables == plain.variables
    assert not np.allclose(a.network.tensors["parts.0.qkv.weight"], plain.network.tensors["parts.0.qkv.weight"])
    assert set(np.unique(plain.network.tensors["embedding.weight"])) == {0.0, 1.0}
    assert any(list(v.positions) != sorted(v.positions) for v in a.variables)
    heads = {tuple(v.writer for v in of(seed=seed).variables if v.name in ("at_least", "equal")) for seed in range(8)}
    assert len(heads) == 2


def test_rows_are_drawn_where_there_are_too_many():
    planted = compiled_program(vocabulary=6, length=8)
    assert planted.x.shape == (1024, 8) and set(np.unique(planted.x)) == set(range(6))
    assert np.array_equal(planted.run(planted.x), [answer("histogram", row) for row in planted.x.tolist()])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"program": "dyck"}, "unknown program: expected histogram, reverse, sort_by_frequency, got dyck"),
        ({"vocabulary": 1}, "too few: vocabulary: expected 2 or more, got 1"),
        ({"length": 1}, "too few: length: expected 2 or more, got 1"),
        ({"scale": 0.5}, "an impossible scale: expected 1 or more, got 0.5"),
    ],
)
def test_what_cannot_be_compiled(options, message):
    with pytest.raises(InputError, match=message):
        compiled_program(**options)
