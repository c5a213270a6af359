"""The options that models made of transformer blocks share."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from jaxtyping import Bool, Float64
from pydantic import model_validator

from ..._errors import InputError
from ...layouts._group import Group
from .._contract import ModelOptions, Shape
from .._hidden_parts import Heads, HiddenPart, Neurons, Stream, Tensors
from .activations import activated

ACTIVATION, EPSILON = "gelu_tanh", 1e-5  # GPT-2's, and what torch's norms add to a variance

Each = int | list[int]
"""One number for all blocks, or one for each."""


class BlockSize(NamedTuple):
    """The sizes of one block, and how it computes.

    Attributes
    ----------
    heads : int
        Heads of its attention.
    size : int
        Neurons of each head.
    hidden : int
        Neurons of its MLP.
    scale : float or None
        What scores are multiplied with; 1/sqrt(size of a head) where it is None.
    activation : str
        A name in `ACTIVATIONS`.
    epsilon : float
        What norms add to a variance.

    Examples
    --------
    >>> BlockSize(heads=4, size=8, hidden=128).size
    8
    """

    heads: int
    size: int
    hidden: int
    scale: float | None = None
    activation: str = ACTIVATION
    epsilon: float = EPSILON


class BlockOptions(ModelOptions):
    """Options of a model made of pre-norm blocks around one residual stream.

    Attributes
    ----------
    width : int
        Width of the residual stream.
    heads : int or list of int
        Heads of each attention, one number for all blocks or one for each.
    layers : int
        How many blocks there are.
    hidden : int or list of int
        Neurons of the MLPs, one number for all blocks or one for each.
    head_size : int or list of int, optional
        Neurons of a head, one number for all blocks or one for each; width / heads where it is left out. Circuits
        have it, whose dead neurons are gone.
    scale : float or list of float, optional
        What scores are multiplied with, one number for all blocks or one for each; 1/sqrt(size of a head) where it is
        left out. Circuits have it, whose heads are smaller than those that were trained.
    activation : str, optional
        A name in `ACTIVATIONS`, for the MLPs; ``gelu_tanh`` where it is left out.
    epsilon : float, optional
        What norms add to a variance; 1e-5 where it is left out.
    """

    width: int
    heads: Each
    layers: int
    hidden: Each
    head_size: Each | None = None
    scale: float | list[float] | None = None
    activation: str | None = None
    epsilon: float | None = None

    @model_validator(mode="after")
    def _one_for_each(self) -> Self:
        for name in ("heads", "hidden", "head_size", "scale"):
            given = getattr(self, name)
            if isinstance(given, list) and len(given) != self.layers:
                raise ValueError(f"{name} must be one number, or one for each of the {self.layers} layers")
        return self

    @classmethod
    def checked(cls, **options: Any) -> Self:
        """The options of a module that is being built.

        Parameters
        ----------
        **options
            The options by name; lists may be any sequences.

        Returns
        -------
        BlockOptions
            The options.

        Raises
        ------
        InputError
            A size below 1, heads that do not divide the width, or lists of another length.
        """
        plain: dict[str, Any] = {
            name: list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
            for name, value in options.items()
        }
        chosen = cls.model_construct(None, **plain)
        each = [getattr(chosen, name) for name in ("heads", "hidden", "head_size")]
        lists = [value for value in each if isinstance(value, list)]
        numbers = [value for value in plain.values() if isinstance(value, int)]
        if (
            min([*numbers, *itertools.chain(*lists)]) < 1
            or any(len(value) != chosen.layers for value in (*lists, chosen.scale) if isinstance(value, list))
            or (chosen.head_size is None and any(chosen.width % chosen.block(i).heads for i in range(chosen.layers)))
        ):
            raise InputError(
                "a transformer that cannot be built",
                expected="positive sizes, heads that divide the width",
                got=", ".join(f"{name} {value}" for name, value in plain.items() if value is not None),
            )
        return chosen

    def block(self, index: int) -> BlockSize:
        """The sizes of the block of this index, counted from 0."""
        heads, hidden, size = (
            value[index] if isinstance(value, list) else value for value in (self.heads, self.hidden, self.head_size)
        )
        assert heads is not None and hidden is not None
        scale = self.scale[index] if isinstance(self.scale, list) else self.scale
        size = self.width // max(heads, 1) if size is None else size
        return BlockSize(heads, size, hidden, scale, self.activation or ACTIVATION, self.norm_epsilon)

    @property
    def norm_epsilon(self) -> float:
        """What norms add to a variance."""
        return EPSILON if self.epsilon is None else self.epsilon

    def block_shapes(self, outputs: int) -> Iterator[tuple[str, Shape]]:
        """Shapes of the blocks, and of the norm and the linear layer behind them.

        Parameters
        ----------
        outputs : int
            Numbers that the linear layer gives.

        Yields
        ------
        tuple of str and tuple of int
            Name and shape of a tensor.
        """
        w = self.width
        for index in range(self.layers):
            heads, size, h = self.block(index)[:3]
            a = heads * size
            block = {"norm1": (w,), "qkv": (3 * a, w), "out": (w, a), "norm2": (w,), "up": (h, w), "down": (w, h)}
            for name, shape in block.items():
                yield f"blocks.{index}.{name}.weight", shape
                yield f"blocks.{index}.{name}.bias", shape[:1]
        for name, shape in (("norm", (w,)), ("write", (outputs, w))):
            yield f"{name}.weight", shape
            yield f"{name}.bias", shape[:1]

    def hidden_parts(self) -> tuple[HiddenPart, ...]:
        """The stream, and in each block heads and neurons; neurons that nothing drives give ``act(bias)``."""
        parts: list[HiddenPart] = [Stream("resid")]
        for index in range(self.layers):
            at = f"blocks.{index}"
            parts.append(Heads(f"a{index + 1}", qkv=f"{at}.qkv", out=f"{at}.out"))
            parts.append(Neurons(f"m{index + 1}", _constant(f"{at}.up.bias", self.activation or ACTIVATION)))
        return tuple(parts)

    def resized(self, groups: Mapping[str, Group]) -> Self:
        """Other numbers of heads and neurons, as the groups of the smaller layout say; scores keep their scale."""
        a, m = ([groups[f"{kind}{index + 1}"] for index in range(self.layers)] for kind in "am")
        heads, sizes = [group.heads for group in a], [group.size // group.heads for group in a]
        usual = all(h * s == self.width for h, s in zip(heads, sizes, strict=True))
        before = {self.block(index).size for index in range(self.layers)}
        scale = self.scale
        if scale is None and any(size != before for size, before in zip(sizes, self._head_sizes(), strict=True)):
            scale = before.pop() ** -0.5  # one number: without a scale of their own, all heads had one size
        update = {"heads": _together(heads), "hidden": _together([group.size for group in m]), "scale": scale}
        return self.model_copy(update=update | {"head_size": None if usual else _together(sizes)})

    def _head_sizes(self) -> list[int]:
        return [self.block(index).size for index in range(self.layers)]


def _together(numbers: list[int]) -> Each:
    """One number where all are the same."""
    return numbers[0] if len(set(numbers)) == 1 else numbers


def _constant(
    bias: str, activation: str
) -> Callable[[Tensors, Bool[np.ndarray, " neurons"]], Float64[np.ndarray, " idle"]]:
    def constant(tensors: Tensors, idle: Bool[np.ndarray, " neurons"]) -> Float64[np.ndarray, " idle"]:
        return activated(activation, tensors[bias][idle])

    return constant
