"""What is said of a network before anything is cut."""

import numpy as np
import pytest

from bimt_analyze import audit
from bimt_analyze.audits import specialisation
from bimt_analyze.audits.robustness._before_pruning import before_pruning
from bimt_analyze.graph import neuron_graph
from bimt_analyze.synthetic import SyntheticNetwork, block_network
from bimt_train.expressions import Decomposition


def parts(made: SyntheticNetwork) -> Decomposition:
    """Each output and the inputs of its block."""
    inputs, outputs = ([node for node in made.modules if node[0] == group] for group in ("x", "y"))
    stated = [
        f"{group}{i + 1}: {' '.join(f'x{j + 1}' for x, j in inputs if made.modules[x, j] == made.modules[group, i])}"
        for group, i in outputs
    ]
    return Decomposition.from_grouping("; ".join(stated))


def measured(crosstalk: float):
    made = block_network(crosstalk=crosstalk, seed=1)
    graph = neuron_graph(made.network, weights="attribution", x=made.x)
    return made, before_pruning(made.network, graph, made.x, parts(made))


def test_blocks_that_share_nothing_leak_nothing():
    made, found = measured(0.0)
    assert found.leak == 0.0
    assert found.specialisation == specialisation(neuron_graph(made.network, weights="attribution", x=made.x))


def test_crosstalk_leaks_and_takes_from_the_specialisation():
    clean, mixed, worse = (measured(share)[1] for share in (0.0, 0.05, 0.1))
    assert clean.specialisation > mixed.specialisation > worse.specialisation
    assert 0 < mixed.leak < worse.leak


def test_leak_is_the_share_of_squared_gradients_by_differences():
    made, found = measured(0.1)
    x, step = made.x[:500], 1e-8  # no row so near a kink
    slopes = np.stack(
        [
            (made.network.predict(x + step * unit) - made.network.predict(x - step * unit)) / (2 * step)
            for unit in np.eye(x.shape[1])
        ],
        axis=2,
    )
    outputs = made.network.predict(x).std(axis=0)
    scaled = ((slopes * x.std(axis=0) / outputs[None, :, None]) ** 2).mean(axis=0)
    stated = parts(made)
    needed = stated.dependencies()
    known = np.array([[name in needed[o] for name in stated.inputs] for o in stated.outputs])
    assert found.leak == pytest.approx(scaled[~known].sum() / scaled.sum(), rel=1e-5)


def test_an_audit_tells_it_of_the_uncut_network():
    made = block_network(crosstalk=0.1, seed=1)
    brief = {"samples": 20, "retrain_steps": 0, "controls": 0}
    found = audit(made.network, x=made.x, decomposition=parts(made), tolerance=1.0, **brief)
    assert found["before_pruning"].specialisation == pytest.approx(measured(0.1)[1].specialisation)
    assert found.to_json()["before_pruning"] == {
        "specialisation": found["before_pruning"].specialisation,
        "leak": found["before_pruning"].leak,
    }
    said = next(text for text in found.summary() if text.startswith("Before pruning"))
    assert f"{found['before_pruning'].specialisation:.2f} bits" in said
    assert f"{found['nulls']['specialisation', 'degree_preserving'].observed:.2f}" in said


def test_nothing_known_no_leak():
    made = block_network(seed=1)
    found = before_pruning(made.network, neuron_graph(made.network, weights="attribution", x=made.x), made.x)
    assert found.leak is None
