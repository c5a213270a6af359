"""What every kind of call says: what is done now, what was found, which files were written."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import click
from click.core import ParameterSource

from bimt_train.extras import installed
from bimt_train.shell.run_command import OK
from bimt_train.shell.shown_logs import shown_logs
from bimt_train.whole_files import made_folder, write_whole

from ..report import Finding

Tell: TypeAlias = Callable[[str], None]


def is_given(context: click.Context, name: str) -> bool:
    """Whether a call says an option, and does not leave it at its default.

    Parameters
    ----------
    context : click.Context
        The call.
    name : str
        The parameter.
    """
    return context.get_parameter_source(name) not in (None, ParameterSource.DEFAULT)


@contextmanager
def telling(quiet: bool) -> Iterator[Tell]:
    """A line on the terminal that says what is done now, and is gone afterwards; elsewhere the log, unless quiet.

    Parameters
    ----------
    quiet : bool
        Whether nothing is said.

    Yields
    ------
    callable
        Takes what is done now.
    """
    if quiet or not (installed("rich") and sys.stderr.isatty()):
        with shown_logs(progress=not quiet):
            yield lambda said: None
        return
    from rich.console import Console

    with shown_logs(progress=False), Console(stderr=True).status("") as status:
        yield lambda said: status.update(f"{said} ...")


def write_file(path: Path, text: str | bytes, what: str = "report") -> None:
    """Write a file, and say so.

    Parameters
    ----------
    path : Path
        Where to; folders are made if need be.
    text : str or bytes
        The content.
    what : str
        What the line calls it.
    """
    made_folder(path.parent)
    write_whole(path, text)
    click.echo(f"{what}: {path}")


def tell_found(said: str, texts: Mapping[Path, str], *, graph: Path | None = None) -> int:
    """Say what was found without a network, and write the files that were asked for.

    Parameters
    ----------
    said : str
        What was found.
    texts : mapping of Path to str
        File -> content.
    graph : Path or None
        Which of the files is a graph.

    Returns
    -------
    int
        The exit status.
    """
    click.echo(said)
    for path, text in texts.items():
        write_file(path, text, "graph" if path == graph else "report")
    return OK


def tell_findings(findings: Sequence[Finding], where: str = "") -> bool:
    """Say which requirements hold.

    Parameters
    ----------
    findings : sequence of Finding
        What came of the requirements.
    where : str
        What stands before each line.

    Returns
    -------
    bool
        Whether all hold.
    """
    for finding in findings:
        verdict = "holds" if finding.holds else "does not hold"
        click.echo(f"{where}requirement {verdict}: {finding.line}", err=not finding.holds)
    return all(finding.holds for finding in findings)
