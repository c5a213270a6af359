"""The block that every transformer here is made of, for one network and for a stack of them, with its layout."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import layer_norm, rms_norm, scaled_dot_product_attention

from ...layouts._fragments import linear, norm
from ...layouts._group import Group
from ...layouts._layout import Layout, TensorSpec
from ._block_options import EPSILON, BlockSize
from ._drawn_linear import drawn_linear
from .activations import activation_module

Apply = Callable[[str, Tensor], Tensor]
"""A part's name and what it reads -> what it writes."""

Attend = Callable[[Tensor, Tensor, Tensor, float | None], Tensor]
"""Queries, keys and values ``[rows, heads, tokens, size]`` and the scale of scores -> what heads give last tokens."""


class Block(nn.Module):
    """``r + attention(norm(r))``, then ``r + mlp(norm(r))``: pre-norm and causal.

    Parameters
    ----------
    width : int
        Width of the residual stream.
    sizes : BlockSize
        Heads, their neurons, neurons of the MLP, and how they compute.
    generator : torch.Generator, optional
        Draws the first weights.

    Examples
    --------
    >>> Block(8, BlockSize(heads=2, size=4, hidden=16), None)(torch.zeros(1, 3, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, width: int, sizes: BlockSize, generator: torch.Generator | None) -> None:
        super().__init__()
        self.sizes, self.heads = sizes, sizes.heads
        self.norm1, self.norm2 = nn.LayerNorm(width, sizes.epsilon), nn.LayerNorm(width, sizes.epsilon)
        self.qkv = drawn_linear(width, 3 * sizes.heads * sizes.size, generator)
        self.out = drawn_linear(sizes.heads * sizes.size, width, generator)
        self.up = drawn_linear(width, sizes.hidden, generator)
        self.down = drawn_linear(sizes.hidden, width, generator)

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
        return through_block(r, self.sizes, self.part)

    def part(self, name: str, h: Tensor) -> Tensor:
        """Apply the part of a name.

        Parameters
        ----------
        name : str
            ``norm1``, ``qkv``, ``out``, ``norm2``, ``up`` or ``down``.
        h : Tensor
            What it reads.

        Returns
        -------
        Tensor
            What it writes.
        """
        written: Tensor = self.get_submodule(name)(h)
        return written


def causal(q: Tensor, k: Tensor, v: Tensor, scale: float | None) -> Tensor:
    """Let each token attend to itself and to those before it.

    Parameters
    ----------
    q, k, v : Tensor of shape (rows, heads, tokens, size)
        Queries, keys and values.
    scale : float or None
        What scores are multiplied with; 1/sqrt(size) where it is None.

    Returns
    -------
    Tensor of shape (rows, heads, tokens, size)
        What the heads give.
    """
    return scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)


def of_last_token(q: Tensor, k: Tensor, v: Tensor, scale: float | None) -> Tensor:
    """Let the last token attend to all, and no other: as `causal` for what is read behind the last block at its end.

    Parameters
    ----------
    q, k, v : Tensor of shape (rows, heads, tokens, size)
        Queries, keys and values.
    scale : float or None
        What scores are multiplied with; 1/sqrt(size) where it is None.

    Returns
    -------
    Tensor of shape (rows, heads, 1, size)
        What the heads give.
    """
    factor = q.shape[-1] ** -0.5 if scale is None else scale
    scores = (q[..., -1:, :] * factor * k).sum(-1, keepdim=True)  # of one query, a product and a sum are fastest
    return (scores.softmax(-2) * v).sum(-2, keepdim=True)


def through_block(
    r: Float[Tensor, "*rows tokens width"], sizes: BlockSize, apply: Apply, *, attend: Attend = causal
) -> Float[Tensor, "*rows last width"]:
    """Do the arithmetic of a block, whoever applies its parts.

    Parameters
    ----------
    r : Tensor of shape (*rows, tokens, width)
        The residual stream.
    sizes : BlockSize
        Heads of the attention, and how the block computes.
    apply : callable
        Applies the part of a name: ``norm1``, ``qkv``, ``out``, ``norm2``, ``up`` or ``down``.
    attend : callable
        What the heads give, of queries, keys, values and the scale; where that is of the last tokens alone, the block
        computes no other.

    Returns
    -------
    Tensor of shape (*rows, last, width)
        The stream behind the block, at all tokens or the last ones.
    """
    *rows, tokens, _ = r.shape
    read = apply("qkv", apply("norm1", r))
    # attention wants one axis of rows, whatever they are of
    q, k, v = read.reshape(-1, tokens, 3, sizes.heads, read.shape[-1] // (3 * sizes.heads)).permute(2, 0, 3, 1, 4)
    seen = attend(q, k, v, sizes.scale)
    last = seen.shape[-2]
    r = r[..., -last:, :] + apply("out", seen.transpose(1, 2).reshape(*rows, last, -1))
    return r + apply("down", activation_module(sizes.activation)(apply("up", apply("norm2", r))))


def stacked(tensors: Mapping[str, Float[Tensor, "seeds ..."]], prefix: str = "", *, epsilon: float = EPSILON) -> Apply:
    """Apply linear layers and norms of many networks at once, each to its own seed's rows, by batched products.

    Parameters
    ----------
    tensors : mapping of str to Tensor of shape (seeds, ...)
        Every parameter with a leading axis of seeds.
    prefix : str
        What stands before a part's name in the tensors' names.
    epsilon : float
        What norms add to a variance.

    Returns
    -------
    callable
        A part's name and what it reads -> what it writes, both with a leading axis of seeds.
    """

    def apply(name: str, h: Tensor) -> Tensor:
        weight, bias = (tensors.get(f"{prefix}{name}.{tensor}") for tensor in ("weight", "bias"))
        assert weight is not None
        rows = h.flatten(1, -2)
        written: Tensor
        if bias is None:  # a norm of root mean squares; every linear layer here has a bias
            written = rms_norm(rows, rows.shape[-1:], eps=epsilon) * weight[:, None]
        elif weight.ndim == 2:  # one gain a neuron: a norm
            written = torch.addcmul(bias[:, None], layer_norm(rows, rows.shape[-1:], eps=epsilon), weight[:, None])
        else:
            written = torch.baddbmm(bias[:, None], rows, weight.transpose(1, 2))
        return written.reshape(*h.shape[:-1], -1)

    return apply


def block_layout(prefix: str, number: int, *, resid: Group, sizes: BlockSize) -> Layout:
    """Declare groups a1 and m1 (of block number 1) beside the stream.

    q, k and v share the positions of a1, which move head by head; m1 are the neurons of the MLP; norms follow the
    stream and are not penalised.

    Parameters
    ----------
    prefix : str
        The block's module, ``blocks.0``.
    number : int
        The block's number in the groups' names, from 1.
    resid : Group
        The residual stream.
    sizes : BlockSize
        Heads, their neurons, and neurons of the MLP.

    Returns
    -------
    Layout
        The block's piece of the layout.

    Examples
    --------
    >>> layout = block_layout("blocks.0", 1, resid=Group.line("resid", 8), sizes=BlockSize(2, 4, 16))
    >>> dict(layout.sizes)
    {'resid': 8, 'a1': 8, 'm1': 16}
    """
    a, m = Group.line(f"a{number}", sizes.heads * sizes.size, heads=sizes.heads), Group.line(f"m{number}", sizes.hidden)
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
