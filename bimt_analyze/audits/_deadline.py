"""How long an audit may take, and which of its measures that leaves no time for."""

import math
import time
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Deadline:
    """When the last measure of an audit has to end.

    Attributes
    ----------
    minutes : float
        What was asked for; 0 for as long as it takes.
    ends : float
        On the clock of `time.monotonic`.
    reserved : float
        Seconds that are kept for work after the audit, about.

    Examples
    --------
    >>> soon = Deadline(minutes=1, ends=time.monotonic() + 20.4)
    >>> soon.leaves_out(expected=50.0)
    'left out, as it would take about 50 s, and 20 s of --minutes 1 are left'
    >>> soon.leaves_out(expected=10.0) is Deadline.after(0).leaves_out(expected=1e9) is None
    True
    """

    minutes: float
    ends: float
    reserved: float = 0.0

    @classmethod
    def after(cls, minutes: float, *, reserved: float = 0.0) -> Self:
        """The deadline of an analysis that begins now.

        Parameters
        ----------
        minutes : float
            How long all of it may take; 0 for as long as it takes.
        reserved : float, default 0.0
            Seconds that other work needs after the audit, about.

        Returns
        -------
        Deadline
            The end of the minutes, less what is reserved.
        """
        return cls(minutes, time.monotonic() + 60 * minutes - reserved if minutes else math.inf, reserved)

    def leaves_out(self, expected: float) -> str | None:
        """Why a measure has no time left, in words; None where it has.

        Parameters
        ----------
        expected : float
            Seconds that the measure is expected to take.

        Returns
        -------
        str or None
            A sentence without its full stop.
        """
        left = self.ends - time.monotonic()
        if expected <= left:
            return None
        about = f"it would take about {expected:.0f} s, and" if expected else "the time is up:"
        kept = f", less {self.reserved:g} s kept for formulas," if self.reserved else ""
        return f"left out, as {about} {max(left, 0.0):.0f} s of --minutes {self.minutes:g}{kept} are left"
