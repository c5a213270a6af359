"""The options of a command line that say how a table is read; both commands have them."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ...shell.options import Choice, in_group
from .table_options import CATEGORIES, DATES, DECIMAL, IMPUTE, units_of_words

_Command = TypeVar("_Command", bound=Callable[..., Any])

_table = in_group("Table")
_FLAGS = (
    _table("--inputs", multiple=True, metavar="NAME...", help="Columns to predict from; all others if left out."),
    _table("--skip", multiple=True, metavar="NAME...", help="Columns to leave out."),
    _table(
        "--missing", multiple=True, metavar="WORD...", help="Words that mean a missing value, beside NA, n/a, -, ?."
    ),
    _table(
        "--drop-missing", is_flag=True, help="Leave out rows with a missing or infinite value in a column that is used."
    ),
    _table("--impute", type=Choice(IMPUTE), help="What missing inputs become: this of their column."),
    _table(
        "--categories",
        type=Choice(CATEGORIES),
        help="Texts become columns, one a category; a target of texts, classes.",
    ),
    _table("--dates", type=Choice(tuple(DATES)), help="Dates become the time since the first of them, in this unit."),
    _table("--decimal", type=Choice(DECIMAL), help="The decimal mark, where the numbers do not tell."),
    _table(
        "--units",
        multiple=True,
        metavar="names|COLUMN=UNIT...",
        help="names: v [m/s] becomes v, in m/s. Or the unit of each column.",
    ),
    _table(
        "--sigma",
        multiple=True,
        metavar="COLUMN...",
        help="Columns with the standard error of each target, by which formulas count the rows.",
    ),
    _table("--encoding", help="How the text is written, as latin-1; UTF-8 if left out."),
)

TABLE_WORDS = (
    "inputs", "skip", "missing", "drop_missing", "impute", "categories", "dates", "decimal", "units", "sigma",
    "encoding",
)  # fmt: skip
"""The parameters of the options that `table_flags` adds."""
TABLE_SEVERAL = ("--inputs", "--skip", "--missing", "--units", "--sigma")
"""Those of the options that take several values."""


def table_flags(command: _Command) -> _Command:
    """Add the options that say how a table is read.

    Parameters
    ----------
    command : callable
        The function of a command.

    Returns
    -------
    callable
        The function, with the options.

    Examples
    --------
    >>> import click
    >>> @click.command()
    ... @table_flags
    ... def law(**given): ...
    >>> tuple(option.name for option in law.params) == TABLE_WORDS
    True
    """
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command


def table_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """How a table is read, as far as a command line says: what `table_task` takes, by name.

    Parameters
    ----------
    given : mapping of str to object
        All options of the command, as click read them.

    Returns
    -------
    dict of str to object
        Those that are given and say how a table is read.

    Raises
    ------
    TaskError
        Units that cannot be read.

    Examples
    --------
    >>> table_options({"drop_missing": True, "impute": None, "units": ("v=m/s",), "seeds": 3})
    {'drop_missing': True, 'units': {'v': 'm/s'}}
    """
    said = {name: given[name] for name in TABLE_WORDS if name in given}
    said |= {"units": units_of_words(said["units"])} if "units" in said else {}
    return {name: value for name, value in said.items() if value}
