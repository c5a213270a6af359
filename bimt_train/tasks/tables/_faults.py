"""What is wrong with a table, all of it at once, each fault with the words of the command line that mend it."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ..._errors import TaskError
from ...showing import Shown

SHOWN = 5
LONGEST_NAME = 40


@dataclass(frozen=True, repr=False)
class Spot(Shown):
    """A column in which a fault was found.

    Attributes
    ----------
    column : str
        What the column is called.
    got : str
        What is there.
    row : int or None
        The first row of the fault, counted from 1 below the row of names; None where it is the column itself.
    count : int
        How many rows have it.

    Examples
    --------
    >>> str(Spot("b", "'red'", 4, 2))
    "'b' (2, first in row 4: 'red')"
    """

    column: str
    got: str = ""
    row: int | None = None
    count: int = 1

    def __str__(self) -> str:
        there = f"{self.count}, first in row {self.row}" if self.row is not None else ""
        said = ": ".join(piece for piece in (there, self.got) if piece)
        return f"{clipped(self.column)!r}{f' ({said})' if said else ''}"


@dataclass(frozen=True, repr=False)
class Fault(Shown):
    """One kind of fault of a table.

    Attributes
    ----------
    what : str
        What is wrong, in a few words.
    spots : tuple of Spot
        Where; empty where it is the table as a whole.
    expected : str
        What would have been accepted.
    got : str
        What is there, where that is of no column.
    mends : tuple of tuple of str
        Words of the command line, each of which mends it: ``("--drop-missing",)``, ``("--skip", "b")``. The options of
        `table_task` are called the same, with underscores.
    advice : str
        What to do where no such words help, or besides.

    Examples
    --------
    >>> fault = Fault("missing values", (Spot("b", row=3),), "numbers", mends=(("--drop-missing",),))
    >>> fault.mended
    '--drop-missing'
    """

    what: str
    spots: tuple[Spot, ...] = ()
    expected: str = ""
    got: str = ""
    mends: tuple[tuple[str, ...], ...] = ()
    advice: str = ""

    @property
    def found(self) -> str:
        """Columns, rows and what is there, in words."""
        return f"column {listed([str(spot) for spot in self.spots])}" if self.spots else self.got

    @property
    def mended(self) -> str:
        """The words that mend it, or the advice."""
        return ", or ".join([shlex.join(_shortened(words)) for words in self.mends] or [self.advice])


class TableError(TaskError):
    """A table has faults. The message names all of them, and what mends each; the hint mends all that words can mend.

    Parameters
    ----------
    faults : sequence of Fault
        At least one.
    where : str
        What the message calls the table.
    by_words : bool, default True
        Whether the reader can type what mends a fault; else the message has advice.

    Examples
    --------
    >>> missing = Fault("missing values", (Spot("b", "", 3, 1),), "numbers", mends=(("--drop-missing",),))
    >>> print(TableError([missing], "t.csv"))
    missing values: t.csv: expected numbers, got column 'b' (1, first in row 3); hint: --drop-missing
    """

    longest: ClassVar[int] = 1000

    def __init__(self, faults: Sequence[Fault], where: str, *, by_words: bool = True) -> None:
        self.faults = tuple(faults)
        if len(self.faults) == 1:
            fault = self.faults[0]
            hint = fault.mended if by_words else fault.advice
            super().__init__(fault.what, where=where, expected=fault.expected, got=fault.found, hint=hint)
            return
        pieces = [_piece(number, fault, by_words) for number, fault in enumerate(self.faults, start=1)]
        mended = shlex.join(_shortened(self.words)) if by_words else ""
        left = sum(not fault.mends for fault in self.faults)
        rest = f"; {left} of the faults must be mended in the table" if left and mended else ""
        super().__init__(
            f"{len(self.faults)} faults", where=where, got=" ".join(pieces), hint=f"add {mended}{rest}" * bool(mended)
        )

    @property
    def asked(self) -> dict[str, list[str]]:
        """The options that mend all faults that options can mend, with their values: of each fault the first way."""
        found: dict[str, list[str]] = {}
        option = ""
        for word in (word for fault in self.faults if fault.mends for word in fault.mends[0]):
            if word.startswith("--"):
                option = word
                found.setdefault(option, [])
            elif word not in found[option]:
                found[option].append(word)
        return found

    @property
    def words(self) -> tuple[str, ...]:
        """The options and their values as words of the command line."""
        return tuple(word for option, values in self.asked.items() for word in (option, *values))


def _piece(number: int, fault: Fault, by_words: bool) -> str:
    expected = f", expected {fault.expected}" if fault.expected else ""
    mended = fault.mended if by_words else fault.advice
    return f"({number}) {fault.what}: {fault.found}{expected}{f' [{mended}]' if mended else ''}"


def _shortened(words: Sequence[str]) -> list[str]:
    """Few enough of the names that an option takes, whole: a name cut short could not be typed."""
    kept: list[str] = []
    for word in words:
        if sum(map(len, kept)) + len(word) > 300:
            return [*kept, "..."]
        kept.append(word)
    return kept


def clipped(text: str) -> str:
    """A text of which a message has room for the beginning."""
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 4]} ..."


def listed(pieces: Sequence[str]) -> str:
    """The first few of many ``pieces``, and how many more there are.

    >>> listed(["a", "b"])
    'a, b'
    """
    more = f" and {len(pieces) - SHOWN} more" if len(pieces) > SHOWN else ""
    return ", ".join(pieces[:SHOWN]) + more
