"""Rows of many groups as arrays with a leading axis of groups, so that all groups are fitted at once."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float64
from numpy.typing import NDArray

from bimt_train import InputError

from ..formulas.problem._search_problem import deviation

_FEWEST = 4  # rows of a group
_MOST_GROUPS = 1000


@dataclass(frozen=True)
class GroupedRows:
    """The rows of each group, filled up with copies of its first row to the length of the longest.

    Attributes
    ----------
    labels : tuple
        What each group is called, in the order in which they first appear.
    x : array of shape [groups, rows, inputs]
        The inputs.
    y : array of shape [groups, rows]
        The output.
    real : array of bool of shape [groups, rows]
        Which rows are the group's own, and no filling.
    """

    labels: tuple[Hashable, ...]
    x: Float64[np.ndarray, "groups rows inputs"]
    y: Float64[np.ndarray, "groups rows"]
    real: Bool[np.ndarray, "groups rows"]

    @staticmethod
    def of(
        x: Float64[np.ndarray, "all inputs"], y: Float64[np.ndarray, "all"], groups: Iterable[Hashable]
    ) -> "GroupedRows":
        """Sort rows into groups.

        Parameters
        ----------
        x : array of shape [all, inputs]
            The inputs.
        y : array of shape [all]
            The output.
        groups : iterable
            The label of each row.

        Raises
        ------
        InputError
            For another number of labels than rows, a single group, or a group of fewer than four rows.
        """
        given = list(groups)
        if len(given) != len(y):
            raise InputError(
                "labels of groups do not fit the rows",
                where="groups",
                expected=f"{len(y)} labels, one a row",
                got=str(len(given)),
            )
        members: dict[Hashable, list[int]] = {}
        for row, label in enumerate(given):
            members.setdefault(label.item() if isinstance(label, np.generic) else label, []).append(row)
        if not 2 <= len(members) <= _MOST_GROUPS:
            raise InputError(
                "this is no table of groups",
                where="groups",
                expected=f"from 2 to {_MOST_GROUPS} different labels",
                got=str(len(members)),
                hint="without groups, find_formula searches for one law of all rows",
            )
        small = [label for label, rows in members.items() if len(rows) < _FEWEST]
        if small:
            raise InputError(
                "a group has too few rows",
                where=f"group {small[0]!r}",
                expected=f"{_FEWEST} rows or more",
                got=f"{len(members[small[0]])}" + (f", and {len(small) - 1} more such groups" if small[1:] else ""),
                hint="leave such groups out",
            )
        longest = max(map(len, members.values()))
        index = np.array([rows + [rows[0]] * (longest - len(rows)) for rows in members.values()])
        real = np.array([[i < len(rows) for i in range(longest)] for rows in members.values()])
        return GroupedRows(tuple(members), x[index], y[index], real)

    @property
    def count(self) -> int:
        """How many groups there are."""
        return len(self.labels)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """The rows of each group."""
        return np.asarray(self.real.sum(axis=1))

    @property
    def units(self) -> Float64[np.ndarray, "groups"]:
        """The deviation of y in each group."""
        return np.array([deviation(self.y[g][self.real[g]]) for g in range(self.count)])

    def of_group(self, group: int) -> tuple[Float64[np.ndarray, "rows inputs"], Float64[np.ndarray, "rows"]]:
        """The rows of one group, without the filling.

        Parameters
        ----------
        group : int
            Its number.
        """
        return self.x[group][self.real[group]], self.y[group][self.real[group]]

    def only(self, groups: NDArray[np.bool_]) -> "GroupedRows":
        """Some of the groups.

        Parameters
        ----------
        groups : array of bool of shape [groups]
            Which.
        """
        labels = tuple(label for label, kept in zip(self.labels, groups, strict=True) if kept)
        return GroupedRows(labels, self.x[groups], self.y[groups], self.real[groups])

    def thinned(self, most: int, seed: int) -> "GroupedRows":
        """The rows with at most so many in each group, drawn at random.

        Parameters
        ----------
        most : int
            Rows of a group.
        seed : int
            Of the draw.
        """
        if self.y.shape[1] <= most:
            return self
        rng = np.random.default_rng(seed)
        order = np.argsort(rng.random(self.y.shape) + ~self.real, axis=1)[:, :most]  # the filling comes last
        rows = np.arange(self.count)[:, None]
        return replace(self, x=self.x[rows, order], y=self.y[rows, order], real=self.real[rows, order])
