"""The block that every transformer here is made of, for one network and for a stack of them, with its layout."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn.functional import gelu, layer_norm, scaled_dot_product_attention

from ..._errors import InputError
from ...layouts._fragments import linear, norm
from ...layouts._group import Group
from ...layouts._layout import Layout, TensorSpec
from .._contract import ModelOptions, Shape
from .._hidden_parts import Heads, HiddenPart, Neurons, Stream, Tensors
from ._drawn_linear import drawn_linear

Apply = Callable[[str, Tensor], Tensor]
"""A part's name and what it reads -> what it writes."""

Each = int | list[int]
"""One number for all blocks, or one for each."""


class BlockSize(NamedTuple):
    """The sizes of one block.

    Attributes
    ----------
    heads : int
        Heads of its attention.
    size : int
        Neurons of each head.
    hidden : int
        Neurons of its MLP.

    Examples
    --------
    >>> BlockSize(heads=4, size=8, hidden=128).size
    8
    """

    heads: int
    size: int
    hidden: int


class BlockOptions(ModelOptions):
    """Options of a model made of pre-norm blocks around one residual stream.

    Attributes
    ----------
    width : int
        Width of the residual stream.
    heads : int or list of int
        Heads of each attention, one number for all blocks or one for each.
    layers : int
        How many blocks there are.
    hidden : int or list of int
        Neurons of the MLPs, one number for all blocks or one for each.
    head_size : int or list of int, optional
        Neurons of a head, one number for all blocks or one for each; width / heads where it is left out. Circuits
        have it, whose dead neurons are gone.
    scale : float, optional
        What scores are multiplied with; 1/sqrt(size of a head) where it is left out. Circuits have it, whose heads
        are smaller than those that were trained.
    """

    width: int
    heads: Each
    layers: int
    hidden: Each
    head_size: Each | None = None
    scale: float | None = None

    @model_validator(mode="after")
    def _one_for_each(self) -> Self:
        for name in ("heads", "hidden", "head_size"):
            given = getattr(self, name)
            if isinstance(given, list) and len(given) != self.layers:
                raise ValueError(f"{name} must be one number, or one for each of the {self.layers} layers")
        return self

    @classmethod
    def checked(cls, **options: Any) -> Self:
        """The options of a module that is being built.

        Parameters
        ----------
        **options
            The options by name; lists may be any sequences.

        Returns
        -------
        BlockOptions
            The options.

        Raises
        ------
        InputError
            A size below 1, heads that do not divide the width, or lists of another length.
        """
        plain: dict[str, Any] = {
            name: list(value) if isinstance(value, Sequence) else value for name, value in options.items()
        }
        chosen = cls.model_construct(None, **plain)
        each = [getattr(chosen, name) for name in ("heads", "hidden", "head_size")]
        lists = [value for value in each if isinstance(value, list)]
        numbers = [value for value in plain.values() if isinstance(value, int)]
        if (
            min([*numbers, *itertools.chain(*lists)]) < 1
            or any(len(value) != chosen.layers for value in lists)
            or (chosen.head_size is None and any(chosen.width % chosen.block(i).heads for i in range(chosen.layers)))
        ):
            raise InputError(
                "a transformer that cannot be built",
                expected="positive sizes, heads that divide the width",
                got=", ".join(f"{name} {value}" for name, value in plain.items() if value is not None),
            )
        return chosen

    def block(self, index: int) -> BlockSize:
        """The sizes of the block of this index, counted from 0."""
        heads, hidden, size = (
            value[index] if isinstance(value, list) else value for value in (self.heads, self.hidden, self.head_size)
        )
        assert heads is not None and hidden is not None
        return BlockSize(heads, self.width // max(heads, 1) if size is None else size, hidden)

    def block_shapes(self, outputs: int) -> Iterator[tuple[str, Shape]]:
        """Shapes of the blocks, and of the norm and the linear layer behind them.

        Parameters
        ----------
        outputs : int
            Numbers that the linear layer gives.

        Yields
        ------
        tuple of str and tuple of int
            Name and shape of a tensor.
        """
        w = self.width
        for index in range(self.layers):
            heads, size, h = self.block(index)
            a = heads * size
            block = {"norm1": (w,), "qkv": (3 * a, w), "out": (w, a), "norm2": (w,), "up": (h, w), "down": (w, h)}
            for name, shape in block.items():
                yield f"blocks.{index}.{name}.weight", shape
                yield f"blocks.{index}.{name}.bias", shape[:1]
        for name, shape in (("norm", (w,)), ("write", (outputs, w))):
            yield f"{name}.weight", shape
            yield f"{name}.bias", shape[:1]

    def hidden_parts(self) -> tuple[HiddenPart, ...]:
        """The stream, and in each block heads and neurons; neurons that nothing drives give ``gelu(bias)``."""
        parts: list[HiddenPart] = [Stream("resid")]
        for index in range(self.layers):
            at = f"blocks.{index}"
            parts.append(Heads(f"a{index + 1}", qkv=f"{at}.qkv", out=f"{at}.out"))
            parts.append(Neurons(f"m{index + 1}", _constant_gelu(f"{at}.up.bias")))
        return tuple(parts)

    def resized(self, groups: Mapping[str, Group]) -> Self:
        """Other numbers of heads and neurons, as the groups of the smaller layout say; scores keep their scale."""
        a, m = ([groups[f"{kind}{index + 1}"] for index in range(self.layers)] for kind in "am")
        heads, sizes = [group.heads for group in a], [group.size // group.heads for group in a]
        usual = all(h * s == self.width for h, s in zip(heads, sizes, strict=True))
        before = {self.block(index).size for index in range(self.layers)}
        scale = self.scale
        if scale is None and any(size != before for size, before in zip(sizes, self._head_sizes(), strict=True)):
            scale = before.pop() ** -0.5  # one number: without a scale of their own, all heads had one size
        update = {"heads": _together(heads), "hidden": _together([group.size for group in m]), "scale": scale}
        return self.model_copy(update=update | {"head_size": None if usual else _together(sizes)})

    def _head_sizes(self) -> list[int]:
        return [self.block(index).size for index in range(self.layers)]


def _together(numbers: list[int]) -> Each:
    """One number where all are the same."""
    return numbers[0] if len(set(numbers)) == 1 else numbers


def _constant_gelu(bias: str) -> Callable[[Tensors, Bool[np.ndarray, " neurons"]], Float64[np.ndarray, " idle"]]:
    def constant(tensors: Tensors, idle: Bool[np.ndarray, " neurons"]) -> Float64[np.ndarray, " idle"]:
        driven = torch.tensor(tensors[bias][idle], dtype=torch.float64)
        return np.asarray(gelu(driven, approximate="tanh").numpy())

    return constant


class Block(nn.Module):
    """``r + attention(norm(r))``, then ``r + mlp(norm(r))``: pre-norm, causal, GELU in its tanh form.

    Parameters
    ----------
    width : int
        Width of the residual stream.
    sizes : BlockSize
        Heads, their neurons, and neurons of the MLP.
    generator : torch.Generator, optional
        Draws the first weights.
    scale : float, optional
        What scores are multiplied with; 1/sqrt(size of a head) where it is left out.

    Examples
    --------
    >>> Block(8, BlockSize(heads=2, size=4, hidden=16), None)(torch.zeros(1, 3, 8)).shape
    torch.Size([1, 3, 8])
    """

    def __init__(
        self, width: int, sizes: BlockSize, generator: torch.Generator | None, scale: float | None = None
    ) -> None:
        super().__init__()
        self.heads, self.scale = sizes.heads, scale
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
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
        return through_block(r, self.heads, lambda name, h: self.get_submodule(name)(h), scale=self.scale)


def through_block(
    r: Float[Tensor, "*rows tokens width"], heads: int, apply: Apply, *, scale: float | None = None
) -> Float[Tensor, "*rows tokens width"]:
    """Do the arithmetic of a block, whoever applies its parts.

    Parameters
    ----------
    r : Tensor of shape (*rows, tokens, width)
        The residual stream.
    heads : int
        Heads of the attention.
    apply : callable
        Applies the part of a name: ``norm1``, ``qkv``, ``out``, ``norm2``, ``up`` or ``down``.
    scale : float, optional
        What scores are multiplied with; 1/sqrt(size of a head) where it is left out.

    Returns
    -------
    Tensor of shape (*rows, tokens, width)
        The stream behind the block.
    """
    *rows, tokens, _ = r.shape
    read = apply("qkv", apply("norm1", r))
    # attention wants one axis of rows, whatever they are of
    q, k, v = read.reshape(-1, tokens, 3, heads, read.shape[-1] // (3 * heads)).permute(2, 0, 3, 1, 4)
    seen = scaled_dot_product_attention(q, k, v, is_causal=True, scale=scale)
    r = r + apply("out", seen.transpose(1, 2).reshape(*rows, tokens, -1))
    return r + apply("down", gelu(apply("up", apply("norm2", r)), approximate="tanh"))


def stacked(tensors: Mapping[str, Float[Tensor, "seeds ..."]], prefix: str = "") -> Apply:
    """Apply linear layers and norms of many networks at once, each to its own seed's rows, by batched products.

    Parameters
    ----------
    tensors : mapping of str to Tensor of shape (seeds, ...)
        Every parameter with a leading axis of seeds.
    prefix : str
        What stands before a part's name in the tensors' names.

    Returns
    -------
    callable
        A part's name and what it reads -> what it writes, both with a leading axis of seeds.
    """

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
