"""bimt-analyze: read trained networks from the shell."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from bimt_train.shell.options import Command
from bimt_train.shell.run_command import run
from bimt_train.tasks.tables.table_flags import TABLE_SEVERAL

from .command._flags import flags
from .command._help import HELP
from .command._kinds import answer

_WIDE = {"show_default": True, "max_content_width": 120}


@click.command("bimt-analyze", cls=Command, help=HELP, context_settings=_WIDE)
@click.argument("checkpoint", type=click.Path(path_type=Path), nargs=-1)
@flags
@click.version_option(package_name="bimt")
def command(**given: Any) -> int:
    """Do what is asked of the thing that is named."""
    if given["check"] is None and not given["checkpoint"]:
        raise click.UsageError("Missing argument 'CHECKPOINT...'.")
    return answer(click.get_current_context())


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; see ``bimt-analyze --help``.

    Parameters
    ----------
    words : sequence of str or None
        The words of the command line; those of the process if left out.

    Returns
    -------
    int
        The exit status.
    """
    return run(command, words, several=("--target", *TABLE_SEVERAL))
