"""What an analysis would do, in lines; nothing is analysed or written."""

from collections.abc import Sequence
from pathlib import Path

from bimt_train.checkpoints import Checkpoint
from bimt_train.shell.words import few_names
from bimt_train.training import load_snapshots

from .._jobs import Job
from .._network_size import planned_size
from .._sources import best_checkpoint, open_checkpoint
from ..audits._audit import by_effort
from ..options._analysis_options import AnalysisOptions


def dry_run(jobs: Sequence[Job], writes: Sequence[Path]) -> str:
    """What would be read, computed, required and written. One network alone is read, so that bad input is refused.

    Parameters
    ----------
    jobs : sequence of Job
        One a network.
    writes : sequence of Path
        Files and folders that would be written.

    Returns
    -------
    str
        A line a subject.
    """
    options = jobs[0].options
    if len(jobs) == 1:
        file, checkpoint = _opened(jobs[0])
        said = [
            ("reads", f"{file}: {_content(checkpoint)}"),
            ("size", planned_size(checkpoint.network, memory=options.memory)),
        ]
    else:
        said = [("reads", f"{len(jobs)} networks, a process each"), *(("", job.path) for job in jobs)]
    said.append(("computes", _computed(options, certify=jobs[0].certify)))
    if options.audit:
        said.append(("audits", _measures(options)))
    said += [("requires", requirement) for requirement in jobs[0].requirements]
    said += [("writes", str(path)) for path in writes]
    return "\n".join([*(f"{name:<9} {text}" for name, text in said), "nothing is done: this was --dry-run"])


def _opened(job: Job) -> tuple[Path, Checkpoint]:
    file = best_checkpoint(job.path)
    checkpoint = open_checkpoint(file, job.sampling)
    if "film" in job.formats:
        load_snapshots(file)
    return file, checkpoint


def _content(checkpoint: Checkpoint) -> str:
    """What is in the file."""
    task, probe, network = checkpoint.task, checkpoint.probe, checkpoint.network
    weights = sum(tensor.size for tensor in network.tensors.values())
    ends = f"{few_names(task.outputs)} from {few_names(task.inputs)}"
    rows = len(probe.x_train) + len(probe.x_test)
    return f"{task.name}, {ends}; {network.model.kind}, {weights} weights and biases; {rows} rows"


def _measures(options: AnalysisOptions) -> str:
    """The measures in the order in which they are made."""
    order = ", ".join(measure.label for measure in by_effort(options))
    late = f"; what would end after {options.minutes:g} minutes is left out" if options.minutes else ""
    return f"{order}, as far as they apply{late}"


def _computed(options: AnalysisOptions, *, certify: bool) -> str:
    searched = f"formulas for {options.time_limit:g} s of a reference core" if options.time_limit else "no formulas"
    tested = f"{options.samples} null networks" if options.samples else "no null networks"
    said = [f"a circuit within {options.tolerance:.0%} of the loss", f"modules and {tested}", searched]
    if options.audit:
        said.append(f"an audit, its null networks trained for {options.retrain_steps} steps")
    return "; ".join(said + (["a proof for each formula"] if certify else []))
