"""Whether a formula's units agree, and which units its numbers must have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import sympy

from bimt_train import InputError
from bimt_train.expressions.expression import parse_expression
from bimt_train.showing import Shown

from ._dimension import NUMBER, Dimension
from ._known import known_units


@dataclass(frozen=True, repr=False)
class UnitCheck(Shown):
    """Whether the units of a formula agree.

    Attributes
    ----------
    consistent : bool
        Whether both sides have one unit, every sum adds like to like, and every function is asked of a plain number.
    numbers : tuple of (str, str)
        Each number of the formula that must have a unit for that, and what it is: ``"in m/s**2"``, or where the inputs
        or the output are not in base units, its value in these, ``"4.905 m/s**2"``.
    reason : str
        Where units do not agree; empty where they do.

    Examples
    --------
    >>> check = check_units("4.9*t**2", {"t": "s", "h": "m"}, output="h")
    >>> check.consistent, check.numbers
    (True, (('4.90000', 'in m/s**2'),))
    """

    consistent: bool
    numbers: tuple[tuple[str, str], ...] = ()
    reason: str = ""

    @property
    def statement(self) -> str:
        """All of this in one sentence."""
        if not self.consistent:
            return f"units do not agree: {self.reason}"
        told = ", ".join(f"{number} is {unit}" for number, unit in self.numbers)
        return f"units agree where {told}" if told else "units agree"

    def _brief(self) -> str:
        return self.statement


class _Disagreement(Exception):
    """Units that do not agree."""


@dataclass(frozen=True)
class _Seen:
    """The unit of an expression; None where a number in it, or an input of unknown unit, may give it any."""

    unit: Dimension | None
    number: bool = False  # whether a number stands before it, which may change its unit


def check_units(expression: sympy.Expr | str, units: Mapping[str, str], *, output: str) -> UnitCheck:
    """Whether the units of a formula agree, where its numbers may have units.

    A number that stands as a factor or alone may have any unit: what it must have is told. The factors 1 and -1 have
    none, so that ``x + t`` with x in metres and t in seconds does not agree, and ``x + 2*t`` does, with 2 in m/s.

    Parameters
    ----------
    expression : sympy expression or str
        The right-hand side; a text is in the language of decompositions, in which ``E`` and ``pi`` are numbers.
    units : mapping of str to str
        The unit of each input and of the output; empty for a plain number. Inputs without an entry may have any.
    output : str
        The output's name.

    Returns
    -------
    UnitCheck
        Whether they agree, and why not.

    Raises
    ------
    InputError
        No unit of the output that is known, or a text with an input that is called ``E`` or ``pi``.

    Examples
    --------
    >>> check_units("m*v**2/2", {"m": "kg", "v": "m/s", "E": "J"}, output="E").statement
    'units agree'
    >>> check_units("x + sin(t)", {"x": "m", "t": "s", "y": "m"}, output="y").statement
    'units do not agree: sin(t) is a plain number, where m is needed'
    """
    if isinstance(expression, str):
        numbers = [name for name in ("E", "pi") if name in units and re.search(rf"\b{name}\b", expression)]
        if numbers:
            raise InputError(
                "an input that is read as a number in a text", where=f"units of {output!r}", got=", ".join(numbers),
                hint="give the expression with sympy symbols, or another name",
            )  # fmt: skip
        expression = parse_expression(expression).sympy()
    whole = sympy.expand_mul(expression)  # 9.81 is then one number, and no quotient of two
    names = sorted(str(symbol) for symbol in whole.free_symbols)
    known = known_units({k: v for k, v in units.items() if k in (*names, output)}, names, output)
    if known is None:
        raise InputError(
            "the output's unit is not known", where=f"units of {output!r}", got=units.get(output, "none"),
            hint="give one, or an empty text for a plain number",
        )  # fmt: skip
    walk = _Walk(known.inputs)
    try:
        walk.require(whole, known.output)
    except _Disagreement as error:
        return UnitCheck(False, (), str(error))
    return UnitCheck(True, tuple(walk.numbers.items()))


class _Walk:
    """A walk down an expression; it remembers the units that numbers must have."""

    def __init__(self, inputs: Mapping[str, Dimension]) -> None:
        self.inputs = inputs
        self.numbers: dict[str, str] = {}

    def require(self, one: sympy.Expr, wanted: Dimension) -> None:
        """Pass if the expression ``one`` can have the ``wanted`` unit."""
        said = self.seen(one)
        if said.unit is not None and not said.unit.agrees(wanted) and not said.number:
            where = "a plain number" if wanted.agrees(NUMBER) else wanted.words
            raise _Disagreement(f"{one} is {_words(said.unit)}, where {where} is needed")
        if one.is_number:
            if not wanted.agrees(NUMBER):
                self.numbers[_written(one)] = _of_number(one, wanted)
        elif one.is_Add:
            for term in one.args:
                self.require(term, wanted)
        elif one.is_Mul:
            self._require_product(one, wanted)
        elif one.is_Pow and one.exp.is_Rational:
            self.require(one.base, wanted ** (1 / _power(one)))
        elif one.is_Symbol:
            return
        elif isinstance(one, (sympy.Abs, sympy.Max, sympy.Min, sympy.floor, sympy.ceiling)):
            for argument in one.args:
                self.require(argument, wanted)
        else:
            self._require_function(one, wanted)

    def _require_function(self, one: sympy.Expr, wanted: Dimension) -> None:
        for argument in one.args:
            seen = self.seen(argument)
            if isinstance(one, (sympy.sign, sympy.Heaviside)) and seen.unit is not None:
                self.require(argument, seen.unit)
            elif seen.unit is not None and not seen.unit.agrees(NUMBER) and not seen.number:
                raise _Disagreement(f"{one.func} of {seen.unit.words} in {one}")
            else:
                self.require(argument, NUMBER)

    def _require_product(self, one: sympy.Expr, wanted: Dimension) -> None:
        factors = [factor for factor in one.args if not factor.is_number]
        number = sympy.Mul(*(factor for factor in one.args if factor.is_number))
        seen = [self.seen(factor) for factor in factors]
        free = [at for at, unit in enumerate(seen) if unit.unit is None or unit.number]
        fixed = [at for at in range(len(factors)) if at not in free]
        left = wanted
        for at in fixed:
            unit = seen[at].unit or NUMBER
            self.require(factors[at], unit)
            left = left / unit
        for at in free[1:] if number in (1, -1) else free:
            unit = seen[at].unit or NUMBER
            self.require(factors[at], unit)
            left = left / unit
        if number in (1, -1):
            if free:  # else both sides are told already
                self.require(factors[free[0]], left)
        else:
            self.require(number, left)

    def seen(self, one: sympy.Expr) -> _Seen:
        """The unit of the expression ``one`` as far as its inputs tell it."""
        if one.is_number:
            return _Seen(None)
        if one.is_Symbol:
            return _Seen(self.inputs.get(str(one)))
        if one.is_Add or isinstance(one, (sympy.Max, sympy.Min)):
            terms = [self.seen(term) for term in one.args]
            told = [term for term in terms if term.unit is not None]
            sure = [term for term in told if not term.number]
            return sure[0] if sure else told[0] if told else _Seen(None)
        if one.is_Mul:
            parts = [self.seen(factor) for factor in one.args if not factor.is_number]
            number = sympy.Mul(*(factor for factor in one.args if factor.is_number)) not in (1, -1)
            told_units = [part.unit for part in parts if part.unit is not None]
            if len(told_units) < len(parts):
                return _Seen(None)
            return _Seen(prod(told_units, start=NUMBER), number or any(part.number for part in parts))
        if one.is_Pow and one.exp.is_Rational:
            base = self.seen(one.base)
            return base if base.unit is None else _Seen(base.unit ** _power(one), base.number)
        if isinstance(one, (sympy.Abs, sympy.floor, sympy.ceiling)):
            return self.seen(one.args[0])
        return _Seen(NUMBER)


def _power(one: sympy.Pow) -> Fraction:
    return Fraction(int(one.exp.p), int(one.exp.q))


def _words(unit: Dimension) -> str:
    return "a plain number" if unit.agrees(NUMBER) else f"in {unit.words}"


def _of_number(number: sympy.Expr, unit: Dimension) -> str:
    """What a number in a unit is: the unit's name, or where that is of another size, the number in base units."""
    if unit.agrees(Dimension(unit.exponents)):
        return f"in {unit}"
    value = f"{abs(float(number)) * unit.size:.6g}"
    return value if unit.exponents == NUMBER.exponents else f"{value} {unit}"


def _written(number: sympy.Expr) -> str:
    size = abs(number)
    return str(size) if size.is_Integer else str(size.evalf(6))
