"""Tables from files: CSV, Parquet and NumPy, as named columns that nobody has judged yet."""

import csv
import importlib
import re
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from ..._errors import TaskError
from ...extras import need

# (label, values): one-dimensional arrays of one length, of whatever kind the file holds.
Columns: TypeAlias = list[tuple[str, np.ndarray]]

SUFFIXES = (".csv", ".tsv", ".parquet", ".npz", ".npy")
SEPARATORS = ",;\t"
# What numpy, zipfile and pyarrow raise over bytes that are not what they should be.
_DAMAGE = (
    ValueError, EOFError, KeyError, TypeError, RuntimeError, OverflowError, MemoryError, SyntaxError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip


def read_table(source: str | Path | pd.DataFrame) -> Columns:
    """The columns of a file or a DataFrame, in their order, duplicated names and all.

    CSV is UTF-8 with a row of names first, separated by commas, semicolons or tabs, whichever the first row has most
    of; with semicolons, 1,5 is a number. A NumPy file holds a structured array (.npy) or one array a column (.npz).

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
        The table.

    Returns
    -------
    list of (str, array)
        Label and values of each column.

    Raises
    ------
    TaskError
        The file is absent, empty, of an unknown kind or not what its suffix says.
    InputError
        Reading Parquet needs an extra package.
    """
    if isinstance(source, pd.DataFrame):
        return _frame(source)
    path = Path(source)
    readers = {".csv": _csv, ".tsv": _csv, ".parquet": _parquet, ".npz": _npz, ".npy": _npy}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise TaskError("not a table", where=str(path), expected=" ".join(SUFFIXES), got=path.suffix or "no suffix")
    try:
        if not path.is_file():
            what = "a folder, not a table" if path.is_dir() else "no such file"
            raise TaskError(what, where=str(path), hint="check the path; relative paths start where the command runs")
        if path.stat().st_size == 0:
            raise TaskError("an empty file", where=str(path), expected="a row of names and at least 10 of numbers")
        return reader(path)
    except OSError as error:
        raise TaskError("cannot be read", where=str(path), got=str(error.strerror or error)) from None


def _frame(frame: pd.DataFrame) -> Columns:
    def values(column: Any) -> np.ndarray:
        plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufM"
        return np.asarray(column.to_numpy() if plain else column.to_numpy(dtype=object))

    return [(str(label), values(frame.iloc[:, at])) for at, label in enumerate(frame.columns)]


def _csv(path: Path) -> Columns:
    names, separator, lines = _header(path)
    try:
        frame = pd.read_csv(
            path, sep=separator, header=None, skiprows=lines, dtype=object, encoding="utf-8-sig",
            skipinitialspace=True, low_memory=False,
        )  # fmt: skip
    except pd.errors.EmptyDataError:
        return [(name, np.zeros(0)) for name in names]
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from None
    except pd.errors.ParserError as error:
        hint = "give every row as many fields as the first, and quote texts that hold the separator"
        raise TaskError("rows of different lengths", where=str(path), got=str(error).strip(), hint=hint) from None
    if frame.shape[1] != len(names):
        expected, got = f"{len(names)}, as in the row of names", str(frame.shape[1])
        raise TaskError("another number of fields in the first row", where=str(path), expected=expected, got=got)
    columns = [np.asarray(frame.iloc[:, at].to_numpy(dtype=object)) for at in range(len(names))]
    if separator == ";":
        columns = [_decimal_points(column) for column in columns]
    return list(zip(names, columns, strict=True))


def _header(path: Path) -> tuple[list[str], str, int]:
    """The names in the first row that is not blank, the separator, and how many lines this took."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = next((line for line in file if line.strip()), "")
            outside = re.sub(r'"[^"]*"', "", first)
            separator = max(SEPARATORS, key=outside.count)
            file.seek(0)
            rows = csv.reader(file, delimiter=separator, skipinitialspace=True)
            names = next((row for row in rows if any(map(str.strip, row))), [])
            lines = rows.line_num
    except UnicodeDecodeError as error:
        raise _not_utf8(path, error) from None
    except csv.Error as error:
        raise TaskError("a first row that cannot be read", where=str(path), got=str(error)) from None
    if not names:
        raise TaskError("an empty file", where=str(path), expected="a row of names and at least 10 of numbers")
    return [name.strip() for name in names], separator, lines


def _not_utf8(path: Path, error: UnicodeDecodeError) -> TaskError:
    got = f"byte 0x{error.object[error.start]:02x}"
    return TaskError("not a text in UTF-8", where=str(path), got=got, hint="save the table again as UTF-8")


def _decimal_points(column: np.ndarray) -> np.ndarray:
    pattern = re.compile(r"\s*[-+]?\d*,\d+([eE][-+]?\d+)?\s*")
    read = [v.replace(",", ".") if isinstance(v, str) and pattern.fullmatch(v) else v for v in column]
    return np.array(read, dtype=object)


def _parquet(path: Path) -> Columns:
    need("pyarrow", f"{path}, a Parquet file,")
    arrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    try:
        frame = parquet.read_table(path).to_pandas()
    except (*_DAMAGE, arrow.ArrowException) as error:
        raise TaskError("not a Parquet file", where=str(path), got=str(error)) from None
    return _frame(frame)


def _npz(path: Path) -> Columns:
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            columns = [(name, archive[name]) for name in archive.files] if hasattr(archive, "files") else []
    except _DAMAGE as error:
        raise TaskError("not an .npz archive of plain arrays", where=str(path), got=str(error)) from None
    if not columns:
        hint = "write it with numpy.savez(path, x1=..., y=...)"
        raise TaskError("not an archive of arrays", where=str(path), expected="one array a column", hint=hint)
    rows = len(columns[0][1]) if columns[0][1].ndim else 0
    for name, values in columns:
        if values.ndim != 1 or len(values) != rows:
            expected, got = f"one-dimensional, of {rows} rows", str(list(values.shape))
            where = f"{path}, array {name!r}"
            raise TaskError("an array that is no column", where=where, expected=expected, got=got)
    return columns


def _npy(path: Path) -> Columns:
    try:
        with path.open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except _DAMAGE as error:
        raise TaskError("not an .npy file of plain numbers", where=str(path), got=str(error)) from None
    names = array.dtype.names if isinstance(array, np.ndarray) else None
    if names is None or array.ndim != 1:
        hint = "name the columns: np.save(path, frame.to_records(index=False)), or numpy.savez(path, x1=..., y=...)"
        raise TaskError("an array without named columns", where=str(path), expected="a structured array", hint=hint)
    for name in names:
        if array[name].ndim != 1:
            raise TaskError("a field that is no column", where=f"{path}, {name!r}", got=str(list(array[name].shape)))
    return [(name, array[name]) for name in names]
