"""Where a formula and its network part: the difference of the two, split over groups of inputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float64

FAITHFUL = 0.999  # r2 against the network from which nothing needs explaining
_ROWS, _BACKGROUND = 200, 40
_PAIRS = 45  # of inputs, at most
_MOST = 0.5  # share of the difference that makes a group the one that failed

Rows = Float64[np.ndarray, " rows"]
Matrix = Float64[np.ndarray, "rows inputs"]
Function = Callable[[Matrix], Rows]


@dataclass(frozen=True, eq=False)
class Divergence:
    """One part of what the network computes, and the formula's own version of it.

    Attributes:
        inputs: on whom the part depends.
        share: of the mean squared difference between formula and network that lies in this part, 0 to 1.
        r2: of the formula's part against the network's.
        x: the inputs' values, [rows, inputs].
        network: the part as the network computes it, mean zero.
        formula: the same of the formula.
    """

    inputs: tuple[str, ...]
    share: float
    r2: float
    x: Matrix
    network: Rows
    formula: Rows

    def words(self) -> str:
        """One line: which part failed, and by how much."""
        return (
            f"{self.share:.0%} of the difference lies in the part of {', '.join(self.inputs)} (r2 {self.r2:.4f} there)"
        )


def divergence(
    formula: Function,
    network: Function,
    x: Matrix,
    *,
    names: Sequence[str],
    groups: Sequence[frozenset[str]] = (),
    seed: int,
) -> Divergence:
    """The part of the network that the formula misses most.

    The part of a group G is p(x_G) = mean over other rows b of f(x_G, rest of b), less its mean: the main effect of
    the group (Hoeffding's decomposition). ``groups`` are the terms of the circuit; where there are fewer than two,
    each input is one, then each pair of inputs. The first kind of part of which one holds half of the mean squared
    difference is told, and of it the one that holds the most; where none does, the part of all inputs together.
    """
    rng = np.random.default_rng(seed)
    rows = x[rng.permutation(len(x))[:_ROWS]]
    others = x[rng.permutation(len(x))[:_BACKGROUND]]
    whole = _compared(tuple(names), rows, _plain(network, rows), _plain(formula, rows), None)
    total = float(np.mean((whole.formula - whole.network) ** 2))
    terms = [tuple(n for n in names if n in group) for group in groups]
    kinds: list[list[tuple[str, ...]]] = (
        [terms]
        if len(terms) > 1
        else [[(n,) for n in names], [tuple(pair) for pair in combinations(names, 2)][:_PAIRS]]
    )
    for kind in kinds:
        parts = []
        for group in kind:
            columns = [list(names).index(name) for name in group]
            mixed = np.repeat(others[None], len(rows), axis=0)
            mixed[:, :, columns] = rows[:, None, columns]
            seen, said = _mean_over(network, mixed), _mean_over(formula, mixed)
            parts.append(_compared(group, rows[:, columns], seen, said, total))
        worst = max(parts, key=lambda part: part.share, default=whole)
        if worst.share >= _MOST:
            return worst
    return whole


def _mean_over(function: Function, mixed: Float64[np.ndarray, "rows others inputs"]) -> Rows:
    """The mean over the second axis of the values that are finite; NaN where none is."""
    value = _plain(function, mixed.reshape(-1, mixed.shape[2])).reshape(mixed.shape[:2])
    finite = np.isfinite(value)
    with np.errstate(all="ignore"):
        return np.asarray(np.where(finite, value, 0.0).sum(axis=1) / finite.sum(axis=1))


def _compared(inputs: tuple[str, ...], x: Matrix, network: Rows, formula: Rows, total: float | None) -> Divergence:
    usable = np.isfinite(network) & np.isfinite(formula)
    x, network, formula = x[usable], network[usable], formula[usable]
    network, formula = network - np.mean(network), formula - np.mean(formula)
    miss, spread = float(np.mean((formula - network) ** 2)), float(np.mean(network**2))
    r2 = 1.0 - miss / spread if spread > 0 else (1.0 if miss == 0 else float("-inf"))
    share = 1.0 if total is None else min(1.0, miss / total) if total > 0 else 0.0
    return Divergence(inputs, share, r2, x, network, formula)


def _plain(function: Function, x: Matrix) -> Rows:
    return np.asarray(function(x), dtype=np.float64).reshape(len(x))
