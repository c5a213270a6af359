"""Every option of the search for a formula as one value."""

from dataclasses import dataclass

from ..options._option_values import OptionValues, option

_GRACE = 3.0  # seconds that what follows a search may take


@dataclass(frozen=True, kw_only=True, repr=False)
class SearchOptions(OptionValues):
    """All that a search depends on besides the rows, their names and the hints.

    Attributes
    ----------
    time_limit : float
        Seconds of a reference core for the search: it does the work that a quiet core of the reference machine does
        in that time, and ends at the same candidate on every machine. A slower or busy one takes longer. The budget is
        looked at between candidates, so that a search may do a little more; one that settles ends earlier.
    seed : int
        Of everything random in the search: which rows it looks at, and what is drawn for tests and starts.
    genetic : bool
        Whether time is kept for genetic programming (pyoperon), for what the others do not find.
    rows : int
        Rows that the search looks at, drawn from all; the outcome is measured on all of them.
    hinted_share : float
        Share of the time that is left, from 0 to 1, that each stage spends on the hinted inputs before it looks at all.
    genetic_share : float
        Share of the time, from 0 to 1, that is kept for genetic programming where it is asked for.
    tested_inputs : int
        Inputs of a function that is tested for structure, at most: a Hessian holds the square of their number.
    tolerance : float
        The root mean square error of the output, in units of its deviation, where it is known: that of a derivative,
        for instance. The search ends at a form that misses no row by more than three times as much. At 0, only the
        digits in which the output is written tell how well it is known.
    surrogate_seconds : float
        Seconds, as of ``time_limit``, that must be left for a surrogate to be fitted where the network is too coarse; a
        fit takes seconds.
    patience : float
        The last resort: the search is cut short after ``patience * (time_limit + 3)`` seconds by the clock, and says
        so. Then another run may find more.

    Raises
    ------
    InputError
        A number out of its range.

    Examples
    --------
    >>> options = SearchOptions(time_limit=60, rows=5000)
    >>> SearchOptions.from_json(options.to_json()) == options
    True
    >>> options.with_changes(seed=3).seed
    3
    """

    time_limit: float = option(10.0, least=0)
    seed: int = option(0, least=0)
    genetic: bool = False
    rows: int = option(2000, least=1)
    hinted_share: float = option(0.6, least=0, most=1)
    genetic_share: float = option(1 / 3, least=0, most=1)
    tested_inputs: int = option(12, least=0)
    tolerance: float = option(0.0, least=0)
    surrogate_seconds: float = option(20.0, least=0)
    patience: float = option(10.0, least=0)

    @property
    def hard_limit(self) -> float:
        """Seconds by the clock after which the search is cut short, whatever work is left."""
        return self.patience * (self.time_limit + _GRACE)
