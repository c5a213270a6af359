"""What the search for laws of motion is asked for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import sympy

from bimt_train import InputError
from bimt_train.trajectories import Trajectory
from bimt_train.trajectories.thinned import MOST_TIMES, thinned
from bimt_train.trajectories.trajectory import check_speeds, check_trajectories

from .laws._motion import state_names

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
    speeds : tuple of (str, str)
        Variables whose derivative is another variable, and that one.
    proposed : mapping of str to tuple of sympy.Expr
        Right-hand sides that are tried first, by variable.
    """

    trajectories: tuple[Trajectory, ...]
    held_out: tuple[Trajectory, ...]
    names: tuple[str, ...]
    order: int
    long: int
    speeds: tuple[tuple[str, str], ...]
    proposed: Mapping[str, tuple[sympy.Expr, ...]]

    @staticmethod
    def of(
        trajectories: Sequence[Trajectory],
        names: Sequence[str] | None,
        held_out: Sequence[Trajectory] | None,
        order: int,
        second_order: Mapping[str, str],
        proposed: Mapping[str, Sequence[sympy.Expr]],
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
        second_order : mapping of str to str
            As `find_motion` takes it.
        proposed : mapping of str to sequence of sympy.Expr
            Right-hand sides that are tried first.
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
        check_speeds(second_order, named)
        if second_order and order == 2:
            hint = "leave one of them out: order=2 is for speeds that nobody measured"
            raise InputError("the second order is declared twice", got="order and second_order", hint=hint)
        if held_out is None:
            kept = len(trajectories) - (len(trajectories) >= 3)
            trajectories, held_out = trajectories[:kept], trajectories[kept:]
        elif held_out:
            check_trajectories(held_out, len(named), where="held_out")
        long = sum(len(one.times) > MOST_TIMES for one in (*trajectories, *held_out))
        own = MappingProxyType({name: _over(states, several) for name, several in proposed.items()})
        parts = tuple(part for one in trajectories for part in thinned(one))
        kept_out = tuple(thinned(one)[0] for one in held_out)
        return Asked(parts, kept_out, named, order, long, tuple(second_order.items()), own)

    @property
    def given(self) -> tuple[sympy.Expr | None, ...]:
        """For each state, its derivative where that is another state by declaration; else None."""
        symbols, speeds = self.symbols, dict(self.speeds)
        by_name = {str(symbol): symbol for symbol in symbols}
        if self.order == 2:
            return (*symbols[len(self.names) :], *(None for _ in self.names))
        return tuple(by_name[speeds[name]] if name in speeds else None for name in self.names)

    @property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """All that makes up a state."""
        return tuple(sympy.Symbol(name, real=True) for name in state_names(self.names, self.order))


def _over(states: Sequence[str], expressions: Sequence[sympy.Expr]) -> tuple[sympy.Expr, ...]:
    """Expressions with the real symbols of the states in the place of symbols of the same names."""
    real = {name: sympy.Symbol(name, real=True) for name in states}
    return tuple(one.xreplace({s: real[str(s)] for s in one.free_symbols if str(s) in real}) for one in expressions)
