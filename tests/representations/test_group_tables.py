"""Groups found in rows of tokens and classes, against groups and character tables that are known."""

from collections.abc import Sequence
from itertools import permutations, product

import numpy as np
import pytest
from sympy.combinatorics import AlternatingGroup, DihedralGroup, PermutationGroup, SymmetricGroup

from bimt_analyze.representations import FiniteGroup, TargetGroup, operation_table, real_characters, target_group
from bimt_analyze.representations.group_tables._characters import character_table
from bimt_analyze.representations.group_tables._completed_table import completed
from bimt_analyze.representations.group_tables._cyclic_numbers import discrete_logarithms
from bimt_analyze.representations.group_tables._group_name import group_name
from bimt_train import InputError


def cyclic(n: int) -> np.ndarray:
    return (np.arange(n)[:, None] + np.arange(n)) % n


def of_permutations(group: PermutationGroup) -> np.ndarray:
    """The table of a group of sympy's, its elements in sympy's order; sympy multiplies from the left."""
    elements = [tuple(one.array_form) for one in group.elements]
    number = {element: k for k, element in enumerate(elements)}
    return np.array([[number[tuple(b[i] for i in a)] for b in elements] for a in elements])


def direct(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    m = len(second)
    every = range(len(first) * m)
    return np.array([[first[i // m, j // m] * m + second[i % m, j % m] for j in every] for i in every])


def quaternions() -> np.ndarray:
    """1, i, j, k and their negatives as matrices over the complex numbers."""
    i, j = np.array([[1j, 0], [0, -1j]]), np.array([[0, 1], [-1, 0]], dtype=complex)
    elements = [sign * one for sign in (1, -1) for one in (np.eye(2), i, j, i @ j)]
    return np.array([[next(k for k, c in enumerate(elements) if np.allclose(a @ b, c)) for b in elements]
                     for a in elements])  # fmt: skip


TABLES = {
    "the cyclic group of order 59": cyclic(59),
    "the cyclic group of order 24": cyclic(24),
    "Z2 x Z2 x Z2": direct(cyclic(2), direct(cyclic(2), cyclic(2))),
    "Z2 x Z12": direct(cyclic(4), cyclic(6)),
    "S3": of_permutations(SymmetricGroup(3)),
    "the dihedral group of 8 elements": of_permutations(DihedralGroup(4)),
    "the dihedral group of 14 elements": of_permutations(DihedralGroup(7)),
    "the quaternion group": quaternions(),
    "A4": of_permutations(AlternatingGroup(4)),
    "S4": of_permutations(SymmetricGroup(4)),
    "A5": of_permutations(AlternatingGroup(5)),
    "a group of 24 elements that does not commute": direct(quaternions(), cyclic(3)),
}

# Character tables from textbooks, columns in the order of the classes: by the elements' order, then by their number.
KNOWN = {
    "S4": [[1, 1, 1, 1, 1], [1, 1, -1, 1, -1], [2, 2, 0, -1, 0], [3, -1, 1, 0, -1], [3, -1, -1, 0, 1]],
    "the quaternion group": [[1, 1, 1, 1, 1], [1, 1, 1, -1, -1], [1, 1, -1, 1, -1], [1, 1, -1, -1, 1],
                             [2, -2, 0, 0, 0]],
    "the dihedral group of 8 elements": [[1, 1, 1, 1, 1], [1, 1, 1, -1, -1], [1, 1, -1, 1, -1], [1, 1, -1, -1, 1],
                                         [2, -2, 0, 0, 0]],
    "S3": [[1, 1, 1], [1, -1, 1], [2, 0, -1]],
}  # fmt: skip


def rows_of(table: np.ndarray, *, names: Sequence[np.ndarray] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """All pairs with their product; ``names``: those of the left tokens, the right ones and the classes."""
    every = np.arange(len(table))
    left, right, classes = (every, every, every) if names is None else names
    pairs = [(left[a], right[b]) for a in every for b in every]
    return np.array(pairs, dtype=np.float64), classes[table].reshape(-1, 1).astype(np.float64)


def found_in(x: np.ndarray, y: np.ndarray) -> TargetGroup:
    return target_group(operation_table(x, y))


@pytest.mark.parametrize("name", TABLES)
def test_groups_are_recognised_under_any_names(name: str) -> None:
    n, rng = len(TABLES[name]), np.random.default_rng(1)
    one = rng.permutation(n)
    x, y = rows_of(TABLES[name], names=(one, one, one))
    found = found_in(x, y)
    assert found.name == name and not found.renamed
    x, y = rows_of(TABLES[name], names=tuple(rng.permutation(n) for _ in range(3)))
    found = found_in(x, y)
    assert found.name == name and found.renamed
    at = [np.searchsorted(found.table.left.numbers, x[:, 0]), np.searchsorted(found.table.right.numbers, x[:, 1])]
    assert (found.table.classes[found.products[tuple(at)]] == y[:, 0]).all()


@pytest.mark.parametrize("name", TABLES)
def test_characters_are_orthonormal_and_dimensions_add_up(name: str) -> None:
    group = FiniteGroup(TABLES[name])
    found = character_table(group)
    sizes, n = np.array([len(one) for one in found.classes]), group.order
    np.testing.assert_allclose((found.values * sizes) @ found.values.conj().T / n, np.eye(len(sizes)), atol=1e-9)
    columns = found.values.T @ found.values.conj()
    np.testing.assert_allclose(columns, np.diag(n / sizes), atol=1e-8)
    assert int((found.dimensions**2).sum()) == n
    assert sorted(k for one in found.classes for k in one) == list(range(n))


@pytest.mark.parametrize("name", KNOWN)
def test_characters_are_those_of_textbooks(name: str) -> None:
    found = character_table(FiniteGroup(TABLES[name])).values
    # classes of the same order and size may stand in any order, and with them representations of the same dimension
    columns = {tuple(column) for column in np.array(KNOWN[name]).T.tolist()}
    assert any(
        {tuple(column) for column in found.real[list(order)].T.tolist()} == columns
        for order in permutations(range(len(found)))
        if (found[list(order), 0] == np.array(KNOWN[name])[:, 0]).all()
    )
    assert np.abs(found.imag).max() == 0
    if name in ("S4", "S3"):
        np.testing.assert_array_equal(found.real, KNOWN[name])


def test_two_groups_with_one_character_table_have_names_of_their_own() -> None:
    names = [
        group_name(FiniteGroup(TABLES[name])) for name in ("the quaternion group", "the dihedral group of 8 elements")
    ]
    assert names == ["the quaternion group", "the dihedral group of 8 elements"]


def test_characters_of_a5_have_the_golden_ratio() -> None:
    found = character_table(FiniteGroup(TABLES["A5"]))
    golden = (1 + np.sqrt(5)) / 2
    assert found.dimensions.tolist() == [1, 3, 3, 4, 5]
    threes = np.sort(found.values[1:3].real, axis=1)
    np.testing.assert_allclose(threes, [[-1, 1 - golden, 0, golden, 3]] * 2, atol=1e-9)


@pytest.mark.parametrize("name", TABLES)
def test_parts_in_the_representations_add_up_to_the_function(name: str) -> None:
    group = FiniteGroup(TABLES[name])
    quotients = group.product[:, group.inverse]
    parts = [one.projection(quotients) for one in real_characters(group)]
    np.testing.assert_allclose(sum(parts), np.eye(group.order), atol=1e-8)
    for one, other in product(parts[:6], repeat=2):
        np.testing.assert_allclose(one @ other, one if one is other else 0.0 * one, atol=1e-8)


def test_representations_have_names_by_dimension() -> None:
    def names(name: str) -> list[str]:
        return [one.name for one in real_characters(FiniteGroup(TABLES[name]))]

    assert names("S4") == ["trivial", "sign", "2", "3", "3'"]
    assert names("the quaternion group") == ["trivial", "1a", "1b", "1c", "2"]
    assert names("A4") == ["trivial", "1+1*", "3"]
    assert names("A5") == ["trivial", "3", "3'", "4", "5"]
    assert names("the cyclic group of order 24") == ["trivial", *(f"k={k}" for k in range(1, 13))]


def test_logarithms_turn_products_into_sums() -> None:
    table = np.random.default_rng(0).permutation(24)
    renamed = np.empty((24, 24), dtype=np.int64)
    renamed[table[:, None], table] = table[cyclic(24)]
    logarithms = discrete_logarithms(FiniteGroup(renamed))
    assert logarithms is not None
    assert (logarithms[renamed] == (logarithms[:, None] + logarithms) % 24).all()
    assert discrete_logarithms(FiniteGroup(TABLES["S4"])) is None


def test_products_modulo_a_prime_are_cyclic_and_so_are_differences() -> None:
    units = np.arange(1, 13)
    x = np.array(list(product(units, units)), dtype=np.float64)
    found = found_in(x, x[:, :1] * x[:, 1:] % 13)
    assert found.name == "the cyclic group of order 12" and not found.renamed
    assert found.sentence.endswith("the cyclic group of order 12, checked on 144 pairs.")
    x = np.array(list(product(range(9), range(9))), dtype=np.float64)
    assert found_in(x, (x[:, :1] - x[:, 1:]) % 9).name == "the cyclic group of order 9"


def test_a_latin_square_that_is_no_group_is_refused() -> None:
    loop = np.array([[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]])
    assert (np.sort(loop, axis=0) == np.arange(5)[:, None]).all() and (np.sort(loop, axis=1) == np.arange(5)).all()
    with pytest.raises(InputError, match="breaks the associative law"):
        found_in(*rows_of(loop))
    names = [np.random.default_rng(2).permutation(5) for _ in range(3)]
    with pytest.raises(InputError, match="breaks the associative law"):
        found_in(*rows_of(loop, names=names))


def test_a_latin_square_one_switch_away_from_a_group_is_refused() -> None:
    table = TABLES["Z2 x Z2 x Z2"].copy()
    table[np.ix_([0, 1], [2, 3])] = table[np.ix_([1, 0], [2, 3])]
    with pytest.raises(InputError, match="breaks the associative law"):
        found_in(*rows_of(table))
    x, y = rows_of(table)
    with pytest.raises(InputError, match="contradict every group"):
        found_in(x[:-9], y[:-9])


@pytest.mark.parametrize("wrong", [1, 5])
def test_a_table_with_wrong_entries_is_refused_whole_or_in_part(wrong: int) -> None:
    rng = np.random.default_rng(wrong)
    x, y = rows_of(cyclic(23))
    at = rng.choice(len(y), wrong, replace=False)
    y[at] = (y[at] + 1) % 23
    with pytest.raises(InputError, match=r"no group's table: .*more than once"):
        found_in(x, y)
    # without the other cells of its row and column that have the same class, an entry is wrong by deduction alone
    spoilt = [(x[:, 0] == x[a, 0]) | (x[:, 1] == x[a, 1]) for a in at]
    same = [line & (y == y[a]).ravel() for a, line in zip(at, spoilt, strict=True)]
    hidden = np.logical_or.reduce(same)
    hidden[at] = False
    with pytest.raises(InputError, match=r"contradict every group|more than once"):
        found_in(x[~hidden], y[~hidden])


def test_a_wrong_entry_where_a_large_table_is_thin_is_found_by_what_the_rest_says() -> None:
    table = cyclic(120)
    table[np.arange(0, 120, 2), 7] = -1
    completed(table)
    table[1, 7] = 100
    with pytest.raises(InputError, match="contradict every group"):
        completed(table)


@pytest.mark.parametrize("name", ["the cyclic group of order 59", "S4", "A5", "the dihedral group of 14 elements"])
@pytest.mark.parametrize("share", [0.8, 0.5])
def test_missing_products_are_filled_in_as_they_are(name: str, share: float) -> None:
    rng = np.random.default_rng(3)
    n = len(TABLES[name])
    x, y = rows_of(TABLES[name], names=tuple(rng.permutation(n) for _ in range(3)))
    kept = rng.random(n * n) < share
    found = found_in(x[kept], y[kept])
    assert found.name == name
    assert (found.table.classes[found.products[tuple(x.T.astype(int))]] == y[:, 0]).all()
    assert f"checked on {kept.sum():,} pairs; the other {n * n - kept.sum():,} follow from them" in found.sentence


def test_too_few_products_are_not_enough() -> None:
    x, y = rows_of(cyclic(30))
    kept = (x == 0).any(axis=1)
    with pytest.raises(InputError, match=r"too little of the table is known: .*do not follow"):
        found_in(x[kept], y[kept])
    assert (completed(np.full((5, 5), -1)) == -1).all()


def test_a_part_of_a_table_that_only_chance_makes_a_groups_is_refused() -> None:
    """Two rows and a column tell the rest of a group of five, but nothing confirms that it is one."""
    x, y = rows_of(cyclic(5))
    kept = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20]
    with pytest.raises(InputError, match=r"too little of the table is known: .*few of them follow from the rest"):
        found_in(x[kept], y[kept])


def test_a_pair_with_two_classes_is_refused() -> None:
    x, y = rows_of(cyclic(7))
    with pytest.raises(InputError, match=r"a pair of tokens with two classes: .*got 1 rows of another"):
        found_in(np.concatenate([x, x[:1]]), np.concatenate([y, y[:1] + 1]))


def test_rows_that_are_no_table_are_refused() -> None:
    x, y = rows_of(cyclic(5))
    for rows, targets, message in (
        (x + 0.5, y, "got fractions"),
        (x[:, :1], y, "got 1"),
        (np.column_stack([x, x[:, :1]]), y, "got 3"),
        (x, y % 4, "5 and 5 tokens, 4 classes"),
        (x, y + 0.5, "one class a row"),
        (x, np.full((25, 3), 1.0), "one class a row"),
    ):
        with pytest.raises(InputError, match=message):
            operation_table(rows, targets)


def test_one_hot_codes_and_columns_that_never_change_are_read() -> None:
    x, y = rows_of(TABLES["S4"])
    code = np.eye(24)
    rows = np.concatenate([code[x[:, 0].astype(int)], code[x[:, 1].astype(int)]], axis=1)
    found = found_in(rows, code[y[:, 0].astype(int)])
    assert found.name == "S4"
    np.testing.assert_array_equal(found.pairs, rows)
    ended = np.column_stack([x[:, 0], np.full(len(x), 30.0), x[:, 1], np.full(len(x), 31.0)])
    found = found_in(ended, y)
    assert found.name == "S4"
    np.testing.assert_array_equal(found.pairs, ended)


def test_something_else_than_a_group_is_no_group() -> None:
    for table, message in (
        (np.array([[0, 1], [0, 1]]), "no Latin square"),
        (np.array([[0, 2, 1], [2, 1, 0], [1, 0, 2]]), "without an identity"),
    ):
        with pytest.raises(InputError, match=message):
            FiniteGroup(table)
