"""What a module that carries a known part sends, as a formula that was found without looking at the part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from bimt_train.checkpoints import Network, TaskCard

from ...graph import NodeId, neuron_graph
from ..truth._dependencies import reachable_inputs
from ._linear_probes import Carriers, part_values, task_units
from ._module_outputs import Outflow, Signals, squared_correlation

if TYPE_CHECKING:
    import sympy

_DIGITS = 3


@dataclass(frozen=True)
class SignalFormula:
    """The number that a module sends, written down; each figure is defined at `signal_formulas`.

    Attributes:
        part: the known part that the module carries.
        module: the module's number.
        expression: of what it sends, in the task's own inputs and units.
        r2: of the expression and what is sent.
        part_r2: of the expression and the part, up to scale and offset.
    """

    part: str
    module: int
    expression: str
    r2: float
    part_r2: float

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


def signal_formulas(
    network: Network,
    modules: Sequence[frozenset[NodeId]],
    carriers: Carriers,
    card: TaskCard,
    *,
    x: Float[np.ndarray, "rows inputs"],
    seed: int = 0,
) -> tuple[SignalFormula, ...]:
    """A short formula for the number that each module sends which carries a known part.

    The number is the first principal component of all that the module sends (`carriers`). It is explained by the inputs
    from which a path leads to the module: the shortest formula of a brief search that leaves at most 5 % of its
    deviation, or else the nearest (`bimt_analyze.formulas.approximate_formula`), on the even rows. On the odd rows

        r2 = 1 - mean squared error / variance of what is sent,

    and ``part_r2`` is the squared correlation of the formula and the part, whose own formula the search never sees. A
    part_r2 near 1 says that the module computes the part; no formula is exact of a trained network's signal. Scale,
    sign and offset are the network's own.

    Args:
        network: feed-forward.
        modules: as `carriers` was given them.
        carriers: what it said.
        card: of the task, with its parts.
        x: rows as the network sees them.
        seed: of the search.

    Raises:
        InputError: as `carriers`.
    """
    from ...formulas import approximate_formula

    carried = [one for one in carriers.found if one.carried]
    if not carried or card.parts is None:
        return ()
    rows = task_units(card, x, card.parts)
    values = part_values(card.parts, [one.part for one in carried], rows)
    finite = np.isfinite(values).all(axis=1)
    rows, values = rows[finite], values[finite]
    signals, reached = Signals(network, x[finite]), _reached(network, modules)
    found = []
    for number in sorted({one.module for one in carried}):
        sent, read = Outflow(signals, modules[number]).signal, np.flatnonzero(reached[number])
        names = [card.inputs[j] for j in read]
        formula = approximate_formula(
            np.ascontiguousarray(rows[::2][:, read]), sent[::2], names=names, output=f"module{number + 1}", seed=seed
        )
        said, heard = formula.predict(rows[1::2][:, read]), sent[1::2]
        inside = np.isfinite(said)
        if inside.sum() < 2:
            continue
        r2 = 1 - float(np.mean((heard - said)[inside] ** 2) / np.var(heard[inside]))
        for k, one in enumerate(carried):
            if one.module == number:
                part_r2 = squared_correlation(said[inside], values[1::2][inside, k])
                found.append(SignalFormula(one.part, number, _short(formula.expression), r2, part_r2))
    return tuple(found)


def _short(expression: "sympy.Expr") -> str:
    """Its numbers to three digits."""
    from sympy import Float

    return str(expression.xreplace({number: Float(number, _DIGITS) for number in expression.atoms(Float)}))


def _reached(network: Network, modules: Sequence[frozenset[NodeId]]) -> np.ndarray:
    """Which inputs have a path to which module."""
    graph = neuron_graph(network)
    reached = reachable_inputs(graph)
    return np.array([reached[[graph.numbers[node] for node in sorted(module)]].any(axis=0) for module in modules])
