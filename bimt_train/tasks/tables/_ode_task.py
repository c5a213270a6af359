"""Trajectories as a task: the derivatives of a system's variables, learned from its state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

from ..._errors import InputError
from ...checkpoints._ode_spec import OdeSpec
from ...checkpoints._task_spec import TaskSpec
from ...trajectories import Trajectory
from ...trajectories.smoothed import Smoothed, smoothed_each
from ...trajectories.thinned import thinned
from ...trajectories.trajectory import as_measurements, check_speeds
from .._task import Dataset, Task, mlp
from ._trajectory_table import TrajectoryTable, read_trajectories
from .column_names import safe_names

if TYPE_CHECKING:
    import pandas as pd

HIDDEN = (20, 20)
_FEWEST = 3  # trajectories of which some are held out
_HELD_OUT = 0.2
_STILL = 1e-9  # of a variable's speed: a derivative that varies less is constant

States = Float64[np.ndarray, "_ states"]
Slopes = Float64[np.ndarray, "_ derivatives"]


@dataclass(frozen=True, eq=False)
class OdeSampler:
    """Smooth states and their derivatives; whole trajectories are held out, by the seed.

    Seed s holds out the first round(n / 5), at least one, of ``np.random.default_rng(s).permutation(n)`` trajectories.
    Of one or two, a stretch of a fifth of each is held out, which begins where the same generator says.

    Attributes
    ----------
    trajectories : tuple of Trajectory
        What was measured.
    rows : tuple of (array of shape [rows, states], array of shape [rows, derivatives])
        The smooth states of each, and their derivatives.
    """

    trajectories: tuple[Trajectory, ...]
    rows: tuple[tuple[States, Slopes], ...]

    def __call__(self, seed: int) -> Dataset:
        rng, count = np.random.default_rng(seed), len(self.rows)
        if count < _FEWEST:
            halves = [_without_a_stretch(len(x), rng) for x, _ in self.rows]
            train = [(x[kept], y[kept]) for (x, y), (kept, _) in zip(self.rows, halves, strict=True)]
            test = [(x[left], y[left]) for (x, y), (_, left) in zip(self.rows, halves, strict=True)]
            return Dataset(*_mixed(train, rng), *_mixed(test, rng), measured_train=as_measurements(self.trajectories))
        left, kept = np.split(rng.permutation(count), [max(round(_HELD_OUT * count), 1)])
        parts = [[self.rows[number] for number in sorted(some)] for some in (kept, left)]
        whole = [as_measurements([self.trajectories[number] for number in sorted(some)]) for some in (kept, left)]
        return Dataset(
            *_mixed(parts[0], rng), *_mixed(parts[1], rng), measured_train=whole[0], measured_test=whole[1]
        )  # fmt: skip


def _without_a_stretch(count: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The numbers of the rows without a stretch of a fifth of them, and those of the stretch."""
    length = max(round(_HELD_OUT * count), 1)
    begin = int(rng.integers(0, count - length + 1))
    inside = (np.arange(count) >= begin) & (np.arange(count) < begin + length)
    return np.flatnonzero(~inside), np.flatnonzero(inside)


def _mixed(parts: Sequence[tuple[States, Slopes]], rng: np.random.Generator) -> tuple[States, Slopes]:
    """The rows of several trajectories in any order: a checkpoint takes the first of many along."""
    x, y = (np.concatenate(side) for side in zip(*parts, strict=True))
    order = rng.permutation(len(x))
    return x[order], y[order]


def ode_task(
    source: "str | Path | pd.DataFrame | TrajectoryTable",
    *,
    time: str | None = None,
    trajectory: str | None = None,
    second_order: Mapping[str, str] | None = None,
    widths: Sequence[int] | None = None,
    name: str | None = None,
    table: Mapping[str, Any] | None = None,
) -> Task:
    """A system's equations of motion: from its state to the derivatives of its variables by time.

    Each trajectory is smoothed as far as its own noise asks for (`smoothed_each`), one of more
    than 1,000 times thinned out before. The rows of the task are the smooth states and their derivatives, without the
    three times at each end, where these are known worst. Whole trajectories are held out, so that a network is tested
    from starts that it has not seen; of one or two trajectories, a stretch of each. The checkpoint keeps what was
    measured (`Probe.measured_train`), and that the task is one of motion (`TaskSpec.ode`).

    Parameters
    ----------
    source : str, Path, pandas.DataFrame or TrajectoryTable
        A file that `table_task` reads, a DataFrame, or trajectories with the names of their variables.
    time : str, optional
        The column of times, at any distances; not for a `TrajectoryTable`.
    trajectory : str, optional
        The column that says to which trajectory a row belongs. If left out, one begins wherever time goes back.
    second_order : mapping of str to str, optional
        ``{"x": "v"}`` declares that v is the derivative of x, which is then not learned.
    widths : sequence of int, optional
        Neurons of each layer, inputs and outputs included; two hidden layers of 20 if left out.
    name : str, optional
        Name of the task; the file's name without its suffix if left out.
    table : mapping of str to object, optional
        How the table is read: what `table_task` takes besides, by name.

    Returns
    -------
    Task
        The task; its outputs are named ``x_dot``.

    Raises
    ------
    TaskError
        A table that cannot be read, with all its faults.
    InputError
        No column of times, columns that are not there, fewer than 12 times, and a second order of other than variables.

    Examples
    --------
    >>> times = np.linspace(0, 6, 60)
    >>> runs = [Trajectory(times, a * np.exp(-times)[:, None]) for a in (1.0, 2.0, 3.0)]
    >>> task = ode_task(TrajectoryTable(tuple(runs), ("x",), "t"))
    >>> task.spec.inputs, task.spec.outputs, task.spec.ode
    (('x',), ('x_dot',), OdeSpec(dx/dt learned))
    >>> data = task.data(0)
    >>> bool(np.allclose(data.y_test, -data.x_test, atol=1e-4)), data.measured_test.shape
    (True, (60, 3))
    """
    if isinstance(source, TrajectoryTable):
        read, title = source, name or "motion"
    elif time is None:
        raise InputError("no column of times", where=str(source), hint="name it: time=, on the command line --time")
    else:
        read = read_trajectories(source, time=time, trajectory=trajectory, table=table)
        title = name or (Path(source).stem if isinstance(source, str | Path) else "motion")
    speeds = dict(second_order or {})
    check_speeds(speeds, read.names)
    parts = tuple(part for one in read.trajectories for part in thinned(one))
    learned = [place for place, one in enumerate(read.names) if one not in speeds]
    rows = tuple(_rows(curve, learned) for curve in smoothed_each(parts))
    spec = _spec(title, read, speeds, rows)
    network = (len(spec.inputs), *HIDDEN, len(spec.outputs)) if widths is None else tuple(widths)
    return Task(spec, mlp(network), OdeSampler(parts, rows))


def _rows(curve: Smoothed, learned: Sequence[int]) -> tuple[States, Slopes]:
    """Smooth states, and the derivatives that are learned."""
    return curve.at(curve.inner), curve.at(curve.inner, 1)[:, learned]


def _spec(
    name: str, read: TrajectoryTable, speeds: Mapping[str, str], rows: Sequence[tuple[States, Slopes]]
) -> TaskSpec:
    """The task's description."""
    learned = tuple(one for one in read.names if one not in speeds)
    named = safe_names((*read.names, *(f"{one}_dot" for one in learned)))
    x, y = (np.concatenate(side) for side in zip(*rows, strict=True))
    low, high = x.min(axis=0), x.max(axis=0)
    wide = np.where(high > low, high - low, 1.0)  # of a variable that stands still
    ends = tuple(zip((low - (high <= low)).tolist(), (high + (high <= low)).tolist(), strict=True))
    places = [read.names.index(one) for one in learned]
    longest = max(float(np.ptp(one.times)) for one in read.trajectories)
    speed = np.maximum(np.abs(y).max(axis=0), np.abs(x[:, places]).max(axis=0) / longest)
    deviation = np.where(y.std(axis=0) > _STILL * speed, y.std(axis=0), 1.0)  # else nothing but rounding
    units = {one: read.units.get(one, "") for one in read.names}
    rates = tuple(_rate(units[one], read.units.get(read.time, "")) for one in learned)
    return TaskSpec(
        name,
        read.names,
        named[len(read.names) :],
        ends,
        input_shift=tuple(((high + low) / 2).tolist()),
        input_scale=tuple((wide / 2).tolist()),
        output_shift=tuple(y.mean(axis=0).tolist()),
        output_scale=tuple(deviation.tolist()),
        input_units=tuple(units.values()) if any(units.values()) else None,
        output_units=rates if any(rates) else None,
        notes=(*read.assumed, *read.notes),
        ode=OdeSpec(read.time, learned, tuple(speeds.items())),
    )


def _rate(unit: str, time: str) -> str:
    """The unit of a derivative, where both are known."""
    return f"({unit})/({time})" if unit and time else ""
