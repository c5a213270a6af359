"""An MLP that reads tokens through a learned embedding: the network of the paper's group tasks."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Num
from pydantic import Field
from torch import Tensor, nn

from .._errors import InputError
from ..layouts._fragments import embedding, linear
from ..layouts._group import Group
from ..layouts._layout import Layout
from ._contract import MODELS, Ends, Shape
from ._dense_layers import DenseLayers
from ._hidden_parts import HiddenPart, Neurons, Tensors
from ._mlp import MLP
from ._model_spec import ModelSpec
from .building_blocks._drawn_embedding import drawn_embedding
from .building_blocks._layer_options import LayerOptions
from .building_blocks._layers import layer_parts, layer_shapes
from .building_blocks._stacked_layers import stacked_layers

DEVIATION = 1.0  # of a fresh embedding's entries, as torch.nn.Embedding draws them
EMBEDDING, HIDDEN = 32, (100,)  # where a task is given another model than its own


class EmbeddingMLPOptions(LayerOptions):
    """Options of an `EmbeddingMLP`.

    Attributes
    ----------
    tokens : int
        How many different tokens there are.
    copies : int
        How many are read at once.
    embedding : int
        Entries of a token's vector.
    widths : list of int
        Neurons of the hidden layers and the output; the tokens' vectors are not among them.
    activation : str
        A name in `ACTIVATIONS`.

    Examples
    --------
    >>> EmbeddingMLPOptions.for_task(Ends(inputs=2, outputs=59, tokens=59)).widths
    [100, 59]
    """

    tokens: int
    copies: int
    embedding: int
    widths: list[int] = Field(min_length=1)

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        """The table of vectors, then weight and bias of each layer."""
        yield "embedding.weight", (self.tokens, self.embedding)
        yield from layer_shapes([self.copies * self.embedding, *self.widths])

    @property
    def ends(self) -> Ends:
        """Columns of tokens, and the last width."""
        return Ends(inputs=self.copies, outputs=self.widths[-1], tokens=self.tokens)

    @classmethod
    def for_task(cls, ends: Ends, hidden: Sequence[int] = ()) -> Self:
        """Vectors of 32 entries and one hidden layer of 100, unless others are asked for.

        Parameters
        ----------
        ends : Ends
            What the task gives and asks for.
        hidden : sequence of int, optional
            Neurons of each hidden layer.
        """
        if not ends.tokens or ends.sequence:
            raise InputError(
                "a model of tokens for another task", where="EmbeddingMLP",
                expected="columns of tokens, outputs once a row",
                got="outputs at each token" if ends.tokens else "columns of numbers",
                hint="choose a model that reads numbers" if not ends.tokens else "choose gpt",
            )  # fmt: skip
        widths = [*(hidden or HIDDEN), ends.outputs]
        sizes = {"tokens": ends.tokens, "copies": ends.inputs, "embedding": EMBEDDING}
        return cls(**sizes, widths=widths, activation="silu")

    @classmethod
    def example(cls) -> Self:
        """Two of seven tokens."""
        return cls(tokens=7, copies=2, embedding=6, widths=[8, 10, 7], activation="silu")

    def with_hidden(self, hidden: Sequence[int]) -> Self:
        """Options with other layers between the same tokens and outputs.

        Parameters
        ----------
        hidden : sequence of int
            Neurons of each hidden layer.
        """
        return self.model_copy(update={"widths": [*hidden, self.widths[-1]]})

    def dense_layers(self) -> DenseLayers:
        """All layers, the first over the vectors side by side."""
        widths = (self.copies * self.embedding, *self.widths)
        return DenseLayers(widths=widths, activation=self.activation, tokens=self.tokens, copies=self.copies)

    def hidden_parts(self) -> tuple[HiddenPart, ...]:
        """The vectors' entries, 0 where they are 0 for every token, and each hidden layer."""

        def nothing(_: Tensors, idle: Bool[np.ndarray, " neurons"]) -> Float64[np.ndarray, " idle"]:
            return np.zeros(int(idle.sum()))

        return (Neurons("e", nothing), *layer_parts(len(self.widths) - 1, self.activation))

    def resized(self, groups: Mapping[str, Group]) -> Self:
        """The groups' sizes, of which the first is the vectors'."""
        embedding, *widths = (group.size for group in groups.values())
        return self.model_copy(update={"embedding": embedding, "widths": widths})


@MODELS.register(
    "embedding-mlp",
    label="MLP over tokens",
    sentence="An MLP over the learned vectors of several tokens, side by side.",
    options=EmbeddingMLPOptions,
)
class EmbeddingMLP(nn.Module):
    """``y = MLP([E[a], E[b], ...])``: one learned vector a token, the tokens' vectors side by side.

    Tokens come as numbers, whole ones, in the columns of x.

    Parameters
    ----------
    tokens : int
        How many different tokens there are.
    copies : int
        How many are read at once.
    embedding : int
        Entries of a token's vector.
    widths : sequence of int
        Neurons of the hidden layers and the output.
    activation : str
        A name in `ACTIVATIONS`.
    generator : torch.Generator, optional
        Draws the first weights; the embedding from a standard normal distribution.

    Raises
    ------
    InputError
        A size below 1, or what `MLP` refuses.

    References
    ----------
    arXiv 2305.08746, section 3.3.

    Examples
    --------
    >>> EmbeddingMLP(tokens=7, copies=2, embedding=6, widths=[8, 7])(torch.tensor([[0, 6], [3, 3]])).shape
    torch.Size([2, 7])
    """

    def __init__(
        self,
        tokens: int,
        copies: int,
        embedding: int,
        widths: Sequence[int],
        activation: str = "silu",
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if min(tokens, copies, embedding) < 1:
            raise InputError(
                "an embedding needs tokens, copies and entries",
                expected="positive numbers",
                got=f"tokens {tokens}, copies {copies}, embedding {embedding}",
            )
        self.tokens, self.copies = tokens, copies
        self.embedding = drawn_embedding(tokens, embedding, generator, deviation=DEVIATION)
        inner = MLP((copies * embedding, *widths), activation, generator=generator)
        self.widths, self.activation, self.act, self.layers = tuple(widths), activation, inner.act, inner.layers

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        options = {"tokens": self.tokens, "copies": self.copies, "embedding": self.embedding.embedding_dim}
        return ModelSpec("embedding-mlp", options | {"widths": list(self.widths), "activation": self.activation})

    def forward(self, x: Num[Tensor, "*rows copies"]) -> Float[Tensor, "*rows outputs"]:
        """Compute the outputs for a batch of rows of tokens.

        Parameters
        ----------
        x : Tensor of shape (*rows, copies)
            Tokens by number.

        Returns
        -------
        Tensor of shape (*rows, outputs)
            The outputs.
        """
        h = self.embedding(x.long()).flatten(-2)
        for layer in self.layers[:-1]:
            h = self.act(layer(h))
        outputs: Float[Tensor, "*rows outputs"] = self.layers[-1](h)
        return outputs

    def stacked_forward(
        self, tensors: Mapping[str, Float[Tensor, "seeds ..."]], x: Num[Tensor, "seeds rows copies"]
    ) -> Float[Tensor, "seeds rows outputs"]:
        """Compute `forward` for many sets of weights at once.

        The first layer is applied to the tokens, of which there are few, and looked up for the rows, which are many:
        W [E[a], E[b]] = (W_1 E)[a] + (W_2 E)[b].

        Parameters
        ----------
        tensors : mapping of str to Tensor of shape (seeds, ...)
            Every parameter with a leading axis of seeds.
        x : Tensor of shape (seeds, rows, copies)
            Rows of each seed.

        Returns
        -------
        Tensor of shape (seeds, rows, outputs)
            The outputs of each seed.
        """
        table, weight = tensors["embedding.weight"], tensors["layers.0.weight"]
        width = table.shape[2]
        h = tensors["layers.0.bias"][:, :, None]
        for copy in range(self.copies):
            read = weight[:, :, copy * width : (copy + 1) * width] @ table.transpose(1, 2)
            token = x[:, :, copy].long()[:, None].expand(-1, read.shape[1], -1)
            h = h + read.gather(2, token)
        if len(self.layers) > 1:
            h = stacked_layers(tensors, self.act(h), self.act, range(1, len(self.layers)))
        return h.transpose(1, 2)

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Declare groups e, h1, h2, ..., y on parallel lines; all tokens of a row share the positions of e.

        Parameters
        ----------
        input_labels : sequence of str
            Names of the columns of tokens; they are no neurons and have no position.
        output_labels : sequence of str
            Names of the outputs.
        movable_ends : bool
            Whether outputs may be reordered.

        Returns
        -------
        Layout
            The layout.
        """
        sizes = (self.embedding.embedding_dim, *self.widths)
        names = ("e", *(f"h{i}" for i in range(1, len(self.widths))), "y")
        labels = {"y": tuple(output_labels)}
        groups = [
            Group.line(name, size, movable=movable_ends or name != "y", labels=labels.get(name, ()))
            for name, size in zip(names, sizes, strict=True)
        ]
        pieces = [
            linear(f"layers.{i}", source=a, target=b, copies=self.copies if i == 0 else 1)
            for i, (a, b) in enumerate(itertools.pairwise(groups))
        ]
        return Layout.merge(embedding("embedding", target=groups[0]), *pieces, outputs="y")
