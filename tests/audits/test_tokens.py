"""Audits of networks whose inputs are tokens."""

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bimt_analyze import analyze, audit
from bimt_analyze._network_rows import checkpoint_of
from bimt_analyze.audits import specialisation
from bimt_analyze.audits.ablation._faithfulness import faithfulness
from bimt_analyze.audits.ablation._mean_ablation_effects import mean_ablation_effects
from bimt_analyze.graph import MeanAblation, neuron_graph, with_ends
from bimt_analyze.synthetic import compiled_program
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import GPT, MLP, EmbeddingMLP

BRIEF = {"samples": 20, "retrain_steps": 1, "refit_steps": 0}
BLOCKS = [
    {("e", 0), ("e", 1), *(("h1", k) for k in range(4)), ("y", 0), ("y", 1)},
    {("e", 2), ("e", 3), *(("h1", k) for k in range(4, 8)), ("y", 2), ("y", 3)},
]


@pytest.fixture(scope="module")
def halves() -> tuple[Network, np.ndarray]:
    """Two tokens on four dimensions, of which two lead to two outputs and two to the other two."""
    network = Network.of(EmbeddingMLP(6, 2, 4, [8, 4], "silu"))
    rng, tensors = np.random.default_rng(0), dict(network.tensors)
    for name in ("layers.0.weight", "layers.1.weight"):
        rows, columns = tensors[name].shape
        sources = np.arange(columns) % (4 if name == "layers.0.weight" else columns)
        half = (np.arange(rows) >= rows // 2)[:, None] == (sources >= (sources.max() + 1) // 2)[None, :]
        tensors[name] = np.where(half, rng.uniform(0.5, 1.0, (rows, columns)), 0.0)
    x = np.stack(np.meshgrid(np.arange(6), np.arange(6)), axis=2).reshape(-1, 2).astype(np.float64)
    return network.with_tensors(tensors), x


@pytest.fixture(scope="module")
def speaker() -> tuple[Network, np.ndarray]:
    """A random language model of six tokens."""
    network = Network.of(GPT(6, 5, 8, 2, 2, 12, generator=torch.Generator().manual_seed(0)))
    return network, np.random.default_rng(1).integers(0, 6, (120, 5)).astype(np.float64)


def test_dimensions_of_an_embedding_belong_to_the_modules(halves: tuple[Network, np.ndarray]) -> None:
    network, x = halves
    found = audit(network, x=x, **{**BRIEF, "retrain_steps": 0})
    assert [set(module) for module in found.modules] == BLOCKS
    assert found["before_pruning"] is not None and found["before_pruning"].leak is None
    graph = with_ends(neuron_graph(network, weights="activation", x=x), network.layout)
    assert found["before_pruning"].specialisation == pytest.approx(specialisation(graph))
    assert [one.weights for one in found["edge_weight_robustness"]] == ["magnitude", "activation"]
    assert found["thresholds"].low is not None and all(point.exact for point in found["thresholds"].points[:1])
    assert found.undecided["agreement"] == "no decomposition of the task is known"
    assert found.undecided["modules by function"] == "inputs or outputs are no neurons"
    assert np.allclose((found["mean_ablation_effects"].matrix > 0.01), [[1, 1, 0, 0], [0, 0, 1, 1]])
    assert "subspaces" not in found and found.to_json()["subspaces"] is None
    json.dumps(found.to_json())


def test_a_language_model_is_judged_by_surprise(speaker: tuple[Network, np.ndarray]) -> None:
    network, x = speaker
    found = audit(network, x=x, **BRIEF, processes=2)
    assert found["mean_ablation_effects"] is not None and found["mean_ablation_effects"].measure == "surprise"
    assert found["mean_ablation_effects"].outputs == ("all classes",) and found[
        "mean_ablation_effects"
    ].matrix.shape == (
        len(found.modules),
        1,
    )
    assert found["subspaces"] is not None and found["subspaces"].significance.p > 0.05  # nothing was cut: no subspaces
    assert "sequences of tokens" in " ".join(found.undecided.values())
    assert any("The residual stream falls into" in line for line in found.summary())


def test_surprise_is_cross_entropy_in_bits_and_its_unit_the_entropy_of_the_classes(
    speaker: tuple[Network, np.ndarray],
) -> None:
    network, x = speaker
    rng = np.random.default_rng(2)
    numbers = rng.choice(6, size=x.shape, p=[0.3, 0.3, 0.2, 0.1, 0.1, 0.0])  # one class has no rows
    y = np.eye(6)[numbers]
    module = frozenset(("m1", k) for k in range(12))

    def bits(outputs: np.ndarray) -> float:
        logits = torch.tensor(outputs).reshape(-1, 6)
        return float(cross_entropy(logits, torch.tensor(numbers).reshape(-1))) / np.log(2)

    ablation = MeanAblation(network, x)
    shares = np.bincount(numbers.ravel(), minlength=6) / numbers.size
    entropy = -sum(p * np.log2(p) for p in shares if p > 0)
    lost = (bits(ablation.outputs(sorted(module))) - bits(ablation.outputs())) / entropy
    found = mean_ablation_effects(network, [module], x, y, measure="surprise", samples=3)
    assert found.matrix[0, 0] == pytest.approx(lost)
    kept = faithfulness(network, network, x, y, measure="surprise")
    assert kept.whole[0] == pytest.approx(bits(network.predict(x))) and kept.shares in ((1.0,), (None,))


def test_the_report_has_a_page_for_it(speaker: tuple[Network, np.ndarray]) -> None:
    network, x = speaker
    report = analyze(checkpoint_of(network, x), audit=True, samples=20, retrain_steps=0, refit_steps=0)
    page = report.to_html()
    assert "<h3>Null networks</h3>" in page and "<h3>Subspaces of the residual stream</h3>" in page
    assert json.loads(report.to_json_text())["audit"]["subspaces"]["significance"]["samples"] == 20


def test_one_number_at_each_place_is_no_choice_among_tokens(speaker: tuple[Network, np.ndarray]) -> None:
    single = compiled_program(program="histogram", vocabulary=6, length=5, seed=0).network
    with pytest.raises(InputError, match="no choice among tokens"):
        checkpoint_of(single, speaker[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x + 3, "cannot read: x: expected tokens that it knows"),
        (lambda x: np.tile(x, 2), "cannot read: x: expected tokens that it knows"),
        (lambda x: x - 4, "cannot read: x: expected tokens that it knows"),
        (lambda x: x + 0.5, "rows that are no tokens"),
        (lambda x: x[:1], r"2 rows or more, got \[1, 5\]"),
        (lambda x: x[0], r"2 rows or more, got \[5\]"),
    ],
)
def test_rows_that_it_cannot_read_are_refused_in_one_line(
    change: Callable[[np.ndarray], np.ndarray], message: str, speaker: tuple[Network, np.ndarray]
) -> None:
    with pytest.raises(InputError, match=message):
        checkpoint_of(speaker[0], change(speaker[1]))


def test_targets_that_are_no_tokens_are_refused(speaker: tuple[Network, np.ndarray]) -> None:
    network, x = speaker
    with pytest.raises(InputError, match="expected tokens from 0 to 5, got 3 to 8"):
        checkpoint_of(network, x, np.full_like(x, 3.0) + 5 * (x > 2))


def test_numbers_of_another_width_are_refused() -> None:
    with pytest.raises(InputError, match=r"expected \[rows, 3\], 2 rows or more, got \[9, 4\]"):
        checkpoint_of(Network.of(MLP([3, 5, 2], "silu")), np.zeros((9, 4)))
