"""A graph of operators, as a file says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Node:
    """One operator of a graph.

    Attributes
    ----------
    kind : str
        The operator.
    inputs, outputs : tuple of str
        Names of values; an input that is left out has no name.
    attributes : mapping of str to object
        Its settings.
    domain : str, default ""
        Whose operator it is, where it is none of ONNX' own.
    """

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    domain: str = ""


@dataclass(frozen=True)
class GraphInput:
    """What a graph is given.

    Attributes
    ----------
    name : str
        Its name.
    shape : tuple of int
        Its shape without the axis of rows; 0 for a length that the file leaves open.
    rows : int
        How many rows the file fixes; 0 where any number may come.
    kind : int
        ONNX' number of its type.
    """

    name: str
    shape: tuple[int, ...]
    rows: int = 0
    kind: int = 1

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers."""
        return self.kind in (6, 7)


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph, as far as the outputs that are looked at depend on it.

    Attributes
    ----------
    nodes : sequence of Node
        Those on which the outputs depend, in order.
    constants : mapping of str to array
        Stored values.
    inputs : tuple of GraphInput
        What it is given.
    outputs : tuple of str
        The values that count.
    version : int
        Of the set of operators.
    where : str
        The file.
    why : str
        Why it is no chain.
    assumed : tuple of str
        What was decided.
    under : str or None
        The output that the key chose, if it did.
    """

    nodes: Sequence[Node]
    constants: Mapping[str, np.ndarray]
    inputs: tuple[GraphInput, ...]
    outputs: tuple[str, ...]
    version: int
    where: str
    why: str = ""
    assumed: tuple[str, ...] = ()
    under: str | None = None
