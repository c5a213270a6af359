"""A network's layers with the owner of every neuron, before its neurons are permuted and rescaled."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float64

from bimt_train.checkpoints import Network
from bimt_train.models import MLP

from ._draws import factors, streams
from ._synthetic_network import SyntheticNetwork


@dataclass(frozen=True, eq=False)
class Layer:
    """An affine layer, ``W h + b``.

    Attributes
    ----------
    weight : array of float64, shape (targets, sources)
        W.
    bias : array of float64, shape (targets,)
        b.
    """

    weight: Float64[np.ndarray, "targets sources"]
    bias: Float64[np.ndarray, " targets"]


@dataclass(frozen=True, eq=False)
class Blueprint:
    """A ReLU network before its neurons are permuted.

    Attributes
    ----------
    layers : tuple of Layer
        Layers from the inputs to the outputs; ReLU between them.
    owners : tuple of tuple of int or None
        For inputs, hidden layers and outputs, each neuron's module; None for a neuron of no single module.
    x : array of float64, shape (rows, inputs)
        Rows to run it on.
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
        """Put the neurons of each layer, inputs and outputs too, in random order; ``x`` in that of the inputs.

        Parameters
        ----------
        rng : numpy.random.Generator
            Generator of the orders.

        Returns
        -------
        Self
            The same function of permuted inputs.
        """
        orders = [rng.permutation(len(owners)) for owners in self.owners]
        layers = tuple(
            Layer(layer.weight[np.ix_(after, before)], layer.bias[after])
            for layer, (before, after) in zip(self.layers, pairwise(orders), strict=True)
        )
        owners = tuple(tuple(row[i] for i in order) for row, order in zip(self.owners, orders, strict=True))
        return replace(self, layers=layers, owners=owners, x=self.x[:, orders[0]])

    def rescaled(self, rng: np.random.Generator, scale: float) -> Self:
        """Multiply hidden neurons by factors between 1/scale and scale, log-uniform, and divide their readers by them.

        As s ReLU(p) = ReLU(s p) for s > 0, the outputs stay the same.

        Parameters
        ----------
        rng : numpy.random.Generator
            Generator of the factors.
        scale : float
            Greatest factor, at least 1.

        Returns
        -------
        Self
            A network of the same function.
        """
        widths = [len(layer.bias) for layer in self.layers[:-1]]
        scales = [factors(rng, scale, width) for width in widths]
        ends = [np.ones(self.x.shape[1]), *scales, np.ones(len(self.layers[-1].bias))]
        layers = tuple(
            Layer(layer.weight * after[:, None] / before, layer.bias * after)
            for layer, (before, after) in zip(self.layers, pairwise(ends), strict=True)
        )
        return replace(self, layers=layers)

    def planted(self, kind: str, *, seed: int, scale: float, modular: bool = True, **options: Any) -> SyntheticNetwork:
        """Permute and rescale the network, and keep its truth.

        Parameters
        ----------
        kind : str
            Name of the function that makes it.
        seed : int
            Seed of orders and factors.
        scale : float
            Greatest factor of a hidden neuron, at least 1.
        modular : bool, default True
            Whether there are modules to find.
        **options : Any
            Options of that function, to be kept.

        Returns
        -------
        SyntheticNetwork
            The network with its planted modules.

        Raises
        ------
        InputError
            The scale is below 1.
        """
        order, rescaling = streams(seed, "order", "factors")
        mixed = self.permuted(order).rescaled(rescaling, scale)
        network = mixed.network()
        modules = {
            (group.name, i): owner
            for group, owners in zip(network.layout.groups, mixed.owners, strict=True)
            for i, owner in enumerate(owners)
        }
        return SyntheticNetwork(network, mixed.x, modules, modular, kind, {**options, "scale": scale}, seed)
