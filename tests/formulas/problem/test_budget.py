"""Budgets of work: a search ends at the same candidate however slow the machine, and says where seconds ended it."""

import time
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest

from bimt_analyze.formulas import Formula, Rows, SearchOptions, find_formula, verify_formula
from bimt_analyze.formulas.problem import _budget, _constants, _smooth
from bimt_analyze.formulas.problem._budget import UNIT_COSTS, Budget
from bimt_analyze.report.records._report_record import formula_record
from bimt_train import InputError

RANDOM = np.random.default_rng(0)
X = RANDOM.uniform(0.5, 2, (80, 3))
NO_LAW = np.tanh(X[:, 0] * X[:, 1]) ** 3 + np.abs(X[:, 2] - 1) ** 1.5 + 0.01 * RANDOM.normal(size=80)
NAMES = ["a", "b", "c"]


def searched(y=NO_LAW, *, time_limit=0.3, **options) -> Formula:
    return find_formula(X[:60], y[:60], names=NAMES, output="y", time_limit=time_limit, **options)


def verified(formula: Formula) -> Formula:
    given = {"test": Rows(X[60:], NO_LAW[60:]), "train": Rows(X[:60], NO_LAW[:60])}
    return verify_formula(formula, **given, truth=None, ranges=[(0.5, 2)] * 3)


def told(formula: Formula) -> dict[str, str]:
    """All that a formula says."""
    return {name: repr(value) for name, value in asdict(formula).items()}


@pytest.fixture
def ticking(monkeypatch):
    """A clock that goes on by some seconds whenever it is looked at."""

    def start(step: float) -> None:
        now = [0.0]

        def monotonic() -> float:
            now[0] += step
            return now[0]

        monkeypatch.setattr(_budget, "time", SimpleNamespace(monotonic=monotonic))

    return start


def test_a_limit_counts_work_and_not_seconds() -> None:
    budget = Budget.of(1.0)
    half = budget.share(0.5)
    fixed, each = UNIT_COSTS["solve"]
    assert not half.over() and not budget.over()
    budget.charge("solve", (0.6 - 3 * fixed) / each, calls=3)
    assert budget.ledger.spent == pytest.approx(0.6, abs=1e-4)
    assert half.over() and not budget.over()
    assert budget.left == pytest.approx(0.4, abs=1e-4) and half.left == 0.0
    assert budget.share(0.5).end == pytest.approx(0.8, abs=1e-4)
    assert budget.apart(3.0).left == pytest.approx(3.0)
    assert Budget.of(0.0).over() and not budget.ledger.cut


def test_to_look_is_work_too() -> None:
    budget, looks = Budget.of(1e-3), 0
    while not budget.over():
        looks += 1
    assert 10 < looks < 1e5


def test_a_search_that_its_budget_ends_is_the_same_under_a_slow_clock(ticking) -> None:
    first = verified(searched())
    assert first.work > 0.25 and not first.fits  # it did not end by itself
    ticking(2e-3)
    assert told(verified(searched())) == told(first)


def test_a_slow_machine_finds_the_same(monkeypatch) -> None:
    quick = searched()
    for module, name in ((_constants, "settle"), (_smooth, "fit_smooth")):
        plain = getattr(module, name)

        def slow(*arguments, plain=plain, **options):
            time.sleep(2e-3)
            return plain(*arguments, **options)

        monkeypatch.setattr(module, name, slow)
    began = time.monotonic()
    assert told(searched()) == told(quick)
    assert time.monotonic() - began > 0.1


def test_the_clock_cuts_a_search_short_and_that_is_told(ticking) -> None:
    ticking(2.0)
    options = SearchOptions(time_limit=1.0, patience=20.0)
    cut = verified(find_formula(X[:60], NO_LAW[:60], names=NAMES, output="y", options=options))
    assert options.hard_limit == 80.0 and cut.cut_after == 80.0 and cut.work < 0.9
    remark = "cut short by the clock after 80 s; another run may find more"
    assert remark in cut.message and remark in cut.verification.statement and remark in cut.verdict()
    record = formula_record(cut, {})
    assert record.cut_after == 80.0 and remark in record.message


def test_a_verification_that_the_clock_cuts_short_says_so(ticking) -> None:
    line = X[:, 0] * 1e-7
    formula = find_formula(X[:60] * 1e-7, line[:60], names=NAMES, output="y", time_limit=1.0)
    ticking(100.0)
    given = {"test": Rows(X[60:] * 1e-7, line[60:]), "train": Rows(X[:60] * 1e-7, line[:60])}
    checked = verify_formula(formula, **given, truth=None, ranges=[(0, 1e-6)] * 3)
    assert formula.cut_after is None and checked.cut_after is not None
    assert "cut short by the clock" in checked.message


def test_patience_is_a_number_from_zero_on() -> None:
    with pytest.raises(InputError, match="patience"):
        SearchOptions(patience=-1.0)
