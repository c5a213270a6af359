"""The laws of motion behind a checkpoint that was trained on trajectories."""

from collections.abc import Mapping

import numpy as np
import sympy

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint
from bimt_train.trajectories.smoothed import smoothed_each
from bimt_train.trajectories.trajectory import of_measurements

from ._find_motion import find_motion
from .laws._motion import Motion
from .proposals._proposals import slope_tolerance


def slope_tolerances(checkpoint: Checkpoint) -> tuple[float, ...]:
    """How nearly the derivatives that a network was trained on are known, in units of their deviation.

    Parameters
    ----------
    checkpoint : Checkpoint
        Any.

    Returns
    -------
    tuple of float
        One for each output; 0 where the outputs are no derivatives of trajectories.
    """
    task, probe = checkpoint.task, checkpoint.probe
    if task.ode is None or probe.measured_train is None:
        return (0.0,) * len(task.outputs)
    curves = smoothed_each(of_measurements(probe.measured_train))
    slopes = np.concatenate([one.at(one.inner, 1) for one in curves])
    error = np.concatenate([one.inner_error for one in curves])
    places = [task.inputs.index(name) for name in task.ode.derivatives]
    return tuple(slope_tolerance(slopes[:, place], error[:, place]) for place in places)


def motion_of_checkpoint(
    checkpoint: Checkpoint, proposed: Mapping[str, sympy.Expr], *, time_limit: float, seed: int = 0
) -> Motion:
    """The equations of motion behind the trajectories that a network was trained on.

    They are searched by `find_motion`, the formulas of the network's outputs among the proposals, and checked by
    integration from the starts that were held out in training.

    Parameters
    ----------
    checkpoint : Checkpoint
        Of a task of motion (`bimt_train.tasks.ode_task`).
    proposed : mapping of str to sympy.Expr
        Output -> its formula.
    time_limit : float
        Seconds of the search, as in `find_motion`.
    seed : int
        Of everything random.

    Returns
    -------
    Motion
        One equation for each variable; those that are declared are given as they are.

    Raises
    ------
    InputError
        The task is none of motion, or its trajectories were not kept.
    """
    task, probe = checkpoint.task, checkpoint.probe
    if task.ode is None or probe.measured_train is None:
        hint = "train it by --time COLUMN"
        raise InputError("a checkpoint without trajectories", where=f"task {task.name!r}", hint=hint)
    held_out = () if probe.measured_test is None else of_measurements(probe.measured_test)
    by_variable = zip(task.ode.derivatives, task.outputs, strict=True)
    return find_motion(
        of_measurements(probe.measured_train),
        names=task.inputs,
        held_out=held_out,
        second_order=dict(task.ode.speeds),
        proposed={one: (proposed[output],) for one, output in by_variable if output in proposed},
        time_limit=time_limit,
        seed=seed,
    )
