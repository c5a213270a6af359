"""What may be asked of the reading of a table; the words of the command line are called the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..._errors import TaskError
from ...did_you_mean import did_you_mean

IMPUTE = ("median", "mean")
CATEGORIES = ("one-hot",)
DATES = {"years": 365.25, "days": 1.0, "hours": 1 / 24, "minutes": 1 / 1440, "seconds": 1 / 86400}
DECIMAL = ("point", "comma")
NAMES = "names"
_CHOICES = {"impute": IMPUTE, "categories": CATEGORIES, "dates": tuple(DATES), "decimal": DECIMAL}


@dataclass(frozen=True)
class TableOptions:
    """What is done to a table before it is learned from; `table_task` says what each is.

    Attributes
    ----------
    skip : tuple of str
        Columns to leave out.
    missing : tuple of str
        Words and numbers that stand for a missing cell.
    drop_missing : bool
        Whether rows leave that lack a number.
    impute : str or None
        What takes the place of missing inputs, one of `IMPUTE`.
    categories : str or None
        How texts become numbers, one of `CATEGORIES`.
    dates : str or None
        The unit in which dates become numbers, one of `DATES`.
    decimal : str or None
        The decimal mark, one of `DECIMAL`.
    units : str, mapping or None
        ``"names"``, or the unit of each column that has one.
    encoding : str or None
        How a text is written.

    Raises
    ------
    TaskError
        A word is none of those that an option takes.

    Examples
    --------
    >>> TableOptions(dates="days").dates
    'days'
    """

    skip: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    drop_missing: bool = False
    impute: str | None = None
    categories: str | None = None
    dates: str | None = None
    decimal: str | None = None
    units: str | Mapping[str, str] | None = field(default=None, hash=False)
    encoding: str | None = None

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            given = getattr(self, name)
            if given is not None and given not in choices:
                hint = did_you_mean(given, choices, otherwise="write one of these")
                raise TaskError(f"unknown {name}", expected=" or ".join(choices), got=repr(given), hint=hint)
        if isinstance(self.units, str) and self.units != NAMES:
            expected = f"{NAMES!r}, or the unit of each column by its name"
            raise TaskError("unknown units", expected=expected, got=repr(self.units), hint=f"--units {NAMES}")


def units_of_words(words: tuple[str, ...]) -> str | dict[str, str] | None:
    """The units that words of a command line say.

    Parameters
    ----------
    words : tuple of str
        ``names`` alone, or ``COLUMN=UNIT`` each.

    Returns
    -------
    str, dict or None
        As `TableOptions` takes them.

    Raises
    ------
    TaskError
        A word is neither.

    Examples
    --------
    >>> units_of_words(("v=m/s", "T=K")), units_of_words(("names",))
    ({'v': 'm/s', 'T': 'K'}, 'names')
    """
    if words in ((), (NAMES,)):
        return words[0] if words else None
    pairs = [word.rpartition("=") for word in words]
    if not all(column and unit for column, _, unit in pairs):
        expected = f"{NAMES}, or COLUMN=UNIT each"
        raise TaskError("units that cannot be read", expected=expected, got=" ".join(words), hint="--units v=m/s T=K")
    return {column: unit for column, _, unit in pairs}


def speeds_of_word(word: str | None) -> dict[str, str]:
    """The columns that a word of a command line declares to be derivatives of others.

    Parameters
    ----------
    word : str or None
        ``POSITION:SPEED`` pairs with commas between them.

    Returns
    -------
    dict of str to str
        Position -> speed, by their names in formulas.

    Raises
    ------
    TaskError
        A pair is none.

    Examples
    --------
    >>> speeds_of_word("x:v,y:w"), speeds_of_word(None)
    ({'x': 'v', 'y': 'w'}, {})
    """
    pairs = [one.strip().partition(":") for one in word.split(",")] if word else []
    if not all(position and speed for position, _, speed in pairs):
        raise TaskError("a second order that cannot be read", expected="POSITION:SPEED", got=str(word), hint="x:v,y:w")
    return {position.strip(): speed.strip() for position, _, speed in pairs}
