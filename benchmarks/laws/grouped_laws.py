"""Laws with constants of each group's own: is the form found, and which constants are shared?"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.common._measure import table, write_section
from benchmarks.common._workers import watched
from benchmarks.laws.cases._grouped_equations import EQUATIONS, GroupedEquation
from benchmarks.laws.judging._judge import judge
from bimt_analyze.grouped_laws import GroupedLaw, find_grouped_law

CONSTANT = 0.1  # how far a group's constant may be from what it is fitted to, with noise in ten rows
JUDGED = 4  # groups of each law whose formula is held against the truth


@dataclass(frozen=True)
class Found:
    """What was found for one law at one noise."""

    name: str
    noise: float
    groups: int
    law: str
    form: bool
    sorted: bool
    word: str
    seconds: float

    @property
    def right(self) -> bool:
        """Whether the form is right, and which constants are shared."""
        return self.form and self.sorted

    def line(self) -> str:
        """For the terminal."""
        said = f"{'form' if self.form else 'no':<5}{'sorted' if self.sorted else '':<7}"
        return f"{self.name:<20}{self.noise:<5}{said}{self.seconds:6.1f} s  {self.word:<18}{self.law[:120]}"


def measure(job: tuple[int, float, float, int]) -> Iterator[Found]:
    """One law at one noise."""
    number, noise, seconds, seed = job
    known = EQUATIONS[number]
    x, y, labels = known.table(noise, seed)
    began = time.perf_counter()
    law = find_grouped_law(x, y, labels, names=list(known.inputs), time_limit=seconds, seed=seed)
    spent = time.perf_counter() - began
    yield Found(
        known.name, noise, known.groups, str(law), right_form(law, known, seed), len(law.own) == len(known.own),
        law.word, spent,
    )  # fmt: skip


def right_form(law: GroupedLaw, known: GroupedEquation, seed: int) -> bool:
    """Whether the formulas of some groups have the form of the truth, and no group is left out."""
    inputs, ranges = list(known.inputs), list(known.inputs.values())
    for label, constants in list(zip(law.labels, known.constants(seed), strict=True))[-JUDGED:]:  # the first is special
        truth = known.in_group(constants)
        said = judge(law.in_group(label), truth, inputs=inputs, ranges=ranges, constant=CONSTANT)
        if not said.exact and not (said.form and said.r2 > 0.98):
            return False
    return not law.apart


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.02])
    parser.add_argument("--only", nargs="+", help="only these laws; nothing is written then")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each law, in work of the reference machine")
    parser.add_argument("--patience", type=float, default=300.0, help="seconds after which a law is given up")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--log", type=Path, help="where each result is added as a line")
    options = parser.parse_args(arguments)
    wanted = [n for n, known in enumerate(EQUATIONS) if not options.only or known.name in options.only]
    jobs = [(n, noise, options.seconds, options.seed) for noise in options.noise for n in wanted]
    results: list[Found] = []
    for finished in watched(measure, jobs, limits=(options.patience,), processes=options.jobs):
        known = EQUATIONS[finished.job[0]]
        failed = Found(known.name, finished.job[1], known.groups, finished.fault, False, False, "failed", np.nan)
        found = next(iter(finished.messages), failed)
        print(found.line(), flush=True)
        results.append(found)
        if options.log:
            with options.log.open("a") as file:
                file.write(json.dumps(asdict(found)) + "\n")
    if not options.only:
        write_section("One law, many groups", told(results))


def told(results: Sequence[Found]) -> list[str]:
    """The section's lines."""
    by: Mapping[float, list[Found]] = {
        noise: [r for r in results if r.noise == noise] for noise in dict.fromkeys(r.noise for r in results)
    }
    head = (
        "noise",
        "laws",
        "form",
        "form, and shared constants",
        "called a law",
        "of these wrongly",
        "median",
        "worst",
    )
    rows, missed = [], []
    for noise, of in by.items():
        law = [one for one in of if one.word == "exact" or one.word.startswith("within")]
        seconds = [one.seconds for one in of]
        rows.append((
            f"{noise:.0%}", len(of), sum(one.form for one in of), sum(one.right for one in of), len(law),
            sum(not one.right for one in law), f"{np.nanmedian(seconds):.0f} s", f"{np.nanmax(seconds):.0f} s",
        ))  # fmt: skip
        lacks = [f"{one.name} (`{one.law}`)" for one in of if not one.right]
        missed.append(f"Missed at {noise:.0%}: {'; '.join(lacks) or 'none'}.")
    about = (
        "Laws of one and two inputs, 2 to 50 groups of 10 to 30 rows, noise in parts of each group's deviation. Form: "
        f"the formulas of {JUDGED} groups agree with their truth to 1e-8 once their constants are fitted to it, and no "
        "group is left out. Shared constants: as many constants are each group's own as in the truth. Seconds are wall "
        "time."
    )
    return [about, "", *table(head, rows), "", *(line for text in missed for line in (text, ""))][:-1]


if __name__ == "__main__":
    main()
