"""An MLP that reads tokens through a learned embedding: the network of the paper's group tasks."""

import itertools
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Num
from torch import Tensor, nn

from .._errors import InputError
from ..layouts._fragments import embedding, linear
from ..layouts._group import Group
from ..layouts._layout import Layout
from ._mlp import MLP, stacked_layers
from ._model_spec import ModelSpec

DEVIATION = 1.0  # of a fresh embedding's entries, as torch.nn.Embedding draws them


class EmbeddingMLP(nn.Module):
    """``y = MLP([E[a], E[b], ...])``: one learned vector a token, the tokens' vectors side by side (arXiv 2305.08746,
    section 3.3).

    Tokens come as numbers, whole ones, in the columns of x.

    Args:
        tokens: how many different tokens there are.
        copies: how many are read at once.
        embedding: entries of a token's vector.
        widths: neurons of the hidden layers and the output.
        activation: as `MLP` takes it.
        generator: draws the first weights; the embedding from a normal distribution.
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
        self.embedding = nn.Embedding(tokens, embedding, device="meta").to_empty(device="cpu")
        with torch.no_grad():
            self.embedding.weight.normal_(0.0, DEVIATION, generator=generator)
        inner = MLP((copies * embedding, *widths), activation, generator=generator)
        self.widths, self.activation, self.act, self.layers = tuple(widths), activation, inner.act, inner.layers

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        options = {"tokens": self.tokens, "copies": self.copies, "embedding": self.embedding.embedding_dim}
        return ModelSpec("embedding-mlp", options | {"widths": list(self.widths), "activation": self.activation})

    def forward(self, x: Num[Tensor, "*rows copies"]) -> Float[Tensor, "*rows outputs"]:
        """The outputs for a batch of rows of tokens."""
        h = self.embedding(x.long()).flatten(-2)
        for layer in self.layers[:-1]:
            h = self.act(layer(h))
        outputs: Float[Tensor, "*rows outputs"] = self.layers[-1](h)
        return outputs

    def stacked_forward(
        self, tensors: Mapping[str, Float[Tensor, "seeds ..."]], x: Num[Tensor, "seeds rows copies"]
    ) -> Float[Tensor, "seeds rows outputs"]:
        """`forward` for many sets of weights at once.

        The first layer is applied to the tokens, of which there are few, and looked up for the rows, which are many:
        W [E[a], E[b]] = (W_1 E)[a] + (W_2 E)[b].
        """
        table, weight = tensors["embedding.weight"], tensors["layers.0.weight"]
        width = table.shape[2]
        h = tensors["layers.0.bias"][:, :, None]
        for copy in range(self.copies):
            read = weight[:, :, copy * width : (copy + 1) * width] @ table.transpose(1, 2)
            token = x[:, :, copy].long()[:, None].expand(-1, read.shape[1], -1)
            h = h + read.gather(2, token)
        return stacked_layers(tensors, self.act(h), self.act, range(1, len(self.layers))).transpose(1, 2)

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Groups e, h1, h2, ..., y on parallel lines; all tokens of a row share the slots of e.

        Args:
            input_labels: names of the columns of tokens; they are no neurons and have no place.
            output_labels: names of the outputs.
            movable_ends: whether outputs may be reordered.
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
