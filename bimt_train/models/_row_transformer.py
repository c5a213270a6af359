"""A small transformer over rows of numbers: each column is a token; its layer norms are applied."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .._errors import InputError
from ..layouts._fragments import linear, norm
from ..layouts._group import Group
from ..layouts._layout import Layout, TensorSpec
from ._contract import MODELS, Ends, Shape
from ._model_spec import ModelSpec
from .building_blocks._block_options import BlockOptions
from .building_blocks._drawn_linear import drawn_linear
from .building_blocks._layers import numbers_only
from .building_blocks._transformer_block import Block, block_layout, causal, of_last_token, stacked, through_block


class RowTransformerOptions(BlockOptions):
    """Options of a `RowTransformer`.

    Attributes
    ----------
    kinds : list of int
        The kind of each column of x, from 0.
    outputs : int
        How many numbers are given.
    width, heads, layers, hidden, head_size, scale, activation, epsilon
        As `BlockOptions` says.

    Examples
    --------
    >>> RowTransformerOptions.for_task(Ends(inputs=3, outputs=1)).kinds
    [0, 1, 2]
    """

    kinds: list[int]
    outputs: int

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        """What reads the tokens, the place of each kind, then the blocks and what writes."""
        count = max(self.kinds, default=0) + 1
        yield from (("read.weight", (self.width, count)), ("read.bias", (self.width,)))
        yield "places", (len(self.kinds), count)
        yield from self.block_shapes(self.outputs)

    @property
    def ends(self) -> Ends:
        """A column a token, and the outputs at the last."""
        return Ends(inputs=len(self.kinds), outputs=self.outputs)

    @classmethod
    def for_task(cls, ends: Ends, hidden: Sequence[int] = ()) -> Self:
        """Each column of its own kind, two blocks of width 32 with one head, and MLPs of 128 neurons.

        Parameters
        ----------
        ends : Ends
            What the task gives and asks for.
        hidden : sequence of int, optional
            Neurons of the MLPs: one number for two blocks, or one number a block.
        """
        numbers_only(ends, cls.__name__)
        layers, each = (len(hidden), list(hidden)) if len(hidden) > 1 else (2, next(iter(hidden), 128))
        kinds = list(range(ends.inputs))
        return cls(kinds=kinds, outputs=ends.outputs, width=32, heads=1, layers=layers, hidden=each)

    @classmethod
    def example(cls) -> Self:
        """Three columns of two kinds, two small blocks of two heads."""
        return cls(kinds=[0, 1, 0], outputs=2, width=12, heads=2, layers=2, hidden=7)


@MODELS.register(
    "row-transformer",
    label="transformer over rows",
    sentence="A causal pre-norm transformer whose tokens are the columns of a row, read out at the last.",
    options=RowTransformerOptions,
)
class RowTransformer(nn.Module):
    """A transformer that reads a row of numbers as a sequence without positions, and gives outputs at the last token.

    A token is a vector with its number in the place of its kind and zeros elsewhere, as in-context regression writes
    x1, y1, x2 (the paper has one kind for x and one for y).

    Parameters
    ----------
    kinds : sequence of int
        The kind of each column of x, from 0.
    outputs : int
        How many numbers are given.
    width : int
        Width of the residual stream.
    heads : int or sequence of int
        Heads of each attention, one number for all blocks or one for each; divides width.
    layers : int
        How many blocks there are.
    hidden : int or sequence of int
        Neurons of the MLPs, one number for all blocks or one for each.
    head_size : int or sequence of int, optional
        Neurons of a head, for circuits whose dead neurons are gone; width / heads where it is left out.
    scale : float or sequence of float, optional
        What scores are multiplied with, one number for all blocks or one for each, for circuits and networks trained
        elsewhere; 1/sqrt(size of a head) where it is left out.
    activation : str, optional
        A name in `ACTIVATIONS`, for the MLPs; ``gelu_tanh`` where it is left out.
    epsilon : float, optional
        What norms add to a variance; 1e-5 where it is left out.
    generator : torch.Generator, optional
        Draws the first weights.

    Raises
    ------
    InputError
        A size below 1, heads that do not divide the width, or kinds with a gap.

    References
    ----------
    arXiv 2305.08746, section 3.5.

    Examples
    --------
    >>> RowTransformer(kinds=[0, 1, 0], outputs=1, width=12, heads=2, hidden=7)(torch.zeros(5, 3)).shape
    torch.Size([5, 1])
    """

    def __init__(
        self,
        kinds: Sequence[int],
        outputs: int,
        width: int,
        heads: int | Sequence[int] = 1,
        layers: int = 2,
        hidden: int | Sequence[int] = 128,
        *,
        head_size: int | Sequence[int] | None = None,
        scale: float | Sequence[float] | None = None,
        activation: str | None = None,
        epsilon: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if not kinds or set(kinds) != set(range(max(kinds) + 1)):
            raise InputError(
                "a transformer that cannot be built", expected="kinds 0, 1, ... without a gap", got=str(list(kinds))
            )
        self.options = RowTransformerOptions.checked(
            kinds=list(kinds), outputs=outputs, width=width, heads=heads, layers=layers, hidden=hidden,
            head_size=head_size, scale=scale, activation=activation, epsilon=epsilon,
        )  # fmt: skip
        self.kinds = tuple(kinds)
        self.read = drawn_linear(max(kinds) + 1, width, generator)
        self.blocks = nn.ModuleList(Block(width, self.options.block(i), generator) for i in range(layers))
        self.norm = nn.LayerNorm(width, self.options.norm_epsilon)
        self.write = drawn_linear(width, outputs, generator)
        self.places: Tensor
        self.register_buffer("places", torch.eye(max(kinds) + 1)[list(kinds)])

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        return ModelSpec("row-transformer", self.options.to_json())

    def forward(self, x: Float[Tensor, "*rows columns"]) -> Float[Tensor, "*rows outputs"]:
        """Compute the outputs, read at the last token.

        Parameters
        ----------
        x : Tensor of shape (*rows, columns)
            The rows.

        Returns
        -------
        Tensor of shape (*rows, outputs)
            The outputs.
        """
        r = self.read(x[..., None] * self.places)
        for block in self.blocks:
            r = block(r)
        outputs: Float[Tensor, "*rows outputs"] = self.write(self.norm(r[..., -1, :]))
        return outputs

    def stacked_forward(
        self, tensors: Mapping[str, Float[Tensor, "seeds ..."]], x: Float[Tensor, "seeds rows columns"]
    ) -> Float[Tensor, "seeds rows outputs"]:
        """Compute `forward` for many sets of weights at once, by batched products.

        Parameters
        ----------
        tensors : mapping of str to Tensor of shape (seeds, ...)
            Every parameter with a leading axis of seeds.
        x : Tensor of shape (seeds, rows, columns)
            Rows of each seed.

        Returns
        -------
        Tensor of shape (seeds, rows, outputs)
            The outputs of each seed.
        """
        epsilon = self.options.norm_epsilon
        part = stacked(tensors, epsilon=epsilon)
        r = part("read", x[..., None] * self.places.to(x))
        for index in range(len(self.blocks)):
            attend = causal if index < len(self.blocks) - 1 else of_last_token  # nothing reads the others behind it
            parts = stacked(tensors, f"blocks.{index}.", epsilon=epsilon)
            r = through_block(r, self.options.block(index), parts, attend=attend)
        return part("write", part("norm", r[..., -1, :]))

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Declare groups kind, resid, a1, m1, a2, m2, ..., y on parallel lines.

        The residual stream is one group at every read and write.

        Parameters
        ----------
        input_labels : sequence of str
            Names of the columns; they are tokens and have no position, but name their kinds.
        output_labels : sequence of str
            Names of the outputs.
        movable_ends : bool
            Whether kinds and outputs may be reordered.

        Returns
        -------
        Layout
            The layout.
        """
        kinds = range(max(self.kinds) + 1)
        names = [
            [n for n, own in zip(input_labels, self.kinds, strict=True) if own == k] for k in kinds if input_labels
        ]
        kind = Group.line("kind", len(kinds), movable=False, labels=[", ".join(each) for each in names])
        resid = Group.line("resid", self.options.width)
        y = Group.line("y", self.options.outputs, movable=movable_ends, labels=output_labels)
        pieces = [linear("read", source=kind, target=resid)]
        pieces += [
            block_layout(f"blocks.{index}", index + 1, resid=resid, sizes=self.options.block(index))
            for index in range(len(self.blocks))
        ]
        pieces += [norm("norm", target=resid), linear("write", source=resid, target=y)]
        places = Layout((kind,), {"places": TensorSpec("_ kind", "buffer")})
        return Layout.merge(*pieces, places, outputs="y")
