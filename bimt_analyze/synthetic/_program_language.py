"""Programs over sequences, written as selectors, aggregations and lookups of variables, before they are weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float64

Matrix = Float64[np.ndarray, "_ _"]


@dataclass(frozen=True, eq=False)
class Head:
    """An attention head: each token takes the mean of ``value`` over the tokens that it selects, at least one.

    Attributes
    ----------
    writes : str
        Name of the variable computed, as large as the value.
    query : str
        Name of the variable that the asking token gives, one-hot.
    key : str
        Name of the variable that the other tokens give, one-hot.
    value : str
        Name of the variable that is averaged.
    selects : array of bool, shape (keys, queries)
        Whether this key is selected by this query.
    """

    writes: str
    query: str
    key: str
    value: str
    selects: Bool[np.ndarray, "keys queries"]

    @property
    def reads(self) -> tuple[str, str, str]:
        """Query, key and value."""
        return self.query, self.key, self.value


@dataclass(frozen=True, eq=False)
class Neurons:
    """An MLP: ``writes = out ReLU(sum_v read_v v + bias)`` at each token.

    Attributes
    ----------
    writes : str
        Name of the variable computed.
    read : mapping of str to array of float64
        Name of each variable read -> matrix of shape (neurons, values).
    bias : array of float64, shape (neurons,)
        One number a neuron.
    out : array of float64
        Matrix of shape (values, neurons).
    """

    writes: str
    read: Mapping[str, Matrix]
    bias: Float64[np.ndarray, " neurons"]
    out: Matrix

    @property
    def reads(self) -> tuple[str, ...]:
        """The variables read."""
        return tuple(self.read)


@dataclass(frozen=True, eq=False)
class Source:
    """A program before it is compiled.

    Attributes
    ----------
    meanings : mapping of str to str
        Variable -> what its values are, in the order of computation; the first two are the token and its position, and
        the last is the answer.
    sizes : mapping of str to int
        Variable -> how many values it has.
    parts : tuple of tuple of Head or Neurons
        An attention as its heads, an MLP as its neurons.
    """

    meanings: Mapping[str, str]
    sizes: Mapping[str, int]
    parts: tuple[tuple[Head, ...] | Neurons, ...]


def histogram(vocabulary: int, length: int) -> Source:
    """Program: how often this token occurs in the sequence.

    Parameters
    ----------
    vocabulary : int
        Number of tokens.
    length : int
        Length of the sequences.

    Returns
    -------
    Source
        The program.
    """
    meanings = {
        "token": "which token stands here, one-hot",
        "position": "where, one-hot",
        "same": "for each position, its share among those with this token",
        "count": "how many these are",
    }
    sizes = {"token": vocabulary, "position": length, "same": length, "count": 1}
    return Source(meanings, sizes, _counted(vocabulary, length))


def reverse(vocabulary: int, length: int) -> Source:
    """Program: the sequence backwards.

    Parameters
    ----------
    vocabulary : int
        Number of tokens.
    length : int
        Length of the sequences.

    Returns
    -------
    Source
        The program.
    """
    meanings = {
        "token": "which token stands here, one-hot",
        "position": "where, one-hot",
        "opposite": "the position as far from the end as this one from the beginning, one-hot",
        "answer": "the token there, one-hot",
    }
    sizes = {"token": vocabulary, "position": length, "opposite": length, "answer": vocabulary}
    every = np.eye(length)
    turned = Neurons("opposite", {"position": every}, np.zeros(length), every[::-1].copy())
    fetched = Head("answer", "opposite", "position", "token", every > 0)
    return Source(meanings, sizes, (turned, (fetched,)))


def sort_by_frequency(vocabulary: int, length: int) -> Source:
    """Program: the tokens of the sequence, most frequent first; of equally frequent ones, in the order of the sequence.

    Parameters
    ----------
    vocabulary : int
        Number of tokens.
    length : int
        Length of the sequences.

    Returns
    -------
    Source
        The program.
    """
    meanings = {
        "token": "which token stands here, one-hot",
        "position": "where, one-hot",
        "same": "for each position, its share among those with this token",
        "count": "how many these are",
        "frequency": "the count, one-hot",
        "at_least": "for each position, its share among those with a count of at least this one",
        "equal": "for each position, its share among those with this count",
        "rank": "how many come before this token in the sorted sequence, itself included",
        "target": "the rank, one-hot",
        "answer": "the token of which this position is the target, one-hot",
    }
    n = length
    sizes = {"token": vocabulary, "position": n, "same": n, "count": 1, "frequency": n}
    sizes |= {"at_least": n, "equal": n, "rank": 1, "target": n, "answer": vocabulary}
    order = np.arange(n)
    compared = (
        Head("at_least", "frequency", "frequency", "position", order[:, None] >= order),
        Head("equal", "frequency", "frequency", "position", order[:, None] == order),
    )
    # the rank is how many have at least this count, less how many of equal count stand behind
    behind = (order[:, None] > order).astype(np.float64)
    shares = n * np.eye(n)
    reads = {
        "at_least": np.concatenate([shares, np.zeros((n - 1, n))]),
        "equal": np.concatenate([np.zeros((n, n)), shares[1:]]),  # position 0 is behind none
        "position": np.concatenate([np.zeros((n, n)), n * (behind[1:] - 1)]),
    }
    ranked = _steps("rank", reads, np.concatenate([np.ones(n), -np.ones(n - 1)]))
    fetched = Head("answer", "position", "target", "token", np.eye(n) > 0)
    parts = (_one_hot("frequency", "count", n), compared, ranked, _one_hot("target", "rank", n), (fetched,))
    return Source(meanings, sizes, (*_counted(vocabulary, length), *parts))


def _counted(vocabulary: int, length: int) -> tuple[tuple[Head, ...], Neurons]:
    """Select the positions with this token, and count them."""
    same = Head("same", "token", "token", "position", np.eye(vocabulary) > 0)
    return (same,), _steps("count", {"same": length * np.eye(length)}, np.ones(length))


def _steps(writes: str, read: Mapping[str, Matrix], signs: Float64[np.ndarray, " steps"]) -> Neurons:
    """The sum of signed steps, each 0 where what is read is 0 or less and 1 where it is 1 or more.

    ReLU(2 z - 1/2) - ReLU(2 z - 3/2) is flat there, so that what softmax leaves of the unselected is gone.
    """
    doubled = {name: np.repeat(2 * matrix, 2, axis=0) for name, matrix in read.items()}
    return Neurons(writes, doubled, np.tile([-0.5, -1.5], len(signs)), np.kron(signs, [1.0, -1.0])[None])


def _one_hot(writes: str, number: str, size: int) -> Neurons:
    """A whole number from 1 to size as one-hot: second differences of ReLU(number - 0), ReLU(number - 1), ..."""
    up, bend = np.eye(size), np.eye(size, k=1)
    out = up - 2 * bend + np.eye(size, k=2)
    return Neurons(writes, {number: np.ones((size, 1))}, -np.arange(float(size)), out)


PROGRAMS: Mapping[str, Callable[[int, int], Source]] = MappingProxyType(
    {"histogram": histogram, "reverse": reverse, "sort_by_frequency": sort_by_frequency}
)
"""Name -> the program for so many tokens and so long sequences."""
