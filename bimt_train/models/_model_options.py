"""What a model's options say of its tensors, held against a file's before anything is built."""

import itertools
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from .._errors import CheckpointError
from ._mlp import ACTIVATIONS
from ._model_spec import ModelSpec

Shape = tuple[int, ...]


class Strict(BaseModel):
    """Nothing is converted, nothing passed over."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _Options(Strict):
    def shapes(self) -> Iterator[tuple[str, Shape]]:
        """Of every tensor that the model has; one by one, for options may promise more than memory holds."""
        raise NotImplementedError


class _ActivatedOptions(_Options):
    activation: str


class _MLPOptions(_ActivatedOptions):
    widths: list[int]

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        return _chain(self.widths)


class _ImageMLPOptions(_MLPOptions):
    image: list[int] = Field(min_length=2, max_length=2)


class _EmbeddingMLPOptions(_MLPOptions):
    tokens: int
    copies: int
    embedding: int

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        yield "embedding.weight", (self.tokens, self.embedding)
        yield from _chain([self.copies * self.embedding, *self.widths])


class _RNNOptions(_ActivatedOptions):
    channels: int
    steps: int
    state: int
    outputs: int

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        sizes = {"read": (self.state, self.channels), "write": (self.outputs, self.state)}
        yield "recur.weight", (self.state, self.state)
        for name, shape in sizes.items():
            yield f"{name}.weight", shape
            yield f"{name}.bias", shape[:1]


class _BlockOptions(_Options):
    width: int
    heads: int
    layers: int
    hidden: int

    def blocks(self, outputs: int) -> Iterator[tuple[str, Shape]]:
        """Of the blocks, and of the norm and the linear layer behind them."""
        w, h = self.width, self.hidden
        block = {"norm1": (w,), "qkv": (3 * w, w), "out": (w, w), "norm2": (w,), "up": (h, w), "down": (w, h)}
        parts = ((f"blocks.{i}.{name}", shape) for i in range(self.layers) for name, shape in block.items())
        for name, shape in itertools.chain(parts, (("norm", (w,)), ("write", (outputs, w)))):
            yield f"{name}.weight", shape
            yield f"{name}.bias", shape[:1]


class _RowTransformerOptions(_BlockOptions):
    kinds: list[int]
    outputs: int

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        count = max(self.kinds, default=0) + 1
        yield from (("read.weight", (self.width, count)), ("read.bias", (self.width,)))
        yield "places", (len(self.kinds), count)
        yield from self.blocks(self.outputs)


class _GPTOptions(_BlockOptions):
    tokens: int
    context: int

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        yield "embedding.weight", (self.tokens, self.width)
        yield "positions.weight", (self.context, self.width)
        yield from self.blocks(self.tokens)


class _ProgramTransformerOptions(_Options):
    tokens: int
    context: int
    width: int
    parts: list[Annotated[list[int], Field(min_length=1, max_length=2)]]
    outputs: int

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        w = self.width
        yield "embedding.weight", (self.tokens, w)
        yield "positions.weight", (self.context, w)
        for index, part in enumerate(self.parts):
            n = math.prod(part)
            sizes = {"up": (n, w), "down": (w, n)} if len(part) == 1 else {"qkv": (3 * n, w), "out": (w, n)}
            for name, shape in sizes.items():
                yield f"parts.{index}.{name}.weight", shape
                yield f"parts.{index}.{name}.bias", shape[:1]
        yield from (("write.weight", (self.outputs, w)), ("write.bias", (self.outputs,)))


def _chain(widths: list[int]) -> Iterator[tuple[str, Shape]]:
    for i, (a, b) in enumerate(itertools.pairwise(widths)):
        yield f"layers.{i}.weight", (b, a)
        yield f"layers.{i}.bias", (b,)


_OPTIONS: Mapping[str, type[_Options]] = MappingProxyType(
    {
        "mlp": _MLPOptions,
        "image-mlp": _ImageMLPOptions,
        "embedding-mlp": _EmbeddingMLPOptions,
        "row-transformer": _RowTransformerOptions,
        "gpt": _GPTOptions,
        "program-transformer": _ProgramTransformerOptions,
        "rnn": _RNNOptions,
    }
)


def check_options(model: ModelSpec, steps: int, shapes: Mapping[str, Shape]) -> None:
    """Compare a model's options with the layout's steps and its tensors' shapes; kinds that are not known pass.

    Raises:
        CheckpointError: other steps, another tensor, another shape, or an unknown activation.
        ValidationError: pydantic's, for options of another kind.
    """
    if model.kind not in _OPTIONS:
        return
    options = _OPTIONS[model.kind].model_validate(dict(model.options))
    own = options.steps if isinstance(options, _RNNOptions) else 1
    if own != steps:
        what, where = "the model contradicts the layout", "model.options.steps"
        raise CheckpointError(what, where=where, expected=str(steps), got=str(own), mend="write the file anew")
    declared: dict[str, Shape] = {}
    for name, shape in options.shapes():
        declared[name] = shape
        if shapes.get(name) != shape:
            raise _contradiction(options, name, str(shape), str(shapes.get(name, "no such tensor")))
    for name in sorted(shapes.keys() - declared.keys()):
        raise _contradiction(options, name, "no such tensor", str(shapes[name]))
    if isinstance(options, _ActivatedOptions) and options.activation not in ACTIVATIONS:
        known = ", ".join(ACTIVATIONS)
        raise CheckpointError("unknown activation", where="model.options", expected=known, got=options.activation)


def _contradiction(options: _Options, name: str, expected: str, got: str) -> CheckpointError:
    where = f"model.options {options!s:.80}, tensor '{name}'"
    what, mend = "the model contradicts the tensors", "write the file anew"
    return CheckpointError(what, where=where, expected=expected, got=got, mend=mend)
