"""What models made of layers one after the other share: tensors, places and constants."""

import itertools
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from ..._errors import InputError
from ...layouts._fragments import linear
from ...layouts._group import Group
from ...layouts._layout import Layout
from .._contract import Ends, Shape
from .._hidden_parts import Neurons, Tensors
from .activations import activated


def numbers_only(ends: Ends, kind: str) -> None:
    """Refuse a task of tokens, for a model that reads numbers and gives outputs once a row.

    Parameters
    ----------
    ends : Ends
        What the task's rows and targets are.
    kind : str
        The name of the options' class, ``MLPOptions``, from which the model's is read off.

    Raises
    ------
    InputError
        The task has tokens, or outputs at each token.

    Examples
    --------
    >>> numbers_only(Ends(inputs=4, outputs=2), "MLPOptions")
    """
    if ends.tokens or ends.sequence:
        raise InputError(
            "a model of numbers for a task of tokens", where=kind.removesuffix("Options"),
            expected="columns of numbers, outputs once a row",
            got=f"{ends.tokens} tokens" if ends.tokens else "outputs at each token",
            hint="choose a model that reads tokens",
        )  # fmt: skip


def check_widths(widths: Sequence[int]) -> None:
    """Refuse layers that cannot be built.

    Parameters
    ----------
    widths : sequence of int
        Neurons of each layer, inputs and outputs included.

    Raises
    ------
    InputError
        Fewer than two, or one below 1.

    Examples
    --------
    >>> check_widths([4, 20, 2])
    """
    if len(widths) < 2 or min(widths) < 1:
        raise InputError(
            "an MLP needs at least inputs and outputs",
            where="widths",
            expected="two or more positive numbers",
            got=str(list(widths)),
            hint="for instance [4, 20, 20, 2]",
        )


def layer_shapes(widths: Sequence[int]) -> Iterator[tuple[str, Shape]]:
    """Name the tensors of layers one after the other, with their shapes.

    Parameters
    ----------
    widths : sequence of int
        Neurons of each layer, the one that is read first.

    Yields
    ------
    tuple of str and tuple of int
        ``layers.N.weight`` and ``layers.N.bias``.

    Examples
    --------
    >>> list(layer_shapes([2, 3]))
    [('layers.0.weight', (3, 2)), ('layers.0.bias', (3,))]
    """
    for i, (a, b) in enumerate(itertools.pairwise(widths)):
        yield f"layers.{i}.weight", (b, a)
        yield f"layers.{i}.bias", (b,)


def layer_parts(count: int, activation: str) -> tuple[Neurons, ...]:
    """Declare hidden layers h1, h2, ... that are written by ``layers.0``, ``layers.1``, ...

    Parameters
    ----------
    count : int
        How many hidden layers there are.
    activation : str
        A name in `ACTIVATIONS`.

    Returns
    -------
    tuple of Neurons
        One a layer.

    Examples
    --------
    >>> [part.group for part in layer_parts(2, "silu")]
    ['h1', 'h2']
    """
    return tuple(Neurons(f"h{index + 1}", partial(_constant, index, activation)) for index in range(count))


def _constant(
    index: int, activation: str, tensors: Tensors, idle: Bool[np.ndarray, " neurons"]
) -> Float64[np.ndarray, " idle"]:
    """What neurons give that nothing drives."""
    return activated(activation, tensors[f"layers.{index}.bias"][idle])


def line_groups(
    widths: Sequence[int], input_labels: Sequence[str], output_labels: Sequence[str], *, movable_ends: bool
) -> list[Group]:
    """Place layers on parallel lines: groups x, h1, h2, ..., y.

    Parameters
    ----------
    widths : sequence of int
        Neurons of each layer, inputs and outputs included.
    input_labels : sequence of str
        Names of the inputs, or none.
    output_labels : sequence of str
        Names of the outputs, or none.
    movable_ends : bool
        Whether inputs and outputs may be reordered.

    Returns
    -------
    list of Group
        One group a layer.

    Examples
    --------
    >>> [group.name for group in line_groups([4, 7, 2], (), (), movable_ends=True)]
    ['x', 'h1', 'y']
    """
    names = ["x", *(f"h{i}" for i in range(1, len(widths) - 1)), "y"]
    about: dict[str, Any] = {"x": tuple(input_labels), "y": tuple(output_labels)}
    return [
        Group.line(name, size, movable=movable_ends or name not in about, labels=about.get(name, ()))
        for name, size in zip(names, widths, strict=True)
    ]


def chain_layout(
    widths: Sequence[int], input_labels: Sequence[str], output_labels: Sequence[str], *, movable_ends: bool
) -> Layout:
    """Declare layers one after the other, on parallel lines.

    Parameters
    ----------
    widths : sequence of int
        Neurons of each layer, inputs and outputs included.
    input_labels : sequence of str
        Names of the inputs, or none.
    output_labels : sequence of str
        Names of the outputs, or none.
    movable_ends : bool
        Whether inputs and outputs may be reordered.

    Returns
    -------
    Layout
        Groups x, h1, h2, ..., y, and the tensors of `layer_shapes`.

    Examples
    --------
    >>> chain_layout([4, 7, 2], (), (), movable_ends=True).weights()
    ('layers.0.weight', 'layers.1.weight')
    """
    groups = line_groups(widths, input_labels, output_labels, movable_ends=movable_ends)
    pieces = [linear(f"layers.{i}", source=a, target=b) for i, (a, b) in enumerate(itertools.pairwise(groups))]
    return Layout.merge(*pieces, inputs="x", outputs="y")
