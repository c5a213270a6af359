"""The files that a call writes: they can be written, and none is one that it reads, or writes besides."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bimt_train import InputError

_READ = ("checkpoint", "probe", "layout", "check", "model")
_WRITTEN = ("html", "json", "markdown", "view", "film", "graph", "export", "certify")


def check_outputs(given: Mapping[str, Any]) -> None:
    """Pass if all files can be written, none is written twice, and none that is read is written over.

    Parameters
    ----------
    given : mapping of str to object
        The options, as click read them.

    Raises
    ------
    InputError
        For the option that asks for it.
    """
    taken = {file: "a file that the call reads" for name in _READ for file in _files(given.get(name))}
    for name in _WRITTEN:
        if given.get(name) is not None and Path(given[name]).is_dir():
            hint = f"give a file in it, as {Path(given[name]) / 'report'}"
            raise InputError("a folder in place of a file", where=f"--{name} {given[name]}", hint=hint)
        for file in _files(given.get(name)):
            _check_folder(file.parent, f"--{name} {given[name]}")
            if file in taken:
                raise InputError(
                    "a file that would be written over", where=f"--{name} {given[name]}", got=taken[file],
                    hint="give it another name",
                )  # fmt: skip
            taken[file] = f"a file that --{name} writes"


def _check_folder(folder: Path, where: str) -> None:
    """Pass if a file can be written there, or the folder made: a search of minutes must not end in vain."""
    there = next(one for one in (folder, *folder.parents) if one.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        got = f"{there}, which {'takes no files' if there.is_dir() else 'is a file'}"
        hint = "choose another folder, one that can be written"
        raise InputError("the folder cannot be made", where=where, got=got, hint=hint)


def _files(said: Any) -> Iterator[Path]:
    """The files of an option; a terminal, a pipe and the like can be written to any number of times."""
    for one in said if isinstance(said, (tuple, list)) else (said,):
        text = str(one).partition(".py:")[0] + ".py" if ".py:" in str(one) else str(one)
        if one is not None and (Path(text).is_file() or not Path(text).exists()):
            yield Path(text).resolve()
