"""Which inputs each neuron is sensitive to and which outputs it changes, by gradients on probe rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from bimt_train.checkpoints import Network
from bimt_train.expressions import Decomposition
from bimt_train.layouts import Pattern
from bimt_train.layouts.fold import fold
from bimt_train.showing import Shown

from ...graph import NodeId, Trace
from ._dependencies import known_dependencies

_NEARLY = 0.05  # of the greatest possible match of 2: parts this close are slopes_of_outputs apart by their size


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity(Shown):
    """Mean squared gradients on probe rows, inputs and outputs each in units of their own deviation.

    Attributes
    ----------
    outputs_by_inputs : array of float64, shape (outputs, inputs)
        G[k, j] = mean over rows of (d y_k / d x_j * sd(x_j) / sd(y_k))^2.
    neurons : mapping of (str, int) to (array of float64, shape (inputs,), array of float64, shape (outputs,))
        For each hidden neuron, with p its pre-activation (in its own units): (mean (d p / d x_j sd(x_j))^2 over j, mean
        (d y_k / d p / sd(y_k))^2 over k). Where several tensors write to a neuron, or several times, the squares of the
        gradients are added up.

    Examples
    --------
    >>> from bimt_analyze.audits.truth._sensitivity import sensitivity
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 2, 1)] * 2, seed=1)
    >>> measured = sensitivity(planted.network, planted.x)
    >>> measured.outputs_by_inputs.shape, len(measured.neurons)
    ((2, 2), 4)
    """

    outputs_by_inputs: Float64[np.ndarray, "outputs inputs"]
    neurons: Mapping[NodeId, tuple[Float64[np.ndarray, " inputs"], Float64[np.ndarray, " outputs"]]]


def sensitivity(network: Network, x: Float[np.ndarray, "rows inputs"]) -> Sensitivity:
    """Measure the gradients of a network's outputs and hidden neurons on given rows.

    Parameters
    ----------
    network : Network
        The network.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them. An input or output that is constant there is not rescaled.

    Returns
    -------
    Sensitivity
        Mean squared gradients.

    Raises
    ------
    InputError
        There are no rows, or `Trace` cannot follow the network.

    Examples
    --------
    >>> from bimt_analyze.audits.truth._sensitivity import sensitivity
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 3, 1)] * 2, seed=1)
    >>> (sensitivity(planted.network, planted.x).outputs_by_inputs > 0).tolist()
    [[False, True], [True, False]]
    """
    trace = Trace(network, x)
    x_spread, y_spread = _deviation(np.asarray(x, dtype=np.float64)), _deviation(trace.outputs())
    whole = (trace.jacobian() * x_spread[None, None, :] / y_spread[None, :, None]) ** 2
    slopes_of_outputs = [
        {name: (g**2).mean(axis=0) for name, g in slopes.items()} for slopes in trace.output_gradients()
    ]
    ends = (network.layout.inputs, network.layout.outputs)
    found: dict[NodeId, tuple[np.ndarray, np.ndarray]] = {}
    for name in trace.tensors:
        plan = network.layout.tensors[name].plan
        target = plan.groups[0]
        if target in ends:
            continue
        # gradients are of the tensor's target axis, which may run over its neurons several times
        axis = Pattern("target axis", (plan.axes[1 if plan.source_first else 0],))
        from_inputs = fold(trace.input_sensitivity(name).T, axis, network.layout.sizes).T * x_spread**2
        to_outputs = (
            fold(np.stack([one[name] for one in slopes_of_outputs]), axis, network.layout.sizes).T / y_spread**2
        )
        for i, (new_from, new_to) in enumerate(zip(from_inputs, to_outputs, strict=True)):
            old_from, old_to = found.get((target, i), (0.0, 0.0))
            found[target, i] = (old_from + new_from, old_to + new_to)
    return Sensitivity(whole.mean(axis=0), found)


def leak(sensitivity: Sensitivity, decomposition: Decomposition) -> float | None:
    """Cross-gradient leak: the share of the network's sensitivity that lies where no dependency is known.

    Parameters
    ----------
    sensitivity : Sensitivity
        Sensitivity of the network.
    decomposition : Decomposition
        The task's decomposition, which says what depends on what.

    Returns
    -------
    float or None
        From 0, a clean separation, to 1. None where nothing could leak, every output being known to depend on every
        input, or where the outputs are constant.

    Notes
    -----
    With G = ``outputs_by_inputs`` and K the known dependencies, leak = sum of G[k, j] over (k, j) not in K / sum of G.
    Inputs and outputs are in units of their own deviation, so their scale changes nothing.

    Examples
    --------
    >>> from bimt_analyze.audits.truth._sensitivity import leak, sensitivity
    >>> from bimt_analyze.synthetic import absolute_sums
    >>> from bimt_train.expressions import Decomposition
    >>> known = Decomposition(("x1", "x2"), ("y1", "y2"), (("y1", "abs(x1)"), ("y2", "abs(x2)")))
    >>> planted = absolute_sums(outputs=2, terms=1, variables=1, seed=1)
    >>> leak(sensitivity(planted.network, planted.x), known)
    0.0
    """
    known = known_dependencies(decomposition)
    total = float(sensitivity.outputs_by_inputs.sum())
    if known.all() or total == 0:
        return None
    return float(sensitivity.outputs_by_inputs[~known].sum()) / total


def subfunction_of(sensitivity: Sensitivity, decomposition: Decomposition) -> dict[NodeId, str | None]:
    """The known subfunction that each hidden neuron serves, by its sensitivity to inputs and its effect on outputs.

    Parameters
    ----------
    sensitivity : Sensitivity
        Sensitivity of the network.
    decomposition : Decomposition
        The task's decomposition.

    Returns
    -------
    dict of (str, int) to str or None
        Hidden neuron -> subfunction; None for a neuron that no input changes, or that changes no output.

    Notes
    -----
    With D the inputs that subfunction P depends on and O the outputs that depend on P (or are P), the match of a neuron
    and P is

        (share of its squared sensitivity that goes to inputs in D)
        + (share of the squared gradients from it to outputs that goes to outputs in O),

    at most 2. Among the subfunctions within 0.05 of the best match, the one with the fewest inputs is taken, then the
    fewest outputs, then the one that is named first: a neuron that squares x1 serves a = x1**2 rather than y = a + b.
    """
    needed, outputs = decomposition.dependencies(), _outputs_of(decomposition)
    inputs_in = np.array(
        [[name in needed[part] for name in decomposition.inputs] for part in decomposition.names], dtype=np.float64
    )
    outputs_in = np.array(
        [[name in outputs[part] for name in decomposition.outputs] for part in decomposition.names], dtype=np.float64
    )
    sizes = [(len(needed[part]), len(outputs[part]), n) for n, part in enumerate(decomposition.names)]
    found: dict[NodeId, str | None] = {}
    for key, (from_inputs, to_outputs) in sensitivity.neurons.items():
        if not from_inputs.sum() > 0 or not to_outputs.sum() > 0:
            found[key] = None
            continue
        match = inputs_in @ from_inputs / from_inputs.sum() + outputs_in @ to_outputs / to_outputs.sum()
        near = np.flatnonzero(match >= match.max() - _NEARLY)
        found[key] = decomposition.names[min(near.tolist(), key=lambda n: sizes[n])]
    return found


def _outputs_of(decomposition: Decomposition) -> dict[str, frozenset[str]]:
    """For each part, the outputs that it is or goes into."""
    stated = dict(decomposition.stated)
    needs = {
        p: stated[p] if p in stated else decomposition.expression(p, expanded=False).names for p in decomposition.names
    }
    reach: dict[str, set[str]] = {
        name: {name} if name in decomposition.outputs else set() for name in decomposition.names
    }
    # as many rounds as parts: no path is longer
    for _ in decomposition.names:
        for part, direct in needs.items():
            for name in direct:
                if name in reach:
                    reach[name] |= reach[part]
    return {name: frozenset(outputs) for name, outputs in reach.items()}


def _deviation(columns: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, " columns"]:
    spread = columns.std(axis=0)
    return np.where(spread > 1e-12 * np.abs(columns).max(axis=0, initial=0.0), spread, 1.0)
