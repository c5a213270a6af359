"""A small language model: a causal transformer over tokens that says at each of them which one comes next."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import torch
from jaxtyping import Float, Int64, Num
from torch import Tensor, nn
from torch.nn.functional import embedding as looked_up

from .._errors import InputError
from ..layouts._fragments import embedding, linear, norm
from ..layouts._group import Group
from ..layouts._layout import Layout
from ._contract import MODELS, Ends, Shape
from ._model_spec import ModelSpec
from .building_blocks._block_options import BlockOptions
from .building_blocks._drawn_embedding import drawn_embedding
from .building_blocks._drawn_linear import drawn_linear
from .building_blocks._language_model import LanguageModel, Remembered
from .building_blocks._transformer_block import Block, block_layout, stacked, through_block

DEVIATION = 0.1  # of a fresh embedding's entries; GPT-2 has 0.02, at a greater width


class GPTOptions(BlockOptions):
    """Options of a `GPT`.

    Attributes
    ----------
    tokens : int
        How many different tokens there are.
    context : int
        How many are read at most.
    width, heads, layers, hidden, head_size, scale, activation, epsilon
        As `BlockOptions` says.

    Examples
    --------
    >>> GPTOptions.example().ends
    Ends(inputs=3, outputs=7, tokens=7, sequence=True)
    """

    tokens: int
    context: int

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        """Shapes of the two embeddings, then of the blocks and of the unembedding."""
        yield "embedding.weight", (self.tokens, self.width)
        yield "positions.weight", (self.context, self.width)
        yield from self.block_shapes(self.tokens)

    @property
    def ends(self) -> Ends:
        """Tokens, and at each of them the next one's logits."""
        return Ends(inputs=self.context, outputs=self.tokens, tokens=self.tokens, sequence=True)

    @classmethod
    def for_task(cls, ends: Ends, hidden: Sequence[int] = ()) -> Self:
        """Two blocks of width 64 with four heads, and MLPs of 256 neurons unless others are asked for.

        Parameters
        ----------
        ends : Ends
            What the task gives and asks for.
        hidden : sequence of int, optional
            Neurons of the MLPs: one number for two blocks, or one number a block.
        """
        if not ends.sequence or ends.tokens != ends.outputs:
            raise InputError(
                "a language model for another task", where="GPT", expected="tokens, and logits of the next at each",
                got=f"{ends.tokens} tokens and {ends.outputs} outputs{' at each' if ends.sequence else ' a row'}",
                hint="choose another model",
            )  # fmt: skip
        layers, each = (len(hidden), list(hidden)) if len(hidden) > 1 else (2, next(iter(hidden), 256))
        return cls(tokens=ends.tokens, context=ends.inputs, width=64, heads=4, layers=layers, hidden=each)

    @classmethod
    def example(cls) -> Self:
        """Two small blocks of two heads."""
        return cls(tokens=7, context=3, width=12, heads=2, layers=2, hidden=9)


@MODELS.register(
    "gpt",
    label="language model",
    sentence="A causal pre-norm transformer over tokens, as GPT-2, that says at each of them which one comes next.",
    options=GPTOptions,
)
class GPT(LanguageModel):
    """``logits = U norm(block_L(... block_1(E[x] + P)))``: learned tokens and positions, pre-norm causal blocks.

    As GPT-2, without dropout. The unembedding U is a matrix of its own, where GPT-2's is E again: so the outputs are
    neurons with places, and reading a token and saying it pay apart.

    Parameters
    ----------
    tokens : int
        How many different tokens there are.
    context : int
        How many are read at most.
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
        Draws the first weights; embeddings from a normal distribution of deviation 0.1.

    Raises
    ------
    InputError
        A size below 1, or heads that do not divide the width.

    References
    ----------
    Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.3.

    Examples
    --------
    >>> GPT(tokens=7, context=5, width=12, heads=3, hidden=9)(torch.tensor([[0, 6, 3]])).shape
    torch.Size([1, 3, 7])
    """

    def __init__(
        self,
        tokens: int,
        context: int,
        width: int,
        heads: int | Sequence[int] = 4,
        layers: int = 2,
        hidden: int | Sequence[int] = 256,
        *,
        head_size: int | Sequence[int] | None = None,
        scale: float | Sequence[float] | None = None,
        activation: str | None = None,
        epsilon: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.options = GPTOptions.checked(
            tokens=tokens, context=context, width=width, heads=heads, layers=layers, hidden=hidden,
            head_size=head_size, scale=scale, activation=activation, epsilon=epsilon,
        )  # fmt: skip
        self.tokens, self.context, self.activation = tokens, context, self.options.block(0).activation
        self.embedding, self.positions = (
            drawn_embedding(rows, width, generator, deviation=DEVIATION) for rows in (tokens, context)
        )
        self.blocks = nn.ModuleList(Block(width, self.options.block(i), generator) for i in range(layers))
        self.norm = nn.LayerNorm(width, self.options.norm_epsilon)
        self.write = drawn_linear(width, tokens, generator)

    @property
    def spec(self) -> ModelSpec:
        """How to build this model again."""
        return ModelSpec("gpt", self.options.to_json())

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
        r = self.embedding(x.long()) + self.positions.weight[: x.shape[-1]]
        for block in self.blocks:
            r = block(r)
        logits: Float[Tensor, "*rows context tokens"] = self.write(self.norm(r))
        return logits

    def remembered(self) -> Sequence[Remembered]:
        """An empty memory for each block."""
        return [Remembered() for _ in self.blocks]

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
        r = (self.embedding(tokens) + self.positions.weight[place])[:, None]
        for index, memory in enumerate(memories):
            block = self.get_submodule(f"blocks.{index}")
            assert isinstance(block, Block)
            r = through_block(r, block.sizes, block.part, attend=memory)
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
        r = r + tensors["positions.weight"][:, None, : x.shape[-1]]
        for index in range(len(self.blocks)):
            r = through_block(r, self.options.block(index), stacked(tensors, f"blocks.{index}.", epsilon=epsilon))
        return part("write", part("norm", r))

    def layout(
        self, *, input_labels: Sequence[str] = (), output_labels: Sequence[str] = (), movable_ends: bool = True
    ) -> Layout:
        """Declare groups resid, a1, m1, a2, m2, ..., y on parallel lines.

        The residual stream is one group at every read and write; embeddings of tokens and positions pay l0 an entry.

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
            block_layout(f"blocks.{index}", index + 1, resid=resid, sizes=self.options.block(index))
            for index in range(len(self.blocks))
        )
        return Layout.merge(
            embedding("embedding", target=resid),
            embedding("positions", target=resid),
            *blocks,
            norm("norm", target=resid),
            linear("write", source=resid, target=y),
            outputs="y",
        )
