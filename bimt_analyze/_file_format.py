"""Formats of files, each told by the ending of a file's name."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bimt_train import InputError
from bimt_train.registry import Entry, Registry


@dataclass(frozen=True, kw_only=True)
class FileFormat(Entry):
    """An entry of a registry that stands for files with one ending.

    Attributes
    ----------
    name : str
        The word by which it is chosen.
    label : str
        What it is called in messages.
    sentence : str
        One sentence that says who reads it.
    function : callable
        As the registry says.
    ending : str
        Of the files, with its dot.
    """

    ending: str


Format = TypeVar("Format", bound=FileFormat)


def format_by_ending(registry: Registry[Format], path: str | Path, wrong: str) -> Format:
    """The entry whose ending a file's name has.

    Parameters
    ----------
    registry : Registry
        Formats.
    path : str or Path
        The file, which need not be there.
    wrong : str
        What is wrong where no entry has this ending, as the beginning of the message.

    Returns
    -------
    FileFormat
        Its format.

    Raises
    ------
    InputError
        No format has this ending.
    """
    ending = Path(path).suffix.lower()
    for entry in registry.entries():
        if entry.ending == ending:
            return entry
    raise InputError(
        wrong, where=str(path), expected=", ".join(entry.ending for entry in registry.entries()),
        got=ending or "no ending", hint="name the file with one of these endings",
    )  # fmt: skip
