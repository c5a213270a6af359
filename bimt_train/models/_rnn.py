"""A recurrent network over rows of numbers, each row a short sequence; its state lies in the plane."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .._errors import InputError
from ..layouts._fragments import linear
from ..layouts._group import Group
from ..layouts._layout import Layout, TensorSpec
from ._contract import MODELS, Ends, ModelOptions, Shape
from ._hidden_parts import HiddenPart, Neurons
from ._model_spec import ModelSpec
from .building_blocks._drawn_linear import drawn_linear
from .building_blocks._layers import numbers_only
from .building_blocks.activations import ACTIVATIONS, activation_module

STATE = 30  # where a task is given another model than its own


class RNNOptions(ModelOptions):
    """Options of an `RNN`.

    Attributes
    ----------
    channels : int
        Numbers read at each step.
    steps : int
        Steps of a sequence.
    state : int
        Neurons of the state.
    outputs : int
        How many numbers are given.
    activation : str
        A name in `ACTIVATIONS`.

    Examples
    --------
    >>> RNNOptions(channels=2, steps=5, state=30, outputs=1, activation="relu").ends.inputs
    10
    """

    channels: int
    steps: int
    state: int
    outputs: int
    activation: str

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        """The state's own weights, then weight and bias that read x and that write y."""
        sizes = {"read": (self.state, self.channels), "write": (self.outputs, self.state)}
        yield "recur.weight", (self.state, self.state)
        for name, shape in sizes.items():
            yield f"{name}.weight", shape
            yield f"{name}.bias", shape[:1]

    @property
    def ends(self) -> Ends:
        """Every channel at every step, and the outputs at the last."""
        return Ends(inputs=self.channels * self.steps, outputs=self.outputs)

    @classmethod
    def for_task(cls, ends: Ends, hidden: Sequence[int] = ()) -> Self:
        """One number a step, and a state of 30 neurons unless others are asked for.

        Parameters
        ----------
        ends : Ends
            What the task gives and asks for.
        hidden : sequence of int, optional
            One number: the neurons of the state.
        """
        numbers_only(ends, cls.__name__)
        if len(hidden) > 1:
            expected, hint = "one number: the neurons of the state", "for instance hidden=30"
            raise InputError(
                "a state of several layers", where="RNN", expected=expected, got=str(list(hidden)), hint=hint
            )
        state = hidden[0] if hidden else STATE
        return cls(channels=1, steps=ends.inputs, state=state, outputs=ends.outputs, activation="relu")

    @classmethod
    def example(cls) -> Self:
        """Three channels, four steps."""
        return cls(channels=3, steps=4, state=7, outputs=2, activation="relu")

    @property
    def sequence_steps(self) -> int:
        """The steps of a sequence."""
        return self.steps

    def hidden_parts(self) -> tuple[HiddenPart, ...]:
        """The state; a neuron that nothing drives may grow or fade from step to step, and is no constant."""
        return (Neurons("state"),)

    def resized(self, groups: Mapping[str, Group]) -> Self:
        """A smaller state.

        Parameters
        ----------
        groups : mapping of str to Group
            Every group of the smaller layout, in order, with its size and heads.
        """
        return self.model_copy(update={"state": groups["state"].size})


@MODELS.register(
    "rnn",
    label="recurrent network",
    sentence="h_t = activation(W_in x_t + W h_(t-1) + b), read out at the last step.",
    options=RNNOptions,
)
class RNN(nn.Module):
    """``h_t = activation(W_in x_t + W h_(t-1) + b)`` from h_0 = 0, and ``y = W_out h_T + c`` at the last step.

    This is torch.nn.RNN with one bias, made of Linear modules, so that an analysis can follow each weight by itself.
    A row holds the sequence step by step: all channels of the first step, then all of the second, and so on.

    Parameters
    ----------
    channels : int
        Numbers read at each step.
    steps : int
        Steps of a sequence.
    state : int
        Neurons of the state.
    outputs : int
        How many numbers are given.
    activation : str
        A name in `ACTIVATIONS`.
    generator : torch.Generator, optional
        Draws the first weights, with torch's own bounds.

    Raises
    ------
    InputError
        A size below 1, or an unknown activation.

    Examples
    --------
    >>> RNN(channels=3, steps=4, state=7, outputs=2)(torch.zeros(5, 12)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        channels: int,
        steps: int,
        state: int,
        outputs: int,
        activation: str = "relu",
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if min(channels, steps, state, outputs) < 1 or activation not in ACTIVATIONS:
            raise InputError(
                "a recurrent network that cannot be built",
                expected=f"positive sizes, and as activation one of {', '.join(ACTIVATIONS)}",
                got=f"channels {channels}, steps {steps}, state {state}, outputs {outputs}, activation {activation}",
            )
        self.channels, self.steps, self.state, self.outputs = channels, steps, state, outputs
        self.activation, self.act = activation, activation_module(activation)
        self.read = drawn_linear(channels, state, generator)
        self.recur = drawn_linear(state, state, generator, bias=False)
        self.write = drawn_linear(state, outputs, generator)

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        sizes = {"channels": self.channels, "steps": self.steps, "state": self.state, "outputs": self.outputs}
        return ModelSpec("rnn", sizes | {"activation": self.activation})

    def forward(self, x: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows outputs"]:
        """Compute the outputs, read at the last step.

        Parameters
        ----------
        x : Tensor of shape (*rows, steps * channels)
            A sequence a row, step by step.

        Returns
        -------
        Tensor of shape (*rows, outputs)
            The outputs.
        """
        first, *later = self.read(x.reshape(*x.shape[:-1], self.steps, self.channels)).unbind(-2)
        h = self.act(first)
        for driven in later:
            h = self.act(driven + self.recur(h))
        outputs: Float[Tensor, "*rows outputs"] = self.write(h)
        return outputs

    def stacked_forward(
        self, tensors: Mapping[str, Float[Tensor, "seeds ..."]], x: Float[Tensor, "seeds rows columns"]
    ) -> Float[Tensor, "seeds rows outputs"]:
        """Compute `forward` for many sets of weights at once, by two batched products a step, rows along the last axis.

        Parameters
        ----------
        tensors : mapping of str to Tensor of shape (seeds, ...)
            Every parameter with a leading axis of seeds.
        x : Tensor of shape (seeds, rows, steps * channels)
            Rows of each seed.

        Returns
        -------
        Tensor of shape (seeds, rows, outputs)
            The outputs of each seed.
        """
        steps = x.transpose(1, 2).chunk(self.steps, dim=1)
        bias, weight = tensors["read.bias"][:, :, None], tensors["read.weight"]
        h = self.act(torch.baddbmm(bias, weight, steps[0]))
        for step in steps[1:]:
            h = self.act(torch.baddbmm(torch.baddbmm(bias, weight, step), tensors["recur.weight"], h))
        return torch.baddbmm(tensors["write.bias"][:, :, None], tensors["write.weight"], h).transpose(1, 2)

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Declare groups x, state, y, each on a square grid in the unit square; x is read once a step.

        The state stands on both axes of its recurrent weights, so it relocates by accept-if-better swaps.

        Parameters
        ----------
        input_labels : sequence of str
            Names of the columns; a channel is called as its first column, without the step's number.
        output_labels : sequence of str
            Names of the outputs.
        movable_ends : bool
            Whether channels and outputs may be assigned to other positions too.

        Returns
        -------
        Layout
            The layout.
        """
        labels = channel_labels(input_labels, self.channels)
        x = Group.grid("x", self.channels, movable=movable_ends, labels=labels)
        state = Group.grid("state", self.state)
        y = Group.grid("y", self.outputs, movable=movable_ends, labels=output_labels)
        return Layout.merge(
            linear("read", source=x, target=state),
            Layout((state,), {"recur.weight": TensorSpec("state state", "weight")}),
            linear("write", source=state, target=y),
            inputs="x",
            outputs="y",
            row=f"({self.steps} x)" if self.steps > 1 else "",
        )


def channel_labels(columns: Sequence[str], channels: int) -> tuple[str, ...]:
    """Name the channels by the columns of the first step, without the step's number where that tells them apart.

    Parameters
    ----------
    columns : sequence of str
        Names of all columns, step by step.
    channels : int
        How many columns a step has.

    Returns
    -------
    tuple of str
        One name a channel.

    Examples
    --------
    >>> channel_labels(["a1", "b1", "a2", "b2"], 2)
    ('a', 'b')
    >>> channel_labels(["x1", "x2", "x3", "x4"], 2)
    ('x1', 'x2')
    """
    first = tuple(columns[:channels])
    plain = tuple(name.rstrip("_0123456789") for name in first)
    return plain if all(plain) and len(set(plain)) == len(plain) else first
