"""What the search for laws of motion is asked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from bimt_train import InputError

from .laws._motion import state_names
from .trajectories._thinned import MOST_TIMES, thinned
from .trajectories._trajectory import Trajectory, check_trajectories

_ORDERS = (1, 2)


@dataclass(frozen=True)
class Asked:
    """What is asked for, checked.

    Attributes
    ----------
    trajectories, held_out : tuple of Trajectory
        Those that are searched, and those that are only predicted.
    names : tuple of str
        The variables.
    order : int
        1 or 2.
    long : int
        How many of the trajectories were thinned out.
    """

    trajectories: tuple[Trajectory, ...]
    held_out: tuple[Trajectory, ...]
    names: tuple[str, ...]
    order: int
    long: int

    @staticmethod
    def of(
        trajectories: Sequence[Trajectory],
        names: Sequence[str] | None,
        held_out: Sequence[Trajectory] | None,
        order: int,
    ) -> "Asked":
        """What is asked for, or one line of what is wrong with it.

        Parameters
        ----------
        trajectories, held_out : sequence of Trajectory
            As `find_motion` takes them.
        names : sequence of str or None
            The variables.
        order : int
            1 or 2.
        """
        if order not in _ORDERS:
            raise InputError("an order that is not searched", where="order", expected="1 or 2", got=str(order))
        width = trajectories[0].width if trajectories else 0
        named = tuple(names) if names is not None else tuple(f"x{i + 1}" for i in range(width))
        check_trajectories(trajectories, len(named), where="trajectories")
        states = state_names(named, order)
        wrong = [name for name in named if not re.fullmatch(r"[A-Za-z_]\w*", name)]
        if wrong or len(set(states)) < len(states):
            raise InputError(
                "names do not fit the variables", where="names", expected="different words", got=str(list(named))
            )
        if held_out is None:
            kept = len(trajectories) - (len(trajectories) >= 3)
            trajectories, held_out = trajectories[:kept], trajectories[kept:]
        elif held_out:
            check_trajectories(held_out, len(named), where="held_out")
        long = sum(len(one.times) > MOST_TIMES for one in (*trajectories, *held_out))
        parts = tuple(part for one in trajectories for part in thinned(one))
        return Asked(parts, tuple(thinned(one)[0] for one in held_out), named, order, long)

    @property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """All that makes up a state."""
        return tuple(sympy.Symbol(name, real=True) for name in state_names(self.names, self.order))
