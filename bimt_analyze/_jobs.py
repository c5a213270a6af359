"""The analysis of one checkpoint as a job: plain values in, plain values out, so that it can be done elsewhere."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint
from bimt_train.extras import need
from bimt_train.pruning import Circuit
from bimt_train.training import Snapshot, load_snapshots

from ._circuit_of import all_inputs
from ._next_step import after_analysis
from ._sources import best_checkpoint, open_checkpoint
from .export import export_circuit
from .graph.exchange._graph_files import graph_text
from .graph.exchange._graph_format import GRAPH_FORMATS
from .options._analysis_options import AnalysisOptions
from .options._sampling import Sampling
from .report import Finding, Requirement

if TYPE_CHECKING:
    from .report import Report

Snapshots = tuple[Snapshot, ...]

FORMATS: "Mapping[str, Callable[[Report, Snapshots], str]]" = {
    "html": lambda report, _: report.to_html(),
    "json": lambda report, _: report.to_json_text(),
    "markdown": lambda report, _: report.to_markdown(),
    "view": lambda report, _: report.to_view().html(),
    "film": lambda report, snapshots: report.to_film(snapshots).html(),
}
"""Option of the command line -> what writes the report in this form, with what was kept of its training."""


@dataclass(frozen=True)
class Job:
    """One checkpoint to analyse, and what is wanted of it. Plain values only: it travels to other machines.

    Attributes
    ----------
    path : str
        A file, or a folder for its best seed.
    sampling : Sampling
        What a file of weights does not say of itself.
    requirements : tuple of str
        Conditions on the report.
    formats : tuple of str
        Which of `FORMATS` to write.
    options : AnalysisOptions
        All options of the analysis.
    certify : bool
        Whether a certificate is wanted for each output.
    graph : str
        The format in which the circuit's graph is wanted; empty for none.
    export : str
        What the file is called that the circuit is exported to; empty for none.
    apart : bool
        Whether each module is exported to a file of its own.
    """

    path: str
    sampling: Sampling
    requirements: tuple[str, ...]
    formats: tuple[str, ...]
    options: AnalysisOptions
    certify: bool = False
    graph: str = ""
    export: str = ""
    apart: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes
    ----------
    source : str
        The file that was analysed.
    summary : tuple of str
        The report's headline, line by line.
    findings : tuple of Finding
        Every field that a requirement speaks of.
    texts : dict of str to str
        Format -> the report in it.
    edges : int
        Edges of the circuit.
    modules : int
        Number of modules.
    matches : bool or None
        Whether the modules match the known decomposition; None where none is known.
    exact : int
        Number of exact formulas.
    formulas : int
        Number of formulas.
    p : float or None
        p of the test of significance; None where it was not made.
    modular : bool or None
        The audit's verdict; None where there was none.
    certificates : dict of str to bytes
        The name of an output to its certificate, where they are wanted.
    next_step : str
        What to type next; empty where nothing is left to ask.
    graph : str
        The circuit's graph in the format that was wanted.
    front : tuple of str
        The front of each formula, line by line.
    exports : dict of str to bytes
        The files of the export, by what stands before their ending.
    exported : tuple of str
        What there is to say of the export, line by line.
    """

    source: str
    summary: tuple[str, ...]
    findings: tuple[Finding, ...]
    texts: dict[str, str]
    edges: int
    modules: int
    matches: bool | None
    exact: int
    formulas: int
    p: float | None
    modular: bool | None
    certificates: dict[str, bytes] = field(default_factory=dict)
    next_step: str = ""
    graph: str = ""
    front: tuple[str, ...] = ()
    exports: dict[str, bytes] = field(default_factory=dict)
    exported: tuple[str, ...] = ()


def work(job: Job, progress: Callable[[str], None] | None = None, *, strict: bool = True) -> Outcome:
    """Analyse one checkpoint.

    Parameters
    ----------
    job : Job
        What to analyse, and what is wanted of it.
    progress : callable or None
        Is called with the name of each stage as it begins.
    strict : bool
        Whether a requirement on a field that the report does not have is an error; else it does not hold. Among many
        networks not each has every output.

    Returns
    -------
    Outcome
        Plain values, which can travel back from another process.

    Raises
    ------
    InputError
        Whatever `open_checkpoint`, `analyze` and `Requirement` refuse.
    """
    from .analysis._analyze import analyze  # brings torch, which the command's help does without
    from .analysis._run_audit import silent

    if job.certify:
        need("torch", "a certificate of formulas")
    requirements = [Requirement.parse(text) for text in job.requirements]
    file = best_checkpoint(job.path)
    checkpoint = open_checkpoint(file, job.sampling)
    snapshots = load_snapshots(file) if "film" in job.formats else ()
    tell = progress or silent
    report = analyze(checkpoint, job.options, name=str(file), progress=progress)
    findings = tuple(
        finding for requirement in requirements for finding in _findings(report, requirement, strict=strict)
    )
    certificates = dict[str, bytes]()
    if job.certify:
        from .analysis._certified import certificates_of

        tell("certificates")
        certificates = certificates_of(report)
    exports, exported = dict[str, bytes](), tuple[str, ...]()
    if job.export:
        tell("export")
        exports, exported = _exported(report.circuit, checkpoint, job)
    if job.formats:
        tell("report")
    return Outcome(
        source=str(file),
        summary=report.summary(),
        findings=findings,
        texts={name: FORMATS[name](report, snapshots) for name in job.formats},
        edges=report.circuit.edges,
        modules=len(report.modules),
        matches=None if report.matches_decomposition is None else report.matches_decomposition.matches,
        exact=sum(formula.exact for formula in report.formulas.values()),
        formulas=len(report.formulas),
        p=report.p,
        modular=None if report.audit is None else report.audit.verdict.modular,
        certificates=certificates,
        next_step=after_analysis(
            report, file, formats=job.formats, audit=report.audit is not None, certify=job.certify
        ),
        graph=_graph_of(report, job.graph) if job.graph else "",
        front=_fronts(report),
        exports=exports,
        exported=exported,
    )


def _fronts(report: "Report") -> tuple[str, ...]:
    """The front of each formula, line by line."""
    from .formulas._front import front_lines  # brings sympy

    return tuple(
        line for name, formula in report.formulas.items() for line in front_lines(name, formula.front, met=formula.fits)
    )


def _graph_of(report: "Report", form: str) -> str:
    """The circuit's graph with its modules, in the order of the report."""
    modules = {node: number for number, nodes in enumerate(report.module_sets, start=1) for node in nodes}
    return graph_text(report.graph, GRAPH_FORMATS[form], modules)


def _exported(circuit: Circuit, checkpoint: Checkpoint, job: Job) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The circuit as a file that runs by itself, checked on rows of the probe."""
    found = export_circuit(
        circuit,
        job.export,
        x=all_inputs(checkpoint),
        dense=checkpoint.network,
        inputs=checkpoint.task.inputs,
        outputs=checkpoint.task.outputs,
        apart=job.apart,
        write=False,
    )
    return dict(found.files), tuple(found.lines())


def _findings(report: "Report", requirement: Requirement, *, strict: bool) -> tuple[Finding, ...]:
    try:
        return report.check(requirement)
    except InputError as error:
        if strict:
            raise
        return (Finding(requirement.field, None, False, f"{requirement}: {error.what}: {error.got or error.where}"),)


def numbered(path: Path, name: str) -> Path:
    """The name of a report when there are many: ``report.html`` becomes ``report.seed-003.html``.

    Parameters
    ----------
    path : Path
        The name that the user gave.
    name : str
        What tells the checkpoint from the others, as its stem.

    Returns
    -------
    Path
        The name with the checkpoint's in it.

    Examples
    --------
    >>> numbered(Path("out/report.html"), "seed-003").as_posix()
    'out/report.seed-003.html'
    """
    return path.with_name(f"{path.stem}.{name}{path.suffix}")
