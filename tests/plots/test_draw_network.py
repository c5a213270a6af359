"""What a drawn network shows: every edge once, neurons in their places, colours by module, names that do not meet."""

import itertools
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgba

from bimt_analyze import plots
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.layouts import Group, Layout, Placement, TensorSpec
from bimt_train.models import MLP, ModelSpec


def chain(widths, seed=0, keep=1.0, **labels):
    rng = np.random.default_rng(seed)
    module = MLP(widths, generator=torch.Generator().manual_seed(seed))
    network = Network.of(module, module.layout(**labels))
    tensors = {name: np.where(rng.random(t.shape) < keep, t, 0) for name, t in network.tensors.items()}
    slots = {g.name: tuple(rng.permutation(g.size).tolist()) for g in network.layout.groups}
    return network.with_tensors(tensors).with_placement(Placement(slots))


def lines(axes):
    return [c for c in axes.collections if isinstance(c, LineCollection)]


def dots(axes):
    return {c.get_gid().removeprefix("neurons-"): c for c in axes.collections if isinstance(c, PathCollection)}


@settings(max_examples=15, deadline=None)
@given(
    widths=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    seed=st.integers(0, 99),
    keep=st.sampled_from([0.0, 0.3, 1.0]),
)
def test_one_segment_a_weight_between_the_two_neurons_it_joins(widths, seed, keep):
    network = chain(widths, seed, keep)
    axes = plots.draw_network(network).axes
    drawn = [segment for collection in lines(axes) for segment in collection.get_segments()]
    assert len(drawn) == network.edges()
    names = [group.name for group in network.layout.groups]
    expected = []
    for level, (name, following) in enumerate(itertools.pairwise(names)):
        weight = network.tensors[f"layers.{level}.weight"]
        for i, j in zip(*np.nonzero(weight), strict=True):
            x0 = (network.placement.slots[name][j] + 0.5) / network.layout.sizes[name]
            x1 = (network.placement.slots[following][i] + 0.5) / network.layout.sizes[following]
            expected.append((x0, level, x1, level + 1.0))
    assert np.allclose(sorted(tuple(np.ravel(s)) for s in drawn), sorted(expected))


def test_sign_is_colour_and_magnitude_is_width():
    network = chain([3, 4, 2])
    for collection, tensor in zip(lines(plots.draw_network(network).axes), network.tensors, strict=False):
        del tensor
        widths = np.asarray(collection.get_linewidths())
        assert (np.diff(widths) >= 0).all() and widths[0] < widths[-1]
    weights = np.array([[0.5, -2.0]])
    two = chain([2, 1]).with_tensors({"layers.0.weight": weights})
    (collection,) = lines(plots.draw_network(two).axes)
    blue, red = collection.get_colors()
    assert blue[2] > blue[0] and red[0] > red[2]  # the weaker, positive one is drawn first


def test_neurons_take_the_colour_of_their_module_and_the_rest_is_white():
    network = chain([4, 6, 2])
    first, second = {("x", 0), ("h1", 5), ("y", 1)}, {("x", 2), ("y", 0)}
    drawn = dots(plots.draw_network(network, partition=[first, second]).axes)
    expected = {}
    for group, size in network.layout.sizes.items():
        for index in range(size):
            number = 0 if (group, index) in first else 1 if (group, index) in second else None
            expected[group, index] = "white" if number is None else plots.module_colour(number)
    for group, collection in drawn.items():
        for index, colour in enumerate(collection.get_facecolors()):
            assert np.allclose(colour, to_rgba(expected[group, index]), atol=0.01), (group, index)


def test_a_module_of_another_network_is_refused():
    with pytest.raises(InputError, match=r"module 1: expected x\.0 to x\.1, .*got h1\.9"):
        plots.draw_network(chain([2, 3, 1]), partition=[{("h1", 9)}])


def test_edges_below_the_threshold_are_left_out():
    network = chain([3, 5, 2])
    axes = plots.draw_network(network, threshold=0.3).axes
    assert sum(len(c.get_segments()) for c in lines(axes)) == network.edges(0.3) < network.edges()


@pytest.mark.parametrize("size, length", [(4, 3), (12, 24), (30, 24), (200, 8)])
def test_names_of_inputs_and_outputs_never_meet(size, length):
    names = [f"{i:03d}".ljust(length, "m") for i in range(size)]
    network = chain([size, 3, size], input_labels=names, output_labels=[n.upper() for n in names])
    axes = plots.draw_network(network, legend=False).axes
    texts = [t for t in axes.texts if t.get_text()[:3].isdigit() and "names" not in t.get_text()]
    boxes = [t.get_window_extent() for t in texts]
    assert len(texts) >= min(2 * size, 40)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    shown = {t.get_text() for t in texts}
    left_out = [n for n in names if n not in shown]
    assert bool(left_out) == any("names shown" in t.get_text() for t in axes.texts)


def test_planes_skips_and_recurrence_are_drawn_too():
    groups = (Group.grid("x", (3, 3)), Group.line("h", 4), Group.ring("y", 5))
    tensors = {"a": TensorSpec("h x"), "r": TensorSpec("h h"), "s": TensorSpec("y x"), "b": TensorSpec("x y")}
    layout = Layout(groups, tensors, "x", "y")
    rng = np.random.default_rng(0)
    arrays = {
        name: rng.normal(size=shape) for name, shape in {"a": (4, 9), "r": (4, 4), "s": (5, 9), "b": (9, 5)}.items()
    }
    network = Network(ModelSpec("other", {}), layout, Placement.identity(layout), arrays)
    axes = plots.draw_network(network).axes
    by_name = {c.get_gid(): c.get_segments() for c in lines(axes)}
    assert {name: len(s) for name, s in by_name.items()} == {
        "edges-x-h": 36, "edges-h-h": 16, "edges-x-y": 45, "edges-y-x": 45,
    }  # fmt: skip
    for collection in by_name.values():
        assert all(np.isfinite(segment).all() for segment in collection)
    loop = next(s for s in by_name["edges-h-h"] if np.allclose(s[0], s[-1]))
    assert loop[:, 1].max() > loop[0, 1] + 0.05  # a neuron that reads itself has a visible loop
    points = dots(axes)["x"].get_offsets()
    assert len(np.unique(np.round(points, 6), axis=0)) == 9
    assert set(np.round(np.diff(np.unique(np.round(points[:, 1], 6))), 6)) == {round(0.52 / 3, 6)}


def test_a_hundred_thousand_edges_take_seconds():
    network = chain([784, 110, 100, 10])
    assert network.edges() > 98_000
    began = time.process_time()
    drawn = plots.draw_network(network, most=network.edges())
    picture = drawn.png()
    assert time.process_time() - began < 15  # of the processor; about 3
    assert len(lines(drawn.axes)) == 3 and picture.startswith(b"\x89PNG")


def test_of_more_edges_than_can_be_seen_the_greatest_are_drawn():
    network = chain([30, 40, 20])
    axes = plots.draw_network(network, most=500).axes
    widths = np.concatenate([np.abs(connection.matrix).ravel() for connection in network.connections()])
    assert sum(len(some.get_paths()) for some in lines(axes)) == 500
    assert "the greatest\n500 of\n2,000 weights" in [text.get_text() for text in axes.texts]
    # the least width is that of the 500th weight, and neurons without a drawn edge are no faint dots
    greatest = np.sort(widths)[-500:]
    drawn = np.sort(np.concatenate([some.get_linewidths() for some in lines(axes)]))
    assert drawn[0] / drawn[-1] == pytest.approx(0.22 + 0.78 * greatest[0] / greatest[-1], rel=1e-3)
    whole = plots.draw_network(network).axes
    assert not any("the greatest" in text.get_text() for text in whole.texts)


def test_drawing_leaves_pyplot_and_its_global_figures_alone():
    program = (
        "import sys; from bimt_analyze import plots; from bimt_train.models import MLP;"
        "from bimt_train.checkpoints import Network;"
        "plots.draw_network(Network.of(MLP([2, 3, 1]))).svg();"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
