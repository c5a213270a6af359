"""How much work a search may do: a ledger of what was done, and limits on it that do not depend on a clock."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Literal

Kind = Literal[
    "look", "compile", "lambdify", "evaluate", "fit", "solve", "decompose", "columns", "pool", "compare", "shapes",
    "build", "tidy", "expand", "digits", "network", "surrogate", "genetic", "integrate",
]  # fmt: skip

UNIT_COSTS: Mapping[Kind, tuple[float, float]] = MappingProxyType(
    {
        "look": (1e-6, 0.0),
        "compile": (4e-3, 8.3e-4),
        "lambdify": (2.6e-3, 5e-5),
        "evaluate": (2e-4, 3.2e-9),
        "fit": (1e-4, 5e-10),
        "solve": (3.7e-4, 1.3e-9),
        "decompose": (4.4e-4, 5.2e-10),
        "columns": (1e-4, 3.4e-9),
        "pool": (5e-4, 3.3e-8),
        "compare": (1e-4, 2.5e-10),
        "shapes": (4.9e-4, 3.4e-8),
        "build": (2e-4, 1e-5),
        "tidy": (4.4e-3, 3.5e-4),
        "expand": (5.7e-4, 8.2e-5),
        "digits": (3e-3, 1.5e-4),
        "network": (3e-4, 1e-6),
        "surrogate": (4.5, 7e-4),
        "genetic": (1.0, 4.5e-4),
        "integrate": (2.5e-5, 5e-9),
    }
)
"""Of each kind of work, the units of one call, and of one more of its size. They were fitted to the wall time of
searches (benchmarks/work.py): a unit is what a quiet core of the reference machine does in a second."""


@dataclass
class Ledger:
    """The work that one search has done; it only grows.

    Attributes
    ----------
    seconds : float
        Wall time after which the search is cut short, whatever work is left: the last resort.
    spent : float
        Units of work so far.
    cut : bool
        Whether the wall time ran out while work was left.
    paced : bool
        Whether a second that passes counts as a unit of work at least, so that the shares of stages hold by the clock
        too.
    """

    seconds: float = inf
    spent: float = 0.0
    cut: bool = False
    paced: bool = False
    _began: float = field(default_factory=lambda: time.monotonic())

    def charge(self, kind: Kind, size: float, calls: int) -> None:
        """Write down work.

        Parameters
        ----------
        kind : str
            What was done, a key of `UNIT_COSTS`.
        size : float
            How much of it, in all calls together.
        calls : int
            How often.
        """
        fixed, each = UNIT_COSTS[kind]
        self.spent += calls * fixed + size * each

    def spend(self, work: float) -> None:
        """Write down the work of another search that this one asked for.

        Parameters
        ----------
        work : float
            Units.
        """
        self.spent += work

    def late(self) -> bool:
        """Whether the wall time is used up; that is remembered."""
        if self.paced:
            self.spent = max(self.spent, time.monotonic() - self._began)
        if not self.cut and time.monotonic() - self._began >= self.seconds:
            self.cut = True
        return self.cut

    def seconds_left(self) -> float:
        """Wall time until the search is cut short."""
        return max(self._began + self.seconds - time.monotonic(), 0.0)


@dataclass(frozen=True)
class Budget:
    """A limit on the work of a search, looked at between candidates.

    It counts what was done and not how long that took, so that a search ends at the same candidate on every machine,
    however busy.

    Attributes
    ----------
    ledger : Ledger
        What the search has done so far, shared by all limits within it.
    end : float
        The entry of the ledger at which the work ends.
    """

    ledger: Ledger
    end: float

    @staticmethod
    def of(work: float, *, seconds: float = inf, paced: bool = False) -> "Budget":
        """A budget for a new search.

        Parameters
        ----------
        work : float
            Units of work; one is about what a quiet core does in a second.
        seconds : float
            Wall time after which the search is cut short all the same.
        paced : bool
            Whether a second that passes counts as a unit of work at least.
        """
        return Budget(Ledger(seconds, paced=paced), work)

    def charge(self, kind: Kind, size: float = 0.0, *, calls: int = 1) -> None:
        """Write down work that was done, or is done next.

        Parameters
        ----------
        kind : str
            What is done, a key of `UNIT_COSTS`.
        size : float
            How much of it, in all calls together.
        calls : int
            How often.
        """
        self.ledger.charge(kind, size, calls)

    def over(self) -> bool:
        """Whether the work is done, or the wall time used up; to look is work too, so that every loop ends."""
        self.ledger.charge("look", 0.0, 1)
        return self.ledger.late() or self.ledger.spent >= self.end

    @property
    def left(self) -> float:
        """Units of work that are left."""
        return max(self.end - self.ledger.spent, 0.0)

    def share(self, part: float) -> "Budget":
        """A share of the work that is left.

        Parameters
        ----------
        part : float
            The share, from 0 to 1.
        """
        return Budget(self.ledger, self.ledger.spent + part * self.left)

    def apart(self, work: float) -> "Budget":
        """So much more work from now on, whatever is left.

        Parameters
        ----------
        work : float
            Units of work.
        """
        return Budget(self.ledger, self.ledger.spent + work)
