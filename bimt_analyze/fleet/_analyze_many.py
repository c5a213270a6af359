"""Many files in one call."""

import functools
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

from bimt_train import InputError
from bimt_train.fan_out import fan_out
from bimt_train.whole_files import made_folder

from .._jobs import Job
from ..options._analysis_options import AnalysisOptions
from ..options._sampling import Sampling
from ._fleet import Fleet, write_reports
from ._gather import jobs_of
from ._member import Failure, Member
from ._processes import Answer, Worker, alone
from ._report_names import distinct_names

_log = logging.getLogger(__name__)

Done = Callable[[int, int, Member], None]


def analyze_many(
    sources: Sequence[str | Path] | Sequence[Job],
    options: AnalysisOptions | None = None,
    *,
    sampling: Sampling | None = None,
    requirements: Sequence[str] = (),
    out: str | Path | None = None,
    time_budget: float | None = None,
    processes: int | None = None,
    dask: str | None = None,
    progress: Done | None = None,
) -> Fleet:
    """Analyse many files, each in a process of its own; one that cannot be read does not stop the others.

    Neither the order of the sources nor the number of processes changes what is found. Each process has one thread.

    Parameters
    ----------
    sources : sequence of str or Path, or sequence of Job
        Files, folders and manifests, as `jobs_of` takes them, or the jobs that it gives.
    options : AnalysisOptions or None
        All options of the analyses; the defaults if left out. Not for jobs, which have their own.
    sampling : Sampling or None
        What the files do not say of themselves. Not for jobs.
    requirements : sequence of str
        Conditions on each report, as ``agreement>=0.9``. Not for jobs.
    out : str, Path or None
        A folder in which each report is written as soon as it is there; the fleet does not hold their texts then.
    time_budget : float or None
        Seconds for one file. A file that takes longer is given up, and says so.
    processes : int or None
        How many at once; one for each core if left out. Not used with ``dask``.
    dask : str or None
        The address of a Dask scheduler, whose workers see the same files.
    progress : callable or None
        Is called after each file with the number of files done, the number of all, and what came of this one.

    Returns
    -------
    Fleet
        One member for each network, in the order of the sources.

    Raises
    ------
    InputError
        None of the sources is there, a folder has no networks, a manifest cannot be used, or the time budget or the
        number of processes is not above 0.

    Examples
    --------
    >>> import tempfile, torch
    >>> folder = Path(tempfile.mkdtemp())
    >>> torch.save(torch.nn.Linear(2, 1).state_dict(), folder / "one.pt")
    >>> _ = (folder / "two.pt").write_bytes(b"")
    >>> quick = AnalysisOptions(samples=0, time_limit=0)
    >>> said = Sampling(activation="relu", ranges=((-1.0, 1.0),))
    >>> fleet = analyze_many([folder], quick, sampling=said, processes=1)
    >>> [(member.name, member.failure is None) for member in fleet.members]
    [('one', True), ('two', False)]
    """
    for name, number in (("time_budget", time_budget), ("processes", processes)):
        if number is not None and not number > 0:
            raise InputError("an option out of its range", where=name, expected="above 0", got=str(number))
    given = [source for source in sources if isinstance(source, Job)] or jobs_of(
        [source for source in sources if not isinstance(source, Job)],
        sampling=sampling, options=options, requirements=requirements,
    )  # fmt: skip
    # many run side by side, so each stays in its process
    jobs = tuple(replace(job, options=job.options.with_changes(processes=1)) for job in given)
    names = distinct_names([job.path for job in jobs])
    if out is not None:
        made_folder(out)  # said before the work, if it cannot be
    members: dict[int, Member] = {}

    def done(place: int, answer: Answer) -> None:
        found, seconds = answer
        outcome, failure = (None, found) if isinstance(found, Failure) else (found, None)
        member = Member(names[place], jobs[place].path, outcome, failure, seconds)
        if out is not None:
            member = write_reports(member, Path(out))
        members[place] = member
        _log.info("analysis: %d of %d, last %s", len(members), len(jobs), member.name)
        if progress is not None:
            progress(len(members), len(jobs), member)

    if dask is not None:
        for place, answer in enumerate(fan_out(functools.partial(alone, time_budget=time_budget), jobs, dask=dask)):
            done(place, answer)
    else:
        _side_by_side(jobs, time_budget, processes, done)
    return Fleet(tuple(members[place] for place in range(len(jobs))))


def _side_by_side(
    jobs: Sequence[Job], time_budget: float | None, processes: int | None, done: Callable[[int, Answer], None]
) -> None:
    """Each thread waits for one process at a time; what ends early makes room for the next."""
    import joblib

    workers = [Worker() for _ in range(min(processes or joblib.cpu_count(), len(jobs)))]
    idle: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def wait_for(job: Job) -> Answer:
        worker = idle.get()
        try:
            return worker.do(job, time_budget)
        finally:
            idle.put(worker)

    with ThreadPoolExecutor(len(workers)) as pool:
        places = {pool.submit(wait_for, job): place for place, job in enumerate(jobs)}
        try:
            for future in as_completed(places):
                done(places[future], future.result())
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in workers:
                worker.stop()
            raise
        finally:
            for worker in workers:
                worker.close()
