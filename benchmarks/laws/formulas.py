"""Formulas recovered from rows: the engine alone, training and analysis, and pyoperon, in the same time.

Every measurement is a line of the log; --resume goes on with what the log has for the same time and seed.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common._measure import write_section
from benchmarks.common._workers import watched
from benchmarks.laws.cases._compositions import compositions
from benchmarks.laws.cases._equations import TABLE, Target, feynman, named
from benchmarks.laws.judging._arms import NAMES, available
from benchmarks.laws.judging._outcomes import Job, Outcome, Setting, measure, outcome, read_log, write_log
from benchmarks.laws.judging._sections import section

CLEAN = "Rows without noise, 1,000 and as many held out."
SETTINGS = {
    one.name: one
    for one in (
        Setting("clean", 1000, 0.0, CLEAN),
        Setting("few", 100, 0.0, "Rows without noise, 100 and as many held out."),
        Setting("noisy", 1000, 0.01, "1,000 rows and as many held out, with noise of 1 % of y's deviation."),
        Setting("very noisy", 1000, 0.1, "1,000 rows and as many held out, with noise of 10 % of y's deviation."),
        Setting("compositions", 1000, 0.0, f"Random compositions, one to four levels deep. {CLEAN}"),
        Setting("unseen compositions", 1000, 0.0, f"Compositions beside which the search was not built. {CLEAN}"),
        Setting("named", 1000, 0.0, f"Nine equations of the Feynman data set. {CLEAN}"),
    )
}
DRAWS = {"compositions": (2305, 1), "unseen compositions": (2306, 3)}  # seed, and the least depth
LOG = Path(__file__).resolve().parents[2] / "runs" / "formulas.jsonl"
STARTING, JUDGING, HARD = 120.0, 120.0, 10.0  # seconds, seconds, and times the budget, which counts work


def targets(setting: str, table: Sequence[Target]) -> tuple[Target, ...]:
    """What a setting asks for."""
    if setting in DRAWS:
        return compositions(*DRAWS[setting])
    return named(table) if setting == "named" else tuple(table)


def measured(jobs: Sequence[Job], *, processes: int, log: Path, resume: bool) -> list[Outcome]:
    """The outcomes of all jobs, in their order, told as they come."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if not resume:
        log.unlink(missing_ok=True)
    known = {one.key: one for one in read_log(log)}
    wanted = [_key(job) for job in jobs]
    limits = (STARTING, HARD * jobs[0].seconds, JUDGING)
    new = [job for job, key in zip(jobs, wanted, strict=True) if key not in known]
    for finished in watched(measure, new, limits=limits, processes=processes):
        one = outcome(finished)
        print(one.line(), flush=True)
        write_log(log, one)
        known[one.key] = one
    return [known[key] for key in wanted]


def _key(job: Job) -> tuple[str, str, str, str, float, int]:
    return job.setting.name, job.arm, job.target.name, job.target.formula, job.seconds, job.seed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--arms", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each formula, everything included")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these formulas; RESULTS.md is left as it is")
    parser.add_argument("--jobs", type=int, default=2, help="formulas at once, one thread each")
    parser.add_argument("--log", type=Path, default=LOG, help="one line of JSON a measurement")
    parser.add_argument("--resume", action="store_true", help="take over what the log has")
    chosen = parser.parse_args()
    arms = [name for name in chosen.arms if name in available()]
    if len(arms) < len(chosen.arms):
        print("pyoperon is left out: pip install pyoperon")
    table = feynman()
    if not table:
        print(f"the Feynman equations are left out: no {TABLE}")
    resume = chosen.resume
    for name in chosen.settings:
        setting = SETTINGS[name]
        asked = [one for one in targets(name, table) if not chosen.only or one.name in chosen.only]
        if not asked or not arms:
            continue
        print(f"{name}: {setting.about}", flush=True)
        jobs = [Job(setting, arm, one, chosen.seconds, chosen.seed) for one in asked for arm in arms]
        outcomes = measured(jobs, processes=chosen.jobs, log=chosen.log, resume=resume)
        resume = True
        lines = section(setting, arms, outcomes, chosen.seconds)
        if chosen.only:
            print("\n".join(["", *lines, ""]))
        else:
            write_section(f"Formulas, {name}", lines)


if __name__ == "__main__":
    main()
