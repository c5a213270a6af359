"""Tables in Excel files."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from ...._errors import TaskError
from ....extras import need
from .._faults import clipped
from ._raw_table import COMMENTS, RawTable, is_missing, tidied


def read_sheet(path: Path) -> RawTable:
    """The columns of the first sheet of an Excel file; its first row that is not empty holds the names.

    Parameters
    ----------
    path : Path
        The file, .xlsx.

    Returns
    -------
    RawTable
        The columns, with what was inferred.

    Raises
    ------
    TaskError
        It is no such file, or the sheet is empty.
    MissingExtra
        openpyxl is not there.
    """
    need("openpyxl", f"{path}, an Excel file,")
    try:
        with warnings.catch_warnings(), pd.ExcelFile(path, engine="openpyxl") as book:
            warnings.simplefilter("ignore")  # styles that openpyxl does not know do not matter
            sheets = [str(name) for name in book.sheet_names]
            frame = book.parse(0, header=None, dtype=object)
    except OSError:
        raise
    except Exception as error:  # a damaged file ends in errors of zipfile, of XML and of openpyxl
        got = f"{type(error).__name__}: {error}"
        raise TaskError("not an Excel file", where=str(path), got=got, hint="save the table again as .xlsx") from None
    cells = frame.to_numpy(dtype=object)
    filled = [row for row in cells if not all(map(is_missing, row))]
    comments = [row for row in filled if _is_comment(row)]
    filled = [row for row in filled if not _is_comment(row)]
    if not filled:
        hint = "put the table on the first sheet"
        raise TaskError("an empty sheet", where=f"{path}, {clipped(sheets[0])!r}", hint=hint)
    names = ["" if is_missing(cell) else str(cell).strip() for cell in filled[0]]
    rows = np.array(filled[1:], dtype=object).reshape(len(filled) - 1, len(names))
    notes = [f"comment lines left out: {len(comments)}"] if comments else []
    if len(sheets) > 1:
        notes.append(f"the first of {len(sheets)} sheets is read, {clipped(sheets[0])!r}")
    return tidied(RawTable(list(zip(names, rows.T, strict=True)), {}, tuple(notes)))


def _is_comment(row: np.ndarray) -> bool:
    """Whether a row holds nothing but a comment in its first cell."""
    return isinstance(row[0], str) and row[0].startswith(COMMENTS) and all(map(is_missing, row[1:]))
