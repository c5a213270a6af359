"""Narrowing down: the greatest of many thresholds that holds, by trying a few of them."""

from collections.abc import Callable, Sequence

Holds = Callable[[list[int]], Sequence[bool]]
"""Places in the series of thresholds -> whether each of them holds."""


def narrowed(holds: Holds, low: int, high: int, *, few: int, reach: int | None = None) -> int:
    """The greatest place that holds, where all below it do.

    Parameters
    ----------
    holds : callable
        Tries some places, in rising order.
    low : int
        A place that holds.
    high : int
        A place that does not, or one behind the last.
    few : int
        How many places are tried at a time.
    reach : int, optional
        How far beyond ``low`` the first places lie, where the answer is likely to be near. As long as all hold, the
        next lie three times as far. Left out, places are tried all over the range from the start.

    Returns
    -------
    int
        The place; ``low`` where nothing above it holds.

    Examples
    --------
    >>> tried = []
    >>> def below_20(places):
    ...     tried.extend(places)
    ...     return [place < 20 for place in places]
    >>> narrowed(below_20, 0, 100, few=3), tried
    (19, [25, 50, 75, 6, 12, 18, 19, 21, 23, 20])
    >>> narrowed(below_20, 17, 100, few=2, reach=2)
    19
    """
    while places := between(low, high, few) if reach is None else _ahead(low, high, few, reach):
        found = holds(places)
        low = max([place for place, held in zip(places, found, strict=True) if held], default=low)
        high = min([place for place in places if place > low], default=high)
        reach = None if reach is None or not all(found) else 3 * reach
    return low


def between(low: int, high: int, few: int) -> list[int]:
    """A few numbers, evenly spaced, above the one and below the other.

    Parameters
    ----------
    low : int
        Below all of them.
    high : int
        Above all of them.
    few : int
        How many there are at most.

    Returns
    -------
    list of int
        In rising order; empty where nothing is between.

    Examples
    --------
    >>> between(0, 48, 3), between(4, 6, 3), between(4, 5, 3)
    ([12, 24, 36], [5], [])
    """
    return sorted({low + (high - low) * part // (few + 1) for part in range(1, few + 1)} - {low})


def _ahead(low: int, high: int, few: int, reach: int) -> list[int]:
    """A few numbers above the one and below the other, each three times as far from it as the last.

    >>> _ahead(10, 100, 2, 4), _ahead(10, 14, 2, 4)
    ([14, 22], [13])
    """
    return sorted({min(low + reach * 3**part, high - 1) for part in range(few)} - {low})
