"""What a prompt shows of a public result: what it is, in a few lines, and never its arrays."""

import pytest

from bimt_analyze import audit
from bimt_analyze.graph import neuron_graph
from bimt_train import Recipe, train
from bimt_train.tasks import independence


@pytest.fixture(scope="module")
def results(report):
    runs = train(independence(), seeds=2, recipe=Recipe(steps=4))
    checkpoint = runs.best.checkpoint
    found = audit(checkpoint, samples=20, retrain_steps=0, refit_steps=0, controls=0)
    values = (
        runs, runs.best, checkpoint, checkpoint.network, neuron_graph(checkpoint.network), found, found.partition,
        found.circuit, report, report.formulas["y1"],
    )  # fmt: skip
    return {type(value).__name__: value for value in values}


NAMES = (
    "Runs", "Run", "Checkpoint", "Network", "NeuronGraph", "Audit", "Partition", "Circuit", "Report", "Formula"
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_result_is_a_few_lines(name, results):
    shown = repr(results[name])
    assert shown.startswith(f"<{name} ") and len(shown) < 2000
    assert "array" not in shown and all(len(line) < 400 for line in shown.splitlines())


def test_lines_say_what_matters(results):
    assert "2, the best <Run of independence, seed" in repr(results["Runs"])
    assert "mlp: x 4, h1 20, h2 20, y 2" in repr(results["Checkpoint"])
    assert repr(results["Formula"]).startswith("<Formula y1 = x1 + 2*x3: exact on the data; ")
    assert repr(results["Report"]).splitlines()[1:] == list(results["Report"].summary())
    assert results["Formula"]._repr_latex_().startswith("$y_{1} = ")
