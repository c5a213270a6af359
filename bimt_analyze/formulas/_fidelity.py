"""Where a formula and its network differ: the difference, split over groups of inputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float64

from bimt_train.showing import Shown

FAITHFUL = 0.999  # r2 against the network from which nothing needs explaining
_ROWS, _BACKGROUND = 200, 40  # a part's values are means over the second number of rows: 8,000 evaluations a group
_PAIRS = 45  # of inputs, at most
_MOST = 0.5  # share of the difference that makes a group the one that failed

Rows = Float64[np.ndarray, " rows"]
Matrix = Float64[np.ndarray, "rows inputs"]
Function = Callable[[Matrix], Rows]


@dataclass(frozen=True, eq=False, repr=False)
class Divergence(Shown):
    """One part of what the network computes, beside the formula's version of that part.

    Attributes
    ----------
    inputs : tuple of str
        The inputs that the part depends on.
    share : float
        The share of the mean squared difference between formula and network that lies in this part, 0 to 1.
    r2 : float
        Of the formula's part against the network's.
    x : array of shape [rows, inputs]
        The values of these inputs.
    network : array of shape [rows]
        The part as the network computes it, with mean zero.
    formula : array of shape [rows]
        The part as the formula computes it, with mean zero.

    Examples
    --------
    >>> part = Divergence(("b",), share=0.8, r2=0.5, x=np.zeros((3, 1)), network=np.zeros(3), formula=np.zeros(3))
    >>> part.words()
    '80% of the difference lies in the part of b (r2 0.5000 there)'
    """

    inputs: tuple[str, ...]
    share: float
    r2: float
    x: Matrix
    network: Rows
    formula: Rows

    def words(self) -> str:
        """Which part failed, and by how much, in one line."""
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

    Parameters
    ----------
    formula : callable
        From [rows, inputs] to [rows].
    network : callable
        The network's prediction of the same output, from [rows, inputs] to [rows].
    x : array of shape [rows, inputs]
        Points at which the two are compared; 200 of them are used.
    names : sequence of str
        The names of the columns of ``x``.
    groups : sequence of frozenset of str, optional
        The additive terms of the circuit. Where there are fewer than two, each input is one group, then each pair.
    seed : int
        Of the points that are drawn.

    Returns
    -------
    Divergence
        Of the first kind of part (terms; or single inputs, then pairs) of which one holds half of the mean squared
        difference, the one that holds the most; where none does, the part of all inputs together.

    Notes
    -----
    The part of a group G is p(x_G) = mean over other rows b of f(x_G, rest of b), less its mean: the main effect of the
    group (Hoeffding's decomposition).

    References
    ----------
    .. [1] W. Hoeffding, "A class of statistics with asymptotically normal distribution", Annals of Mathematical
       Statistics 19, 1948.

    Examples
    --------
    >>> x = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    >>> found = divergence(lambda x: x[:, 0], lambda x: x[:, 0] + x[:, 1] ** 2, x, names=["a", "b"], seed=0)
    >>> found.inputs, round(found.share, 2)
    (('b',), 1.0)
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
    """A part of both functions on the rows where both are finite, each with mean zero."""
    usable = np.isfinite(network) & np.isfinite(formula)
    x, network, formula = x[usable], network[usable], formula[usable]
    network, formula = network - np.mean(network), formula - np.mean(formula)
    miss, spread = float(np.mean((formula - network) ** 2)), float(np.mean(network**2))
    r2 = 1.0 - miss / spread if spread > 0 else (1.0 if miss == 0 else float("-inf"))
    share = 1.0 if total is None else min(1.0, miss / total) if total > 0 else 0.0
    return Divergence(inputs, share, r2, x, network, formula)


def _plain(function: Function, x: Matrix) -> Rows:
    """The function's values as doubles in one dimension."""
    return np.asarray(function(x), dtype=np.float64).reshape(len(x))
