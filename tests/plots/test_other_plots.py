"""The pruning sweep, predictions and histories: what is drawn is what was given."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import r2_score

from bimt_analyze import plots
from bimt_analyze.plots.representations._draw_predictions import r_squared
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import MLP
from bimt_train.pruning import Circuit
from bimt_train.pruning._circuit import SweepPoint

POINTS = (
    SweepPoint(0.0, 20, 1e-3, 1),
    SweepPoint(0.01, 18, 1.01e-3, 1),
    SweepPoint(0.1, 12, 1.04e-3, 2),
    SweepPoint(1.0, 3, 0.7, 1),
)


def circuit(points=POINTS, threshold=0.1):
    network = Network.of(MLP([2, 3, 1], generator=torch.Generator().manual_seed(0)))
    return Circuit(network, {}, threshold, 1.04e-3, 1e-3, 0.05, 0, points)


def test_the_sweep_shows_loss_edges_and_components_and_marks_the_chosen_threshold():
    loss, edges, components = plots.draw_sweep(circuit()).axes.child_axes
    for panel, field in ((loss, "loss"), (edges, "edges"), (components, "components")):
        curve, marked = panel.lines[0], panel.lines[1]
        assert list(curve.get_xdata()) == [0.01, 0.1, 1.0]
        assert list(curve.get_ydata()) == [getattr(point, field) for point in POINTS[1:]]
        assert set(marked.get_xdata()) == {0.1}
    limits = [
        line.get_ydata()[0] for line in loss.lines if len(set(line.get_ydata())) == 1 and line.get_linestyle() == "--"
    ]
    assert limits == [pytest.approx(1.05e-3)]


def test_a_sweep_without_a_positive_threshold_can_still_be_drawn():
    assert plots.draw_sweep(circuit(POINTS[:1], 0.0)).png()


def test_losses_that_are_not_finite_leave_a_gap():
    points = (*POINTS[:3], SweepPoint(0.5, 8, float("inf"), 1), SweepPoint(0.6, 7, float("nan"), 1))
    picture = plots.draw_sweep(circuit(points))
    assert np.isnan(picture.axes.child_axes[0].lines[0].get_ydata()).tolist() == [False, False, True, True]
    assert picture.png()


def test_predictions_are_drawn_as_given_one_panel_an_output():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(30, 4))
    guesses = {"network": true + 0.1, "formula": true * 2}
    panels = [p for p in plots.draw_predictions(true, guesses, names="abcd").axes.child_axes if p.get_visible()]
    assert [panel.get_title(loc="left") for panel in panels] == list("abcd")
    for column, panel in enumerate(panels):
        for drawn, values in zip(panel.collections, guesses.values(), strict=True):
            assert np.allclose(drawn.get_offsets(), np.column_stack((true[:, column], values[:, column])))


def test_r2_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    true, guess = rng.normal(size=50), rng.normal(size=50)
    assert r_squared(true, guess) == pytest.approx(r2_score(true, guess))
    assert np.isnan(r_squared(np.ones(3), np.zeros(3)))


def test_predictions_that_do_not_pair_up_are_refused():
    with pytest.raises(InputError, match=r"do not pair up with targets: network: expected \(3, 2\), got \(3, 1\)"):
        plots.draw_predictions(np.zeros((3, 2)), {"network": np.zeros((3, 1))})
    with pytest.raises(InputError, match="one name an output"):
        plots.draw_predictions(np.zeros((3, 2)), {}, names=["y"])


def test_a_history_is_drawn_as_measured():
    history = [
        {"step": 10.0 * i, "train_loss": 1.0 / i, "test_loss": 2.0 / i, "cost": 5.0, "edges": 7} for i in (1, 2, 3)
    ]
    losses, cost, edges = plots.draw_training(history).axes.child_axes
    assert [list(line.get_ydata()) for line in losses.lines] == [[1, 1 / 2, 1 / 3], [2, 1, 2 / 3]]
    assert list(cost.lines[0].get_ydata()) == [5, 5, 5] and list(edges.lines[0].get_xdata()) == [10, 20, 30]
    with pytest.raises(InputError, match="no cost, edges"):
        plots.draw_training([{"step": 1.0, "train_loss": 1.0, "test_loss": 1.0}])


def test_an_svg_stands_alone_and_does_not_clash_with_its_neighbours():
    picture = plots.draw_sweep(circuit())
    first, second = picture.svg(prefix="a-"), picture.svg(prefix="b-")
    assert first == plots.draw_sweep(circuit()).svg(prefix="a-")
    ElementTree.fromstring(first)
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (first, second)]
    assert ids[0] and not ids[0] & ids[1]
    used = set(re.findall(r'href="#([^"]+)"', first)) | set(re.findall(r"url\(#([^)]+)\)", first))
    assert used and used <= ids[0]
    addresses = re.findall(r"https?://[^\s\"']+", first)
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}


def test_pictures_are_written_to_files(tmp_path):
    drawn = plots.draw_sweep(circuit())
    for ending, begins in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        assert drawn.save(tmp_path / f"p.{ending}").read_bytes().startswith(begins)
    with Image.open(tmp_path / "p.png") as picture:
        assert set(picture.convert("RGBA").crop((0, 0, 3, 3)).get_flattened_data()) == {(255, 255, 255, 255)}


def test_a_notebook_shows_a_picture_with_its_description():
    drawn = plots.draw_sweep(circuit())
    content, about = drawn._repr_png_()
    assert content.startswith(b"\x89PNG") and about == {"alt": drawn.alt}
    odd = plots.Picture(drawn.axes, 'a < "b"')
    (image,) = ElementTree.fromstring(f"<p>{odd.html().replace('>', '/>')}</p>")
    assert image.get("alt") == 'a < "b"' and image.get("src").startswith("data:image/png;base64,iVBOR")


def test_the_boundary_lies_where_the_network_says() -> None:
    from bimt_analyze.plots import draw_boundary
    from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec
    from bimt_train.models import MLP

    module = MLP((2, 2))
    tensors = {"layers.0.weight": np.array([[1.0, 0.0], [-1.0, 0.0]]), "layers.0.bias": np.zeros(2)}  # right and left
    network = Network(module.spec, module.layout(), Network.of(module).placement, tensors)
    x, y = np.array([[0.5, 0.5], [-0.5, 0.5]]), np.eye(2)
    task = TaskSpec("halves", ("x1", "x2"), ("right", "left"), ((-1, 1), (-1, 1)), loss="cross-entropy")
    (panel,) = draw_boundary(Checkpoint(network, task, Probe(x, y, x, y)), x, y).axes.child_axes
    regions = panel.images[0].get_array()
    assert np.ptp(regions[:, :99].reshape(-1, 3), axis=0).max() == 0
    assert not np.array_equal(regions[0, 0], regions[0, -1])
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["right", "left"]


def test_a_boundary_needs_two_inputs_and_classes() -> None:
    from bimt_analyze.plots import draw_boundary
    from bimt_train.checkpoints import Checkpoint, Network, Probe, TaskSpec
    from bimt_train.models import MLP

    x, y = np.zeros((3, 1)), np.zeros((3, 1))
    task = TaskSpec("line", ("x1",), ("y1",), ((-1, 1),))
    checkpoint = Checkpoint(Network.of(MLP((1, 1))), task, Probe(x, y, x, y))
    with pytest.raises(InputError, match="no boundary to draw"):
        draw_boundary(checkpoint, np.zeros((3, 2)), np.zeros((3, 1)))


def test_a_part_is_drawn_as_each_computes_it() -> None:
    from bimt_analyze.plots import draw_part

    x = np.linspace(-1, 1, 30)[:, None]
    (panel,) = draw_part(x, {"network": x[:, 0], "formula": x[:, 0] ** 2}, names=["a"], title="y").axes.child_axes
    assert [line.get_label() for line in panel.get_lines()] == ["network", "formula"]
    np.testing.assert_array_equal(panel.get_lines()[1].get_ydata(), x[:, 0] ** 2)
    assert len(draw_part(np.zeros((5, 4)), {"network": np.zeros(5)}, names=list("abcd")).axes.child_axes) == 3
    with pytest.raises(InputError, match="one name an input"):
        draw_part(x, {}, names=["a", "b"])
