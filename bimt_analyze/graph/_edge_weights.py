"""The registry of edge weights: each says how strong the connection of two neurons is."""

from dataclasses import dataclass

from bimt_train import InputError
from bimt_train.registry import Entry, Registry


@dataclass(frozen=True, kw_only=True)
class EdgeWeight(Entry):
    """A way to weigh the edges of a network's graph.

    ``function`` takes (network, x): a `bimt_train.checkpoints.Network`, and the probe rows as it sees them, or None
    where ``needs_rows`` is false and none are given. It returns a dict: for each weight tensor of the layout
    (``network.layout.weights()``) an array of the tensor's own shape, the strength of each weight, at least 0. Where
    the tensor is 0 there is no edge, whatever the strength.

    Attributes
    ----------
    name : str
        The word by which it is chosen; the graph's ``weights`` keeps it.
    label : str
        A few words for tables, pictures and reports.
    sentence : str
        One sentence that says what a strength is.
    function : callable
        As above.
    needs_rows : bool
        Whether the function reads ``x``.
    needs_gradients : bool
        Whether it takes the gradient of every output. A network that writes tokens has as many outputs as there are
        tokens, so there an audit leaves this edge weight out, as it would take long.

    Examples
    --------
    >>> from bimt_analyze.graph import EDGE_WEIGHTS
    >>> entry = EDGE_WEIGHTS["attribution"]
    >>> entry.label, entry.needs_rows
    ('effect on the outputs, to first order', True)
    """

    needs_rows: bool
    needs_gradients: bool


class Unfollowed(InputError):
    """What a weight tensor reads and writes cannot be seen, because no module applies it as an affine map.

    Parameters
    ----------
    what, where, expected, got, hint : str
        The pieces of the message, as `InputError` takes them.

    Examples
    --------
    >>> str(Unfollowed("cannot follow what this tensor reads and writes", where="tensor 'w'"))
    "cannot follow what this tensor reads and writes: tensor 'w'"
    """


EDGE_WEIGHTS: Registry[EdgeWeight] = Registry(
    "edge weight",
    EdgeWeight,
    builtin={
        "magnitude": "bimt_analyze.graph._magnitude",
        "activation": "bimt_analyze.graph._activation",
        "attribution": "bimt_analyze.graph._attribution",
    },
    group="bimt.edge_weights",
)
"""All edge weights by name; `neuron_graph` reads them."""
