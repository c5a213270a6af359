"""Tokens to their vectors, in torch."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._torch_parts import constant


class LookupModule(nn.Module):
    """Each output is one entry of the vector of one of the tokens."""

    def __init__(self, table: np.ndarray, reader: np.ndarray, column: np.ndarray) -> None:
        super().__init__()
        self.table = constant(table)
        self.places: Tensor
        width, copies = table.shape[1], int(reader.max(initial=0)) + 1
        self.whole = np.array_equal(reader * width + column, np.arange(width * copies))
        self.register_buffer("places", torch.tensor(reader * width + column))

    def forward(self, tokens: Float[Tensor, "rows tokens"]) -> Float[Tensor, "rows outputs"]:
        """Look up the vectors of all ``tokens``, numbers of the vocabulary, and take what is given of them."""
        vectors = self.table[tokens.long()].flatten(1)
        return vectors if self.whole else vectors.index_select(1, self.places)
