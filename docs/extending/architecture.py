"""A kind of model of your own, in one file: ``bimt-train independence --model architecture.py:ResidualMLP``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import torch
from torch import nn

from bimt_train.layouts import Group, Layout, linear
from bimt_train.models import MODELS, Ends, ModelOptions, ModelSpec, Neurons, Stream, drawn_linear


class ResidualMLPOptions(ModelOptions):
    """What a `ResidualMLP` is built of."""

    inputs: int
    width: int
    hidden: list[int]
    outputs: int

    def shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Every tensor, for checking a file before anything is built."""
        sizes = {"read": (self.width, self.inputs), "write": (self.outputs, self.width)}
        for i, size in enumerate(self.hidden):
            sizes |= {f"ups.{i}": (size, self.width), f"downs.{i}": (self.width, size)}
        for name, shape in sizes.items():
            yield from ((f"{name}.weight", shape), (f"{name}.bias", shape[:1]))

    @property
    def ends(self) -> Ends:
        """Columns read and numbers given."""
        return Ends(inputs=self.inputs, outputs=self.outputs)

    @classmethod
    def for_task(cls, ends: Ends, hidden: Sequence[int] = ()) -> Self:
        """Options for a task; ``--model-option hidden=[30,30]`` gives the hidden sizes."""
        return cls(inputs=ends.inputs, width=16, hidden=list(hidden or (20, 20)), outputs=ends.outputs)

    @classmethod
    def example(cls) -> Self:
        """A small one, by which the contract is tested."""
        return cls(inputs=3, width=5, hidden=[6, 4], outputs=2)

    def hidden_parts(self) -> tuple[Stream | Neurons, ...]:
        """For pruning: a stream, and neurons that give max(b, 0) when nothing drives them."""
        biases = [f"ups.{i}.bias" for i in range(len(self.hidden))]
        parts = [Neurons(f"h{i}", lambda t, idle, b=b: t[b][idle].clip(0).astype(float)) for i, b in enumerate(biases)]
        return (Stream("resid"), *parts)

    def resized(self, groups: Mapping[str, Group]) -> Self:
        """Options of what pruning leaves."""
        return self.model_copy(update={"hidden": [groups[f"h{i}"].size for i in range(len(self.hidden))]})


@MODELS.register("residual-mlp", label="residual MLP", sentence="r = r + D relu(U r), layer after layer.",
                 options=ResidualMLPOptions)  # fmt: skip
class ResidualMLP(nn.Module):
    """``r = A x``, then ``r = r + D_l relu(U_l r)`` for each layer, and ``y = B r``."""

    def __init__(
        self, inputs: int, width: int, hidden: Sequence[int], outputs: int, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.options = ResidualMLPOptions(inputs=inputs, width=width, hidden=list(hidden), outputs=outputs)
        self.read, self.write = drawn_linear(inputs, width, generator), drawn_linear(width, outputs, generator)
        self.ups = nn.ModuleList(drawn_linear(width, size, generator) for size in hidden)
        self.downs = nn.ModuleList(drawn_linear(size, width, generator) for size in hidden)

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        return ModelSpec("residual-mlp", self.options.to_json())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The outputs for a batch of rows."""
        r = self.read(x)
        for up, down in zip(self.ups, self.downs, strict=True):
            r = r + down(torch.relu(up(r)))
        return self.write(r)

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Where the neurons are: x, the stream, each hidden layer, y."""
        x = Group.line("x", self.options.inputs, movable=movable_ends, labels=input_labels)
        y = Group.line("y", self.options.outputs, movable=movable_ends, labels=output_labels)
        resid, pieces = Group.line("resid", self.options.width), []
        for i, size in enumerate(self.options.hidden):
            h = Group.line(f"h{i}", size)
            pieces += [linear(f"ups.{i}", source=resid, target=h), linear(f"downs.{i}", source=h, target=resid)]
        ends = linear("read", source=x, target=resid), linear("write", source=resid, target=y)
        return Layout.merge(ends[0], *pieces, ends[1], inputs="x", outputs="y")
