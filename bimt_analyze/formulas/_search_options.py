"""Every option of the search for a formula as one value."""

from dataclasses import dataclass

from .._option_values import OptionValues, option


@dataclass(frozen=True, kw_only=True)
class SearchOptions(OptionValues):
    """All that a search depends on besides the rows, their names and the hints.

    Attributes
    ----------
    time_limit : float
        Seconds for the search. The clock is looked at between candidates, so that a search may end a little later; one
        that settles ends earlier.
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
    surrogate_seconds : float
        Seconds that must be left for a surrogate to be fitted where the network is too coarse; a fit takes seconds.

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
    surrogate_seconds: float = option(20.0, least=0)
