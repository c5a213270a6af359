"""Formulas of the modules whose output is a known subfunction, found without looking at the subfunction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import Network, TaskSpec
from bimt_train.showing import Shown

from ...graph import NodeId, neuron_graph
from ..truth._dependencies import reachable_inputs
from ._linear_probes import LinearProbes, subfunction_values, task_units
from ._module_outputs import ModuleOutputs, RecordedActivations, squared_correlation

if TYPE_CHECKING:
    import sympy

_DIGITS = 3


@dataclass(frozen=True, repr=False)
class SubfunctionFormula(Shown):
    """A module's output as a formula; each number is defined at `subfunction_formulas`.

    Attributes
    ----------
    subfunction : str
        The known subfunction that the module's output is, up to scale and offset.
    module : int
        Number of the module, from 0.
    expression : str
        The output as a formula in the task's own inputs and units.
    r2 : float
        r2 of the expression and the module's output.
    subfunction_r2 : float
        r2 of the expression and the subfunction, up to scale and offset.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._subfunction_formulas import SubfunctionFormula
    >>> found = SubfunctionFormula("y1", module=0, expression="2*x1**2 - 1", r2=0.99, subfunction_r2=1.0)
    >>> found.to_json()["expression"]
    '2*x1**2 - 1'
    """

    subfunction: str
    module: int
    expression: str
    r2: float
    subfunction_r2: float

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


def subfunction_formulas(
    network: Network,
    modules: Sequence[frozenset[NodeId]],
    linear_probes: LinearProbes,
    task: TaskSpec,
    *,
    x: Float[np.ndarray, "rows inputs"],
    seed: int = 0,
) -> tuple[SubfunctionFormula, ...]:
    """Find a short formula for the output of each module that encodes a known subfunction.

    Parameters
    ----------
    network : Network
        A feed-forward network.
    modules : sequence of frozenset of (str, int)
        Modules as `linear_probes` was given them.
    linear_probes : LinearProbes
        The linear probes of these modules.
    task : TaskSpec
        Spec of the task, with its decomposition.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them.
    seed : int, default 0
        Seed of the search for formulas.

    Returns
    -------
    tuple of SubfunctionFormula
        One formula a module and subfunction; none where no output is a subfunction.

    Raises
    ------
    InputError
        As `linear_probes` raises it.

    Notes
    -----
    A module's output is the first principal component of all that other neurons and the outputs read of it
    (`linear_probes`). It is explained by the inputs from which a path leads to the module: the shortest formula of a
    brief search that leaves at most 5 % of its deviation, or else the nearest
    (`bimt_analyze.formulas.approximate_formula`), on the even rows. On the odd rows

        r2 = 1 - mean squared error / variance of the output,

    and ``subfunction_r2`` is the squared correlation of the formula and the subfunction, whose own formula the search
    never sees. A ``subfunction_r2`` near 1 says that the module computes the subfunction; no formula is exact of a
    trained network's module. Scale, sign and offset are the network's own.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._linear_probes import linear_probes
    >>> from bimt_analyze.audits.functions._subfunction_formulas import subfunction_formulas
    >>> from bimt_analyze.synthetic import absolute_sums
    >>> from bimt_train.checkpoints import TaskSpec
    >>> from bimt_train.expressions import Decomposition
    >>> planted = absolute_sums(outputs=1, terms=1, variables=1, rows=60, seed=1)
    >>> known = Decomposition(("x1",), ("y1",), (("y1", "abs(x1)"),))
    >>> task = TaskSpec("magnitude", ("x1",), ("y1",), ((-2.0, 2.0),), decomposition=known)
    >>> network, modules, x = planted.network, planted.partition.modules, planted.x
    >>> probes = linear_probes(network, modules, task, x=x, samples=2)
    >>> [(one.subfunction, one.r2 > 0.9) for one in subfunction_formulas(network, modules, probes, task, x=x)]
    [('y1', True)]
    """
    from ...formulas import approximate_formula

    encoded = [one for one in linear_probes.found if one.encoded]
    if not encoded or task.decomposition is None:
        return ()
    rows = task_units(task, x, task.decomposition)
    values = subfunction_values(task.decomposition, [one.subfunction for one in encoded], rows)
    finite = np.isfinite(values).all(axis=1)
    rows, values = rows[finite], values[finite]
    recorded, reached = RecordedActivations(network, x[finite]), _reached(network, modules)
    found = []
    for number in sorted({one.module for one in encoded}):
        output, read = ModuleOutputs(recorded, modules[number]).component, np.flatnonzero(reached[number])
        names = [task.inputs[j] for j in read]
        formula = approximate_formula(
            np.ascontiguousarray(rows[::2][:, read]), output[::2], names=names, output=f"module{number + 1}", seed=seed
        )
        said, expected = formula.predict(rows[1::2][:, read]), output[1::2]
        inside = np.isfinite(said)
        if inside.sum() < 2:
            continue
        r2 = 1 - float(np.mean((expected - said)[inside] ** 2) / np.var(expected[inside]))
        for k, one in enumerate(encoded):
            if one.module == number:
                subfunction_r2 = squared_correlation(said[inside], values[1::2][inside, k])
                found.append(
                    SubfunctionFormula(one.subfunction, number, _short(formula.expression), r2, subfunction_r2)
                )
    return tuple(found)


def _short(expression: "sympy.Expr") -> str:
    """Its numbers to three digits."""
    from ...formulas.symbolic._rounded import written  # brings sympy

    return written(expression, _DIGITS)


def _reached(network: Network, modules: Sequence[frozenset[NodeId]]) -> np.ndarray:
    """Which inputs have a path to which module."""
    graph = neuron_graph(network)
    reached = reachable_inputs(graph)
    return np.array([reached[[graph.numbers[node] for node in sorted(module)]].any(axis=0) for module in modules])
