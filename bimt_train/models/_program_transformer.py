"""A transformer without norms, whose tokens see each other both ways: what compiled programs run on."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn
from torch.nn.functional import relu, scaled_dot_product_attention

from .._errors import InputError
from ..layouts._fragments import embedding, linear
from ..layouts._group import Group
from ..layouts._layout import Layout, TensorSpec
from ._mlp import drawn_linear
from ._model_spec import ModelSpec


class ProgramTransformer(nn.Module):
    """``r = E[x] + P``, then ``r = r + part(r)`` for each part, and ``y = U r + b`` at each token.

    A part is an attention, softmax(q k^T / sqrt(size)) v over all tokens, or an MLP with ReLU. They come in any number
    and order, there are no norms, and a head is as large as it is told, whatever the width: the transformer that Tracr
    compiles to (arXiv 2301.05062, section 3).

    Args:
        tokens: how many different ones there are.
        context: how many are read at most.
        width: of the residual stream.
        parts: in the order of computation, (heads, size of a head) for an attention and (neurons,) for an MLP.
        outputs: numbers given at each token.
        generator: draws the first weights; embeddings from a standard normal distribution.
    """

    def __init__(
        self,
        tokens: int,
        context: int,
        width: int,
        parts: Sequence[Sequence[int]],
        outputs: int,
        *,
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
        self.embedding, self.positions = (
            nn.Embedding(rows, width, device="meta").to_empty(device="cpu") for rows in (tokens, context)
        )
        with torch.no_grad():
            for table in (self.embedding, self.positions):
                table.weight.normal_(generator=generator)
        self.parts = nn.ModuleList(
            _Neurons(width, part[0], generator) if len(part) == 1 else _Attention(width, part[0], part[1], generator)
            for part in parts
        )
        self.sizes = tuple(tuple(part) for part in parts)
        self.write = drawn_linear(width, outputs, generator)

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        options = {"tokens": self.tokens, "context": self.context, "width": self.width, "outputs": self.outputs}
        return ModelSpec("program-transformer", options | {"parts": [list(part) for part in self.sizes]})

    def forward(self, x: Num[Tensor, "*rows context"]) -> Float[Tensor, "*rows context outputs"]:
        """The outputs at each token; tokens come as numbers, whole ones."""
        r = self.embedding(x.long()) + self.positions.weight[: x.shape[-1]]
        for part in self.parts:
            r = r + part(r)
        outputs: Float[Tensor, "*rows context outputs"] = self.write(r)
        return outputs

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Groups resid, then a1, a2, ... (attentions) and m1, m2, ... (MLPs) in the order of computation, then y.

        The residual stream is one group at every read and write; embeddings of tokens and positions pay l0 an entry.

        Args:
            input_labels: names of the places in the context; they are tokens and have none in space.
            output_labels: names of the outputs.
            movable_ends: whether outputs may be reordered.
        """
        resid = Group.line("resid", self.width)
        y = Group.line("y", self.outputs, movable=movable_ends, labels=output_labels)
        pieces = [embedding("embedding", target=resid), embedding("positions", target=resid)]
        numbers = {"a": 0, "m": 0}
        for index, part in enumerate(self.sizes):
            kind = "m" if len(part) == 1 else "a"
            numbers[kind] += 1
            at, name = f"parts.{index}", f"{kind}{numbers[kind]}"
            pieces.append(_neurons(at, name, resid, *part) if kind == "m" else _attention(at, name, resid, *part))
        return Layout.merge(*pieces, linear("write", source=resid, target=y), outputs="y")


class _Attention(nn.Module):
    """Every token asks every token, itself too."""

    def __init__(self, width: int, heads: int, size: int, generator: torch.Generator | None) -> None:
        super().__init__()
        self.heads, self.size = heads, size
        self.qkv = drawn_linear(width, 3 * heads * size, generator)
        self.out = drawn_linear(heads * size, width, generator)

    def forward(self, r: Float[Tensor, "*rows tokens width"]) -> Float[Tensor, "*rows tokens width"]:
        *rows, tokens, _ = r.shape
        # attention wants one axis of rows, whatever they are of
        q, k, v = self.qkv(r).reshape(-1, tokens, 3, self.heads, self.size).permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(q, k, v)
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
