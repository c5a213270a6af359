"""From a truth table to the shortest of its minimal forms."""

from collections.abc import Sequence

import numpy as np
import sympy
from jaxtyping import Bool
from sympy.logic.boolalg import ANFform, Boolean, POSform, SOPform

_MINIMISED = 8  # arguments: beyond these, minimal forms take seconds


def shortest_logic(
    arguments: Bool[np.ndarray, "rows arguments"], values: Bool[np.ndarray, " rows"], names: Sequence[str]
) -> tuple[Boolean, float]:
    """The shortest logical expression of a truth table: a sum of products, a product of sums, or an exclusive or.

    Parameters
    ----------
    arguments : array of bool, shape (rows, arguments)
        The table's left side. Combinations may be repeated or missing; those missing may get any value.
    values : array of bool, shape (rows,)
        Its right side.
    names : sequence of str
        One name an argument.

    Returns
    -------
    expression : sympy Boolean
        The shortest of the minimal sum of products, the minimal product of sums (Quine and McCluskey) and, where no
        combination is missing, the algebraic normal form; beyond eight arguments the algebraic normal form.
    right : float
        Share of the rows that it gets right: 1 unless equal arguments have different values.

    Examples
    --------
    >>> table = np.array([[a, b] for a in (False, True) for b in (False, True)])
    >>> shortest_logic(table, table[:, 0] & table[:, 1], ["a", "b"])
    (a & b, 1.0)
    >>> shortest_logic(table, table[:, 0] ^ table[:, 1], ["a", "b"])
    (a ^ b, 1.0)
    """
    symbols = [sympy.Symbol(name, real=True) for name in names]
    used = _used(arguments, values)
    symbols, arguments = [symbols[k] for k in used], arguments[:, used]
    if not used:
        most = bool(values.mean() >= 0.5)
        return sympy.true if most else sympy.false, float(np.mean(values == most))
    codes = arguments @ (1 << np.arange(len(used))[::-1])
    ones = np.bincount(codes, weights=values, minlength=2 ** len(used))
    seen = np.bincount(codes, minlength=2 ** len(used))
    table, missing = 2 * ones > seen, np.flatnonzero(seen == 0).tolist()
    right = float(np.mean(table[codes] == values))
    forms: list[Boolean] = []
    if not missing or len(used) > _MINIMISED:
        forms.append(_exclusive(ANFform(symbols, table.astype(int).tolist())))
    if len(used) <= _MINIMISED:
        minterms = np.flatnonzero(table).tolist()
        forms += [form(symbols, minterms, missing) for form in (SOPform, POSform)]
    return min(forms, key=lambda form: (form.count_ops(), sympy.default_sort_key(form))), right


def _exclusive(form: Boolean) -> Boolean:
    """An exclusive or whose constant, if it has one, is written as a negation."""
    if isinstance(form, sympy.Xor) and sympy.true in form.args:
        return sympy.Not(sympy.Xor(*(part for part in form.args if part is not sympy.true)), evaluate=False)
    return form


def _used(arguments: Bool[np.ndarray, "rows arguments"], values: Bool[np.ndarray, " rows"]) -> list[int]:
    """The arguments that cannot be left out: without them equal arguments have different values."""
    kept = list(range(arguments.shape[1]))
    for k in range(arguments.shape[1]):
        fewer = [j for j in kept if j != k]
        if _contradictions(arguments[:, fewer], values) <= _contradictions(arguments[:, kept], values):
            kept = fewer
    return kept


def _contradictions(arguments: Bool[np.ndarray, "rows arguments"], values: Bool[np.ndarray, " rows"]) -> int:
    """How many rows the best function of the arguments gets wrong."""
    if arguments.shape[1] == 0:
        return int(min(values.sum(), (~values).sum()))
    _, codes = np.unique(arguments, axis=0, return_inverse=True)
    ones = np.bincount(codes.ravel(), weights=values)
    return int(np.minimum(ones, np.bincount(codes.ravel()) - ones).sum())
