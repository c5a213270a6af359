"""A state that reads a sequence step by step: ``s_t = activation(R x_t + W s_(t-1) + b)``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from jaxtyping import Bool

from bimt_train import InputError

from ..c_code._module_code import ModuleCode
from ..c_code._products import Matrix, Vector
from ._layer import Layer, Links

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False, repr=False)
class Recurrent(Layer):
    """The state after the last step. A row holds all channels of the first step, then all of the second, and so on.

    Attributes
    ----------
    read : float32 array [state, channels]
        Weights of what is read at a step.
    bias : float32 array [state]
        The biases.
    recur : float32 array [state, state]
        Weights of the state before.
    activation : str
        A name in `bimt_train.models.ACTIVATIONS`.
    steps : int
        Steps of a sequence.

    Examples
    --------
    >>> read, recur = np.ones((2, 1), np.float32), np.eye(2, dtype=np.float32)
    >>> layer = Recurrent(read, np.zeros(2, np.float32), recur, "relu", 5)
    >>> layer.inputs, layer.multiply_adds()
    (5, 18)
    """

    read: Matrix
    bias: Vector
    recur: Matrix
    activation: str
    steps: int

    @property
    def inputs(self) -> int:
        """Every channel at every step."""
        return int(self.read.shape[1]) * self.steps

    @property
    def outputs(self) -> int:
        """Neurons of the state."""
        return len(self.bias)

    def links(self) -> Links:
        """A channel counts at every step."""
        return np.tile(self.read != 0, self.steps)

    def inner_links(self) -> Bool[np.ndarray, "outputs outputs"]:
        """Neurons of the state that read each other."""
        return np.asarray(self.recur != 0)

    def taken(self, outputs: Sequence[int], inputs: Sequence[int]) -> Self:
        """Some neurons of the state, and whole channels."""
        channels = self.read.shape[1]
        kept = sorted({column % channels for column in inputs})
        if len(kept) * self.steps != len(inputs):
            raise InputError("a part of a channel", expected="each channel at every step", got=str(list(inputs)))
        some = list(outputs)
        read, recur = self.read[np.ix_(some, kept)], self.recur[np.ix_(some, some)]
        return type(self)(read, self.bias[some], recur, self.activation, self.steps)

    def multiply_adds(self) -> int:
        """One for each weight and step; there is no state before the first."""
        return int((self.read != 0).sum() * self.steps + (self.recur != 0).sum() * (self.steps - 1))

    def to_torch(self) -> "nn.Module":
        """Two linear layers, used at each step."""
        from bimt_train.models.building_blocks.activations import activation_module

        from ._torch_parts import linear
        from ._torch_recurrent import RecurrentModule

        read, recur = linear(self.read, self.bias), linear(self.recur, None)
        return RecurrentModule(read, recur, activation_module(self.activation), self.steps)

    def to_torch_neurons_first(self) -> "nn.Module":
        """Two products, used at each step."""
        from bimt_train.models.building_blocks.activations import activation_module

        from ._torch_neurons_first import State

        return State(self.read, self.bias, self.recur, activation_module(self.activation), self.steps)

    def to_c(self, code: ModuleCode) -> None:
        """A loop over the steps, each from one of two states to the other."""
        source, channels = code.reads, self.read.shape[1]
        state, other = code.value(self.outputs), code.value(self.outputs)
        now, then, given = f"{state}_now", f"{state}_then", f"{state}_given"
        code.say(f"@lane (*{now})[@wide] = {state}, (*{then})[@wide] = {other}, (*{given})[@wide] = {source};")
        code.say(f"for (int t = 0; t < {self.steps}; t++, {given} += {channels}) {{")
        code.say(f"@lane (*before)[@wide] = {now}; {now} = {then}; {then} = before;")
        code.product(self.read, self.bias, given, now)
        code.say("if (t) {")
        code.product(self.recur, None, then, now)
        code.say("}")
        code.activate(self.activation, now, self.outputs)
        code.say("}")
        code.gives(now, self.outputs)
