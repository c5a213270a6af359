"""What may stand beside a law of motion, and whether what it leaves is noise."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.symbolic._open_numbers import Form, skeleton, with_open_numbers
from bimt_analyze.motion.integration._pieces import pieces_of
from bimt_analyze.motion.systems._neighbours import neighbours
from bimt_analyze.motion.systems._rival_systems import _is_rival, _multiplied_out, held_against_rivals, rival_of
from bimt_analyze.motion.systems._system import System
from bimt_analyze.motion.systems._whiteness import foretold
from bimt_train.trajectories import Trajectory
from bimt_train.trajectories.smoothed import smoothed_each

x, c = sympy.symbols("x c", real=True)
TIMES = np.linspace(0, 6, 90)


def falling(start, *, noise=0.02, seed=3):
    """The trajectory of x' = 1/2 - 0.7 x, by its formula."""
    level = 0.5 / 0.7
    values = level + (start - level) * np.exp(-0.7 * TIMES)
    return Trajectory(TIMES, (values + noise * np.random.default_rng(seed).normal(size=len(TIMES)))[:, None])


def fitted(side, *starts, noise=0.02):
    curves = smoothed_each([falling(start, noise=noise, seed=seed) for seed, start in enumerate(starts)])
    return System.fitted([with_open_numbers(side)], [x], pieces_of(curves, budget=Budget.of(100)))


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
    alone = System.fitted([with_open_numbers(0.3 * x - 0.1 * x**2)], [x], system.pieces)
    assert exchanged.bits == pytest.approx(alone.bits, abs=0.5)


def test_a_term_more_is_a_rival_only_where_chance_does_not_explain_it():
    random = np.random.default_rng(10)  # with which a constant follows the noise by 1.5 standard errors
    runs = [start * np.exp(-0.7 * TIMES) + 0.02 * random.normal(size=90) for start in (6.0, 1.0)]
    pieces = pieces_of(smoothed_each([Trajectory(TIMES, one[:, None]) for one in runs]), budget=Budget.of(100))
    for system, real in (
        (System.fitted([with_open_numbers(-0.7 * x)], [x], pieces), False),
        (fitted(-x, 6.0, 0.0), True),
    ):
        (longer,) = [one for one in neighbours(system, [sympy.S.One], [0], within=1e6) if len(one.shot.errors) == 2]
        assert longer.bits < system.bits + 10 and longer.shot.left < system.shot.left
        assert _is_rival(longer, system) == real


def test_a_rival_with_a_shorter_description_takes_the_place():
    wrong = fitted(0.6 - 0.1 * x**2, 6.0, 0.0)
    best, _ = held_against_rivals(wrong, [], [0])
    assert skeleton(best.expressions()[0]) == c + c * x and best.bits < wrong.bits


def test_a_product_is_written_as_a_sum_before_its_terms_are_exchanged():
    a, b = (sympy.Dummy(name, real=True) for name in "ab")
    near = fitted(0.5 - 0.7 * x, 0.9, 0.6)
    product = near.with_form(0, Form((a - x) * b, {a: 0.7, b: 0.7}))
    written = _multiplied_out(product)
    assert product.shot.forms[0].expression.is_Mul and written.shot.forms[0].expression.is_Add
    assert written.shot.left == pytest.approx(product.shot.left, rel=1e-4)
    assert _multiplied_out(near) is near
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
