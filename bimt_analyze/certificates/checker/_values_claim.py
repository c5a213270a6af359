"""Decisions on a finite domain: at every combination of values the network decides what a formula or a table says."""

import ast
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from types import MappingProxyType
from typing import Any

import numpy as np

from ._enclosed_network import Layers
from ._evaluate import Unreadable, parsed
from ._exact_fields import fields, must, names, number, numbers
from ._form import UP, Array, Form

FIELDS = ("output", "formula", "inputs", "values", "threshold", "margin")
SAME, CHUNK, MOST = 1e-9, 2048, 1 << 20  # how far machines may differ; rows at once; rows in all

_ARITHMETIC: Mapping[type, Any] = MappingProxyType(
    {ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b}
    | {ast.Mod: lambda a, b: a % b, ast.Eq: lambda a, b: a == b, ast.NotEq: lambda a, b: a != b}
    | {ast.Lt: lambda a, b: a < b, ast.LtE: lambda a, b: a <= b, ast.Gt: lambda a, b: a > b}
    | {ast.GtE: lambda a, b: a >= b}
)
_LOGIC: Mapping[Any, Any] = MappingProxyType(
    {ast.BitAnd: np.logical_and, ast.BitOr: np.logical_or, ast.BitXor: np.logical_xor}
    | {"And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor}
    | {"Implies": lambda a, b: ~a | b, "Equivalent": lambda a, b: a == b}
)


@dataclass(frozen=True, eq=False)
class ValuesClaim:
    """At every combination of ``values`` the network decides as the formula says, and by ``margin`` at least.

    The decision is whether the output is above ``threshold``; with ``output`` None, which output is the largest.

    Attributes
    ----------
    network : Layers
        The network.
    output : str or None
        One of its outputs, or all of them.
    formula : str
        A formula in the inputs' names that is true or false, or the number of an output; or the digits of a table,
        ``"table 0110"``, one for each combination, the last input's values running fastest.
    inputs : tuple of str
        Names of the inputs.
    values : tuple of arrays
        The values of each input. In logic, a value is true if it is above 0.
    threshold, margin : float
        In the task's units.
    """

    network: Layers
    output: str | None
    formula: str
    inputs: tuple[str, ...]
    values: tuple[Array, ...]
    threshold: float
    margin: float

    @classmethod
    def of(cls, data: Any, network: Any) -> "ValuesClaim":
        """Read it from plain JSON.

        Parameters
        ----------
        data : object
            The certificate's claim.
        network : object
            The certificate's network, for `Layers.of`.
        """
        said = fields(data, FIELDS, "claim")
        inputs = names(said["inputs"], "inputs")
        layers, output, formula = Layers.of(network, len(inputs)), said["output"], said["formula"]
        must(output is None or (isinstance(output, str) and output in layers.outputs), f"unknown output {output!r}")
        must(isinstance(formula, str) and len(formula) < (MOST + 9), "a formula that is no text")
        must(isinstance(said["values"], list) and len(said["values"]) == len(inputs), "values of other inputs")
        values = tuple(numbers(text, None) for text in said["values"])
        must(all((np.diff(some) > 0).all() for some in values), "values that do not ascend")
        must(np.prod([float(len(some)) for some in values]) <= MOST, "too many combinations")
        token = np.arange(layers.tokens)
        must(not layers.tokens or all(np.isin(some, token).all() for some in values), "values that are no tokens")
        threshold, margin = number(said["threshold"]), number(said["margin"])
        must(margin > 0, "a margin that decides nothing")
        return cls(layers, output, formula, inputs, values, threshold, margin)

    def rows(self) -> Iterator[Array]:
        """All combinations, some [rows, inputs] at a time."""
        every = itertools.product(*self.values)
        while some := list(itertools.islice(every, CHUNK)):
            yield np.array(some)

    def margins(self, rows: Array, labels: Array) -> Array:
        """By how much each label wins at least; below 0 where it may lose.

        Parameters
        ----------
        rows : array of shape [rows, inputs]
            Combinations of values.
        labels : array of shape [rows]
            What is said of each: 0 or 1 of one output, or an output's number.
        """
        out = self.network(Form.variables(rows, rows))
        low, high = (np.where(np.isfinite(out.rem), part, np.nan) for part in (out.lo, out.hi))
        if self.output is not None:
            k = self.network.outputs.index(self.output)
            must(np.isin(labels, (0, 1)).all(), "a formula that is neither true nor false")
            won = np.where(labels == 1, low[:, k] - self.threshold, self.threshold - high[:, k])
        else:
            must(np.isin(labels, np.arange(low.shape[1])).all(), "a formula that names no output")
            own = np.arange(len(rows)), labels.astype(np.int64)
            rivals = high.copy()
            rivals[own] = -np.inf
            won = low[own] - rivals.max(axis=1)
        return np.where(np.isnan(won), -np.inf, won - abs(won) * (UP - 1))

    def labels(self) -> Iterator[Array]:
        """What the formula or the table says of each of `rows`, as whole numbers."""
        if not self.formula.startswith("table "):
            tree = parsed(self.formula)
            for rows in self.rows():
                said = _decided(tree, {name: rows[:, column] for column, name in enumerate(self.inputs)})
                yield np.broadcast_to(np.asarray(said, dtype=np.float64), len(rows))
            return
        words = self.formula[6:].split(" ") if " " in self.formula[6:] else list(self.formula[6:])
        must(all(word.isascii() and word.isdigit() and len(word) < 5 for word in words), "a table of no whole numbers")
        must(len(words) == np.prod([len(some) for some in self.values]), "a table of another size")
        for first in range(0, len(words), CHUNK):
            yield np.array(words[first : first + CHUNK], dtype=np.float64)

    def tried(self) -> tuple[float, float, int]:
        """Evaluate every combination: the least margin, the mean margin and the number of combinations."""
        least, total, count = np.inf, 0.0, 0
        with np.errstate(all="ignore"):
            for rows, labels in zip(self.rows(), self.labels(), strict=True):
                won = self.margins(rows, labels)
                lost = zip(self.inputs, rows[won.argmin()], strict=True)
                must(won.min() > 0, f"another decision at {', '.join(f'{name} = {x:g}' for name, x in lost)}")
                least, total, count = min(least, float(won.min())), total + float(won.sum()), count + len(won)
        return least, total / count, count

    def check(self, proof: Any) -> int:
        """Hold the margin against what every combination gives; the number of combinations.

        Parameters
        ----------
        proof : object
            The certificate's proof: how many combinations, and the mean of their margins.
        """
        said = fields(proof, ("points", "mean"), "proof")
        must(type(said["points"]) is int, "points are no whole number")
        least, mean, count = self.tried()
        slack = SAME * (1 + mean)
        must(self.margin <= least <= self.margin + slack, f"a margin that is not the proved one, {least:.6g}")
        must(count == said["points"], f"{count} combinations, not {said['points']}")
        must(abs(mean - number(said["mean"])) <= slack, "another mean of the margins than its points have")
        return count


def _decided(node: ast.expr, values: Mapping[str, Array]) -> Array:
    """A formula of logic and whole numbers; computed in doubles, which are exact below 2**53."""
    match node:
        case ast.Name(id=name) if name in values:
            found = values[name]
        case ast.Name(id="true") | ast.Constant(value=True):
            found = np.array(True)
        case ast.Name(id="false") | ast.Constant(value=False):
            found = np.array(False)
        case ast.Constant(value=int() as v):
            found = np.array(float(v))
        case ast.UnaryOp(op=ast.USub(), operand=a):
            found = -_number(_decided(a, values))
        case ast.UnaryOp(op=ast.Invert() | ast.Not(), operand=a) | ast.Call(func=ast.Name(id="Not"), args=[a]):
            found = ~_truth(_decided(a, values))
        case ast.BinOp(left=a, op=op, right=b) if type(op) in _ARITHMETIC:
            found = _ARITHMETIC[type(op)](_number(_decided(a, values)), _number(_decided(b, values)))
        case ast.Compare(left=a, ops=[op], comparators=[b]) if type(op) in _ARITHMETIC:
            found = _ARITHMETIC[type(op)](_number(_decided(a, values)), _number(_decided(b, values)))
        case ast.BinOp(left=a, op=op, right=b) if type(op) in _LOGIC:
            found = _LOGIC[type(op)](_truth(_decided(a, values)), _truth(_decided(b, values)))
        case ast.Call(func=ast.Name(id=f), args=[_, _, *more] as args, keywords=[]) if f in _LOGIC and (
            not more or f in ("And", "Or", "Xor")  # sympy's Equivalent of three says that all are equal
        ):
            found = reduce(_LOGIC[f], (_truth(_decided(a, values)) for a in args))
        case _:
            raise Unreadable(f"no formula of logic and whole numbers: {ast.unparse(node)[:60]}")
    must(found.dtype == bool or (np.abs(found) < 2**53).all(), "numbers that are not exact in doubles")
    return found


def _truth(x: Array) -> Array:
    return x if x.dtype == bool else x > 0


def _number(x: Array) -> Array:
    return x.astype(np.float64)
