"""Tables from files, as named columns that nobody has judged yet."""

import importlib
import tokenize
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...._errors import TaskError
from ....extras import need
from ._raw_table import Columns, RawTable
from ._sheet import read_sheet
from ._text_table import read_text_table

_PACKED = (".gz", ".zip", ".bz2", ".xz", ".zst")
# What numpy, zipfile and pyarrow raise over bytes that are not what they should be.
_DAMAGE = (
    ValueError, EOFError, KeyError, TypeError, RuntimeError, OverflowError, MemoryError, SyntaxError,
    zipfile.BadZipFile, zlib.error, tokenize.TokenError,
)  # fmt: skip


def read_table(source: str | Path | pd.DataFrame, encoding: str | None = None) -> RawTable:
    """The columns of a file or a DataFrame, in their order, duplicated names and all.

    Texts are read as `read_text_table` says. A NumPy file holds a structured array (.npy) or one array a column
    (.npz); an HDF5 file one dataset a column, or a structured one.

    Parameters
    ----------
    source : str, Path or pandas.DataFrame
        The table.
    encoding : str or None
        How a text is written; None takes UTF-8.

    Returns
    -------
    RawTable
        Label and values of each column, and what was inferred.

    Raises
    ------
    TaskError
        The file is absent, empty, of an unknown kind or not what its suffix says.
    InputError
        Reading such a file needs an extra package.
    """
    if isinstance(source, pd.DataFrame):
        return RawTable(_frame(source), {})
    path = Path(source)
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        hint = "unpack it" if path.suffix.lower() in _PACKED else "save it as one of these"
        got = path.suffix or "no suffix"
        raise TaskError("not a table", where=str(path), expected=" ".join(SUFFIXES), got=got, hint=hint)
    try:
        if not path.is_file():
            what = "a folder, not a table" if path.is_dir() else "no such file"
            raise TaskError(what, where=str(path), hint="check the path; relative paths start where the command runs")
        if path.stat().st_size == 0:
            raise TaskError("an empty file", where=str(path), expected="a row of names and at least 10 of numbers")
        if reader is read_text_table:
            return read_text_table(path, encoding)
        if encoding is not None:
            raise TaskError("an encoding is for texts", where=str(path), got=encoding, hint="leave --encoding out")
        found = reader(path)
    except OSError as error:
        raise TaskError("cannot be read", where=str(path), got=str(error.strerror or error)) from None
    return found if isinstance(found, RawTable) else RawTable(found, {})


def _frame(frame: pd.DataFrame) -> Columns:
    def values(column: Any) -> np.ndarray:
        plain = isinstance(column.dtype, np.dtype) and column.dtype.kind in "biufM"
        return np.asarray(column.to_numpy() if plain else column.to_numpy(dtype=object))

    return [(str(label), values(frame.iloc[:, at])) for at, label in enumerate(frame.columns)]


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns that pandas reads back as the index are columns of the file."""
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index(level=named, allow_duplicates=True) if named else frame


def _parquet(path: Path) -> Columns:
    need("pyarrow", f"{path}, a Parquet file,")
    arrow, parquet = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.parquet"))
    try:
        frame = parquet.read_table(path).to_pandas()
    except (*_DAMAGE, arrow.ArrowException) as error:
        raise TaskError("not a Parquet file", where=str(path), got=str(error)) from None
    return _frame(_with_index(frame))


def _arrow(path: Path) -> Columns:
    """A Feather file, or Arrow's own, whole or as a stream."""
    need("pyarrow", f"{path}, an Arrow file,")
    arrow, ipc = (importlib.import_module(name) for name in ("pyarrow", "pyarrow.ipc"))
    data = path.read_bytes()
    opened = ipc.open_file if data.startswith(b"ARROW1") else ipc.open_stream
    try:
        frame = opened(data).read_pandas()
    except (*_DAMAGE, arrow.ArrowException) as error:
        raise TaskError("not an Arrow file", where=str(path), got=str(error)) from None
    return _frame(_with_index(frame))


def _hdf5(path: Path) -> Columns:
    """One dataset a column, or a single structured one. What pandas writes may hold pickles, and is not read."""
    need("h5py", f"{path}, an HDF5 file,")
    h5py = importlib.import_module("h5py")
    try:
        with h5py.File(path) as file:
            arrays = {name: one[()] for name, one in file.items() if isinstance(one, h5py.Dataset)}
    except (*_DAMAGE, OSError) as error:
        raise TaskError("not an HDF5 file", where=str(path), got=str(error)) from None
    if len(arrays) == 1 and next(iter(arrays.values())).dtype.names:
        return _fields(path, next(iter(arrays.values())))
    return _arrays(path, [(name, _texts(array)) for name, array in arrays.items()], 'file["x1"] = ..., with h5py')


def _texts(array: Any) -> np.ndarray:
    """An array whose bytes are texts."""
    values = np.asarray(array)
    if values.dtype.kind not in "SO":
        return values
    decoded = [value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values.ravel()]
    return np.array(decoded, dtype=object).reshape(values.shape)


def _npz(path: Path) -> Columns:
    try:
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            columns = [(name, archive[name]) for name in archive.files] if hasattr(archive, "files") else []
    except _DAMAGE as error:
        raise TaskError("not an .npz archive of plain arrays", where=str(path), got=str(error)) from None
    return _arrays(path, columns, "numpy.savez(path, x1=..., y=...)")


def _arrays(path: Path, columns: Columns, written: str) -> Columns:
    """The columns, once each is one-dimensional and as long as the others."""
    if not columns:
        hint = f"write it with {written}"
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
    return _fields(path, array)


def _fields(path: Path, array: np.ndarray) -> Columns:
    """The fields of a structured array as columns."""
    names = array.dtype.names or ()
    for name in names:
        if array[name].ndim != 1:
            raise TaskError("a field that is no column", where=f"{path}, {name!r}", got=str(list(array[name].shape)))
    return [(name, _texts(array[name])) for name in names]


_READERS: dict[str, Callable[[Path], RawTable | Columns]] = {
    ".csv": read_text_table, ".tsv": read_text_table, ".txt": read_text_table, ".dat": read_text_table,
    ".parquet": _parquet, ".feather": _arrow, ".arrow": _arrow, ".xlsx": read_sheet, ".h5": _hdf5, ".hdf5": _hdf5,
    ".npz": _npz, ".npy": _npy,
}  # fmt: skip
SUFFIXES = tuple(_READERS)
