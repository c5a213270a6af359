"""A transformer that computes a program, with the variables of the program as its modules."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from ..graph import NodeId
from ._synthetic_network import Specimen


@dataclass(frozen=True)
class Variable:
    """A variable of a program, a subspace of the residual stream.

    Attributes:
        name: of the variable.
        meaning: what its values are.
        positions: of the stream; position k holds value k, one-hot or as a number.
        writer: what computes it: ("embedding", 0), ("positions", 0), (group, head) for a head of an attention, and
            (group, 0) for all neurons of an MLP.
        reads: the variables that the writer reads; for a head those of query, key and value, in this order.
    """

    name: str
    meaning: str
    positions: tuple[int, ...]
    writer: NodeId
    reads: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Program(Specimen):
    """A specimen whose modules are the variables of a program.

    Attributes:
        variables: in the order of computation; variable k is module k.
    """

    variables: tuple[Variable, ...]

    def run(self, x: Float64[np.ndarray, "rows length"]) -> Int64[np.ndarray, "rows length"]:
        """What the network answers at each token: its only output rounded, or the number of its largest."""
        y = self.network.predict(x)
        return y[..., 0].round().astype(np.int64) if y.shape[-1] == 1 else y.argmax(-1)
