"""Tables in files of text: CSV in its many forms."""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ...._errors import TaskError
from .._faults import Fault, clipped
from ._raw_table import COMMENTS, RawTable, is_missing, tidied

SEPARATORS = ",;\t"
_SPACES = r"\s+"
_NAMES = {";": "semicolons", "\t": "tabs", "|": "bars", _SPACES: "spaces"}
_BINARY = {  # how files begin that are called a text and are none
    b"PK\x03\x04": ("an archive, as Excel writes it", "give the file its own ending, .xlsx"),
    b"\x1f\x8b": ("a file that is packed by gzip", "unpack it"),
    b"PAR1": ("a Parquet file", "give the file its own ending, .parquet"),
    b"\x89HDF": ("an HDF5 file", "give the file its own ending, .h5"),
}
_SPARE = 64  # fields that a row may have more than the row of names, and still be read


def read_text_table(path: Path, encoding: str | None = None) -> RawTable:
    """The columns of a file of text: a row of names, and a row of the table in each line.

    Commas, semicolons or tabs separate the fields, whichever the row of names has most of; where it has none, bars or
    spaces. Lines that begin with # or % are comments, unless such a line is the row of names.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str or None
        How the text is written; None takes UTF-8, or UTF-16 where the file begins with its mark.

    Returns
    -------
    RawTable
        The columns, with what was inferred.

    Raises
    ------
    TaskError
        The file is not a text, or has no row of names.
    """
    text, notes = _decoded(path, encoding)
    lines = list(io.StringIO(text, newline=""))
    skipped = _leading_comments(lines)
    names, separator, taken = _header(lines[skipped:], path)
    body, comments = _without_comments(lines[skipped + taken :])
    comments += skipped
    if separator in _NAMES and not (separator == "\t" and path.suffix.lower() == ".tsv"):
        notes.append(f"{_NAMES[separator]} separate the columns")
    if comments:
        notes.append(f"comment lines left out: {comments}")
    frame = _frame(body, separator, len(names), path)
    columns = [np.asarray(frame.iloc[:, at].to_numpy(dtype=object)) for at in range(frame.shape[1])]
    columns += [np.full(len(frame), np.nan, dtype=object)] * (len(names) - len(columns))
    found = list(zip(names, columns[: len(names)], strict=True))
    faults = _longer_rows(columns[len(names) :], len(names))
    return tidied(RawTable(found, {}, tuple(notes), faults, separator == ";"))


def _decoded(path: Path, encoding: str | None) -> tuple[str, list[str]]:
    data, notes = path.read_bytes(), []
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not data.startswith(codecs.BOM_UTF32_LE)
    if encoding is None and wide:
        encoding = "utf-16"
        notes.append("the text is in UTF-16")
    try:
        return data.decode(encoding or "utf-8-sig").removeprefix("\ufeff"), notes
    except LookupError:
        hint = "utf-8, latin-1 and cp1252 are usual"
        raise TaskError("unknown encoding", where=str(path), got=repr(encoding), hint=hint) from None
    except UnicodeDecodeError as error:
        meant = next((what for begins, what in _BINARY.items() if data.startswith(begins)), None)
        if meant is not None:
            raise TaskError("not a text", where=str(path), got=meant[0], hint=meant[1]) from None
        got = f"byte 0x{error.object[error.start]:02x}"
        hint = "--encoding latin-1, or another, or save the table again as UTF-8"
        what = f"not a text in {'UTF-8' if encoding is None else encoding}"
        raise TaskError(what, where=str(path), got=got, hint=hint) from None
    except UnicodeError as error:
        raise TaskError(f"not a text in {encoding}", where=str(path), got=str(error)) from None


def _leading_comments(lines: Sequence[str]) -> int:
    """How many lines before the row of names are comments, and blank lines among them."""
    marked = [at for at, line in enumerate(lines[:1000]) if line.strip()]
    count = next((n for n, at in enumerate(marked) if not lines[at].startswith(COMMENTS)), len(marked))
    if count in (0, len(marked)):
        return 0
    last, first = _uncommented(lines[marked[count - 1]]), lines[marked[count]]
    separator = _separator(last)
    fields, below = _fields(last, separator), _fields(first, separator)
    if len(fields) == len(below) > 1 and any(map(_is_number, below)):
        return marked[count - 1]  # the names are in a comment, as numpy.savetxt writes them
    return marked[count]


def _uncommented(line: str) -> str:
    """A line without the sign of a comment that it begins with."""
    return line.lstrip("".join(COMMENTS)).lstrip()


def _fields(line: str, separator: str) -> list[str]:
    if separator == _SPACES:
        return line.split()
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _separator(line: str) -> str:
    outside = re.sub(r'"[^"]*"', "", line)
    separator = max(SEPARATORS, key=outside.count)
    if separator in outside:
        return separator
    if "|" in outside:
        return "|"
    return _SPACES if len(outside.split()) > 1 else separator


def _header(lines: Sequence[str], path: Path) -> tuple[list[str], str, int]:
    """The names in the first row that is not blank, the separator, and how many lines this took."""
    first = next((line for line in lines if line.strip()), "")
    separator = _separator(first)
    try:
        if separator == _SPACES:
            names, taken = _split_names(_uncommented(first)), lines.index(first) + 1
        else:
            rows = csv.reader(lines, delimiter=separator, skipinitialspace=True)
            names = next((row for row in rows if any(map(str.strip, row))), [])
            taken = rows.line_num
    except csv.Error as error:
        raise TaskError("a first row that cannot be read", where=str(path), got=str(error)) from None
    if not names:
        raise TaskError("an empty file", where=str(path), expected="a row of names and at least 10 of numbers")
    return [name.strip() for name in names], separator, taken


def _split_names(line: str) -> list[str]:
    """Names between spaces; a unit in brackets belongs to the name before it."""
    words = next(csv.reader([line.strip()], delimiter=" ", skipinitialspace=True), [])
    names: list[str] = []
    for word in filter(None, words):
        bracketed = word[:1] in "([" and word[-1:] in ")]"
        if bracketed and names:
            names[-1] += f" {word}"
        else:
            names.append(word)
    return names


def _without_comments(lines: Sequence[str]) -> tuple[str, int]:
    """The rows without lines of comments outside quotes, and how many these were.

    Where most rows begin with the sign, they are no comments: such a column may hold #1, #2, ...
    """
    marked = [line.startswith(COMMENTS) for line in lines]
    if not any(marked) or 2 * sum(marked) > len(lines):
        return "".join(lines), 0
    kept, inside = [], False
    for line, mark in zip(lines, marked, strict=True):
        if mark and not inside:
            continue
        kept.append(line)
        inside ^= line.count('"') % 2 == 1
    return "".join(kept), len(lines) - len(kept)


def _frame(body: str, separator: str, names: int, path: Path) -> pd.DataFrame:
    lines = io.StringIO(body, newline="")
    most = max((len(line.split()) if separator == _SPACES else line.count(separator) + 1 for line in lines), default=0)
    wide = range(max(names, most)) if most <= names + _SPARE else None
    try:
        return pd.read_csv(
            io.StringIO(body, newline=""), sep=separator, header=None, names=wide, dtype=object,
            skipinitialspace=True, low_memory=False,
        )  # fmt: skip
    except pd.errors.EmptyDataError:
        return pd.DataFrame(np.zeros((0, names)))
    except pd.errors.ParserError as error:
        hint = "give every row as many fields as the first, and quote texts that hold the separator"
        raise TaskError("rows of different lengths", where=str(path), got=str(error).strip(), hint=hint) from None


def _longer_rows(beyond: Sequence[np.ndarray], names: int) -> tuple[Fault, ...]:
    """Fields beyond the row of names that hold anything."""
    full = np.zeros(len(beyond[0]) if beyond else 0, dtype=bool)
    for values in beyond:
        full |= ~np.array([is_missing(value) for value in values], dtype=bool)
    if not full.any():
        return ()
    row = int(np.flatnonzero(full)[0])
    cell = next(values[row] for values in beyond if not is_missing(values[row]))
    got = f"{clipped(str(cell))!r} after them in row {row + 1}, {full.sum()} of {len(full)} rows with more"
    advice = "quote texts that hold the separator, and give each column a name"
    return (Fault("rows of different lengths", (), f"{names} fields, as in the row of names", got, advice=advice),)
