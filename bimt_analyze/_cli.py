"""bimt-analyze: read trained networks from the shell."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import click

from bimt_train import InputError, Registry, fan_out, write_whole
from bimt_train.losses import LOSSES
from bimt_train.shell import OK, UNMET, run

from ._help import HELP
from ._jobs import FORMATS, Job, Outcome, numbered, work
from ._options import AnalysisOptions
from ._sampling import Sampling
from .audits import MEASURES, NULL_MODELS, STATISTICS
from .fleet import analyze_many, holds_many, jobs_of
from .graph import EDGE_WEIGHTS
from .report import Finding, Requirement


@dataclass(frozen=True)
class _Options:
    """The command line, as click read it; the help texts say what each word means."""

    checkpoint: tuple[Path, ...]
    out: Path | None
    time_budget: float | None
    html: Path | None
    json: Path | None
    markdown: Path | None
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
    dask: str | None
    quiet: bool
    analysis: AnalysisOptions


_FILE = click.Path(path_type=Path)
_CHOSEN: Mapping[str, Registry[Any]] = {
    "edge_weight": EDGE_WEIGHTS,
    "null_models": NULL_MODELS,
    "statistics": STATISTICS,
}


class _Amount(click.FloatRange):
    """A number that may have its unit behind it, as 8G."""

    def __init__(self, unit: str, least: float) -> None:
        super().__init__(least)
        self._unit = unit

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number: Any = value.removesuffix(self._unit) if isinstance(value, str) else value
        return super().convert(number, param, ctx)


def _analysis_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add an option of the command line for every field of `AnalysisOptions` that has a flag."""
    for option in reversed(fields(AnalysisOptions)):
        if "flag" not in option.metadata:
            continue
        about: dict[str, Any] = {"help": option.metadata["help"], "default": option.default}
        if isinstance(option.default, bool):
            about |= {"is_flag": True}
        elif isinstance(option.default, int | float):
            kind = click.IntRange if isinstance(option.default, int) else partial(_Amount, option.metadata["unit"])
            about |= {"type": kind(option.metadata["least"])}
        else:
            names = ", ".join(_CHOSEN[option.name].names()) if option.name in _CHOSEN else ""
            about |= {"metavar": "NAME", "multiple": option.name != "edge_weight", "show_default": False}
            about |= {
                "default": None,
                "help": f"{option.metadata['help']} {names and f'One of {names}, or file.py:NAME.'}",
            }
        command = click.option(option.metadata["flag"], option.name, **about)(command)
    return command


@click.command("bimt-analyze", help=HELP, context_settings={"show_default": True, "max_content_width": 120})
@click.version_option(package_name="bimt")
@click.argument("checkpoint", type=_FILE, nargs=-1)
@click.option("--out", type=_FILE, metavar="FOLDER", help="Write a page over all files, and a report each, in here.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write the report as one self-contained page.")
@click.option("--json", type=_FILE, metavar="FILE", help="Write the report for other programs.")
@click.option("--markdown", type=_FILE, metavar="FILE", help="Write the report as Markdown.")
@click.option(
    "--certify", type=_FILE, metavar="FILE", help="Prove how far the network lies from each formula; write the proof."
)
@click.option(
    "--check", type=_FILE, metavar="FILE", help="Check a proof, and that CHECKPOINT, if given, is its network."
)
@click.option("--require", multiple=True, metavar="CONDITION", help="End with status 1 unless this holds.")
@click.option(
    "--all", "every", is_flag=True, help="Analyse every seed of the folder; each report's file is named after its seed."
)
@_analysis_options
@click.option("--activation", help="Activation between the layers of a network trained elsewhere, for instance silu.")
@click.option(
    "--model", metavar="FILE.py:NAME",
    help="The function that makes the module of a file of weights, or a kind of model of your own.",
)  # fmt: skip
@click.option("--probe", type=_FILE, metavar="TABLE", help="Rows to ask a network trained elsewhere about.")
@click.option("--target", multiple=True, metavar="NAME...", help="Columns of the table that are outputs.")
@click.option("--range", "ranges", type=float, nargs=2, multiple=True, metavar="LOW HIGH", help="In place of a table.")
@click.option(
    "--final", default="auto", metavar="NAME", help="What follows its last layer: none, sigmoid, softmax, tanh."
)
@click.option("--loss", default="auto", metavar="NAME", help=f"What its outputs are judged by: {', '.join(LOSSES)}.")
@click.option(
    "--standardize",
    type=click.Choice(["raw", "inputs", "outputs", "both"]),
    default="raw",
    help="Columns of the table that it saw with mean 0 and deviation 1.",
)
@click.option("--key", metavar="NAME", help="Which of several networks in a file: the path of its entry, as state.ema.")
@click.option(
    "--orientation",
    type=click.Choice(["out-in", "in-out"]),
    help="How the weights of a network trained elsewhere are stored.",
)
@click.option(
    "--layout", type=_FILE, metavar="TOML", help="The layout of the module that --model makes; left out, it is traced."
)
@click.option("--parts", metavar="TEXT", help="The known decomposition of the task.")
@click.option(
    "--time-budget",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Give up a file that takes longer; the others go on.",
)
@click.option("--dask", metavar="URL", help="Compute on the cluster of this Dask scheduler.")
@click.option("--quiet", is_flag=True, help="Do not tell what is done now.")
def command(**given: Any) -> int:
    """Read the options, do the jobs, tell the outcomes; click shows `HELP` in place of this."""
    if given["check"] is None and not given["checkpoint"]:
        raise click.UsageError("Missing argument 'CHECKPOINT...'.")
    many = given["check"] is None and _many(given)
    analysis = _analysis(given, many=many or bool(given["dask"]))
    options = _Options(**given, analysis=analysis)
    if options.check is not None:
        return _check(options.check, options)
    for text in options.require:
        wanted = Requirement.parse(text)  # bad input is said before the work, not after it
        if wanted.field.partition(".")[0] == "audit" and not analysis.audit:
            raise InputError("a requirement on an audit", where=repr(text), got="no --audit", hint="add --audit")
    if many and options.certify:
        raise InputError("--certify is for one network", got=f"{len(options.checkpoint)} sources, or --all or --out")
    if many:
        return _fleet(options)
    source, certify = str(options.checkpoint[0]), options.certify is not None
    job = Job(source, _sampling(options), options.require, _formats(options), analysis, certify)
    with _telling(options.quiet) as tell:
        (outcome,) = fan_out(work, [job], dask=options.dask) if options.dask else (work(job, tell),)
    return _tell(options, outcome)


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
        click.echo(f"{fleet.statement}: {options.out / 'index.html'}")
    elif fleet.failed:
        click.echo(fleet.statement, err=True)
    return OK if fleet.holds else UNMET


def _analysis(given: dict[str, Any], *, many: bool) -> AnalysisOptions:
    """The options of the analysis; names of files in a form that other processes understand too."""
    defaults, changes = AnalysisOptions().to_json(), dict[str, Any]()
    for option in fields(AnalysisOptions):
        if "flag" not in option.metadata:
            continue
        value = given.pop(option.name)
        if option.name in _CHOSEN or option.name == "measures":
            registry = _CHOSEN.get(option.name, MEASURES)
            if option.name == "edge_weight":
                value = value and registry.reference(value)
            else:
                value = tuple(dict.fromkeys((*defaults[option.name], *map(registry.reference, value))))
        changes[option.name] = value
    # where checkpoints run side by side, each stays in its process
    return AnalysisOptions(**changes, processes=1 if many else None)


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
    """A line on the terminal that says what is done now, and is gone afterwards."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda said: None
        return
    with console.status("") as status:
        yield lambda said: status.update(f"{said} ...")


def _tell(options: _Options, outcome: Outcome) -> int:
    """Print the headline, write files, and hold the requirements against what was found."""
    click.echo("\n".join(outcome.summary))
    for name in _formats(options):
        _write(getattr(options, name), outcome.texts[name])
    for name, data in outcome.certificates.items():
        assert options.certify is not None
        path = options.certify if len(outcome.certificates) == 1 else numbered(options.certify, name)
        _write(path, data.decode("ascii"), "certificate")
    return OK if _tell_findings(outcome.findings) else UNMET


def _write(path: Path, text: str, what: str = "report") -> None:
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
