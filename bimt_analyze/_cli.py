"""bimt-analyze: read trained networks from the shell."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from bimt_train import InputError, Registry, fan_out
from bimt_train.losses import LOSSES
from bimt_train.shell import OK, UNMET, run
from bimt_train.training import checkpoints_in

from ._jobs import FORMATS, Job, Outcome, numbered, work
from ._options import AnalysisOptions
from ._sources import Sampling
from .audits import MEASURES, NULL_MODELS, STATISTICS
from .graph import EDGE_WEIGHTS
from .report import Requirement

HELP = """Read a trained network: its circuit, its modules, its formulas, and how well these match what is known.

CHECKPOINT is a file that bimt-train wrote, or its folder, which means the best seed in it. It may also be a plain
feed-forward network trained elsewhere (.pt, .pth or .safetensors with a state_dict); then say what the file does not:

\b
  --activation silu                     between its layers
  --probe table.csv --target y1 y2      rows to ask it about; the other columns are its inputs
  --final sigmoid --loss bce            how it ends and is judged; left out, what fits the table best
  --range -1 1                          or a range to draw rows from; once for all inputs, or once for each
  --parts "y1: x1 x3; y2: x2 x4"        what is known, if anything: which output depends on which inputs,
                                        also by way of functions between: "f: x1 x2; y1 y2: f x3"

\b
Examples:
  bimt-analyze runs/independence --html report.html
  bimt-analyze runs/independence --audit --require audit.modular --html audit.html
  bimt-analyze runs/independence --all --json reports/independence.json
  bimt-analyze runs/independence/seed-003.safetensors --require "formulas.*.exact" --require "agreement>=0.9"
  bimt-analyze model.pt --activation relu --range -2 2 --html report.html

\b
--require takes a field of the JSON report, a comparison and a number, and may be given several times:
  agreement>=0.9            score of the modules against the known decomposition
  significance.p<0.05       how often a network without modular structure looks as modular
  formulas.y1.r2>0.999      formulas.*.exact for all outputs; a field alone must be true
  modules==2                a list stands for its length

\b
Exit status: 0 done; 1 a requirement does not hold; 2 bad input, said in one line.
"""


@dataclass(frozen=True)
class _Options:
    """The command line, as click read it; the help texts say what each word means."""

    checkpoint: Path
    html: Path | None
    json: Path | None
    markdown: Path | None
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
    dask: str | None
    quiet: bool
    analysis: AnalysisOptions


_FILE = click.Path(path_type=Path)
_CHOSEN: Mapping[str, Registry[Any]] = {
    "edge_weight": EDGE_WEIGHTS,
    "null_models": NULL_MODELS,
    "statistics": STATISTICS,
}


def _analysis_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add an option of the command line for every field of `AnalysisOptions` that has a flag."""
    for option in reversed(fields(AnalysisOptions)):
        if "flag" not in option.metadata:
            continue
        about: dict[str, Any] = {"help": option.metadata["help"], "default": option.default}
        if isinstance(option.default, bool):
            about |= {"is_flag": True}
        elif isinstance(option.default, int | float):
            kind = click.IntRange if isinstance(option.default, int) else click.FloatRange
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
@click.argument("checkpoint", type=_FILE)
@click.option("--html", type=_FILE, metavar="FILE", help="Write the report as one self-contained page.")
@click.option("--json", type=_FILE, metavar="FILE", help="Write the report for other programs.")
@click.option("--markdown", type=_FILE, metavar="FILE", help="Write the report as Markdown.")
@click.option("--require", multiple=True, metavar="CONDITION", help="End with status 1 unless this holds.")
@click.option(
    "--all", "every", is_flag=True, help="Analyse every seed of the folder; each report's file is named after its seed."
)
@_analysis_options
@click.option("--activation", help="Activation between the layers of a network trained elsewhere, for instance silu.")
@click.option("--model", metavar="FILE.py:NAME", help="A kind of model of your own that the checkpoint needs.")
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
@click.option("--parts", metavar="TEXT", help="The known decomposition of the task.")
@click.option("--dask", metavar="URL", help="Compute on the cluster of this Dask scheduler.")
@click.option("--quiet", is_flag=True, help="Do not tell what is done now.")
def command(**given: Any) -> int:
    """Read the options, do the jobs, tell the outcomes; click shows `HELP` in place of this."""
    analysis = _analysis(given, many=bool(given["every"] or given["dask"]))
    options = _Options(**given, analysis=analysis)
    for text in options.require:
        wanted = Requirement.parse(text)  # bad input is said before the work, not after it
        if wanted.field.partition(".")[0] == "audit" and not analysis.audit:
            raise InputError("a requirement on an audit", where=repr(text), got="no --audit", hint="add --audit")
    if options.every and not options.checkpoint.is_dir():
        raise InputError(
            "--all is for a folder", got=str(options.checkpoint), hint="give the folder, or leave --all out"
        )
    paths = checkpoints_in(options.checkpoint) if options.every else (options.checkpoint,)
    jobs = [_job(options, path) for path in paths]
    if options.every or options.dask:
        with _telling(options.quiet) as tell:
            tell(f"{len(jobs)} checkpoint{'' if len(jobs) == 1 else 's'}")
            outcomes = fan_out(work, jobs, dask=options.dask)
    else:
        with _telling(options.quiet) as tell:
            outcomes = (work(jobs[0], tell),)
    return _tell_outcomes(options, outcomes)


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


def _job(options: _Options, path: Path) -> Job:
    said = options
    return Job(
        path=str(path),
        sampling=Sampling(
            said.activation,
            said.probe,
            said.target,
            said.ranges,
            said.parts,
            said.model,
            said.final,
            said.loss,
            said.standardize,
        ),
        requirements=options.require,
        formats=tuple(name for name in FORMATS if getattr(options, name) is not None),
        options=options.analysis,
    )


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


def _tell_outcomes(options: _Options, outcomes: Sequence[Outcome]) -> int:
    """Print headlines, write files, and hold the requirements against what was found."""
    click.echo(table(outcomes) if options.every else "\n".join(outcomes[0].summary))
    for name in FORMATS:
        wanted: Path | None = getattr(options, name)
        if wanted is None:
            continue
        for outcome in outcomes:
            path = numbered(wanted, outcome.source) if options.every else wanted
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(outcome.texts[name], encoding="utf-8")
            click.echo(f"report: {path}")
    missed = False
    for outcome in outcomes:
        for finding in outcome.findings:
            missed |= not finding.holds
            where = f"{Path(outcome.source).stem}: " if options.every else ""
            verdict = "holds" if finding.holds else "does not hold"
            click.echo(f"{where}requirement {verdict}: {finding.line}", err=not finding.holds)
    return UNMET if missed else OK


def table(outcomes: Sequence[Outcome]) -> str:
    """One line a checkpoint, in the order given.

    Where several have a p, q is p after Benjamini and Hochberg: the share of false ones to expect among all that are
    called significant at this q or below.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One outcome a checkpoint.

    Returns
    -------
    str
        The table.
    """
    wide = max(10, *(len(Path(outcome.source).stem) for outcome in outcomes))
    audited = any(outcome.modular is not None for outcome in outcomes)
    modular = f"  {'modular':>7}" if audited else ""
    head = f"{'checkpoint':<{wide}}  {'edges':>5}  {'modules':>7}{modular}  {'p':>6}  {'q':>6}"
    lines = [f"{head}  {'matches':>8}  exact formulas"]
    for outcome, q in zip(outcomes, q_values([outcome.p for outcome in outcomes]), strict=True):
        verdict = f"  {_WORDS[outcome.modular]:>7}" if audited else ""
        chance = "  ".join("-".rjust(6) if value is None else f"{value:>6.3f}" for value in (outcome.p, q))
        lines.append(
            f"{Path(outcome.source).stem:<{wide}}  {outcome.edges:>5}  {outcome.modules:>7}{verdict}  {chance}  "
            f"{_WORDS[outcome.matches]:>8}  {outcome.exact} of {outcome.formulas}"
        )
    return "\n".join(lines)


_WORDS = {None: "-", True: "yes", False: "no"}


def q_values(ps: Sequence[float | None]) -> list[float | None]:
    """The p-values of many networks, adjusted by Benjamini and Hochberg's procedure; None stays None.

    Parameters
    ----------
    ps : sequence of float or None
        One p-value a network.

    Returns
    -------
    list of float or None
        One q-value a network.

    Examples
    --------
    >>> q_values([0.01, None, 0.04, 0.03])
    [0.03, None, 0.04, 0.04]
    """
    from scipy.stats import false_discovery_control

    known = [p for p in ps if p is not None]
    adjusted = iter(false_discovery_control(known).tolist() if known else [])
    return [None if p is None else float(next(adjusted)) for p in ps]


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


if __name__ == "__main__":
    sys.exit(main())
