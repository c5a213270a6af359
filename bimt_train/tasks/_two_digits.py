"""Two handwritten digits side by side, made of the images of `mnist`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from ..checkpoints._task_spec import TaskSpec
from ..models._model_spec import ModelSpec
from ._mnist import SIDE, DigitSampler
from ._task import Dataset, Task
from ._tasks import TASKS

OUTPUTS = tuple(f"{side}{digit}" for side in ("left", "right") for digit in range(10))


@dataclass(frozen=True, eq=False)
class PairSampler:
    """Pairs of digits: seed s puts the images of `mnist` into the order of a generator of s, and takes two by two.

    An image is in one pair at most, and images of test pairs are in no training pair.

    Attributes
    ----------
    digits : DigitSampler
        Draws the images.
    pairs : int or None
        Training pairs; None takes as many as there are.
    """

    digits: DigitSampler
    pairs: int | None = None

    def __call__(self, seed: int) -> Dataset:
        """The data of one seed: pixels from 0 to 1, and two one-hot digits."""
        data, rng = self.digits(seed), np.random.default_rng(seed)
        x_train, y_train = _paired(data.x_train, data.y_train, rng)
        x_test, y_test = _paired(data.x_test, data.y_test, rng)
        return Dataset(x_train[: self.pairs], y_train[: self.pairs], x_test, y_test)


def _paired(
    x: Float64[np.ndarray, "images pixels"], y: Float64[np.ndarray, "images digits"], rng: np.random.Generator
) -> tuple[Float64[np.ndarray, "pairs pixels_of_two"], Float64[np.ndarray, "pairs digits_of_two"]]:
    """Two images a row, side by side, and both digits."""
    halves = rng.permutation(len(x))[: len(x) // 2 * 2].reshape(2, -1)
    images = [x[half].reshape(-1, SIDE, SIDE) for half in halves]
    return np.concatenate(images, axis=2).reshape(-1, 2 * SIDE * SIDE), np.concatenate([y[h] for h in halves], axis=1)


@TASKS.register(
    "two-digits",
    label="two digits",
    sentence="Two handwritten digits side by side, each told apart.",
    reads="a folder of IDX files",
)
def two_digits(
    folder: str | Path = "data/mnist", *, hidden: tuple[int, ...] = (100, 100), pairs: int | None = None
) -> Task:
    """Two digits from images of 28 x 56 pixels, by squared error on one-hot targets for each.

    Parameters
    ----------
    folder : str or Path
        Where the IDX files lie, as `mnist` reads them.
    hidden : tuple of int
        Neurons of the hidden layers, each a square grid.
    pairs : int or None
        Training pairs; None takes half as many as there are training images.

    Returns
    -------
    Task
        The task, with ten outputs for each digit.

    Raises
    ------
    TaskError
        The files are not there, with what to put where.

    Examples
    --------
    >>> import pathlib, struct, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name, shape in (("images-idx3", (10, 28, 28)), ("labels-idx1", (10,))):
    ...     head = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    ...     written = (folder / f"train-{name}-ubyte").write_bytes(head + bytes(int(np.prod(shape))))
    >>> data = two_digits(folder).data(0)
    >>> data.x_train.shape, data.y_train.shape
    ((4, 1568), (4, 20))
    """
    digits = DigitSampler(Path(folder))
    digits.check()
    pixels = tuple(f"r{r}c{c}" for r in range(SIDE) for c in range(2 * SIDE))
    spec = TaskSpec("two-digits", pixels, OUTPUTS, ((0, 1),) * len(pixels))
    options = {"widths": [len(pixels), *hidden, len(OUTPUTS)], "image": [SIDE, 2 * SIDE], "activation": "silu"}
    return Task(spec, ModelSpec("image-mlp", options), PairSampler(digits, pairs))
