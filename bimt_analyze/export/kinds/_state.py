"""A state that reads a sequence step by step, and is read at the last."""

import numpy as np

from bimt_train.checkpoints import Network

from .._compactions import COMPACTIONS
from ..layers._dense_layer import DenseLayer
from ..layers._layer import Layer
from ..layers._recurrent import Recurrent


@COMPACTIONS.register("rnn", label="recurrent network", sentence="Two products a step, and one at the end.")
def state(network: Network) -> tuple[Layer, ...]:
    """The state of a recurrent ``network``, and the layer that reads it."""
    tensors = {name: array.astype(np.float32) for name, array in network.tensors.items()}
    options = network.model.options
    recurrent = Recurrent(
        tensors["read.weight"], tensors["read.bias"], tensors["recur.weight"], options["activation"], options["steps"]
    )
    return recurrent, DenseLayer(tensors["write.weight"], tensors["write.bias"], "identity")
