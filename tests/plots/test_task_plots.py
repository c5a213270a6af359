"""Pictures of what neurons stand for: what is drawn is what was found."""

from types import MappingProxyType

import numpy as np
import pytest
import torch

from bimt_analyze import plots
from bimt_analyze.audits.ablation._mean_ablation_effects import MeanAblationEffects
from bimt_analyze.representations import ClassUse, FrequencyModule, IrrepShares, Readout
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import MLP, ImageMLP

P = 7


def ring(frequency: int) -> FrequencyModule:
    turn = 2 * np.pi * frequency * np.arange(P) / P
    spectrum = np.zeros(P // 2 + 1)
    spectrum[frequency] = 1.0
    curve = np.column_stack((np.cos(turn), np.sin(turn)))
    return FrequencyModule(frozenset(), (0, 1), frequency, 1.0, {frequency: 1.0}, spectrum, curve, ())


def test_each_module_is_a_curve_and_a_spectrum() -> None:
    first, empty, third = ring(2), ring(1), ring(3)
    object.__setattr__(empty, "frequency", 0)
    panels = plots.draw_frequencies([first, empty, third]).axes.child_axes
    assert [panel.get_title() for panel in panels[:2]] == ["k = 2, share 1.000", "k = 3, share 1.000"]
    for panel, module in zip(panels[:2], (first, third), strict=True):
        assert np.allclose(panel.collections[0].get_offsets(), module.curve)
        around = panel.lines[0].get_xydata()
        assert np.allclose(np.hypot(*np.diff(around, axis=0).T), 2 * np.sin(np.pi / P))  # from neighbour to neighbour
    for panel, module in zip(panels[2:], (first, third), strict=True):
        assert [bar.get_height() for bar in panel.patches] == module.spectrum.tolist()


def test_bars_of_representations_add_up_and_stand_by_kind() -> None:
    names = ("trivial", "sign", "2", "3", "3'")

    def one(neuron: int, spread: float = 1.0, **shares: float) -> IrrepShares:
        return IrrepShares(neuron, MappingProxyType(dict.fromkeys(names, 0.0) | shares), spread)

    found = [one(0, **{"3": 0.8}), one(1, sign=1.0), one(2, spread=0.0), one(3, **{"3": 0.9, "2": 0.1})]
    (panel,) = plots.draw_irreps(found).axes.child_axes
    assert [label.get_text() for label in panel.get_xticklabels()] == ["1", "3", "0"]
    heights = np.array([[bar.get_height() for bar in bars] for bars in panel.containers])
    assert np.allclose(heights.sum(axis=0), 1.0)
    assert heights[-1].tolist() == pytest.approx([0.0, 0.0, 0.2])


def test_readability_is_one_line_a_token() -> None:
    found = [Readout(m, t, r2) for m, t, r2 in (("read", 0, -3.0), ("read", 1, 0.2), ("blocks.0", 0, 0.5),
                                                ("blocks.0", 1, 0.9))]  # fmt: skip
    (panel,) = plots.draw_readability(found, tokens=["x1", "y1"]).axes.child_axes
    assert [line.get_label() for line in panel.lines] == ["x1", "y1"]
    assert [list(line.get_ydata()) for line in panel.lines] == [[-0.05, 0.5], [0.2, 0.9]]
    assert [label.get_text() for label in panel.get_xticklabels()] == ["read", "blocks.0"]


def test_features_are_the_weights_in_the_neurons_places() -> None:
    module = ImageMLP((12, 4, 2), (3, 4), generator=torch.Generator().manual_seed(0))
    network = Network.of(module)
    weight = np.array(network.tensors["layers.0.weight"])
    weight[2] = 0.0
    network = network.with_tensors({"layers.0.weight": weight})
    network = network.with_placement(network.placement.moved("h1", (3, 1, 2, 0)))
    (panel,) = plots.draw_features(network, partition=[{("h1", 3)}]).axes.child_axes
    assert len(panel.images) == 3
    for image, neuron in zip(panel.images, (0, 1, 3), strict=True):
        assert np.allclose(image.get_array(), weight[neuron].reshape(3, 4))
        left, right, bottom, top = image.get_extent()
        x, y = network.placement.coordinates(network.layout, "h1")[neuron]
        assert ((left + right) / 2, (bottom + top) / 2) == pytest.approx((x, 1 - y))
    boxes = [image.get_extent() for image in panel.images]
    assert all(a[1] < b[0] or b[1] < a[0] or a[3] < b[2] or b[3] < a[2] for a in boxes for b in boxes if a != b)
    with pytest.raises(InputError, match=r"no features to draw.*got 3 inputs, read by h1"):
        plots.draw_features(Network.of(MLP((3, 4, 1))))


def test_the_map_of_classes_shows_shares_of_the_margin() -> None:
    neurons = (("h1", 0), ("h1", 1), ("h2", 0))
    drops = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, -1.0]])
    use = ClassUse(neurons, ("a", "b"), np.array([2.0, 3.0]), np.ones(2), drops, np.zeros((2, 3)))
    last, first, _ = plots.draw_class_use(use).axes.child_axes
    assert (last.get_title(loc="left"), first.get_title(loc="left")) == ("h2", "h1")
    assert np.allclose(last.images[0].get_array(), [[1.0], [-1 / 3]])
    assert np.allclose(first.images[0].get_array(), [[0.5, 0.0], [0.0, 1.0]])  # sorted: neuron 1 serves class a
    assert [label.get_text() for label in first.get_xticklabels()] == ["1", "0"]


def test_the_map_of_mean_ablation_effects_shows_the_matrix_and_what_is_rare() -> None:
    matrix, p = np.array([[1.0, -0.2, 0.001]]), np.array([[0.01, 0.9, 0.5]])
    one = np.ones(1)
    found = MeanAblationEffects(("a", "b", "c"), matrix, 1 - matrix, matrix / 2, p, one, one, (3,), "error", 99, 0)
    (panel,) = plots.draw_mean_ablation_effects(found).axes.child_axes
    assert np.allclose(panel.images[0].get_array(), matrix)
    assert [(text.get_text(), text.get_weight()) for text in panel.texts] == [
        ("1.00", "bold"), ("-0.20", "normal"), ("0.00", "normal")
    ]  # fmt: skip
    assert [label.get_text() for label in panel.get_xticklabels()] == ["a", "b", "c"]
    (panel,) = plots.draw_mean_ablation_effects(found, alone=True).axes.child_axes
    assert np.allclose(panel.images[0].get_array(), 1 - matrix)
    assert {text.get_weight() for text in panel.texts} == {"normal"}


def test_a_map_of_many_outputs_is_as_wide_as_a_page_and_has_no_numbers() -> None:
    matrix, each = np.full((10, 60), 0.5), np.ones(10)
    names = tuple(f"c{k}" for k in range(60))
    found = MeanAblationEffects(names, matrix, matrix, matrix, matrix, each, each, (3,) * 10, "accuracy", 99, 0)
    (panel,) = plots.draw_mean_ablation_effects(found).axes.child_axes
    assert not panel.texts
    assert panel.get_figure().get_size_inches()[0] < 13
