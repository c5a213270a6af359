"""The tree of a formula: eight kinds of node; each can be evaluated, written down and made symbolic."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

# One flat table: word -> (what numpy computes, the name in sympy). Several words may share a meaning.
FUNCTIONS: Mapping[str, tuple[Callable[[Any], Any], str]] = MappingProxyType(
    {
        "sin": (np.sin, "sin"),
        "cos": (np.cos, "cos"),
        "tan": (np.tan, "tan"),
        "asin": (np.arcsin, "asin"),
        "acos": (np.arccos, "acos"),
        "atan": (np.arctan, "atan"),
        "arcsin": (np.arcsin, "asin"),
        "arccos": (np.arccos, "acos"),
        "arctan": (np.arctan, "atan"),
        "sinh": (np.sinh, "sinh"),
        "cosh": (np.cosh, "cosh"),
        "tanh": (np.tanh, "tanh"),
        "exp": (np.exp, "exp"),
        "log": (np.log, "log"),
        "ln": (np.log, "log"),
        "sqrt": (np.sqrt, "sqrt"),
        "abs": (np.abs, "Abs"),
        "Abs": (np.abs, "Abs"),
        "sign": (np.sign, "sign"),
    }
)
CONSTANTS: Mapping[str, float] = MappingProxyType({"pi": float(np.pi), "E": float(np.e)})

_SUM, _PRODUCT, _NEGATIVE, _POWER, _ATOM = range(1, 6)


class Node(ABC):
    """One node of a formula. ``level`` says how tightly it binds when written: sum, product, minus, power, atom."""

    level: ClassVar[int] = _ATOM

    @property
    def children(self) -> tuple["Node", ...]:
        """The nodes it is made of, from left to right."""
        return ()

    @abstractmethod
    def value(self, values: Mapping[str, Any]) -> Any:
        """Compute the node in float64 by numpy, from the ``values`` of its variables.

        Call it under ``np.errstate(all="ignore")``.
        """

    @abstractmethod
    def symbolic(self) -> Any:
        """Write the node as an exact sympy expression."""

    @abstractmethod
    def written(self) -> str:
        """Write the node as Python text with the fewest brackets that parse back to an equal tree."""

    def replaced(self, by: Mapping[str, "Node"]) -> "Node":
        """Replace the variables named in ``by`` with trees."""
        return self

    def within(self, loosest: int) -> str:
        """Write the node, in brackets if it binds more loosely than ``loosest``."""
        return self.written() if self.level >= loosest else f"({self.written()})"


@dataclass(frozen=True)
class Number(Node):
    """A literal, kept exactly as it was written: 0.5 is one half."""

    exact: Fraction
    source: str

    def value(self, values: Mapping[str, Any]) -> Any:
        """Return the nearest float64; no ``values`` are needed."""
        return np.float64(float(self.exact))

    def symbolic(self) -> Any:
        """Return an Integer or a Rational of sympy."""
        import sympy

        return sympy.Rational(self.exact.numerator, self.exact.denominator)

    def written(self) -> str:
        """Return the literal."""
        return self.source


@dataclass(frozen=True)
class Constant(Node):
    """The constant ``pi`` or ``E``."""

    name: str

    def value(self, values: Mapping[str, Any]) -> Any:
        """Return the nearest float64; no ``values`` are needed."""
        return np.float64(CONSTANTS[self.name])

    def symbolic(self) -> Any:
        """Return sympy's own constant."""
        import sympy

        return getattr(sympy, self.name)

    def written(self) -> str:
        """Return the constant's name."""
        return self.name


@dataclass(frozen=True)
class Variable(Node):
    """A free name."""

    name: str

    def value(self, values: Mapping[str, Any]) -> Any:
        """Return what ``values`` gives for this name."""
        return values[self.name]

    def symbolic(self) -> Any:
        """Return a real Symbol of sympy."""
        import sympy

        return sympy.Symbol(self.name, real=True)

    def written(self) -> str:
        """Return the variable's name."""
        return self.name

    def replaced(self, by: Mapping[str, Node]) -> Node:
        """Return the tree that ``by`` gives for this name, or the variable itself."""
        return by.get(self.name, self)


@dataclass(frozen=True)
class Sum(Node):
    """A chain ``+- a +- b ...`` from left to right in one node. ``signs`` are +1 or -1, first +1."""

    terms: tuple[Node, ...]
    signs: tuple[int, ...]
    level: ClassVar[int] = _SUM

    @property
    def children(self) -> tuple[Node, ...]:
        """The terms."""
        return self.terms

    def value(self, values: Mapping[str, Any]) -> Any:
        """Add the terms from left to right, at these ``values`` of the variables."""
        total = self.terms[0].value(values)
        for term, sign in zip(self.terms[1:], self.signs[1:], strict=True):
            total = total + term.value(values) if sign > 0 else total - term.value(values)
        return total

    def symbolic(self) -> Any:
        """Return an Add of sympy."""
        import sympy

        return sympy.Add(*(sign * t.symbolic() for t, sign in zip(self.terms, self.signs, strict=True)))

    def written(self) -> str:
        """Write ``a + b - c``."""
        text = self.terms[0].within(_PRODUCT)
        for term, sign in zip(self.terms[1:], self.signs[1:], strict=True):
            text += (" + " if sign > 0 else " - ") + _second(term, _PRODUCT)
        return text

    def replaced(self, by: Mapping[str, Node]) -> Node:
        """Replace the variables named in ``by`` in every term."""
        return Sum(tuple(t.replaced(by) for t in self.terms), self.signs)


@dataclass(frozen=True)
class Product(Node):
    """A chain ``a * b / c ...`` from left to right; ``signs`` is +1 for a factor, -1 for a divisor, first +1."""

    factors: tuple[Node, ...]
    signs: tuple[int, ...]
    level: ClassVar[int] = _PRODUCT

    @property
    def children(self) -> tuple[Node, ...]:
        """Factors and divisors."""
        return self.factors

    def value(self, values: Mapping[str, Any]) -> Any:
        """Multiply and divide from left to right, at these ``values`` of the variables."""
        total = self.factors[0].value(values)
        for factor, sign in zip(self.factors[1:], self.signs[1:], strict=True):
            total = total * factor.value(values) if sign > 0 else total / factor.value(values)
        return total

    def symbolic(self) -> Any:
        """Return a Mul of sympy."""
        import sympy

        return sympy.Mul(*(f.symbolic() ** sign for f, sign in zip(self.factors, self.signs, strict=True)))

    def written(self) -> str:
        """Write ``a*b/c``."""
        text = self.factors[0].within(_NEGATIVE)
        for factor, sign in zip(self.factors[1:], self.signs[1:], strict=True):
            text += ("*" if sign > 0 else "/") + _second(factor, _NEGATIVE)
        return text

    def replaced(self, by: Mapping[str, Node]) -> Node:
        """Replace the variables named in ``by`` in every factor."""
        return Product(tuple(f.replaced(by) for f in self.factors), self.signs)


@dataclass(frozen=True)
class Negative(Node):
    """The negative ``-a``."""

    child: Node
    level: ClassVar[int] = _NEGATIVE

    @property
    def children(self) -> tuple[Node, ...]:
        """The node below."""
        return (self.child,)

    def value(self, values: Mapping[str, Any]) -> Any:
        """Return minus the child's value, at these ``values`` of the variables."""
        return -self.child.value(values)

    def symbolic(self) -> Any:
        """Return minus the child's expression."""
        return -self.child.symbolic()

    def written(self) -> str:
        """Write ``-a``."""
        return "-" + self.child.within(_POWER)

    def replaced(self, by: Mapping[str, Node]) -> Node:
        """Replace the variables named in ``by`` in the child."""
        return Negative(self.child.replaced(by))


@dataclass(frozen=True)
class Power(Node):
    """The power ``base ** exponent``; nan where the base is negative and the exponent no integer."""

    base: Node
    exponent: Node
    level: ClassVar[int] = _POWER

    @property
    def children(self) -> tuple[Node, ...]:
        """Base and exponent."""
        return (self.base, self.exponent)

    def value(self, values: Mapping[str, Any]) -> Any:
        """Raise the base to the exponent, at these ``values`` of the variables."""
        return self.base.value(values) ** self.exponent.value(values)

    def symbolic(self) -> Any:
        """Return a Pow of sympy."""
        return self.base.symbolic() ** self.exponent.symbolic()

    def written(self) -> str:
        """Write ``a**b``."""
        return f"{self.base.within(_ATOM)}**{self.exponent.within(_NEGATIVE)}"

    def replaced(self, by: Mapping[str, Node]) -> Node:
        """Replace the variables named in ``by`` in base and exponent."""
        return Power(self.base.replaced(by), self.exponent.replaced(by))


@dataclass(frozen=True)
class Call(Node):
    """One of FUNCTIONS at one argument."""

    function: str
    argument: Node

    @property
    def children(self) -> tuple[Node, ...]:
        """The argument."""
        return (self.argument,)

    def value(self, values: Mapping[str, Any]) -> Any:
        """Apply the function to the argument, at these ``values`` of the variables."""
        return FUNCTIONS[self.function][0](self.argument.value(values))

    def symbolic(self) -> Any:
        """Return sympy's function at the argument."""
        import sympy

        return getattr(sympy, FUNCTIONS[self.function][1])(self.argument.symbolic())

    def written(self) -> str:
        """Write ``f(a)``."""
        return f"{self.function}({self.argument.written()})"

    def replaced(self, by: Mapping[str, Node]) -> Node:
        """Replace the variables named in ``by`` in the argument."""
        return Call(self.function, self.argument.replaced(by))


def variables_of(node: Node) -> frozenset[str]:
    """Collect the free names below ``node``."""
    if isinstance(node, Variable):
        return frozenset((node.name,))
    return frozenset().union(*(variables_of(child) for child in node.children))


def _second(node: Node, loosest: int) -> str:
    """A term or factor that is not the first: ``a - -b`` and ``a*-b`` get brackets, for the reader's sake."""
    return f"({node.written()})" if isinstance(node, Negative) else node.within(loosest)
