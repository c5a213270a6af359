"""A network's layers with the owner of every neuron, in an order that is easy to write; disguised, it is a specimen."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float64

from bimt_train.checkpoints import Network
from bimt_train.models import MLP

from ._draws import factors, streams
from ._synthetic_network import Specimen


@dataclass(frozen=True, eq=False)
class Layer:
    """``W h + b``."""

    weight: Float64[np.ndarray, "targets sources"]
    bias: Float64[np.ndarray, " targets"]


@dataclass(frozen=True, eq=False)
class Blueprint:
    """A ReLU network before its neurons are mixed up.

    Attributes:
        layers: from the inputs to the outputs; ReLU between them.
        owners: for inputs, hidden layers and outputs, each neuron's module.
        x: rows to run it on.
    """

    layers: tuple[Layer, ...]
    owners: tuple[tuple[int | None, ...], ...]
    x: Float64[np.ndarray, "rows inputs"]

    def network(self) -> Network:
        """The network, in double precision."""
        widths = [self.x.shape[1], *(len(layer.bias) for layer in self.layers)]
        # drawn from a generator of its own, so that torch's global one is left alone
        blank = Network.of(MLP(widths, "relu", generator=torch.Generator()))
        weights = {f"layers.{n}.weight": layer.weight for n, layer in enumerate(self.layers)}
        biases = {f"layers.{n}.bias": layer.bias for n, layer in enumerate(self.layers)}
        return blank.with_tensors(weights | biases)

    def permuted(self, rng: np.random.Generator) -> Self:
        """The neurons of each layer, inputs and outputs too, in random order; ``x`` in that of the inputs."""
        orders = [rng.permutation(len(owners)) for owners in self.owners]
        layers = tuple(
            Layer(layer.weight[np.ix_(after, before)], layer.bias[after])
            for layer, (before, after) in zip(self.layers, pairwise(orders), strict=True)
        )
        owners = tuple(tuple(row[i] for i in order) for row, order in zip(self.owners, orders, strict=True))
        return replace(self, layers=layers, owners=owners, x=self.x[:, orders[0]])

    def rescaled(self, rng: np.random.Generator, scale: float) -> Self:
        """Hidden neurons multiplied by factors between 1/scale and scale, log-uniform, and their readers divided.

        As s ReLU(p) = ReLU(s p) for s > 0, the outputs stay the same.
        """
        widths = [len(layer.bias) for layer in self.layers[:-1]]
        scales = [factors(rng, scale, width) for width in widths]
        ends = [np.ones(self.x.shape[1]), *scales, np.ones(len(self.layers[-1].bias))]
        layers = tuple(
            Layer(layer.weight * after[:, None] / before, layer.bias * after)
            for layer, (before, after) in zip(self.layers, pairwise(ends), strict=True)
        )
        return replace(self, layers=layers)

    def specimen(self, kind: str, *, seed: int, scale: float, modular: bool = True, **options: Any) -> Specimen:
        """The network permuted and rescaled, with its truth.

        Raises:
            InputError: a scale below 1.
        """
        order, disguise = streams(seed, "order", "factors")
        disguised = self.permuted(order).rescaled(disguise, scale)
        network = disguised.network()
        modules = {
            (group.name, i): owner
            for group, owners in zip(network.layout.groups, disguised.owners, strict=True)
            for i, owner in enumerate(owners)
        }
        return Specimen(network, disguised.x, modules, modular, kind, {**options, "scale": scale}, seed)
