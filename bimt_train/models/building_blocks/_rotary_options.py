"""The options of a language model of Llama's family."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import numpy as np
from jaxtyping import Bool, Float64
from pydantic import model_validator

from ..._errors import InputError
from ...layouts._group import Group
from .._contract import Ends, ModelOptions, Shape
from .._hidden_parts import HiddenPart, Neurons, Stream, Tensors
from ._block_options import Each
from ._rotary_block import RotarySize
from .activations import activated

ACTIVATION, EPSILON, THETA = "silu", 1e-6, 10_000.0  # Llama's own


class LlamaOptions(ModelOptions):
    """Options of a `Llama`.

    Attributes
    ----------
    tokens : int
        How many different tokens there are.
    context : int
        How many are read at most.
    width : int
        Width of the residual stream.
    heads : int
        Heads that ask, of each attention.
    layers : int
        How many blocks there are.
    hidden : int or list of int
        Neurons of the MLPs, one number for all blocks or one for each.
    kv_heads : int, optional
        Heads that are asked, a divisor of ``heads``; as many as those that ask where it is left out.
    head_size : int, optional
        Neurons of a head, an even number; width / heads where it is left out.
    activation : str, optional
        A name in `ACTIVATIONS`, for the gates; ``silu`` where it is left out.
    epsilon : float, optional
        What norms add to a mean square; 1e-6 where it is left out.
    theta : float, optional
        Pair i of a head's neurons turns by ``theta ** (-2 i / head_size)`` from one token to the next; 10000 where it
        is left out.
    frequencies : list of float, optional
        The pairs' turns themselves, in radians, in place of ``theta``.
    window : int or list of int, optional
        How many tokens are attended to at most, one number for all blocks or one for each; all where it is left out.
    query_norm : bool, optional
        Whether queries and keys are normed, head by head; not where it is left out.

    Examples
    --------
    >>> LlamaOptions.example().ends
    Ends(inputs=3, outputs=7, tokens=7, sequence=True)
    """

    tokens: int
    context: int
    width: int
    heads: int
    layers: int
    hidden: Each
    kv_heads: int | None = None
    head_size: int | None = None
    activation: str | None = None
    epsilon: float | None = None
    theta: float | None = None
    frequencies: list[float] | None = None
    window: Each | None = None
    query_norm: bool | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for name in ("hidden", "window"):
            given = getattr(self, name)
            if isinstance(given, list) and len(given) != self.layers:
                raise ValueError(f"{name} must be one number, or one for each of the {self.layers} layers")
        given = self.model_dump(include={"tokens", "context", "width", "heads", "layers", "hidden", "kv_heads",
                                         "head_size", "window"}, exclude_none=True)  # fmt: skip
        if any(min(size, default=1) < 1 if isinstance(size, list) else size < 1 for size in given.values()):
            raise ValueError("sizes must be 1 or more")
        if self.heads % (self.kv_heads or 1) or (self.head_size is None and self.width % self.heads):
            raise ValueError("heads must be a multiple of kv_heads, and divide the width or have a head_size")
        size = self.neurons
        if size % 2 or (self.frequencies is not None and len(self.frequencies) != size // 2):
            raise ValueError(f"a head must have pairs of neurons, and a frequency each, not {size} neurons")
        return self

    def block(self, index: int) -> RotarySize:
        """The sizes of the block of this index, counted from 0."""
        size, theta = self.neurons, self.theta or THETA
        turns = self.frequencies or (theta ** (-np.arange(0, size, 2) / size)).tolist()
        hidden, window = (each[index] if isinstance(each, list) else each for each in (self.hidden, self.window))
        assert hidden is not None
        return RotarySize(
            self.heads, self.kv_heads or self.heads, size, hidden, self.gates, self.norm_epsilon, turns, window,
            bool(self.query_norm),
        )  # fmt: skip

    @property
    def neurons(self) -> int:
        """Neurons of a head."""
        return self.head_size or self.width // self.heads

    @property
    def gates(self) -> str:
        """The activation of the gates."""
        return self.activation or ACTIVATION

    @property
    def norm_epsilon(self) -> float:
        """What norms add to a mean square."""
        return EPSILON if self.epsilon is None else self.epsilon

    def shapes(self) -> Iterator[tuple[str, Shape]]:
        """Shapes of the embedding, of the blocks, and of the norm and the unembedding."""
        w, size = self.width, self.neurons
        yield "embedding.weight", (self.tokens, w)
        for index in range(self.layers):
            hidden = self.hidden[index] if isinstance(self.hidden, list) else self.hidden
            at, asking, asked = f"blocks.{index}", self.heads * size, (self.kv_heads or self.heads) * size
            maps = {"query": (asking, w), "key": (asked, w), "value": (asked, w), "out": (w, asking),
                    "gate": (hidden, w), "up": (hidden, w), "down": (w, hidden)}  # fmt: skip
            norms = {"norm1": w, "norm2": w} | ({"query_norm": size, "key_norm": size} if self.query_norm else {})
            yield from ((f"{at}.{name}.weight", (length,)) for name, length in norms.items())
            for name, shape in maps.items():
                yield f"{at}.{name}.weight", shape
                yield f"{at}.{name}.bias", shape[:1]
        yield "norm.weight", (w,)
        yield "write.weight", (self.tokens, w)
        yield "write.bias", (self.tokens,)

    @property
    def ends(self) -> Ends:
        """Tokens, and at each of them the next one's logits."""
        return Ends(inputs=self.context, outputs=self.tokens, tokens=self.tokens, sequence=True)

    @classmethod
    def for_task(cls, ends: Ends, hidden: Sequence[int] = ()) -> Self:
        """Two blocks of width 64, four heads that ask two, and MLPs of 176 neurons unless others are asked for.

        Parameters
        ----------
        ends : Ends
            What the task gives and asks for.
        hidden : sequence of int, optional
            Neurons of the MLPs: one number for two blocks, or one number a block.
        """
        if not ends.sequence or ends.tokens != ends.outputs:
            raise InputError(
                "a language model for another task", where="Llama", expected="tokens, and logits of the next at each",
                got=f"{ends.tokens} tokens and {ends.outputs} outputs{' at each' if ends.sequence else ' a row'}",
                hint="choose another model",
            )  # fmt: skip
        layers, each = (len(hidden), list(hidden)) if len(hidden) > 1 else (2, next(iter(hidden), 176))
        return cls(
            tokens=ends.tokens, context=ends.inputs, width=64, heads=4, kv_heads=2, layers=layers, hidden=each
        )  # fmt: skip

    @classmethod
    def example(cls) -> Self:
        """Two small blocks of four heads that ask two, the second with a window."""
        return cls(
            tokens=7, context=3, width=12, heads=4, kv_heads=2, head_size=4, layers=2, hidden=9, window=[3, 2],
            query_norm=True,
        )  # fmt: skip

    def hidden_parts(self) -> tuple[HiddenPart, ...]:
        """The stream, and the MLPs' neurons; one that nothing drives gives ``act(gate's bias) * up's bias``.

        Heads are not named, so all of them stay: their neurons turn in pairs, which are no neurons of the layout.
        """

        def part(index: int) -> Neurons:
            def constant(tensors: Tensors, idle: Bool[np.ndarray, " neurons"]) -> Float64[np.ndarray, " idle"]:
                gate, up = (tensors[f"blocks.{index}.{name}.bias"][idle] for name in ("gate", "up"))
                return np.asarray(activated(self.gates, gate) * up)

            return Neurons(f"m{index + 1}", constant)

        return Stream("resid"), *(part(index) for index in range(self.layers))

    def resized(self, groups: Mapping[str, Group]) -> Self:
        """Other numbers of neurons in the MLPs, as the groups of the smaller layout say."""
        sizes = [groups[f"m{index + 1}"].size for index in range(self.layers)]
        return self.model_copy(update={"hidden": sizes[0] if len(set(sizes)) == 1 else sizes})
