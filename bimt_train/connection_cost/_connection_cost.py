"""Connection cost: what every weight pays for its length. One object, for training and for relocation."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self

import numpy as np
from jaxtyping import Float64

from .._errors import InputError
from ..layouts import Layout, Placement, distances
from ..layouts.fold import spread
from ..showing import Shown
from ._cost_terms import COST_TERMS, CostTerm, Distances

Reduction = Literal["sum", "mean"]

_FIELDS = {"length": "scale", "existence": "l0"}  # the terms whose coefficients are fields


@dataclass(frozen=True, repr=False)
class ConnectionCost(Shown):
    """The connection cost of arXiv 2305.08746, section 2, computed from a layout.

    A weight pays for the distance between the two neurons that it joins. A bias pays ``l0 |b|``, and an embedding entry
    ``l0 |e|`` unless ``embedding`` says otherwise. Norms and buffers pay nothing.

    Attributes
    ----------
    l0 : float
        Price of one unit of ``|w|`` at no distance: the coefficient of the term ``existence``.
    scale : float
        Price of one unit of ``|w|`` for one unit of distance, A in the paper: the coefficient of the term ``length``.
        Distances are in units of the layer's width.
    reduction : {"sum", "mean"}
        ``sum`` adds all payments up. ``mean`` averages them over each tensor and adds the averages up, as some of the
        paper's experiments do. A lambda of one does not mean the same for the other.
    local : bool
        False replaces each price by its mean over the tensor. Distance then no longer matters, but the average price
        stays: plain L1, the essential control. The paper does not state the price of its control.
    without_distance : frozenset of str
        Tensors that pay no term that depends on distance (the last layer of the paper's image network).
    embedding : float or None
        Price of one unit of ``|e|`` of an embedding's entry. None, as the paper has it, takes ``l0``. Such a charge
        rewards dimensions that mix: sum |e| over the tokens, for a given sum of squares, is a tenth less for two waves
        together than for one.
    terms : mapping of str to float
        Further terms by their names in `COST_TERMS`, or as ``file.py:NAME``, with their coefficients.

    Raises
    ------
    InputError
        A price or a coefficient is negative, or ``terms`` names a term whose coefficient is a field.

    Notes
    -----
    With d the L1 distance between the neurons that w joins, each weight pays ``|w| (scale d + l0 + sum_k c_k f_k(d))``,
    f_k the further terms and c_k their coefficients.

    References
    ----------
    Liu, Gan and Tegmark, "Seeing is Believing: Brain-Inspired Modular Training for Mechanistic Interpretability",
    arXiv 2305.08746, section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_train.layouts import Group, Placement, linear
    >>> layout = linear("a", source=Group.line("x", 2), target=Group.line("y", 1))
    >>> tensors = {"a.weight": np.array([[1.0, -3.0]]), "a.bias": np.array([0.0])}
    >>> ConnectionCost(l0=0.0).value(layout, Placement.identity(layout), tensors)  # both distances are 1/4
    1.0
    """

    l0: float = 0.1
    scale: float = 1.0
    reduction: Reduction = "sum"
    local: bool = True
    without_distance: frozenset[str] = frozenset()
    embedding: float | None = None
    terms: Mapping[str, float] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("l0", "scale", "embedding"):
            price = getattr(self, name)
            if price is not None and not (math.isfinite(price) and price >= 0):
                expected = "0 or more, or None" if name == "embedding" else "0 or more"
                raise InputError("a price cannot be negative", where=name, expected=expected, got=str(price))
        for name, coefficient in self.terms.items():
            if name in _FIELDS:
                hint = f"write {_FIELDS[name]}={coefficient}"
                raise InputError("a term whose coefficient is a field", where=f"terms, {name!r}", hint=hint)
            if not (math.isfinite(coefficient) and coefficient >= 0):
                expected, got = "0 or more", str(coefficient)
                raise InputError("a price cannot be negative", where=f"terms, {name!r}", expected=expected, got=got)
        terms = {COST_TERMS.reference(name): float(coefficient) for name, coefficient in self.terms.items()}
        object.__setattr__(self, "terms", terms)

    def with_term(self, name: str, coefficient: float) -> Self:
        """The cost with one coefficient set, of whatever term.

        Parameters
        ----------
        name : str
            A name in `COST_TERMS`, ``length`` and ``existence`` among them, or ``file.py:NAME``.
        coefficient : float
            Its coefficient, 0 or more.

        Returns
        -------
        ConnectionCost
            All else unchanged.

        Raises
        ------
        InputError
            There is no such term, or the coefficient is negative.

        Examples
        --------
        >>> ConnectionCost().with_term("length", 2.0).scale
        2.0
        """
        term = COST_TERMS[name]
        if term.name in _FIELDS:
            if not (math.isfinite(coefficient) and coefficient >= 0):
                got = str(coefficient)
                raise InputError("a price cannot be negative", where=repr(name), expected="0 or more", got=got)
            changed: dict[str, Any] = {_FIELDS[term.name]: coefficient}
            return replace(self, **changed)
        return replace(self, terms={**self.terms, COST_TERMS.reference(name): coefficient})

    def distance_prices(self, apart: Distances) -> tuple[float, Distances]:
        """What distances cost, as a factor and the prices that it multiplies; relocation minimises nothing else.

        Parameters
        ----------
        apart : array of float, [target, source]
            L1 distances between neurons, in units of the layer's width.

        Returns
        -------
        factor : float
            Scales all prices; with no terms but ``length`` it is ``scale``.
        prices : array of float, [target, source]
            The price of one unit of ``|w|``, over the factor and before any averaging over a tensor; with no terms but
            ``length`` the distances themselves.

        Raises
        ------
        InputError
            A term is unknown, or its prices cannot be charged.

        Examples
        --------
        >>> import numpy as np
        >>> ConnectionCost(scale=2.0).distance_prices(np.array([[0.25]]))
        (2.0, array([[0.25]]))
        """
        further = [(term, c) for term, c in self._coefficients() if not term.constant and term.name != "length"]
        if not further:
            return self.scale, apart
        return 1.0, self.scale * apart + sum(c * term.prices(apart) for term, c in further)

    def prices(
        self,
        layout: Layout,
        placement: Placement,
        shapes: Mapping[str, tuple[int, ...]],
        *,
        biases: bool = True,
    ) -> dict[str, Float64[np.ndarray, "..."]]:
        """The price of one unit of magnitude, for every entry of every tensor but buffers.

        It is the gradient of the cost, but for the sign of the entry.

        Parameters
        ----------
        layout : Layout
            Which groups each tensor joins.
        placement : Placement
            The position of each neuron.
        shapes : mapping of str to tuple of int
            Tensor name -> shape.
        biases : bool
            Whether biases pay. The paper charges them in the last phase only.

        Returns
        -------
        dict of str to array of float
            Tensor name -> prices, in the tensor's shape.

        Raises
        ------
        PatternError
            A tensor does not fit its pattern.
        InputError
            A cost term is unknown, or its prices cannot be charged.
        """
        priced = {}
        for name, spec in layout.tensors.items():
            if spec.role == "buffer":
                continue
            shape = shapes[name]
            if spec.role == "weight":
                target, source = spec.plan.groups
                apart = distances(placement.coordinates(layout, target), placement.coordinates(layout, source))
                share = self.share(math.prod(shape))
                price = self._weight_prices(apart, share, far=name not in self.without_distance)
                priced[name] = np.ascontiguousarray(spread(price, spec.plan, shape, layout.sizes))
            else:
                pays = biases or spec.role != "bias"
                priced[name] = np.full(shape, self.equal_price(spec.role, math.prod(shape)) if pays else 0.0)
        return priced

    def equal_price(self, role: str, entries: int) -> float:
        """The one price of all entries of a tensor that is no weight; 0 for roles that pay nothing.

        Parameters
        ----------
        role : str
            What the tensor is, as its `TensorSpec` says.
        entries : int
            Entries of the tensor.

        Examples
        --------
        >>> ConnectionCost(l0=0.2, embedding=0.0).equal_price("bias", 20)
        0.2
        """
        pays = {"bias": self.l0, "embedding": self.l0 if self.embedding is None else self.embedding}
        return self.share(entries) * pays.get(role, 0.0)

    def linear_price(self, name: str, entries: int) -> tuple[float, float] | None:
        """What a weight pays for a unit of distance, and at no distance; None where it pays for more than that.

        Parameters
        ----------
        name : str
            The tensor's name.
        entries : int
            Entries of the tensor.

        Examples
        --------
        >>> ConnectionCost(l0=0.2, scale=3.0).linear_price("layers.0.weight", 20)
        (3.0, 0.2)
        """
        if self.terms or not self.local:
            return None
        share = self.share(entries)
        return (0.0 if name in self.without_distance else share * self.scale), share * self.l0

    def value(
        self, layout: Layout, placement: Placement, tensors: Mapping[str, np.ndarray], *, biases: bool = True
    ) -> float:
        """The cost of a network: the sum of magnitude times price over all entries.

        Parameters
        ----------
        layout : Layout
            Which groups each tensor joins.
        placement : Placement
            The position of each neuron.
        tensors : mapping of str to array
            Tensor name -> values.
        biases : bool
            Whether biases pay.

        Returns
        -------
        float
            The connection cost, without lambda.

        Raises
        ------
        PatternError
            A tensor does not fit its pattern.
        InputError
            A cost term is unknown, or its prices cannot be charged.
        """
        prices = self.prices(layout, placement, {name: t.shape for name, t in tensors.items()}, biases=biases)
        return float(sum((np.abs(tensors[name]) * price).sum(dtype=np.float64) for name, price in prices.items()))

    def share(self, entries: int) -> float:
        """What the reduction multiplies the prices of a tensor with: 1, or one over its number of entries.

        Parameters
        ----------
        entries : int
            Entries of the tensor.

        Returns
        -------
        float
            The factor.
        """
        return 1 / entries if self.reduction == "mean" else 1.0

    def to_json(self) -> dict[str, Any]:
        """The cost as plain values; ``terms`` only where there are any.

        Returns
        -------
        dict
            Field -> value.

        Examples
        --------
        >>> sorted(ConnectionCost().to_json())
        ['embedding', 'l0', 'local', 'reduction', 'scale', 'without_distance']
        """
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        said["without_distance"] = sorted(self.without_distance)
        terms = dict(said.pop("terms"))
        return {**said, "terms": terms} if terms else said

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`.

        Parameters
        ----------
        data : mapping
            What `to_json` returns.

        Returns
        -------
        ConnectionCost
            The cost.

        Examples
        --------
        >>> ConnectionCost.from_json(ConnectionCost(l0=0.5).to_json()).l0
        0.5
        """
        return cls(**{**data, "without_distance": frozenset(data["without_distance"])})

    def _coefficients(self) -> list[tuple[CostTerm, float]]:
        """All terms of the price of a weight, with their coefficients."""
        chosen = {"length": self.scale, "existence": self.l0, **self.terms}
        return [(COST_TERMS[name], coefficient) for name, coefficient in chosen.items()]

    def _weight_prices(self, apart: Distances, share: float, *, far: bool) -> Distances:
        """The price of one unit of ``|w|``; ``far``: whether distance is paid for."""
        total = np.zeros_like(apart)
        for term, coefficient in self._coefficients():
            if far or term.constant:
                price = term.prices(apart)
                total += coefficient * share * (price if self.local else np.full_like(price, price.mean()))
        return total
