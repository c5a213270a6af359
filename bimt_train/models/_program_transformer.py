"""A transformer without norms, whose tokens see each other both ways: what compiled programs run on."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Num
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn.functional import relu, scaled_dot_product_attention

from .._errors import InputError
from ..layouts._fragments import embedding, linear
from ..layouts._group import Group
from ..layouts._layout import Layout, TensorSpec
from ._contract import MODELS, Ends, ModelOptions, Shape
from ._hidden_parts import Heads, HiddenPart, Neurons, Stream, Tensors
from ._model_spec import ModelSpec
from .building_blocks._drawn_embedding import drawn_embedding
from .building_blocks._drawn_linear import drawn_linear


class ProgramTransformerOptions(ModelOptions):
    """Options of a `ProgramTransformer`.

    Attributes
    ----------
    tokens : int
        How many different tokens there are.
    context : int
        How many are read at most.
    width : int
        Width of the residual stream.
    parts : list of list of int
        In the order of computation, [heads, size of a head] for an attention and [neurons] for an MLP.
    outputs : int
        Numbers given at each token.
    scales : list of float or None, optional
        For each part what its scores are multiplied with; None for 1/sqrt(size of a head). Circuits have it, whose
        heads are smaller than those that were trained.

    Examples
    --------
    >>> ProgramTransformerOptions.example().parts
    [[9], [2, 3], [5]]
    """

    tokens: int
    context: int
    width: int
    parts: list[Annotated[list[int], Field(min_length=1, max_length=2)]]
    outputs: int
    scales: list[float | None] | None = None

    @model_validator(mode="after")
    def _one_for_each(self) -> Self:
        if self.scales is not None and len(self.scales) != len(self.parts):
            raise ValueError("scales must be one for each part")
        return self

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        """Shapes of the two embeddings, of each part, and of what writes the outputs."""
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

    @property
    def ends(self) -> Ends:
        """Tokens, and outputs at each of them."""
        return Ends(inputs=self.context, outputs=self.outputs, tokens=self.tokens, sequence=True)

    @classmethod
    def for_task(cls, ends: Ends, hidden: Sequence[int] = ()) -> Self:
        """Width 32, and for each hidden size, 64 and 64 unless others are asked for, an attention of four heads first.

        An attention has four heads of eight neurons.

        Parameters
        ----------
        ends : Ends
            What the task gives and asks for.
        hidden : sequence of int, optional
            Neurons of each MLP.
        """
        if not ends.tokens or not ends.sequence:
            raise InputError(
                "a model of tokens for another task", where="ProgramTransformer",
                expected="columns of tokens, outputs at each",
                got="outputs once a row" if ends.tokens else "columns of numbers", hint="choose another model",
            )  # fmt: skip
        parts = [part for size in (hidden or (64, 64)) for part in ([4, 8], [size])]
        return cls(tokens=ends.tokens, context=ends.inputs, width=32, parts=parts, outputs=ends.outputs)

    @classmethod
    def example(cls) -> Self:
        """An attention of two heads between two MLPs."""
        return cls(tokens=7, context=3, width=12, parts=[[9], [2, 3], [5]], outputs=7)

    def hidden_parts(self) -> tuple[HiddenPart, ...]:
        """The stream, then each part; neurons that nothing drives give ``relu(bias)``."""
        found: list[HiddenPart] = [Stream("resid")]
        for index, (name, part) in enumerate(zip(part_names(self.parts), self.parts, strict=True)):
            at = f"parts.{index}"
            neurons = Neurons(name, _constant_relu(f"{at}.up.bias"))
            found.append(neurons if len(part) == 1 else Heads(name, qkv=f"{at}.qkv", out=f"{at}.out"))
        return tuple(found)

    def resized(self, groups: Mapping[str, Group]) -> Self:
        """Other numbers of heads and neurons, as the groups of the smaller layout say; scores keep their scale."""
        parts, scales = [], list(self.scales or [None] * len(self.parts))
        for index, (name, part) in enumerate(zip(part_names(self.parts), self.parts, strict=True)):
            group = groups[name]
            if len(part) == 1:
                parts.append([group.size])
                continue
            parts.append([group.heads, group.size // group.heads])
            if parts[-1][1] != part[1] and scales[index] is None:
                scales[index] = part[1] ** -0.5
        return self.model_copy(update={"parts": parts, "scales": scales if any(scales) else None})


def part_names(parts: Sequence[Sequence[int]]) -> list[str]:
    """Name the groups of a program's parts: a1, a2, ... for attentions and m1, m2, ... for MLPs.

    Parameters
    ----------
    parts : sequence of sequence of int
        (heads, size of a head) for an attention and (neurons,) for an MLP.

    Returns
    -------
    list of str
        One name a part.

    Examples
    --------
    >>> part_names([(9,), (2, 3), (5,)])
    ['m1', 'a1', 'm2']
    """
    kinds = ["m" if len(part) == 1 else "a" for part in parts]
    return [f"{kind}{kinds[: index + 1].count(kind)}" for index, kind in enumerate(kinds)]


def _constant_relu(bias: str) -> Callable[[Tensors, Bool[np.ndarray, " neurons"]], Float64[np.ndarray, " idle"]]:
    def constant(tensors: Tensors, idle: Bool[np.ndarray, " neurons"]) -> Float64[np.ndarray, " idle"]:
        return np.asarray(np.maximum(tensors[bias][idle].astype(np.float64), 0.0))

    return constant


@MODELS.register(
    "program-transformer",
    label="program transformer",
    sentence="A transformer without norms, whose tokens see each other both ways: what compiled programs run on.",
    options=ProgramTransformerOptions,
)
class ProgramTransformer(nn.Module):
    """``r = E[x] + P``, then ``r = r + part(r)`` for each part, and ``y = U r + b`` at each token.

    A part is an attention, softmax(q k^T / sqrt(size)) v over all tokens, or an MLP with ReLU. They come in any number
    and order, there are no norms, and a head is as large as it is told, whatever the width: the transformer that Tracr
    compiles to.

    Parameters
    ----------
    tokens : int
        How many different tokens there are.
    context : int
        How many are read at most.
    width : int
        Width of the residual stream.
    parts : sequence of sequence of int
        In the order of computation, (heads, size of a head) for an attention and (neurons,) for an MLP.
    outputs : int
        Numbers given at each token.
    scales : sequence of float or None, optional
        For each part what its scores are multiplied with, for circuits; None for 1/sqrt(size of a head).
    generator : torch.Generator, optional
        Draws the first weights; embeddings from a standard normal distribution.

    Raises
    ------
    InputError
        A size below 1, or a part of another number of sizes.

    References
    ----------
    arXiv 2301.05062, section 3.

    Examples
    --------
    >>> ProgramTransformer(tokens=5, context=4, width=7, parts=[(4,), (3, 2)], outputs=3)(torch.tensor([[0, 4]])).shape
    torch.Size([1, 2, 3])
    """

    def __init__(
        self,
        tokens: int,
        context: int,
        width: int,
        parts: Sequence[Sequence[int]],
        outputs: int,
        *,
        scales: Sequence[float | None] | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        sizes = [tokens, context, width, outputs, *(size for part in parts for size in part)]
        if min(sizes) < 1 or not all(len(part) in (1, 2) for part in parts):
            raise InputError(
                "a transformer that cannot be built",
                expected="positive sizes, and parts of one or two numbers",
                got=f"tokens {tokens}, context {context}, width {width}, parts {list(parts)}, outputs {outputs}",
            )
        self.tokens, self.context, self.width, self.outputs = tokens, context, width, outputs
        self.embedding, self.positions = (drawn_embedding(rows, width, generator) for rows in (tokens, context))
        self.sizes = tuple(tuple(part) for part in parts)
        self.scales = None if scales is None else tuple(scales)
        self.parts = nn.ModuleList(
            _Neurons(width, part[0], generator)
            if len(part) == 1
            else _Attention(width, part[0], part[1], scale, generator)
            for part, scale in zip(parts, self.scales or [None] * len(parts), strict=True)
        )
        self.write = drawn_linear(width, outputs, generator)

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        options: dict[str, Any] = {
            "tokens": self.tokens,
            "context": self.context,
            "width": self.width,
            "outputs": self.outputs,
        }
        options |= {"parts": [list(part) for part in self.sizes]}
        return ModelSpec("program-transformer", options | ({"scales": list(self.scales)} if self.scales else {}))

    def forward(self, x: Num[Tensor, "*rows context"]) -> Float[Tensor, "*rows context outputs"]:
        """Compute the outputs at each token.

        Parameters
        ----------
        x : Tensor of shape (*rows, context)
            Tokens by number, whole ones.

        Returns
        -------
        Tensor of shape (*rows, context, outputs)
            The outputs.
        """
        r = self.embedding(x.long()) + self.positions.weight[: x.shape[-1]]
        for part in self.parts:
            r = r + part(r)
        outputs: Float[Tensor, "*rows context outputs"] = self.write(r)
        return outputs

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Declare groups resid, then a1, a2, ... and m1, m2, ... in the order of computation, then y.

        Attentions are called a and MLPs m.
        The residual stream is one group at every read and write; embeddings of tokens and positions pay l0 an entry.

        Parameters
        ----------
        input_labels : sequence of str
            Names of the places in the context; they are tokens and have none in space.
        output_labels : sequence of str
            Names of the outputs.
        movable_ends : bool
            Whether outputs may be reordered.

        Returns
        -------
        Layout
            The layout.
        """
        resid = Group.line("resid", self.width)
        y = Group.line("y", self.outputs, movable=movable_ends, labels=output_labels)
        pieces = [embedding("embedding", target=resid), embedding("positions", target=resid)]
        for index, (name, part) in enumerate(zip(part_names(self.sizes), self.sizes, strict=True)):
            at = f"parts.{index}"
            pieces.append(_neurons(at, name, resid, *part) if len(part) == 1 else _attention(at, name, resid, *part))
        return Layout.merge(*pieces, linear("write", source=resid, target=y), outputs="y")


class _Attention(nn.Module):
    """Every token asks every token, itself too."""

    def __init__(
        self, width: int, heads: int, size: int, scale: float | None, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        self.heads, self.size, self.scale = heads, size, scale
        self.qkv = drawn_linear(width, 3 * heads * size, generator)
        self.out = drawn_linear(heads * size, width, generator)

    def forward(self, r: Float[Tensor, "*rows tokens width"]) -> Float[Tensor, "*rows tokens width"]:
        *rows, tokens, _ = r.shape
        # attention wants one axis of rows, whatever they are of
        q, k, v = self.qkv(r).reshape(-1, tokens, 3, self.heads, self.size).permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(q, k, v, scale=self.scale)
        written: Float[Tensor, "*rows tokens width"] = self.out(seen.transpose(1, 2).reshape(*rows, tokens, -1))
        return written


class _Neurons(nn.Module):
    """One hidden layer."""

    def __init__(self, width: int, neurons: int, generator: torch.Generator | None) -> None:
        super().__init__()
        self.up = drawn_linear(width, neurons, generator)
        self.down = drawn_linear(neurons, width, generator)

    def forward(self, r: Float[Tensor, "*rows tokens width"]) -> Float[Tensor, "*rows tokens width"]:
        written: Float[Tensor, "*rows tokens width"] = self.down(relu(self.up(r)))
        return written


def _attention(prefix: str, name: str, resid: Group, heads: int, size: int) -> Layout:
    """q, k and v share the slots of the group, which move head by head."""
    a = Group.line(name, heads * size, heads=heads)
    queries = {
        f"{prefix}.qkv.weight": TensorSpec(f"(3 {name}) {resid.name}", "weight"),
        f"{prefix}.qkv.bias": TensorSpec(f"(3 {name})", "bias"),
    }
    return Layout.merge(Layout((resid, a), queries), linear(f"{prefix}.out", source=a, target=resid))


def _neurons(prefix: str, name: str, resid: Group, neurons: int) -> Layout:
    m = Group.line(name, neurons)
    return Layout.merge(
        linear(f"{prefix}.up", source=resid, target=m), linear(f"{prefix}.down", source=m, target=resid)
    )
