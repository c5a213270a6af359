"""What an engine is: it takes steps with a stack of networks, in place."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, Self, runtime_checkable

import torch
from jaxtyping import Float, Float64, Int32
from numpy import ndarray
from torch import Tensor

from .._stack import Flat


@dataclass(frozen=True)
class Moments:
    """Weights and Adam's two moments, one row a network. Engines write into them: they are the loop's own.

    Attributes
    ----------
    flat : tensor, [networks, entries]
        The weights.
    first : tensor, [networks, entries]
        Running mean of the gradient.
    second : tensor, [networks, entries]
        Running mean of the squared gradient.
    """

    flat: Flat
    first: Flat
    second: Flat

    @classmethod
    def start(cls, flat: Flat) -> Self:
        """No momentum yet.

        Parameters
        ----------
        flat : tensor, [networks, entries]
            The weights.
        """
        return cls(flat, torch.zeros_like(flat), torch.zeros_like(flat))

    def each(self, change: Callable[[Tensor], Tensor]) -> Self:
        """The weights and moments, all changed in the same way.

        Parameters
        ----------
        change : callable
            From a tensor to the tensor that takes its place.
        """
        return replace(self, flat=change(self.flat), first=change(self.first), second=change(self.second))

    @property
    def parts(self) -> tuple[Tensor, Tensor, Tensor]:
        """The weights and the moments."""
        return self.flat, self.first, self.second

    def clone(self) -> Self:
        """A copy that later steps do not touch."""
        return self.each(torch.Tensor.clone)

    def put_back(self, kept: Self, rows: Tensor) -> None:
        """Take the weights of some rows from a kept copy, and let their momentum rest."""
        self.flat[rows] = kept.flat[rows]
        self.first[rows] = 0.0
        self.second[rows] = 0.0


@dataclass(frozen=True)
class Stretch:
    """Steps in a row, between which neither lambda nor places change.

    Attributes
    ----------
    start : int
        Number of steps done before, for the bias correction.
    lrs : array of float, [steps]
        The learning rate of each step.
    charges : tensor, [networks, entries]
        Lambda times the price of each entry.
    picks : array of int, [steps, networks, batch], or None
        The rows of each step; None takes all of them.
    resting : tuple of int
        Networks that must not move.
    """

    start: int
    lrs: Float64[ndarray, " steps"]
    charges: Float[Tensor, "networks entries"]
    picks: Int32[ndarray, "steps networks batch"] | None = None
    resting: tuple[int, ...] = ()


@runtime_checkable
class Engine(Protocol):
    """Takes steps with the networks of one stack on their data."""

    @property
    def name(self) -> str:
        """What it is called; a run's checkpoints say which engine took its steps."""

    @property
    def steps_at_once(self) -> int:
        """Steps after which a run should look up, to save or to stop."""

    @property
    def threads(self) -> int:
        """How many threads compute side by side."""

    def advance(self, moments: Moments, stretch: Stretch) -> None:
        """Take the steps of the stretch, and write the weights and moments that come out.

        Parameters
        ----------
        moments : Moments
            Weights and moments; written.
        stretch : Stretch
            The steps.
        """
