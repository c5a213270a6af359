"""The analysis of one checkpoint as a job: plain values in, plain values out, so that it can be done elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ._sources import Sampling, best_checkpoint, open_checkpoint
from .report import Finding, Requirement

FORMATS = ("html", "json", "markdown")


@dataclass(frozen=True)
class Job:
    """One checkpoint to analyse, and what is wanted of it. Plain values only: it travels to other machines.

    Attributes:
        path: a file, or a folder for its best seed.
        sampling: for files of weights trained elsewhere.
        requirements: as text.
        formats: which of `FORMATS` to render.
        seed: of the analysis.
        tolerance: of pruning.
        refit_steps: of pruning.
        samples: null networks of the test of significance.
        seconds: for formulas.
        evolve: as `analyze` takes it.
        audit: as `analyze` takes it.
        retrain_steps: as `analyze` takes it.
        processes: that an audit may start.
    """

    path: str
    sampling: Sampling
    requirements: tuple[str, ...]
    formats: tuple[str, ...]
    seed: int
    tolerance: float
    refit_steps: int
    samples: int
    seconds: float
    evolve: bool
    audit: bool
    retrain_steps: int
    processes: int | None


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes:
        source: the file that was analysed.
        summary: its headline, line by line.
        findings: every field that a requirement speaks of.
        texts: format -> the report in it.
        edges: of the circuit.
        modules: their number.
        as_built: whether they are the known parts; None where none are known.
        exact: formulas that are.
        formulas: formulas in all.
        p: of the test of significance; None where it was not made.
        modular: the audit's verdict; None where there was none.
    """

    source: str
    summary: tuple[str, ...]
    findings: tuple[Finding, ...]
    texts: dict[str, str]
    edges: int
    modules: int
    as_built: bool | None
    exact: int
    formulas: int
    p: float | None
    modular: bool | None


def work(job: Job, progress: Callable[[str], None] | None = None) -> Outcome:
    """Analyse one checkpoint.

    Raises:
        InputError: whatever `open_checkpoint`, `analyze` and `Requirement` refuse.
    """
    from ._analyze import analyze  # brings torch, which the command's help does without

    requirements = [Requirement.parse(text) for text in job.requirements]
    file = best_checkpoint(job.path)
    report = analyze(
        open_checkpoint(file, job.sampling),
        name=str(file),
        seed=job.seed,
        tolerance=job.tolerance,
        refit_steps=job.refit_steps,
        samples=job.samples,
        seconds=job.seconds,
        evolve=job.evolve,
        audit=job.audit,
        retrain_steps=job.retrain_steps,
        processes=job.processes,
        progress=progress,
    )
    findings = tuple(finding for requirement in requirements for finding in report.check(requirement))
    if progress is not None and job.formats:
        progress("report")
    write = {"html": report.to_html, "json": report.to_json_text, "markdown": report.to_markdown}
    return Outcome(
        source=str(file),
        summary=report.summary(),
        findings=findings,
        texts={name: write[name]() for name in job.formats},
        edges=report.circuit.edges,
        modules=len(report.modules),
        as_built=None if report.built_as is None else report.built_as.as_built,
        exact=sum(formula.exact for formula in report.formulas.values()),
        formulas=len(report.formulas),
        p=None if report.significance is None else report.significance.p,
        modular=None if report.audit is None else report.audit.verdict.modular,
    )


def numbered(path: Path, source: str) -> Path:
    """The name of a report when there are many: ``report.html`` becomes ``report.seed-003.html``.

    >>> numbered(Path("out/report.html"), "runs/a/seed-003.safetensors").as_posix()
    'out/report.seed-003.html'
    """
    return path.with_name(f"{path.stem}.{Path(source).stem}{path.suffix}")
