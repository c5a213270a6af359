"""Tokens to their vectors, side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from jaxtyping import Float32, Int64

from ..c_code._module_code import ModuleCode
from ._layer import Layer, Links

if TYPE_CHECKING:
    from torch import nn

_LOOK_UP = """
/* y[o] = the number in column[o] of the vector of the token in h[reader[o]] */
static void look_up@of(@lane (*h)[@wide], @lane (*y)[@wide], int outputs, int width,
                       const float *table, const uint16_t *reader, const uint16_t *column)
{
    for (int o = 0; o < outputs; o++) {
        const float *token = (const float *)h[reader[o]];
        float *number = (float *)y[o];
        for (int l = 0; l < @rows; l++) number[l] = table[(size_t)token[l] * width + column[o]];
    }
}
"""


@dataclass(frozen=True, eq=False, repr=False)
class Lookup(Layer):
    """For each output, one entry of the vector of one of the tokens that are read.

    Attributes
    ----------
    table : float32 array [tokens, width]
        A vector for each token.
    reader : int64 array [outputs]
        Which input holds the token.
    column : int64 array [outputs]
        Which entry of its vector is given.
    read : int
        How many tokens are read at once.

    Examples
    --------
    >>> layer = Lookup(np.ones((7, 3), np.float32), np.array([0, 0, 1]), np.array([0, 2, 2]), 2)
    >>> layer.taken([0, 1], [0]).table.shape
    (7, 2)
    """

    table: Float32[np.ndarray, "tokens width"]
    reader: Int64[np.ndarray, " outputs"]
    column: Int64[np.ndarray, " outputs"]
    read: int
    shares_inputs = True

    @property
    def inputs(self) -> int:
        """The tokens of a row."""
        return self.read

    @property
    def outputs(self) -> int:
        """Entries given."""
        return len(self.reader)

    def links(self) -> Links:
        """Each output reads one token."""
        return np.asarray(self.reader[:, None] == np.arange(self.read))

    def taken(self, outputs: Sequence[int], inputs: Sequence[int]) -> Self:
        """Some entries; columns of the table that nothing gives any more go."""
        kept = list(outputs)
        columns, column = np.unique(self.column[kept], return_inverse=True)
        reader = np.searchsorted(inputs, self.reader[kept])
        return type(self)(self.table[:, columns], reader.astype(np.int64), column.astype(np.int64), len(inputs))

    def multiply_adds(self) -> int:
        """None: numbers are looked up."""
        return 0

    def to_torch(self) -> "nn.Module":
        """A gather."""
        from ._torch_lookup import LookupModule

        return LookupModule(self.table, self.reader, self.column)

    def to_torch_neurons_first(self) -> "nn.Module":
        """A gather."""
        from ._torch_neurons_first import Picked

        return Picked(self.table, self.reader, self.column)

    def to_c(self, code: ModuleCode) -> None:
        """A loop over what is given."""
        code.helper("look_up", _LOOK_UP)
        target = code.value(self.outputs)
        table = code.array("table", self.table)
        reader, column = (
            code.array(name, array, "uint16_t") for name, array in (("reader", self.reader), ("column", self.column))
        )
        code.say(
            f"look_up@of({code.reads}, {target}, {self.outputs}, {self.table.shape[1]}, {table}, {reader}, {column});"
        )
        code.gives(target, self.outputs)
