"""One function around a product of powers: the function is undone."""

from collections.abc import Iterator

from ...problem._operators import OPERATORS, SHARES
from ...problem._search_problem import SearchProblem
from ...problem._template import Template
from .._outer import undone
from .._powers import products_of_powers

_POWERS = ("sqrt", "reciprocal", "inverse square", "inverse root", "three halves", "inverse three halves")
_OUTER = tuple(entry for entry in (*OPERATORS, *SHARES) if entry.name not in _POWERS)  # of a product these are products


def outer_products(problem: SearchProblem) -> Iterator[Template]:
    """Templates g(A * product of factor**power), with the factors of `products_of_powers`.

    Parameters
    ----------
    problem : SearchProblem
        The rows to explain, the hints and the budget.
    """
    for entry, inverted in undone(problem, _OUTER):
        if problem.budget.over():
            return
        for template in products_of_powers(inverted):
            yield Template(entry.build(template.expression), template.start, template.error)
