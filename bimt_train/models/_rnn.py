"""A recurrent network over rows of numbers, each row a short sequence; its state lies in the plane."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .._errors import InputError
from ..layouts._fragments import linear
from ..layouts._group import Group
from ..layouts._layout import Layout, TensorSpec
from ._mlp import ACTIVATIONS, drawn_linear
from ._model_spec import ModelSpec


class RNN(nn.Module):
    """``h_t = activation(W_in x_t + W h_(t-1) + b)`` from h_0 = 0, and ``y = W_out h_T + c`` at the last step.

    This is torch.nn.RNN with one bias, made of Linear modules, so that an analysis can follow each weight by itself.
    A row holds the sequence step by step: all channels of the first step, then all of the second, and so on.

    Args:
        channels: numbers read at each step.
        steps: of a sequence.
        state: neurons of the state.
        outputs: how many numbers are given.
        activation: one of `ACTIVATIONS`.
        generator: draws the first weights, with torch's own bounds.
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
        self.activation, self.act = activation, ACTIVATIONS[activation]()
        self.read = drawn_linear(channels, state, generator)
        self.recur = drawn_linear(state, state, generator, bias=False)
        self.write = drawn_linear(state, outputs, generator)

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        sizes = {"channels": self.channels, "steps": self.steps, "state": self.state, "outputs": self.outputs}
        return ModelSpec("rnn", sizes | {"activation": self.activation})

    def forward(self, x: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows outputs"]:
        """The outputs, read at the last step."""
        first, *later = self.read(x.reshape(*x.shape[:-1], self.steps, self.channels)).unbind(-2)
        h = self.act(first)
        for driven in later:
            h = self.act(driven + self.recur(h))
        outputs: Float[Tensor, "*rows outputs"] = self.write(h)
        return outputs

    def stacked_forward(
        self, tensors: Mapping[str, Float[Tensor, "seeds ..."]], x: Float[Tensor, "seeds rows columns"]
    ) -> Float[Tensor, "seeds rows outputs"]:
        """`forward` for many sets of weights at once, by two batched products a step, rows along the last axis."""
        steps = x.transpose(1, 2).chunk(self.steps, dim=1)
        bias, weight = tensors["read.bias"][:, :, None], tensors["read.weight"]
        h = self.act(torch.baddbmm(bias, weight, steps[0]))
        for step in steps[1:]:
            h = self.act(torch.baddbmm(torch.baddbmm(bias, weight, step), tensors["recur.weight"], h))
        return torch.baddbmm(tensors["write.bias"][:, :, None], tensors["write.weight"], h).transpose(1, 2)

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Groups x, state, y, each on a square grid in the unit square; x is read once a step.

        The state stands on both axes of its recurrent weights, so it relocates by accept-if-better swaps.

        Args:
            input_labels: names of the columns; a channel is called as its first column, without the step's number.
            output_labels: names of the outputs.
            movable_ends: whether channels and outputs may be dealt to other slots too.
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
            steps=self.steps,
        )


def channel_labels(columns: Sequence[str], channels: int) -> tuple[str, ...]:
    """What the columns of the first step are called, without the number of the step where that tells channels apart.

    >>> channel_labels(["a1", "b1", "a2", "b2"], 2)
    ('a', 'b')
    >>> channel_labels(["x1", "x2", "x3", "x4"], 2)
    ('x1', 'x2')
    """
    first = tuple(columns[:channels])
    plain = tuple(name.rstrip("_0123456789") for name in first)
    return plain if all(plain) and len(set(plain)) == len(plain) else first
