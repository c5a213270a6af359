"""y = f(x) as a relation among products that have no unit, and the way back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import log2

import numpy as np
import sympy
from jaxtyping import Float64
from scipy.spatial import cKDTree

from ..problem._prior_knowledge import NOTHING_KNOWN
from ..problem._search_problem import Matrix, Rows, SearchProblem
from ._buckingham_groups import Exponents, Groups, all_groups
from ._dimension import NUMBER
from ._known import Known

_NEIGHBOURS = 6
_SHORTEST = 3  # ways to choose groups that are compared, of each set of constants
_ASKED = 5  # ways that are searched
_CONSTANT, _GROUP = 0.1, 0.05  # parts by which a further constant of nature, and a further group, must lessen scatter
_LEAST = 0.01  # decades, below which less scatter says nothing
_MOST_GROUPS = 6
_FLATTER = 0.7  # decades by which a power of a group must narrow y
_POWERS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)


@dataclass(frozen=True)
class Dimensionless:
    """Groups, with the columns that they are made of.

    Attributes
    ----------
    columns : tuple of sympy.Symbol
        The inputs.
    groups : Groups
        Powers of the inputs and of constants of nature.
    """

    columns: tuple[sympy.Symbol, ...]
    groups: Groups

    def problem(self, whole: SearchProblem) -> SearchProblem:
        """The problem in groups: y over its scale as a function of them.

        Parameters
        ----------
        whole : SearchProblem
            The problem in inputs.
        """
        x, y = self.values(whole.x, whole.y)
        names = tuple(sympy.Symbol(f"group{k}_", real=True) for k in range(x.shape[1]))
        return replace(whole, x=x, y=y, columns=names, structure=None, weights=None, prior=NOTHING_KNOWN)

    def restated(self, found: sympy.Expr) -> sympy.Expr:
        """An expression of groups as one of inputs, for y itself.

        Parameters
        ----------
        found : sympy.Expr
            Over the columns of `problem`.
        """
        back = {
            sympy.Symbol(f"group{k}_", real=True): self._product(powers) for k, powers in enumerate(self.groups.groups)
        }
        plain = self._product(self.groups.scale) * found.xreplace(back)
        spread = sympy.expand_mul(sympy.powdenest(plain))
        return min((_without_ones(one) for one in (plain, spread)), key=sympy.count_ops)

    def values(self, x: Matrix, y: Rows) -> tuple[Float64[np.ndarray, "rows groups"], Rows]:
        """The values of the groups, and of y over its scale; the units' sizes stay in the numbers.

        Parameters
        ----------
        x : array of shape [rows, inputs]
            The inputs.
        y : array of shape [rows]
            The output.
        """
        logs = [np.log(constant.value) for constant in self.groups.constants]
        with np.errstate(all="ignore"):
            columns = [_power(x, logs, powers) for powers in self.groups.groups]
            return np.stack(columns, axis=1) if columns else np.zeros((len(x), 0)), y / _power(
                x, logs, self.groups.scale
            )

    def _product(self, powers: Exponents) -> sympy.Expr:
        inputs = powers[: len(self.columns)]
        number = 1.0
        for constant, power in zip(self.groups.constants, powers[len(self.columns) :], strict=True):
            number *= constant.value ** float(power)
        product = sympy.Mul(
            *(c ** sympy.Rational(p.numerator, p.denominator) for c, p in zip(self.columns, inputs, strict=True))
        )
        return product if number == 1.0 else sympy.Float(number) * product


def _without_ones(expression: sympy.Expr) -> sympy.Expr:
    """The expression with the whole numbers written as such that constants of nature leave when they cancel.

    Other numbers take up pi, which then says nothing.
    """
    expression = expression.replace(
        lambda one: one.is_Mul and one.has(sympy.Float) and one.has(sympy.pi),
        lambda one: sympy.Mul(*(f.evalf() if f.is_number else f for f in one.args)),
    )
    near = {f: sympy.Integer(round(float(f))) for f in expression.atoms(sympy.Float) if 0.5 < abs(float(f)) < 100}
    return expression.xreplace({f: n for f, n in near.items() if abs(float(f) - int(n)) <= 1e-14 * abs(int(n))})


def _power(x: Matrix, logs: list[float], powers: Exponents) -> Rows:
    """A product of powers of the inputs and of constants, whose logarithms are given."""
    value = np.full(len(x), np.exp(sum(float(p) * log for p, log in zip(powers[x.shape[1] :], logs, strict=True))))
    for place, power in enumerate(powers[: x.shape[1]]):
        if power:
            value = value * (x[:, place] ** int(power) if power.denominator == 1 else x[:, place] ** float(power))
    return value


def dimensionless(problem: SearchProblem, known: Known) -> Iterator[Dimensionless]:
    """The ways to rid a problem of its units, those first in which neighbours among the groups have like values of y.

    Parameters
    ----------
    problem : SearchProblem
        The rows; columns without a known unit count as plain numbers.
    known : Known
        The units.
    """
    names = [str(column) for column in problem.columns]
    inputs = [known.inputs.get(name, NUMBER) for name in names]
    signed = [place for place in range(problem.width) if not np.all(problem.x[:, place] > 0)]
    rated: list[tuple[float, int, Dimensionless]] = []
    for ways in all_groups(inputs, known.output):
        for groups in ways[:_SHORTEST]:
            if len(groups.groups) > _MOST_GROUPS or any(map(groups.rooted, signed)):
                continue
            if problem.budget.over():
                break
            way = _flattened(Dimensionless(problem.columns, groups), problem)
            x, y = way.values(problem.x, problem.y)
            problem.budget.charge("compare", 50 * x.size * log2(len(x) + 1))
            if np.all(np.isfinite(x)) and np.all(np.isfinite(y)) and np.all(np.ptp(x, axis=0) > 0):
                longer = 1 + _CONSTANT * len(groups.constants) + _GROUP * len(groups.groups)
                rated.append(((_scatter(x, y) + _LEAST) * longer, len(rated), way))
    for _, _, way in sorted(rated, key=lambda one: one[:2])[:_ASKED]:
        yield way


def _scatter(x: Float64[np.ndarray, "rows groups"], y: Rows) -> float:
    """Decades by which |y| differs from that of neighbours, at the median: what no function of the groups explains.

    Decades can be compared between scales, which only shift them.
    """
    with np.errstate(divide="ignore"):
        logs = np.maximum(np.log10(np.abs(y)), -300.0)
    if x.shape[1] == 0:
        return float(np.median(np.abs(logs - np.median(logs))))
    ranks = np.stack([_ranks(column) for column in x.T], axis=1) / len(x)
    near = cKDTree(ranks).query(ranks, k=min(_NEIGHBOURS + 1, len(x)))[1]
    return float(np.median(np.abs(logs - np.median(logs[near[:, 1:]], axis=1))))


def _ranks(column: Rows) -> Rows:
    """Ranks from 1 on, those of equal values their mean; all of scipy's statistics would take 0.3 s to load."""
    _, places, counts = np.unique(column, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places])


def _flattened(way: Dimensionless, problem: SearchProblem) -> Dimensionless:
    """The same groups, with powers of them in the scale where y then reaches over fewer decades."""
    x, y = way.values(problem.x, problem.y)
    with np.errstate(all="ignore"):
        logs, target = np.log10(np.abs(x)), np.log10(np.abs(y))
    if not np.all(np.isfinite(target)):
        return way
    groups = way.groups
    scale = list(groups.scale)
    spread = _decades(target)
    for place, powers in enumerate(groups.groups):
        if not np.all(np.isfinite(logs[:, place])):
            continue
        choices = [sign * power for power in _POWERS for sign in (1, -1)]
        left = [_decades(target - power * logs[:, place]) for power in choices]
        best = int(np.argmin(left))
        if left[best] < spread - _FLATTER:
            power = Fraction(choices[best])
            scale = [a + power * b for a, b in zip(scale, powers, strict=True)]
            target, spread = target - choices[best] * logs[:, place], left[best]
    return replace(way, groups=replace(groups, scale=tuple(scale)))


def _decades(logs: Float64[np.ndarray, "rows"]) -> float:
    """How many decades most values reach over."""
    low, high = np.quantile(logs, [0.05, 0.95])
    return float(high - low)
