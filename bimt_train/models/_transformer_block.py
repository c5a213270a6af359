"""The block that every transformer here is made of, for one network and for a stack of them, with its layout."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, scaled_dot_product_attention

from ..layouts._fragments import linear, norm
from ..layouts._group import Group
from ..layouts._layout import Layout, TensorSpec
from ._mlp import drawn_linear

Apply = Callable[[str, Tensor], Tensor]
"""A part's name and what it reads -> what it writes."""


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
        return through_block(r, self.heads, lambda name, h: self.get_submodule(name)(h))


def through_block(
    r: Float[Tensor, "*rows tokens width"], heads: int, apply: Apply
) -> Float[Tensor, "*rows tokens width"]:
    """The arithmetic of a block, whoever applies its parts."""
    *rows, tokens, width = r.shape
    # attention wants one axis of rows, whatever they are of
    read = apply("qkv", apply("norm1", r)).reshape(-1, tokens, 3, heads, width // heads)
    q, k, v = read.permute(2, 0, 3, 1, 4)
    seen = scaled_dot_product_attention(q, k, v, is_causal=True)
    r = r + apply("out", seen.transpose(1, 2).reshape(*rows, tokens, width))
    return r + apply("down", gelu(apply("up", apply("norm2", r)), approximate="tanh"))


def stacked(tensors: Mapping[str, Float[Tensor, "seeds ..."]], prefix: str = "") -> Apply:
    """Applies linear layers and norms of many networks at once, each to its own seed's rows, by batched products."""

    def apply(name: str, h: Tensor) -> Tensor:
        weight, bias = (tensors[f"{prefix}{name}.{tensor}"] for tensor in ("weight", "bias"))
        rows = h.flatten(1, -2)
        written: Tensor
        if weight.ndim == 2:  # one gain a neuron: a norm
            written = torch.addcmul(bias[:, None], layer_norm(rows, rows.shape[-1:]), weight[:, None])
        else:
            written = torch.baddbmm(bias[:, None], rows, weight.transpose(1, 2))
        return written.reshape(*h.shape[:-1], -1)

    return apply


def block_layout(prefix: str, number: int, *, resid: Group, heads: int, hidden: int) -> Layout:
    """Groups a1 and m1 (of block number 1) beside the stream: q, k and v share the slots of a1, which move head by
    head; m1 are the neurons of the MLP; norms follow the stream and are not penalised."""
    a, m = Group.line(f"a{number}", resid.size, heads=heads), Group.line(f"m{number}", hidden)
    queries = {
        f"{prefix}.qkv.weight": TensorSpec(f"(3 {a.name}) {resid.name}", "weight"),
        f"{prefix}.qkv.bias": TensorSpec(f"(3 {a.name})", "bias"),
    }
    return Layout.merge(
        norm(f"{prefix}.norm1", target=resid),
        Layout((resid, a), queries),
        linear(f"{prefix}.out", source=a, target=resid),
        norm(f"{prefix}.norm2", target=resid),
        linear(f"{prefix}.up", source=resid, target=m),
        linear(f"{prefix}.down", source=m, target=resid),
    )
