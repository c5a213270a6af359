"""Networks of layers one after the other, over numbers or over tokens."""

import numpy as np

from bimt_train.checkpoints import Network
from bimt_train.models.from_spec import options_of

from .._compactions import COMPACTIONS
from ..layers._dense_layer import DenseLayer
from ..layers._layer import Layer
from ..layers._lookup import Lookup

_SENTENCE = "A product and an activation for each layer."


@COMPACTIONS.register(
    "embedding-mlp", label="MLP over tokens", sentence="Vectors of tokens, then a product and an activation a layer."
)
@COMPACTIONS.register("image-mlp", label="image MLP", sentence=_SENTENCE)
@COMPACTIONS.register("mlp", label="MLP", sentence=_SENTENCE)
def dense_layers(network: Network) -> tuple[Layer, ...]:
    """The layers of a network that is nothing else."""
    options = options_of(network.model)
    found = None if options is None else options.dense_layers()
    assert found is not None
    layers: list[Layer] = []
    if found.tokens:
        table = network.tensors["embedding.weight"].astype(np.float32)
        reader, column = np.divmod(np.arange(found.copies * table.shape[1]), table.shape[1])
        layers.append(Lookup(table, reader, column, found.copies))
    count = len(found.widths) - 1
    for number in range(count):
        weight, bias = (network.tensors[f"layers.{number}.{what}"].astype(np.float32) for what in ("weight", "bias"))
        layers.append(DenseLayer(weight, bias, found.activation if number < count - 1 else found.final))
    return tuple(layers)
