"""Products of powers without a unit (Buckingham's groups), of the inputs and of constants of nature."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from math import comb

import numpy as np
from jaxtyping import Float64

from ..problem._monomials import length
from ..symbolic._constants_of_nature import ConstantOfNature, constants_of_nature
from ._dimension import BASE, Dimension, dimension_of

Exponents = tuple[Fraction, ...]

_ASKED = ("c", "k", "h", "G", "e", "epsilon_0", "g", "N_A", "m_e")  # constants of nature that may stand beside inputs
_MOST_CONSTANTS = 3
_LARGEST = 4  # denominator of a power
_MOST_BASES = 400  # choices of inputs that carry the units


@dataclass(frozen=True)
class Groups:
    """One way to write y = scale * f(groups), where nothing but the scale has a unit.

    Attributes
    ----------
    constants : tuple of ConstantOfNature
        Which stand beside the inputs.
    scale : tuple of Fraction
        Powers of the inputs and of the constants whose product has y's unit.
    groups : tuple of tuple of Fraction
        Powers of each group, whose product has no unit.
    """

    constants: tuple[ConstantOfNature, ...]
    scale: Exponents
    groups: tuple[Exponents, ...]

    @property
    def length(self) -> float:
        """How long the products are, together."""
        return length(self.scale) + sum(map(length, self.groups))

    def rooted(self, place: int) -> bool:
        """Whether an input stands under a root somewhere.

        Parameters
        ----------
        place : int
            The number of the input.
        """
        return any(powers[place].denominator > 1 for powers in (self.scale, *self.groups))


def all_groups(inputs: Sequence[Dimension], output: Dimension) -> Iterator[tuple[Groups, ...]]:
    """The ways to write the output by groups, those of one set of constants together; sets of few constants first.

    Parameters
    ----------
    inputs : sequence of Dimension
        Of each input.
    output : Dimension
        Of the output.

    Yields
    ------
    tuple of Groups
        The shortest first. Each constant of the set is needed by at least one of the products. Where a set leaves as
        many groups as there are inputs and no constant, it says nothing and is left out.
    """
    target = _column(output)
    table = {constant.symbol: constant for constant in constants_of_nature()}
    asked = [table[symbol] for symbol in _ASKED]
    dimensions = {constant: dimension_of(constant.unit) for constant in asked}
    for many in range(_MOST_CONSTANTS + 1):
        for constants in combinations(asked, many):
            columns = [*inputs, *(dimensions[constant] for constant in constants)]
            matrix = np.array([_column(one) for one in columns]).reshape(-1, len(BASE)).T
            rank = int(np.linalg.matrix_rank(matrix)) if columns else 0
            if rank == 0 or len(columns) - rank > len(inputs):
                continue
            if np.linalg.matrix_rank(np.column_stack([matrix, target])) > rank:
                continue
            if found := _of_bases(matrix, target, rank, constants):
                yield found


def _column(dimension: Dimension) -> Float64[np.ndarray, "base"]:
    return np.array([float(power) for power in dimension.exponents])


def _of_bases(
    matrix: Float64[np.ndarray, "base columns"],
    target: Float64[np.ndarray, "base"],
    rank: int,
    constants: tuple[ConstantOfNature, ...],
) -> tuple[Groups, ...]:
    """The groups by each choice of columns that carry the units, the shortest first."""
    columns = matrix.shape[1]
    inputs = columns - len(constants)
    if comb(columns, rank) > _MOST_BASES:
        return ()
    found: dict[tuple[Exponents, ...], Groups] = {}
    for base in combinations(range(columns), rank):
        carried = matrix[:, base]
        if np.linalg.matrix_rank(carried) < rank:
            continue
        others = [place for place in range(columns) if place not in base]
        powers = np.linalg.lstsq(carried, np.column_stack([target, matrix[:, others]]), rcond=None)[0]
        exact = np.round(powers * 12) / 12
        if np.abs(exact - powers).max() > 1e-9:
            continue
        rows = []
        for at, place in enumerate((None, *others)):
            row = [Fraction(0)] * columns
            sign = 1 if place is None else -1
            for carrier, power in zip(base, exact[:, at], strict=True):
                row[carrier] = sign * Fraction(float(power)).limit_denominator(12)
            if place is not None:
                row[place] = Fraction(1)
            rows.append(tuple(row))
        if any(not any(row[inputs + k] for row in rows) for k in range(len(constants))):
            return ()  # a constant that no product needs
        if any(power.denominator > _LARGEST for row in rows for power in row):
            continue
        rows[1:] = [_whole(row) for row in rows[1:]]
        if any(not any(row[:inputs]) for row in rows[1:]):
            continue  # a pure number, of constants alone
        scale, *groups = rows
        found.setdefault(tuple(rows), Groups(constants, scale, tuple(groups)))
    return tuple(sorted(found.values(), key=lambda one: one.length))


def _whole(row: Exponents) -> Exponents:
    """A group to the power that makes its exponents whole, the first of them positive."""
    factor = Fraction(np.lcm.reduce([power.denominator for power in row]))
    return tuple(power * int(factor) for power in row)
