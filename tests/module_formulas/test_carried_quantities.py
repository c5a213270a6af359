"""Which quantities a signal is said to carry."""

import numpy as np
import pytest
import sympy

from bimt_analyze.module_formulas._carried import decoder, told
from bimt_analyze.module_formulas._carried_quantities import carried_quantities
from bimt_analyze.module_formulas._subexpressions import subexpressions

X, Y, Z = sympy.symbols("x y z", real=True)
ROWS = np.random.default_rng(0).uniform(-1, 1, (800, 3))
LAW = sympy.sqrt((X - Y) ** 2 + Z**2)


def carried(signal: np.ndarray, reached: tuple[str, ...] = ("x", "y")):
    return carried_quantities(signal, ROWS, [LAW], inputs=[X, Y, Z], reached=reached)


def test_a_signal_that_has_lost_the_sign_carries_the_square() -> None:
    u = ROWS[:, :1] - ROWS[:, 1:2]
    assert carried(2 * u**2 - 1).expressions == ((X - Y) ** 2,) and carried(2 * u**2 - 1).decoder.affine
    assert carried(np.abs(u)).expressions == ((X - Y) ** 2,) and not carried(np.abs(u)).decoder.affine
    assert carried(u / 3 + 4).expressions == (X - Y,)
    assert carried(np.concatenate([np.maximum(u, 0), np.maximum(-u, 0)], axis=1)).expressions == (X - Y,)


def test_a_signal_of_something_else_carries_none() -> None:
    assert carried(ROWS[:, :1] * ROWS[:, 1:2]) is None
    assert carried(np.random.default_rng(1).normal(size=(800, 1))) is None
    assert carried(ROWS[:, :1] - ROWS[:, 1:2], reached=("x",)) is None  # it may not use y


def test_of_two_that_tell_each_other_the_one_that_is_carried_by_scale_and_offset() -> None:
    law, signal = sympy.exp(X**2), np.exp(ROWS[:, :1] ** 2)
    for sent, expected in ((5 * signal - 1, law), (3 - np.log(signal), X**2)):
        found = carried_quantities(sent, ROWS, [law], inputs=[X, Y, Z], reached=["x"])
        assert found.expressions == (expected,) and found.decoder.affine


def test_two_quantities_in_one_signal() -> None:
    u, z = ROWS[:, :1] - ROWS[:, 1:2], ROWS[:, 2:]
    found = carried(np.concatenate([u + z, u - 2 * z], axis=1), reached=("x", "y", "z"))
    assert set(found.expressions) == {X - Y, Z}


def test_r2_is_on_rows_that_the_map_was_not_fitted_on() -> None:
    noise = np.random.default_rng(2).normal(size=(60, 2))
    assert max(decoder(noise[:, :1], noise[:, 1:]).r2) < 0.2 and told(noise[:, :1], noise[:, 1:]) < 0.2


@pytest.mark.parametrize("noise", [0.05, 0.3])
def test_r2_is_what_noise_leaves(noise: float) -> None:
    u = ROWS[:, :1]
    signal = u + noise * np.random.default_rng(3).normal(size=u.shape)
    expected = noise**2 / (u.var() + noise**2)
    assert 1 - told(u, signal) == pytest.approx(expected, rel=0.25)


def test_subexpressions_use_the_names_allowed_and_sums_of_some_terms() -> None:
    found = subexpressions([X**2 + Y**2 + Z**2], ["x", "y"])
    assert X**2 + Y**2 in found and X**2 in found and all(Z not in part.free_symbols for part in found)
    assert X**2 + Z**2 not in found
