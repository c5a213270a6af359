"""What each neuron listens to and what it moves, by gradients on probe rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from bimt_train.checkpoints import Network
from bimt_train.expressions import KnownParts
from bimt_train.layouts import Pattern, fold

from ...graph import NodeId, Trace
from ._dependencies import known_dependencies

_NEARLY = 0.05  # of the greatest possible match of 2: parts this close are told apart by their size


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Mean squared gradients on probe rows, inputs and outputs each in units of their own deviation.

    Attributes:
        outputs_by_inputs: G[k, j] = mean over rows of (d y_k / d x_j * sd(x_j) / sd(y_k))^2.
        neurons: for each hidden neuron, the same of its pre-activation p by each input (p in its own units), and of
            each output by p: (mean (d p / d x_j sd(x_j))^2 over j, mean (d y_k / d p / sd(y_k))^2 over k). Where
            several tensors write to a neuron, or several times, the squares of the gradients are added up.
    """

    outputs_by_inputs: Float64[np.ndarray, "outputs inputs"]
    neurons: Mapping[NodeId, tuple[Float64[np.ndarray, " inputs"], Float64[np.ndarray, " outputs"]]]


def sensitivity(network: Network, x: Float[np.ndarray, "rows inputs"]) -> Sensitivity:
    """Measure a network on rows ``x``, as the network sees them; an input or output that is constant there counts as
    is.

    Raises:
        InputError: no rows, or a network that `Trace` cannot follow.
    """
    trace = Trace(network, x)
    x_spread, y_spread = _deviation(np.asarray(x, dtype=np.float64)), _deviation(trace.outputs())
    whole = (trace.jacobian() * x_spread[None, None, :] / y_spread[None, :, None]) ** 2
    told = [{name: (g**2).mean(axis=0) for name, g in slopes.items()} for slopes in trace.output_gradients()]
    ends = (network.layout.inputs, network.layout.outputs)
    found: dict[NodeId, tuple[np.ndarray, np.ndarray]] = {}
    for name in trace.tensors:
        plan = network.layout.tensors[name].plan
        target = plan.groups[0]
        if target in ends:
            continue
        # gradients are of the tensor's target axis, which may run over its neurons several times
        axis = Pattern("target axis", (plan.axes[1 if plan.source_first else 0],))
        heard = fold(trace.input_sensitivity(name).T, axis, network.layout.sizes).T * x_spread**2
        moved = fold(np.stack([one[name] for one in told]), axis, network.layout.sizes).T / y_spread**2
        for i, (new_heard, new_moved) in enumerate(zip(heard, moved, strict=True)):
            old_heard, old_moved = found.get((target, i), (0.0, 0.0))
            found[target, i] = (old_heard + new_heard, old_moved + new_moved)
    return Sensitivity(whole.mean(axis=0), found)


def leak(sensitivity: Sensitivity, parts: KnownParts) -> float | None:
    """Cross-gradient leak: the share of the network's sensitivity that lies where no dependency is known.

    With G = ``outputs_by_inputs`` and K the known dependencies, leak = sum of G[k, j] over (k, j) not in K / sum of G.
    Inputs and outputs are in units of their own deviation, so their scale changes nothing. 0 is a clean separation.
    None where nothing could leak, every output being known to depend on every input, or where the outputs are constant.
    """
    known = known_dependencies(parts)
    total = float(sensitivity.outputs_by_inputs.sum())
    if known.all() or total == 0:
        return None
    return float(sensitivity.outputs_by_inputs[~known].sum()) / total


def known_part_of(sensitivity: Sensitivity, parts: KnownParts) -> dict[NodeId, str | None]:
    """The known part that each hidden neuron serves, by the inputs it listens to and the outputs it moves.

    With D the inputs that part P depends on and O the outputs that depend on P (or are P), the match of a neuron and P
    is

        (share of its squared sensitivity that goes to inputs in D) + (share of the squared gradients from it to outputs
        that goes to outputs in O),

    at most 2. Among the parts within 0.05 of the best match, the one with the fewest inputs, then the fewest outputs,
    then the one that is named first: a neuron that squares x1 serves a = x1**2 rather than y = a + b. None for a neuron
    that listens to nothing or moves nothing.
    """
    needed, outputs = parts.dependencies(), _outputs_of(parts)
    inputs_in = np.array([[name in needed[part] for name in parts.inputs] for part in parts.names], dtype=np.float64)
    outputs_in = np.array([[name in outputs[part] for name in parts.outputs] for part in parts.names], dtype=np.float64)
    sizes = [(len(needed[part]), len(outputs[part]), n) for n, part in enumerate(parts.names)]
    found: dict[NodeId, str | None] = {}
    for key, (heard, moved) in sensitivity.neurons.items():
        if not heard.sum() > 0 or not moved.sum() > 0:
            found[key] = None
            continue
        match = inputs_in @ heard / heard.sum() + outputs_in @ moved / moved.sum()
        near = np.flatnonzero(match >= match.max() - _NEARLY)
        found[key] = parts.names[min(near.tolist(), key=lambda n: sizes[n])]
    return found


def _outputs_of(parts: KnownParts) -> dict[str, frozenset[str]]:
    """For each part, the outputs that it is or goes into."""
    stated = dict(parts.stated)
    needs = {p: stated[p] if p in stated else parts.expression(p, expanded=False).names for p in parts.names}
    reach: dict[str, set[str]] = {name: {name} if name in parts.outputs else set() for name in parts.names}
    # as many rounds as parts: no path is longer
    for _ in parts.names:
        for part, direct in needs.items():
            for name in direct:
                if name in reach:
                    reach[name] |= reach[part]
    return {name: frozenset(outputs) for name, outputs in reach.items()}


def _deviation(columns: Float64[np.ndarray, "rows columns"]) -> Float64[np.ndarray, " columns"]:
    spread = columns.std(axis=0)
    return np.where(spread > 1e-12 * np.abs(columns).max(axis=0, initial=0.0), spread, 1.0)
