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

from ._jobs import FORMATS, Job, Outcome, numbered, work
from ._options import AnalysisOptions
from ._sampling import Sampling
from .audits import MEASURES, NULL_MODELS, STATISTICS
from .fleet import analyze_many, holds_many, jobs_of
from .graph import EDGE_WEIGHTS
from .report import Finding, Requirement

HELP = """Read trained networks: their circuits, modules and formulas, and how well these match what is known.

CHECKPOINT is a file that bimt-train wrote, or its folder, which means the best seed in it. It may also be a folder of
Hugging Face's transformers with a GPT-2, Llama, Mistral, Qwen2 or Qwen3, or a plain feed-forward network trained
elsewhere (.pt, .pth or .safetensors with a state_dict, .npz, .onnx, .keras), or the weights of a module of any class;
then say what the file does not:

\b
  --activation silu                     between its layers
  --model net.py:make                   or the function that makes its module; net.py is run
  --probe table.csv --target y1 y2      rows to ask it about; the other columns are its inputs
  --final sigmoid --loss bce            how it ends and is judged; left out, what fits the table best
  --range -1 1                          or a range to draw rows from; once for all inputs, or once for each
  --key ema                             which of several networks in the file, by the path of its entry
  --orientation in-out                  how its weights are stored, where neither names nor shapes tell
  --parts "y1: x1 x3; y2: x2 x4"        what is known, if anything: which output depends on which inputs,
                                        also by way of functions between: "f: x1 x2; y1 y2: f x3"

Several files, a folder of files, or a manifest give one page over all and one report each, in the folder of --out. A
manifest is a CSV with a column "file" and, if need be, columns called as the options: activation, probe, target, range,
final, loss, standardize, key, orientation, layout, model, parts. The command line's options are defaults for its empty
cells. A file that cannot be read, or takes longer than --time-budget, is a row with its reason.

\b
Examples:
  bimt-analyze runs/independence --html report.html
  bimt-analyze runs/independence --audit --require audit.modular --html audit.html
  bimt-analyze runs/independence --all --json reports/independence.json
  bimt-analyze runs/independence/seed-003.safetensors --require "formulas.*.exact" --require "agreement>=0.9"
  bimt-analyze model.pt --activation relu --range -2 2 --html report.html
  bimt-analyze nets/*.pt more.safetensors --activation relu --range -1 1 --out audits/ --time-budget 60
  bimt-analyze manifest.csv --audit --require audit.modular --out audits/

\b
--require takes a field of the JSON report, a comparison and a number, and may be given several times:
  agreement>=0.9            score of the modules against the known decomposition
  significance.p<0.05       how often a network without modular structure looks as modular
  formulas.y1.r2>0.999      formulas.*.identified for all outputs; a field alone must be true
  modules==2                a list stands for its length

\b
Exit status: 0 done; 1 a requirement does not hold, or one of many files is not analysed; 2 bad input, said in one line.
"""


@dataclass(frozen=True)
class _Options:
    """The command line, as click read it; the help texts say what each word means."""

    checkpoint: tuple[Path, ...]
    out: Path | None
    time_budget: float | None
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
@click.argument("checkpoint", type=_FILE, nargs=-1, required=True)
@click.option("--out", type=_FILE, metavar="FOLDER", help="Write a page over all files, and a report each, in here.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write the report as one self-contained page.")
@click.option("--json", type=_FILE, metavar="FILE", help="Write the report for other programs.")
@click.option("--markdown", type=_FILE, metavar="FILE", help="Write the report as Markdown.")
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
    many = _many(given)
    analysis = _analysis(given, many=many or bool(given["dask"]))
    options = _Options(**given, analysis=analysis)
    for text in options.require:
        wanted = Requirement.parse(text)  # bad input is said before the work, not after it
        if wanted.field.partition(".")[0] == "audit" and not analysis.audit:
            raise InputError("a requirement on an audit", where=repr(text), got="no --audit", hint="add --audit")
    if many:
        return _fleet(options)
    job = Job(str(options.checkpoint[0]), _sampling(options), options.require, _formats(options), analysis)
    with _telling(options.quiet) as tell:
        (outcome,) = fan_out(work, [job], dask=options.dask) if options.dask else (work(job, tell),)
    return _tell(options, outcome)


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
    return OK if _tell_findings(outcome.findings) else UNMET


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    click.echo(f"report: {path}")


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


if __name__ == "__main__":
    sys.exit(main())
