"""From the words of a command line to a task."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .._errors import TaskError
from ..did_you_mean import did_you_mean
from ..registry import load_file, load_object
from ._formula_task import formula_task
from ._task import Task
from ._tasks import TASKS, TaskKind, as_task

TABLES = (
    ".csv", ".tsv", ".txt", ".dat", ".parquet", ".feather", ".arrow", ".xlsx", ".h5", ".hdf5", ".npz", ".npy",
)  # fmt: skip
PLACE = re.compile(r".+\.py(:\w+)?|[A-Za-z_][\w.]*:[A-Za-z_]\w*")  # file.py, file.py:NAME or package.module:NAME


def resolve_task(
    words: str | Sequence[str],
    *,
    target: str | Sequence[str] | None = None,
    data: str | Path | None = None,
    table: Mapping[str, Any] | None = None,
    motion: Mapping[str, Any] | None = None,
) -> Task:
    """A task by its name, by formulas, by the path of a table, or from a Python file.

    Parameters
    ----------
    words : str or sequence of str
        One of: a name in `TASKS`, in any case, with underscores or hyphens; one or more formulas
        (``"y1 = (x1+x3)**3"``, or bare); the path of a table; ``file.py:NAME`` or ``package.module:NAME``, where NAME
        is a registered task, a function without arguments that returns a `Task`, or a `Task`; or ``file.py`` alone, if
        the file registers exactly one task or has a name ``task``. The file is run, so name only files that you trust.
    target : str, sequence of str or None
        The columns of the table to predict.
    data : str, Path or None
        What the task reads: the folder of mnist, the text of language.
    table : mapping of str to object or None
        How a table is read: what `table_task` takes besides, by name.
    motion : mapping of str to object or None
        Of a table of trajectories: ``time``, ``trajectory`` and ``second_order``, as `ode_task` takes them.

    Returns
    -------
    Task
        The task.

    Raises
    ------
    TaskError
        The words are none of these, with the names that are known; or whatever `formula_task` and `table_task` raise.
    InputError
        The file or the module cannot be run, or has no such name.

    Examples
    --------
    >>> resolve_task("feature_sharing").spec.outputs
    ('y1', 'y2', 'y3')
    >>> resolve_task("y = x1*x2").spec.inputs
    ('x1', 'x2')
    """
    given = [word.strip() for word in ([words] if isinstance(words, str) else words)]
    names = TASKS.names()
    if not any(given):
        raise TaskError("no task given", expected=_expected(names))
    tables = [word for word in given if Path(word).suffix.lower() in TABLES and "=" not in word]
    places = [word for word in given if PLACE.fullmatch(word) and "=" not in word]
    named = [word for word in given if _plain(word) in names]
    if len(given) > 1 and (alone := tables + places + named):
        raise TaskError("one task at a time", got=" ".join(given), hint=f"give {alone[0]!r} alone")
    if tables and motion:
        from .tables._ode_task import ode_task  # brings pandas

        if target:
            hint = "leave --target out: the derivatives of all variables are predicted; --inputs names the variables"
            raise TaskError("a target of trajectories", got="--target with --time", hint=hint)
        return ode_task(tables[0], **motion, table=table or {})
    if motion:
        option = f"--{next(iter(motion)).replace('_', '-')}"
        raise TaskError(f"{option} is for tables", got=" ".join(given), hint=f"leave {option} out")
    if tables:
        from .tables._table_task import table_task  # brings pandas, which only tables need

        return table_task(tables[0], target=target or (), **(table or {}))
    if target:
        raise TaskError("a target is for tables", got=f"--target with {' '.join(given)!r}", hint="leave --target out")
    if table:
        option = f"--{next(iter(table)).replace('_', '-')}"
        raise TaskError(f"{option} is for tables", got=" ".join(given), hint=f"leave {option} out")
    if named:
        return TASKS[_plain(given[0])].make(data)
    found = _at(places[0]) if places else None
    if isinstance(found, TaskKind):
        return found.make(data)
    if data is not None:
        raise TaskError("a task that reads no files", got=" ".join(given), hint="leave --data out")
    if places:
        return as_task(found, places[0])
    for word in given:
        if not _looks_like_formula(word):
            raise _unknown(word, given, names)
    return formula_task(given)


def _at(place: str) -> object:
    """The registered task at a place, or else what stands there."""
    found = load_object(place) if ":" in Path(place).name else _only_task(place)
    return TASKS.from_object(found) or found


def _only_task(file: str) -> object:
    """The one task that a file registers, or its ``task``."""
    module = load_file(file)
    entries = {name: TASKS.from_object(found) for name, found in vars(module).items()}
    own = [name for name, entry in entries.items() if entry and entry.function.__module__ == module.__name__]
    if len(own) == 1:
        return entries[own[0]]
    if hasattr(module, "task"):
        return module.task
    got = f"{len(own)} registered tasks" if own else "no registered task"
    raise TaskError("which task of the file", where=file, got=got, hint=f"write {file}:{own[0] if own else 'NAME'}")


def _plain(word: str) -> str:
    return word.lower().replace("_", "-")


def _looks_like_formula(word: str) -> bool:
    """It has an equals sign or an operator, and is neither hyphenated words nor a path."""
    if "=" in word:
        return word != "="
    if re.fullmatch(r"[A-Za-z_]\w*(-[A-Za-z_]\w*)+", word):  # x1-x2 is a formula, two-moons is not
        return not re.search(r"[A-Za-z]{4}", word)
    path = re.fullmatch(r"[\w./~-]*\.[A-Za-z]\w*", word) or (len(word) < 200 and Path(word).exists())
    return not path and bool(re.search(r"[-+*/^()]", word))


def _unknown(word: str, given: Sequence[str], names: Sequence[str]) -> TaskError:
    if "=" in given:
        return TaskError("a formula in pieces", got=" ".join(given), hint=f"put it in quotes: '{' '.join(given)}'")
    formula = f"if it is a formula, write 'y = {word}'" if "-" in word else "write a formula in quotes: 'y = x1*x2'"
    hint = did_you_mean(_plain(word), names, otherwise=formula)
    return TaskError("unknown task", expected=_expected(names), got=repr(word), hint=hint)


def _expected(names: Sequence[str]) -> str:
    return f"{', '.join(names)}, formulas, file.py:NAME, or a table ({' '.join(TABLES)})"
