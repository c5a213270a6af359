"""What may stand beside a law of motion, and whether what it leaves is noise."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.motion import Trajectory
from bimt_analyze.motion.integration._form import opened, skeleton
from bimt_analyze.motion.integration._pieces import pieces_of
from bimt_analyze.motion.systems._neighbours import neighbours
from bimt_analyze.motion.systems._rivals import held_against_rivals, rival_of
from bimt_analyze.motion.systems._system import System
from bimt_analyze.motion.systems._whiteness import foretold
from bimt_analyze.motion.trajectories._smoothed import smoothed_each

x, c = sympy.symbols("x c", real=True)
TIMES = np.linspace(0, 6, 90)


def falling(start, *, noise=0.02, seed=3):
    """The trajectory of x' = 1/2 - 0.7 x, by its formula."""
    level = 0.5 / 0.7
    values = level + (start - level) * np.exp(-0.7 * TIMES)
    return Trajectory(TIMES, (values + noise * np.random.default_rng(seed).normal(size=len(TIMES)))[:, None])


def fitted(side, *starts, noise=0.02):
    curves = smoothed_each([falling(start, noise=noise, seed=seed) for seed, start in enumerate(starts)])
    return System.fitted([opened(side)], [x], pieces_of(curves, budget=Budget.of(100)))


def test_where_the_range_is_small_another_form_is_a_rival_and_where_it_is_large_none_is():
    near, far = fitted(0.5 - 0.7 * x, 0.9, 0.6), fitted(0.5 - 0.7 * x, 6.0, 0.0)
    rival = rival_of(near, [], [0])
    assert rival is not None and abs(rival.bits - near.bits) < 10
    assert skeleton(rival.expressions()[0]) != c + c * x
    assert rival_of(far, [], [0]) is None


def test_a_step_is_fitted_as_any_other_system_is():
    system = fitted(0.5 - 0.7 * x, 6.0, 0.0)
    shapes = {skeleton(one.expressions()[0]): one for one in neighbours(system, [x**2], [0], within=1e6)}
    assert set(shapes) == {c + c * x + c * x**2, c * x + c * x**2, c + c * x**2, c * x, c}
    exchanged = shapes[c * x + c * x**2]
    alone = System.fitted([opened(0.3 * x - 0.1 * x**2)], [x], system.pieces)
    assert exchanged.bits == pytest.approx(alone.bits, abs=0.5)


def test_a_term_more_is_a_rival_only_where_chance_does_not_explain_it():
    wide = fitted(0.5 - 0.7 * x, 6.0, 0.0)
    longer = [one for one in neighbours(wide, [x**2], [0], within=1e6) if len(one.shot.forms[0].values) == 3]
    assert rival_of(wide, longer, [0]) is None  # x**2 is idle


def test_a_rival_with_a_shorter_description_takes_the_place():
    wrong = fitted(0.6 - 0.1 * x**2, 6.0, 0.0)
    best, _ = held_against_rivals(wrong, [], [0])
    assert skeleton(best.expressions()[0]) == c + c * x and best.bits < wrong.bits


def test_form_written_as_a_product_has_the_rivals_of_the_sum():
    near = fitted(0.5 - 0.7 * x, 0.9, 0.6)
    product = near.with_form(0, opened(-0.7 * (x - 0.5 / 0.7)))
    rivals = [rival_of(one, [], [0]) for one in (near, product)]
    assert [skeleton(one.expressions()[0]) for one in rivals] == [skeleton(rivals[0].expressions()[0])] * 2


def test_without_time_nothing_is_called_looked_at():
    system = fitted(0.5 - 0.7 * x, 6.0, 0.0)
    budget = system.pieces.budget.apart(1e-4)
    assert rival_of(system.within(budget), [], [0]) is None and budget.over()


def test_what_a_wrong_form_leaves_foretells_itself_and_noise_does_not():
    random = np.random.default_rng(0)
    found = [foretold(random.normal(size=(25, 1, 16)))[0] for _ in range(300)]
    assert np.mean(found) < 0.01
    right, wrong = fitted(0.5 - 0.7 * x, 6.0, 0.0), fitted(0.6 - 0.1 * x**2, 6.0, 0.0)
    assert not foretold(right.residual)[0] and foretold(wrong.residual)[0]
    assert np.sqrt(np.mean(right.residual**2)) == pytest.approx(right.shot.rms[0])
