"""A synthetic network with its truth: which module each neuron belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.frozen import FrozenDict
from bimt_train.showing import Shown

from ..graph import NodeId
from ..modules import Partition


@dataclass(frozen=True, eq=False, repr=False)
class SyntheticNetwork(Shown):
    """A network of exactly known structure; equal options and seeds make equal bytes.

    Attributes
    ----------
    network : Network
        A ReLU `MLP` (of a program, a `ProgramTransformer`) in double precision, its neurons in random order and, where
        they are hidden, rescaled.
    x : array of float64, shape (rows, inputs)
        Rows to run it on, read-only.
    modules : mapping of (str, int) to int or None
        For every neuron the number of its module; None where it serves several modules, or none.
    modular : bool
        Whether there is anything to find. Where there is not, all neurons are of module 0.
    kind : str
        Name of the function that made it.
    options : mapping of str to Any
        Options that it was made with.
    seed : int
        Seed of all that is random.

    Raises
    ------
    InputError
        The modules have other neurons than the network has.

    Examples
    --------
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    >>> planted.kind, planted.modular, [len(module) for module in planted.partition.modules]
    ('block_network', True, [6, 6])
    """

    network: Network
    x: Float64[np.ndarray, "rows inputs"]
    modules: Mapping[NodeId, int | None]
    modular: bool
    kind: str
    options: Mapping[str, Any]
    seed: int

    def __post_init__(self) -> None:
        neurons = {(group, i) for group, size in self.network.layout.sizes.items() for i in range(size)}
        if set(self.modules) != neurons:
            strays = sorted(neurons ^ set(self.modules))
            raise InputError("modules of other neurons than the network has", where="modules", got=str(strays[:4]))
        rows = np.array(self.x)
        rows.setflags(write=False)
        object.__setattr__(self, "x", rows)
        object.__setattr__(self, "modules", FrozenDict(self.modules))
        object.__setattr__(self, "options", FrozenDict(self.options))

    @cached_property
    def partition(self) -> Partition:
        """The planted modules as a partition.

        Neurons of no single module stand in ``unused``, as modules are disjoint.
        """
        members: dict[int | None, set[NodeId]] = {}
        for node, module in self.modules.items():
            members.setdefault(module, set()).add(node)
        shared = frozenset(members.pop(None, ()))
        return Partition(tuple(map(frozenset, members.values())), shared, method="known", seed=self.seed)
