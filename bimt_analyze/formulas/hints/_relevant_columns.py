"""Which of many columns y depends on, before any formula is searched: pursuit over single columns and pairs."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from ..problem._budget import Budget
from ..problem._smooth import centred, evenly_spread, relevant

Matrix = Float64[np.ndarray, "rows columns"]
Rows = Float64[np.ndarray, "rows"]

_FEW = 8  # columns, up to which polynomials of all of them together say more
_SINGLE, _PAIR = 4, 2  # degrees of Legendre polynomials of one column, and of each factor of a pair
_TERMS_A_ROW, _MOST_TERMS = 0.1, 40
_CHANCE = 1.3  # times what the best of so many terms explains of noise
_HEAVY = 30.0  # times the median |y|: where the largest is more, its logarithm tells more
_EXTREME = 0.02  # share of the values at either end
_MOST = 12  # columns that are proposed
_STEP, _FASTEST = 0.7, 250.0  # of a periodogram: radians over half of a column's range
_ROWS_A_RADIAN = 2.0
_FOLLOWED = 0.01  # share of y's squares: what polynomials leave is then no wave


def relevant_columns(x: Matrix, y: Rows, *, budget: Budget) -> tuple[int, ...] | None:
    """The columns that y depends on, as far as sums of functions of one and of two columns show it.

    Of few columns, `relevant` decides. Of many, orthogonal matching pursuit takes Legendre polynomials of single
    columns and their products for pairs, one by one, as long as a term explains more than the best of as many terms
    would explain of noise. Then waves of single columns are looked for in what is left.

    Parameters
    ----------
    x : array of shape [rows, columns]
        The inputs.
    y : array of shape [rows]
        The output.
    budget : Budget
        Cuts it short.

    Returns
    -------
    tuple of int
        The columns, growing; None where no column can go, or nothing is seen.
    """
    if x.shape[1] <= _FEW:
        return relevant(x, y, budget=budget)
    t = centred(x) if evenly_spread(x) else _ranks(x)
    heavy = np.all(y != 0) and np.max(np.abs(y)) > _HEAVY * np.median(np.abs(y))
    target = np.log(np.abs(y)) if heavy else _clipped(y)
    chosen, left = _pursued(t, target, budget)
    chosen |= _wave_columns(t, left, float(np.sum((target - np.mean(target)) ** 2)), budget)
    if not chosen or len(chosen) >= x.shape[1]:
        return None
    kept = tuple(sorted(chosen))
    fewer = relevant(x[:, list(kept)], y, budget=budget) if len(kept) <= _MOST else None
    return kept if fewer is None else tuple(kept[i] for i in fewer)


def _clipped(y: Rows) -> Rows:
    """The output with its few most extreme values brought near the others: some may stand apart."""
    low, high = np.quantile(y, [_EXTREME, 1 - _EXTREME])
    return np.asarray(np.clip(y, low - (high - low) / 2, high + (high - low) / 2))


def _ranks(x: Matrix) -> Matrix:
    """Each column's ranks, spread evenly over [-1, 1]: a column over decades is told by its logarithm as well."""
    order = np.argsort(np.argsort(x, axis=0, kind="stable"), axis=0, kind="stable")
    return np.asarray((2.0 * order + 1.0) / len(x) - 1.0)


def _pursued(t: Matrix, y: Rows, budget: Budget) -> tuple[set[int], Rows]:
    """The columns of the terms that a pursuit takes, and what the terms leave of y."""
    rows, width = t.shape
    table = [np.asarray(np.polynomial.legendre.legval(t, np.eye(_SINGLE + 1)[k])) for k in range(_SINGLE + 1)]
    terms = _Terms.of(table)
    chance = _CHANCE * 2 * np.log(width * _SINGLE + (width * _PAIR) ** 2 / 2) / rows
    basis = np.ones((rows, 1)) / np.sqrt(rows)
    left = y - np.mean(y)
    chosen: set[int] = set()
    for _ in range(int(min(_MOST_TERMS, _TERMS_A_ROW * rows))):
        size = float(left @ left)
        if size <= 1e-20 * float(y @ y) or budget.over():
            break
        gain, columns, term = _best_term(terms, left)
        budget.charge("decompose", rows * width * (_SINGLE + _PAIR**2 * width))
        if gain < chance * size:
            break
        chosen |= set(columns)
        term = term - basis @ (basis.T @ term)
        term = term - basis @ (basis.T @ term)
        length = float(np.linalg.norm(term))
        if length < 1e-9:
            break
        basis = np.column_stack([basis, term / length])
        left = left - basis @ (basis.T @ left)
    return chosen, left


@dataclass(frozen=True, eq=False)
class _Terms:
    """Legendre polynomials of single columns by degree, those of pairs' factors, and the squares of all terms."""

    single: list[Matrix]
    single_squares: list[Float64[np.ndarray, "columns"]]
    pairs: list[tuple[Matrix, Matrix]]
    pair_squares: list[Float64[np.ndarray, "columns columns"]]

    @staticmethod
    def of(table: list[Matrix]) -> "_Terms":
        """The terms of ``table``, whose entry k holds the polynomial of degree k of each column."""
        single = [t - np.mean(t, axis=0) for t in table[1:]]
        pairs = [(table[i], table[j]) for i in range(1, _PAIR + 1) for j in range(i, _PAIR + 1)]
        squares = [np.maximum((one**2).T @ other**2, 1e-300) for one, other in pairs]
        for square in squares:
            np.fill_diagonal(square, np.inf)  # a column with itself is no pair
        return _Terms(single, [np.maximum(np.sum(t**2, axis=0), 1e-300) for t in single], pairs, squares)


def _best_term(terms: _Terms, left: Rows) -> tuple[float, tuple[int, ...], Rows]:
    """The squares that the best term explains, its columns and its values."""
    offers: list[tuple[float, tuple[int, ...], Rows]] = []
    for table, squares in zip(terms.single, terms.single_squares, strict=True):
        gain = (left @ table) ** 2 / squares
        best = int(np.argmax(gain))
        offers.append((float(gain[best]), (best,), table[:, best]))
    for (one, other), squares in zip(terms.pairs, terms.pair_squares, strict=True):
        gain = ((one * left[:, None]).T @ other) ** 2 / squares
        i, j = divmod(int(np.argmax(gain)), gain.shape[1])
        offers.append((float(gain[i, j]), (i, j), one[:, i] * other[:, j]))
    return max(offers, key=lambda offer: offer[0])


def _wave_columns(t: Matrix, left: Rows, start: float, budget: Budget) -> set[int]:
    """The columns along which what is left is a wave."""
    rows, width = t.shape
    grid = np.arange(2.0, min(_FASTEST, rows / _ROWS_A_RADIAN), _STEP)
    size = float(left @ left)
    if len(grid) < 3 or size <= _FOLLOWED * start:
        return set()
    chance = _CHANCE * 2 * np.log(width * len(grid)) / rows
    found: set[int] = set()
    for i in range(width):
        if budget.over():
            break
        power = np.abs(np.exp(1j * np.outer(grid, t[:, i])) @ left) ** 2 * 2 / rows
        budget.charge("shapes", rows * len(grid))
        if float(np.max(power)) > chance * size:
            found.add(i)
    return found
