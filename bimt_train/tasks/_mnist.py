"""Handwritten digits, read from the standard IDX files in a folder that the user names."""

import gzip
import struct
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from .._errors import TaskError
from ..checkpoints._task_spec import TaskSpec
from ..models._model_spec import ModelSpec
from ._task import Dataset, Task
from ._tasks import TASKS

SIDE = 28
CLASSES = tuple(f"digit{k}" for k in range(10))
SETS = (("t10k", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
        ("train", "train-images-idx3-ubyte", "train-labels-idx1-ubyte"))  # fmt: skip
HINT = (
    "put train-images-idx3-ubyte and train-labels-idx1-ubyte (or those of t10k) there, gzipped or not, "
    "or name their folder: --data FOLDER"
)


@dataclass(frozen=True, eq=False)
class DigitSampler:
    """Images and digits of a folder: those of the training files where they are there, else of the test files.

    With both, seeds differ in nothing but their weights: the files' own split is kept. With one file, seed s trains
    on the first 80 % of ``np.random.default_rng(s).permutation(images)``.

    Attributes
    ----------
    folder : Path
        Where the IDX files lie.
    """

    folder: Path

    @cached_property
    def _files(self) -> dict[str, tuple[UInt8[np.ndarray, "images pixels"], UInt8[np.ndarray, " images"]]]:
        found = {}
        for name, images, labels in SETS:
            paths = [_present(self.folder, each) for each in (images, labels)]
            if all(paths):
                found[name] = (read_idx(paths[0]).reshape(-1, SIDE * SIDE), read_idx(paths[1]))
        if not found:
            raise TaskError("no MNIST files", where=str(self.folder), hint=HINT)
        return found

    def __call__(self, seed: int) -> Dataset:
        """The data of one seed: pixels from 0 to 1, one-hot digits."""
        files = self._files
        if len(files) == 2:
            sets = [files["train"], files["t10k"]]
        else:
            (images, labels), *_ = files.values()
            order = np.random.default_rng(seed).permutation(len(images))
            split = np.split(order, [round(0.8 * len(order))])
            sets = [(images[part], labels[part]) for part in split]
        (x, y), (x_test, y_test) = ((images / 255.0, np.eye(10)[labels]) for images, labels in sets)
        return Dataset(x, y, x_test, y_test)

    def check(self) -> None:
        """Raise TaskError unless the files are there."""
        _ = self._files


def _present(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def read_idx(path: Path | None) -> UInt8[np.ndarray, "..."]:
    """The bytes of an IDX file, gzipped or not, in the shape that its head names.

    Parameters
    ----------
    path : Path or None
        The file; not None, which stands for a file that is not there.

    Returns
    -------
    array of uint8
        The values.

    Raises
    ------
    TaskError
        It is no IDX file, or it breaks off.
    """
    assert path is not None
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        zero, kind, axes = struct.unpack(">HBB", content[:4])
        shape = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
    except (OSError, EOFError, struct.error) as error:
        raise TaskError("a file that cannot be read", where=str(path), got=str(error), hint="fetch it anew") from None
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * axes)
    if zero != 0 or kind != 8 or values.size != int(np.prod(shape)):
        expected = f"unsigned bytes of shape {list(shape)}"
        raise TaskError("no IDX file", where=str(path), expected=expected, got=f"{values.size} bytes")
    return values.reshape(shape)


@TASKS.register(
    "mnist",
    label="MNIST",
    sentence="Handwritten digits from images of 28 x 28 pixels.",
    reads="a folder of IDX files",
    seconds=5,
)
def mnist(folder: str | Path = "data/mnist", *, hidden: tuple[int, ...] = (100, 100)) -> Task:
    """Digits from images of 28 x 28 pixels, by squared error on one-hot targets, as in the paper.

    Parameters
    ----------
    folder : str or Path
        Where the IDX files lie.
    hidden : tuple of int
        Neurons of the hidden layers, each a square grid.

    Returns
    -------
    Task
        The task, with ten classes.

    Raises
    ------
    TaskError
        The files are not there, with what to put where.

    References
    ----------
    Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability",
    arXiv 2305.08746, section 3.4.

    Examples
    --------
    >>> import numpy as np, pathlib, struct, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name, shape in (("images-idx3", (10, 28, 28)), ("labels-idx1", (10,))):
    ...     head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    ...     written = (folder / f"train-{name}-ubyte").write_bytes(head + bytes(int(np.prod(shape))))
    >>> mnist(folder).data(0).x_train.shape
    (8, 784)
    """
    sampler = DigitSampler(Path(folder))
    sampler.check()
    pixels = tuple(f"r{r}c{c}" for r in range(SIDE) for c in range(SIDE))
    spec = TaskSpec("mnist", pixels, CLASSES, ((0, 1),) * len(pixels), classes=True)
    options = {"widths": [SIDE * SIDE, *hidden, 10], "image": [SIDE, SIDE], "activation": "silu"}
    return Task(spec, ModelSpec("image-mlp", options), sampler)
