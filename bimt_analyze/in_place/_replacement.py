"""A model in which a part was replaced: what it was before, and what it is now."""

from dataclasses import dataclass

import sympy
from torch import nn

from bimt_train.showing import Shown

from ._formula_layer import read_back

Pair = tuple[float, float]


@dataclass(frozen=True, eq=False, repr=False)
class Replacement(Shown):
    """A new model with another layer at a place. Of each pair, the first is before and the second after.

    Attributes
    ----------
    model : torch.nn.Module
        The new model, which shares no tensor with the old one.
    layer : torch.nn.Module
        The new layer in it, whose parameters can be trained.
    names : tuple of str
        The dotted paths at which the layer stands; ``("",)`` for the whole model.
    loss : tuple of two float
        On the rows that were passed.
    departure : float
        Root mean square of what the place gives now less what it gave, over the deviation of what it gave.
    seconds : tuple of two float or None
        Of a run of the model on these rows, the least of several; None where it was not measured.
    place_seconds : tuple of two float or None
        Of the place alone, on all rows that it reads in a run.
    parameters : tuple of two int
        Numbers that can be trained, of the place.
    edges : tuple of str
        Where the formulas are not defined, or have no gradient, close to the rows.

    Examples
    --------
    >>> import torch
    >>> from bimt_analyze.in_place import replace
    >>> model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> found = replace(model, "1", by=["x1", "2*x2", "pi + x3"], x=torch.ones(4, 2), measure=False)
    >>> found.parameters, found.read_back()["y3"]
    ((0, 2), x3 + pi)
    """

    model: nn.Module
    layer: nn.Module
    names: tuple[str, ...]
    loss: Pair
    departure: float
    seconds: Pair | None
    place_seconds: Pair | None
    parameters: tuple[int, int]
    edges: tuple[str, ...] = ()

    def _brief(self) -> str:
        return "; ".join(self.lines())

    def read_back(self) -> dict[str, sympy.Expr]:
        """Output -> its formula at the present numbers of the layer; see `bimt_analyze.in_place.read_back`."""
        return read_back(self.layer)[""]

    def lines(self) -> list[str]:
        """A sentence for each figure."""
        where = ", ".join(name or "the whole model" for name in self.names)
        said = [
            f"{where}: {self.parameters[1]} numbers that can be trained, {self.parameters[0]} before",
            f"loss {self.loss[1]:.3g}, {self.loss[0]:.3g} before; the place departs by {self.departure:.2g}",
        ]
        for what, pair in (("model", self.seconds), ("place", self.place_seconds)):
            if pair is not None:
                said.append(f"{what}: {1e3 * pair[1]:.3g} ms a run, {1e3 * pair[0]:.3g} ms before")
        return [*said, *self.edges]
