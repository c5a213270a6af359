"""One trajectory: values of several variables at growing times."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from .._errors import InputError
from ..did_you_mean import did_you_mean
from ..showing import Shown

FEWEST = 12  # times of a trajectory: fewer leave no derivative away from the ends


@dataclass(frozen=True, repr=False, eq=False)
class Trajectory(Shown):
    """What was measured of a system from one start on.

    Attributes
    ----------
    times : array of shape [times]
        When, in the user's unit of time; growing, evenly spaced or not.
    values : array of shape [times, variables]
        The state at each time, each variable in its own unit.

    Raises
    ------
    InputError
        For other than finite numbers, times that do not grow, fewer than 12 times, and sizes that differ.

    Examples
    --------
    >>> times = np.linspace(0, 5, 40)
    >>> Trajectory(times, np.exp(-times)[:, None])
    Trajectory(40 times from 0 to 5, 1 variable)
    """

    times: Float64[np.ndarray, "times"]
    values: Float64[np.ndarray, "times variables"]

    def __post_init__(self) -> None:
        times, values = np.array(self.times, np.float64), np.array(self.values, np.float64)
        if times.ndim != 1 or values.ndim != 2 or len(times) != len(values) or not values.size:
            raise InputError(
                "a trajectory's sizes do not fit",
                expected="times [times] and values [times, variables]",
                got=f"{np.shape(times)} and {np.shape(values)}",
                hint="a single variable is values[:, None]",
            )
        if len(times) < FEWEST:
            raise InputError("too few times", where="trajectory", expected=f"{FEWEST} or more", got=str(len(times)))
        for label, part in (("times", times), ("values", values)):
            if len(bad := np.argwhere(~np.isfinite(part))):
                place = ", ".join(str(int(i)) for i in bad[0])
                raise InputError("a value is no finite number", where=f"{label}[{place}]", hint="leave out such times")
        if len(back := np.flatnonzero(np.diff(times) <= 0)):
            raise InputError(
                "times do not grow",
                where=f"times[{int(back[0]) + 1}]",
                expected=f"more than {times[back[0]]:g}",
                got=f"{times[back[0] + 1]:g}",
                hint="give each run as a trajectory of its own, sorted by time",
            )
        times.flags.writeable = values.flags.writeable = False
        object.__setattr__(self, "times", times)
        object.__setattr__(self, "values", values)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trajectory):
            return NotImplemented
        return np.array_equal(self.times, other.times) and np.array_equal(self.values, other.values)

    def __hash__(self) -> int:
        return hash((self.times.tobytes(), self.values.tobytes()))

    @property
    def width(self) -> int:
        """How many variables there are."""
        return int(self.values.shape[1])

    @property
    def start(self) -> Float64[np.ndarray, "variables"]:
        """The state at the first time."""
        return np.asarray(self.values[0])

    def _brief(self) -> str:
        first, last = self.times[0], self.times[-1]
        return f"{len(self.times)} times from {first:g} to {last:g}, {self.width} variable{'s' * (self.width != 1)}"


def check_trajectories(trajectories: Sequence[Trajectory], width: int, *, where: str) -> None:
    """Refuse trajectories that do not have the same variables.

    Parameters
    ----------
    trajectories : sequence of Trajectory
        What was measured.
    width : int
        How many variables there must be.
    where : str
        What they are, for the error's text.

    Raises
    ------
    InputError
        Where there are none, or one has other than ``width`` variables.

    Examples
    --------
    >>> check_trajectories([Trajectory(np.arange(12.0), np.zeros((12, 2)))], 2, where="trajectories")
    """
    if not trajectories:
        raise InputError("no trajectory", where=where, expected="one or more")
    for number, one in enumerate(trajectories):
        if one.width != width:
            raise InputError(
                "variables do not fit", where=f"{where}[{number}]", expected=f"{width} variables", got=str(one.width)
            )


def check_speeds(speeds: Mapping[str, str], names: Sequence[str]) -> None:
    """Refuse declarations of the second order that do not fit the variables.

    Parameters
    ----------
    speeds : mapping of str to str
        Variable -> the variable that is its derivative by time.
    names : sequence of str
        All variables.

    Raises
    ------
    InputError
        A name is no variable, a variable is its own derivative, or no derivative is left to be found.

    Examples
    --------
    >>> check_speeds({"x": "v"}, ["x", "v"])
    """
    for variable, speed in speeds.items():
        for name in (variable, speed):
            if name not in names:
                raise InputError(
                    "no such variable", where="second order", expected=", ".join(names), got=name,
                    hint=did_you_mean(name, names, otherwise="write it as position:speed, two columns"),
                )  # fmt: skip
        if variable == speed:
            raise InputError("a variable that is its own derivative", where="second order", got=f"{variable}:{speed}")
    if len(speeds) >= len(names):
        raise InputError("no derivative is left to be found", where="second order", got=", ".join(speeds))


def as_measurements(trajectories: Sequence[Trajectory]) -> Float64[np.ndarray, "measurements columns"]:
    """Trajectories as one table of numbers, as a checkpoint keeps them.

    Parameters
    ----------
    trajectories : sequence of Trajectory
        At least one, all of the same variables.

    Returns
    -------
    array of shape [measurements, 2 + variables]
        One row a time: the number of the trajectory, from 0, the time, and the values.

    Examples
    --------
    >>> rows = as_measurements([Trajectory(np.arange(12.0), np.ones((12, 1)))])
    >>> rows[-1].tolist(), of_measurements(rows)
    ([0.0, 11.0, 1.0], (Trajectory(12 times from 0 to 11, 1 variable),))
    """
    every = [
        np.column_stack([np.full(len(one.times), float(number)), one.times, one.values])
        for number, one in enumerate(trajectories)
    ]
    return np.concatenate(every)


def of_measurements(rows: Float64[np.ndarray, "measurements columns"]) -> tuple[Trajectory, ...]:
    """The trajectories of a table that `as_measurements` made.

    Parameters
    ----------
    rows : array of shape [measurements, 2 + variables]
        One row a time: the number of the trajectory, the time, and the values.

    Returns
    -------
    tuple of Trajectory
        In the order of their numbers.

    Raises
    ------
    InputError
        For rows that make up no trajectories.

    Examples
    --------
    >>> of_measurements(as_measurements([Trajectory(np.arange(12.0), np.ones((12, 2)))]))
    (Trajectory(12 times from 0 to 11, 2 variables),)
    """
    return tuple(
        Trajectory(some[:, 1], some[:, 2:]) for some in (rows[rows[:, 0] == number] for number in np.unique(rows[:, 0]))
    )
