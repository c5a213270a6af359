"""Units of measurement: how they are read, what they say of a law before it is found, and after."""

import logging

import numpy as np
import pytest
import sympy

from bimt_analyze.formulas import Hints, check_units, find_formula
from bimt_analyze.formulas.dimensions._buckingham_groups import all_groups
from bimt_analyze.formulas.dimensions._dimension import dimension_of
from bimt_analyze.formulas.dimensions._dimensionless import dimensionless
from bimt_analyze.formulas.dimensions._known import known_units
from bimt_analyze.formulas.problem._budget import Budget
from bimt_analyze.formulas.problem._search_problem import SearchProblem
from bimt_train import InputError


@pytest.mark.parametrize(
    ("unit", "dimension", "size"),
    [
        ("m/s", "m/s", 1.0),
        ("km/h", "m/s", 1 / 3.6),
        ("kg m^2 s^-2", "kg*m**2/s**2", 1.0),
        ("m s-2", "m/s**2", 1.0),
        ("J/(kg K)", "m**2/(K*s**2)", 1.0),
        ("V", "kg*m**2/(A*s**3)", 1.0),
        ("", "1", 1.0),
        ("rad", "1", 1.0),
    ],
)
def test_a_unit_is_read(unit: str, dimension: str, size: float) -> None:
    found = dimension_of(unit)
    assert str(found) == dimension
    assert found.size == pytest.approx(size)


@pytest.mark.parametrize("unit", ["°C", "apples", "$", "m^"])
def test_a_unit_without_a_plain_zero_is_refused(unit: str) -> None:
    with pytest.raises(InputError, match="unit"):
        dimension_of(unit)


def test_groups_have_no_unit_and_the_scale_has_that_of_y() -> None:
    inputs = [dimension_of(unit) for unit in ("kg", "m/s", "m", "")]
    output = dimension_of("J")
    some = [one for ways in all_groups(inputs, output) for one in ways]
    assert some
    for way in some:
        columns = [*inputs, *(dimension_of(constant.unit) for constant in way.constants)]
        for powers, wanted in ((way.scale, output.exponents), *((g, (0,) * 7) for g in way.groups)):
            total = [sum(p * c.exponents[k] for p, c in zip(powers, columns, strict=True)) for k in range(len(wanted))]
            assert total == list(wanted)
    plain = next(iter(all_groups(inputs, output)))
    assert all(not way.constants and len(way.groups) == 1 for way in plain)


def test_the_constant_that_belongs_comes_first() -> None:
    rng = np.random.default_rng(0)
    x = np.stack([rng.uniform(1, 5, 400), rng.uniform(1e7, 2.9e8, 400)], axis=1)
    y = x[:, 0] / np.sqrt(1 - (x[:, 1] / 299792458.0) ** 2)
    known = known_units({"m": "kg", "v": "m/s", "M": "kg"}, ["m", "v"], "M")
    assert known is not None
    problem = SearchProblem(x, y, sympy.symbols("m v", real=True), Budget.of(10.0))
    first = next(dimensionless(problem, known))
    assert [constant.symbol for constant in first.groups.constants] == ["c"]
    inside = first.problem(problem)
    group = inside.x[:, 0]
    assert np.allclose(group, x[:, 1] / 299792458.0) or np.allclose(group, 299792458.0 / x[:, 1])


def _rows(seed: int, *ranges: tuple[float, float]) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack([np.exp(rng.uniform(np.log(low), np.log(high), 500)) for low, high in ranges], axis=1)


def test_units_lead_to_a_law_over_decades() -> None:
    """Particles in a field at a temperature: 1 + p E / (k T), of which 1 is the smaller part in most rows."""
    x = _rows(1, (1e27, 1e29), (1e-22, 1e-20), (1e1, 1e3), (1e1, 1e3))
    n, p, field, t = x.T
    y = n * (1 + p * field / (1.380649e-23 * t))
    units = {"n": "1/m^3", "p": "C*m", "F": "V/m", "T": "K", "y": "1/m^3"}
    found = find_formula(x, y, names=["n", "p", "F", "T"], output="y", hints=Hints(units=units), time_limit=10)
    assert found.fits
    fresh = _rows(2, (1e27, 1e29), (1e-22, 1e-20), (1e1, 1e3), (1e1, 1e3))
    n, p, field, t = fresh.T
    assert np.allclose(found.predict(fresh), n * (1 + p * field / (1.380649e-23 * t)), rtol=1e-9)


def test_units_in_other_sizes_do_no_harm() -> None:
    units = {"m": "kg", "v": "km/h", "E": "J"}
    x = _rows(3, (1.0, 5.0), (10.0, 200.0))
    y = x[:, 0] * (x[:, 1] / 3.6) ** 2 / 2
    found = find_formula(x, y, names=["m", "v"], output="E", hints=Hints(units=units), time_limit=10)
    assert found.fits
    assert np.allclose(found.predict(x), y, rtol=1e-9)


def test_units_that_mislead_are_no_bar() -> None:
    """The sum of a length and a time: the units contradict the law, and the law is found."""
    units = {"a": "m", "b": "s", "y": "m"}
    x = _rows(4, (1.0, 5.0), (1.0, 5.0))
    y = x[:, 0] + x[:, 1]
    found = find_formula(x, y, names=["a", "b"], output="y", hints=Hints(units=units), time_limit=10)
    assert str(found.expression) == "a + b"


def test_an_unknown_unit_is_told_and_left_out(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        known = known_units({"a": "apples", "b": "m", "y": "m"}, ["a", "b"], "y")
    assert known is not None and set(known.inputs) == {"b"}
    assert "apples" in caplog.text


def test_units_of_unknown_columns_are_refused() -> None:
    with pytest.raises(InputError, match="units of unknown columns"):
        known_units({"z": "m"}, ["a"], "y")


def test_large_values_hide_no_small_ones() -> None:
    """A diode: over most rows exp(u) - 1 is no exponential, and the largest values see only that."""
    rng = np.random.default_rng(0)
    u = np.exp(rng.uniform(np.log(1e-3), np.log(200), 400)) * rng.choice([-1.0, 1.0], 400)
    found = find_formula(u[:, None], np.expm1(u), names=["u"], output="i", time_limit=10)
    assert str(found.expression) == "exp(u) - 1"


def test_ranges_beyond_numbers_end_in_a_formula() -> None:
    """Squares of such values overflow; the search must end all the same."""
    rng = np.random.default_rng(0)
    x = np.exp(rng.uniform(np.log(1e-3), np.log(700), (200, 2)))
    y = np.exp(x[:, 0]) * x[:, 1]
    found = find_formula(x, y, names=["a", "b"], output="y", time_limit=3)
    assert np.isfinite(found.predict(x[:5])).all()


UNITS = {"x": "m", "t": "s", "m": "kg", "v": "m/s", "E": "J", "h": "m", "T": "K", "th": "", "w": "km/h", "d": "cm"}


@pytest.mark.parametrize(
    ("formula", "output", "statement"),
    [
        ("m*v**2/2", "E", "units agree"),
        ("m*v**2/2 + 9.81*m*h", "E", "units agree where 9.81000 is in m/s**2"),
        ("m*(196133*h + 10000*v**2)/20000", "E", "units agree where 9.80665 is in m/s**2"),
        ("4.9*t**2", "h", "units agree where 4.90000 is in m/s**2"),
        ("x + 2*t", "h", "units agree where 2 is in m/s"),
        ("x + t", "h", "units do not agree: t + x is in s, where m is needed"),
        ("x*exp(-0.3*t)", "h", "units agree where 0.300000 is in 1/s"),
        ("x*exp(-t)", "h", "units do not agree: exp of s in exp(-t)"),
        ("x*cos(2*pi*t)", "h", "units agree where 6.28319 is in 1/s"),
        ("x*log(T/300)", "h", "units agree where 0.00333333 is in 1/K"),
        ("0.2*(x + 3*t)**2", "h", "units agree where 3 is in m/s, 0.200000 is in 1/m"),
        ("x/(1 + t**2)", "h", "units do not agree: x/(t**2 + 1) is in m/s**2, where m is needed"),
        ("sqrt(x**2 + h**2)*sin(th)", "h", "units agree"),
        ("q*x", "h", "units agree"),
        ("m*w**2/25.92", "E", "units agree where 0.0385802 is 0.5"),
        ("490.5*t**2", "d", "units agree where 490.500 is 4.905 m/s**2"),
        ("x + d", "h", "units do not agree: d + x is in 0.01 m, where m is needed"),
        ("m*w**2", "E", "units do not agree: m*w**2 is in 0.0771605 kg*m**2/s**2, where kg*m**2/s**2 is needed"),
    ],
)
def test_units_of_a_formula_are_checked(formula: str, output: str, statement: str) -> None:
    assert check_units(formula, UNITS, output=output).statement == statement


def test_units_cannot_be_checked_without_that_of_the_output() -> None:
    with pytest.raises(InputError, match="the output's unit is not known"):
        check_units("2*x", {"x": "m"}, output="y")


def test_an_input_that_a_text_takes_for_a_number_is_refused() -> None:
    """E is an energy here, and Euler's number in a text; as a symbol it is the energy."""
    units = {"E": "J", "T": "K", "y": "J/K"}
    with pytest.raises(InputError, match="read as a number"):
        check_units("3*E/T", units, output="y")
    energy, temperature = sympy.symbols("E T", real=True)
    assert check_units(3 * energy / temperature, units, output="y").statement == "units agree"
