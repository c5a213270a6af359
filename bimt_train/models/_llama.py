"""A language model of Llama's family: rotary positions, grouped-query attention, gated MLPs."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int64, Num
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn.functional import embedding as looked_up

from .._errors import InputError
from ..layouts._fragments import embedding, linear, norm
from ..layouts._group import Group
from ..layouts._layout import Layout
from ._contract import MODELS
from ._model_spec import ModelSpec
from .building_blocks._drawn_embedding import drawn_embedding
from .building_blocks._drawn_linear import drawn_linear
from .building_blocks._language_model import LanguageModel, Remembered
from .building_blocks._rotary_block import RotaryBlock, rotary_layout, through_rotary
from .building_blocks._rotary_options import LlamaOptions
from .building_blocks._transformer_block import stacked

DEVIATION = 0.1  # of a fresh embedding's entries


@MODELS.register(
    "llama",
    label="language model like Llama",
    sentence="A causal transformer over tokens with rotary positions, grouped queries and gated MLPs, as Llama.",
    options=LlamaOptions,
)
class Llama(LanguageModel):
    """``logits = U norm(block_L(... block_1(E[x])))``, as Llama, Mistral, Qwen2 and Qwen3 compute it.

    Norms divide by the root of the mean square. Positions enter by turning queries and keys. Linear layers have biases,
    which are 0 in most models of the family. The unembedding U is a matrix of its own, also where a model has E again.

    Parameters
    ----------
    **options
        As `LlamaOptions` says; lists may be any sequences.
    generator : torch.Generator, optional
        Draws the first weights; embeddings from a normal distribution of deviation 0.1.

    Raises
    ------
    InputError
        A size below 1, heads that do not divide, or heads without pairs of neurons.

    References
    ----------
    Touvron et al., "Llama 2: Open Foundation and Fine-Tuned Chat Models", arXiv 2307.09288, section 2.2.

    Examples
    --------
    >>> Llama(tokens=7, context=5, width=12, heads=3, layers=1, hidden=9)(torch.tensor([[0, 6, 3]])).shape
    torch.Size([1, 3, 7])
    """

    def __init__(self, *, generator: torch.Generator | None = None, **options: Any) -> None:
        super().__init__()
        plain = {name: list(given) if isinstance(given, tuple) else given for name, given in options.items()}
        try:
            self.options = LlamaOptions.model_validate(plain)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            raise InputError(
                "a transformer that cannot be built", where=".".join(map(str, first["loc"])), expected=first["msg"],
                got=repr(first["input"])[:80], hint="correct the options",
            ) from None  # fmt: skip
        chosen = self.options
        self.tokens, self.context, self.activation = chosen.tokens, chosen.context, chosen.gates
        self.embedding = drawn_embedding(chosen.tokens, chosen.width, generator, deviation=DEVIATION)
        self.blocks = nn.ModuleList(
            RotaryBlock(chosen.width, chosen.block(index), generator) for index in range(chosen.layers)
        )
        self.norm = nn.RMSNorm(chosen.width, chosen.norm_epsilon)
        self.write = drawn_linear(chosen.width, chosen.tokens, generator)

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        return ModelSpec("llama", self.options.to_json())

    def forward(self, x: Num[Tensor, "*rows context"]) -> Float[Tensor, "*rows context tokens"]:
        """Compute at each token the logits of the next one.

        Parameters
        ----------
        x : Tensor of shape (*rows, context)
            Tokens by number, whole ones.

        Returns
        -------
        Tensor of shape (*rows, context, tokens)
            The logits.
        """
        r = self.embedding(x.long())
        for block in self.blocks:
            r = block(r)
        logits: Float[Tensor, "*rows context tokens"] = self.write(self.norm(r))
        return logits

    def remembered(self) -> Sequence[Remembered]:
        """An empty memory for each block."""
        return [Remembered(self.options.block(index).window) for index in range(self.options.layers)]

    def at_place(
        self, tokens: Int64[Tensor, " rows"], place: int, memories: Sequence[Remembered]
    ) -> Float[Tensor, "rows tokens"]:
        """Compute the logits behind one token of each row, given what is remembered of those before.

        Parameters
        ----------
        tokens : Tensor of shape (rows,)
            The tokens at this place.
        place : int
            The place, counted from 0.
        memories : sequence of Remembered
            One for each block; the new token is added to them.

        Returns
        -------
        Tensor of shape (rows, tokens)
            The logits of the next token.
        """
        r = self.embedding(tokens)[:, None]
        for index, memory in enumerate(memories):
            block = self.get_submodule(f"blocks.{index}")
            assert isinstance(block, RotaryBlock)
            r = through_rotary(r, block.sizes, block.part, attend=memory, first=place)
        logits: Float[Tensor, "rows tokens"] = self.write(self.norm(r[:, 0]))
        return logits

    def stacked_forward(
        self, tensors: Mapping[str, Float[Tensor, "seeds ..."]], x: Num[Tensor, "seeds rows context"]
    ) -> Float[Tensor, "seeds rows context tokens"]:
        """Compute `forward` for many sets of weights at once, by batched products.

        Parameters
        ----------
        tensors : mapping of str to Tensor of shape (seeds, ...)
            Every parameter with a leading axis of seeds.
        x : Tensor of shape (seeds, rows, context)
            Rows of each seed.

        Returns
        -------
        Tensor of shape (seeds, rows, context, tokens)
            The outputs of each seed.
        """
        epsilon = self.options.norm_epsilon
        table, part = tensors["embedding.weight"], stacked(tensors, epsilon=epsilon)
        first = torch.arange(len(table), device=x.device)[:, None, None] * self.tokens  # of each seed's own rows
        r = looked_up(x.long() + first, table.flatten(0, 1))
        for index in range(len(self.blocks)):
            r = through_rotary(r, self.options.block(index), stacked(tensors, f"blocks.{index}.", epsilon=epsilon))
        return part("write", part("norm", r))

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Declare groups resid, kv1, m1, kv2, m2, ..., y on parallel lines.

        A neuron of kv1 is a whole head with those that ask it. The residual stream is one group at every read and
        write; the embedding pays l0 an entry.

        Parameters
        ----------
        input_labels : sequence of str
            Names of the places in the context; they are tokens and have none in space.
        output_labels : sequence of str
            Names of the outputs.
        movable_ends : bool
            Whether outputs may be reordered.

        Returns
        -------
        Layout
            The layout.
        """
        resid = Group.line("resid", self.options.width)
        y = Group.line("y", self.tokens, movable=movable_ends, labels=output_labels)
        blocks = (
            rotary_layout(f"blocks.{index}", index + 1, resid=resid, sizes=self.options.block(index))
            for index in range(len(self.blocks))
        )
        return Layout.merge(
            embedding("embedding", target=resid),
            *blocks,
            norm("norm", target=resid, bias=False),
            linear("write", source=resid, target=y),
            outputs="y",
        )
