"""What may be told of a law beside its rows, as a value."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from bimt_train.showing import Shown

from ..problem._structure import Structure


@dataclass(frozen=True, repr=False)
class Hints(Shown):
    """What is known or guessed of a law beside its rows: it proposes forms, and decides nothing.

    Every form that a hint proposes is judged on the rows, and where no such form explains them, all are searched
    without hints.

    Attributes
    ----------
    structure : Structure or None
        Which inputs matter and how they combine, read from a circuit (`read_structure`), in the names of the columns.
    network : callable or None
        A network's own prediction of the output, from [rows, inputs] to [rows]. A `Differentiable` one is tested for
        structure (`structural_tests`); any other gives inputs and terms (`structure_from_tests`), where no
        ``structure`` is given. Where the network is too coarse (it errs by more than 5 % of y's deviation) and the
        quick search fails, a `surrogate` is fitted to the rows and tested in its stead.
    units : mapping of str to str, or None
        The unit of each input and of the output, such as ``{"v": "m/s", "E": "J"}``; empty for a plain number. Laws
        among products of the inputs (and of constants of nature) that have no unit are sought first [1]_. Nothing is
        refused on account of its units. Read by Pint; a unit that is not known counts as not given.

    References
    ----------
    .. [1] E. Buckingham, "On physically similar systems", Physical Review 4, 1914.

    Examples
    --------
    >>> Hints(units={"v": "m/s", "E": "J"})
    Hints(units={'v': 'm/s', 'E': 'J'})
    """

    structure: Structure | None = None
    network: Callable[[Float64[np.ndarray, "rows inputs"]], Float64[np.ndarray, "rows"]] | None = None
    units: Mapping[str, str] | None = None
