"""The ways to a formula that are compared, each on the same rows and in the same time."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec

import pandas as pd
import sympy

from benchmarks.laws.cases._equations import Target
from benchmarks.laws.judging._rows import TargetRows
from bimt_analyze import analyze
from bimt_analyze.formulas import Rows, find_formula, verify_formula
from bimt_train import default_recipe, train
from bimt_train.tasks import table_task
from bimt_train.training import Callback

NAMES = ("engine", "end-to-end", "pyoperon")

_TRAINING = 1 / 3  # the largest share of the time that training may take
_FULL = 60.0  # seconds in which the task's own number of steps fits
_FEW_ROWS, _MANY_SEEDS, _SEEDS = 200, 8, 4
_ANALYSIS = (1.0, 0.004)  # seconds that pruning, modules and audit take, and seconds for each row
_FINISHING = 0.03  # share of the time that the engine's last candidate and its proof may take


@dataclass(frozen=True)
class Answer:
    """What an arm found, and whether it claims to be exact, without having been told the truth; None: no claims."""

    expression: sympy.Expr
    claim: bool | None


Arm = Callable[[Target, TargetRows, float, int], Answer]


def arm(name: str) -> Arm:
    """The arm of this name; what only it needs is loaded now."""
    if name == "pyoperon":
        from benchmarks.laws.judging._operon import genetic

        return genetic
    return {"engine": engine, "end-to-end": end_to_end}[name]


def available() -> tuple[str, ...]:
    """The arms that can be measured here."""
    return tuple(name for name in NAMES if name != "pyoperon" or find_spec("pyoperon") is not None)


def engine(target: Target, rows: TargetRows, seconds: float, seed: int) -> Answer:
    """The search alone: no network, no hints; its claim rests on the held-out rows."""
    formula = find_formula(
        rows.x, rows.y, names=target.inputs, output=target.output, time_limit=(1 - _FINISHING) * seconds, seed=seed
    )
    held = {"test": Rows(rows.x_test, rows.y_test), "train": Rows(rows.x, rows.y)}
    proven = verify_formula(formula, **held, truth=None, ranges=target.ranges, seed=seed)
    return Answer(proven.expression, proven.exact)


def end_to_end(target: Target, rows: TargetRows, seconds: float, seed: int) -> Answer:
    """What ``bimt-train table.csv --target y`` and ``bimt-analyze`` do with a table of the training rows.

    Seeds and steps are fewer than theirs where the time asks for it. A fifth of the table is set aside, and the claim
    rests on that fifth.
    """
    ends = time.monotonic() + seconds
    table = pd.DataFrame(rows.x, columns=list(target.inputs))
    table[target.output] = rows.y
    task = table_task(table, target=target.output)
    recipe = default_recipe(task)
    recipe = replace(recipe, steps=max(100, round(recipe.steps * min(1.0, seconds / _FULL))))
    many = _MANY_SEEDS if len(table) <= _FEW_ROWS else _SEEDS
    seeds = range(many * seed, many * (seed + 1))
    runs = train(task, seeds=list(seeds), recipe=recipe, callbacks=(_Stop(ends - (1 - _TRAINING) * seconds),))
    left = ends - time.monotonic() - _ANALYSIS[0] - _ANALYSIS[1] * len(table)
    report = analyze(runs.best.checkpoint, seed=seed, time_limit=max(left, 1.0))
    formula = report.formulas[target.output]
    return Answer(formula.expression, formula.exact)


class _Stop(Callback):
    """Ends training at a moment, as Ctrl-C does."""

    def __init__(self, moment: float) -> None:
        self._moment = moment

    def on_record(self, record: object) -> None:
        """Look at the clock."""
        if time.monotonic() > self._moment:
            raise KeyboardInterrupt
