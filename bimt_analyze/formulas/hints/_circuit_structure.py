"""What a circuit says about one output: which inputs reach it, what is only added, what enters as a weighted sum."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from bimt_train import InputError

from ..problem._structure import Ridge, Structure

_SAME_DIRECTION = 0.995  # cosine from which two weight rows count as proportional


def read_structure(
    weights: Sequence[NDArray[np.floating]],
    *,
    names: Sequence[str],
    output: int,
) -> Structure:
    """The hints that a pruned feed-forward chain gives for one output.

    A neuron counts if it lies on a path from some input to the output. With the output taken away, the neurons and
    inputs that remain fall into connected components: each is an additive term. Neurons of the first layer that read
    several inputs give ridges; proportional rows are merged, weighted by the strength of their rows.

    Parameters
    ----------
    weights : sequence of arrays of shape [n_target, n_source]
        The weight matrices, first layer first, zero where there is no edge; ``weights[0]`` reads the inputs.
    names : sequence of str
        The names of the inputs.
    output : int
        The number of the output.

    Returns
    -------
    Structure
        Inputs, terms and ridges.

    Raises
    ------
    InputError
        For matrices that do not chain.

    Examples
    --------
    >>> first = np.array([[1.0, -1.0, 0.0], [0.0, 0.0, 2.0]])
    >>> found = read_structure([first, np.array([[1.0, 1.0]])], names=["a", "b", "c"], output=0)
    >>> [sorted(term) for term in found.terms], found.ridges
    ([['a', 'b'], ['c']], (Ridge(inputs=('a', 'b'), direction=(1.0, -1.0)),))
    """
    _check(weights, names, output)
    alive = _on_paths(weights, output)
    parent: dict[tuple[int, int], tuple[int, int]] = {}

    def root(node: tuple[int, int]) -> tuple[int, int]:
        while parent.setdefault(node, node) != node:
            node = parent[node]
        return node

    for layer, matrix in enumerate(weights[:-1]):
        for target, source in zip(*np.nonzero(matrix), strict=True):
            if alive[layer + 1][target] and alive[layer][source]:
                parent[root((layer + 1, int(target)))] = root((layer, int(source)))
    groups: dict[tuple[int, int], list[str]] = {}
    for index in map(int, np.flatnonzero(alive[0])):
        groups.setdefault(root((0, int(index))), []).append(names[index])
    terms = sorted((frozenset(group) for group in groups.values()), key=lambda g: (-len(g), sorted(g)))
    used = tuple(names[int(index)] for index in np.flatnonzero(alive[0]))
    ridges = _ridges(np.asarray(weights[0], dtype=np.float64)[alive[1]], names) if len(weights) > 1 else ()
    return Structure(used, tuple(terms), ridges)


def _on_paths(weights: Sequence[NDArray[np.floating]], output: int) -> list[NDArray[np.bool_]]:
    """For every layer, which neurons lie on a path from some input to the output."""
    forward = [np.ones(weights[0].shape[1], dtype=bool)]
    for matrix in weights:
        forward.append((np.asarray(matrix) != 0) @ forward[-1])
    last = np.zeros(len(forward[-1]), dtype=bool)
    last[output] = True
    backward = [last]
    for matrix in reversed(weights):
        backward.append((np.asarray(matrix) != 0).T @ backward[-1])
    return [ahead & behind for ahead, behind in zip(forward, reversed(backward), strict=True)]


def _ridges(rows: Float[np.ndarray, "neurons inputs"], names: Sequence[str]) -> tuple[Ridge, ...]:
    """Weight rows with several inputs, proportional ones merged, heaviest first."""
    merged: list[tuple[NDArray[np.float64], float]] = []
    for row in sorted(rows, key=lambda r: -float(np.linalg.norm(r))):
        norm = float(np.linalg.norm(row))
        if np.count_nonzero(row) < 2:
            continue
        for place, (total, weight) in enumerate(merged):
            cosine = float(row @ total) / (norm * float(np.linalg.norm(total)))
            if abs(cosine) >= _SAME_DIRECTION and np.array_equal(row != 0, total != 0):
                merged[place] = (total + np.sign(cosine) * row, weight + norm)
                break
        else:
            merged.append((row, norm))
    ridges = []
    for total, _ in sorted(merged, key=lambda pair: -pair[1]):
        used = np.flatnonzero(total)
        direction = total[used] / total[used][np.argmax(np.abs(total[used]))]
        ridges.append(Ridge(tuple(names[int(i)] for i in used), tuple(float(v) for v in direction)))
    return tuple(ridges)


def _check(
    weights: Sequence[NDArray[np.floating]],
    names: Sequence[str],
    output: int,
) -> None:
    """Refuse weight matrices that do not chain, and an output that is not there."""
    sizes = [len(names)]
    for layer, matrix in enumerate(weights):
        if np.ndim(matrix) != 2 or np.shape(matrix)[1] != sizes[-1]:
            raise InputError(
                "weights do not chain",
                where=f"weights[{layer}]",
                expected=f"[n_target, {sizes[-1]}]",
                got=str(np.shape(matrix)),
                hint="give matrices as [n_target, n_source], first layer first",
            )
        sizes.append(np.shape(matrix)[0])
    if not weights:
        raise InputError("a chain needs one weight matrix or more", where="read_structure", got="none")
    if not 0 <= output < sizes[-1]:
        raise InputError("no such output", where="read_structure", expected=f"0 to {sizes[-1] - 1}", got=str(output))
