"""Modules as functions: of which kind each is, and which is an affine copy of which."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ._affine_copy import AffineMap, affine_copy
from ._fewer_rows import fewer_rows
from ._module_function import ModuleFunction
from ._module_outputs import Module, ModuleOutputs, RecordedActivations, squared_correlation

EQUIVALENT = 0.99
"""The r2 from which on two functions count as equivalent, and a function as linear."""

BEYOND_LINE = 0.9
"""The share of what a linear function leaves that a copy must explain."""

MOST_ARGUMENTS = 3

Kind = Literal["curved", "linear", "constant", "one neuron wide", "many inputs"]

_ROWS = 200  # on which maps are fitted


@dataclass(frozen=True, repr=False)
class EquivalentModule(Shown):
    """A module compared with the representative of its family.

    Attributes
    ----------
    module : int
        Number of the module, from 0.
    arguments : tuple of str
        Names of the neurons that its function depends on.
    line : float
        r2 of the best linear function of the arguments.
    share : float
        Share of the variance of all module outputs that the module's one number has.
    isolated : float
        Squared correlation of its function, taken alone, with its output in the network.
    map : AffineMap or None
        Affine map from the representative's function to this one; None for the representative, and where nothing is
        compared.
    back : float or None
        r2 of the best map the other way.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._affine_copy import AffineMap
    >>> from bimt_analyze.audits.functions._module_comparison import EquivalentModule
    >>> copy = AffineMap((0,), (2.0,), (0.0,), 1.0, 3.0, r2=0.999)
    >>> member = EquivalentModule(1, ("x2",), line=0.1, share=1.0, isolated=1.0, map=copy, back=0.995)
    >>> member.words, member.r2
    ('1 f(2 x2 + 0) + 3', 0.995)
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
        """The smaller r2 of the maps both ways; None where nothing is compared."""
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


@dataclass(frozen=True, repr=False)
class EquivalentModules(Shown):
    """A family of equivalent modules, or the modules of a kind that is not compared.

    Attributes
    ----------
    kind : Kind
        "curved", a family of one or more; all others in one group of their kind: "linear"; "constant"; "one neuron
        wide", equivalent by the activation function alone; "many inputs", not compared.
    representative : int
        Number of the module that the others are equivalent to.
    members : tuple of EquivalentModule
        The members of the family, the representative first.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._equivalent_modules import equivalent_modules
    >>> from bimt_analyze.synthetic import absolute_sums
    >>> planted = absolute_sums(outputs=1, terms=2, variables=1, rows=50, seed=1)
    >>> (family,) = equivalent_modules(planted.network, planted.partition.modules, planted.x)
    >>> family.kind, family.representative, len(family.members)
    ('curved', 0, 2)
    """

    kind: Kind
    representative: int
    members: tuple[EquivalentModule, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        members = [member.to_json() for member in self.members]
        return {"kind": self.kind, "representative": self.representative, "members": members}


class Comparison:
    """Functions of modules and maps between them, each found once.

    Parameters
    ----------
    network : Network
        A feed-forward network.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them, of which networks of many weights see fewer; 200 of them are used for maps.
    seed : int
        Seed of the search for maps.
    """

    def __init__(self, network: Network, x: Float[np.ndarray, "rows inputs"], seed: int) -> None:
        x = fewer_rows(network, x, fewest=_ROWS)
        self.recorded, self._seed = RecordedActivations(network, x), seed
        self._rows = np.linspace(0, len(x) - 1, min(len(x), _ROWS)).astype(np.int64)
        self._functions: dict[Module, ModuleFunction] = {}
        self._maps: dict[tuple[Module, Module], AffineMap] = {}

    def function(self, module: Module) -> ModuleFunction:
        """The module's output as a function of its arguments.

        Parameters
        ----------
        module : frozenset of (group, index)
            Its neurons.

        Returns
        -------
        ModuleFunction
            The function, found once.
        """
        if module not in self._functions:
            self._functions[module] = ModuleFunction(self.recorded, ModuleOutputs(self.recorded, module))
        return self._functions[module]

    def kind(self, module: Module) -> Kind:
        """Which kind of function a module is.

        Parameters
        ----------
        module : frozenset of (group, index)
            Its neurons.

        Returns
        -------
        Kind
            "curved" for those that are compared, else why not.
        """
        function = self.function(module)
        if not function.arguments:
            return "constant"
        if line(function) >= EQUIVALENT:
            return "linear"
        layers = Counter(group for group, _ in self.recorded.hidden(module))
        if max(layers.values(), default=0) <= 1:
            return "one neuron wide"
        return "curved" if len(function.arguments) <= MOST_ARGUMENTS else "many inputs"

    def copy(self, source: Module, target: Module) -> AffineMap | None:
        """The map from one module's function to another's, if that makes the other an affine copy.

        Parameters
        ----------
        source : frozenset of (group, index)
            The module whose function is mapped.
        target : frozenset of (group, index)
            The module that is to be an affine copy.

        Returns
        -------
        AffineMap or None
            The map, or None.
        """
        f, g = self.function(source), self.function(target)
        if len(f.arguments) != len(g.arguments):
            return None
        if (source, target) not in self._maps:
            rows = self._rows
            found = affine_copy(f, f.points, g.points[rows], g.values[rows], seed=self._seed)
            self._maps[source, target] = found
        found = self._maps[source, target]
        return found if found.r2 >= EQUIVALENT and 1 - found.r2 <= (1 - BEYOND_LINE) * (1 - line(g)) else None

    def member(self, number: int, module: Module, source: Module | None = None) -> EquivalentModule:
        """A module as a member of a family.

        Parameters
        ----------
        number : int
            Number of the module.
        module : frozenset of (group, index)
            Its neurons.
        source : frozenset of (group, index), optional
            The representative, to which it must be equivalent; left out, nothing is compared.

        Returns
        -------
        EquivalentModule
            The module with its map.
        """
        function, layout = self.function(module), self.recorded.network.layout
        names = tuple(layout.group(group).label(i) for group, i in function.arguments)
        about = (number, names, line(function), function.share, function.isolated)
        if source is None:
            return EquivalentModule(*about)
        there, back = self.copy(source, module), self.copy(module, source)
        assert there is not None and back is not None
        return EquivalentModule(*about, there, back.r2)


def line(function: ModuleFunction) -> float:
    """r2 of the best linear function of a module's arguments.

    Parameters
    ----------
    function : ModuleFunction
        The module's function.

    Returns
    -------
    float
        Squared correlation on the function's own points.
    """
    design = np.column_stack([np.ones(len(function.points)), function.points])
    said = design @ np.linalg.lstsq(design, function.values, rcond=None)[0]
    return squared_correlation(said, function.values)
