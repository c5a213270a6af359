"""``bimt-analyze --check proof.json``: what a certificate proves, or why it does not."""

from collections.abc import Mapping
from typing import Any

import click

from bimt_train import InputError
from bimt_train.shell.run_command import OK, UNMET

from ._asked_analysis import sampling_asked


def is_certificate(given: Mapping[str, Any]) -> bool:
    """Whether a call is for a proof.

    Parameters
    ----------
    given : mapping of str to object
        The options, as click read them.
    """
    return given["check"] is not None


def check_proof(context: click.Context) -> int:
    """Say what a certificate proves, or why it does not.

    Parameters
    ----------
    context : click.Context
        The call.

    Returns
    -------
    int
        The exit status.

    Raises
    ------
    InputError
        For more than one network.
    """
    from ..analysis._certified import proved
    from ..certificates import UnprovedError

    given = context.params
    if len(given["checkpoint"]) > 1:
        raise InputError("--check takes one network", got=f"{len(given['checkpoint'])} sources")
    try:
        click.echo(proved(given["check"], next(iter(given["checkpoint"]), None), sampling_asked(given)))
    except UnprovedError as error:
        click.echo(str(error), err=True)
        return UNMET
    return OK
