"""Check decisions: ``python standalone_decisions.py FILE``. It needs this file, numpy and Python's own library alone.

At every combination of the inputs' values the network is computed in doubles, with a bound of its error carried from
layer to layer (Higham, "Accuracy and stability", 3.1; an activation stretches an error by its steepest slope at most),
and the formula in whole numbers and fractions, which do not round. The certificate's own proof is not used.
Assumed: IEEE doubles; that numpy's functions and Python's erf are right to 16 units in the last place.
"""

import ast
import hashlib
import itertools
import json
import operator
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial, reduce
from math import erf, pi, prod
from typing import Any

import numpy as np

UNIT, ROUND, UP = 2.0**-51, 2.0**-46, 1 + 2.0**-40  # of a sum or product, of an activation, of errors themselves
MOST, CHUNK = 1 << 20, 2048  # combinations in all, and at once


class Refused(ValueError):
    """The file does not prove what it says."""


def _must(condition: Any, otherwise: str) -> None:
    if not condition:
        raise Refused(otherwise)


def _numbers(text: str) -> Any:
    found = [float.fromhex(word) for word in text.split()]
    exact = " ".join(map(float.hex, found)) == text and np.isfinite(found).all() and found
    _must(exact, f"no finite numbers as float.hex writes them: {text[:60]}")
    return np.array(found)


ACTIVATIONS: dict[str, tuple[Callable[[Any], Any], float]] = {  # with no less than their steepest slope
    "identity": (lambda x: x, 1), "relu": (lambda x: np.maximum(x, 0), 1), "tanh": (np.tanh, 1),
    "relu6": (lambda x: np.clip(x, 0, 6), 1), "leaky_relu": (lambda x: np.where(x > 0, x, 0.01 * x), 1),
    "sigmoid": (lambda x: (1 + np.tanh(x / 2)) / 2, 0.25), "silu": (lambda x: x * (1 + np.tanh(x / 2)) / 2, 1.1),
    "gelu": (lambda x: x * (1 + np.vectorize(erf, otypes=[float])(x / 2**0.5)) / 2, 1.13),
    "gelu_tanh": (lambda x: x * (1 + np.tanh((2 / pi) ** 0.5 * (x + 0.044715 * x**3))) / 2, 1.13),
    "elu": (lambda x: np.maximum(x, 0) + np.expm1(np.minimum(x, 0)), 1), "softsign": (lambda x: x / (1 + abs(x)), 1),
    "celu": (lambda x: np.maximum(x, 0) + np.expm1(np.minimum(x, 0)), 1), "softplus": (partial(np.logaddexp, 0), 1),
    "selu": (lambda x: 1.0507009873554805 * (np.maximum(x, 0) + 1.6732632423543772 * np.expm1(np.minimum(x, 0))), 1.76),
    "mish": (lambda x: x * np.tanh(np.logaddexp(0, x)), 1.1), "logsigmoid": (lambda x: -np.logaddexp(0, -x), 1),
    "hardtanh": (lambda x: np.clip(x, -1, 1), 1), "hardsigmoid": (lambda x: np.clip(x / 6 + 0.5, 0, 1), 1 / 6),
    "hardswish": (lambda x: x * np.clip(x / 6 + 0.5, 0, 1), 1.5), "tanhshrink": (lambda x: x - np.tanh(x), 1),
}  # fmt: skip

ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add, "Sub": operator.sub, "Mult": operator.mul, "Mod": operator.mod, "Eq": operator.eq,
    "NotEq": operator.ne, "Lt": operator.lt, "LtE": operator.le, "Gt": operator.gt, "GtE": operator.ge,
}  # fmt: skip
LOGIC: dict[str, Callable[[Any, Any], Any]] = {
    "And": operator.and_, "Or": operator.or_, "Xor": operator.xor, "BitAnd": operator.and_, "BitOr": operator.or_,
    "BitXor": operator.xor, "Implies": lambda a, b: not a or b, "Equivalent": operator.eq,
}  # fmt: skip

SEVERAL = ("And", "Or", "Xor")  # that sympy reads of more than two as one would


def _outputs(network: Any, rows: Any) -> tuple[Any, Any]:
    """All outputs at some combinations, and how far each may be off."""
    of, tokens = {key: _numbers(network[key]) for key in network if "put_" in key}, network["tokens"]
    if tokens:
        value = np.eye(tokens)[rows.astype(int)].reshape(len(rows), -1)
        error = np.zeros_like(value)
    else:
        value = (rows - of["input_shift"]) / of["input_scale"]
        error = UNIT * abs(value)
    for layer in network["layers"]:
        weights = np.stack([_numbers(row) for row in layer["weights"]]).T
        bias, (activation, slope) = _numbers(layer["bias"]), ACTIVATIONS[layer["activation"]]
        _must(weights.shape == (value.shape[1], len(bias)), "layers that do not fit")
        reach = abs(value) @ abs(weights) + abs(bias)
        error = (error @ abs(weights) + (len(weights) + 4) * UNIT * reach) * UP
        value = value @ weights + bias
        error = (slope * error + ROUND * (1 + abs(value))) * UP
        value = activation(value)
    scaled = value * of["output_scale"]
    error = (error * of["output_scale"] + UNIT * (abs(scaled) + abs(of["output_shift"]))) * UP
    _must(value.shape[1] == len(set(network["outputs"])) == len(network["outputs"]), "layers that do not fit")
    return scaled + of["output_shift"], error


def _said(node: Any, values: dict[str, Fraction]) -> bool | Fraction:
    """A formula of logic and whole numbers at one combination."""
    match node:
        case ast.Name(id="true" | "false" as name):
            return name == "true"
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.Constant(value=bool() | int() as v):
            return v if isinstance(v, bool) else Fraction(v)
        case ast.UnaryOp(op=ast.USub(), operand=a):
            return -Fraction(_said(a, values))
        case ast.UnaryOp(op=ast.Invert() | ast.Not(), operand=a) | ast.Call(func=ast.Name(id="Not"), args=[a]):
            return not _said(a, values) > 0
        case ast.BinOp(left=a, op=op, right=b) | ast.Compare(left=a, ops=[op], comparators=[b]):
            name, parts = type(op).__name__, [a, b]
        case ast.Call(func=ast.Name(id=name), args=[_, _, *more] as parts, keywords=[]) if not more or name in SEVERAL:
            pass
        case _:
            raise Refused(f"no formula of logic and whole numbers: {ast.unparse(node)[:60]}")
    given = [_said(part, values) for part in parts]
    if name in ARITHMETIC:
        found = ARITHMETIC[name](*map(Fraction, given))
        return found if isinstance(found, bool) else Fraction(found)
    _must(name in LOGIC, f"an unknown function: {name}")
    return bool(reduce(LOGIC[name], (one > 0 for one in given)))


def _labels(claim: Any, rows: list[tuple[float, ...]], first: int) -> Any:
    """What the formula or the table says of some combinations."""
    formula = claim["formula"]
    if formula.startswith("table "):
        words = formula[6:].split(" ") if " " in formula[6:] else list(formula[6:])
        _must(all(word.isascii() and word.isdigit() for word in words), "a table of no whole numbers")
        _must(len(words) == prod(len(text.split()) for text in claim["values"]), "a table of another size")
        found = [Fraction(int(word)) for word in words[first : first + len(rows)]]
    else:
        _must("#" not in formula and formula.isprintable(), "a formula with a remark")
        tree = ast.parse(formula, mode="eval").body
        exact = ({name: Fraction(x) for name, x in zip(claim["inputs"], row, strict=True)} for row in rows)
        found = [Fraction(_said(tree, values)) for values in exact]
    _must(all(label.denominator == 1 for label in found), "a formula that gives no whole numbers")
    return np.array([int(label) for label in found])


def _margins(claim: Any, network: Any, rows: list[tuple[float, ...]], first: int) -> Any:
    """By how much each decision is safe at least; not above 0 where the network may decide otherwise."""
    (value, error), labels = _outputs(network, np.array(rows)), _labels(claim, rows, first)
    low, high, each = value - error, value + error, np.arange(len(rows))
    if claim["output"] is None:
        _must(((labels >= 0) & (labels < low.shape[1])).all(), "a formula that names no output")
        own, high[each, labels] = low[each, labels], -np.inf
        won = own - high.max(axis=1)
    else:
        _must(((labels == 0) | (labels == 1)).all(), "a formula that is neither true nor false")
        k, (threshold,) = network["outputs"].index(claim["output"]), _numbers(claim["threshold"])
        won = np.where(labels == 1, low[:, k] - threshold, threshold - high[:, k])
    return np.nan_to_num(won - UNIT * abs(won), nan=-np.inf, posinf=-np.inf)


def _chunks(values: list[Any]) -> Iterator[tuple[int, list[tuple[float, ...]]]]:
    every = itertools.product(*values)
    for first in itertools.count(0, CHUNK):
        if not (rows := list(itertools.islice(every, CHUNK))):
            return
        yield first, rows


def _decisions(claim: Any, network: Any) -> str:
    values, (margin,) = [_numbers(text) for text in claim["values"]], _numbers(claim["margin"])
    count, least = prod(map(len, values)), np.inf
    _must(len(values) == len(set(claim["inputs"])) and count <= MOST, "other inputs, or too many combinations")
    _must(all((np.diff(some) > 0).all() for some in values), "values that do not ascend")
    if network["tokens"]:
        _must(all(np.isin(some, np.arange(network["tokens"])).all() for some in values), "values that are no tokens")
    for first, rows in _chunks(values):
        won = _margins(claim, network, rows, first)
        _must(won.min() > 0, f"another decision at {rows[won.argmin()]}")
        least = min(least, float(won.min()))
    _must(0 < margin <= least * (1 + 1e-6), f"only a margin of {least}")
    return f"the network decides as ({claim['formula'][:80]}) at all {count} points, by a margin of {least!r} or more"


def check(data: bytes) -> str:
    """What the ``data`` of a certificate prove, in a line; `Refused` if nothing, another ValueError if it is none."""
    said = json.loads(data)
    if not isinstance(said, dict) or said.get("format") != "bimt certificate 1":
        raise ValueError("no certificate of the format 'bimt certificate 1'")
    try:
        parts = said, {key: said[key] for key in said if key != "digest"}, said["network"]
        texts = [json.dumps(part, indent=1, sort_keys=True, allow_nan=False).encode() + b"\n" for part in parts]
        digests = [hashlib.sha256(text).hexdigest() for text in texts[1:]]
        _must(texts[0] == data and digests == [said["digest"], said["network_digest"]], "changed since it was written")
        _must("values" in said["claim"], "no decisions: bounds on a box are not read here")
        with np.errstate(all="ignore"):
            return _decisions(said["claim"], said["network"])
    except Exception as error:
        raise error if isinstance(error, Refused) else Refused(f"a malformed field: {error!r}"[:200]) from None


if __name__ == "__main__":
    try:
        with open(sys.argv[1], "rb") as file:
            sys.stdout.write(f"proved: {check(file.read())}\n")
    except (ValueError, OSError, IndexError) as error:
        sys.stderr.write(f"{'not proved' if isinstance(error, Refused) else 'error'}: {error}\n")
        sys.exit(1 if isinstance(error, Refused) else 2)
