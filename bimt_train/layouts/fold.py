"""From a tensor and its pattern to a matrix between two groups, and back."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from ._pattern import Pattern


def fold(tensor: Float[np.ndarray, "..."], pattern: Pattern, sizes: Mapping[str, int]) -> Float[np.ndarray, "..."]:
    """Sum a tensor over everything that is not a neuron: copies and free axes.

    With ``t[(k a), b]`` under the pattern ``"(k a) b"`` this is ``m[a, b] = sum_k t[k * n_a + a, b]``. Axes ahead of
    those of the pattern (a stack of seeds) stay. Where only a part of a group indexes an axis, the others have 0.

    Parameters
    ----------
    tensor : array of float
        The tensor, with the axes that the pattern says, and any number of axes ahead of them.
    pattern : Pattern
        What indexes each of its axes.
    sizes : mapping of str to int
        The number of neurons of each group, by the group's name.

    Returns
    -------
    array of float
        ``[..., target, source]`` for two groups, ``[..., neurons]`` for one, ``[...]`` for none.

    Raises
    ------
    PatternError
        The tensor does not fit the pattern.

    Examples
    --------
    >>> from bimt_train.layouts import parse_pattern
    >>> fold(np.arange(4.0).reshape(4, 1), parse_pattern("(2 a) b"), {"a": 2, "b": 1}).ravel()
    array([2., 4.])
    """
    ahead = max(tensor.ndim - len(pattern.axes), 0)
    opened = tensor.reshape(tensor.shape[:ahead] + pattern.open_shape(tensor.shape[ahead:], sizes))
    summed = tuple(ahead + place for place, factor in enumerate(pattern.factors) if not isinstance(factor, str))
    folded = np.asarray(opened.sum(axis=summed) if summed else opened)
    folded = _in_whole_groups(folded, pattern, sizes)
    return folded.swapaxes(-1, -2) if pattern.source_first and len(pattern.groups) == 2 else folded


def spread(
    matrix: Float[np.ndarray, "..."], pattern: Pattern, shape: tuple[int, ...], sizes: Mapping[str, int]
) -> Float[np.ndarray, "..."]:
    """Give every entry of a tensor the value of the neuron pair that it joins: the transpose of `fold`.

    Parameters
    ----------
    matrix : array of float
        ``[..., target, source]``, or ``[..., neurons]`` for one group, or ``[...]`` for none.
    pattern : Pattern
        What indexes each axis of the tensor.
    shape : tuple of int
        The tensor's shape, without leading axes.
    sizes : mapping of str to int
        The number of neurons of each group, by the group's name.

    Returns
    -------
    array of float
        ``[..., *shape]``.

    Raises
    ------
    PatternError
        The shape does not fit the pattern.

    Examples
    --------
    >>> from bimt_train.layouts import parse_pattern
    >>> spread(np.array([[5.0], [7.0]]), parse_pattern("(2 a) b"), (4, 1), {"a": 2, "b": 1}).ravel()
    array([5., 7., 5., 7.])
    """
    opened = pattern.open_shape(shape, sizes)
    found = len(pattern.groups)
    lead = matrix.shape[: matrix.ndim - found]
    if pattern.source_first and found == 2:
        matrix = matrix.swapaxes(-1, -2)
    for place, (_, part) in enumerate(pattern.group_factors(), start=len(lead)):
        matrix = matrix[(slice(None),) * place + (part.neurons,)]
    unit = tuple(size if isinstance(factor, str) else 1 for factor, size in zip(pattern.factors, opened, strict=True))
    return np.broadcast_to(matrix.reshape(lead + unit), lead + opened).reshape(lead + shape)


def _in_whole_groups(
    folded: Float[np.ndarray, "..."], pattern: Pattern, sizes: Mapping[str, int]
) -> Float[np.ndarray, "..."]:
    """Zeros for the neurons of each group that the pattern leaves out, its groups in the order of the axes."""
    parts = [part for _, part in pattern.group_factors()]
    if all(part.stop is None for part in parts):
        return folded
    own = range(folded.ndim - len(parts), folded.ndim)
    around = [(0, 0)] * folded.ndim
    for axis, part in zip(own, parts, strict=True):
        around[axis] = (part.start, sizes[part.group] - part.start - folded.shape[axis])
    return np.pad(folded, around)
