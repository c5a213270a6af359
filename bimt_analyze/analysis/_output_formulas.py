"""The formula of each output of a network, and what is held back where the network misses its rows."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.extras import installed

from ..options._analysis_options import AnalysisOptions
from ..report._network_fit import NetworkFit

if TYPE_CHECKING:
    from ..discrete_laws import ClassFormulas
    from ..formulas import Formula, Structure

_LEAST_SHARE = 0.1  # units of work for an output


def formulas_of(checkpoint: Checkpoint, circuit: Network, options: AnalysisOptions) -> Mapping[str, "Formula"]:
    """A formula for each output of a task with numbers as targets; none where the time limit is 0.

    Parameters
    ----------
    checkpoint : Checkpoint
        Rows to search and to verify on, and the network to follow.
    circuit : Network
        The pruned network, which gives hints.
    options : AnalysisOptions
        Time limit, seed, and whether genetic programming is allowed. What one output leaves of the work, the next may
        do.

    Returns
    -------
    mapping of str to Formula
        Output -> its formula.
    """
    from ..formulas import Hints, Rows, SearchOptions, find_formula, verify_formula
    from ..formulas.hints._differentiable import Differentiable
    from ..formulas.verification._network_formula import network_formula

    task, probe = checkpoint.task, checkpoint.probe
    units = task.units if task.units and installed("pint") else None
    found: dict[str, Formula] = {}
    if task.judged_by.right is not None or options.time_limit == 0:
        return found
    left, tolerances = float(options.time_limit), _tolerances(checkpoint)
    for place, output in enumerate(task.outputs):
        share = max(left / (len(task.outputs) - place), _LEAST_SHARE)
        asked = SearchOptions(time_limit=share, seed=options.seed, genetic=options.genetic, tolerance=tolerances[place])
        network = Differentiable((checkpoint,), place)
        train = Rows(probe.x_train, probe.y_train[:, place], _errors(probe.sigma_train, place))
        test = Rows(probe.x_test, probe.y_test[:, place], _errors(probe.sigma_test, place))
        structure = hints(checkpoint, circuit, place)
        formula = find_formula(
            train.x, train.y, names=task.inputs, output=output,
            hints=Hints(structure, network, units), sigma=train.sigma, options=asked,
        )  # fmt: skip
        known = task.decomposition is not None and task.decomposition.has_expressions
        truth = task.decomposition.expression(output).sympy() if task.decomposition is not None and known else None
        interrupted = formula.message.startswith("interrupted")
        formula = verify_formula(
            formula,
            test=test,
            train=train,
            truth=truth,
            ranges=task.ranges,
            network=network,
            terms=() if structure is None else structure.terms,
            seed=options.seed,
        )
        left = 0.0 if interrupted else left - formula.work  # the others get the least there is
        seen = None if formula.verification is None else formula.verification.network
        if seen is not None and seen.word == "departs":
            own = network_formula(
                network, names=task.inputs, output=output, ranges=task.ranges,
                time_limit=min(options.time_limit, 3.0), seed=options.seed,
            )  # fmt: skip
            told = None if own.verification is None else own.verification.network
            if told is not None and told.r2 > seen.r2:  # else it would tell less of the network than the law does
                formula = replace(formula, of_network=own)
        found[output] = formula
    return found


def _tolerances(checkpoint: Checkpoint) -> tuple[float, ...]:
    """How nearly each output is known, in units of its deviation; 0 but for derivatives of trajectories."""
    if checkpoint.task.ode is None:
        return (0.0,) * len(checkpoint.task.outputs)
    from ..motion._motion_of_checkpoint import slope_tolerances  # brings all of motion

    return slope_tolerances(checkpoint)


def class_formulas_of(checkpoint: Checkpoint, options: AnalysisOptions) -> "ClassFormulas | str":
    """The log-odds of each class of a task with classes.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network, and rows with their classes.
    options : AnalysisOptions
        Time limit and seed.

    Returns
    -------
    ClassFormulas or str
        The formulas, or why there are none; empty where targets are numbers or the time limit is 0.
    """
    if checkpoint.task.judged_by.right is None or options.time_limit == 0:
        return ""
    from ..discrete_laws import class_formulas

    try:
        return class_formulas(checkpoint, time_limit=float(options.time_limit), seed=options.seed)
    except InputError as error:
        return error.what


def _errors(sigma: np.ndarray | None, place: int) -> np.ndarray | None:
    """The standard errors of one output, where they are known."""
    return None if sigma is None else np.ascontiguousarray(sigma[:, place])


def withheld(formulas: Mapping[str, "Formula"], fit: NetworkFit) -> Mapping[str, "Formula"]:
    """The formulas, none of them called exact where the network misses the rows that it was found on.

    Parameters
    ----------
    formulas : mapping of str to Formula
        Output -> its formula.
    fit : NetworkFit
        How well the network does its task.

    Returns
    -------
    mapping of str to Formula
        Equal but for those.
    """
    why = "the network does not fit these rows, so no formula of theirs is the network's"

    def kept_back(formula: "Formula") -> "Formula":
        said = formula.verification
        verification = None if said is None else replace(said, statement=f"{why}; {said.statement}")
        return replace(formula, exact=False, withheld=True, message=why, verification=verification)

    return {name: kept_back(formula) if fit.misses(name) else formula for name, formula in formulas.items()}


def hints(checkpoint: Checkpoint, circuit: Network, output: int) -> "Structure | None":
    """What the circuit says about an output, in the task's units; None where it is no plain chain with a linear end.

    Parameters
    ----------
    checkpoint : Checkpoint
        Gives the task's names and units.
    circuit : Network
        The pruned network.
    output : int
        The number of the output.

    Returns
    -------
    Structure or None
        Hints for the search of this output's formula.
    """
    from bimt_train.models.from_spec import options_of

    from ..formulas.hints._circuit_structure import read_structure

    options = options_of(circuit.model)
    told = options is not None and options.hidden_parts() is not None
    if circuit.model.options.get("final") or not told:
        return None  # what follows the last layer, or stands between layers, is not among the weights
    connections = circuit.connections()
    order = [group.name for group in circuit.layout.groups]
    if [(c.source, c.target) for c in connections] != list(pairwise(order)):
        return None
    matrices = [c.matrix.astype(np.float64) for c in connections]
    if checkpoint.task.input_scale is not None:
        matrices[0] = matrices[0] / np.array(checkpoint.task.input_scale)
    return read_structure(matrices, names=checkpoint.task.inputs, output=output)
