"""Connection cost: what every weight pays for its length. One object, for training and for relocation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64

from .._errors import InputError
from ..layouts import Layout, Placement, distances, spread

Reduction = Literal["sum", "mean"]


@dataclass(frozen=True)
class ConnectionCost:
    """The connection cost of arXiv 2305.08746, section 2, computed from a layout.

    A weight pays ``|w| (A d + l0)``, with d the L1 distance between the neurons that it joins; a bias pays
    ``l0 |b|``, an embedding entry ``l0 |e|`` unless ``embedding`` says otherwise; norms and buffers pay nothing. With
    ``sum`` the payments are added up; with ``mean`` they are averaged over each tensor and the averages added up, as
    some of the paper's experiments do: lambdas of the two are not comparable.

    Attributes:
        l0: price of a connection of no length.
        scale: the A above, the price of a unit of length; lengths are in units of the layer's width.
        reduction: ``sum`` or ``mean``.
        local: False replaces each d by its mean over the tensor, so that length no longer matters but the average price
            stays: plain L1, the essential control. (The paper does not state the price of its control.)
        without_distance: tensors whose distance term is off (the last layer of the paper's image net).
        embedding: price of an embedding's entry; None, as the paper has it, takes ``l0``. Such a charge rewards
            dimensions that mix: sum |e| over the tokens, for a given sum of squares, is a tenth less for two waves
            together than for one.
    """

    l0: float = 0.1
    scale: float = 1.0
    reduction: Reduction = "sum"
    local: bool = True
    without_distance: frozenset[str] = frozenset()
    embedding: float | None = None

    def __post_init__(self) -> None:
        if self.embedding is not None and not self.embedding >= 0:
            expected, got = "0 or more, or None", str(self.embedding)
            raise InputError("a price cannot be negative", where="embedding", expected=expected, got=got)

    def length_price(self, tensor: str, entries: int) -> float:
        """What one unit of ``|w| d`` costs in a tensor of so many entries; relocation minimises nothing else."""
        share = 1 / entries if self.reduction == "mean" else 1.0
        return 0.0 if tensor in self.without_distance else self.scale * share

    def prices(
        self,
        layout: Layout,
        placement: Placement,
        shapes: Mapping[str, tuple[int, ...]],
        *,
        biases: bool = True,
    ) -> dict[str, Float64[np.ndarray, "..."]]:
        """The price of a unit of magnitude, for every entry of every tensor but buffers: the cost's gradient but for
        the sign.

        Args:
            layout: what joins what.
            placement: who sits where.
            shapes: of the tensors.
            biases: whether biases pay; the paper charges them in the last phase only.

        Raises:
            PatternError: a tensor does not fit its pattern.
        """
        priced = {}
        for name, spec in layout.tensors.items():
            if spec.role == "buffer":
                continue
            shape = shapes[name]
            share = 1 / math.prod(shape) if self.reduction == "mean" else 1.0
            if spec.role == "weight":
                target, source = spec.plan.groups
                apart = distances(placement.coordinates(layout, target), placement.coordinates(layout, source))
                if not self.local:
                    apart = np.full_like(apart, apart.mean())
                price = self.length_price(name, math.prod(shape)) * apart + self.l0 * share
                priced[name] = np.ascontiguousarray(spread(price, spec.plan, shape, layout.sizes))
            elif spec.role == "embedding":
                priced[name] = np.full(shape, share * (self.l0 if self.embedding is None else self.embedding))
            else:
                priced[name] = np.full(shape, share * self.l0 if spec.role == "bias" and biases else 0.0)
        return priced

    def value(
        self, layout: Layout, placement: Placement, tensors: Mapping[str, np.ndarray], *, biases: bool = True
    ) -> float:
        """The cost of a network: the sum of magnitude times price over all entries."""
        prices = self.prices(layout, placement, {name: t.shape for name, t in tensors.items()}, biases=biases)
        return float(sum((np.abs(tensors[name]) * price).sum(dtype=np.float64) for name, price in prices.items()))
