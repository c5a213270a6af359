"""Parts that outputs share: what is named, what is not, and that putting the parts back changes nothing."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bimt_analyze.formulas import Formula
from bimt_analyze.formulas._shared_parts import SharedParts, shared_parts

x1, x2, x3, x4, x5 = SYMBOLS = sympy.symbols("x1:6", real=True)
HALF = sympy.Rational(1, 2)


def shared(*outputs: sympy.Expr) -> SharedParts:
    return shared_parts({f"y{k}": sympy.sympify(e) for k, e in enumerate(outputs, start=1)})


def test_squares_added_one_by_one() -> None:
    a, b = sympy.symbols("a b", real=True)
    found = shared(x1**2, x1**2 + x2**2, x1**2 + x2**2 + x3**2)
    assert found.parts == {"a": x1**2, "b": x2**2}
    assert found.outputs == {"y1": a, "y2": a + b, "y3": a + b + x3**2}
    assert found.lines() == ("a = x1**2", "b = x2**2", "y1 = a", "y2 = a + b", "y3 = a + b + x3**2")
    assert (found.users("a"), found.users("b")) == (("y1", "y2", "y3"), ("y2", "y3"))


@pytest.mark.parametrize(
    ("outputs", "lines"),
    [
        # summands that always appear together are one part
        ([x1**2 + sympy.sin(x2) + x3, x1**2 + sympy.sin(x2) + x4], "a = x1**2 + sin(x2); y1 = a + x3; y2 = a + x4"),
        ([x1 + x2 + x3, x1 + x2 + x4], "a = x1 + x2; y1 = a + x3; y2 = a + x4"),
        ([x1 + x2, x1 + x2 + x3, x1 + x4], "a = x1 + x2; y1 = a; y2 = a + x3; y3 = x1 + x4"),
        ([1 + x1**2, sympy.sin(x1**2 + 1), x1**2 + x3 + 1], "a = x1**2 + 1; y1 = a; y2 = sin(a); y3 = a + x3"),
        # with another sign or factor
        ([x1 - x2, x3 - x1 + x2], "a = x1 - x2; y1 = a; y2 = -a + x3"),
        ([2 * x1 + 2 * x2, 3 * x1 + 3 * x2 + x3], "a = x1 + x2; y1 = 2*a; y2 = 3*a + x3"),
        ([x1 - x2, sympy.sin(x2 - x1)], "a = x1 - x2; y1 = a; y2 = -sin(a)"),
        ([2 * x1**2 + x3, x4 - x1**2], "a = x1**2; y1 = 2*a + x3; y2 = -a + x4"),
        ([1 / (x1 + 1), 1 / (2 * x1 + 2), x3 - x1 - 1], "a = x1 + 1; y1 = 1/a; y2 = 1/(2*a); y3 = -a + x3"),
        ([(x1 - x2) ** 2 + x3, (x2 - x1) ** 2 + x4], "a = (x1 - x2)**2; y1 = a + x3; y2 = a + x4"),
        ([sympy.log(2 * x1 + 2 * x2), sympy.sqrt(x1 + x2)], "a = x1 + x2; y1 = log(2*a); y2 = sqrt(a)"),
        (
            [sympy.log(2 * x1**2 + 2 * x2), sympy.cos(x1**2 + x2), x1**2],
            "a = x1**2; b = a + x2; y1 = log(2*b); y2 = cos(b); y3 = a",
        ),
        # factors
        ([x1 * x2 * x3, x1 * x2 * x4], "a = x1*x2; y1 = a*x3; y2 = a*x4"),
        ([x1 * x2 / x3, x1 * x2 / x3 * x4], "a = x1*x2/x3; y1 = a; y2 = a*x4"),
        ([x1 / (x2 * x3), x4 * x2 * x3], "a = x2*x3; y1 = x1/a; y2 = a*x4"),
        ([x2 / (1 + x3**2), x4 / (1 + x3**2)], "a = x3**2 + 1; y1 = x2/a; y2 = x4/a"),
        # arguments, and parts of parts
        (
            [sympy.exp(-(x1**2) / 2) * sympy.cos(x2), sympy.exp(-(x1**2) / 2) + x1**2],
            "a = x1**2; b = exp(-a/2); y1 = b*cos(x2); y2 = a + b",
        ),
        (
            [x1**2 + x2**2, x3 * sympy.sin(x1**2 + x2**2), x1**2 + x2**2 + x4],
            "a = x1**2 + x2**2; y1 = a; y2 = x3*sin(a); y3 = a + x4",
        ),
        # what is shared though it is not written so
        ([(x1 + x2) ** 2, x1**2 + 2 * x1 * x2 + x2**2 + x3], "a = (x1 + x2)**2; y1 = a; y2 = a + x3"),
        ([x1 * (x2 + x3), x1 * x2 + x1 * x3 + x4], "a = x1*(x2 + x3); y1 = a; y2 = a + x4"),
        ([x1 + x2, x1**2 - x2**2], "a = x1 + x2; y1 = a; y2 = a*(x1 - x2)"),
        ([x1 + x2, x1**2 + 2 * x1 * x2 + x2**2], "a = x1 + x2; y1 = a; y2 = a**2"),
        (
            [(x1 + x2) ** 2, x1**2 + 2 * x1 * x2 + x2**2 + sympy.sqrt(x3) * sympy.sqrt(x4)],
            "a = (x1 + x2)**2; y1 = a; y2 = a + sqrt(x3)*sqrt(x4)",
        ),
        # decimals
        ([0.3 * x1**2, 0.123456789 * x1**2 + x2], "a = x1**2; y1 = 0.3*a; y2 = 0.123457*a + x2"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_shared(outputs: list[sympy.Expr], lines: str) -> None:
    assert "; ".join(shared(*outputs).lines()) == lines


@pytest.mark.parametrize(
    "outputs",
    [
        [x1, x1, 3],
        [x1 + x2, x1 - x2],
        [2 * x1, 2 * x1 + x2, -x1],
        [1 / x1, x2 / x1 + 1],
        [x1**2, x1**3, x2**2],
        [x1**2 + sympy.sin(x2), sympy.cos(x2)],
        [sympy.pi, sympy.pi * x1, sympy.sqrt(2) * x1],
        [],
        [(x1 + x2) ** 2],
    ],
    ids=str,
)
def test_what_is_not(outputs: list[sympy.Expr]) -> None:
    found = shared(*outputs)
    assert found.parts == {}
    assert list(found.outputs.values()) == outputs


def test_who_uses_a_part_by_way_of_another() -> None:
    bell = sympy.exp(-(x1**2) / 2)
    found = shared(x1**2, bell * x2, bell + x3, x4)
    assert found.lines() == ("a = x1**2", "b = exp(-a/2)", "y1 = a", "y2 = b*x2", "y3 = b + x3", "y4 = x4")
    assert found.users("a") == ("y1", "y2", "y3") and found.users("b") == ("y2", "y3")


def test_a_short_output_is_not_made_of_a_long_one() -> None:
    found = shared(x1**2 + 2 * x1 * x2 + x2**2 + x3, (x1 + x2) ** 2)
    assert found.lines() == ("a = (x1 + x2)**2", "y1 = a + x3", "y2 = a")


def test_names_differ_from_all_others() -> None:
    a, c, q = sympy.symbols("a c q", real=True)
    found = shared_parts({"b": a**2 + c, "d": a**2 * q, "g": sympy.sin(c * q), "h": c * q})
    assert list(found.parts) == ["k", "m"]
    assert not {"a", "b", "c", "d", "g", "h", "q"} & set(found.parts)


def test_unused_inputs_of_a_formula_keep_their_names() -> None:
    both = [
        Formula(name, e, ("x1", "a", "b"), 1.0, 0.0, 0.0, 1.0, 1, (), 10)
        for name, e in (("y1", x1**2), ("y2", x1**2 + 1))
    ]
    found = shared_parts({formula.output: formula for formula in both})
    assert found.parts == {"c": x1**2}


def test_more_parts_than_letters() -> None:
    many = [sympy.sin(k * x1) for k in range(2, 42)]
    found = shared(sympy.Add(*(k * e for k, e in enumerate(many, start=1))), *many)
    assert len(found.parts) == 40 == len(set(found.parts))
    assert "a1" in found.parts and found.inlined()["y3"] == many[1]


def test_symbols_of_any_kind() -> None:
    x, y = sympy.symbols("x y")
    found = shared(x**2 + y, sympy.sqrt(x**2))
    assert found.parts == {"a": x**2}
    assert found.inlined() == {"y1": x**2 + y, "y2": sympy.sqrt(x**2)}


def test_cases_are_left_whole() -> None:
    cases = sympy.Piecewise((x1**2, x1 > 0), (x2, True))
    found = shared(cases + x1**2, sympy.Max(x1**2, x2) + cases)
    assert found.parts == {"a": x1**2, "b": cases}
    assert found.inlined() == {"y1": cases + x1**2, "y2": sympy.Max(x1**2, x2) + cases}


def test_what_is_very_long_is_given_back() -> None:
    long = sympy.Add(*(sympy.sin(k * x1 + x2) for k in range(500)))
    found = shared(long, long + x3)
    assert found.parts == {} and found.outputs == {"y1": long, "y2": long + x3}


def test_it_is_a_value_and_the_same_every_time() -> None:
    one, two = (shared((x1 + x2) ** 2 * x3, sympy.sin(x1 + x2) * x4 + x1 * x5, x3 * x4 + x1 * x5) for _ in range(2))
    assert one == two
    with pytest.raises(AttributeError):
        one.parts = {}  # type: ignore[misc]


numbers = st.sampled_from([sympy.Integer(2), sympy.Integer(-1), sympy.Integer(3), HALF, sympy.Rational(-2, 3)])
pieces = st.recursive(
    st.sampled_from(SYMBOLS[:4]),
    lambda below: (
        st.tuples(below, below).map(lambda p: p[0] + p[1])
        | st.tuples(below, below).map(lambda p: p[0] - p[1])
        | st.tuples(below, below).map(lambda p: p[0] * p[1])
        | st.tuples(numbers, below).map(lambda p: p[0] * p[1])
        | below.map(lambda e: e**2)
        | below.map(lambda e: 1 / (e**2 + 1))
        | st.sampled_from([sympy.sin, sympy.cos, sympy.atan]).flatmap(lambda f: below.map(f))
    ),
    max_leaves=4,
)


@st.composite
def vectors(draw: st.DrawFn) -> list[sympy.Expr]:
    """Outputs that are made of the same few pieces, some of them multiplied out."""
    some = draw(st.lists(pieces, min_size=2, max_size=4))
    outputs = []
    for _ in range(draw(st.integers(2, 4))):
        chosen = draw(st.lists(st.sampled_from(some), min_size=1, max_size=3))
        expression = draw(st.sampled_from([sympy.Add, sympy.Mul]))(*(draw(numbers) * e for e in chosen))
        outputs.append(sympy.expand(expression) if draw(st.booleans()) else expression)
    return outputs


@settings(max_examples=60)
@given(vectors())
def test_parts_put_back_are_the_outputs(outputs: list[sympy.Expr]) -> None:
    found = shared(*outputs)
    x = np.random.default_rng(0).uniform(0.5, 1.5, (5, 4))
    for given_, back in zip(outputs, found.inlined().values(), strict=True):
        ours, theirs = (sympy.lambdify(SYMBOLS[:4], e, "numpy")(*x.T) for e in (back, given_))
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
        assert sympy.expand(back - given_) == 0 or sympy.simplify(back - given_) == 0


@settings(max_examples=60)
@given(vectors())
def test_only_what_is_used_again_is_named_and_only_once(outputs: list[sympy.Expr]) -> None:
    found = shared(*outputs)
    everything = {**found.parts, **found.outputs}
    known: set[str] = {str(symbol) for symbol in SYMBOLS}
    for name, expression in found.parts.items():
        assert {str(symbol) for symbol in expression.free_symbols} <= known, "an earlier part uses a later one"
        known.add(name)
        symbol = sympy.Symbol(name, real=True)
        assert sum(e.count(symbol) for e in everything.values()) > 1
        assert not expression.is_Symbol and expression.free_symbols
        assert not any(e.has(expression) for other, e in everything.items() if other != name), (name, found.lines())
    assert len({str(e) for e in found.parts.values()}) == len(found.parts)
