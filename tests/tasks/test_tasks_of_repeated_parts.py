"""The pipeline and the pairs of digits, against independent oracles."""

import struct

import numpy as np
import pytest

from bimt_train import TaskError
from bimt_train.tasks import pipeline, two_digits


def test_each_stage_adds_its_own_to_half_of_what_the_one_before_gave():
    data = pipeline(rows=(20, 5)).data(3)
    value = np.zeros(20)
    for stage in range(5):
        wave, gate = data.x_train[:, 2 * stage], data.x_train[:, 2 * stage + 1]
        value = value / 2 + np.sin(np.pi * wave) * gate
        np.testing.assert_allclose(data.y_train[:, stage], value, atol=1e-12)


@pytest.fixture
def folder(tmp_path):
    """Forty images; in image i every pixel of row r and column c is i + 1 where c is even."""
    images = np.zeros((40, 28, 28), np.uint8)
    images[:, :, ::2] = np.arange(1, 41)[:, None, None]
    for name, array in (("images-idx3", images), ("labels-idx1", (np.arange(40) % 10).astype(np.uint8))):
        head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
        (tmp_path / f"t10k-{name}-ubyte").write_bytes(head + array.tobytes())
    return tmp_path


def test_two_images_side_by_side_have_the_digits_of_both(folder):
    task = two_digits(folder)
    data = task.data(0)
    assert (len(data.x_train), len(data.x_test)) == (16, 4)
    used = []
    for row, y in zip(
        np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test]), strict=True
    ):
        image = np.rint(row.reshape(28, 56) * 255).astype(int)
        left, right = image[0, 0] - 1, image[0, 28] - 1
        assert (image[:, 0:28:2] == left + 1).all() and (image[:, 28::2] == right + 1).all()
        assert [task.spec.outputs[k] for k in np.flatnonzero(y)] == [f"left{left % 10}", f"right{right % 10}"]
        used += [left, right]
    assert sorted(used) == list(range(40))
    assert len(two_digits(folder, pairs=3).data(1).x_train) == 3


def test_two_digits_without_files_is_refused(tmp_path):
    with pytest.raises(TaskError, match="no MNIST files"):
        two_digits(tmp_path)
