"""What an analysis would do, in lines; nothing is analysed or written."""

from collections.abc import Sequence
from pathlib import Path

from ._jobs import Job
from ._options import AnalysisOptions
from ._sources import best_checkpoint, open_checkpoint


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
    said = [("reads", _network(jobs[0]) if len(jobs) == 1 else f"{len(jobs)} networks, a process each")]
    said += [("", job.path) for job in jobs if len(jobs) > 1]
    said.append(("computes", _computed(jobs[0].options, certify=jobs[0].certify)))
    said += [("requires", requirement) for requirement in jobs[0].requirements]
    said += [("writes", str(path)) for path in writes]
    return "\n".join([*(f"{name:<9} {text}" for name, text in said), "nothing is done: this was --dry-run"])


def _network(job: Job) -> str:
    """The file, and what is in it."""
    file = best_checkpoint(job.path)
    checkpoint = open_checkpoint(file, job.sampling)
    task, probe, network = checkpoint.task, checkpoint.probe, checkpoint.network
    weights = sum(tensor.size for tensor in network.tensors.values())
    ends = f"{_list(task.outputs)} from {_list(task.inputs)}"
    rows = len(probe.x_train) + len(probe.x_test)
    return f"{file}: {task.name}, {ends}; {network.model.kind}, {weights} weights and biases; {rows} rows"


def _computed(options: AnalysisOptions, *, certify: bool) -> str:
    searched = f"formulas for {options.time_limit:g} s of a reference core" if options.time_limit else "no formulas"
    tested = f"{options.samples} null networks" if options.samples else "no null networks"
    said = [f"a circuit within {options.tolerance:.0%} of the loss", f"modules and {tested}", searched]
    if options.audit:
        said.append(f"an audit, its null networks trained for {options.retrain_steps} steps")
    return "; ".join(said + (["a proof for each formula"] if certify else []))


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 8 else f"{names[0]} ... {names[-1]} ({len(names)})"
