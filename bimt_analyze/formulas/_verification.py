"""The evidence behind a formula's word, as a value."""

from dataclasses import dataclass

from bimt_train.showing import Shown

from ._fidelity import Divergence
from .verdicts._data_words import DataWord, Rival
from .verdicts._network_verdict import NetworkVerdict


@dataclass(frozen=True, repr=False)
class NumericCheck(Shown):
    """A formula against its truth on fresh points.

    Points where the truth is not a finite real number are left out. A point where only the formula is not finite counts
    as an infinite error. A numeric check is evidence, and no proof.

    Attributes
    ----------
    points : int
        How many points were compared.
    left_out : int
        How many points were left out.
    worst : float
        The largest relative error, |formula - truth| / (|truth| + deviation of y).

    Examples
    --------
    >>> check = NumericCheck(points=1000, left_out=3, worst=2e-12)
    >>> check.worst < 1e-9
    True
    """

    points: int
    left_out: int
    worst: float


@dataclass(frozen=True, repr=False)
class Verification(Shown):
    """The evidence behind a formula's ``exact``, each piece by itself.

    Residuals are in units of the standard deviation of y.

    Attributes
    ----------
    train : float
        The largest residual on the training rows.
    held : float
        The largest residual on the held-out rows; 0 without such rows.
    bound : float
        The largest residual that rounding can explain.
    canonical : str
        ``"equal"`` or ``"different"`` (formula minus truth), ``"undecided"``, or ``"no truth"``.
    method : str
        How ``canonical`` was decided.
    inside : NumericCheck or None
        Formula against truth on fresh points within the ranges; None where no truth is known.
    outside : NumericCheck or None
        Formula against truth in ranges twice as wide; None where no truth is known.
    network : NetworkVerdict or None
        How far the network follows the formula, on fresh points inside the range; None where no network was given.
    statement : str
        All of this in one sentence.
    divergence : Divergence or None
        Where the network follows it to less than r2 0.999 and the formula is not identified: the part of the network
        that it misses most.
    word : str
        What may be said of it as a law of the data: one of `DATA_WORDS`.
    rivals : tuple of Rival
        Other formulas of comparable length that meet the rows as well, with the rows that would decide.
    relations : tuple of str
        Relations that hold among the inputs on every row.
    distinct_test : int
        How many different held-out rows there are that repeat no training row.

    Examples
    --------
    >>> statement = "Formula and truth are equal: same expression."
    >>> found = Verification(0.0, 0.0, 1e-11, "equal", "same expression", None, None, None, statement)
    >>> found.held <= found.bound, found.canonical
    (True, 'equal')
    """

    train: float
    held: float
    bound: float
    canonical: str
    method: str
    inside: NumericCheck | None
    outside: NumericCheck | None
    network: NetworkVerdict | None
    statement: str
    divergence: Divergence | None = None
    word: DataWord = "none"
    rivals: tuple[Rival, ...] = ()
    relations: tuple[str, ...] = ()
    distinct_test: int = 0

    def _brief(self) -> str:
        return self.statement
