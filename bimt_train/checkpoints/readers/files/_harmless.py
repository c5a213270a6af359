"""What training scripts put beside weights, read without what it stands for: single numbers, arguments, paths."""

from collections.abc import Callable
from typing import Any

import numpy as np

_NUMBERS = {"f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "b1"}


class Held:
    """In the place of an object: what it was made of is dropped, and nothing is run."""

    def __init__(self, *given: object, **named: object) -> None:
        self.code = given[0] if given and isinstance(given[0], str) else ""

    def __setstate__(self, state: object) -> None:
        """Drop the state."""


def number(kind: object, content: object = b"") -> float | None:
    """One number of numpy from its ``kind`` and the bytes of its ``content``, as its pickle says them; else None."""
    code = kind.code if isinstance(kind, Held) else ""
    if code not in _NUMBERS or not isinstance(content, bytes) or len(content) != np.dtype(code).itemsize:
        return None
    return float(np.frombuffer(content, code)[0])


HARMLESS: tuple[tuple[Callable[..., Any], str], ...] = (
    (number, "numpy._core.multiarray.scalar"),
    (number, "numpy.core.multiarray.scalar"),
    (Held, "numpy.dtype"),
    (Held, "argparse.Namespace"),
    (Held, "pathlib.PosixPath"),
    (Held, "pathlib.WindowsPath"),
    (Held, "pathlib._local.PosixPath"),
)
"""What stands in the place of each name in a pickle; torch's reader calls these, and nothing of the file."""
