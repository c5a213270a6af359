"""Layers of gated neurons on parallel lines: each neuron multiplies what its gate lets through."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor, nn

from ..layouts._fragments import linear
from ..layouts._layout import Layout
from ._contract import MODELS, Shape
from ._hidden_parts import HiddenPart, Neurons, Tensors
from ._model_spec import ModelSpec
from .building_blocks._drawn_linear import drawn_linear
from .building_blocks._layer_options import LayerOptions
from .building_blocks._layers import check_widths, line_groups
from .building_blocks.activations import activated, activation_module


class GatedMLPOptions(LayerOptions):
    """Options of a `GatedMLP`.

    Attributes
    ----------
    widths : list of int
        Neurons of each layer, inputs and outputs included.
    activation : str
        The gates' activation, a name in `ACTIVATIONS`.

    Examples
    --------
    >>> [name for name, _ in GatedMLPOptions(widths=[4, 20, 2], activation="silu").shapes() if "weight" in name]
    ['gates.0.weight', 'ups.0.weight', 'write.weight']
    """

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        """Gates and ups of each hidden layer, and what writes."""
        for kind in ("gates", "ups"):
            for i, (a, b) in enumerate(itertools.pairwise(self.widths[:-1])):
                yield f"{kind}.{i}.weight", (b, a)
                yield f"{kind}.{i}.bias", (b,)
        yield from (("write.weight", (self.widths[-1], self.widths[-2])), ("write.bias", (self.widths[-1],)))

    def hidden_parts(self) -> tuple[HiddenPart, ...]:
        """Each hidden layer, whose undriven neurons give ``activation(gate's bias) * up's bias``."""

        def part(index: int) -> Neurons:
            def constant(tensors: Tensors, idle: Bool[np.ndarray, " neurons"]) -> Float64[np.ndarray, " idle"]:
                gate, up = (tensors[f"{kind}.{index}.bias"][idle] for kind in ("gates", "ups"))
                return np.asarray(activated(self.activation, gate) * up)

            return Neurons(f"h{index + 1}", constant)

        return tuple(part(index) for index in range(len(self.widths) - 2))


@MODELS.register(
    "gated-mlp",
    label="gated MLP",
    sentence="Layers h_l = activation(G_l h_(l-1) + b_l) * (U_l h_(l-1) + c_l), then a linear layer.",
    options=GatedMLPOptions,
)
class GatedMLP(nn.Module):
    """Layers ``h_l = activation(G_l h_(l-1) + b_l) * (U_l h_(l-1) + c_l)``, and ``y = W h_L + d``.

    With one hidden layer this is ``y = W_out (act(W_gate x + b_gate) * (W_up x + b_up)) + b_out``. A product of two
    inputs takes one neuron, where layers of plain neurons need several.

    Parameters
    ----------
    widths : sequence of int
        Neurons of each layer, inputs and outputs included.
    activation : str
        The gates' activation, a name in `ACTIVATIONS`: ``sigmoid`` gives a GLU, ``silu`` a SwiGLU, ``identity`` a
        bilinear layer.
    generator : torch.Generator, optional
        Draws the first weights, with torch's own bounds.

    Raises
    ------
    InputError
        Fewer than two widths, a width below 1, or an unknown activation.

    References
    ----------
    N. Shazeer, "GLU Variants Improve Transformer", arXiv 2002.05202, section 2.

    Examples
    --------
    >>> net = GatedMLP([4, 20, 2], generator=torch.Generator().manual_seed(0))
    >>> net(torch.zeros(5, 4)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self, widths: Sequence[int], activation: str = "silu", *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        check_widths(widths)
        self.widths, self.activation = tuple(widths), activation
        self.act = activation_module(activation)
        pairs = list(itertools.pairwise(self.widths[:-1]))
        self.gates, self.ups = (nn.ModuleList(drawn_linear(a, b, generator) for a, b in pairs) for _ in range(2))
        self.write = drawn_linear(self.widths[-2], self.widths[-1], generator)

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        return ModelSpec("gated-mlp", {"widths": list(self.widths), "activation": self.activation})

    def forward(self, x: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows outputs"]:
        """Compute the outputs for a batch of rows.

        Parameters
        ----------
        x : Tensor of shape (*rows, inputs)
            The rows.

        Returns
        -------
        Tensor of shape (*rows, outputs)
            The outputs.
        """
        for gate, up in zip(self.gates, self.ups, strict=True):
            x = self.act(gate(x)) * up(x)
        outputs: Float[Tensor, "*rows outputs"] = self.write(x)
        return outputs

    def stacked_forward(
        self, tensors: Mapping[str, Float[Tensor, "seeds ..."]], x: Float[Tensor, "seeds rows inputs"]
    ) -> Float[Tensor, "seeds rows outputs"]:
        """Compute `forward` for many sets of weights at once, by batched products, rows along the last axis.

        Parameters
        ----------
        tensors : mapping of str to Tensor of shape (seeds, ...)
            Every parameter with a leading axis of seeds.
        x : Tensor of shape (seeds, rows, inputs)
            Rows of each seed.

        Returns
        -------
        Tensor of shape (seeds, rows, outputs)
            The outputs of each seed.
        """

        def apply(name: str, h: Tensor) -> Tensor:
            return torch.baddbmm(tensors[f"{name}.bias"][:, :, None], tensors[f"{name}.weight"], h)

        h = x.transpose(1, 2)
        for index in range(len(self.gates)):
            h = self.act(apply(f"gates.{index}", h)) * apply(f"ups.{index}", h)
        return apply("write", h).transpose(1, 2)

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Declare groups x, h1, h2, ..., y on parallel lines; gates and ups of a layer share its neurons.

        Parameters
        ----------
        input_labels : sequence of str
            Names of the inputs.
        output_labels : sequence of str
            Names of the outputs.
        movable_ends : bool
            Whether inputs and outputs may be reordered too.

        Returns
        -------
        Layout
            The layout.
        """
        groups = line_groups(self.widths, input_labels, output_labels, movable_ends=movable_ends)
        pieces = [
            linear(f"{kind}.{i}", source=a, target=b)
            for i, (a, b) in enumerate(itertools.pairwise(groups[:-1]))
            for kind in ("gates", "ups")
        ]
        return Layout.merge(*pieces, linear("write", source=groups[-2], target=groups[-1]), inputs="x", outputs="y")
