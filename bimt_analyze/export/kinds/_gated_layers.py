"""Gated layers one after the other, then a linear one."""

from itertools import count, takewhile

import numpy as np

from bimt_train.checkpoints import Network

from .._compactions import COMPACTIONS
from ..layers._dense_layer import DenseLayer
from ..layers._gated_layer import GatedLayer
from ..layers._layer import Layer


@COMPACTIONS.register("gated-mlp", label="gated MLP", sentence="Two products a layer, and a linear layer at the end.")
def gated_layers(network: Network) -> tuple[Layer, ...]:
    """The gated layers of a gated ``network``, and the layer that writes its outputs."""
    tensors = {name: array.astype(np.float32) for name, array in network.tensors.items()}
    activation = network.model.options["activation"]
    gated = [
        GatedLayer(
            gate=tensors[f"gates.{number}.weight"],
            gate_bias=tensors[f"gates.{number}.bias"],
            up=tensors[f"ups.{number}.weight"],
            up_bias=tensors[f"ups.{number}.bias"],
            activation=activation,
        )
        for number in takewhile(lambda number: f"gates.{number}.weight" in tensors, count())
    ]
    return (*gated, DenseLayer(tensors["write.weight"], tensors["write.bias"], "identity"))
