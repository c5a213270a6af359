"""A recurrent net from end to end: the circuit that is known for sums over time, found by the analysis."""

from dataclasses import replace

import numpy as np
import pytest

from bimt_analyze import analyze
from bimt_analyze.audits.truth._agreement import agreement
from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules._components import components_up_to_layer
from bimt_analyze.report import Report
from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Network, Probe
from bimt_train.layouts import TensorSpec
from bimt_train.models.from_spec import build_model
from bimt_train.tasks import evidence

TASK = evidence(steps=2, state=10, rows=(300, 50))
ASKED = {"y1": {"a": 1.0, "b": 1.0}, "y2": {"b": 1.0, "c": -1.0}, "y3": {"d": 1.0}}


def known() -> Checkpoint:
    """For each channel a pair of neurons, p = relu(p - q + a) and q = relu(q - p - a); two neurons have no edge."""
    data, read, recur, write = TASK.data(0), np.zeros((10, 4)), np.zeros((10, 10)), np.zeros((3, 10))
    for k, channel in enumerate("abcd"):
        p, q = k, 4 + k
        read[[p, q], k] = 1.0, -1.0
        recur[[p, q, p, q], [p, q, q, p]] = 1.0, 1.0, -1.0, -1.0
        for row, asked in enumerate(ASKED.values()):
            write[row, [p, q]] = asked.get(channel, 0.0)
    module = build_model(TASK.model).double()
    layout = module.layout(input_labels=TASK.spec.inputs, output_labels=TASK.spec.outputs)
    tensors = {"read.weight": read, "read.bias": np.zeros(10), "recur.weight": recur}
    network = Network.of(module, layout).with_tensors({**tensors, "write.weight": write, "write.bias": np.zeros(3)})
    return Checkpoint(network, TASK.spec, Probe(data.x_train, data.y_train, data.x_test, data.y_test))


@pytest.fixture(scope="module")
def report() -> Report:
    return analyze(known(), samples=20, time_limit=20.0)  # of which it takes few


def test_the_known_circuit_answers_the_questions() -> None:
    checkpoint = known()
    np.testing.assert_allclose(checkpoint.predict(checkpoint.probe.x_test), checkpoint.probe.y_test, atol=1e-12)


def test_the_report_names_all_columns_of_a_channel(report: Report) -> None:
    assert [(m.inputs, m.outputs) for m in report.modules] == [
        (("a1", "b1", "c1", "a2", "b2", "c2"), ("y1", "y2")),
        (("d1", "d2"), ("y3",)),
    ]
    assert report.matches_decomposition is not None
    assert report.matches_decomposition.level == "flat"
    assert report.unused == ()
    assert (report.circuit.edges, report.circuit.neurons) == (34, 4 + 8 + 3)


def test_it_agrees_with_the_known_parts(report: Report) -> None:
    assert report.agreement is not None
    assert report.agreement.score == 1
    assert report.agreement.dependencies.spurious == report.agreement.dependencies.missing == ()
    served = {one.subfunction: one.f1 for one in report.agreement.subfunctions}
    assert served["m_d"] == 1
    assert served["m_a"] == 2 * 2 / (6 + 2)  # the module of three channels, two steps each


def test_the_formulas_are_those_of_the_task(report: Report) -> None:
    assert {name: formula.exact for name, formula in report.formulas.items()} == dict.fromkeys(ASKED, True)
    assert str(report.formulas["y3"].expression) == "Abs(d1 + d2)"


def test_a_stray_edge_is_seen() -> None:
    checkpoint = known()
    write = checkpoint.network.tensors["write.weight"].copy()
    write[2, 0] = 0.3  # y3 listens to a
    network = checkpoint.network.with_tensors({"write.weight": write})
    scored = agreement(network, TASK.spec, x=checkpoint.probe.x_train)
    assert scored.dependencies.spurious == (("y3", "a1"), ("y3", "a2"))
    assert scored.leak is not None
    assert scored.leak > 0


def test_without_the_outputs_each_channel_is_a_block(report: Report) -> None:
    blocks = components_up_to_layer(report.graph, depth=1).modules
    channels = [[i for group, i in block if group == "x"] for block in blocks]
    assert sorted(found for found in channels if found) == [[0], [1], [2], [3]]


def test_the_page_shows_it(report: Report) -> None:
    page = report.to_html()
    assert "d1, d2" in page
    assert "edges-state-state" in page


def test_a_recurrent_weight_declared_the_wrong_way_round_is_refused() -> None:
    network = known().network
    tensors = {**network.layout.tensors, "recur.weight": TensorSpec("state -> state")}
    recur = np.triu(np.ones((10, 10)))
    turned = replace(network, layout=replace(network.layout, tensors=tensors)).with_tensors({"recur.weight": recur})
    with pytest.raises(InputError, match=r"recur\.weight"):
        neuron_graph(turned, weights="activation", x=known().probe.x_train)
