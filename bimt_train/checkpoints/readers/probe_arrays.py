"""Rows of any shape, from a file of named arrays."""

from pathlib import Path
from typing import Any

from ..._errors import CheckpointError
from ._values import Tensors, Told
from .files._folder import read_weights
from .tensors._arrays import arrays_of


def read_arrays(path: str | Path) -> dict[str, Any]:
    """Read arrays by name: what a module takes, and its targets.

    Parameters
    ----------
    path : str or Path
        An .npz, or any other file that holds arrays by name and nothing else.

    Returns
    -------
    dict of str to array
        Of any shape.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or holds objects.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/rows.npz", x=np.zeros((5, 1, 8, 8)), y=np.zeros(5))
    ...     {name: array.shape for name, array in read_arrays(f"{folder}/rows.npz").items()}
    {'x': (5, 1, 8, 8), 'y': (5,)}
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError("no such file", where=str(path), hint="correct the path")
    found = read_weights(path, Told())
    if not isinstance(found, Tensors):
        raise CheckpointError("not a file of arrays", where=str(path), expected="an .npz with x and y")
    return arrays_of(found.state)
