"""How well two ways to sort the same things agree, chance taken off: by information, and by pairs."""

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float64, Int64
from scipy.special import gammaln

Labels = Sequence[Hashable] | Int64[np.ndarray, " things"]
Counts = Int64[np.ndarray, "_"]  # of things, for each label

_LEAST = float(np.finfo(np.float64).eps)


def adjusted_mutual_information(first: Labels, second: Labels) -> float:
    """How well two labellings agree: 1 when they sort alike, about 0 when no better than chance.

    Parameters
    ----------
    first, second : sequences of labels, or integer arrays of shape [things]
        A label for each thing. Which label a set of things carries does not matter.

    Returns
    -------
    float
        (I - E) / (H - E), with I the mutual information, E its mean over random labellings with as many things under
        each label, and H the mean of the two entropies.

    Notes
    -----
    Vinh, Epps and Bailey, Information theoretic measures for clusterings comparison, JMLR 11 (2010), with E after their
    equation 24a. 1 where neither labelling tells anything apart, 0 where one of them does not. scikit-learn's
    ``adjusted_mutual_info_score`` gives the same number; loading it takes longer than a small audit.

    Examples
    --------
    >>> from bimt_analyze.modules import adjusted_mutual_information
    >>> adjusted_mutual_information([0, 0, 1, 1], ["b", "b", "a", "a"])
    1.0
    >>> round(adjusted_mutual_information([0, 0, 1, 1], [0, 1, 0, 1]), 6)
    -0.5
    """
    table = _contingency(_numbered(first), _numbered(second))
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    if len(rows) <= 1 or len(columns) <= 1:
        return float(len(rows) == len(columns))
    if np.count_nonzero(table) == len(rows) == len(columns):  # alike, which rounding shall not hide
        return 1.0
    total = int(rows.sum())
    chance = _expected(rows, columns, total)
    entropy = (_entropy(rows, total) + _entropy(columns, total)) / 2
    return _away_from_zero(_information(table, rows, columns, total) - chance) / _away_from_zero(entropy - chance)


def adjusted_rand(first: Labels, second: Labels) -> float:
    """How well two labellings agree on which pairs of things belong together: 1 when they sort alike, 0 by chance.

    Parameters
    ----------
    first, second : sequences of labels, or integer arrays of shape [things]
        A label for each thing. Which label a set of things carries does not matter.

    Returns
    -------
    float
        (S - E) / (M - E), with S the pairs that both put together, E its mean over random labellings with as many
        things under each label, and M the mean of the numbers of pairs that each puts together.

    Notes
    -----
    Hubert and Arabie, Comparing partitions, Journal of Classification 2 (1985), equation 5. 1 where both put no pair or
    every pair together.

    Examples
    --------
    >>> from bimt_analyze.modules._labelling_agreement import adjusted_rand
    >>> adjusted_rand([0, 0, 1, 1], ["b", "b", "a", "a"]), round(adjusted_rand([0, 0, 1, 1], [0, 1, 0, 1]), 6)
    (1.0, -0.5)
    """
    table = _contingency(_numbered(first), _numbered(second))
    same, one, other, every = (
        float((counts * (counts - 1) / 2).sum())
        for counts in (table, table.sum(axis=1), table.sum(axis=0), np.array([table.sum()]))
    )
    if one == other == same:
        return 1.0
    chance = one * other / every
    return (same - chance) / ((one + other) / 2 - chance)


def _numbered(labels: Labels) -> Int64[np.ndarray, " things"]:
    places = {label: place for place, label in enumerate(dict.fromkeys(labels))}
    return np.array([places[label] for label in labels], dtype=np.int64)


def _contingency(
    first: Int64[np.ndarray, " things"], second: Int64[np.ndarray, " things"]
) -> Int64[np.ndarray, "first second"]:
    """How many things carry each pair of labels."""
    shape = (int(first.max(initial=-1)) + 1, int(second.max(initial=-1)) + 1)
    return np.bincount(first * shape[1] + second, minlength=shape[0] * shape[1]).reshape(shape)


def _entropy(counts: Counts, total: int) -> float:
    share = counts / total
    return -float(share @ np.log(share))


def _information(table: Int64[np.ndarray, "first second"], rows: Counts, columns: Counts, total: int) -> float:
    i, j = np.nonzero(table)
    both = table[i, j]
    return float(both / total @ (np.log(both) + np.log(total) - np.log(rows[i]) - np.log(columns[j])))


def _expected(rows: Counts, columns: Counts, total: int) -> float:
    """The mean mutual information: n things carry labels of a and of b things with the hypergeometric probability."""
    log_factorial: Float64[np.ndarray, _] = gammaln(np.arange(total + 1) + 1.0)
    sizes, often = np.unique(columns, return_counts=True)
    mean = 0.0
    for a, often_a in zip(*np.unique(rows, return_counts=True), strict=True):
        least = np.maximum(1, a + sizes - total)
        counts = np.minimum(a, sizes) - least + 1  # of the n that are possible, for each size b
        b, many = np.repeat(sizes, counts), np.repeat(often, counts)
        n = np.arange(len(b)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(least, counts)
        log_probability = (
            log_factorial[a] + log_factorial[b] + log_factorial[total - a] + log_factorial[total - b]
            - log_factorial[total] - log_factorial[n] - log_factorial[a - n] - log_factorial[b - n]
            - log_factorial[total - a - b + n]
        )  # fmt: skip
        told = n / total * (np.log(n) + np.log(total) - np.log(a) - np.log(b))
        mean += float(often_a) * float((many * told) @ np.exp(log_probability))
    return mean


def _away_from_zero(value: float) -> float:
    """The number itself, or the least one on its side of 0: two that cancel make 1, not 0 / 0."""
    return min(value, -_LEAST) if value < 0 else max(value, _LEAST)
