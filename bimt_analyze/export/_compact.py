"""From a network to what is left of it: dead inputs go, and modules apart."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.sparse import bmat, csr_array
from scipy.sparse.csgraph import connected_components

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models.from_spec import options_of

from ._compact_network import CompactNetwork
from ._compactions import COMPACTIONS
from .layers._whole import Whole


def compact(network: Network, *, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> CompactNetwork:
    """Take the dead inputs out of a network whose dead neurons are gone.

    Hidden neurons are not looked at: `bimt_train.prune` takes the dead ones out and folds constants onwards.

    Parameters
    ----------
    network : Network
        Best a circuit's. One of a kind without an entry in `COMPACTIONS` is kept whole.
    inputs : sequence of str, optional
        Names of all columns; x1, x2, ... if left out.
    outputs : sequence of str, optional
        Names of all outputs; y1, y2, ... if left out.

    Returns
    -------
    CompactNetwork
        Single precision.

    Raises
    ------
    InputError
        No weight is left, or names that are not one for each input and output.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_train.models import MLP
    >>> network = Network.of(MLP([3, 2])).with_tensors({"layers.0.weight": np.array([[1.0, 0, 2], [3, 0, 0]])})
    >>> compact(network, inputs=["mass", "age", "speed"]).inputs
    ('mass', 'speed')
    """
    if not network.edges(0.0):
        hint = "prune with a smaller tolerance, or train longer"
        raise InputError("a circuit without edges", expected="at least one weight", got="none", hint=hint)
    options = options_of(network.model)
    if options is None:
        raise InputError("a network of an unknown kind", got=network.model.kind, hint="load the file that registers it")
    ends, kind = options.ends, network.model.kind
    names = tuple(inputs) or tuple(f"x{i + 1}" for i in range(ends.inputs))
    given = tuple(outputs) or tuple(f"y{i + 1}" for i in range(ends.outputs))
    for what, some, size in (("inputs", names, ends.inputs), ("outputs", given, ends.outputs)):
        if len(some) != size:
            raise InputError("names that do not fit", where=what, expected=str(size), got=str(len(some)))
    whole = (
        ""
        if kind in COMPACTIONS
        else f"exported whole, as its own module: the layers of the kind {kind} are not taken apart"
    )
    layers = (Whole(network, ends.inputs, ends.outputs),) if whole else COMPACTIONS[kind].function(network)
    found = CompactNetwork(
        ends.inputs, tuple(range(ends.inputs)), names, tuple(range(ends.outputs)), given, layers, whole
    )
    alive = np.flatnonzero(layers[0].links().any(axis=0)).tolist()
    return found.taken([alive, *(range(width) for width in found.widths[1:])])


def separate(network: CompactNetwork) -> tuple[CompactNetwork, ...]:
    """Split a network into modules that share no neuron.

    Connected components of the weights that are not 0. Tokens that several modules read join nothing. What outputs are
    constant belongs to the first module.

    Parameters
    ----------
    network : CompactNetwork
        What `compact` gives.

    Returns
    -------
    tuple of CompactNetwork
        The modules, in the order of their first outputs; of a network in one piece, itself.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> network = compact(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network)
    >>> [module.inputs for module in separate(network)]
    [('x1', 'x3'), ('x2', 'x4')]
    """
    starts = np.cumsum([0, *network.widths])
    parts = _components(network, starts)
    levels = [parts[a:b] for a, b in pairwise(starts)]
    shared = network.layers[0].shares_inputs
    inner = np.unique(np.concatenate(levels[1:] if shared else levels))
    fed = set(np.unique(levels[1 if shared else 0]).tolist())
    ordered = [part for part in dict.fromkeys(levels[-1].tolist()) if part in fed]
    if len(ordered) < 2 or network.kept_whole:
        return (network,)
    constant = sorted(set(inner.tolist()) - set(ordered))  # what no input drives, or no output reads
    modules = []
    for number, part in enumerate(ordered):
        wanted = {part, *(constant if number == 0 else ())}
        kept = [[i for i, own in enumerate(level.tolist()) if own in wanted] for level in levels]
        if shared:
            kept[0] = np.flatnonzero(network.layers[0].links()[kept[1]].any(axis=0)).tolist()
        modules.append(network.taken(kept))
    return tuple(modules)


def _components(network: CompactNetwork, starts: np.ndarray) -> np.ndarray:
    """The number of the component that each neuron of each level is in."""
    size = len(network.widths)
    blocks = [[None] * size for _ in range(size)]
    for number, layer in enumerate(network.layers):
        if number or not layer.shares_inputs:
            blocks[number + 1][number] = csr_array(layer.links())
        inner = layer.inner_links()
        if inner is not None:
            blocks[number + 1][number + 1] = csr_array(inner)
    for number, width in enumerate(network.widths):
        if blocks[number][number] is None:
            blocks[number][number] = csr_array((width, width), dtype=bool)
    labels: np.ndarray = connected_components(bmat(blocks), directed=False)[1]
    return labels
