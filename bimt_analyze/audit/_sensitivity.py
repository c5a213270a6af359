"""What each neuron listens to and what it moves, by gradients on probe rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from bimt_train.network import KnownParts, Network, fold

from ..graph import NodeId, Trace
from ._dependencies import known_dependencies

_NEARLY = 0.05  # of the greatest possible match of 2: parts this close are told apart by their size


@dataclass(frozen=True, eq=False)
class Sensitivity:
    """Mean squared gradients on probe rows, inputs and outputs each in units of their own deviation.

    Attributes:
        outputs_by_inputs: G[k, j] = mean over rows of (d y_k / d x_j * sd(x_j) / sd(y_k))^2.
        neurons: for each hidden neuron, the same of its pre-activation p by each input (p in its own units), and of
            each output by p: (mean (d p / d x_j sd(x_j))^2 over j, mean (d y_k / d p / sd(y_k))^2 over k). Where several
            tensors write to a neuron, or several times, the squares of the gradients are added up.
    """

    outputs_by_inputs: Float64[np.ndarray, "outputs inputs"]
    neurons: Mapping[NodeId, tuple[Float64[np.ndarray, " inputs"], Float64[np.ndarray, " outputs"]]]


def sensitivity(network: Network, x: Float[np.ndarray, "rows inputs"]) -> Sensitivity:
    """Measure a network on rows ``x``, as the network sees them; an input or output that is constant there counts as is.

    Raises:
        InputError: no rows, or a network that `Trace` cannot follow.
    """
    trace = Trace(network, x)
    x_spread, y_spread = _deviation(np.asarray(x, dtype=np.float64)), _deviation(trace.outputs())
    whole = (trace.jacobian() * x_spread[None, None, :] / y_spread[None, :, None]) ** 2
    moved = [{name: (g**2).mean(0) for name, g in slopes.items()} for slopes in trace.output_gradients()]
    ends = (network.layout.inputs, network.layout.outputs)
    read: dict[NodeId, np.ndarray] = {}
    spoken: dict[NodeId, np.ndarray] = {}
    for name in trace.tensors:
        plan, sizes = network.layout.tensors[name].plan, network.layout.sizes
        target = plan.groups[0]
        if target in ends:
            continue
        axis = plan.axes[1 if plan.source_first else 0]
        copies = (len(sum_over := trace.input_sensitivity(name)) // sizes[target], sizes[target])
        folded = axis.index(target) == 0 and len(axis) > 1
        heard = _summed(sum_over, copies, first_is_neuron=folded) * x_spread**2
        told = _summed(np.stack([row[name] for row in moved], axis=1), copies, first_is_neuron=folded) / y_spread**2
        for i in range(sizes[target]):
            key = (target, i)
            read[key] = read.get(key, np.zeros(len(x_spread))) + heard[i]
            spoken[key] = spoken.get(key, np.zeros(len(y_spread))) + told[i]
    return Sensitivity(whole.mean(0), {key: (read[key], spoken[key]) for key in read})
