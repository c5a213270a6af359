"""What a module puts out as a formula, and what the formulas of all modules come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy

from bimt_train.showing import Shown, to_cell

from ..formulas.export._cells import in_dollars, set_formulas
from ..formulas.symbolic._rounded import written
from ..formulas.verdicts._network_verdict import NetworkVerdict

DIGITS = 4  # of a decimal, in a line of text


@dataclass(frozen=True, repr=False)
class SentQuantity(Shown):
    """One quantity that a module sends to other modules, or one output that it computes, as a formula.

    A quantity that is sent has no unit of its own: neurons carry it by some one-to-one map, which the readers undo.

    Attributes
    ----------
    name : str
        ``"s1"``, ``"s2"``, ... for what is sent, the output's name for an output.
    module : int
        Number of the module that computes it, from 0.
    readers : tuple of int
        Numbers of the modules that read it; empty for an output.
    arguments : tuple of str
        What its formula is written in: inputs, and quantities that other modules send.
    expression : sympy.Basic
        The formula in its arguments.
    in_inputs : sympy.Basic
        The formula in inputs alone, all that other modules send put in.
    network : NetworkVerdict
        How far the module follows the formula, on fresh points within the ranges: the quantity as it is read off the
        neurons, against the formula of the arguments as they are read off theirs.
    affine : bool
        Whether the neurons carry it up to scale and offset; False for another one-to-one map.
    told : float
        r2 to which the quantities of the signal determine what readers see of it; 1 for an output.
    origin : str
        ``"law"`` where the formula is a part of an output's formula; ``"through"`` where such a part is written in
        inputs that the module reads through other modules, since what these send carries no such part; ``"fit"``
        where it was searched on the network; ``"table"`` where it is the minimal form of a truth table.
    rivals : tuple of sympy.Basic
        Other parts of the outputs' formulas that the signal carries as well.

    Examples
    --------
    >>> x1 = sympy.Symbol("x1", real=True)
    >>> seen = NetworkVerdict("close", r2=0.9995, worst=0.07, points=10000)
    >>> sent = SentQuantity("s1", 0, (1, 2), ("x1",), x1**2, x1**2, seen)
    >>> sent.words()
    'module 1 sends s1 = x1**2 to modules 2 and 3: the network follows it to r2 0.9995'
    """

    name: str
    module: int
    readers: tuple[int, ...]
    arguments: tuple[str, ...]
    expression: sympy.Basic
    in_inputs: sympy.Basic
    network: NetworkVerdict
    affine: bool = True
    told: float = 1.0
    origin: str = "law"
    rivals: tuple[sympy.Basic, ...] = ()

    def _brief(self) -> str:
        return self.words()

    def _repr_latex_(self) -> str | None:
        return in_dollars(self.expression, output=self.name)

    def words(self) -> str:
        """The quantity, its module, its readers and the verdict, in one line."""
        does = "puts out" if not self.readers else "sends"
        said = f"module {self.module + 1} {does} {self.name} = {written(self.expression, DIGITS)}"
        if self.readers:
            numbers = [str(reader + 1) for reader in self.readers]
            listed = " and ".join((", ".join(numbers[:-1]), numbers[-1])) if len(numbers) > 1 else numbers[0]
            said += f" to module{'s' * (len(numbers) > 1)} {listed}"
        if self.rivals:
            said += f" (or {', or '.join(written(rival, DIGITS) for rival in self.rivals)})"
        if self.origin == "table" and self.network.r2 == 1:
            return f"{said}: so on all {self.network.points} combinations of the inputs"
        return f"{said}: {self.network.words()}"


@dataclass(frozen=True, repr=False)
class Composition(Shown):
    """The formulas of the modules put together, for one output.

    Attributes
    ----------
    expression : sympy.Basic
        The output in inputs alone.
    equal : bool or None
        Whether that is the output's own formula as a form, of truth values the network's decision on every row; None
        where the output has no formula.
    r2 : float
        Against the network's output on fresh points.

    Examples
    --------
    >>> x1 = sympy.Symbol("x1", real=True)
    >>> Composition(x1**2, equal=True, r2=0.9995).equal
    True
    """

    expression: sympy.Basic
    equal: bool | None
    r2: float

    def _repr_latex_(self) -> str | None:
        return in_dollars(self.expression)


@dataclass(frozen=True, repr=False)
class ModuleFormulas(Shown):
    """Every module of a network, written down.

    Attributes
    ----------
    quantities : tuple of SentQuantity
        What modules send, in the order in which the network computes it, then the outputs.
    compositions : mapping of str to Composition
        Output -> the formulas of the modules put together.
    undecided : str
        Why modules could not be written down; empty where they were.

    Examples
    --------
    >>> ModuleFormulas((), {}, undecided="a layer that is not read once a row").of_module(0)
    ()
    """

    quantities: tuple[SentQuantity, ...]
    compositions: Mapping[str, Composition] = field(default_factory=dict)
    undecided: str = ""

    def _brief(self) -> str:
        said = f"{len(self.sent)} quantities sent, {len(self.quantities) - len(self.sent)} outputs"
        return f"undecided: {self.undecided}" if self.undecided else said

    def _repr_html_(self) -> str:
        formulas = set_formulas({one.name: one.expression for one in self.quantities})
        rows = [(one.module + 1, formulas[one.name], one.network.words()) for one in self.quantities]
        return to_cell(f"Formulas of the modules: {self._brief()}", columns=("module", "formula", "network"), rows=rows)

    @property
    def sent(self) -> tuple[SentQuantity, ...]:
        """The quantities that go from module to module."""
        return tuple(one for one in self.quantities if one.readers)

    def of_module(self, module: int) -> tuple[SentQuantity, ...]:
        """What one module sends and puts out.

        Parameters
        ----------
        module : int
            Its number, from 0.

        Returns
        -------
        tuple of SentQuantity
            In the order of ``quantities``.
        """
        return tuple(one for one in self.quantities if one.module == module)

    def lines(self) -> tuple[str, ...]:
        """What modules send, what they put out where no other line tells it, and what it comes to.

        Returns
        -------
        tuple of str
            One line a quantity, twelve at most, and one for the whole; empty where modules only compute outputs that
            have formulas of their own.
        """
        new = [one for one in self.quantities if one.readers or one.origin == "table"]
        lines = [one.words() for one in new[:_SHOWN]]
        if len(new) > _SHOWN:
            lines.append(f"and {len(new) - _SHOWN} more quantities")
        known = {name: one.equal for name, one in self.compositions.items() if one.equal is not None}
        if self.sent and known:
            differ = [name for name, equal in known.items() if not equal]
            which = f"; not for {', '.join(differ)}" if differ else ""
            count = f"{sum(known.values())} of {len(known)} outputs"
            logical = any(one.origin == "table" for one in self.quantities)
            what = "decide as the network does for" if logical else "give the formula of"
            lines.append(f"put together, the modules' formulas {what} {count}{which}")
        return tuple(lines)


_SHOWN = 12  # quantities in a summary
