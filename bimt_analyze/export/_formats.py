"""The registry of formats that networks are exported in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bimt_train.registry import Registry

from .._file_format import FileFormat, format_by_ending
from ._parts import Facts, Parts, Run, Written

_HERE = "bimt_analyze.export.writers"


@dataclass(frozen=True, kw_only=True)
class ExportFormat(FileFormat):
    """A format of files that hold networks.

    ``function`` takes `Parts` and the name of a variant, and returns what ``pack`` takes.

    Attributes
    ----------
    name : str
        The word by which it is chosen.
    label : str
        What it is called in messages.
    sentence : str
        One sentence that says who runs it.
    function : callable
        As above.
    ending : str
        Of the files, with its dot.
    variants : callable
        Takes `Parts` and names the ways in which they could be written, of which the fastest is taken.
    pack : callable
        Takes what ``function`` gave, `Parts`, and the facts that the file says of itself; returns `Written`.
    load : callable
        Takes a file's bytes and `Parts`; returns what the file computes, or None where nothing here runs it.
    runs_in : str
        What ``load`` runs it by.

    Examples
    --------
    >>> EXPORT_FORMATS["c"].ending
    '.c'
    """

    variants: Callable[[Parts], tuple[str, ...]]
    pack: Callable[[Any, Parts, Facts], Written]
    load: Callable[[bytes, Parts], Run | None]
    runs_in: str


EXPORT_FORMATS: Registry[ExportFormat] = Registry(
    "export format",
    ExportFormat,
    builtin={
        "c": f"{_HERE}._c",
        "pt2": f"{_HERE}._pt2",
        "onnx": f"{_HERE}._onnx",
        "safetensors": f"{_HERE}._safetensors",
    },
    group="bimt.export_formats",
)
"""Every format that networks are exported in."""


def export_format_of(path: str | Path) -> ExportFormat:
    """The format that the ending of a file's name says.

    Parameters
    ----------
    path : str or Path
        The file, which need not be there.

    Returns
    -------
    ExportFormat
        Its format.

    Raises
    ------
    InputError
        No format has this ending.

    Examples
    --------
    >>> export_format_of("circuit.onnx").label
    'ONNX'
    """
    return format_by_ending(EXPORT_FORMATS, path, "an export in an unknown format")
