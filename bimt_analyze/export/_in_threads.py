"""Modules that run side by side, each in a thread."""

from typing import TYPE_CHECKING

from ._compact import separate
from ._compact_network import CompactNetwork

if TYPE_CHECKING:
    from torch import nn


def in_threads(network: CompactNetwork, *, threads: int) -> "nn.Module":
    """The modules of a network, run in threads. Torch lets go of Python's lock while it computes.

    It pays for large modules or many rows. Set ``torch.set_num_threads(1)``, so that threads are not split again.

    Parameters
    ----------
    network : CompactNetwork
        What `compact` gives.
    threads : int
        How many modules run at once, at most.

    Returns
    -------
    torch.nn.Module
        From rows of the inputs that are left to outputs, for inference.

    Examples
    --------
    >>> import torch
    >>> from bimt_analyze.export import compact
    >>> from bimt_analyze.synthetic import block_network
    >>> network = compact(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network)
    >>> in_threads(network, threads=2)(torch.ones(5, 4)).shape
    torch.Size([5, 2])
    """
    from ._parts import Parts
    from .writers._torch_programs import ModulesInThreads

    module: nn.Module = ModulesInThreads(Parts(network, separate(network), "circuit"), threads).eval()
    return module
