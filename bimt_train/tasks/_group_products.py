"""Groups as tasks: a table of products to be completed (arXiv 2305.08746, section 3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
from jaxtyping import Int64

from .._errors import TaskError
from ..checkpoints._task_spec import TaskSpec
from ..models._model_spec import ModelSpec
from ._task import Dataset, Task
from ._tasks import TASKS

EMBEDDING = 32
TRAINING = 0.8  # share of all pairs


@dataclass(frozen=True, eq=False)
class ProductSampler:
    """All pairs of elements with their product, one-hot; a share of them set aside for testing, by the seed.

    Seed s trains on the first round(0.8 n^2) of ``np.random.default_rng(s).permutation(n^2)``.

    Attributes
    ----------
    products : array of int, [n, n]
        The number of the product a b.
    """

    products: Int64[np.ndarray, "elements elements"]

    def __call__(self, seed: int) -> Dataset:
        """The data of one seed."""
        n = len(self.products)
        x = np.stack(np.meshgrid(np.arange(n), np.arange(n), indexing="ij"), axis=2).reshape(-1, 2).astype(np.float64)
        y = np.eye(n)[self.products.ravel()]
        order = np.random.default_rng(seed).permutation(n * n)
        train, test = np.split(order, [round(TRAINING * n * n)])
        return Dataset(x[train], y[train], x[test], y[test])


@TASKS.register(
    "modular-addition", label="modular addition", sentence="The sum of two numbers below 59, modulo 59.", seconds=5
)
def modular_addition(p: int = 59) -> Task:
    """The sum of two numbers modulo p, from all pairs of numbers below p.

    Parameters
    ----------
    p : int
        The modulus, 2 or more.

    Returns
    -------
    Task
        The task, with one class for each number; 80 % of the pairs are for training.

    Raises
    ------
    TaskError
        ``p`` is below 2.

    References
    ----------
    Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability",
    arXiv 2305.08746, section 3.3.

    Examples
    --------
    >>> modular_addition(5).data(0).x_train.shape
    (20, 2)
    """
    if p < 2:
        raise TaskError("a modulus below 2", where="modular_addition", expected="2 or more", got=str(p))
    numbers = np.arange(p)
    return _task("modular-addition", (numbers[:, None] + numbers) % p, [f"c{k}" for k in range(p)], (50, 50))


@TASKS.register(
    "permutation-s4", label="permutations S4", sentence="The product of two permutations of four things.", seconds=5.6
)
def permutation_s4() -> Task:
    """The product a b of two permutations of four things, b applied first.

    Classes are named by what they do to 0123: p1032 exchanges the first two and the last two.

    Returns
    -------
    Task
        The task, with 24 classes; 80 % of the 576 pairs are for training.

    References
    ----------
    Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability",
    arXiv 2305.08746, section 3.3.

    Examples
    --------
    >>> permutation_s4().spec.outputs[:2]
    ('p0123', 'p0132')
    """
    elements = s4_elements()
    number = {element: k for k, element in enumerate(elements)}
    products = np.array([[number[tuple(a[i] for i in b)] for b in elements] for a in elements], dtype=np.int64)
    return _task("permutation-s4", products, ["p" + "".join(map(str, e)) for e in elements], (50, 50))


@cache
def s4_elements() -> tuple[tuple[int, ...], ...]:
    """The 24 permutations of four things in the order of their numbers: element e sends i to e[i].

    Returns
    -------
    tuple of tuple of int
        For each element, what 0, 1, 2 and 3 are sent to.

    Examples
    --------
    >>> s4_elements()[1]
    (0, 1, 3, 2)
    """
    return tuple(permutations(range(4)))


def _task(name: str, products: Int64[np.ndarray, "n n"], classes: Sequence[str], hidden: tuple[int, ...]) -> Task:
    n = len(products)
    ranges = ((0, n - 1), (0, n - 1))
    spec = TaskSpec(name, ("a", "b"), tuple(classes), ranges, loss="cross-entropy")
    options = {"tokens": n, "copies": 2, "embedding": EMBEDDING, "widths": [*hidden, n], "activation": "silu"}
    return Task(spec, ModelSpec("embedding-mlp", options), ProductSampler(products.astype(np.int64)))
