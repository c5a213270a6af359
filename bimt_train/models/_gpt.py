"""A small language model: a causal transformer over tokens that says at each of them which one comes next."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn
from torch.nn.functional import embedding as looked_up

from .._errors import InputError
from ..layouts._fragments import embedding, linear, norm
from ..layouts._group import Group
from ..layouts._layout import Layout
from ._mlp import drawn_linear
from ._model_spec import ModelSpec
from ._transformer_block import Block, block_layout, stacked, through_block

DEVIATION = 0.1  # of a fresh embedding's entries; GPT-2 has 0.02, at a greater width


class GPT(nn.Module):
    """``logits = U norm(block_L(... block_1(E[x] + P)))``: learned tokens and positions, pre-norm causal blocks, as
    GPT-2 (Radford et al. 2019, section 2.3), without dropout.

    The unembedding U is a matrix of its own, where GPT-2's is E again: so the outputs are neurons with places, and
    reading a token and saying it pay apart.

    Args:
        tokens: how many different ones there are.
        context: how many are read at most.
        width: of the residual stream.
        heads: of each attention; divides width.
        layers: blocks.
        hidden: neurons of each block's MLP.
        generator: draws the first weights; embeddings from a normal distribution of deviation 0.1.
    """

    def __init__(
        self,
        tokens: int,
        context: int,
        width: int,
        heads: int = 4,
        layers: int = 2,
        hidden: int = 256,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if min(tokens, context, width, heads, layers, hidden) < 1 or width % heads:
            raise InputError(
                "a transformer that cannot be built",
                expected="positive sizes, heads that divide the width",
                got=f"tokens {tokens}, context {context}, width {width}, heads {heads}, layers {layers}, "
                f"hidden {hidden}",
            )
        self.tokens, self.context, self.width, self.heads, self.hidden = tokens, context, width, heads, hidden
        self.embedding, self.positions = (
            nn.Embedding(rows, width, device="meta").to_empty(device="cpu") for rows in (tokens, context)
        )
        with torch.no_grad():
            for table in (self.embedding, self.positions):
                table.weight.normal_(0.0, DEVIATION, generator=generator)
        self.blocks = nn.ModuleList(Block(width, heads, hidden, generator) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.write = drawn_linear(width, tokens, generator)

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        options = {"tokens": self.tokens, "context": self.context, "width": self.width, "heads": self.heads}
        return ModelSpec("gpt", options | {"layers": len(self.blocks), "hidden": self.hidden})

    def forward(self, x: Num[Tensor, "*rows context"]) -> Float[Tensor, "*rows context tokens"]:
        """At each token, logits of the next one; tokens come as numbers, whole ones."""
        r = self.embedding(x.long()) + self.positions.weight[: x.shape[-1]]
        for block in self.blocks:
            r = block(r)
        logits: Float[Tensor, "*rows context tokens"] = self.write(self.norm(r))
        return logits

    def stacked_forward(
        self, tensors: Mapping[str, Float[Tensor, "seeds ..."]], x: Num[Tensor, "seeds rows context"]
    ) -> Float[Tensor, "seeds rows context tokens"]:
        """`forward` for many sets of weights at once, by batched products."""
        table, part = tensors["embedding.weight"], stacked(tensors)
        first = torch.arange(len(table), device=x.device)[:, None, None] * self.tokens  # of each seed's own rows
        r = looked_up(x.long() + first, table.flatten(0, 1))
        r = r + tensors["positions.weight"][:, None, : x.shape[-1]]
        for index in range(len(self.blocks)):
            r = through_block(r, self.heads, stacked(tensors, f"blocks.{index}."))
        return part("write", part("norm", r))

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Groups resid, a1, m1, a2, m2, ..., y on parallel lines.

        The residual stream is one group at every read and write; embeddings of tokens and positions pay l0 an entry.

        Args:
            input_labels: names of the places in the context; they are tokens and have none in space.
            output_labels: names of the outputs.
            movable_ends: whether outputs may be reordered.
        """
        resid = Group.line("resid", self.width)
        y = Group.line("y", self.tokens, movable=movable_ends, labels=output_labels)
        blocks = (
            block_layout(f"blocks.{index}", index + 1, resid=resid, heads=self.heads, hidden=self.hidden)
            for index in range(len(self.blocks))
        )
        return Layout.merge(
            embedding("embedding", target=resid),
            embedding("positions", target=resid),
            *blocks,
            norm("norm", target=resid),
            linear("write", source=resid, target=y),
            outputs="y",
        )
