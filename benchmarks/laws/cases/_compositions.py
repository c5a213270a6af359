"""Random formulas of the usual functions, one to four levels deep, the same for the same seed."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import permutations
from types import MappingProxyType

import numpy as np
import sympy
from numpy.typing import NDArray

from benchmarks.laws.cases._equations import Target
from benchmarks.laws.judging._refit import evaluator

Array = NDArray[np.float64]

LOW, HIGH = 0.5, 3.0
COUNTS: Mapping[int, int] = MappingProxyType({1: 10, 2: 30, 3: 30, 4: 30})  # formulas of each depth
NUMBERS = ("2", "3", "4", "5", "1/2", "3/10", "7/10", "3/2", "5/2")
FUNCTIONS = (sympy.sqrt, sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tanh)
MOST_VARIABLES = 4

_BINARY, _FUNCTION = 0.6, 0.3  # how often; the rest are powers
_NUMBER = 0.2  # share of leaves that are numbers
_ROWS = 2000
_LINEAR = 0.98  # r2 of a straight line
_LARGEST, _LEAST = 1e3, 1e-2  # of the values and of their deviation
_TAILS = 60.0  # widest range of 98 % of the values over that of the middle half
_FELT = 0.02  # of y's deviation: what each variable and each term must matter
_POLE, _ROOT, _STEEP, _SATURATED, _TURNS = 0.05, 0.02, 6.0, 2.0, 15.0


@cache
def compositions(seed: int = 2305, first: int = 1) -> tuple[Target, ...]:
    """A hundred formulas, those of depth 1 first; each of them differs, is finite, bends and feels all its variables.

    Those of less depth than ``first`` are left out: there are few of them, and drawing others takes long.

    Inputs are x1, x2, ..., each from 0.5 to 3; as many formulas have one as have two, three or four, as far as their
    depth lets them.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, Target] = {}
    for depth, count in COUNTS.items():
        for number in range(1, count + 1) if depth >= first else ():
            width = int(rng.integers(1, min(MOST_VARIABLES, depth + 1) + 1))
            names = tuple(f"x{i + 1}" for i in range(width))
            drawn = _draw(rng, depth, names)
            while drawn is None or _spelling(drawn) in found or not _fair(drawn):
                drawn = _draw(rng, depth, names)
            target = Target(f"d{depth}-{number:02d}", "y", names, ((LOW, HIGH),) * width, str(drawn), depth)
            found[_spelling(drawn)] = target
    return tuple(found.values())


def _spelling(drawn: sympy.Expr) -> str:
    """The same text for formulas that differ in the order of their variables only."""
    used = sorted(drawn.free_symbols, key=str)
    return min(str(drawn.xreplace(dict(zip(used, order, strict=True)))) for order in permutations(used))


def _draw(rng: np.random.Generator, depth: int, names: Sequence[str]) -> sympy.Expr | None:
    """A formula of this depth in all of these names; None where it falls together or grows too long."""
    drawn, operations = _tree(rng, depth, [sympy.Symbol(name, real=True) for name in names])
    whole = len(drawn.free_symbols) == len(names) and drawn.count_ops() >= operations
    return drawn if whole and operations <= 2 * depth + 1 and not drawn.has(sympy.Abs) else None


def _tree(rng: np.random.Generator, depth: int, variables: Sequence[sympy.Symbol]) -> tuple[sympy.Expr, int]:
    """An expression of exactly this depth as it is written, and how many operations it has.

    It is no number (sympy.nan) where an operation has numbers alone to work on.
    """
    if depth == 0:
        if rng.random() < _NUMBER:
            return sympy.Rational(NUMBERS[rng.integers(len(NUMBERS))]), 0
        return variables[rng.integers(len(variables))], 0
    joined, operations = _tree(rng, depth - 1, variables)
    kind = rng.random()
    if kind < _BINARY:
        other, more = _tree(rng, int(rng.integers(depth)), variables)
        left, right = (joined, other) if rng.random() < 0.5 else (other, joined)
        sign = rng.integers(4)
        joined = (left + right, left - right, left * right, left / right)[sign] if right != 0 else sympy.nan
        operations += more
    elif kind < _BINARY + _FUNCTION:
        joined = FUNCTIONS[rng.integers(len(FUNCTIONS))](joined)
    else:
        joined = joined ** int(rng.integers(2, 4))
    return (joined if joined.free_symbols else sympy.nan), operations + 1


def _fair(drawn: sympy.Expr) -> bool:
    """Whether rows in the range can tell this formula."""
    if drawn.has(sympy.nan, sympy.zoo, sympy.oo, sympy.I):
        return False
    names = sorted(map(str, drawn.free_symbols))
    rng = np.random.default_rng(0)
    x = rng.uniform(LOW, HIGH, (_ROWS, len(names)))
    y = evaluator(drawn, names)(x)
    if not np.isfinite(y).all() or np.max(np.abs(y)) > _LARGEST or np.std(y) < _LEAST:
        return False
    outer, inner = np.ptp(np.quantile(y, (0.01, 0.99))), np.ptp(np.quantile(y, (0.25, 0.75)))
    if outer > _TAILS * inner or np.max(np.abs(y)) > _TAILS * np.std(y):
        return False
    flat = np.column_stack([x, np.ones(len(x))])
    rest = y - flat @ np.linalg.lstsq(flat, y, rcond=None)[0]
    if np.var(rest) < (1 - _LINEAR) * np.var(y):
        return False
    for column in range(len(names)):
        shuffled = x.copy()
        shuffled[:, column] = rng.permutation(x[:, column])
        if np.std(evaluator(drawn, names)(shuffled) - y) < _FELT * np.std(y):
            return False
    return all(_tame(part, names, x) for part in sympy.preorder_traversal(drawn))


def _tame(part: sympy.Expr, names: Sequence[str], x: Array) -> bool:
    """Whether one part stays away from poles, edges and saturation, and shows all its terms."""

    def values(expression: sympy.Expr) -> Array:
        return evaluator(expression, names)(x)

    if not part.free_symbols:
        return True
    if part.is_Add:
        spread = np.std(values(part))
        return all(np.std(values(term)) >= _FELT * spread for term in part.args if term.free_symbols)
    if part.is_Pow:
        base = values(part.base)
        one_sign = np.min(base) > 0 or np.max(base) < 0
        away = bool(one_sign and np.min(np.abs(base)) > _POLE)
        return (away or not part.exp.could_extract_minus_sign()) and (part.exp.is_Integer or np.min(base) > _ROOT)
    if not isinstance(part, sympy.Function):
        return True
    argument = values(part.args[0])
    if np.std(argument) < _FELT * np.mean(np.abs(argument)):
        return False
    if isinstance(part, sympy.log):
        return bool(np.min(argument) > _ROOT)
    if isinstance(part, sympy.tanh):
        return bool(np.median(np.abs(argument)) < _SATURATED)
    if isinstance(part, sympy.exp):
        return bool(np.max(np.abs(argument)) < _STEEP)
    return bool(np.ptp(argument) < _TURNS)
