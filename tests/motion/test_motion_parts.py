"""The parts of the search for laws of motion, each against what is known by itself."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.symbolic._open_numbers import Form, skeleton, with_open_numbers
from bimt_analyze.motion.integration._fewest_constants import with_fewest_constants
from bimt_analyze.motion.integration._integrate import integrated
from bimt_analyze.motion.integration._pieces import pieces_of
from bimt_analyze.motion.proposals._weak_form import WeakForm, polynomial_terms
from bimt_analyze.motion.systems._growth import grown
from bimt_analyze.motion.systems._system import System
from bimt_train.trajectories import Trajectory
from bimt_train.trajectories.smoothed import smoothed

x = sympy.Symbol("x", real=True)
TIMES = np.linspace(0, 6, 90)


def falling(*, noise=0.0, start=2.0):
    """The trajectory of x' = 1/2 - 0.7 x, by its formula."""
    level = 0.5 / 0.7
    values = level + (start - level) * np.exp(-0.7 * TIMES)
    return Trajectory(TIMES, (values + noise * np.random.default_rng(3).normal(size=len(TIMES)))[:, None])


def test_without_noise_derivatives_are_those_of_the_formula():
    curve = smoothed(falling())
    assert curve.noise.tolist() == [0.0]
    assert np.allclose(curve.at(TIMES, 1)[:, 0], 0.5 - 0.7 * falling().values[:, 0], atol=1e-6)


def test_noise_is_estimated_and_averaged_out():
    curve = smoothed(falling(noise=0.03))
    assert curve.noise[0] == pytest.approx(0.03, rel=0.2)
    left = curve.at(TIMES)[:, 0] - falling().values[:, 0]
    assert np.sqrt(np.mean(left**2)) < 0.012
    inner = curve.at(TIMES, 1)[3:-3, 0] - (0.5 - 0.7 * falling().values[3:-3, 0])
    assert np.sqrt(np.mean(inner**2)) < 2 * np.sqrt(np.mean(curve.inner_error**2)) + 0.02


def test_the_weak_form_holds_for_the_law_and_for_no_other():
    weak = WeakForm.of([smoothed(falling())])
    right, wrong = weak.errors([0.5 - 0.7 * x, 0.5 - 0.6 * x], [x], 0)
    assert right < 1e-5 < 0.05 < wrong
    shortest = [(e, error) for e, error in weak.sums(polynomial_terms([x]), [x], 0) if len(e.args) == 2]
    assert min(error for _, error in shortest) < 1e-5
    assert [error for _, error in shortest] == pytest.approx(weak.errors([e for e, _ in shortest], [x], 0), abs=1e-9)


def test_constants_are_fitted_by_integration_with_their_errors():
    pieces = pieces_of([smoothed(falling(noise=0.02))], budget=Budget.of(100))
    system = System.fitted([with_open_numbers(1.0 - 1.0 * x)], [x], pieces)
    fitted, errors = system.shot.forms[0].values, system.shot.errors
    for truth in (0.5, -0.7):
        constant = min(fitted, key=lambda c: abs(fitted[c] - truth))
        assert abs(fitted[constant] - truth) < 3.5 * errors[constant] < 0.2
    assert system.shot.rms[0] == pytest.approx(1.0, abs=0.2)


def test_a_term_that_is_missing_is_added_and_an_idle_one_left_out():
    pieces = pieces_of([smoothed(falling(noise=0.01)), smoothed(falling(noise=0.01, start=0.1))], budget=Budget.of(100))
    system = grown(System.fitted([with_open_numbers(0.1 * x**3)], [x], pieces), polynomial_terms([x]), [0])
    c = sympy.Symbol("c", real=True)
    assert skeleton(system.expressions()[0]) == c + c * x
    longer = System.fitted([with_open_numbers(0.5 - 0.7 * x + 0.01 * x**2)], [x], pieces)
    assert skeleton(longer.without_idle_terms().expressions()[0]) == c + c * x


def test_opened_numbers_are_those_that_can_be_fitted():
    side = 2 * sympy.sin(3 * x) ** 2 - x / (x + 0.1)
    form = with_open_numbers(side)
    assert sorted(form.values.values()) == [-1.0, 0.1, 2.0, 3.0]
    assert float((form.filled() - side).subs(x, 0.7)) == pytest.approx(0.0, abs=1e-12)


def test_steps_without_noise_are_of_order_eight():
    pieces = pieces_of([smoothed(falling())], budget=Budget.of(100))
    assert pieces.fine and not pieces_of([smoothed(falling(noise=0.02))], budget=Budget.of(100)).fine
    system = System.fitted([with_open_numbers(0.5 - 0.7 * x)], [x], pieces)
    assert system.met and system.shot.missed[0] < 1e-9


def test_what_cannot_be_followed_is_given_up():
    late = Budget.of(1, seconds=0)
    assert np.isnan(integrated([0.5 - 0.7 * x], [x], np.array([2.0]), TIMES, budget=late)[1:]).all()
    assert np.isnan(integrated([x**2], [x], np.array([2.0]), TIMES)[-1]).all()  # grows without bound
    budget = Budget.of(100)
    pieces = pieces_of([smoothed(falling())], budget=budget)
    System.fitted([with_open_numbers(1e8 * x**3)], [x], pieces)
    assert 0 < budget.ledger.spent < 5


@pytest.mark.parametrize(
    ("side", "count"),
    [
        (0.99 * x * (0.79 - 0.0106 * x), 2),
        (1.3 * (0.4 * x + 0.2 * sympy.sin(x)), 2),
        ((2.0 * x + 3.0) / (4.0 * x + 5.0), 3),
        (1.7 * sympy.exp(0.3 + 2.0 * x), 2),
        (0.5 - 0.7 * x, 2),
    ],
)
def test_a_right_hand_side_is_written_with_as_few_constants_as_it_needs(side, count):
    form = with_fewest_constants(with_open_numbers(side))
    assert len(form.values) == count
    assert [float((form.filled() - side).subs(x, at)) for at in (0.3, 1.9)] == pytest.approx([0.0, 0.0], abs=1e-12)


def test_redundant_constants_are_left_out_of_a_system():
    pieces = pieces_of([smoothed(falling(noise=0.01))], budget=Budget.of(100))
    a, b, c = (sympy.Dummy(name, real=True) for name in "abc")
    system = System.fitted([Form(a * (b + c * x), {a: 1.1, b: 0.45, c: -0.6})], [x], pieces)
    assert [len(one.shot.forms[0].values) for one in (system, system.with_fewest_constants())] == [3, 2]
