"""Names of constants: those that are right are found, and those of arbitrary numbers hardly ever."""

import numpy as np
import pytest
from scipy import constants

from bimt_analyze.formulas.intervals._known_constants import CHANCE, agreeing, known_constants


@pytest.mark.parametrize(
    ("value", "width", "said"),
    [
        (constants.G, 6e-4, "gravitational constant G"),
        (constants.R, 6e-4, "molar gas constant R"),
        (-constants.c, 1e-4, "minus the speed of light c"),
        (4 * np.pi * constants.G, 6e-5, "4*pi*G"),
        (1 / (4 * np.pi * constants.epsilon_0), 6e-5, "Coulomb constant"),
        (np.pi**2, 1e-4, "pi**2 = 9.8696"),
        (np.sqrt(2), 1e-4, "sqrt(2) = 1.41421"),
    ],
)
def test_a_constant_is_named_where_its_interval_is_narrow(value: float, width: float, said: str) -> None:
    near = value * (1 + width / 5)
    low, high = sorted((near * (1 - width / 2), near * (1 + width / 2)))
    assert any(said in name for name in agreeing(near, low, high))
    low, high = sorted((near * 0.95, near * 1.05))
    assert agreeing(near, low, high) == ()


def test_numbers_of_arbitrary_size_hardly_ever_get_a_name() -> None:
    """Less than 1 % is stated: of 2,000 numbers, 20."""
    rng = np.random.default_rng(0)
    named = 0
    for _ in range(2000):
        value, width = 10 ** rng.uniform(-3, 3), 10 ** rng.uniform(-6, -2)
        low = value * (1 - width * rng.uniform())
        named += bool(agreeing(value, low, low + width * value))
    assert named < 20


def test_no_more_names_are_tried_than_the_width_allows() -> None:
    plain, multiples = known_constants()
    value = 2 * constants.G  # a multiple, whose turn comes only where the interval is narrow
    for width, known in ((0.9 * CHANCE / len(plain), False), (0.9 * CHANCE / (len(plain) + len(multiples)), True)):
        assert any("2*G" in name for name in agreeing(value, value * (1 - width / 2), value * (1 + width / 2))) == known


def test_an_open_interval_and_one_about_zero_have_no_names() -> None:
    assert agreeing(3.14159, -np.inf, 3.1416) == () == agreeing(0.0, -1e-9, 1e-9)
