"""bimt-analyze: read trained networks from the shell."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bimt_train import InputError, Registry, fan_out, write_whole
from bimt_train.extras import installed
from bimt_train.losses import LOSSES
from bimt_train.shell import (
    OK,
    OTHER,
    UNMET,
    Choice,
    Command,
    completion_options,
    config_option,
    config_text,
    in_group,
    list_names_option,
    run,
    shown_logs,
)

from ._jobs import FORMATS, Job, Outcome, numbered, work
from .audits import MEASURES, NULL_MODELS, STATISTICS
from .command._analysis_flags import analysis_asked, analysis_flags
from .command._graph_command import graph_findings, is_graph
from .command._help import HELP
from .command._law_command import is_law, laws_found
from .export import EXPORT_FORMATS, export_format_of
from .fleet import analyze_many, holds_many, jobs_of
from .graph import EDGE_WEIGHTS, GRAPH_FORMATS, format_of
from .options._analysis_options import AnalysisOptions
from .options._sampling import Sampling
from .report import Finding, Requirement

CONFIG_FILE = "analysis.toml"


@dataclass(frozen=True)
class _Options:
    """The command line, as click read it; the help texts say what each word means."""

    checkpoint: tuple[Path, ...]
    out: Path | None
    time_budget: float | None
    html: Path | None
    json: Path | None
    markdown: Path | None
    graph: Path | None
    export: Path | None
    apart: bool
    certify: Path | None
    check: Path | None
    require: tuple[str, ...]
    every: bool
    activation: str | None
    model: str | None
    probe: Path | None
    target: tuple[str, ...]
    ranges: tuple[tuple[float, float], ...]
    parts: str | None
    final: str
    loss: str
    standardize: str
    key: str | None
    orientation: str | None
    layout: Path | None
    front: bool
    groups: str | None
    form: str | None
    functions: str | None
    time: str | None
    trajectory: str | None
    order: int
    dask: str | None
    dry_run: bool
    quiet: bool
    analysis: AnalysisOptions


_FILE = click.Path(path_type=Path)
_LISTED: Mapping[str, Registry[Any]] = {
    "--edge-weight": EDGE_WEIGHTS,
    "--null-model": NULL_MODELS,
    "--statistic": STATISTICS,
    "--measure": MEASURES,
    "--loss": LOSSES,
    "--graph": GRAPH_FORMATS,
    "--export": EXPORT_FORMATS,
}


_WIDE = {"show_default": True, "max_content_width": 120}
_files, _elsewhere, _other = in_group("Files"), in_group("A network trained elsewhere"), in_group(OTHER)
_law = in_group("A table without a network")
_checks, _many_files = in_group("Checks"), in_group("Many networks")
_motion = in_group("Laws of motion")


@click.command("bimt-analyze", cls=Command, help=HELP, context_settings=_WIDE)
@click.argument("checkpoint", type=_FILE, nargs=-1)
@_files("--html", type=_FILE, metavar="FILE", help="Write the report as one self-contained page.")
@_files("--json", type=_FILE, metavar="FILE", help="Write the report for other programs.")
@_files("--markdown", type=_FILE, metavar="FILE", help="Write the report as Markdown.")
@_files(
    "--graph", type=_FILE, metavar="FILE",
    help="Write the circuit as a graph for other programs, its modules as numbers; the ending says the format.",
)  # fmt: skip
@_files("--front", is_flag=True, help="Tell the front of length against error of each formula, and the choice.")
@_files(
    "--export", type=_FILE, metavar="FILE",
    help="Write the circuit as a program that runs by itself: .c, .onnx, .pt2 or .safetensors.",
)  # fmt: skip
@_files("--apart", is_flag=True, help="Export each module to a file of its own, for separate machines.")
@_checks("--require", multiple=True, metavar="CONDITION", help="End with status 1 unless this holds.")
@_checks(
    "--certify", type=_FILE, metavar="FILE", help="Prove how far the network lies from each formula; write the proof."
)
@_checks("--check", type=_FILE, metavar="FILE", help="Check a proof, and that CHECKPOINT, if given, is its network.")
@analysis_flags
@_many_files("--out", type=_FILE, metavar="FOLDER", help="Write a page over all files, and a report each, in here.")
@_many_files(
    "--all", "every", is_flag=True, help="Analyse every seed of the folder; each report's file is named after its seed."
)
@_many_files(
    "--time-budget", type=click.FloatRange(0, min_open=True), metavar="SECONDS",
    help="Give up a file that takes longer; the others go on.",
)  # fmt: skip
@_elsewhere("--activation", help="Activation between the layers of a network trained elsewhere, for instance silu.")
@_elsewhere(
    "--model", metavar="FILE.py:NAME",
    help="The function that makes the module of a file of weights, or a kind of model of your own.",
)  # fmt: skip
@_elsewhere("--probe", type=_FILE, metavar="TABLE", help="Rows to ask a network trained elsewhere about.")
@_elsewhere("--target", multiple=True, metavar="NAME...", help="Columns of the table that are outputs.")
@_elsewhere("--range", "ranges", type=float, nargs=2, multiple=True, metavar="LOW HIGH", help="In place of a table.")
@_elsewhere(
    "--final", default="auto", metavar="NAME", help="What follows its last layer: none, sigmoid, softmax, tanh."
)
@_elsewhere("--loss", default="auto", metavar="NAME", names=LOSSES, help="What its outputs are judged by: NAMES.")
@_elsewhere(
    "--standardize", type=Choice(["raw", "inputs", "outputs", "both"]), default="raw",
    help="Columns of the table that it saw with mean 0 and deviation 1.",
)  # fmt: skip
@_elsewhere("--key", metavar="NAME", help="Which of several networks in a file: the path of its entry, as state.ema.")
@_elsewhere(
    "--orientation", type=Choice(["out-in", "in-out"]),
    help="How the weights of a network trained elsewhere are stored.",
)  # fmt: skip
@_elsewhere(
    "--layout", type=_FILE, metavar="TOML", help="The layout of the module that --model makes; left out, it is traced."
)
@_elsewhere("--parts", metavar="TEXT", help="The known decomposition of the task.")
@_law("--groups", metavar="NAME", help="Column of groups: one law, with constants of its own in each group.")
@_law(
    "--functions",
    metavar="NAME,...",
    help="The functions that may occur, such as sin,exp,sqrt; sums, products and whole powers always may.",
)
@_law(
    "--form",
    metavar="TEXT",
    help='The form to fit, such as "a*exp(-b*t) + c"; names that are no columns are constants.',
)
@_motion("--time", metavar="COLUMN", help="CHECKPOINT is a table of trajectories; this is its column of times.")
@_motion("--trajectory", metavar="COLUMN", help="Its column that says to which trajectory a row belongs.")
@_motion("--order", type=click.IntRange(1, 2), default=1, help="Which derivative by time the equations give.")
@config_option("Files")
@_files("--dry-run", is_flag=True, help="Say what would be read, computed and written, and do nothing.")
@_other("--dask", metavar="URL", help="Compute on the cluster of this Dask scheduler.")
@_other("--quiet", is_flag=True, help="Do not tell what is done now.")
@list_names_option(_LISTED)
@completion_options
@click.version_option(package_name="bimt")
def command(**given: Any) -> int:
    """Read the options, do the jobs, tell the outcomes."""
    if given["check"] is None and not given["checkpoint"]:
        raise click.UsageError("Missing argument 'CHECKPOINT...'.")
    if given["check"] is None and is_graph(given["checkpoint"]):
        return _graph(click.get_current_context())
    if given["time"] is not None:
        from .command._motion_command import motion_findings

        with _telling(given["quiet"]) as tell:
            said, texts = motion_findings(click.get_current_context(), tell)
        return _told(said, texts)
    if given["trajectory"] is not None or given["order"] != 1:
        got = "--trajectory" if given["trajectory"] is not None else "--order"
        raise InputError("an option for trajectories", got=got, hint="say which column has the times: --time COLUMN")
    if given["check"] is None and is_law(given):
        return _laws(click.get_current_context())
    many = given["check"] is None and _many(given)
    analysis = analysis_asked(given, many=many or bool(given["dask"]))
    options = _Options(**given, analysis=analysis)
    if options.check is not None:
        return _check(options.check, options)
    for text in options.require:
        wanted = Requirement.parse(text)  # bad input is said before the work, not after it
        wanted.check_field([*MEASURES, *(MEASURES[name].name for name in analysis.measures)])
        if wanted.field.partition(".")[0] == "audit" and not analysis.audit:
            raise InputError("a requirement on an audit", where=repr(text), got="no --audit", hint="add --audit")
    if options.apart and options.export is None:
        raise InputError("--apart is for an export", got="no --export", hint="add --export circuit.c")
    for option in ("certify", "graph", "export"):
        if many and getattr(options, option):
            got = f"{len(options.checkpoint)} sources, or --all or --out"
            raise InputError(f"--{option} is for one network", got=got)
    if many and options.front:
        raise InputError("--front is for one network", got=f"{len(options.checkpoint)} sources, or --all or --out")
    if many:
        return _fleet(options)
    source, certify = str(options.checkpoint[0]), options.certify is not None
    form = "" if options.graph is None else format_of(options.graph).name
    export = "" if options.export is None else options.export.name
    if export:
        export_format_of(export)
    job = Job(
        source, _sampling(options), options.require, _formats(options), analysis, certify, form, export, options.apart
    )
    if options.dry_run:
        files = (options.graph, options.export, options.certify)
        asked = (*(getattr(options, name) for name in _formats(options)), *files)
        return _say([job], [path for path in asked if path is not None])
    with _telling(options.quiet) as tell:
        (outcome,) = fan_out(work, [job], dask=options.dask) if options.dask else (work(job, tell),)
    return _tell(options, outcome)


def _graph(call: click.Context) -> int:
    """Tell what the weights of a graph say."""
    return _told(*graph_findings(call), graph=call.params["graph"])


def _told(said: str, texts: Mapping[Path, str], *, graph: Path | None = None) -> int:
    """Say what was found, and write the files that were asked for."""
    click.echo(said)
    for path, text in texts.items():
        _write(path, text, "graph" if path == graph else "report")
    return OK


def _laws(call: click.Context) -> int:
    """Tell the laws behind a table."""
    with _telling(call.params["quiet"]) as tell:
        tell("searching")
        said, texts = laws_found(call)
    click.echo(said)
    for path, text in texts.items():
        _write(path, text)
    return OK


def _check(file: Path, options: _Options) -> int:
    """Say what a certificate proves, or why it does not."""
    from ._certified import proved
    from .certificates import UnprovedError

    if len(options.checkpoint) > 1:
        raise InputError("--check takes one network", got=f"{len(options.checkpoint)} sources")
    try:
        click.echo(proved(file, next(iter(options.checkpoint), None), _sampling(options)))
    except UnprovedError as error:
        click.echo(str(error), err=True)
        return UNMET
    return OK


def _many(given: Mapping[str, Any]) -> bool:
    """Whether the call is for a table of networks, and not for one report."""
    sources: Sequence[Path] = given["checkpoint"]
    for source in sources:
        if given["every"] and not source.is_dir():
            hint = "give the folder, or leave --all out"
            raise InputError("--all is for a folder", got=str(source), hint=hint)
    asked = given["every"] or given["out"] or given["time_budget"]
    return bool(asked) or len(sources) > 1 or holds_many(sources[0])


def _fleet(options: _Options) -> int:
    """Analyse many networks; print a table, write files, and hold the requirements against what was found."""
    formats = _formats(options)
    if options.out is not None and formats:
        got, hint = f"--out and --{formats[0]}", "leave the other out: --out writes a page and a JSON file each"
        raise InputError("two places for the reports", got=got, hint=hint)
    jobs = jobs_of(
        options.checkpoint,
        sampling=_sampling(options),
        options=options.analysis,
        requirements=options.require,
        formats=("html", "json") if options.out is not None else formats,
        every=options.every,
    )
    if options.dry_run:
        return _say(jobs, [options.out] if options.out is not None else [getattr(options, name) for name in formats])
    with _telling(options.quiet) as tell:
        tell(f"{len(jobs)} checkpoint{'' if len(jobs) == 1 else 's'}")
        fleet = analyze_many(
            jobs,
            out=options.out,
            time_budget=options.time_budget,
            dask=options.dask,
            progress=lambda done, of, last: tell(f"{done} of {of}, last {last.name}"),
        )
    click.echo(fleet.table())
    for name in formats:
        for member in fleet.members:
            if member.outcome is not None:
                _write(numbered(getattr(options, name), member.name), member.outcome.texts[name])
    for member in fleet.members:
        _tell_findings(member.findings, f"{member.name}: ")
    if options.out is not None:
        fleet.save(options.out)
        write_whole(options.out / CONFIG_FILE, config_text(click.get_current_context(), without=["quiet", "dry-run"]))
        click.echo(f"{fleet.statement}: {options.out / 'index.html'}")
    elif fleet.failed:
        click.echo(fleet.statement, err=True)
    return OK if fleet.holds else UNMET


def _say(jobs: Sequence[Job], writes: Sequence[Path]) -> int:
    """Say what the jobs would do."""
    from .command._dry_run import dry_run

    click.echo(dry_run(jobs, writes))
    return OK


def _sampling(said: _Options) -> Sampling:
    return Sampling(
        said.activation,
        said.probe,
        said.target,
        said.ranges,
        said.parts,
        said.model,
        said.final,
        said.loss,
        said.standardize,
        said.key,
        said.orientation,
        said.layout,
    )


def _formats(options: _Options) -> tuple[str, ...]:
    return tuple(name for name in FORMATS if getattr(options, name) is not None)


@contextmanager
def _telling(quiet: bool) -> Iterator[Any]:
    """A line on the terminal that says what is done now, and is gone afterwards; elsewhere the log, unless quiet."""
    if quiet or not (installed("rich") and sys.stderr.isatty()):
        with shown_logs(progress=not quiet):
            yield lambda said: None
        return
    from rich.console import Console

    with shown_logs(progress=False), Console(stderr=True).status("") as status:
        yield lambda said: status.update(f"{said} ...")


def _tell(options: _Options, outcome: Outcome) -> int:
    """Print the headline, write files, and hold the requirements against what was found."""
    click.echo("\n".join([*outcome.summary, *(outcome.front if options.front else ())]))
    for name in _formats(options):
        _write(getattr(options, name), outcome.texts[name])
    if options.graph is not None:
        _write(options.graph, outcome.graph, "graph")
    for number, content in outcome.exports.items():
        assert options.export is not None
        _write(options.export.with_name(f"{options.export.stem}{number}{options.export.suffix}"), content, "export")
    for line in outcome.exported:
        click.echo(f"  {line}")
    for name, data in outcome.certificates.items():
        assert options.certify is not None
        path = options.certify if len(outcome.certificates) == 1 else numbered(options.certify, name)
        _write(path, data.decode("ascii"), "certificate")
    held = _tell_findings(outcome.findings)
    if outcome.next_step and not options.quiet:
        click.echo(f"next: {outcome.next_step}")
    return OK if held else UNMET


def _write(path: Path, text: str | bytes, what: str = "report") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
    click.echo(f"{what}: {path}")


def _tell_findings(findings: Sequence[Finding], where: str = "") -> bool:
    for finding in findings:
        verdict = "holds" if finding.holds else "does not hold"
        click.echo(f"{where}requirement {verdict}: {finding.line}", err=not finding.holds)
    return all(finding.holds for finding in findings)


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
    return run(command, words, several=("--target",))
