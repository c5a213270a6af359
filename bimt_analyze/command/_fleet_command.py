"""``bimt-analyze FILE FILE ...``, a folder of files or a manifest: a table over many networks, and a report each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from bimt_train import InputError
from bimt_train.shell.config_file import config_text
from bimt_train.shell.run_command import OK, UNMET
from bimt_train.whole_files import write_whole

from .._jobs import numbered
from ..fleet import analyze_many
from ..fleet._gather import holds_many, jobs_of
from ._asked_analysis import asked_of
from ._network_command import say_plan
from ._saying import tell_findings, telling, write_file

CONFIG_FILE = "analysis.toml"
_OF_ONE = ("certify", "graph", "export", "front")  # the options that ask for something of one network


def is_fleet(given: Mapping[str, Any]) -> bool:
    """Whether a call is for a table of networks, and not for one report.

    Parameters
    ----------
    given : mapping of str to object
        The options, as click read them.

    Raises
    ------
    InputError
        For ``--all`` of a file.
    """
    sources: Sequence[Path] = given["checkpoint"]
    for source in sources:
        if given["every"] and not source.is_dir():
            hint = "give the folder, or leave --all out"
            raise InputError("--all is for a folder", got=str(source), hint=hint)
    asked = given["every"] or given["out"] or given["time_budget"]
    return bool(asked) or len(sources) > 1 or holds_many(sources[0])


def analyze_fleet(context: click.Context) -> int:
    """Analyse many networks; print a table, write files, and hold the requirements against what was found.

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
        For an option that asks for something of one network, or two places for the reports.
    """
    asked = asked_of(context.params, many=True)
    for option in _OF_ONE:
        if getattr(asked, option):
            got = f"{len(asked.checkpoint)} sources, or --all or --out"
            raise InputError(f"--{option} is for one network", got=got)
    if asked.out is not None and asked.formats:
        got, hint = f"--out and --{asked.formats[0]}", "leave the other out: --out writes a page and a JSON file each"
        raise InputError("two places for the reports", got=got, hint=hint)
    jobs = jobs_of(
        asked.checkpoint,
        sampling=asked.sampling,
        options=asked.analysis,
        requirements=asked.require,
        formats=("html", "json") if asked.out is not None else asked.formats,
        every=asked.every,
    )
    if asked.dry_run:
        return say_plan(jobs, [asked.out] if asked.out is not None else asked.reports)
    with telling(asked.quiet) as tell:
        tell(f"{len(jobs)} checkpoint{'' if len(jobs) == 1 else 's'}")
        fleet = analyze_many(
            jobs,
            out=asked.out,
            time_budget=asked.time_budget,
            dask=asked.dask,
            progress=lambda done, of, last: tell(f"{done} of {of}, last {last.name}"),
        )
    click.echo(fleet.table())
    for name, path in zip(asked.formats, asked.reports, strict=True):
        for member in fleet.members:
            if member.outcome is not None:
                write_file(numbered(path, member.name), member.outcome.texts[name])
    for member in fleet.members:
        tell_findings(member.findings, f"{member.name}: ")
    if asked.out is not None:
        fleet.save(asked.out)
        write_whole(asked.out / CONFIG_FILE, config_text(context, without=["quiet", "dry-run"]))
        click.echo(f"{fleet.statement}: {asked.out / 'index.html'}")
    elif fleet.failed:
        click.echo(fleet.statement, err=True)
    return OK if fleet.holds else UNMET
