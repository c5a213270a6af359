"""A small transformer over rows of numbers: each column is a token; its layer norms are applied."""

from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .._errors import InputError
from ..layouts._fragments import linear, norm
from ..layouts._group import Group
from ..layouts._layout import Layout, TensorSpec
from ._mlp import drawn_linear
from ._model_spec import ModelSpec
from ._transformer_block import Block, block_layout, stacked, through_block


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
        outputs: Float[Tensor, "*rows outputs"] = self.write(self.norm(r[..., -1, :]))
        return outputs

    def stacked_forward(
        self, tensors: Mapping[str, Float[Tensor, "seeds ..."]], x: Float[Tensor, "seeds rows columns"]
    ) -> Float[Tensor, "seeds rows outputs"]:
        """`forward` for many sets of weights at once, by batched products."""
        part = stacked(tensors)
        r = part("read", x[..., None] * self.places.to(x))
        for index in range(len(self.blocks)):
            r = through_block(r, self.heads, stacked(tensors, f"blocks.{index}."))
        return part("write", part("norm", r[..., -1, :]))

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Groups kind, resid, a1, m1, a2, m2, ..., y on parallel lines.

        The residual stream is one group at every read and write.

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
        pieces += [
            block_layout(f"blocks.{index}", index + 1, resid=resid, heads=self.heads, hidden=self.hidden)
            for index in range(len(self.blocks))
        ]
        pieces += [norm("norm", target=resid), linear("write", source=resid, target=y)]
        places = Layout((kind,), {"places": TensorSpec("_ kind", "buffer")})
        return Layout.merge(*pieces, places, outputs="y")
