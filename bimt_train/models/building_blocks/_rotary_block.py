"""The block of Llama's family: rotary positions, grouped-query attention, a gated MLP, norms of root mean squares."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from ...layouts._fragments import linear, norm
from ...layouts._group import Group
from ...layouts._layout import Layout, TensorSpec
from ._drawn_linear import drawn_linear
from ._transformer_block import Apply, Attend
from .activations import activation_module


class RotarySize(NamedTuple):
    """The sizes of one block, and how it computes.

    Attributes
    ----------
    heads : int
        Heads that ask.
    kv_heads : int
        Heads that are asked; each serves ``heads / kv_heads`` of those that ask, one after the other.
    size : int
        Neurons of a head.
    hidden : int
        Neurons of the MLP.
    activation : str
        A name in `ACTIVATIONS`.
    epsilon : float
        What norms add to a mean square.
    frequencies : sequence of float
        Radians that each pair of a head's neurons turns by from one token to the next; ``size / 2`` of them.
    window : int or None
        How many tokens are attended to at most, the asking one among them; all before it where it is None.
    query_norm : bool
        Whether queries and keys are normed, head by head, before they are turned.

    Examples
    --------
    >>> RotarySize(4, 2, 2, 16, "silu", 1e-6, [1.0]).kv_heads
    2
    """

    heads: int
    kv_heads: int
    size: int
    hidden: int
    activation: str
    epsilon: float
    frequencies: Sequence[float]
    window: int | None = None
    query_norm: bool = False


class RotaryBlock(nn.Module):
    """``r + attention(norm(r))``, then ``r + down(act(gate(h)) * up(h))`` of ``h = norm(r)``: pre-norm and causal.

    Parameters
    ----------
    width : int
        Width of the residual stream.
    sizes : RotarySize
        Heads, their neurons, neurons of the MLP, and how they compute.
    generator : torch.Generator, optional
        Draws the first weights.

    Examples
    --------
    >>> RotaryBlock(8, RotarySize(4, 2, 2, 16, "silu", 1e-6, [1.0]), None)(torch.zeros(1, 3, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, width: int, sizes: RotarySize, generator: torch.Generator | None) -> None:
        super().__init__()
        self.sizes = sizes
        self.norm1, self.norm2 = nn.RMSNorm(width, sizes.epsilon), nn.RMSNorm(width, sizes.epsilon)
        asking, asked = sizes.heads * sizes.size, sizes.kv_heads * sizes.size
        self.query = drawn_linear(width, asking, generator)
        self.key = drawn_linear(width, asked, generator)
        self.value = drawn_linear(width, asked, generator)
        self.out = drawn_linear(asking, width, generator)
        self.gate = drawn_linear(width, sizes.hidden, generator)
        self.up = drawn_linear(width, sizes.hidden, generator)
        self.down = drawn_linear(sizes.hidden, width, generator)
        if sizes.query_norm:
            self.query_norm, self.key_norm = (nn.RMSNorm(sizes.size, sizes.epsilon) for _ in range(2))

    def forward(self, r: Float[Tensor, "*rows tokens width"]) -> Float[Tensor, "*rows tokens width"]:
        """Compute the residual stream behind this block.

        Parameters
        ----------
        r : Tensor of shape (*rows, tokens, width)
            The stream before it.

        Returns
        -------
        Tensor of shape (*rows, tokens, width)
            The stream behind it.
        """
        return through_rotary(r, self.sizes, self.part)

    def part(self, name: str, h: Tensor) -> Tensor:
        """Apply the part of a name.

        Parameters
        ----------
        name : str
            For instance ``norm1``, ``query`` or ``down``.
        h : Tensor
            What it reads.

        Returns
        -------
        Tensor
            What it writes.
        """
        written: Tensor = self.get_submodule(name)(h)
        return written


def through_rotary(
    r: Float[Tensor, "*rows tokens width"],
    sizes: RotarySize,
    apply: Apply,
    *,
    attend: Attend | None = None,
    first: int = 0,
) -> Float[Tensor, "*rows tokens width"]:
    """Do the arithmetic of a block, whoever applies its parts.

    Parameters
    ----------
    r : Tensor of shape (*rows, tokens, width)
        The residual stream.
    sizes : RotarySize
        Heads of the attention, and how the block computes.
    apply : callable
        Applies the part of a name: ``norm1``, ``query``, ``key``, ``value``, ``out``, ``norm2``, ``gate``, ``up`` or
        ``down``; ``query_norm`` and ``key_norm`` where queries are normed.
    attend : callable, optional
        What the heads give, of queries, keys, values and no scale; left out, each token attends to itself and to those
        before it within the window.
    first : int
        The place of the first token, counted from 0.

    Returns
    -------
    Tensor of shape (*rows, tokens, width)
        The stream behind the block.
    """
    *rows, tokens, _ = r.shape
    h = apply("norm1", r)
    q, k, v = (
        apply(name, h).reshape(*rows, tokens, heads, sizes.size)
        for name, heads in (("query", sizes.heads), ("key", sizes.kv_heads), ("value", sizes.kv_heads))
    )
    if sizes.query_norm:
        q, k = apply("query_norm", q), apply("key_norm", k)
    # attention wants one axis of rows, whatever they are of
    q, k, v = (each.reshape(-1, *each.shape[-3:]).transpose(1, 2) for each in (q, k, v))
    q, k = (_turned(each, sizes.frequencies, first) for each in (q, k))
    k, v = (each.repeat_interleave(sizes.heads // sizes.kv_heads, dim=1) for each in (k, v))
    seen = _windowed(q, k, v, sizes.window) if attend is None else attend(q, k, v, None)
    r = r + apply("out", seen.transpose(1, 2).reshape(*rows, tokens, -1))
    h = apply("norm2", r)
    return r + apply("down", activation_module(sizes.activation)(apply("gate", h)) * apply("up", h))


def _turned(
    h: Float[Tensor, "rows heads tokens size"], frequencies: Sequence[float], first: int
) -> Float[Tensor, "rows heads tokens size"]:
    """Turn entry i of a head and entry i + size/2 as a pair, by an angle that grows from token to token."""
    place = torch.arange(first, first + h.shape[-2], dtype=torch.float64, device=h.device)
    angles = place[:, None] * torch.tensor(frequencies, dtype=torch.float64, device=h.device)
    cos, sin = angles.cos().to(h.dtype), angles.sin().to(h.dtype)
    one, other = h.chunk(2, dim=-1)
    return torch.cat([one * cos - other * sin, other * cos + one * sin], dim=-1)


def _windowed(q: Tensor, k: Tensor, v: Tensor, window: int | None) -> Tensor:
    tokens = q.shape[-2]
    if window is None or window >= tokens:
        return scaled_dot_product_attention(q, k, v, is_causal=True)
    place = torch.arange(tokens, device=q.device)
    back = place[:, None] - place
    return scaled_dot_product_attention(q, k, v, attn_mask=(back >= 0) & (back < window))


def rotary_layout(prefix: str, number: int, *, resid: Group, sizes: RotarySize) -> Layout:
    """Declare groups kv1 and m1 (of block number 1) beside the stream.

    A neuron of kv1 is a whole head that is asked, with all heads that ask it: rotary positions turn each pair of a
    head's neurons by an angle of its own, so that neurons within a head cannot change places. m1 are the neurons of the
    MLP, which gate and up share.

    Parameters
    ----------
    prefix : str
        The block's module, ``blocks.0``.
    number : int
        The block's number in the groups' names, from 1.
    resid : Group
        The residual stream.
    sizes : RotarySize
        Heads, their neurons, and neurons of the MLP.

    Returns
    -------
    Layout
        The block's piece of the layout.

    Examples
    --------
    >>> sizes = RotarySize(4, 2, 2, 16, "silu", 1e-6, [1.0])
    >>> layout = rotary_layout("blocks.0", 1, resid=Group.line("resid", 8), sizes=sizes)
    >>> dict(layout.sizes), layout.tensors["blocks.0.query.weight"].pattern
    ({'resid': 8, 'kv1': 2, 'm1': 16}, '(kv1 4) resid')
    """
    kv, m = Group.line(f"kv{number}", sizes.kv_heads), Group.line(f"m{number}", sizes.hidden)
    asking, asked = sizes.heads // sizes.kv_heads * sizes.size, sizes.size
    tensors = {}
    for name, copies in (("query", asking), ("key", asked), ("value", asked)):
        tensors[f"{prefix}.{name}.weight"] = TensorSpec(f"({kv.name} {copies}) {resid.name}", "weight")
        tensors[f"{prefix}.{name}.bias"] = TensorSpec(f"({kv.name} {copies})", "bias")
    tensors[f"{prefix}.out.weight"] = TensorSpec(f"{resid.name} ({kv.name} {asking})", "weight")
    tensors[f"{prefix}.out.bias"] = TensorSpec(resid.name, "bias")
    if sizes.query_norm:
        tensors |= {f"{prefix}.{name}.weight": TensorSpec(str(asked), "norm") for name in ("query_norm", "key_norm")}
    return Layout.merge(
        norm(f"{prefix}.norm1", target=resid, bias=False),
        Layout((resid, kv), tensors),
        norm(f"{prefix}.norm2", target=resid, bias=False),
        linear(f"{prefix}.gate", source=resid, target=m),
        linear(f"{prefix}.up", source=resid, target=m),
        linear(f"{prefix}.down", source=m, target=resid),
    )
