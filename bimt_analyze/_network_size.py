"""How large a network is, and whether its whole graph can be looked at in the memory that there is."""

from bimt_train import InputError
from bimt_train.checkpoints import Network

LARGE = 10_000_000
"""Weights other than 0 from which on a network is not pruned, and its graph is a backbone."""

STRONGEST = 8
"""Edges of a neuron to and from each group, in a backbone."""

# Measured by benchmarks/growth.py and benchmarks/large.py: GiB of any analysis, and bytes for each weight.
_ANY, _WHOLE, _BACKBONE = 0.5, 600, 110


def is_large(network: Network, *, memory: float = 0.0) -> bool:
    """Whether a network is looked at by its backbone.

    Parameters
    ----------
    network : Network
        The network before anything is cut.
    memory : float, default 0.0
        GiB that the analysis may take; 0 for no such limit.

    Returns
    -------
    bool
        True from ten million weights between neurons on that are not 0, as in a GPT-2 small, which has 85 million in
        its blocks; also where the whole graph would take more than the memory.
    """
    edges = network.edges()
    return edges >= LARGE or bool(memory and _needed(edges, _WHOLE) > memory)


def check_memory(network: Network, memory: float) -> None:
    """Pass if the backbone of a network, at least, can be looked at in the memory.

    Parameters
    ----------
    network : Network
        The network before anything is cut.
    memory : float
        GiB that the analysis may take; 0 for no such limit.

    Raises
    ------
    InputError
        It needs more.
    """
    edges = network.edges()
    needed = _needed(edges, _BACKBONE)
    if memory and needed > memory:
        raise InputError(
            f"too large a network: {edges:,} weights", where="memory", expected=f"about {needed:.1f} GiB",
            got=f"{memory:g}", hint=f"give --memory {needed + 0.05:.1f}",
        )  # fmt: skip


def planned_size(network: Network, *, memory: float = 0.0) -> str:
    """What of a network would be looked at, and in about how much memory.

    Parameters
    ----------
    network : Network
        The network before anything is cut.
    memory : float, default 0.0
        GiB that the analysis may take; 0 for no such limit.

    Returns
    -------
    str
        A line.

    Raises
    ------
    InputError
        The memory does not do.
    """
    check_memory(network, memory)
    edges, large = network.edges(), is_large(network, memory=memory)
    what = f"a backbone, the {STRONGEST} strongest of each neuron to and from each group" if large else "all of them"
    needed = _needed(edges, _BACKBONE if large else _WHOLE)
    return f"{edges:,} weights between neurons, {what}; about {needed:.1f} GiB"


def _needed(edges: int, each: int) -> float:
    """GiB."""
    return _ANY + edges * each / 2**30
