"""A partition of a graph's neurons into modules, and how it was made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Self

import numpy as np
from jaxtyping import Int64

from bimt_train import InputError

from ..graph import Neuron, NeuronGraph, NodeId

UNUSED = -1
"""The label of neurons that no connection touches."""


class NotAPartition(InputError):
    """Modules overlap, are empty, or do not cover the neurons they should."""


@dataclass(frozen=True)
class Partition:
    """Modules: disjoint sets of neurons, each neuron as (group, index).

    Neurons that no edge joins to another belong to no module; they stand in ``unused``, so that an input which the
    network ignores is not counted as a module of its own. So do neurons that serve several modules alike, where the
    method says so.

    Attributes:
        modules: largest first; of equal ones, the one with the smallest neuron first. They are put into this order, so
            that equal partitions are equal values.
        unused: neurons without connections.
        method: how it was found.
        parameters: with which settings.
        seed: of the search, if it has one.
        versions: of the libraries that searched.
        quality: what the method maximised, if anything; its docstring says what.

    Raises:
        NotAPartition: an empty module, or a neuron in two places.
    """

    modules: tuple[frozenset[NodeId], ...]
    unused: frozenset[NodeId] = frozenset()
    method: str = "given"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    quality: float | None = None

    def __post_init__(self) -> None:
        seen: dict[NodeId, str] = dict.fromkeys(self.unused, "unused")
        for number, module in enumerate(self.modules):
            where = f"module {number}"
            if not module:
                raise NotAPartition("an empty module", where=where, mend="leave it out")
            for node in sorted(module):
                if node in seen:
                    raise NotAPartition("a neuron in two places", where=f"{node}", got=f"{seen[node]} and {where}")
                seen[node] = where
        ordered = tuple(sorted(self.modules, key=lambda module: (-len(module), min(module))))
        object.__setattr__(self, "modules", ordered)
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))
        object.__setattr__(self, "versions", MappingProxyType(dict(self.versions)))

    @classmethod
    def of(cls, graph: NeuronGraph, labels: Sequence[int] | Int64[np.ndarray, " nodes"], **about: Any) -> Self:
        """The partition in which connected neurons of equal label share a module; what is unconnected is unused.

        Args:
            graph: whose neurons.
            labels: one a node, any integers; those of unconnected nodes are ignored.
            **about: method, parameters, seed, versions, quality.

        Raises:
            NotAPartition: another number of labels than of nodes.
        """
        if len(labels) != len(graph.nodes):
            raise NotAPartition("one label a neuron", expected=str(len(graph.nodes)), got=str(len(labels)))
        found: dict[int, list[NodeId]] = {}
        for node, label, joined in zip(graph.nodes, labels, graph.connected, strict=True):
            if joined:
                found.setdefault(int(label), []).append(node.key)
        return cls(tuple(map(frozenset, found.values())), graph.unused, **about)

    @property
    def nodes(self) -> frozenset[NodeId]:
        """All neurons, unused ones too."""
        return self.unused.union(*self.modules)

    def labels(self, nodes: Iterable[Neuron | NodeId]) -> Int64[np.ndarray, " nodes"]:
        """The number of each neuron's module in ``modules``; -1 for the unused.

        Raises:
            NotAPartition: a neuron that is not in it.
        """
        number = dict.fromkeys(self.unused, UNUSED) | {n: m for m, module in enumerate(self.modules) for n in module}
        keys = [node.key if isinstance(node, Neuron) else node for node in nodes]
        for key in keys:
            if key not in number:
                mend = "use the partition of the same graph"
                raise NotAPartition("a neuron that the partition does not have", got=str(key), mend=mend)
        return np.array([number[key] for key in keys], dtype=np.int64)

    def refines(self, other: "Partition") -> bool:
        """Whether each module lies inside one module of the other."""
        return all(any(module <= larger for larger in other.modules) for module in self.modules)

    def same_modules(self, other: "Partition") -> bool:
        """Whether the modules are the same, however they were found."""
        return (self.modules, self.unused) == (other.modules, other.unused)

    def to_json(self) -> dict[str, Any]:
        """Plain lists and strings, for a JSON file; `from_json` makes an equal partition."""
        return {
            "modules": [[list(node) for node in sorted(module)] for module in self.modules],
            "unused": [list(node) for node in sorted(self.unused)],
            "method": self.method,
            "parameters": dict(self.parameters),
            "seed": self.seed,
            "versions": dict(self.versions),
            "quality": self.quality,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        modules = tuple(frozenset((str(g), int(i)) for g, i in module) for module in data["modules"])
        unused = frozenset((str(g), int(i)) for g, i in data["unused"])
        about = {name: data[name] for name in ("method", "parameters", "seed", "versions", "quality")}
        return cls(modules, unused, **about)

    def __hash__(self) -> int:
        return hash((self.modules, self.unused, self.method, self.seed))
