"""Inputs of any shape as rows of a table, one column an entry, and back."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from .._contract import Strict

Kind = Literal["numbers", "tokens", "flags"]


class InputShape(Strict):
    """What one argument of a module is, and which columns of the table hold it.

    Attributes
    ----------
    shape : list of int
        The argument's shape without the axis of rows.
    kind : {"numbers", "tokens", "flags"}
        Floating numbers, whole numbers, or truth values.
    neurons : int
        The axis, among those of ``shape``, that runs fastest along the columns: that of the input neurons.

    Examples
    --------
    >>> InputShape(shape=[3, 8, 8], kind="numbers", neurons=0).columns
    192
    """

    shape: list[int]
    kind: Kind
    neurons: int = -1

    @property
    def columns(self) -> int:
        """How many columns the argument has."""
        return math.prod(self.shape)

    def columns_of(self, values: Tensor) -> Tensor:
        """Lay out the argument as columns.

        Parameters
        ----------
        values : Tensor of shape (rows, *shape)
            The argument.

        Returns
        -------
        Tensor of shape (rows, columns)
            One row a row; the axis of neurons runs fastest.
        """
        return (values.movedim(self._axis, -1) if self.shape else values).reshape(len(values), self.columns)

    def argument(self, columns: Tensor) -> Tensor:
        """Make the argument of its columns.

        Parameters
        ----------
        columns : Tensor of shape (rows, columns)
            Those of this argument.

        Returns
        -------
        Tensor of shape (rows, *shape)
            As the module takes it.
        """
        axis, found = self._axis, columns.reshape(-1)
        if self.shape:
            moved = [*self.shape[: axis - 1], *self.shape[axis:], self.shape[axis - 1]]
            found = columns.reshape(-1, *moved).movedim(-1, axis)
        if self.kind == "numbers":
            return found
        return found.round().long() if self.kind == "tokens" else found > 0.5

    @property
    def _axis(self) -> int:
        """The axis of neurons, that of rows counted too."""
        return self.neurons % max(len(self.shape), 1) + 1


def input_shapes(values: Sequence[Tensor]) -> list[InputShape]:
    """Describe the arguments of a module.

    Parameters
    ----------
    values : sequence of Tensor of shape (rows, ...)
        One an argument.

    Returns
    -------
    list of InputShape
        Neurons along the last axis of each.

    Examples
    --------
    >>> input_shapes([torch.zeros(5, 3), torch.zeros(5, 4, dtype=torch.long)])[1]
    InputShape(shape=[4], kind='tokens', neurons=-1)
    """
    found = []
    for value in values:
        kind: Kind = "numbers" if value.is_floating_point() else "flags" if value.dtype == torch.bool else "tokens"
        found.append(InputShape(shape=list(value.shape[1:]), kind=kind))
    return found


def as_table(shapes: Sequence[InputShape], values: Sequence[Tensor]) -> Float64[np.ndarray, "rows columns"]:
    """Lay out all arguments as one table, side by side.

    Parameters
    ----------
    shapes : sequence of InputShape
        What the arguments are.
    values : sequence of Tensor of shape (rows, ...)
        One an argument.

    Returns
    -------
    array of float, shape (rows, columns)
        The table.

    Examples
    --------
    >>> values = [torch.zeros(5, 3), torch.ones(5, 2)]
    >>> as_table(input_shapes(values), values).shape
    (5, 5)
    """
    columns = [shape.columns_of(value).double() for shape, value in zip(shapes, values, strict=True)]
    return np.asarray(torch.cat(columns, dim=1).detach().cpu())
