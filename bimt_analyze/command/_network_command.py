"""``bimt-analyze CHECKPOINT``: one report on one network."""

from collections.abc import Sequence
from pathlib import Path

import click

from bimt_train.fan_out import fan_out
from bimt_train.shell.run_command import OK, UNMET
from bimt_train.whole_files import made_folder

from .._jobs import Job, Outcome, numbered, work
from ..export._formats import export_format_of
from ..graph.exchange._graph_format import format_of
from ._asked_analysis import Asked, asked_of
from ._saying import tell_findings, telling, write_file


def analyze_network(context: click.Context) -> int:
    """Analyse the network that a call names.

    Parameters
    ----------
    context : click.Context
        The call.

    Returns
    -------
    int
        The exit status.
    """
    asked = asked_of(context.params, many=False)
    if asked.export is not None:
        export_format_of(asked.export.name)
    job = Job(
        str(asked.checkpoint[0]), asked.sampling, asked.require, asked.formats, asked.analysis,
        certify=asked.certify is not None, graph="" if asked.graph is None else format_of(asked.graph).name,
        export="" if asked.export is None else asked.export.name, apart=asked.apart,
    )  # fmt: skip
    others = (asked.graph, asked.export, asked.certify)
    writes = [*asked.reports, *(path for path in others if path is not None)]
    if asked.dry_run:
        return say_plan([job], writes)
    for path in writes:
        made_folder(path.parent)  # said before the work, if it cannot be
    with telling(asked.quiet) as tell:
        (outcome,) = fan_out(work, [job], dask=asked.dask) if asked.dask else (work(job, tell),)
    return _tell(asked, outcome)


def say_plan(jobs: Sequence[Job], writes: Sequence[Path]) -> int:
    """Say what jobs would do.

    Parameters
    ----------
    jobs : sequence of Job
        One a network.
    writes : sequence of Path
        What would be written.

    Returns
    -------
    int
        The exit status.
    """
    from ._dry_run import dry_run

    click.echo(dry_run(jobs, writes))
    return OK


def _tell(asked: Asked, outcome: Outcome) -> int:
    """Print the headline, write files, and hold the requirements against what was found."""
    click.echo("\n".join([*outcome.summary, *(outcome.front if asked.front else ())]))
    for name, path in zip(asked.formats, asked.reports, strict=True):
        write_file(path, outcome.texts[name])
    if asked.graph is not None:
        write_file(asked.graph, outcome.graph, "graph")
    for number, content in outcome.exports.items():
        assert asked.export is not None
        write_file(asked.export.with_name(f"{asked.export.stem}{number}{asked.export.suffix}"), content, "export")
    for line in outcome.exported:
        click.echo(f"  {line}")
    for name, data in outcome.certificates.items():
        assert asked.certify is not None
        path = asked.certify if len(outcome.certificates) == 1 else numbered(asked.certify, name)
        write_file(path, data.decode("ascii"), "certificate")
    held = tell_findings(outcome.findings)
    if outcome.next_step and not asked.quiet:
        click.echo(f"next: {outcome.next_step}")
    return OK if held else UNMET
