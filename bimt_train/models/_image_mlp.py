"""An MLP that looks at an image: layers on square grids, a ring of outputs."""

import itertools
from collections.abc import Sequence

import torch

from ..layouts._fragments import linear
from ..layouts._group import Group
from ..layouts._layout import Layout
from ._mlp import MLP
from ._model_spec import ModelSpec


class ImageMLP(MLP):
    """An `MLP` whose neurons lie in planes (arXiv 2305.08746, section 3.4).

    The input's pixels keep their places; hidden layers are square grids; the outputs stand on a ring.

    Args:
        widths: neurons a layer; the first is rows times columns of the image.
        image: rows and columns.
        activation: as `MLP` takes it.
        generator: draws the first weights.
    """

    def __init__(
        self,
        widths: Sequence[int],
        image: Sequence[int],
        activation: str = "silu",
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(widths, activation, generator=generator)
        self.image = (int(image[0]), int(image[1]))

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        options = {"widths": list(self.widths), "image": list(self.image), "activation": self.activation}
        return ModelSpec("image-mlp", options)

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Groups x (a grid that stays), h1, h2, ... (square grids), y (a ring).

        Args:
            input_labels: names of the pixels, row by row.
            output_labels: names of the outputs.
            movable_ends: whether outputs may be reordered; pixels never are.
        """
        groups = [Group.grid("x", self.image, movable=False, labels=input_labels)]
        groups += [Group.grid(f"h{i}", width) for i, width in enumerate(self.widths[1:-1], start=1)]
        groups.append(Group.ring("y", self.widths[-1], movable=movable_ends, labels=output_labels))
        pieces = [linear(f"layers.{i}", source=a, target=b) for i, (a, b) in enumerate(itertools.pairwise(groups))]
        return Layout.merge(*pieces, inputs="x", outputs="y")
