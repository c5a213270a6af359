"""The minimal logic of a table of truth values, a sum modulo a number, or the rule of a sequence."""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement
from math import gcd

import numpy as np
import sympy
from jaxtyping import Float64
from numpy.typing import NDArray

from bimt_train import InputError

from ..formulas._searched_rows import check_rows, column_names
from ..module_formulas._truth_tables import shortest_logic
from ._discrete_law import DiscreteLaw, Kind
from ._find_recurrence import FEWEST, find_recurrence

_MOST_LOGICAL = 12  # arguments of a truth table
_LARGEST = 1000  # modulus that is tried
_SPARE = 3  # rows beyond the terms of a sum
_TRIED = 10  # the same, of the rows that are looked at first

Whole = NDArray[np.int64]


def find_discrete_law(
    x: Float64[np.ndarray, "rows inputs"],
    y: Float64[np.ndarray, "rows"],
    *,
    names: Sequence[str] | None = None,
    output: str = "y",
) -> DiscreteLaw | None:
    """The rule behind truth values or whole numbers: minimal logic, a sum modulo a number, the rule of a sequence.

    Parameters
    ----------
    x : array of shape [rows, inputs]
        Inputs: 0 and 1 for logic, else whole numbers.
    y : array of shape [rows]
        The output likewise; of sums modulo p, from 0 to p - 1.
    names : sequence of str, optional
        One name for each column of ``x``; ``x1``, ``x2``, ... if left out.
    output : str, default "y"
        The name of ``y``.

    Returns
    -------
    DiscreteLaw or None
        Logic where all numbers are 0 and 1, with the share of the rows that it gets right. Else the first of
        (a*x1 + b*x2 + ... + c) mod p, and the same with products of two inputs, that meets every row. Where the only
        input counts up by one, that or the rule of the sequence (`find_recurrence`), whichever is shorter. None without
        one.

    Raises
    ------
    InputError
        For numbers that are not whole, names that do not fit, and truth tables of more than 12 inputs.

    Examples
    --------
    >>> x = np.array([[a, b] for a in range(7) for b in range(7)], dtype=np.float64)
    >>> print(find_discrete_law(x, (3 * x[:, 0] + 5 * x[:, 1] + 2) % 7, names=["a", "b"]))
    y = Mod(3*a + 5*b + 2, 7)
    >>> bits = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 10, dtype=np.float64)
    >>> print(find_discrete_law(bits, bits[:, 0] * bits[:, 1], names=["a", "b"]))
    y = a & b
    """
    names = column_names(x, names)
    check_rows(x, y, names, where=f"rows of {output!r}", fewest=1)
    whole, wanted = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    if np.any(whole != x) or np.any(wanted != y):
        raise InputError("numbers that are not whole", where=f"rows of {output!r}", expected="whole numbers")
    if set(np.unique(whole)) | set(np.unique(wanted)) <= {0, 1}:
        return _logic(whole, wanted, names, output)
    laws = (_of_sequence(whole, wanted, names, output), _modular(whole, wanted, names, output))
    return min((law for law in laws if law is not None), key=_length, default=None)


def _length(law: DiscreteLaw) -> tuple[bool, int]:
    """How long a law is; what may be chance comes last."""
    return not law.exact, int(law.expression.count_ops())


def _of_sequence(x: Whole, y: Whole, names: Sequence[str], output: str) -> DiscreteLaw | None:
    """The rule of a sequence, where the only input is the place of a term."""
    if x.shape[1] != 1 or len(y) < FEWEST:
        return None
    order = np.argsort(x[:, 0])
    places = x[order, 0]
    if np.any(np.diff(places) != 1):
        return None
    return find_recurrence(y[order].tolist(), output=output, place=names[0], first=int(places[0]))


def _logic(x: Whole, y: Whole, names: Sequence[str], output: str) -> DiscreteLaw:
    if x.shape[1] > _MOST_LOGICAL:
        raise InputError(
            "a truth table of many inputs", where=f"rows of {output!r}", expected=f"{_MOST_LOGICAL} or fewer",
            got=str(x.shape[1]),
        )  # fmt: skip
    expression, right = shortest_logic(x.astype(bool), y.astype(bool), names)
    distinct = len(np.unique(x, axis=0))
    bits = 2.0 * (expression.count_ops() + 1) * np.log2(len(names) + 2)  # of a form as long as this
    kind: Kind = "logic" if expression.free_symbols else "constant"
    return DiscreteLaw(output, expression, kind, right, len(y), float(2.0 ** min(bits - distinct, 0.0)))


def _modular(x: Whole, y: Whole, names: Sequence[str], output: str) -> DiscreteLaw | None:
    least = int(y.max()) + 1
    if y.min() < 0 or least > _LARGEST:
        return None
    symbols = [sympy.Symbol(name, real=True) for name in names]
    for degree in (1, 2):
        terms = list(_terms(x, symbols, degree))
        table = np.stack([values for values, _ in terms], axis=1)
        if len(y) < len(terms) + _SPARE:
            return None
        some = np.random.default_rng(0).permutation(len(y))[: len(terms) + _TRIED]
        for modulus in range(max(least, 2), min(2 * least, _LARGEST) + 1):
            if _solved(table[some] % modulus, y[some], modulus) is None:
                continue  # what a few rows rule out needs no look at all of them
            found = _solved(table % modulus, y, modulus)
            if found is not None:
                total = sympy.Add(*(int(c) * term for c, (_, term) in zip(found, terms, strict=True)))
                bits = (len(terms) - len(y)) * np.log2(modulus) + np.log2(least)
                law = sympy.Mod(total, modulus, evaluate=False) if total.free_symbols else total
                kind: Kind = "modular" if total.free_symbols else "constant"
                return DiscreteLaw(output, law, kind, 1.0, len(y), float(2.0 ** np.clip(bits, -1000.0, 0.0)))
    return None


def _terms(x: Whole, symbols: Sequence[sympy.Symbol], degree: int) -> Iterator[tuple[Whole, sympy.Expr]]:
    """The terms of a sum, each with its values: products of so many inputs at most, and 1."""
    for size in range(1, degree + 1):
        for places in combinations_with_replacement(range(len(symbols)), size):
            yield np.prod(x[:, list(places)], axis=1), sympy.Mul(*(symbols[k] for k in places))
    yield np.ones(len(x), dtype=np.int64), sympy.Integer(1)


def _solved(table: Whole, y: Whole, modulus: int) -> Whole | None:
    """The coefficients modulo a number that meet every row, by elimination; None without any."""
    work = np.concatenate([table, y[:, None] % modulus], axis=1)
    count, row, pivots = table.shape[1], 0, list[int]()
    for column in range(count):
        units = [r for r in range(row, len(work)) if gcd(int(work[r, column]), modulus) == 1]
        if not units:
            if np.any(work[row:, column]):
                return None  # only coefficients that share a divisor with the modulus: not decided
            continue
        work[[row, units[0]]] = work[[units[0], row]]
        work[row] = work[row] * pow(int(work[row, column]), -1, modulus) % modulus
        others = np.arange(len(work)) != row
        work[others] = (work[others] - work[others, column, None] * work[row]) % modulus
        pivots.append(column)
        row += 1
    if np.any(work[row:, count]):
        return None
    found = np.zeros(count, dtype=np.int64)
    found[pivots] = work[: len(pivots), count]
    return found
