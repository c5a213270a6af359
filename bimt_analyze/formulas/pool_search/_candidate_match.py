"""A candidate of the pool: how it is measured, and how it becomes a template."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import log2

import numpy as np
import sympy
from jaxtyping import Float64, Int64

from ..generators._inverted_targets import Target
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, linear
from ._expression_pool import Pool

Rows = Float64[np.ndarray, "rows"]
Matrix = Float64[np.ndarray, "_ _"]
BuildExpression = Callable[[], sympy.Expr]


MULTIPLES = 400  # monomials that y is multiplied by
EXACT = 1e-6  # relative error below which a match is no chance
_SEEN = 1e-8  # relative error that products of unit vectors can tell from none
BEST = 24  # candidates a test
LOOSE = 0.5  # relative error in y above which a match is dropped
_SAMPLED = 100  # times as many candidates as are wanted bound their error
_NODE, _CONSTANT = 3.0, 10.0  # bits
ELEMENTWISE = 50  # products that the operations on one element of a table of errors are worth


@dataclass(frozen=True)
class Match:
    """A candidate.

    Attributes
    ----------
    bits : float
        Its description length on the rows seen.
    error : float
        Its relative error.
    template : callable
        Gives its template.
    """

    bits: float
    error: float
    template: Callable[[], Template]


Test = Callable[[SearchProblem, Pool], Iterator[Match]]


def match_of(
    problem: SearchProblem, error: float, size: int, constants: int, template: Callable[[], Template]
) -> Match:
    """A candidate with its description length.

    Parameters
    ----------
    problem : SearchProblem
        The rows on which candidates are compared.
    error : float
        The candidate's relative error.
    size : int
        Its nodes.
    constants : int
        How many open constants it has.
    template : callable
        Gives its template.
    """
    bits = problem.rows * log2(max(error, _SEEN, problem.tolerance)) + _NODE * size + _CONSTANT * constants
    return Match(bits, error, template)


def unit_rows(values: Matrix) -> Matrix:
    """The rows of a matrix with mean zero and length one; zero where they do not vary.

    Parameters
    ----------
    values : array of shape [features, rows]
        One feature in each row of the matrix.
    """
    centred = values - np.mean(values, axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        flat = ~(length > 1e-9 * np.linalg.norm(values, axis=1, keepdims=True))
        return np.where(flat | ~np.isfinite(length), 0.0, centred / length)


def left_unexplained(cosines: Matrix) -> Matrix:
    """What unit vectors leave of each other, 1 - cosine**2, in the place of the cosines.

    Parameters
    ----------
    cosines : array of shape [targets, features]
        Is overwritten.
    """
    np.square(cosines, out=cosines)
    np.subtract(1.0, cosines, out=cosines)
    np.maximum(cosines, 0.0, out=cosines)
    return cosines


def best_places(
    squares: Float64[np.ndarray, "..."], sizes: Sequence[Int64[np.ndarray, "..."]], rows: int, *, most: int = 4 * BEST
) -> list[int]:
    """The flat places of the least description lengths.

    Parameters
    ----------
    squares : array
        Squares of relative errors.
    sizes : sequence of arrays
        Nodes: one array for each axis of ``squares``, whose values are added.
    rows : int
        How many rows the errors are of.
    most : int
        How many places.
    """
    flat = squares.ravel()
    most = min(most, flat.size)
    if not most:
        return []

    def bits(places: Int64[np.ndarray, " places"]) -> Float64[np.ndarray, " places"]:
        nodes = sum(of[at] for of, at in zip(sizes, np.unravel_index(places, squares.shape), strict=True))
        return np.asarray(rows / 2 * np.log2(np.maximum(flat[places], _SEEN**2)) + _NODE * nodes)

    # a sample's best bound the error of the best of all, so that few need a logarithm
    sample = bits(np.arange(0, flat.size, max(flat.size // (_SAMPLED * most), 1)))
    bound = np.partition(sample, most - 1)[most - 1] - _NODE * sum(int(np.min(of)) for of in sizes)
    near = np.flatnonzero(flat <= max(2 ** (2 * bound / rows), _SEEN**2) * (1 + 1e-9))
    return [int(place) for place in near[np.argpartition(bits(near), most - 1)[:most]]]


def _fitted(target: Target, columns: Float64[np.ndarray, "rows columns"]) -> tuple[list[float], Rows]:
    """Least squares on z: the coefficients, and z at these; NaN where a column leaves the range of numbers."""
    if not np.all(np.isfinite(columns)):
        return [float("nan")] * columns.shape[1], np.full(len(columns), np.nan)
    size = np.max(np.abs(columns), axis=0)
    size[size == 0] = 1.0
    coefficients = np.linalg.lstsq(columns / size, target.values, rcond=1e-13)[0] / size
    return [float(c) for c in coefficients], columns @ coefficients


def solved(
    problem: SearchProblem,
    target: Target,
    terms: Sequence[BuildExpression],
    columns: Sequence[Rows],
    size: int,
) -> Match | None:
    """The match y = h(sum of terms, each times a constant) / m, judged by its error in y; None where it is large.

    Parameters
    ----------
    problem : SearchProblem
        The rows on which candidates are compared.
    target : Target
        The function h undone, and the monomial m.
    terms : sequence of callables
        Each builds the expression of a term.
    columns : sequence of arrays of shape [rows]
        The values of the terms.
    size : int
        Nodes of the whole.
    """
    problem.budget.charge("solve", problem.rows * len(columns) ** 2)
    coefficients, z = _fitted(target, np.stack(columns, axis=1))
    error = float(target.misses(problem, z[None])[0])
    if not error < LOOSE:
        return None

    def template() -> Template:
        inner = linear([term() for term in terms], coefficients, error=error)
        return Template(target.build(inner.expression), inner.start, error)

    return match_of(problem, error, size, len(terms), template)


def one() -> sympy.Expr:
    """The number 1, as the expression of a constant column."""
    return sympy.Integer(1)
