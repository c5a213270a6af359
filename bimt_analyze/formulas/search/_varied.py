"""A formula with one part of it, which depends on one argument alone, as another function; or with one part more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import sympy
from jaxtyping import Float64

from ..curves._one_scale import ScaledFunction, scaled_functions
from ..intervals._opened import opened
from ..problem._search_problem import SearchProblem
from ..problem._template import Template, constant, node_count, numeric
from ._candidate import Candidate, order
from ._improvements import fitted_forms, improvements

Rows = Float64[np.ndarray, "rows"]

_LEAST = 0.1  # units: fewer are gone with the first part
_LOOKED_AT = 3  # candidates, and what they become
_SHARE, _LOOKING = 0.5, 0.6  # of the work that is left: for each, and of that for what is not fitted yet
_PLACES = 70  # of a formula
_FEW = 8  # inputs, up to which those are looked at that a formula does not have
_ROWS = 300  # on which functions are compared
_FACTORS = 6  # of a product, of which every choice is an argument
_FITTED = 10  # functions that are fitted in each round
_NODE, _CONSTANT = 3.0, 10.0  # bits
_SMALL = 1e-9  # of y's deviation: less is rounding
_CHOSEN = 15.0  # bits that chance gives the best of some thirty thousand forms


def varied(found: Sequence[Candidate], problem: SearchProblem, *, work: float) -> list[Candidate]:
    """The candidates, led by the first few with other functions in them, where that makes the description shorter.

    Where noise hides the difference, a search finds some function of v/c, and not the shortest. A part of a formula
    that depends on one input, or on one product of powers, becomes a multiple of each short function of that in turn.
    So does a factor that the formula lacks, and a term: they may be close to one, or small, on most rows.

    Parameters
    ----------
    found : sequence of Candidate
        What a search found, the best first. One that meets rows in double precision stays as it is.
    problem : SearchProblem
        The rows.
    work : float
        Units of work that this may take; of less than a tenth, nothing is tried.
    """
    if not found or work < _LEAST or found[0].explained:
        return list(found)
    budget = problem.budget.apart(work)

    def fitted(best: Candidate) -> Iterator[Candidate]:
        apart = replace(problem, budget=budget.share(_SHARE))
        looked = replace(apart, budget=apart.budget.share(_LOOKING))
        offers = sorted(_offers(best, looked), key=lambda one: one[0])[:_FITTED]
        return fitted_forms((template for _, template in offers), apart)

    better = improvements(
        found[:_LOOKED_AT],
        fitted,
        is_better=_is_better,
        stays=lambda best: best.explained or budget.left <= _LEAST,
    )
    return sorted([*(one for one in better if one not in found), *found], key=order)


def _is_better(other: Candidate, best: Candidate) -> bool:
    """Whether a form describes the rows better: a longer one by more than the best of so many would by chance."""
    longer = other.complexity >= best.complexity and not other.explained
    return order(other) < order(best) and (not longer or other.bits < best.bits - _CHOSEN)


@dataclass(frozen=True)
class _Place:
    """A formula with a part of it left open.

    Attributes
    ----------
    shell : sympy.Expr
        The formula, in which ``slot`` stands for the part.
    slot : sympy.Dummy
        It occurs linearly.
    argument : sympy.Expr
        What the part depends on.
    """

    shell: sympy.Expr
    slot: sympy.Dummy
    argument: sympy.Expr


def _offers(best: Candidate, problem: SearchProblem) -> Iterator[tuple[float, Template]]:
    """Forms with another function in one place, with the description length that its multiple alone allows."""
    some = np.linspace(0, problem.rows - 1, min(_ROWS, problem.rows)).astype(np.int64)
    x, y = problem.x[some], problem.y[some]
    simple = [one.exact for one in best.constants if one.exact is not None]
    free = best.expression.free_symbols
    used = [column for column in problem.columns if problem.width <= _FEW or column in free]
    for place, _ in zip(_places(best.expression, used), range(_PLACES), strict=False):
        if problem.budget.over():
            return
        factor = sympy.diff(place.shell, place.slot)
        rest = place.shell.xreplace({place.slot: sympy.S.Zero})
        with np.errstate(all="ignore"):
            by, left, u = (numeric(one, problem.columns)(x) for one in (factor, rest, place.argument))
        problem.budget.charge("lambdify", calls=3)
        if not (np.isfinite(by).all() and np.isfinite(left).all() and np.isfinite(u).all() and np.ptp(u) > 0):
            continue
        table = scaled_functions(u)
        problem.budget.charge("pool", table.values.size)
        with np.errstate(all="ignore"):
            scales, errors = _scaled(table.values * by, y - left)
        around = _NODE * node_count(place.shell) + _CONSTANT * len(place.shell.atoms(sympy.Float))
        length = around + np.array([_NODE * f.nodes + _CONSTANT * (f.scale is not None) for f in table.functions])
        bits = problem.rows * np.log2(np.maximum(errors / problem.unit, _SMALL)) + length
        for k in np.argsort(bits)[:_FITTED].tolist():
            yield float(bits[k]), _written(place, table.functions[k], float(scales[k]), simple)


def _scaled(
    columns: Float64[np.ndarray, "functions rows"], target: Rows
) -> tuple[Float64[np.ndarray, "functions"], Float64[np.ndarray, "functions"]]:
    """The multiple of each column that is nearest to the target, and what it leaves, root mean square."""
    scales = (columns @ target) / np.sum(columns**2, axis=1)
    errors = np.sqrt(np.mean((target - scales[:, None] * columns) ** 2, axis=1))
    return scales, np.where(np.isfinite(errors), errors, np.inf)


def _written(place: _Place, function: ScaledFunction, scale: float, simple: Sequence[sympy.Expr]) -> Template:
    level, inner = constant(), constant()
    form = opened(place.shell, simple).template
    start = {**form.start, level: scale}
    if function.scale is not None:
        start[inner] = function.scale
    part = level * function.build(place.argument, sympy.S.One if function.scale is None else inner)
    return Template(form.expression.xreplace({place.slot: part}), start)


def _places(expression: sympy.Expr, inputs: Sequence[sympy.Symbol]) -> Iterator[_Place]:
    """What a formula lacks of one input, its own parts, and what it lacks of two inputs."""
    yield from _lacking(expression, inputs)
    yield from _own(expression)
    yield from _lacking(expression, [a * b**power for a, b in combinations(inputs, 2) for power in (-1, 1)])


def _lacking(expression: sympy.Expr, arguments: Sequence[sympy.Expr]) -> Iterator[_Place]:
    """A factor more, and a term more."""
    for argument in arguments:
        slot = sympy.Dummy("f", real=True)
        yield _Place(expression * slot, slot, argument)
        yield _Place(expression + slot, slot, argument)


def _own(expression: sympy.Expr) -> Iterator[_Place]:
    """The parts of a formula that depend on one argument, and stand in it linearly; each argument of a part once."""
    products = _products(expression)
    seen: set[tuple[sympy.Expr, sympy.Expr]] = set()
    for node in dict.fromkeys(sympy.preorder_traversal(expression)):
        for kept, part in _parts(node):
            for argument in _arguments(part, products):
                slot = sympy.Dummy("f", real=True)
                shell = expression.xreplace({node: node.func(kept, slot) if node.is_Add or node.is_Mul else slot})
                key = (shell.xreplace({slot: sympy.Symbol("f_")}), argument)
                if key not in seen and not sympy.diff(shell, slot).has(slot):
                    seen.add(key)
                    yield _Place(shell, slot, argument)


def _parts(node: sympy.Expr) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """What is kept of a node, and the part that may be another function: some of its factors or terms, or all of it."""
    if not node.free_symbols or node.is_Symbol:
        return
    if not (node.is_Add or node.is_Mul):
        yield sympy.S.One, node
        return
    rest = node.as_coeff_Mul()[1] if node.is_Mul else node
    pieces = [piece for piece in node.func.make_args(rest) if piece.free_symbols]
    if len(pieces) > _FACTORS:
        return
    total = len(pieces)
    for many in sorted(range(1, total + 1), key=lambda many: min(many, total - many)):  # few choices first
        for chosen in combinations(pieces, many):
            kept = [piece for piece in node.func.make_args(rest) if piece not in chosen]
            yield node.func(*kept), node.func(*chosen)


def _products(expression: sympy.Expr) -> list[sympy.Expr]:
    """The products of powers of several inputs in a formula."""
    found: dict[sympy.Expr, None] = {}
    for node in sympy.preorder_traversal(expression):
        bare = node.as_coeff_Mul()[1] if isinstance(node, sympy.Expr) else node
        if bare.is_Mul and _is_product(bare):
            found[_primitive(bare)] = None
    return list(found)


def _is_product(part: sympy.Expr) -> bool:
    return all(f.as_base_exp()[0].is_Symbol and f.as_base_exp()[1].is_Rational for f in sympy.Mul.make_args(part))


def _primitive(part: sympy.Expr) -> sympy.Expr:
    """A product of powers with whole powers that have no common factor."""
    powers = [(f.as_base_exp()[0], f.as_base_exp()[1]) for f in sympy.Mul.make_args(part)]
    common = sympy.gcd_list([power for _, power in powers])
    return sympy.Mul(*(base ** (power / common) for base, power in powers))


def _arguments(part: sympy.Expr, products: Sequence[sympy.Expr]) -> Iterator[sympy.Expr]:
    """What a part is a function of: its only input, itself, or one product of powers."""
    if len(part.free_symbols) == 1:
        yield from part.free_symbols
    elif _is_product(part):
        yield _primitive(part)
    else:
        yield from (one for one in products if one.free_symbols == part.free_symbols and _depends_on(part, one))


def _depends_on(part: sympy.Expr, argument: sympy.Expr) -> bool:
    """Whether a part is a function of a product of powers alone."""
    symbol = min(argument.free_symbols, key=str)
    power = argument.as_powers_dict()[symbol]
    slot = sympy.Dummy("u", positive=True)
    solved = (slot * symbol**power / argument) ** (1 / power)
    return bool(part.xreplace({symbol: solved}).free_symbols == {slot})
