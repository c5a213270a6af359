"""Every module of a network written down: what it reads, what it sends, and the formula of what it sends."""

from collections.abc import Mapping, Sequence

import numpy as np
import sympy

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Network

from ..formulas import Formula
from ..formulas.problem._template import numeric
from ..formulas.verdicts._network_verdict import network_verdict
from ..graph import NodeId
from ._number_formulas import NumberWriter
from ._sent_quantity import Composition, ModuleFormulas, SentQuantity
from ._truth_formulas import TruthWriter, reads_truth_values

_CHOSEN, _FRESH = 1000, 10_000  # points on which quantities are chosen, and on which they are judged


def module_formulas(
    checkpoint: Checkpoint,
    network: Network,
    modules: Sequence[frozenset[NodeId]],
    formulas: Mapping[str, Formula],
    *,
    time_limit: float = 20.0,
    seed: int = 0,
) -> ModuleFormulas:
    """Write down every module: the formula of each quantity that it sends, and of each output that it computes.

    Parameters
    ----------
    checkpoint : Checkpoint
        Gives the task's names, ranges and units, and its rows.
    network : Network
        The checkpoint's network or its circuit, which is written down.
    modules : sequence of frozenset of (str, int)
        Its modules. Alive neurons and outputs that are in none make one more module, the last.
    formulas : mapping of str to Formula
        Output -> its formula, as far as there is one. Their parts are proposed for what modules send; the network
        decides.
    time_limit : float, default 20.0
        Units of work for all formulas that are searched; one search gets at most 2, and an eighth of them.
    seed : int, default 0
        Of the fresh points, and of searches.

    Returns
    -------
    ModuleFormulas
        With the reason where modules, or what they send, could not be written down.

    Notes
    -----
    A *signal* is what one module sends from one group of neurons: the principal components of all that its neurons
    there add to neurons outside. It *carries* a quantity u(x) if each tells the other: splines of the signal give u,
    and splines of u give the signal, both to r2 0.9 or better on rows that the splines were not fitted on. Parts of
    the outputs' formulas, in the inputs that reach the signal, are tried as u, alone and up to three together. Of parts
    that are carried as well as the best, one that needs no more than scale and offset is chosen. Where none is carried,
    a short formula of the signal itself is searched (`bimt_analyze.formulas.approximate_formula`).

    A module's formula is written in what the module reads: inputs, and quantities that other modules send. Its verdict
    is measured on 10,000 fresh points of the network: the quantity as it is read off the neurons, against the formula
    of its arguments as they are read off theirs.

    Where inputs and targets take two values, the network is asked for every combination of up to 12 inputs. What a
    module sends is then a truth value if the widest gap between its values explains it to r2 0.9, and its formula is
    the shortest minimal logical form. An input counts as true at the larger of its two values.

    Examples
    --------
    >>> from bimt_train.checkpoints import from_state_dict
    >>> weights = {"0.weight": np.array([[1.0], [-1.0]]), "2.weight": np.array([[1.0, 1.0]])}
    >>> checkpoint = from_state_dict(weights, activation="relu", ranges=(-1, 1))
    >>> layout = checkpoint.network.layout
    >>> whole = frozenset((group.name, i) for group in layout.groups for i in range(group.size))
    >>> found = module_formulas(checkpoint, checkpoint.network, [whole], {})
    >>> [(one.name, str(one.expression), one.network.word) for one in found.quantities]
    [('y1', 'Abs(x1)', 'follows')]
    """
    task = checkpoint.task
    if not network.layout.ends_are_neurons:
        return ModuleFormulas((), undecided="inputs or outputs are no neurons")
    layout = network.layout
    nodes = frozenset((group.name, i) for group in layout.groups for i in range(group.size))
    left = frozenset(node for node in nodes.difference(*modules) if node[0] != layout.inputs)
    modules = [*modules, left] if any(group == layout.outputs for group, _ in left) else modules
    logical = reads_truth_values(checkpoint)
    if task.judged_by.right is not None and not logical:
        return ModuleFormulas((), undecided="outputs are classes, and inputs take more than two values")
    generator = np.random.default_rng(seed)
    low, high = np.array(task.ranges, dtype=np.float64).T
    x, fresh = (generator.uniform(low, high, (rows, len(low))) for rows in (_CHOSEN, _FRESH))
    try:
        if logical:
            return TruthWriter(checkpoint, network, modules).written()
        return NumberWriter(network, task, modules, formulas, x, fresh, time_limit, seed).written()
    except InputError as error:
        return _outputs_alone(checkpoint, network, modules, formulas, fresh, str(error))


def _outputs_alone(
    checkpoint: Checkpoint,
    network: Network,
    modules: Sequence[frozenset[NodeId]],
    formulas: Mapping[str, Formula],
    fresh: np.ndarray,
    why: str,
) -> ModuleFormulas:
    """The outputs' formulas, each for the module that computes it, where what modules send cannot be followed."""
    task, group = checkpoint.task, network.layout.outputs
    owner = {node: number for number, module in enumerate(modules) for node in module}
    answers = np.asarray(network.predict(task.to_network_inputs(fresh)), dtype=np.float64)
    symbols = [sympy.Symbol(name, real=True) for name in task.inputs]
    quantities, compositions = [], {}
    for place, output in enumerate(task.outputs):
        if output not in formulas or (group, place) not in owner:
            continue
        unit = 1.0 if task.output_scale is None else float(task.output_scale[place])
        formula = formulas[output]
        seen = network_verdict(answers[:, place] * unit, numeric(formula.expression, symbols)(fresh))
        said = formula.expression
        quantities.append(SentQuantity(output, owner[group, place], (), formula.variables, said, said, seen))
        compositions[output] = Composition(said, equal=True, r2=seen.r2)
    written = {one.module for one in quantities}
    alone = all(number in written for number in range(len(modules)))
    return ModuleFormulas(tuple(quantities), compositions, undecided="" if alone else why)
