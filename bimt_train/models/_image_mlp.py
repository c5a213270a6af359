"""An MLP that looks at an image: layers on square grids, a ring of outputs."""

import itertools
import math
from collections.abc import Sequence
from typing import Self

import torch
from pydantic import Field

from ..layouts._fragments import linear
from ..layouts._group import Group
from ..layouts._layout import Layout
from ._contract import MODELS, Ends
from ._dense_layers import DenseLayers
from ._mlp import MLP
from ._model_spec import ModelSpec
from .building_blocks._layer_options import HIDDEN, LayerOptions
from .building_blocks._layers import numbers_only


class ImageMLPOptions(LayerOptions):
    """Options of an `ImageMLP`.

    Attributes
    ----------
    widths : list of int
        Neurons of each layer; the first is rows times columns of the image.
    image : list of int
        Rows and columns.
    activation : str
        A name in `ACTIVATIONS`.

    Examples
    --------
    >>> ImageMLPOptions.for_task(Ends(inputs=9, outputs=2), hidden=[16]).image
    [3, 3]
    """

    image: list[int] = Field(min_length=2, max_length=2)

    @classmethod
    def for_task(cls, ends: Ends, hidden: Sequence[int] = ()) -> Self:
        """A square image where the inputs make one, else a single row.

        Parameters
        ----------
        ends : Ends
            What the task gives and asks for.
        hidden : sequence of int, optional
            Neurons of each hidden layer.
        """
        numbers_only(ends, cls.__name__)
        side = math.isqrt(ends.inputs)
        image = [side, side] if side * side == ends.inputs else [1, ends.inputs]
        return cls(widths=[ends.inputs, *(hidden or HIDDEN), ends.outputs], image=image, activation="silu")

    def dense_layers(self) -> DenseLayers:
        """All layers; where the neurons lie makes no difference."""
        return DenseLayers(widths=tuple(self.widths), activation=self.activation)

    @classmethod
    def example(cls) -> Self:
        """An image of three rows and four columns."""
        return cls(widths=[12, 9, 5, 3], image=[3, 4], activation="silu")


@MODELS.register(
    "image-mlp",
    label="image MLP",
    sentence="An MLP whose pixels and hidden neurons lie on grids and whose outputs stand on a ring.",
    options=ImageMLPOptions,
)
class ImageMLP(MLP):
    """An `MLP` whose neurons lie in planes.

    The input's pixels keep their places; hidden layers are square grids; the outputs stand on a ring.

    Parameters
    ----------
    widths : sequence of int
        Neurons of each layer; the first is rows times columns of the image.
    image : sequence of int
        Rows and columns.
    activation : str
        A name in `ACTIVATIONS`.
    generator : torch.Generator, optional
        Draws the first weights.

    References
    ----------
    arXiv 2305.08746, section 3.4.

    Examples
    --------
    >>> ImageMLP([12, 9, 5], [3, 4]).layout().group("x").slots[5]
    (0.375, 0.5)
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
        """Declare groups x (a grid that stays), h1, h2, ... (square grids), y (a ring).

        Parameters
        ----------
        input_labels : sequence of str
            Names of the pixels, row by row.
        output_labels : sequence of str
            Names of the outputs.
        movable_ends : bool
            Whether outputs may be reordered; pixels never are.

        Returns
        -------
        Layout
            The layout.
        """
        groups = [Group.grid("x", self.image, movable=False, labels=input_labels)]
        groups += [Group.grid(f"h{i}", width) for i, width in enumerate(self.widths[1:-1], start=1)]
        groups.append(Group.ring("y", self.widths[-1], movable=movable_ends, labels=output_labels))
        pieces = [linear(f"layers.{i}", source=a, target=b) for i, (a, b) in enumerate(itertools.pairwise(groups))]
        return Layout.merge(*pieces, inputs="x", outputs="y")
