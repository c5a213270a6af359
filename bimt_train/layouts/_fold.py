"""The one shape function: a tensor and its pattern -> a matrix between two groups, and back."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from ._pattern import Pattern


def fold(tensor: Float[np.ndarray, "..."], pattern: Pattern, sizes: Mapping[str, int]) -> Float[np.ndarray, "..."]:
    """Sum a tensor over everything that is not a neuron: copies and free axes.

    With ``t[(k a), b]`` under the pattern ``"(k a) b"`` this is ``m[a, b] = sum_k t[k * n_a + a, b]``. Axes ahead of
    those of the pattern (a stack of seeds) stay.

    Returns:
        ``[..., target, source]`` for two groups, ``[..., neurons]`` for one, ``[...]`` for none.

    Raises:
        PatternError: the tensor does not fit the pattern.
    """
    ahead = max(tensor.ndim - len(pattern.axes), 0)
    opened = tensor.reshape(tensor.shape[:ahead] + pattern.open_shape(tensor.shape[ahead:], sizes))
    summed = tuple(ahead + place for place, factor in enumerate(pattern.factors) if not isinstance(factor, str))
    folded = np.asarray(opened.sum(axis=summed) if summed else opened)
    return folded.swapaxes(-1, -2) if pattern.source_first and len(pattern.groups) == 2 else folded


def spread(
    matrix: Float[np.ndarray, "..."], pattern: Pattern, shape: tuple[int, ...], sizes: Mapping[str, int]
) -> Float[np.ndarray, "..."]:
    """The transpose of `fold`: give every entry of a tensor the value of the neuron pair that it joins.

    Args:
        matrix: ``[..., target, source]``, ``[..., neurons]`` for one group, ``[...]`` for none.
        pattern: of the tensor.
        shape: of the tensor, without leading axes.
        sizes: group name -> neurons.

    Returns:
        An array of ``[..., *shape]``.
    """
    opened = pattern.open_shape(shape, sizes)
    found = len(pattern.groups)
    lead = matrix.shape[: matrix.ndim - found]
    if pattern.source_first and found == 2:
        matrix = matrix.swapaxes(-1, -2)
    unit = tuple(size if isinstance(factor, str) else 1 for factor, size in zip(pattern.factors, opened, strict=True))
    return np.broadcast_to(matrix.reshape(lead + unit), lead + opened).reshape(lead + shape)
