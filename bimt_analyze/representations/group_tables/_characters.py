"""The irreducible representations of any finite group, by their characters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex128, Float64, Int64

from bimt_train import InputError
from bimt_train.showing import Shown

from ._finite_group import FiniteGroup

CLOSE = 1e-6  # how far from orthonormal characters may be
DIGITS = 9  # of a character's values, where they are compared
TRIES = 8


@dataclass(frozen=True, eq=False, repr=False)
class CharacterTable(Shown):
    """The characters of all irreducible representations over the complex numbers.

    Attributes
    ----------
    classes : tuple of tuple of int
        The conjugacy classes, as `FiniteGroup.classes` gives them.
    values : array of complex128, shape (representations, classes)
        The characters; by rising dimension, and among equal ones by falling values, the trivial one first.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import FiniteGroup
    >>> from bimt_analyze.representations.group_tables._characters import character_table
    >>> numbers = np.arange(3)
    >>> character_table(FiniteGroup((numbers[:, None] + numbers) % 3)).dimensions.tolist()
    [1, 1, 1]
    """

    classes: tuple[tuple[int, ...], ...]
    values: Complex128[np.ndarray, "representations classes"]

    @property
    def dimensions(self) -> Int64[np.ndarray, " representations"]:
        """The dimension of each representation: its character at the identity."""
        return np.asarray(np.rint(self.values[:, 0].real).astype(np.int64))


def character_table(group: FiniteGroup) -> CharacterTable:
    """Compute the characters of all irreducible representations of a group.

    Parameters
    ----------
    group : FiniteGroup
        Any group.

    Returns
    -------
    CharacterTable
        As many characters as there are conjugacy classes.

    Raises
    ------
    InputError
        Rounding has left characters that are not orthonormal.

    Notes
    -----
    The sums K_i over the classes C_i multiply as K_j K_i = sum_k c_jik K_k. With v_k = chi(C_k) |C_k|^(1/2), every
    character chi gives a common eigenvector of the matrices |C_i|^(-1/2) c_jik |C_k|^(1/2) [1]_, which are normal and
    commute: a random Hermitian combination of them has the characters as its eigenvectors. Values are rounded to whole
    numbers where they are close to them, and rows and columns are checked to be orthogonal.

    References
    ----------
    .. [1] J. D. Dixon, "High speed computation of group characters", Numerische Mathematik 10, 1967.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.representations import FiniteGroup
    >>> from bimt_analyze.representations.group_tables._characters import character_table
    >>> numbers = np.arange(2)
    >>> character_table(FiniteGroup((numbers[:, None] + numbers) % 2)).values.real.tolist()
    [[1.0, 1.0], [1.0, -1.0]]
    """
    classes, n = group.classes, group.order
    sizes = np.array([len(one) for one in classes])
    constants = _class_constants(group)
    normal = constants * np.sqrt(sizes[None, :]) / np.sqrt(sizes[:, None])  # of each j: rows i, columns k
    for seed in range(TRIES):
        rng = np.random.default_rng(seed)
        mixed = np.tensordot(rng.normal(size=len(sizes)) + 1j * rng.normal(size=len(sizes)), normal, axes=1)
        vectors = np.linalg.eigh(mixed + mixed.conj().T)[1].T
        characters = vectors * np.sqrt(n) * (vectors[:, :1].conj() / np.abs(vectors[:, :1])) / np.sqrt(sizes)
        characters = _tidied(characters)
        if _orthonormal(characters, sizes, n):
            return CharacterTable(classes, characters[_order(characters)])
    raise InputError("characters that are not orthonormal", where=f"a group of {n} elements")


def _class_constants(group: FiniteGroup) -> Float64[np.ndarray, "k k k"]:
    """At j, i, k: how many pairs of the classes j and i have one given product in class k."""
    member = np.zeros(group.order, dtype=np.int64)
    for number, members in enumerate(group.classes):
        member[list(members)] = number
    count = len(group.classes)
    found = np.zeros((count, count, count))
    for k, members in enumerate(group.classes):
        others = group.product[group.inverse, members[0]]  # x times this is the class's first element
        np.add.at(found[:, :, k], (member, member[others]), 1.0)
    return found


def _tidied(values: Complex128[np.ndarray, "k k"]) -> Complex128[np.ndarray, "k k"]:
    def whole(part: Float64[np.ndarray, "k k"]) -> Float64[np.ndarray, "k k"]:
        return np.where(np.abs(part - np.rint(part)) < CLOSE, np.rint(part), part) + 0.0

    return np.asarray(whole(values.real) + 1j * whole(values.imag))


def _orthonormal(values: Complex128[np.ndarray, "k k"], sizes: Int64[np.ndarray, " k"], n: int) -> bool:
    one = np.eye(len(sizes))
    rows = np.abs((values * sizes) @ values.conj().T / n - one).max()
    columns = np.abs(values.T @ values.conj() * np.sqrt(np.outer(sizes, sizes)) / n - one).max()
    whole = np.abs(values[:, 0] - np.rint(values[:, 0].real)).max()
    return bool(max(rows, columns, whole) < CLOSE)


def _order(values: Complex128[np.ndarray, "k k"]) -> Sequence[int]:
    rounded = np.round(values, DIGITS) + 0.0
    keys = [(one[0].real, *(-v for z in one for v in (z.real, z.imag))) for one in rounded.tolist()]
    return sorted(range(len(keys)), key=lambda k: keys[k])
