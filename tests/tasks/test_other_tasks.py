"""Moons, groups and digits: their data against independent oracles."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from sympy.combinatorics import Permutation

from bimt_train import TaskError
from bimt_train.tasks import in_context, mnist, modular_addition, permutation_s4, resolve_task, two_moons
from bimt_train.tasks._group_products import s4_elements


def test_moons_are_two_half_circles_one_class_each() -> None:
    data = two_moons(noise=0.0, rows=(200, 50)).data(0)
    upper, lower = (data.x_train[data.y_train[:, k] == 1] for k in (0, 1))
    np.testing.assert_allclose(np.hypot(*upper.T), 1, atol=1e-12)
    np.testing.assert_allclose(np.hypot(lower[:, 0] - 1, lower[:, 1] - 0.5), 1, atol=1e-12)
    assert len(upper) == len(lower) == 100


def test_moons_differ_by_seed_and_test_points_are_fresh() -> None:
    task = two_moons(rows=(200, 200))
    one, same, other = task.data(3), task.data(3), task.data(4)
    np.testing.assert_array_equal(one.x_train, same.x_train)
    assert not np.isin(one.x_train, other.x_train).any()
    assert not np.isin(one.x_train, one.x_test).any()


@pytest.mark.parametrize("p", [2, 7, 59])
def test_every_pair_is_there_once_with_its_sum(p: int) -> None:
    data = modular_addition(p).data(1)
    x, y = np.concatenate([data.x_train, data.x_test]), np.concatenate([data.y_train, data.y_test])
    assert len({tuple(row) for row in x}) == len(x) == p * p
    assert (y.argmax(1) == x.sum(1) % p).all()
    assert len(data.x_train) == round(0.8 * p * p)


def test_the_products_of_s4_are_those_of_sympy() -> None:
    task = permutation_s4()
    data = task.data(0)
    elements = s4_elements()
    for (a, b), y in zip(data.x_test.astype(int), data.y_test, strict=True):
        # sympy multiplies from left to right: first b, then a
        product = Permutation(list(elements[b])) * Permutation(list(elements[a]))
        assert task.spec.outputs[y.argmax()] == "p" + "".join(map(str, product.array_form))


def test_the_last_token_continues_the_line_of_the_first_pair() -> None:
    data = in_context(rows=(50, 10)).data(0)
    (x1, y1, x2), y2 = data.x_train.T, data.y_train[:, 0]
    np.testing.assert_allclose(y2 * x1, y1 * x2, atol=1e-12)
    assert np.abs(data.x_train).max() <= 1


@pytest.mark.parametrize("p", [1, 0])
def test_a_modulus_below_two_is_refused(p: int) -> None:
    with pytest.raises(TaskError, match="a modulus below 2"):
        modular_addition(p)


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.astype(np.uint8).tobytes()


def folder(path: Path, *, packed: bool, sets: tuple[str, ...] = ("t10k",)) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (20, 28, 28)), rng.integers(0, 10, 20)
    for name in sets:
        for kind, values in (("images-idx3", images), ("labels-idx1", labels)):
            content, end = idx(values), ".gz" if packed else ""
            (path / f"{name}-{kind}-ubyte{end}").write_bytes(gzip.compress(content) if packed else content)
    return images, labels


@pytest.mark.parametrize("packed", [False, True])
def test_digits_are_read_packed_or_not(tmp_path: Path, packed: bool) -> None:
    images, labels = folder(tmp_path, packed=packed)
    data = resolve_task("mnist", data=tmp_path).data(0)
    assert data.x_train.shape == (16, 784)
    order = np.random.default_rng(0).permutation(20)
    np.testing.assert_array_equal(data.x_train * 255, images[order[:16]].reshape(16, -1))
    np.testing.assert_array_equal(data.y_test.argmax(1), labels[order[16:]])


def test_with_both_sets_the_files_own_split_is_kept(tmp_path: Path) -> None:
    images, labels = folder(tmp_path, packed=True, sets=("train", "t10k"))
    data = mnist(tmp_path).data(5)
    np.testing.assert_array_equal(data.x_train * 255, images.reshape(20, -1))
    np.testing.assert_array_equal(data.y_test.argmax(1), labels)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "a file that cannot be read"),
        (idx(np.zeros((20, 28, 28)))[:-1], "no IDX file.*unsigned bytes of shape"),
        (b"\x00\x00\x0d\x01" + bytes(8), "no IDX file"),
    ],
)
def test_files_that_are_no_images_are_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    folder(tmp_path, packed=False)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(content)
    with pytest.raises(TaskError, match=said) as refused:
        mnist(tmp_path)
    assert "t10k-images" in str(refused.value)


def test_a_folder_is_for_digits_alone(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match="a task that reads no files"):
        resolve_task("two-moons", data=tmp_path)
