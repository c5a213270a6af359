"""The words for a formula: what each takes, and what keeps it away."""

from dataclasses import replace

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import Rows, find_formula, verify_formula
from bimt_analyze.formulas._front import ParetoEntry
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._template import numeric
from bimt_analyze.formulas.verdicts._data_words import DATA_WORDS, IDENTIFIED
from bimt_analyze.formulas.verdicts._network_verdict import NETWORK_WORDS, network_verdict, network_word
from bimt_analyze.formulas.verification._noise import noise_objections

LAWLESS = {"interpolation", "none"}


def found_in(x, y, *, seconds=4.0):
    return find_formula(x, y, names=[f"x{i + 1}" for i in range(x.shape[1])], output="y", time_limit=seconds, seed=0)


def judged(found, x, y, x_test, y_test, *, train=True, truth=None, network=None):
    rows = {"train": Rows(x, y)} if train else {}
    ranges = [(-1.0, 1.0)] * x.shape[1]
    return verify_formula(found, test=Rows(x_test, y_test), truth=truth, ranges=ranges, network=network, **rows)


def said(x, y, x_test, y_test, *, seconds=4.0, **known):
    return judged(found_in(x, y, seconds=seconds), x, y, x_test, y_test, **known)


@pytest.mark.parametrize("count", [2, 3, 5, 9])
def test_rows_that_repeat_are_one_row(count) -> None:
    rng = np.random.default_rng(count)
    x, y = rng.uniform(size=(count, 1)), rng.normal(size=count)
    places = rng.integers(0, count, 200)
    formula = said(x[places[:150]], y[places[:150]], x[places[150:]], y[places[150:]])
    assert formula.word in LAWLESS and not formula.exact
    assert formula.distinct_rows <= count and formula.verification.distinct_test == 0


def test_held_out_rows_that_were_seen_are_no_evidence() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (40, 1))
    y = 2 * x[:, 0]
    assert said(x, y, x, y).word in LAWLESS
    assert said(x[:20], y[:20], x[20:], y[20:]).word == "exact"


def test_a_polynomial_on_a_few_levels_is_an_interpolation() -> None:
    rng = np.random.default_rng(0)
    x = np.stack([rng.integers(0, 3, 300).astype(float), rng.uniform(1, 2, 300)], axis=1)
    y = np.where(x[:, 0] == 2, x[:, 1], 0.0)  # which is x1*(x1 - 1)/2*x2, and many other functions
    formula = said(x[:200], y[:200], x[200:], y[200:])
    assert formula.fits and formula.word in LAWLESS and "takes 3 values" in formula.message
    line = said(x[:200], x[:200, 0] + x[:200, 1], x[200:], x[200:, 0] + x[200:, 1])
    assert line.word == "exact"


def test_one_row_off_by_more_than_rounding_is_seen_in_training_rows_too() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (200, 1))
    y = 2 * x[:, 0] + 1
    y[7] += 3e-13
    formula = said(x[:150], y[:150], x[150:], y[150:])
    assert formula.word in LAWLESS and "own rounding" in formula.message


def test_no_answer_is_worse_than_the_mean() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, y = rng.uniform(-1, 1, (300, 3)), rng.normal(3, 1, 300)
        formula = find_formula(x, y, names=["a", "b", "c"], output="y", time_limit=0.5, rows=12)
        assert formula.r2 >= -1e-12  # on all rows, though it was found on twelve


@pytest.mark.parametrize("noise", [0.01, 0.05])
def test_noise_has_a_word_of_its_own(noise) -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (600, 2))
    y = x[:, 0] * x[:, 1] + 2 * x[:, 1]
    y = y + noise * np.std(y) * rng.normal(size=600)
    formula = said(x[:400], y[:400], x[400:], y[400:], seconds=1.0)
    x1, x2 = sympy.symbols("x1 x2", real=True)
    assert formula.word == "within noise" and sympy.expand(formula.expression) == x1 * x2 + 2 * x2
    assert formula.identified and not formula.exact


def test_noise_does_not_hide_that_the_truth_is_another_form() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (600, 1))
    y = 2 * x[:, 0] + 0.05 * rng.normal(size=600)
    x1 = sympy.Symbol("x1", real=True)
    rows = (x[:400], y[:400], x[400:], y[400:])
    found = found_in(*rows[:2], seconds=1.0)
    assert judged(found, *rows, truth=2 * sympy.sin(x1)).word in LAWLESS
    assert judged(found, *rows, truth=2 * x1).word == "within noise"


def test_what_smooth_fits_still_see_is_no_noise() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (600, 1))
    y = np.sin(3 * x[:, 0]) + 0.01 * rng.normal(size=600)
    found = find_formula(x[:400], y[:400], names=["x1"], output="y", time_limit=0.0)
    rows = {"test": Rows(x[400:], y[400:]), "train": Rows(x[:400], y[:400])}
    symbol = sympy.Symbol("x1", real=True)
    cubic = replace(found, expression=sympy.Float(2.8) * symbol - sympy.Float(2.6) * symbol**3, constants=())
    assert verify_formula(cubic, **rows, truth=None, ranges=[(-1, 1)]).word in LAWLESS


def test_a_polynomial_gives_way_to_the_function_whose_series_it_begins() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (600, 2))
    y = np.sin(3 * x[:, 0]) + x[:, 0] * x[:, 1] + 0.01 * rng.normal(size=600)
    formula = said(x[:400], y[:400], x[400:], y[400:], seconds=0.0)
    x1, x2 = sympy.symbols("x1 x2", real=True)
    assert formula.expression == sympy.sin(3 * x1) + x1 * x2 and formula.word == "within noise"


def test_the_form_with_other_numbers_is_no_rival() -> None:
    rng = np.random.default_rng(3)
    x = rng.uniform(1, 3, (600, 1))
    y = np.exp(-(x[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi) + 1e-4 * rng.normal(size=600)
    found = find_formula(x[:400], y[:400], names=["x1"], output="y", time_limit=0.0)
    x1 = sympy.Symbol("x1", real=True)
    named = sympy.exp(-(x1**2) / 2) / sympy.sqrt(2 * sympy.pi)  # 20 nodes, of which the constant takes 10
    other = ParetoEntry(sympy.Float(0.39898) * sympy.exp(-(x1**2) / 2), 9, 9e-4)
    law = replace(found, expression=named, complexity=20, residual=9.1e-4, constants=(), pareto_front=(other,))
    rows = {"test": Rows(x[400:], y[400:]), "train": Rows(x[:400], y[:400])}
    assert verify_formula(law, **rows, truth=None, ranges=[(1, 3)]).word == "within noise"
    rival = replace(other, expression=sympy.Float(0.39898) * sympy.exp(-(x1 ** sympy.Float(2.01)) / 2))
    doubtful = replace(law, pareto_front=(rival,))
    assert verify_formula(doubtful, **rows, truth=None, ranges=[(1, 3)]).word in LAWLESS


@pytest.mark.parametrize("share", [0.0, 0.26])
def test_a_pattern_that_all_rows_show_together_is_no_noise(share: float) -> None:
    """Each half of the rows hides it from smooth fits; the noise is larger where y is."""
    rng = np.random.default_rng(7)
    x = rng.uniform(1, 3, (1000, 4))
    clean = x[:, 0] * x[:, 1] + x[:, 2] * x[:, 3]
    pattern = (x[:, 0] - 2) * (x[:, 2] - 2) * 3
    y = clean + 0.02 * clean * (rng.normal(size=1000) + share * pattern)
    found = find_formula(x[:500], y[:500], names=["a", "b", "c", "d"], time_limit=5.0)
    a, b, c, d = sympy.symbols("a b c d", real=True)
    assert sympy.expand(found.expression - a * b - c * d) == 0
    said = noise_objections(found, Rows(x[500:], y[500:]), Rows(x[:500], y[:500]), budget=Budget.of(10.0))
    assert [one.split(" of degree")[0] for one in said] == ["the residual of all rows follows a polynomial"] * bool(
        share
    )


def test_random_targets_have_no_law() -> None:
    rng = np.random.default_rng(5)
    for rows in (12, 30, 100):
        x, y = rng.uniform(-1, 1, (rows, 2)), rng.normal(size=rows)
        formula = said(x, y, rng.uniform(-1, 1, (30, 2)), rng.normal(size=30), seconds=1.0)
        assert formula.word in LAWLESS


def test_the_network_has_a_verdict_of_its_own() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (200, 1))
    y = x[:, 0] ** 2

    def network(rows):
        return rows[:, 0] ** 2 + 0.02 * np.sin(9 * rows[:, 0])

    formula = said(x[:150], y[:150], x[150:], y[150:], network=network)
    seen = formula.verification.network
    fresh = np.linspace(-1, 1, 100_001)
    gap, spread = 0.02 * np.abs(np.sin(9 * fresh)), np.std(network(fresh[:, None]))
    assert formula.word == "exact" and seen.word == "rough"
    assert seen.r2 == pytest.approx(1 - np.mean(gap**2) / spread**2, abs=2e-4)
    assert seen.worst == pytest.approx(np.max(gap) / spread, rel=0.01)
    assert formula.verdict() == f"exact on the data; the network follows it to r2 {seen.r2:.4f}"


@pytest.mark.parametrize(
    ("r2", "worst", "word"),
    [(1.0, 1e-7, "follows"), (0.9995, 0.1, "close"), (0.99, 0.3, "rough"), (-147.0, 50, "departs")],
)
def test_each_word_for_the_network_has_its_bound(r2, worst, word) -> None:
    assert network_word(r2, worst) == word and word in NETWORK_WORDS


def test_what_few_rows_do_not_resolve_is_no_noise() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (200, 3))
    y = np.abs(np.sin(5 * x[:, 0] * x[:, 1]) - np.cos(4 * x[:, 2])) + np.abs(x[:, 0] - x[:, 2]) ** 1.5 * x[:, 1]
    formula = said(x[:100], y[:100], x[100:], y[100:])
    assert formula.word in LAWLESS and "or what so few rows do not resolve" in formula.message
    assert "it meets the rows" not in formula.message


def test_one_row_near_the_mean_is_no_prediction() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 2.0], [4.0, 1.0]])
    formula = said(x[:3], np.array([3.0, 7.0, 7.0]), x[3:], np.array([5.0]))
    assert formula.word == "none", formula.verdict()


def test_a_constant_network_follows_its_own_constant_and_no_other() -> None:
    seen = np.full(5, 2.0)
    assert network_verdict(seen, np.full(5, 2.0)).word == "follows"
    assert network_verdict(seen, np.full(5, 1.0)).word == "departs"
    assert network_verdict(seen, np.full(5, np.nan)).points == 0


def test_the_docs_define_every_word() -> None:
    from pathlib import Path

    page = " ".join((Path(__file__).resolve().parents[3] / "docs" / "formulas.md").read_text().split())
    for words in (DATA_WORDS, NETWORK_WORDS):
        for word, meaning in words.items():
            assert f"| {word} | {meaning[0].upper()}{meaning[1:]} |" in page, word
    assert set(DATA_WORDS) >= IDENTIFIED


def test_what_a_network_foresees_is_no_noise() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (600, 2))

    def law(x):
        return x[:, 0] + 0.1 * np.sign(np.sin(200 * x[:, 1]))  # too fast for any smooth fit

    y = law(x)
    rows = x[:450], y[:450], x[450:], y[450:]
    found = found_in(*rows[:2], seconds=1.0)
    assert judged(found, *rows).word == "within noise"  # nothing else is known of these rows
    formula = judged(found, *rows, network=law)
    assert formula.word in LAWLESS and "so that is no noise" in formula.verification.statement


def test_a_wave_on_codes_of_five_kinds_is_no_law() -> None:
    """Five levels of noise about them: a form of four numbers meets any five levels."""
    rng = np.random.default_rng(1)
    x = np.stack([rng.integers(0, 5, 300).astype(float), rng.normal(size=300)], axis=1)
    k = sympy.Symbol("x0", real=True)
    expression = (0.78 * k**2 - 3 * k + 2.47) * sympy.cos(k + 1)
    levels = (0.78 * x[:, 0] ** 2 - 3 * x[:, 0] + 2.47) * np.cos(x[:, 0] + 1)
    y = levels + 0.05 * rng.normal(size=300)
    found = find_formula(x[:200], y[:200], names=["x0", "x1"], time_limit=0.5)
    left = np.std(y[:200] - levels[:200]) / np.std(y[:200])
    other = replace(
        found, expression=expression, residual=left, runners_up=(), pareto_front=(), constants=(), intervals=()
    )
    rows = {"test": Rows(x[200:], y[200:]), "train": Rows(x[:200], y[:200]), "truth": None}
    assert verify_formula(other, **rows, ranges=[(0, 4), (-3, 3)]).word in LAWLESS


def test_six_levels_of_two_kinds_are_no_polynomial() -> None:
    """A symmetric table of codes is met by a polynomial of one degree less than any table is."""
    rng = np.random.default_rng(0)
    x = np.stack([rng.integers(0, 6, 200).astype(float), rng.uniform(1, 5, 200)], axis=1)
    y = np.isin(x[:, 0], (0, 5)) * x[:, 1]
    assert said(x[:150], y[:150], x[150:], y[150:]).word in LAWLESS


def test_a_constant_with_exceptions_is_no_law() -> None:
    """A rare event: most rows are zero, and nothing is known of the others."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 2)), (rng.uniform(size=200) < 0.03).astype(float)
    formula = said(x[:150], y[:150], x[150:], y[150:])
    assert formula.apart and formula.word == "none" and not formula.identified


@pytest.mark.parametrize("written", [None, 1e-6])
@pytest.mark.parametrize("twin", ["c = a**2", "grid"])
def test_what_equals_the_formula_on_every_row_is_named_under_noise_and_rounding(twin: str, written) -> None:
    """No noise tells a formula from its restatement: neither is the law that the rows show."""
    rng = np.random.default_rng(3)
    a, w = rng.uniform(0.5, 2, (2, 400))
    t = rng.integers(0, 60, 400) / 10
    x = np.stack([t, w], axis=1) if twin == "grid" else np.stack([a, a**2, w], axis=1)
    clean = w * np.sin(18 * np.pi * t) if twin == "grid" else w * a**2
    y = np.round(clean, 6) if written else clean + 0.01 * rng.normal(size=400)
    formula = said(x[:300], y[:300], x[300:], y[300:])
    assert formula.word == "one of several" and formula.verification.rivals
    values = [numeric(one, sympy.symbols(f"x1:{x.shape[1] + 1}", real=True))(x) for one in
              (formula.expression, *(rival.expression for rival in formula.verification.rivals))]  # fmt: skip
    assert all(np.max(np.abs(one - values[0])) < 1e-5 for one in values)


def test_settings_in_few_digits_do_not_excuse_noise() -> None:
    """Inputs that were rounded to 0.1 would leave far more than this noise does."""
    rng = np.random.default_rng(0)
    x = np.stack([rng.integers(0, 60, 400) / 10, rng.uniform(0.5, 2, 400)], axis=1)
    y = x[:, 1] * np.sin(1.5 * np.pi * x[:, 0])
    noisy = y + 0.01 * rng.normal(size=400)
    assert said(x[:300], noisy[:300], x[300:], noisy[300:]).word in {"within noise", "one of several", *LAWLESS}
    written = np.round(x[:, 1] * np.sin(1.7 * x[:, 0]), 6)
    formula = said(x[:300], written[:300], x[300:], written[300:])
    assert formula.word == "within precision" and formula.verification.rivals == ()
