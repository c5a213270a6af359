import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bimt_train import PatternError
from bimt_train.layouts import parse_pattern
from bimt_train.layouts.fold import fold, spread

PATTERNS = [
    "a b",
    "a -> b",
    "(3 a) b",
    "(a 3) b",
    "(2 a) -> b",
    "b (2 a 3)",
    "_ a",
    "a",
    "(3 a)",
    "2 a _ b",
    "a a",
    "_",
    "",
    "a[1:2] b",
    "(2 a) -> b[1:3]",
    "(2 b[0:2] 3)",
]
SIZES = {"a": 2, "b": 3}
FREE = 4


def _neurons_of(factor: str) -> range:
    """By the text alone: which neurons of its group a factor names."""
    group, _, part = factor.rstrip("]").partition("[")
    return range(SIZES[group])[slice(*map(int, part.split(":")))] if part else range(SIZES[group])


def _shape(text: str) -> tuple[int, ...]:
    plan = parse_pattern(text)
    lengths = [
        [FREE if f is None else len(_neurons_of(f)) if isinstance(f, str) else f for f in axis] for axis in plan.axes
    ]
    return tuple(int(np.prod(axis)) for axis in lengths)


def _neurons(text: str) -> dict[tuple[int, ...], tuple[int, ...]]:
    """By loops alone: tensor index -> (target neuron, source neuron), or fewer."""
    plan = parse_pattern(text)
    found = {}
    for index in np.ndindex(_shape(text)):
        named = []
        for place, axis in zip(index, plan.axes, strict=True):
            rest = place
            digits = []
            for factor in reversed(axis):
                size = FREE if factor is None else len(_neurons_of(factor)) if isinstance(factor, str) else factor
                rest, digit = divmod(rest, size)
                digits.append((factor, digit))
            named += [_neurons_of(factor)[digit] for factor, digit in reversed(digits) if isinstance(factor, str)]
        neurons = tuple(named)
        found[index] = neurons[::-1] if plan.source_first else neurons
    return found


@pytest.mark.parametrize("text", PATTERNS)
@given(seed=st.integers(0, 10**6))
def test_fold_is_the_sum_over_a_loop(text: str, seed: int) -> None:
    tensor = np.random.default_rng(seed).normal(size=_shape(text))
    folded = fold(tensor, parse_pattern(text), SIZES)
    looped = np.zeros(tuple(SIZES[g] for g in parse_pattern(text).groups))
    for index, neurons in _neurons(text).items():
        looped[neurons] += tensor[index]
    assert folded.shape == looped.shape
    assert np.allclose(folded, looped)


@pytest.mark.parametrize("text", PATTERNS)
def test_spread_gives_each_entry_the_value_of_its_neurons(text: str) -> None:
    groups = parse_pattern(text).groups
    matrix = np.random.default_rng(0).normal(size=tuple(SIZES[g] for g in groups))
    whole = spread(matrix, parse_pattern(text), _shape(text), SIZES)
    assert whole.shape == _shape(text)
    for index, neurons in _neurons(text).items():
        assert whole[index] == matrix[neurons]


@pytest.mark.parametrize("text", PATTERNS)
@given(seed=st.integers(0, 10**6))
def test_spread_is_the_transpose_of_fold(text: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    plan, shape = parse_pattern(text), _shape(text)
    tensor, matrix = generator.normal(size=shape), generator.normal(size=tuple(SIZES[g] for g in plan.groups))
    left, right = (fold(tensor, plan, SIZES) * matrix).sum(), (tensor * spread(matrix, plan, shape, SIZES)).sum()
    assert np.isclose(left, right)


@pytest.mark.parametrize("text", [text for text in PATTERNS if text])
def test_a_leading_axis_of_seeds_stays(text: str) -> None:
    plan, stack = parse_pattern(text), np.random.default_rng(0).normal(size=(5, *_shape(text)))
    folded = fold(stack, plan, SIZES)
    for seed in range(5):
        assert np.allclose(folded[seed], fold(stack[seed], plan, SIZES))
    back = spread(folded, plan, _shape(text), SIZES)
    assert np.allclose(back[3], spread(np.asarray(folded[3]), plan, _shape(text), SIZES))


def test_a_tensor_that_does_not_fit_is_refused() -> None:
    with pytest.raises(PatternError, match=r"expected 6 \(3 \* a=2\), got 7"):
        fold(np.zeros((7, 3)), parse_pattern("(3 a) b"), SIZES)
