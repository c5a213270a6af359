"""Targets as people have them: one column without its axis, truth values, classes by their words."""

from typing import Any

import numpy as np
from jaxtyping import Float64

from ..._errors import CheckpointError


def targets_of(y: Any) -> tuple[Float64[np.ndarray, "rows *axes"] | None, tuple[str, ...]]:
    """Targets as numbers, a column for each.

    Parameters
    ----------
    y : array or Tensor of shape (rows, ...), or None
        Numbers, truth values, or words of classes.

    Returns
    -------
    targets : array of float, shape (rows, ...), or None
        A lone column has an axis of its own; words are numbered in alphabetical order.
    assumed : tuple of str
        How words were numbered.

    Raises
    ------
    CheckpointError
        Several columns of words.

    Examples
    --------
    >>> targets_of(["no", "yes", "no"])[0].tolist()
    [[0.0], [1.0], [0.0]]
    """
    if y is None:
        return None, ()
    array = np.asarray(y.detach().cpu() if hasattr(y, "detach") else y)
    array = array[:, None] if array.ndim == 1 else array
    try:
        return array.astype(np.float64), ()
    except (TypeError, ValueError):
        pass
    if array.shape[1:] != (1,):
        got, hint = f"shape {array.shape}", "give one column of words, or number the classes"
        raise CheckpointError("targets that are no numbers", where="y", expected="numbers", got=got, hint=hint)
    words, numbers = np.unique(array.astype(str), return_inverse=True)
    said = ", ".join(f"{word!r} is {number}" for number, word in enumerate(words.tolist()[:6]))
    said = f"targets: classes by their words, in alphabetical order: {said}{', ...' * (len(words) > 6)}"
    return numbers.reshape(array.shape).astype(np.float64), (said,)


def numbered_classes(
    y: Float64[np.ndarray, "rows targets"] | None, outputs: int
) -> tuple[Float64[np.ndarray, "rows targets"] | None, tuple[str, ...]]:
    """Classes numbered from 0, where one column has as many whole numbers as there are outputs, but others.

    Parameters
    ----------
    y : array of float, shape (rows, targets), or None
        The targets.
    outputs : int
        How many outputs the network has.

    Returns
    -------
    targets : array of float, shape (rows, targets), or None
        With the classes numbered in the order of their numbers; else as they are.
    assumed : tuple of str
        How they were numbered.

    Examples
    --------
    >>> numbered_classes(np.array([[1.0], [-1.0], [1.0]]), 2)
    (array([[1.],
           [0.],
           [1.]]), ('targets: classes in the order of their numbers: -1 is 0, 1 is 1',))
    """
    if y is None or outputs < 2 or y.shape[1:] != (1,) or not np.isfinite(y).all():
        return y, ()
    classes, numbers = np.unique(y, return_inverse=True)
    plain = np.array_equal(classes, np.arange(outputs))
    if plain or len(classes) != outputs or (classes != np.floor(classes)).any():
        return y, ()
    said = ", ".join(f"{value:g} is {number}" for number, value in enumerate(classes[:6].tolist()))
    said = f"targets: classes in the order of their numbers: {said}{', ...' * (outputs > 6)}"
    return numbers.reshape(y.shape).astype(np.float64), (said,)
