"""A manifest: a table of files, with what each does not say of itself."""

import csv
import shlex
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bimt_train import InputError
from bimt_train.did_you_mean import did_you_mean

from ..options._sampling import Sampling


def _path(text: str, folder: Path) -> Path:
    return folder / text


def _words(text: str, folder: Path) -> tuple[str, ...]:
    return tuple(shlex.split(text))


def _pairs(text: str, folder: Path) -> tuple[tuple[float, float], ...]:
    numbers = [float(word) for word in text.replace(",", " ").split()]
    if len(numbers) % 2:
        raise ValueError("an odd number of numbers")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def _number(text: str, folder: Path) -> float:
    return float(text)


def _model(text: str, folder: Path) -> str:
    file, colon, name = text.rpartition(":")
    return f"{folder / file}:{name}" if colon and file.endswith(".py") else text


_FILE = "file"
_COLUMN: Mapping[str, str] = MappingProxyType(
    {"ranges": "range", "roles": "role", "batch_norm": "batch-norm", "lora_scale": "lora-scale"}
)  # field -> its column, where the two differ
_CELLS: Mapping[str, Callable[[str, Path], Any]] = MappingProxyType(
    {
        "probe": _path,
        "layout": _path,
        "target": _words,
        "range": _pairs,
        "model": _model,
        "role": _words,
        "lora-scale": _number,
    }
)  # all other cells are plain text
_FIELDS = {_COLUMN.get(field.name, field.name): field.name for field in fields(Sampling) if field.name != "table"}


def read_manifest(path: str | Path, sampling: Sampling | None = None) -> tuple[tuple[Path, Sampling], ...]:
    r"""The files of a CSV table, and what each does not say of itself.

    A column is called ``file``. The others, each of which may be missing, have the names of the fields of `Sampling`:
    ``range`` is two numbers, or two for each input; ``target`` is one name or several with spaces between. Paths are
    relative to the manifest. An empty cell means the default.

    Parameters
    ----------
    path : str or Path
        The table.
    sampling : Sampling or None
        Defaults. A row with a range does not take the default's table, and the other way round.

    Returns
    -------
    tuple of (Path, Sampling)
        One pair a row, in order.

    Raises
    ------
    InputError
        The table cannot be read, has no rows or no column ``file``, an unknown column, or a cell that is not of its
        form.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "manifest.csv"
    >>> _ = path.write_text("file,activation,range\na.pt,relu,-1 1\nb.pt,,0 1\n")
    >>> [(file.name, said.activation, said.ranges) for file, said in read_manifest(path, Sampling("silu"))]
    [('a.pt', 'relu', ((-1.0, 1.0),)), ('b.pt', 'silu', ((0.0, 1.0),))]
    """
    table, default = Path(path), sampling or Sampling()
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            head = [name.strip() for name in reader.fieldnames or ()]
            _check_head(head, table)
            reader.fieldnames = head
            rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(
            "a table that is no CSV in UTF-8", where=str(table), got=str(error), hint="save it anew, as CSV in UTF-8"
        ) from None
    if not rows:
        raise InputError("a manifest without rows", where=str(table), hint="write a file's path into each row")
    return tuple(_row(row, default, table, f"{table}, line {line}") for line, row in rows)


def is_manifest(path: str | Path) -> bool:
    r"""Whether the first line of a CSV file names a column of files; so it is taken to be where it cannot be read.

    Parameters
    ----------
    path : str or Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "table.csv"
    >>> _ = path.write_text("mass,speed,energy\n1,2,2\n")
    >>> is_manifest(path)
    False
    """
    try:
        with Path(path).open(encoding="utf-8-sig", errors="replace", newline="") as lines:  # a table may be in latin-1
            head = next(csv.reader(lines), [_FILE])
    except (OSError, csv.Error):
        return True
    return _FILE in (name.strip() for name in head)


def _check_head(head: list[str], table: Path) -> None:
    known = (_FILE, *_FIELDS)
    for name in head:
        if name not in known:
            hint = did_you_mean(name, known, otherwise="rename or remove it; a table of rows has a call of its own")
            what = "an unknown column of a manifest"
            raise InputError(what, where=str(table), expected=", ".join(known), got=repr(name), hint=hint)
    twice = [name for name in known if head.count(name) > 1]
    if twice:
        raise InputError("a column that occurs twice", where=str(table), got=twice[0], hint="remove one of them")
    if _FILE not in head:
        what, hint = "a manifest" if any(head) else "an empty file", "its first line names the columns"
        raise InputError(f"{what} without a column of files", where=str(table), expected=_FILE, hint=hint)


def _row(row: dict[Any, Any], default: Sampling, table: Path, where: str) -> tuple[Path, Sampling]:
    if None in row or None in row.values():
        what, hint = "a row of another length than the first", "put a cell with commas in it into quotes"
        raise InputError(what, where=where, hint=hint)
    cells = {name: text.strip() for name, text in row.items() if text.strip()}
    if _FILE not in cells:
        raise InputError("a row without a file", where=where, hint="write a path, or remove the row")
    file = table.parent / cells.pop(_FILE)
    said = {}
    for name, text in cells.items():
        try:
            said[_FIELDS[name]] = _CELLS[name](text, table.parent) if name in _CELLS else text
        except ValueError as error:
            expected = {"range": "two numbers, or two for each input"}.get(name, "words")
            what = "a cell that cannot be read"
            raise InputError(what, where=f"{where}, {name}", expected=expected, got=f"{text!r} ({error})") from None
    if "ranges" in said:
        default = replace(default, probe=None, target=())
    if "probe" in said:
        default = replace(default, ranges=())
    return file, replace(default, **said)
