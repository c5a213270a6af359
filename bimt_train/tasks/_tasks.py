"""The registry of tasks that have a name."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._errors import InputError, TaskError
from ..registry import Entry, Registry
from ._task import Task


@dataclass(frozen=True, kw_only=True)
class TaskKind(Entry):
    """A task that has a name, and how it is made.

    Attributes
    ----------
    name : str
        The word by which the task is chosen; its `TaskSpec` has the same name.
    label : str
        A few words for tables, pictures and reports.
    sentence : str
        One sentence that says what is learned.
    function : callable
        Returns the task. Every parameter has a default; where ``reads`` is given, the first is a path.
    reads : str
        What ``--data`` names, for instance ``"a text in UTF-8"``; empty for a task that reads no files.
    seconds : float or None
        Time of a seed on one core of a PC, by the task's own recipe, where many seeds are trained at once; None where
        nobody measured it.
    recipe : callable or None
        Returns the `Recipe` that suits the task; None takes the general one (`default_recipe`).

    Examples
    --------
    >>> TASKS["independence"].make().spec.outputs
    ('y1', 'y2')
    """

    reads: str = ""
    seconds: float | None = None
    recipe: Callable[[], Any] | None = None

    def make(self, data: str | Path | None = None) -> Task:
        """The task.

        Parameters
        ----------
        data : str, Path or None
            What the task reads; None takes the task's own default.

        Returns
        -------
        Task
            The task, whose spec has the name of the entry.

        Raises
        ------
        TaskError
            ``data`` is given to a task that reads no files, or the function returns something else than such a task.
        """
        if data is not None and not self.reads:
            raise TaskError("a task that reads no files", got=self.name, hint="leave --data out")
        task = as_task(self.function if data is None else lambda: self.function(data), self.name)
        if task.spec.name != self.name:
            hint = f"write TaskSpec({self.name!r}, ...), or register it as {task.spec.name!r}"
            raise TaskError("a task of another name", expected=repr(self.name), got=repr(task.spec.name), hint=hint)
        return task


def as_task(found: object, where: str) -> Task:
    """A task, or what a function without arguments returns as one.

    Parameters
    ----------
    found : object
        A `Task`, or a callable that returns one.
    where : str
        Its name, for the message.

    Returns
    -------
    Task
        The task.

    Raises
    ------
    TaskError
        It is neither, or the function raises an error.
    """
    try:
        task = found() if callable(found) and not isinstance(found, Task) else found
    except (InputError, OSError):
        raise
    except Exception as error:  # whatever a user's function raises is told in one line
        got = f"{type(error).__name__}: {error}"
        raise TaskError("a task that cannot be made", where=where, got=got) from error
    if not isinstance(task, Task):
        expected = "a Task, or a function that returns one"
        raise TaskError("no task", where=where, expected=expected, got=type(task).__name__)
    return task


def _module(name: str) -> str:
    return f"bimt_train.tasks.{name}"


TASKS: Registry[TaskKind] = Registry(
    "task",
    TaskKind,
    builtin={
        "independence": _module("_paper"),
        "feature-sharing": _module("_paper"),
        "composition": _module("_paper"),
        "two-moons": _module("_two_moons"),
        "modular-addition": _module("_group_products"),
        "permutation-s4": _module("_group_products"),
        "in-context": _module("_in_context"),
        "evidence": _module("_evidence_accumulation"),
        "mnist": _module("_mnist"),
        "pipeline": _module("_pipeline"),
        "two-digits": _module("_two_digits"),
        "language": _module("_language"),
    },
    group="bimt.tasks",
)
