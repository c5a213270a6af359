"""What stands between the parameters that are trained and the tensors of a network."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
from torch import Tensor

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
Arrays: TypeAlias = Mapping[str, np.ndarray]
Tensors: TypeAlias = Mapping[str, Tensor]


@runtime_checkable
class Parameters(Protocol):
    """How the parameters that are trained make the tensors of a network, and what each of them pays."""

    @property
    def shapes(self) -> Shapes:
        """Parameter name -> shape, without the axis of seeds."""

    @property
    def direct(self) -> bool:
        """Whether the parameters are the network's tensors themselves."""

    def tensors(self, trained: Tensors) -> Tensors:
        """The tensors of the network, each with a leading axis of seeds, as the parameters have it.

        Parameters
        ----------
        trained : mapping of str to tensor
            The parameters.
        """

    def start(self, drawn: Arrays, rng: np.random.Generator) -> Arrays:
        """The first values of the parameters.

        Parameters
        ----------
        drawn : mapping of str to array
            The tensors of a network as it is drawn.
        rng : numpy.random.Generator
            Draws what the network does not have.
        """

    def prices(self, network: Arrays) -> Arrays:
        """What a unit of magnitude of every parameter pays.

        Parameters
        ----------
        network : mapping of str to array
            What a unit of magnitude of every weight of the network pays.
        """

    def generator(self, trained: Arrays) -> Arrays:
        """What a checkpoint takes along beside the network: the parameters, unless they are its tensors.

        Parameters
        ----------
        trained : mapping of str to array
            The parameters of one network.
        """


@dataclass(frozen=True)
class Direct:
    """The parameters are the tensors of the network.

    Attributes
    ----------
    shapes : mapping of str to tuple of int
        Tensor name -> shape.
    """

    shapes: Shapes
    direct: bool = True  # so that compiled steps serve

    def tensors(self, trained: Tensors) -> Tensors:
        """The parameters themselves."""
        return trained

    def start(self, drawn: Arrays, rng: np.random.Generator) -> Arrays:
        """What was drawn."""
        return drawn

    def prices(self, network: Arrays) -> Arrays:
        """The prices of the weights."""
        return network

    def generator(self, trained: Arrays) -> Arrays:
        """Nothing: the tensors are the network's own."""
        return {}
