"""A chain of layers that is read step by step: a layer, numbers that scale and shift, an activation."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from .._values import Linear

Refuse = Callable[[str, str, str], Exception]
"""Makes the error of a step: what is wrong, where, and what is there."""


@dataclass
class ChainBuilder:
    """What has been read so far, from the input on.

    Attributes
    ----------
    refuse : callable
        Makes the error of a step that does not fit.
    layers : list of Linear
        The layers, with all numbers before and after them that were read.
    activations : list of str
        What stands after each layer, until the last one read.
    """

    refuse: Refuse
    layers: list[Linear] = field(default_factory=list)
    activations: list[str] = field(default_factory=list)
    _scale: np.ndarray | None = None  # applied to what the next layer reads
    _shift: np.ndarray | None = None

    @property
    def open(self) -> bool:
        """Whether the last thing read is a layer, without an activation after it."""
        return len(self.layers) > len(self.activations)

    @property
    def width(self) -> int | None:
        """How many numbers the last layer gives; None before the first layer."""
        return len(self.layers[-1].bias) if self.layers else None

    @property
    def waiting(self) -> bool:
        """Whether numbers were read that belong to a layer which has not come yet."""
        return self._scale is not None

    @property
    def columns_waiting(self) -> int:
        """How many columns the numbers that wait for a layer tell apart; 1 where they are the same for all."""
        return 1 if self._scale is None or self._shift is None else max(self._scale.size, self._shift.size)

    def add_layer(
        self, name: str, weight: Float[np.ndarray, "out in"], bias: Float[np.ndarray, " out"], at: str
    ) -> None:
        """Add a layer, with the numbers that waited for it.

        Parameters
        ----------
        name : str
            Of its weight.
        weight : array of float, shape (out, in)
            Its weights.
        bias : array of float, shape (out,)
            Its biases.
        at : str
            Where it stands, for messages.

        Raises
        ------
        CheckpointError
            It does not fit what comes before it.
        """
        before = weight.shape[1] if self.width is None else self.width
        if weight.shape[1] != before or self.columns_waiting not in (1, before):
            got = f"weight {weight.shape}, bias {bias.shape} after {max(before, self.columns_waiting)} numbers"
            raise self.refuse("a layer that does not fit the one before", at, got)
        if self._scale is not None and self._shift is not None:
            bias = bias + weight @ np.broadcast_to(self._shift, weight.shape[1])
            weight, self._scale, self._shift = weight * self._scale, None, None
        self.layers.append(Linear(name, weight, bias))

    def add_affine(self, scale: Float[np.ndarray, " _"], shift: Float[np.ndarray, " _"], at: str) -> None:
        """Fold ``scale * h + shift`` into the layer just read, or keep it for the next.

        Parameters
        ----------
        scale, shift : array of float, shape (width,) or (1,)
            The numbers.
        at : str
            Where they stand, for messages.

        Raises
        ------
        CheckpointError
            Their number is another one than that of the neurons.
        """
        width = max(scale.size, shift.size) if self.width is None else self.width
        if any(each.size not in (1, width) for each in (scale, shift)):
            raise self.refuse("numbers that do not fit the layer before", at, f"{scale.size} and {shift.size} entries")
        if self.open:
            last = self.layers[-1]
            if (scale == 1).all():  # keeps the precision of what is stored
                summed: np.ndarray = (last.bias * scale + shift).astype(last.bias.dtype)
                self.layers[-1] = Linear(last.name, last.weight, summed)
            else:
                weight = last.weight * np.broadcast_to(scale, width)[:, None]
                self.layers[-1] = Linear(last.name, weight, last.bias * scale + shift)
            return
        before = (np.ones(1), np.zeros(1)) if self._scale is None or self._shift is None else (self._scale, self._shift)
        self._scale, self._shift = before[0] * scale, before[1] * scale + shift
