"""What is written: a network, its modules and its name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float32

from ._compact_network import CompactNetwork

Run: TypeAlias = Callable[[Float32[np.ndarray, "rows inputs"]], Float32[np.ndarray, "rows *places outputs"]]
"""What a file computes: from rows of the inputs that are left to outputs."""


@dataclass(frozen=True, eq=False)
class Parts:
    """A network to be written.

    Attributes
    ----------
    whole : CompactNetwork
        All of it.
    modules : tuple of CompactNetwork
        Its modules, or itself alone.
    name : str
        What functions are called in the file.
    """

    whole: CompactNetwork
    modules: tuple[CompactNetwork, ...]
    name: str

    def facts(self) -> dict[str, Any]:
        """Inputs, outputs and modules, as plain values."""
        return {
            "columns": self.whole.columns,
            "inputs": [
                {"name": name, "column": at} for name, at in zip(self.whole.inputs, self.whole.reads, strict=True)
            ],
            "outputs": list(self.whole.outputs),
            "modules": [{"inputs": list(one.inputs), "outputs": list(one.outputs)} for one in self.modules],
            "multiply_adds": self.whole.multiply_adds,
            "units": "the network's own, in and out",
        } | ({"kept_whole": self.whole.kept_whole} if self.whole.kept_whole else {})


@dataclass(frozen=True)
class Written:
    """A file's content.

    Attributes
    ----------
    data : bytes
        The file.
    numbers : int
        Bytes of it that are weights, biases and indices.
    """

    data: bytes
    numbers: int


Facts: TypeAlias = Mapping[str, Any]
"""What a file says of itself, as plain values."""
