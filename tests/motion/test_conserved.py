"""Conserved quantities: those of systems that have them in textbooks, and none where there is none."""

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.motion import find_motion
from bimt_analyze.motion.integration._integrate import integrated
from bimt_analyze.motion.laws._conserved import Conserved, conserved
from bimt_train.trajectories import Trajectory

x, y, z = sympy.symbols("x y z", real=True)
STARTS = ((1.0, 0.5, 0.3), (0.4, 1.2, 0.7))


def kept(*sides, noise=0.0, until=8.0, starts=STARTS):
    variables = (x, y, z)[: len(sides)]
    paths = [integrated(sides, variables, np.array(s[: len(sides)]), np.linspace(0, until, 100)) for s in starts]
    return conserved(sides, variables, paths, noise=noise, budget=Budget.of(100))


@pytest.mark.parametrize(
    ("sides", "truth"),
    [
        ((y, -x), x**2 + y**2),
        ((y, -sympy.sin(x)), y**2 - 2 * sympy.cos(x)),
        ((1.5 * x - x * y, 0.8 * x * y - 2 * y), 0.8 * x - 2 * sympy.log(x) + y - 1.5 * sympy.log(y)),
        ((y, x - x**3), y**2 - x**2 + x**4 / 2),
    ],
)
def test_the_one_quantity_of_the_textbook_is_found(sides, truth):
    (one,) = kept(*map(sympy.nsimplify, sides))
    ratio = sympy.simplify(sympy.expand(one.expression) / sympy.nsimplify(truth))
    assert ratio.is_number and one.exact and one.drift < 1e-6


def test_quantities_are_independent_and_no_functions_of_each_other():
    found = kept(y * z, -2 * x * z, x * y)
    assert len(found) == 2 and all(one.exact for one in found)
    gradients = sympy.Matrix([[sympy.diff(one.expression, v) for v in (x, y, z)] for one in found])
    assert gradients.subs({x: 1.1, y: 0.3, z: 0.7}).rank() == 2


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_where_nothing_is_conserved_nothing_is_claimed(noise):
    lorenz = (10 * (y - x), x * (28 - z) - y, x * y - sympy.Rational(8, 3) * z)
    assert kept(*lorenz, noise=noise, until=6) == ()
    assert kept(y, -x - y / 10, noise=noise) == ()  # friction
    assert kept(x - x**2) == ()


def test_constants_with_noise_are_told_with_how_constant_they_are():
    (one,) = kept(1.493 * x - 1.011 * x * y, 0.793 * x * y - 2.02 * y, noise=0.01)
    assert not one.exact and one.drift < 0.01 and "to " in str(one)


def test_what_is_found_from_trajectories_conserves_what_it_should():
    times = np.linspace(0, 6, 90)
    runs = [
        Trajectory(times, a * np.stack([np.sin(1.5 * times + p), 1.5 * np.cos(1.5 * times + p)], axis=1))
        for a, p in ((1.0, 0.0), (2.0, 1.0), (1.5, 2.0))
    ]
    motion = find_motion(runs, names=["x", "y"], time_limit=30)
    assert [one.expression for one in motion.conserved] == [x**2 + 4 * y**2 / 9]
    assert "conserved: x**2 + 4*y**2/9 (exactly)" in motion.verdict() and "conserved" in motion._repr_html_()
    assert motion.to_json()["conserved"][0]["exact"] is True


def test_a_quantity_is_shown_with_its_drift():
    assert repr(Conserved(x, 2e-4, False)) == "Conserved(x, to 0.0002)"
