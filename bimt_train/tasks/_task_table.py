"""The tasks that have a name as a table for a terminal."""

from .._errors import InputError
from ._tasks import TASKS, TaskKind

NOTE = "a seed: on one core, by the task's own recipe, 8 or more trained at once, as benchmarks/RESULTS.md has it"


def task_table() -> str:
    """The tasks that have a name as lines of text: inputs, outputs, how long a seed takes, what is learned.

    Returns
    -------
    str
        A line a task. A dash stands for what only the task's files tell, or what nobody measured.

    Examples
    --------
    >>> for line in task_table().splitlines()[:3]:
    ...     print(line)
    task              inputs  outputs  a seed  what is learned
    independence           4        2  0.07 s  Two outputs that share no input.
    feature-sharing        3        3  0.08 s  Three outputs that are sums of the same squares.
    """
    entries = TASKS.entries()
    width = max(len(entry.name) for entry in entries)
    lines = [f"{'task':<{width}}  inputs  outputs  a seed  what is learned"]
    for entry in entries:
        inputs, outputs = _ends(entry)
        time = "-" if entry.seconds is None else f"{entry.seconds:g} s"
        said = f"{entry.sentence}{f' Reads {entry.reads}.' if entry.reads else ''}"
        lines.append(f"{entry.name:<{width}}  {inputs:>6}  {outputs:>7}  {time:>6}  {said}")
    return "\n".join([*lines, "", NOTE])


def _ends(entry: TaskKind) -> tuple[str, str]:
    """The numbers of inputs and outputs, where no file is needed to tell them."""
    try:
        spec = entry.make().spec
    except (InputError, OSError):
        return "-", "-"
    return str(len(spec.inputs)), str(len(spec.outputs))
