"""Certificates of trained networks: how many laws are certified in a minute, how near, and what changed files do.

Every task of formulas with 2 to 4 inputs is trained for N seeds. Each output of each network, as trained and pruned, is
certified against its law. Then certificates are changed, 1,000 times in all, and checked.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.common._measure import table, write_section
from benchmarks.modules._tampered import tampered
from bimt_analyze import circuit_of
from bimt_analyze.certificates import certify, check_certificate
from bimt_analyze.certificates.checker._box_claim import BoxClaim
from bimt_train import InputError, Recipe, train
from bimt_train.checkpoints import Checkpoint
from bimt_train.expressions.expression import parse_expression
from bimt_train.tasks import TASKS, Task, formula_task

NAMED = ("independence", "feature-sharing", "composition")
OWN = {
    "exponential": ("y = exp(-x1**2)*cos(2*x2)", (-1.0, 1.0)),
    "quotient": ("y = x1*x2/(1 + x3**2)", (-1.0, 1.0)),
    "kink": ("y = abs(x1 - x2) + x3", (-1.0, 1.0)),
    "logarithm": ("y = log(x1 + x2)*sqrt(x3)", (0.5, 2.0)),
    "gravity": ("y = x1*x2/((x3 - x4)**2 + 1)", (0.5, 2.0)),
}
TOLERANCE = 0.01  # of the deviation


@dataclass(frozen=True)
class Found:
    """What came of one output of one network."""

    task: str
    kind: str
    near: bool  # bound at most 1 % of the deviation above what is reached
    within: bool  # bound at most 1 % of the deviation
    refuted: bool  # more than 1 % of the deviation is reached
    bound: float  # in units of the deviation
    seconds: float
    check: float
    leaves: int
    bytes: int
    data: bytes
    checkpoint: Checkpoint
    why: str = ""


def tasks() -> Iterator[tuple[str, Task]]:
    """The paper's tasks of formulas, and laws with other operators."""
    for name in NAMED:
        yield name, TASKS[name].make()
    for name, (text, ends) in OWN.items():
        yield name, formula_task([text], ranges=ends)


def certified(name: str, kind: str, checkpoint: Checkpoint, seconds: float) -> Iterator[Found]:
    """Every output against its law."""
    for place, output in enumerate(checkpoint.task.outputs):
        assert checkpoint.task.decomposition is not None
        law = checkpoint.task.decomposition.expression(output)
        began = time.perf_counter()
        try:
            made = certify(checkpoint, law.sympy(), output=output, seconds=seconds)
        except InputError as error:
            spent = time.perf_counter() - began
            yield Found(name, kind, False, False, False, np.inf, spent, 0, 0, 0, b"", checkpoint, str(error))
            continue
        spent, began = time.perf_counter() - began, time.perf_counter()
        checked = check_certificate(made.data, checkpoint=checkpoint)
        took, unit = time.perf_counter() - began, checked.deviation
        points = np.random.default_rng(1).uniform(
            *np.array(checkpoint.task.ranges).T, (100_000, len(checkpoint.task.inputs))
        )
        values = law.evaluate(dict(zip(checkpoint.task.inputs, points.T, strict=True)))
        worst = float(np.abs(checkpoint.predict(points)[:, place] - values).max())
        assert worst <= made.bound, "a certificate that is not true"
        yield Found(
            name, kind, made.bound - made.reached <= TOLERANCE * unit, made.bound <= TOLERANCE * unit,
            made.reached > TOLERANCE * unit, made.bound / unit, spent, took,
            made.leaves, len(made.data), made.data, checkpoint,
        )  # fmt: skip


def changed(found: Sequence[Found], count: int) -> list[str]:
    """Certificates of small proofs, changed; of those that are accepted, whether what they say now is true."""
    some = sorted((one for one in found if one.data), key=lambda one: one.check)[: max(len(found) // 2, 1)]
    counts, accepted, false = Counter[str](), Counter[str](), 0
    for k, one in enumerate(some):
        for what, data in tampered(one.data, len(range(k, count, len(some))), seed=k):
            counts["a field, digests made right again" if ":" in what else "bytes"] += 1
            try:
                claim = check_certificate(data, checkpoint=one.checkpoint).claim
            except InputError:
                continue
            accepted[what] += 1
            false += not _true(claim, one.checkpoint)
    said = ", ".join(f"{what} ({times})" for what, times in accepted.items()) or "none"
    return [
        f"Of {sum(counts.values())} changed files ({', '.join(f'{what}: {times}' for what, times in counts.items())}) "
        f"{false} are accepted that say something false. Accepted with another true statement, as on another range "
        f"of an input that the output does not depend on: {said}.",
    ]


def _true(claim: BoxClaim, checkpoint: Checkpoint) -> bool:
    """Whether a statement holds on 100,000 points, by torch and by the project's own reader of formulas."""
    points = np.random.default_rng(2).uniform(claim.low, claim.high, (100_000, len(claim.inputs)))
    values = parse_expression(claim.formula).evaluate(dict(zip(claim.inputs, points.T, strict=True)))
    network = checkpoint.predict(points)[:, checkpoint.task.outputs.index(claim.output)]
    return bool((np.abs(network - values) <= claim.bound).all())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, metavar="N")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each certificate")
    parser.add_argument("--changed", type=int, default=1000, help="files")
    parser.add_argument("--steps", type=int, help="of training; left out, each task's own")
    parser.add_argument("--show", action="store_true", help="print, and write nothing")
    given = parser.parse_args()
    found = list[Found]()
    for name, task in tasks():
        recipe = {} if given.steps is None else {"recipe": Recipe(steps=given.steps)}
        for run in train(task, seeds=given.seeds, **recipe).runs:
            pruned = replace(run.checkpoint, network=circuit_of(run.checkpoint).network)
            for kind, checkpoint in (("trained", run.checkpoint), ("pruned", pruned)):
                for one in certified(name, kind, checkpoint, given.seconds):
                    found.append(one)
                    print(f"{name:16} {kind:8} bound {one.bound:.4f} near={one.near} {one.seconds:.1f} s, "
                          f"check {one.check:.1f} s, {one.leaves} leaves {one.why}", flush=True)  # fmt: skip
    rows = []
    for name in dict.fromkeys(one.task for one in found):
        for kind in ("trained", "pruned"):
            of = [one for one in found if (one.task, one.kind) == (name, kind)]
            rows.append([
                name, kind, len(of), sum(one.near for one in of), sum(one.within for one in of),
                sum(one.refuted for one in of), f"{np.median([one.bound for one in of]):.2f}",
                f"{np.median([one.seconds for one in of]):.1f} s", f"{max(one.seconds for one in of):.1f} s",
                f"{max(one.check for one in of):.1f} s", f"{np.median([one.bytes for one in of]) / 1000:.0f} kB",
            ])  # fmt: skip
    head = ["task", "network", "outputs", "near the worst", "within 1 %", "1 % refuted", "bound, median"]
    head += ["time, median", "time, worst", "check, worst", "file, median"]
    near = sum(one.near for one in found)
    lines = [
        f"Certified within {given.seconds:g} s: {near} of {len(found)} ({near / len(found):.0%}; at least 90 %) "
        "with a bound at most 1 % of the law's deviation above a difference that a point reaches. "
        f"{sum(one.within for one in found)} follow their law to 1 % of its deviation; for "
        f"{sum(one.refuted for one in found)} a point refutes that. Every bound is held against 100,000 random points.",
        "",
        *table(head, rows),
        "",
        *changed(found, given.changed),
    ]
    if given.show:
        print("\n".join(lines))
    else:
        write_section("Certificates", lines)


if __name__ == "__main__":
    main()
