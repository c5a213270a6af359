"""One measurement of one arm on one target, and what came out of it."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import sympy

from benchmarks.common._workers import Finished
from benchmarks.laws.cases._equations import Target
from benchmarks.laws.judging._arms import arm
from benchmarks.laws.judging._judge import Judgement, judge
from benchmarks.laws.judging._rows import draw


@dataclass(frozen=True)
class Setting:
    """How rows are drawn."""

    name: str
    rows: int
    noise: float
    about: str


@dataclass(frozen=True)
class Job:
    """One arm on one target."""

    setting: Setting
    arm: str
    target: Target
    seconds: float
    seed: int


@dataclass(frozen=True)
class Found:
    """What an arm said, as text, and how long it took."""

    expression: str
    nodes: int
    claim: bool | None
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """A measurement, flat: one line of the log.

    ``verdict`` is exact, right form, other constants or no (see `Judgement`), or failed; ``fault`` says why it is none
    of the better ones, where that is known.
    """

    setting: str
    arm: str
    name: str
    budget: float
    seed: int
    depth: int
    formula: str
    verdict: str
    seconds: float | None = None
    expression: str = ""
    nodes: int = 0
    claim: bool | None = None
    spare: int = 0
    r2: float | None = None
    deviation: float | None = None
    fault: str = ""

    @property
    def key(self) -> tuple[str, str, str, str, float, int]:
        """What was measured."""
        return self.setting, self.arm, self.name, self.formula, self.budget, self.seed

    @property
    def wrong_claim(self) -> bool:
        """Whether it was called exact, and is not."""
        return bool(self.claim) and self.verdict not in ("exact", "failed")

    def line(self) -> str:
        """For the terminal."""
        spent = "      -" if self.seconds is None else f"{self.seconds:5.1f} s"
        r2 = "-" if self.r2 is None else f"{self.r2:.6f}"
        said = self.verdict + (" WRONG CLAIM" if self.wrong_claim else "")
        text = f"{self.name:<10} {self.arm:<10} {said:<15} {spent}  r2 {r2:<9} {self.nodes:>4}  {self.expression[:100]}"
        return text + (f"  ({self.fault})" if self.fault else "")


def measure(job: Job) -> Iterator[Found | Judgement | None]:
    """None when all is loaded and drawn, what the arm found, and how that is judged."""
    search = arm(job.arm)
    target, setting = job.target, job.setting
    rows = draw(target, rows=setting.rows, noise=setting.noise, seed=job.seed)
    yield None
    began = time.perf_counter()
    answer = search(target, rows, job.seconds, job.seed)
    seconds = time.perf_counter() - began
    nodes = sum(1 for _ in sympy.preorder_traversal(answer.expression))
    yield Found(str(answer.expression), nodes, answer.claim, seconds)
    yield judge(answer.expression, target.truth(), inputs=target.inputs, ranges=target.ranges)


def outcome(finished: Finished[Job, Found | Judgement | None]) -> Outcome:
    """The measurement that a job came to."""
    job, fault = finished.job, finished.fault
    said = [message for message in finished.messages if message is not None]
    found = next((one for one in said if isinstance(one, Found)), None)
    judged = next((one for one in said if isinstance(one, Judgement)), None)
    return Outcome(
        setting=job.setting.name,
        arm=job.arm,
        name=job.target.name,
        budget=job.seconds,
        seed=job.seed,
        depth=job.target.depth,
        formula=job.target.formula,
        verdict="failed" if judged is None else judged.verdict,
        seconds=None if found is None else found.seconds,
        expression="" if found is None else found.expression,
        nodes=0 if found is None else found.nodes,
        claim=None if found is None else found.claim,
        spare=0 if judged is None else judged.spare,
        r2=None if judged is None else judged.r2,
        deviation=None if judged is None else judged.deviation,
        fault=fault or ("" if judged is None or judged.exact else judged.note),
    )


def read_log(path: Path) -> list[Outcome]:
    """The measurements of a log; a last line that was cut off is left out."""
    if not path.exists():
        return []
    lines = path.read_text().splitlines(keepends=True)
    return [Outcome(**json.loads(line)) for line in lines if line.endswith("\n")]


def write_log(path: Path, one: Outcome) -> None:
    """Add a measurement."""
    with path.open("a") as file:
        file.write(json.dumps(asdict(one)) + "\n")
