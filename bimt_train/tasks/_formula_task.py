"""Any formulas, given as text, as a task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float64

from .._errors import TaskError
from ..checkpoints._task_spec import TaskSpec
from ..did_you_mean import did_you_mean
from ..expressions._decomposition import Decomposition
from ..expressions._formula_reader import is_variable_name, shortened
from ..expressions._formula_tree import Call, Node, Power, Product, variables_of
from ..expressions.expression import natural_order, parse_expression
from ._task import Dataset, Task, mlp

Range: TypeAlias = tuple[int | float, int | float]

UNIT: Range = (-1.0, 1.0)
HIDDEN = 20
# Of this many points with seed 0 come the units of the outputs and the share of points where all are defined.
SURVEY_ROWS = 1000
LEAST_SHARE = 0.1


@dataclass(frozen=True)
class FormulaSampler:
    """Points uniform in the inputs' ranges, with the formulas' values.

    Seed s gives ``rng = np.random.default_rng(s)``, then the training points as ``rng.uniform(low, high,
    (rows[0], inputs))`` and the test points as ``rng.uniform(low, high, (rows[1], inputs))``. Points where an output
    is not finite are left out, and as many again are drawn until there are enough.

    Attributes
    ----------
    decomposition : Decomposition
        The formulas.
    ranges : tuple of (float, float)
        Interval of each input.
    rows : (int, int)
        Numbers of training and test points.
    """

    decomposition: Decomposition
    ranges: tuple[Range, ...]
    rows: tuple[int, int] = (100, 100)

    def __call__(self, seed: int) -> Dataset:
        rng = np.random.default_rng(seed)
        return Dataset(*self.draw(rng, self.rows[0]), *self.draw(rng, self.rows[1]))

    def draw(
        self, rng: np.random.Generator, rows: int
    ) -> tuple[Float64[np.ndarray, "rows inputs"], Float64[np.ndarray, "rows outputs"]]:
        """``rows`` points at which all outputs are finite, and their outputs.

        Parameters
        ----------
        rng : numpy.random.Generator
            Draws the points.
        rows : int
            How many points.
        """
        kept: list[tuple[Float64[np.ndarray, "some inputs"], Float64[np.ndarray, "some outputs"]]] = []
        for _ in range(SURVEY_ROWS):
            x, y = self.raw(rng, rows)
            finite = np.isfinite(y).all(axis=1)
            kept.append((x[finite], y[finite]))
            if sum(len(x) for x, _ in kept) >= rows:
                xs, ys = (np.concatenate(part)[:rows] for part in zip(*kept, strict=True))
                return xs, ys
        raise TaskError("the formulas are defined almost nowhere", where=str(dict(self.decomposition.definitions)))

    def raw(
        self, rng: np.random.Generator, rows: int
    ) -> tuple[Float64[np.ndarray, "rows inputs"], Float64[np.ndarray, "rows outputs"]]:
        """``rows`` points as they are drawn, and their outputs, finite or not.

        Parameters
        ----------
        rng : numpy.random.Generator
            Draws the points.
        rows : int
            How many points.
        """
        low, high = np.array(self.ranges, dtype=np.float64).T
        x = rng.uniform(low, high, (rows, len(self.ranges)))
        values = self.decomposition.evaluate(x)
        return x, np.stack([values[name] for name in self.decomposition.outputs], axis=1)


def formula_task(
    formulas: str | Sequence[str],
    *,
    ranges: Range | Mapping[str, Range] = UNIT,
    rows: tuple[int, int] = (100, 100),
    inputs: Sequence[str] | None = None,
    widths: Sequence[int] | None = None,
    name: str = "formula",
) -> Task:
    """Make a task of formulas: ``["y1 = (x1 + x3)**3", "y2 = x2**2 + sin(pi*x4)"]``, or bare ``"x1*x2"``.

    Each formula is an output. Bare formulas are called y, or y1, y2, ... where there are several. A formula may use
    another's name, as in ``["a = x1 + x2", "y = a**2"]``. The known decomposition is the formulas themselves.

    Parameters
    ----------
    formulas : str or sequence of str
        The formulas.
    ranges : (float, float), or mapping of str to (float, float)
        One interval for all inputs, or one by name; inputs that are not named have [-1, 1].
    rows : (int, int)
        Numbers of training and test points.
    inputs : sequence of str or None
        The inputs in their order, also those that no formula uses. None takes the names that occur, x2 before x10.
    widths : sequence of int or None
        Neurons of each layer, inputs and outputs included. None takes hidden layers of 20, two for each non-linear step
        of the deepest output, but from 2 to 4 in all.
    name : str
        Name of the task.

    Returns
    -------
    Task
        The task, with its decomposition.

    Raises
    ------
    ExpressionError
        A formula is outside the language.
    TaskError
        Names repeat or define themselves, a formula is constant, a range is impossible, or formulas are finite at less
        than 10 % of the points.

    Notes
    -----
    The network sees the inputs as they are if all ranges are [-1, 1], otherwise each range mapped on [-1, 1]. It gives
    the outputs as they are if, besides, each has a deviation between 0.1 and 10; otherwise standardised. Deviations are
    measured on 1,000 points of seed 0, so that the units are the same for every seed.

    Examples
    --------
    >>> task = formula_task("y = x1*x2", ranges=(0.0, 2.0))
    >>> task.spec.outputs, task.data(0).x_train.shape
    (('y',), (100, 2))
    """
    texts = (formulas,) if isinstance(formulas, str) else tuple(formulas)
    if not texts:
        raise TaskError("no formulas given", hint="give one, as in 'y = x1*x2'")
    definitions = _definitions(texts)
    outputs = tuple(output for output, _ in definitions)
    decomposition = Decomposition(_inputs(definitions, inputs), outputs, definitions)
    intervals = _intervals(decomposition.inputs, ranges)
    if min(rows) < 1:
        raise TaskError("too few rows", expected="at least 1 for training and 1 for testing", got=str(rows))
    sampler = FormulaSampler(decomposition, intervals, rows)
    network = default_widths(decomposition) if widths is None else tuple(widths)
    return Task(_spec(name, sampler), mlp(network), sampler)


def default_widths(decomposition: Decomposition) -> tuple[int, ...]:
    """Hidden layers of 20, two for each non-linear step that the deepest output takes, but from 2 to 4 in all.

    A step joins several variables or bends their sum; whatever happens to one variable alone is one step, and sums
    are none. This gives the paper's own sizes: 4-20-20-2, 3-20-20-3 and 4-20-20-20-20-1.

    Parameters
    ----------
    decomposition : Decomposition
        The formulas.

    Returns
    -------
    tuple of int
        Neurons of each layer, inputs and outputs included.
    """
    steps = max(_steps(decomposition.expression(name).tree) for name in decomposition.outputs)
    return (len(decomposition.inputs), *[HIDDEN] * min(max(2 * steps, 2), 4), len(decomposition.outputs))


def _steps(node: Node) -> int:
    below = max((_steps(child) for child in node.children), default=0)
    varying = sum(bool(variables_of(child)) for child in node.children)
    match node:
        case Call() | Power():
            bends = varying > 0
        case Product():
            divides = any(s < 0 and variables_of(f) for f, s in zip(node.factors, node.signs, strict=True))
            bends = varying > 1 or divides
        case _:
            bends = False
    steps = below + bends
    return min(steps, 1) if len(variables_of(node)) <= 1 else steps


def _definitions(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(output, right-hand side) of each text."""
    found: list[tuple[str, str]] = []
    for at, text in enumerate(texts):
        left, equals, right = text.rpartition("=")
        output = left.strip() if equals else "y" if len(texts) == 1 else f"y{at + 1}"
        if not is_variable_name(output):
            hint = "write 'y = ...' with one = and a plain name on its left"
            raise TaskError(
                "cannot name the output", where=repr(shortened(text)), got=repr(shortened(output)), hint=hint
            )
        expression = parse_expression(right.strip())
        if output in expression.names:
            hint = "give the output a name of its own, as in 'out = ...'"
            raise TaskError(f"{output!r} is defined by itself", where=repr(shortened(text)), hint=hint)
        if output in dict(found):
            raise TaskError("two formulas for one output", where=repr(output), hint="rename one of the two")
        found.append((output, expression.tree.written()))
    return tuple(found)


def _inputs(definitions: Sequence[tuple[str, str]], given: Sequence[str] | None) -> tuple[str, ...]:
    outputs = dict(definitions)
    used = {name for _, text in definitions for name in parse_expression(text).names if name not in outputs}
    if given is None:
        given = natural_order(used)
    missing = natural_order(used.difference(given))
    if missing:
        raise TaskError(
            "a formula uses a name that is not among the inputs", where=repr(missing[0]), got=", ".join(given)
        )
    if not given:
        raise TaskError(
            "a formula without variables", got=", ".join(outputs.values()), hint="use names, as in 'y = x1*x2'"
        )
    return tuple(given)


def _intervals(inputs: Sequence[str], ranges: Range | Mapping[str, Range]) -> tuple[Range, ...]:
    if not isinstance(ranges, Mapping):
        return (ranges,) * len(inputs)
    for name in ranges:
        if name not in inputs:
            hint = did_you_mean(name, inputs)
            raise TaskError("range for an unknown input", where=repr(name), expected=", ".join(inputs), hint=hint)
    return tuple(ranges.get(name, UNIT) for name in inputs)


def _spec(name: str, sampler: FormulaSampler) -> TaskSpec:
    decomposition, ranges = sampler.decomposition, sampler.ranges
    plain = TaskSpec(
        name, decomposition.inputs, decomposition.outputs, ranges, decomposition=decomposition
    )  # refuses impossible ranges
    y = _survey(sampler)
    middles, halves = (tuple((high + sign * low) / 2 for low, high in ranges) for sign in (1, -1))
    means, deviations = tuple(y.mean(axis=0).tolist()), tuple(y.std(axis=0).tolist())
    unit = all(interval == UNIT for interval in ranges)
    if unit and all(0.1 <= deviation <= 10 for deviation in deviations):
        return plain
    return TaskSpec(
        name, decomposition.inputs, decomposition.outputs, ranges, decomposition=decomposition,
        input_shift=None if unit else middles, input_scale=None if unit else halves,
        output_shift=means, output_scale=deviations,
    )  # fmt: skip


def _survey(sampler: FormulaSampler) -> Float64[np.ndarray, "rows outputs"]:
    """The outputs at the points of seed 0, after a look at where they are finite and whether they vary."""
    _, raw = sampler.raw(np.random.default_rng(0), SURVEY_ROWS)
    for output, formula, column in zip(*zip(*sampler.decomposition.definitions, strict=True), raw.T, strict=True):
        share = float(np.isfinite(column).mean())
        where = f"{output} = {shortened(formula)}"
        if share < LEAST_SHARE:
            hint = "choose ranges in which the formula is defined"
            expected, got = f"a finite value at {LEAST_SHARE:.0%} of the points", f"{share:.1%}"
            raise TaskError("a formula that is hardly ever defined", where=where, expected=expected, got=got, hint=hint)
        finite = column[np.isfinite(column)]
        largest = float(np.abs(finite).max())
        if largest > 1e100:
            raise TaskError("a formula with values too large to learn", where=where, got=f"{largest:.3g}")
        if np.ptp(finite) <= 1e-9 * largest:
            raise TaskError("a formula with a constant value", where=where, got=f"{finite[0]:.6g} everywhere")
    share = float(np.isfinite(raw).all(axis=1).mean())
    if share < LEAST_SHARE:
        hint = "choose ranges in which all of them are defined"
        raise TaskError("formulas that are hardly ever defined together", got=f"{share:.1%} of the points", hint=hint)
    return sampler.draw(np.random.default_rng(0), SURVEY_ROWS)[1]
