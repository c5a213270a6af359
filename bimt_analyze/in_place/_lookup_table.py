"""A function of a few inputs as a table, linear between its points."""

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from bimt_train import InputError

from ._model_run import Rows, evaluated, home_of
from ._place import place_of

POINTS, MOST = 33, 1_000_000  # of an axis if left out; of a table at most


class LookupTable(nn.Module):
    """Values at the points of a grid; between points multilinear, outside the values at the edge. They can be trained.

    Parameters
    ----------
    axes : sequence of arrays of shape [points]
        Where the points of each input are, growing.
    values : array of shape [points of input 1, points of input 2, ..., outputs]
        What is given at each point.

    Raises
    ------
    InputError
        Axes that do not grow, or values that are not one for each point.

    Examples
    --------
    >>> table = LookupTable([np.array([0.0, 1.0, 3.0])], np.array([[0.0], [2.0], [4.0]]))
    >>> table(torch.tensor([[0.5], [2.0], [9.0]])).flatten().tolist()
    [1.0, 3.0, 4.0]
    """

    def __init__(self, axes: Sequence[np.ndarray], values: np.ndarray) -> None:
        super().__init__()
        sizes = tuple(len(axis) for axis in axes)
        if not sizes or values.ndim != len(sizes) + 1 or values.shape[:-1] != sizes or not values.size:
            expected = f"[{', '.join(map(str, sizes))}, outputs]"
            raise InputError("values that do not fit the axes", expected=expected, got=str(list(values.shape)))
        for place, axis in enumerate(axes):
            if np.any(~(np.diff(axis) > 0)):
                raise InputError("points that do not grow", where=f"axis {place}")
            self.register_buffer(f"axis_{place}", torch.tensor(np.asarray(axis, dtype=np.float64)))
        self.sizes = sizes
        self.values = nn.Parameter(torch.tensor(np.asarray(values, dtype=np.float64)).flatten(0, -2))

    @classmethod
    def of(cls, model: nn.Module, place: str | nn.Module, *, x: Rows, points: int = POINTS) -> Self:
        """Tabulate a submodule over the range of what it reads.

        Parameters
        ----------
        model : torch.nn.Module
            The model, which is left as it is.
        place : str or torch.nn.Module
            The submodule, by its dotted path or itself.
        x : array, tensor, tuple or mapping of them
            Rows of what the model takes.
        points : int
            Of each input. One that takes no more values than that on the rows has its own values as points, and is
            exact there.

        Returns
        -------
        LookupTable
            In the submodule's precision and on its device.

        Raises
        ------
        InputError
            Fewer than two points, more than a million in all, or a place as `replace` refuses.
        """
        found = place_of(model, place, x)
        if points < 2:
            raise InputError("too few points", where="points", expected="2 or more", got=str(points))
        axes = [_axis(column, points) for column in found.inputs.double().cpu().numpy().T]
        size = prod(len(axis) for axis in axes)
        if size > MOST:
            hint = "fewer points, or a formula or circuit for so many inputs"
            raise InputError("a table that is too large", where=found.said, expected=f"{MOST:,} points at most",
                             got=f"{size:,}", hint=hint)  # fmt: skip
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(size, len(axes))
        with evaluated(found.module):
            values = found.module(torch.tensor(grid).to(found.inputs))
        dtype, device = home_of(model)
        table = values.double().cpu().numpy().reshape(*(len(axis) for axis in axes), -1)
        return cls(axes, table).to(device, dtype)

    def forward(self, x: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows outputs"]:
        """The values, interpolated.

        Parameters
        ----------
        x : tensor of shape [..., inputs]
            Any number of leading axes.
        """
        lower, share = [], []
        for place, size in enumerate(self.sizes):
            axis = self.get_buffer(f"axis_{place}")
            column = x[..., place].to(axis.dtype).contiguous()
            low = (torch.bucketize(column, axis, right=True) - 1).clamp(0, max(size - 2, 0))
            width = axis[(low + 1).clamp(max=size - 1)] - axis[low]
            lower.append(low)
            share.append(((column - axis[low]) / torch.where(width > 0, width, 1)).clamp(0, 1))
        found = torch.zeros((), dtype=self.values.dtype, device=self.values.device)
        for corner in product((0, 1), repeat=len(self.sizes)):
            row, weight = torch.zeros_like(lower[0]), torch.ones_like(share[0])
            for size, step, low, part in zip(self.sizes, corner, lower, share, strict=True):
                row = row * size + (low + step).clamp(max=size - 1)
                weight = weight * (part if step else 1 - part)
            found = found + weight[..., None] * self.values[row]
        return found

    def extra_repr(self) -> str:
        """The numbers of points, as torch shows a layer."""
        return f"points={self.sizes}, outputs={self.values.shape[1]}"


def _axis(column: np.ndarray, points: int) -> np.ndarray:
    """The values of a column where they are few; else points over its range."""
    own = np.unique(column)
    return own if len(own) <= points else np.linspace(own[0], own[-1], points)
