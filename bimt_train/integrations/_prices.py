"""Prices of a tensor's entries as they are charged in somebody's loop: computed from places, and not stored."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import EllipsisType
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from ..connection_cost._connection_cost import ConnectionCost
from ..layouts import Layout, Pattern, Placement
from ..layouts._pattern import Part

Piece = slice | EllipsisType


class MatrixPrice(NamedTuple):
    """Prices of a tensor's entries as a matrix: ``constant + sum_k |here[k, row] - there[k, column]|``.

    Attributes
    ----------
    here : array of float, [dimensions, rows]
        Places of the rows, times the price of a unit of distance.
    there : array of float, [dimensions, columns]
        Those of the columns.
    constant : float
        The price at no distance.
    """

    here: Float32[np.ndarray, "dimensions rows"]
    there: Float32[np.ndarray, "dimensions columns"]
    constant: float


@runtime_checkable
class Price(Protocol):
    """What the entries of one tensor pay for a unit of magnitude."""

    def at(self, piece: Piece, w: Tensor) -> Tensor:
        """The prices of some entries.

        Parameters
        ----------
        piece : slice or ...
            Which, along the first axis.
        w : Tensor
            All entries, on the device where prices are wanted.

        Returns
        -------
        Tensor
            Of the shape of ``w[piece]``, or one that broadcasts to it.
        """

    def as_matrix(self, w: Tensor) -> MatrixPrice | None:
        """The prices of all entries as compiled code reads them, or None where they are no matrix of this kind.

        Parameters
        ----------
        w : Tensor
            All entries, on the CPU and in single precision.
        """


@dataclass(frozen=True, eq=False)
class EqualPrice:
    """One price for all entries: biases, embeddings, and weights that do not pay for distance.

    Attributes
    ----------
    price : float
        The price.
    """

    price: float

    def at(self, piece: Piece, w: Tensor) -> Tensor:
        """The price, as one number; `Price.at` says what it is given."""
        return w.new_tensor(self.price)

    def as_matrix(self, w: Tensor) -> MatrixPrice:
        """One row of no dimension."""
        return MatrixPrice(np.zeros((0, 1), np.float32), np.zeros((0, w.numel()), np.float32), self.price)


@dataclass(frozen=True, eq=False)
class DistancePrice:
    """``constant + sum_k |here_k - there_k|``, k the dimensions that both groups have.

    Attributes
    ----------
    here, there : Tensor, [dimensions, ...]
        The coordinates of the neurons of one group, times the price of a unit of distance, along the axis of the tensor
        that they index, and of length 1 along its others.
    constant : float
        The price at no distance.
    """

    here: Tensor
    there: Tensor
    constant: float

    def at(self, piece: Piece, w: Tensor) -> Tensor:
        """The prices by the places of the neurons; `Price.at` says what it is given."""
        first, *further = (
            (_cut(here, piece) - _cut(there, piece)).abs_() for here, there in zip(self.here, self.there, strict=True)
        )
        for apart in further:
            first.add_(apart)
        return first.add_(self.constant)

    def as_matrix(self, w: Tensor) -> MatrixPrice | None:
        """The first axis as rows and all others as columns, where one of the groups is on the first axis."""
        first = (len(self.here), *w.shape[:1], *(1 for _ in w.shape[1:]))
        rows, columns = (self.here, self.there) if self.here.shape == first else (self.there, self.here)
        if rows.shape != first or {rows.dtype, columns.dtype} != {torch.float32}:
            return None
        columns = columns.expand(-1, -1, *w.shape[1:])
        here, there = (part.reshape(len(part), -1).contiguous().numpy() for part in (rows, columns))
        return MatrixPrice(here, there, self.constant)


@dataclass(frozen=True, eq=False)
class StoredPrice:
    """Prices that are not linear in the distance, or of a tensor whose groups share an axis: stored entry by entry.

    Attributes
    ----------
    prices : Tensor
        The price of every entry.
    """

    prices: Tensor

    def at(self, piece: Piece, w: Tensor) -> Tensor:
        """The stored prices; `Price.at` says what it is given."""
        return self.prices[piece].to(w)

    def as_matrix(self, w: Tensor) -> None:
        """None: they are no sum of distances."""


def prices_of(
    cost: ConnectionCost, layout: Layout, placement: Placement, tensors: Mapping[str, Tensor]
) -> dict[str, Price]:
    """The prices of all tensors that pay anything.

    Parameters
    ----------
    cost : ConnectionCost
        What connections cost.
    layout : Layout
        Which groups each tensor joins.
    placement : Placement
        Where the neurons are.
    tensors : mapping of str to Tensor
        The tensors, on the device where they are trained.

    Returns
    -------
    dict of str to Price
        By the tensors' names.
    """
    found: dict[str, Price] = {}
    for name, spec in layout.tensors.items():
        tensor = tensors[name]
        if spec.role == "buffer":
            continue
        if spec.role != "weight":
            found[name] = EqualPrice(cost.equal_price(spec.role, tensor.numel()))
        elif (linear := cost.linear_price(name, tensor.numel())) is not None and linear[0] == 0.0:
            found[name] = EqualPrice(linear[1])
        elif linear is not None and len(set(_axes_of_groups(spec.plan))) == 2:
            found[name] = _by_distance(linear, layout, placement, spec.plan, tensor)
        else:
            alone = replace(layout, tensors={name: spec})
            stored = cost.prices(alone, placement, {name: tuple(tensor.shape)})[name]
            found[name] = StoredPrice(torch.tensor(stored).to(tensor))
    return {name: price for name, price in found.items() if not (isinstance(price, EqualPrice) and price.price == 0.0)}


def _by_distance(
    linear: tuple[float, float], layout: Layout, placement: Placement, plan: Pattern, w: Tensor
) -> DistancePrice:
    """The price of a weight by the places of its neurons."""
    unit, constant = linear
    places = [placement.coordinates(layout, part.group)[part.neurons] for _, part in plan.group_factors()]
    dimensions = min(place.shape[1] for place in places)
    here, there = (
        torch.stack([_along(plan, axis, unit * place[:, k], layout.sizes, w) for k in range(dimensions)])
        for axis, place in zip(_axes_of_groups(plan), places, strict=True)
    )
    return DistancePrice(here, there, constant)


def _axes_of_groups(plan: Pattern) -> list[int]:
    """For each group, in the order of the factors, the axis that it is on."""
    return [axis for axis, factors in enumerate(plan.axes) for factor in factors if isinstance(factor, str)]


def _along(
    plan: Pattern, axis: int, numbers: Float[np.ndarray, " neurons"], sizes: Mapping[str, int], w: Tensor
) -> Tensor:
    """One number for each entry of an axis, from one for each neuron of the group on it; ready to be broadcast."""
    lengths = [
        Part.of(factor).size(sizes) if isinstance(factor, str) else w.shape[axis] if factor is None else factor
        for factor in plan.axes[axis]
    ]
    unit = [size if isinstance(factor, str) else 1 for factor, size in zip(plan.axes[axis], lengths, strict=True)]
    spread = np.broadcast_to(numbers.reshape(unit), lengths).ravel()
    shape = [-1 if place == axis else 1 for place in range(w.ndim)]
    return torch.tensor(spread.reshape(shape)).to(w)


def _cut(numbers: Tensor, piece: Piece) -> Tensor:
    return numbers[piece] if numbers.shape[0] > 1 else numbers
