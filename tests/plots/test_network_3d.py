"""Networks in space: every weight is a line between its neurons' places, images lie upright, names do not meet."""

import itertools

import numpy as np
import torch
from matplotlib.colors import to_rgb
from matplotlib.transforms import Bbox
from mpl_toolkits.mplot3d.art3d import Line3DCollection
from mpl_toolkits.mplot3d.proj3d import proj_transform

from bimt_analyze import plots
from bimt_train.checkpoints import Network
from bimt_train.layouts import Placement
from bimt_train.models import ImageMLP


def digits(keep: float = 0.1) -> Network:
    module = ImageMLP((81, 16, 9, 10), (9, 9), generator=torch.Generator().manual_seed(0))
    network, rng = Network.of(module), np.random.default_rng(0)
    slots = {g.name: tuple(rng.permutation(g.size).tolist()) if g.movable else tuple(range(g.size))
             for g in network.layout.groups}  # fmt: skip
    cut = {name: np.where(rng.random(network.tensors[name].shape) < keep, network.tensors[name], 0)
           for name in network.layout.weights()}  # fmt: skip
    return network.with_tensors(cut).with_placement(Placement(slots))


def test_every_weight_joins_its_neurons_in_space() -> None:
    network = digits()
    (panel,) = plots.draw_network_3d(network).axes.child_axes
    drawn = {c.get_gid(): c for c in panel.collections if isinstance(c, Line3DCollection)}
    for level, connection in enumerate(network.connections()):
        lines = drawn[f"edges-{connection.source}-{connection.target}"]
        ends = np.array(lines._segments3d).reshape(-1, 6)
        expected = []
        for i, j in zip(*np.nonzero(connection.matrix), strict=True):
            (a,), (b,) = (network.placement.coordinates(network.layout, g)[[k]] for g, k in
                          ((connection.source, j), (connection.target, i)))  # fmt: skip
            expected.append((a[0], 1 - a[1], level / 3, b[0], 1 - b[1], (level + 1) / 3))
        assert np.allclose(sorted(map(tuple, ends)), sorted(expected))
        blue = (lines.get_colors()[:, 2] > lines.get_colors()[:, 0]).sum()
        assert blue == (connection.matrix > 0).sum()


def test_pixels_are_as_dark_as_the_weight_that_leaves_them() -> None:
    network = digits()
    (panel,) = plots.draw_network_3d(network).axes.child_axes
    (tiles,) = (c for c in panel.collections if c.get_gid() == "pixels")
    panel.figure.canvas.draw()
    weight = np.abs(network.tensors["layers.0.weight"]).sum(axis=0)
    brightness = tiles._facecolor3d[:, :3].sum(axis=1)
    assert np.argmin(brightness) == np.argmax(weight)
    assert np.allclose(brightness[weight == 0], brightness.max())


def where(panel, text) -> Bbox:
    """The pixels of a name that is centred on its point in space."""
    x, y = panel.transData.transform(proj_transform(*text.get_position_3d(), panel.get_proj())[:2])
    size = text.get_window_extent()
    return Bbox.from_bounds(x - size.width / 2, y - size.height / 2, size.width, size.height)


def test_names_on_a_ring_do_not_meet_and_only_living_ones_are_written() -> None:
    (panel,) = plots.draw_network_3d(digits(1.0)).axes.child_axes
    panel.figure.canvas.draw()
    texts = [text for text in panel.texts if text.get_text().startswith("y") and len(text.get_text()) > 1]
    assert len(texts) == 10
    boxes = [where(panel, text) for text in texts]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))
    (dots,) = (c for c in panel.collections if c.get_gid() == "neurons-y")
    places = panel.transData.transform(dots._offset_zordered)
    assert not any(box.contains(*place) for box in boxes for place in places)
    network = digits(1.0)
    alone = np.array(network.tensors["layers.2.weight"])
    alone[1:] = 0
    (panel,) = plots.draw_network_3d(network.with_tensors({"layers.2.weight": alone})).axes.child_axes
    assert [text.get_text() for text in panel.texts if text.get_text() in {f"y{i}" for i in range(1, 11)}] == ["y1"]


def test_modules_colour_the_neurons() -> None:
    network = digits(1.0)
    (panel,) = plots.draw_network_3d(network, partition=[{("h2", 3)}]).axes.child_axes
    panel.figure.canvas.draw()
    (dots,) = (c for c in panel.collections if c.get_gid() == "neurons-h2")
    coloured = np.isclose(dots.get_facecolor()[:, :3], to_rgb(plots.module_colour(0)), atol=0.01).all(axis=1)
    x, y = network.placement.coordinates(network.layout, "h2")[3]
    seen = proj_transform(x, 1 - y, 2 / 3, panel.get_proj())[:2]  # dots are kept in the order of their depth
    assert np.allclose(dots._offset_zordered[coloured], [seen])
