import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimt_train import InputError, PatternError
from bimt_train.layouts import parse_pattern

SIZES = {"h": 4, "x": 3, "attn": 5}


@pytest.mark.parametrize(
    ("text", "axes", "groups", "source_first"),
    [
        ("h x", (("h",), ("x",)), ("h", "x"), False),
        ("x -> h", (("x",), ("h",)), ("h", "x"), True),
        ("(3 attn) resid", ((3, "attn"), ("resid",)), ("attn", "resid"), False),
        ("(attn 3)", (("attn", 3),), ("attn",), False),
        ("_ h", ((None,), ("h",)), ("h",), False),
        ("2 h _ x", ((2,), ("h",), (None,), ("x",)), ("h", "x"), False),
        ("h h", (("h",), ("h",)), ("h", "h"), False),
        ("", (), (), False),
        ("  a.b   c_1 ", (("a.b",), ("c_1",)), ("a.b", "c_1"), False),
        ("(2 x)->h", ((2, "x"), ("h",)), ("h", "x"), True),
    ],
)
def test_a_pattern_is_read(text: str, axes: tuple[object, ...], groups: tuple[str, ...], source_first: bool) -> None:
    pattern = parse_pattern(text)
    assert (pattern.axes, pattern.groups, pattern.source_first) == (axes, groups, source_first)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(h", "a parenthesis is not closed"),
        ("h)", "an empty or unopened parenthesis"),
        ("()", "an empty or unopened parenthesis"),
        ("((h) x)", "a parenthesis inside a parenthesis"),
        ("(_ h)", "_ inside a parenthesis has no known length"),
        ("0 h", "an axis of length 0"),
        ("x -> h -> y", "an arrow in the wrong place"),
        ("(x -> h)", "an arrow in the wrong place"),
        ("-> h", "an arrow stands between exactly two axes"),
        ("x h -> y", "an arrow stands between exactly two axes"),
        ("x ->", "an arrow stands between exactly two axes"),
        ("a b c", "3 groups; a connection has two ends"),
        ("h, x", "unexpected ',' at column 1"),
        ("h * x", "unexpected '*' at column 1"),
        ("3attn x", "unexpected '3' at column 0"),
        ("_h", "unexpected '_' at column 0"),
        ("h -1", "unexpected '-' at column 1"),
        ("9" * 5000, "unexpected '9' at column 0"),
    ],
)
def test_a_bad_pattern_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_pattern(text)
    assert caught.value.got == why
    assert caught.value.where == f'"{text}"'


def test_the_sentence_of_a_pattern_that_does_not_parse() -> None:
    with pytest.raises(PatternError) as caught:
        parse_pattern("(3 attn resid")
    assert str(caught.value) == (
        'a pattern does not parse: "(3 attn resid": expected axes parted by spaces; an axis is a group\'s name, '
        'part of a group as "x[0:2]", a number, "_", or "(...)" of names and numbers, got a parenthesis is not closed; '
        'hint: write for instance "hidden input", "(3 attn) resid" or "input -> hidden"'
    )
    assert isinstance(caught.value, InputError)


@given(st.text(alphabet="ahx()_->3 .,*\n", max_size=20))
def test_any_text_is_read_or_refused_by_a_pattern_error(text: str) -> None:
    try:
        pattern = parse_pattern(text)
    except PatternError:
        return
    assert len(pattern.groups) <= 2
    assert parse_pattern(pattern.text) == pattern


def test_folds_are_opened() -> None:
    assert parse_pattern("(3 attn) x").open_shape((15, 3), SIZES) == (3, 5, 3)
    assert parse_pattern("(attn 3) _").open_shape((15, 7), SIZES) == (5, 3, 7)


@pytest.mark.parametrize(
    ("text", "shape", "message"),
    [
        (
            "h x",
            (4,),
            'the tensor does not fit its pattern: pattern "h x", shape (4,): expected 2 axes, got 1; '
            "hint: name one group, number or _ for each axis",
        ),
        (
            "h x",
            (3, 4),
            'the tensor does not fit its pattern: pattern "h x", shape (3, 4), axis 0: expected 4 (h=4), got 3; '
            'hint: the tensor is transposed: declare "x -> h" in place of "h x", or "x h" if x is the target',
        ),
        (
            "x -> h",
            (4, 3),
            'the tensor does not fit its pattern: pattern "x -> h", shape (4, 3), axis 0: expected 3 (x=3), got 4; '
            'hint: the tensor is transposed: declare "h x" in place of "x -> h", or "h -> x" if h is the source',
        ),
        (
            "_ h",
            (4, 9),
            'the tensor does not fit its pattern: pattern "_ h", shape (4, 9), axis 1: expected 4 (h=4), got 9; '
            'hint: the tensor is transposed: declare "h _" in place of "_ h"',
        ),
        (
            "(3 attn) x",
            (16, 3),
            'the tensor does not fit its pattern: pattern "(3 attn) x", shape (16, 3), axis 0: '
            "expected 15 (3 * attn=5), got 16; hint: correct the pattern, or the size of the group",
        ),
    ],
)
def test_a_tensor_that_does_not_fit(text: str, shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_pattern(text).open_shape(shape, SIZES)
    assert str(caught.value) == message
