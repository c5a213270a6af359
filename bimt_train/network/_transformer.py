"""A small transformer over rows of numbers: each column is a token; its layer norms are applied."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm

from .._errors import InputError
from ._fragments import linear, norm
from ._group import Group
from ._layout import Layout, TensorSpec
from ._mlp import drawn_linear
from ._model_spec import ModelSpec


class Block(nn.Module):
    """``r + attention(norm(r))``, then ``r + mlp(norm(r))``: pre-norm, causal, GELU in its tanh form."""

    def __init__(self, width: int, heads: int, hidden: int, generator: torch.Generator | None) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = drawn_linear(width, 3 * width, generator)
        self.out = drawn_linear(width, width, generator)
        self.up = drawn_linear(width, hidden, generator)
        self.down = drawn_linear(hidden, width, generator)

    def forward(self, r: Float[Tensor, "*rows tokens width"]) -> Float[Tensor, "*rows tokens width"]:
        """The residual stream behind this block."""
        q, k, v = self.qkv(_normed(r, self.norm1)).unflatten(-1, (3, self.heads, -1)).movedim(-3, 0)
        q, k, v = (part.transpose(-2, -3) for part in (q, k, v))  # [..., heads, tokens, head width]
        scores = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5
        ahead = torch.ones(scores.shape[-2:], dtype=torch.bool, device=r.device).triu(1)
        weights = scores.masked_fill(ahead, -torch.inf).softmax(-1)
        r = r + self.out((weights @ v).transpose(-2, -3).flatten(-2))
        behind: Tensor = r + self.down(gelu(self.up(_normed(r, self.norm2)), approximate="tanh"))
        return behind


def _normed(r: Tensor, applied: nn.LayerNorm) -> Tensor:
    normed: Tensor = layer_norm(r, applied.normalized_shape, applied.weight, applied.bias, applied.eps)
    return normed


class RowTransformer(nn.Module):
    """Reads a row of numbers as a sequence without positions, and gives its outputs at the last token.

    A token is a vector with its number in the place of its kind and zeros elsewhere, as in-context regression writes
    x1, y1, x2 (arXiv 2305.08746, section 3.5, has one kind for x and one for y).

    Args:
        kinds: the kind of each column of x, from 0.
        outputs: how many numbers are given.
        width: of the residual stream.
        heads: of each attention; divides width.
        layers: blocks.
        hidden: neurons of each block's MLP.
        generator: draws the first weights.
    """

    def __init__(
        self,
        kinds: Sequence[int],
        outputs: int,
        width: int,
        heads: int = 1,
        layers: int = 2,
        hidden: int = 128,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if min(outputs, width, heads, layers, hidden) < 1 or width % heads or sorted(set(kinds)) != list(
            range(max(kinds, default=-1) + 1)
        ):  # fmt: skip
            raise InputError(
                "a transformer that cannot be built",
                expected="positive sizes, heads that divide the width, kinds 0, 1, ... without a gap",
                got=f"kinds {list(kinds)}, width {width}, heads {heads}, layers {layers}, hidden {hidden}",
            )
        self.kinds, self.outputs, self.width, self.heads, self.hidden = tuple(kinds), outputs, width, heads, hidden
        self.read = drawn_linear(max(kinds) + 1, width, generator)
        self.blocks = nn.ModuleList(Block(width, heads, hidden, generator) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.write = drawn_linear(width, outputs, generator)
        self.places: Tensor
        self.register_buffer("places", torch.eye(max(kinds) + 1)[list(kinds)])

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        options = {"kinds": list(self.kinds), "outputs": self.outputs, "width": self.width, "heads": self.heads}
        return ModelSpec("row-transformer", options | {"layers": len(self.blocks), "hidden": self.hidden})

    def forward(self, x: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows outputs"]:
        """The outputs, read at the last token."""
        r = self.read(x[..., None] * self.places)
        for block in self.blocks:
            r = block(r)
        outputs: Float[Tensor, "*rows outputs"] = self.write(_normed(r[..., -1, :], self.norm))
        return outputs

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Groups kind, resid, a1, m1, a2, m2, ..., y on parallel lines.

        The residual stream is one group at every read and write; q, k and v share the slots of a block's readers, which
        move head by head; norms follow the stream and are not penalised.

        Args:
            input_labels: names of the columns; they are tokens and have no place, but name their kinds.
            output_labels: names of the outputs.
            movable_ends: whether kinds and outputs may be reordered.
        """
        kinds = range(max(self.kinds) + 1)
        names = [
            [n for n, own in zip(input_labels, self.kinds, strict=True) if own == k] for k in kinds if input_labels
        ]
        kind = Group.line("kind", len(kinds), movable=False, labels=[", ".join(each) for each in names])
        resid = Group.line("resid", self.width)
        y = Group.line("y", self.outputs, movable=movable_ends, labels=output_labels)
        pieces = [linear("read", source=kind, target=resid)]
        for index in range(len(self.blocks)):
            at = f"blocks.{index}"
            a = Group.line(f"a{index + 1}", self.width, heads=self.heads)
            m = Group.line(f"m{index + 1}", self.hidden)
            queries = {
                f"{at}.qkv.weight": TensorSpec(f"(3 {a.name}) resid", "weight"),
                f"{at}.qkv.bias": TensorSpec(f"(3 {a.name})", "bias"),
            }
            pieces += [
                norm(f"{at}.norm1", target=resid),
                Layout((resid, a), queries),
                linear(f"{at}.out", source=a, target=resid),
                norm(f"{at}.norm2", target=resid),
                linear(f"{at}.up", source=resid, target=m),
                linear(f"{at}.down", source=m, target=resid),
            ]
        pieces += [norm("norm", target=resid), linear("write", source=resid, target=y)]
        places = Layout((kind,), {"places": TensorSpec("_ kind", "buffer")})
        return Layout.merge(*pieces, places, outputs="y")
