"""What a kind of model says of its hidden neurons, so that dead ones can be taken out without changing the function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float64

from ..showing import Shown

Tensors: TypeAlias = Mapping[str, np.ndarray]
"""A network's tensors by name."""

Constant: TypeAlias = Callable[[Tensors, Bool[np.ndarray, " neurons"]], Float64[np.ndarray, " idle"]]
"""From all tensors, and which neurons nothing drives, to the numbers that those neurons always give."""


@dataclass(frozen=True, eq=False, repr=False)
class Neurons(Shown):
    """A group whose neurons act one by one: each is a function of what it reads, and is read by linear layers alone.

    Attributes
    ----------
    group : str
        The group's name in the layout.
    constant : callable, optional
        What neurons give that nothing drives, from the tensors and a mask of those neurons. It may take for granted
        that every constant which they read has been added to their biases. Left out, such a neuron may still change
        (the state of a recurrent network grows or fades by itself), and is dead only where nothing reads it.

    Examples
    --------
    >>> tensors = {"up.bias": np.array([1.0, -2.0, 3.0])}
    >>> relu = Neurons("m1", lambda tensors, idle: np.maximum(tensors["up.bias"][idle], 0.0))
    >>> relu.constant(tensors, np.array([False, True, True])).tolist()
    [0.0, 3.0]
    """

    group: str
    constant: Constant | None = None


@dataclass(frozen=True, repr=False)
class Heads(Shown):
    """The neurons of an attention: ``softmax(scale * q k^T) v``, head by head, then a linear layer.

    Neuron s of the group is row s of q, of k and of v, and column s of what the linear layer reads. The group's
    ``heads`` says how many equal blocks there are.

    Attributes
    ----------
    group : str
        The group's name in the layout.
    qkv : str
        The linear module whose rows are all of q, then all of k, then all of v: ``(3 group) stream``.
    out : str
        The linear module that reads the heads.

    Examples
    --------
    >>> Heads("a1", qkv="blocks.0.qkv", out="blocks.0.out").group
    'a1'
    """

    group: str
    qkv: str
    out: str


@dataclass(frozen=True, repr=False)
class Stream(Shown):
    """A residual stream: embeddings, weights and biases add to it, and what nothing adds to is 0. It keeps its width.

    Attributes
    ----------
    group : str
        The group's name in the layout.

    Examples
    --------
    >>> Stream("resid").group
    'resid'
    """

    group: str


HiddenPart: TypeAlias = Neurons | Heads | Stream
"""One declaration of how a hidden group computes."""
