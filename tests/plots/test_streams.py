"""A residual stream has a row at every read and write; everything else has one row a group."""

import itertools

import numpy as np
import pytest
import torch

from bimt_analyze import plots
from bimt_analyze.plots.networks._unroll import unroll
from bimt_train.checkpoints import Network
from bimt_train.layouts import Group, Layout, TensorSpec, layout_for
from bimt_train.models import MLP, RowTransformer

ROWS = ["kind", "resid.0", "a1", "resid.1", "m1", "resid.2", "a2", "resid.3", "m2", "resid.4", "y"]


def transformer() -> RowTransformer:
    return RowTransformer((0, 1, 0), 1, 8, heads=2, layers=2, hidden=6, generator=torch.Generator().manual_seed(0))


def test_a_transformer_is_read_from_bottom_to_top() -> None:
    stages = unroll(transformer().layout())
    assert list(stages.groups) == ROWS
    assert all(ROWS.index(end) - ROWS.index(start) == 1 for start, end in stages.ends.values())
    resid = ROWS[1::2]
    assert list(stages.carried) == list(itertools.pairwise(resid))


def test_an_encoder_of_torch_begins_and_ends_with_its_stream() -> None:
    layer = torch.nn.TransformerEncoderLayer(8, 2, 12, batch_first=True)
    stages = unroll(layout_for(torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)))
    assert list(stages.groups) == [row.replace("kind", "") for row in ROWS[1:-1]]


@pytest.mark.parametrize("tensors", [{"w": "h x", "r": "h h", "v": "y h"}, {"w": "h x", "b": "x h", "v": "y h"}])
def test_chains_and_recurrent_nets_have_one_row_a_group(tensors: dict[str, str]) -> None:
    groups = tuple(Group.line(name, 3) for name in ("x", "h", "y"))
    stages = unroll(Layout(groups, {name: TensorSpec(p) for name, p in tensors.items()}, "x", "y"))
    assert list(stages.groups) == ["x", "h", "y"]
    assert not stages.carried


def test_what_a_stream_holds_is_carried_from_where_it_is_written_to_where_it_is_read() -> None:
    network = Network.of(transformer())
    tensors = {name: np.zeros_like(network.tensors[name]) for name in network.layout.weights()}
    tensors["read.weight"][5, 0] = 1.0  # written at the bottom, read at the top
    tensors["blocks.0.down.weight"][2, 1] = 1.0  # written in the middle, read above
    tensors["blocks.1.qkv.weight"][3, 2] = -1.0
    tensors["blocks.0.out.weight"][7, 1] = 1.0  # never read
    tensors["write.weight"][0, 5] = 1.0
    axes = plots.draw_network(network.with_tensors(tensors)).axes
    carried = [c for c in axes.collections if c.get_gid() is None and hasattr(c, "get_segments")]
    columns = [sorted(round(8 * segment[0, 0] - 0.5) for segment in c.get_segments()) for c in carried]
    assert columns == [[5], [5], [5], [5]]  # neuron 2 is read in the row where it was written
    dots = {c.get_gid(): c.get_sizes() for c in axes.collections if str(c.get_gid()).startswith("neurons-resid")}
    large = {name: np.flatnonzero(sizes > 4).tolist() for name, sizes in dots.items()}
    assert large == {
        "neurons-resid.0": [5], "neurons-resid.1": [5], "neurons-resid.2": [2, 5], "neurons-resid.3": [5],
        "neurons-resid.4": [5],
    }  # fmt: skip


def test_kinds_are_named_by_their_columns() -> None:
    module = transformer()
    layout = module.layout(input_labels=["x1", "y1", "x2"], output_labels=["y2"])
    assert layout.group("kind").labels == ("x1, x2", "y1")
    words = {text.get_text() for text in plots.draw_network(Network.of(module, layout)).axes.texts}
    assert {"x1, x2", "y1", "y2"} <= words


def test_neurons_of_adjacent_slots_do_not_overlap() -> None:
    network = Network.of(MLP([2, 40, 1]))
    (group,) = (g for g in network.layout.groups if g.name == "h1")
    near = Group("h1", tuple((0.5 + 0.02 * i,) for i in range(4)))
    few = Network.of(MLP([2, 4, 1]), MLP([2, 4, 1]).layout().with_groups([near]))
    assert group.size == 40
    axes = plots.draw_network(few).axes
    (dots,) = (c for c in axes.collections if c.get_gid() == "neurons-h1")
    places = axes.transData.transform(dots.get_offsets())[:, 0] * 72 / axes.figure.dpi
    assert np.sqrt(dots.get_sizes()).max() < np.diff(np.sort(places)).min()


def test_modules_can_be_named() -> None:
    axes = plots.draw_network(Network.of(MLP([2, 3, 1])), partition={"first": {("h1", 0)}, "second": {("h1", 2)}}).axes
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert words[:2] == ["first", "second"]
