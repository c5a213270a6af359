"""Modules as functions, of which kind each is, and which is an affine copy of which."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import Network

from ._affine_copy import AffineMap, affine_copy
from ._module_function import ModuleFunction
from ._module_outputs import Module, Outflow, Signals, squared_correlation

ALIKE = 0.99
"""The r2 from which on two functions count as alike, and a function as linear."""

BEYOND_LINE = 0.9
"""The share of what a linear function leaves that a copy must explain."""

MOST_ARGUMENTS = 3

Kind = Literal["curved", "linear", "constant", "one neuron wide", "many inputs"]

_ROWS = 200  # on which maps are fitted


@dataclass(frozen=True)
class Copy:
    """A module as an affine copy of its family's representative.

    Attributes:
        module: its number.
        arguments: names of the neurons that its function depends on.
        line: r2 of the best linear function of the arguments.
        share: of the variance of all that the module sends, what the one number has.
        isolated: squared correlation of its function, taken alone, with what it sends in the network.
        map: from the representative's function to this one; None for the representative, and where nothing is compared.
        back: r2 of the best map the other way.
    """

    module: int
    arguments: tuple[str, ...]
    line: float
    share: float
    isolated: float
    map: AffineMap | None = None
    back: float | None = None

    @property
    def r2(self) -> float | None:
        """The smaller r2 of both ways."""
        return None if self.map is None or self.back is None else min(self.map.r2, self.back)

    @property
    def words(self) -> str:
        """The map as text, with f the representative's function; empty where there is none."""
        return "" if self.map is None else self.map.words(self.arguments)

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        plain = dict(vars(self)) | {"arguments": list(self.arguments), "r2": self.r2, "words": self.words}
        plain["map"] = None if self.map is None else self.map.to_json()
        return plain


@dataclass(frozen=True)
class Alike:
    """Modules of one kind; where it is "curved", modules that are alike.

    Attributes:
        kind: "curved", a family of one or more; all others in one group of their kind: "linear", "constant"; "one
            neuron wide", alike by the activation function alone; "many inputs", not compared.
        representative: the number of the module that the others are copies of.
        members: the representative first.
    """

    kind: Kind
    representative: int
    members: tuple[Copy, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        members = [member.to_json() for member in self.members]
        return {"kind": self.kind, "representative": self.representative, "members": members}


class Comparison:
    """Functions of modules and maps between them, each found once."""

    def __init__(self, network: Network, x: Float[np.ndarray, "rows inputs"], seed: int) -> None:
        self.signals, self._seed = Signals(network, x), seed
        self._rows = np.linspace(0, len(x) - 1, min(len(x), _ROWS)).astype(np.int64)
        self._functions: dict[Module, ModuleFunction] = {}
        self._maps: dict[tuple[Module, Module], AffineMap] = {}

    def function(self, module: Module) -> ModuleFunction:
        """What the module sends, as a function of its arguments."""
        if module not in self._functions:
            self._functions[module] = ModuleFunction(self.signals, Outflow(self.signals, module))
        return self._functions[module]

    def kind(self, module: Module) -> Kind:
        """Which kind of function this is."""
        function = self.function(module)
        if not function.arguments:
            return "constant"
        if line(function) >= ALIKE:
            return "linear"
        layers = Counter(group for group, _ in self.signals.hidden(module))
        if max(layers.values(), default=0) <= 1:
            return "one neuron wide"
        return "curved" if len(function.arguments) <= MOST_ARGUMENTS else "many inputs"

    def copy(self, source: Module, target: Module) -> AffineMap | None:
        """The map from one function to the other, if that makes it a copy."""
        f, g = self.function(source), self.function(target)
        if len(f.arguments) != len(g.arguments):
            return None
        if (source, target) not in self._maps:
            rows = self._rows
            found = affine_copy(f, f.points, g.points[rows], g.values[rows], seed=self._seed)
            self._maps[source, target] = found
        found = self._maps[source, target]
        return found if found.r2 >= ALIKE and 1 - found.r2 <= (1 - BEYOND_LINE) * (1 - line(g)) else None

    def member(self, number: int, module: Module, source: Module | None = None) -> Copy:
        """The module as a copy of a source, of which it must be one."""
        function, layout = self.function(module), self.signals.network.layout
        names = tuple(layout.group(group).label(i) for group, i in function.arguments)
        about = (number, names, line(function), function.share, function.isolated)
        if source is None:
            return Copy(*about)
        there, back = self.copy(source, module), self.copy(module, source)
        assert there is not None and back is not None
        return Copy(*about, there, back.r2)


def line(function: ModuleFunction) -> float:
    """r2 of the best linear function of the arguments."""
    design = np.column_stack([np.ones(len(function.points)), function.points])
    said = design @ np.linalg.lstsq(design, function.values, rcond=None)[0]
    return squared_correlation(said, function.values)
