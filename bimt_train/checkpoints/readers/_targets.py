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
