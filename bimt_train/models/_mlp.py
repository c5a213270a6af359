"""Layers of neurons on parallel lines: the network of the paper's formula tasks."""

import itertools
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..layouts._layout import Layout
from ._contract import MODELS
from ._dense_layers import DenseLayers
from ._model_spec import ModelSpec
from .building_blocks._drawn_linear import drawn_linear
from .building_blocks._layer_options import LayerOptions
from .building_blocks._layers import chain_layout, check_widths
from .building_blocks._stacked_layers import stacked_layers
from .building_blocks.activations import activation_module


class MLPOptions(LayerOptions):
    """Options of an `MLP`.

    Attributes
    ----------
    widths : list of int
        Neurons of each layer, inputs and outputs included.
    activation : str
        A name in `ACTIVATIONS`.
    final : str, optional
        A name in `ACTIVATIONS`: what follows the last layer. Left out, nothing does.

    Examples
    --------
    >>> MLPOptions(widths=[4, 8, 2], activation="silu", final="tanh").ends.outputs
    2
    """

    final: str | None = None

    def dense_layers(self) -> DenseLayers:
        """All layers, the last followed by ``final``."""
        return DenseLayers(widths=tuple(self.widths), activation=self.activation, final=self.final or "identity")


@MODELS.register(
    "mlp",
    label="MLP",
    sentence="Layers h_l = activation(W_l h_(l-1) + b_l) on parallel lines, the last linear unless final is given.",
    options=MLPOptions,
)
class MLP(nn.Module):
    """Layers ``h_l = activation(W_l h_(l-1) + b_l)``, the last one without activation, or with one of its own.

    Parameters
    ----------
    widths : sequence of int
        Neurons of each layer, inputs and outputs included.
    activation : str
        A name in `ACTIVATIONS`.
    generator : torch.Generator, optional
        Draws the first weights, with torch's own bounds, U(-1/sqrt(n_in), 1/sqrt(n_in)).
    final : str, optional
        A name in `ACTIVATIONS`: what follows the last layer. Left out, nothing does.

    Raises
    ------
    InputError
        Fewer than two widths, a width below 1, or an unknown activation.

    Examples
    --------
    >>> net = MLP([4, 20, 20, 2], generator=torch.Generator().manual_seed(0))
    >>> net(torch.zeros(5, 4)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self,
        widths: Sequence[int],
        activation: str = "silu",
        *,
        generator: torch.Generator | None = None,
        final: str | None = None,
    ) -> None:
        super().__init__()
        check_widths(widths)
        self.widths, self.activation, self.final = tuple(widths), activation, final
        self.act = activation_module(activation)
        self.end = activation_module(final or "identity")
        self.layers = nn.ModuleList(drawn_linear(a, b, generator) for a, b in itertools.pairwise(widths))

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        options = {"widths": list(self.widths), "activation": self.activation}
        return ModelSpec("mlp", options if self.final is None else options | {"final": self.final})

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
        for layer in self.layers[:-1]:
            x = self.act(layer(x))
        outputs: Float[Tensor, "*rows outputs"] = self.end(self.layers[-1](x))
        return outputs

    def stacked_forward(
        self, tensors: Mapping[str, Float[Tensor, "seeds ..."]], x: Float[Tensor, "seeds rows inputs"]
    ) -> Float[Tensor, "seeds rows outputs"]:
        """Compute `forward` for many sets of weights at once, by batched products; measured 2 times faster than vmap.

        Rows run along the last axis on the way, where products of this size are fastest.

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
        last = stacked_layers(tensors, x.transpose(1, 2), self.act, range(len(self.layers)))
        outputs: Float[Tensor, "seeds rows outputs"] = self.end(last.transpose(1, 2))
        return outputs

    def layout(
        self,
        *,
        input_labels: Sequence[str] = (),
        output_labels: Sequence[str] = (),
        movable_ends: bool = True,
    ) -> Layout:
        """Declare groups x, h1, h2, ..., y on parallel lines.

        Parameters
        ----------
        input_labels : sequence of str
            Names of the inputs.
        output_labels : sequence of str
            Names of the outputs.
        movable_ends : bool
            Whether inputs and outputs may be reordered too, as the paper does.

        Returns
        -------
        Layout
            The layout.
        """
        return chain_layout(self.widths, input_labels, output_labels, movable_ends=movable_ends)
