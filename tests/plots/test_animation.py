"""The film of a training: it begins and ends with the networks that were kept, and neurons glide between slots."""

import numpy as np
import pytest
from PIL import Image

from bimt_analyze import plots
from bimt_analyze.plots.networks._animation import HOLD, _between
from bimt_analyze.plots.networks._unroll import unroll
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import MLP
from bimt_train.training import Snapshot


def snapshots() -> tuple[Snapshot, Snapshot]:
    network = Network.of(MLP([2, 4, 1]))
    moved = network.with_placement(network.placement.moved("h1", (3, 2, 0, 1)))
    return Snapshot(0, network), Snapshot(60, moved.with_tensors({"layers.0.weight": np.zeros((4, 2), np.float32)}))


def test_a_film_is_written_and_ends_with_the_last_network(tmp_path) -> None:
    axes = plots.blank_axes(3.0, 2.0)
    film = plots.animate_training(snapshots(), frames=4, partition=[{("h1", 2)}], ax=axes)
    film.save(tmp_path / "t.gif", writer="pillow", dpi=40)
    with Image.open(tmp_path / "t.gif") as picture:
        assert 4 <= picture.n_frames <= 4 * (1 + HOLD)
    assert axes.get_title(loc="right") == "step 60"
    (dots,) = (c for c in axes.collections if c.get_gid() == "neurons-h1")
    assert np.allclose(dots.get_offsets()[:, 0], (np.array([3, 2, 0, 1]) + 0.5) / 4)
    (edges,) = (c for c in axes.collections if c.get_gid() == "edges-x-h1")
    assert not len(edges.get_segments())


def test_half_way_is_half_way() -> None:
    first, last = (s.network for s in snapshots())
    network, rows = _between(first, last, 0.5, unroll(first.layout))
    assert np.allclose(network.tensors["layers.0.weight"], first.tensors["layers.0.weight"] / 2)
    assert np.allclose(rows["h1"].points[:, 0], (np.array([1.5, 1.5, 1.0, 2.0]) + 0.5) / 4)


def test_one_snapshot_is_no_film() -> None:
    with pytest.raises(InputError, match="no film can be made"):
        plots.animate_training(snapshots()[:1])
    other = Snapshot(9, Network.of(MLP([2, 5, 1])))
    with pytest.raises(InputError, match="of one layout"):
        plots.animate_training([snapshots()[0], other])
