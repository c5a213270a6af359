"""A partition of a graph's neurons into modules, and how it was made."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from jaxtyping import Int64

from bimt_train import InputError
from bimt_train.frozen import FrozenDict
from bimt_train.showing import Shown

from ..graph import Neuron, NeuronGraph, NodeId

UNUSED = -1
"""The label of neurons that no connection touches."""


class NotAPartition(InputError):
    """Modules overlap, are empty, or do not cover the neurons they should.

    Examples
    --------
    >>> try:
    ...     Partition((frozenset({("h1", 0)}), frozenset({("h1", 0), ("h1", 1)})))
    ... except NotAPartition as error:
    ...     print(error.what)
    a neuron in two places
    """


@dataclass(frozen=True, repr=False)
class Partition(Shown):
    """Modules: disjoint sets of neurons, each neuron as (group, index).

    Neurons that no edge joins to another belong to no module; they stand in ``unused``, so that an input which the
    network ignores is not counted as a module of its own. So do neurons that serve several modules alike, where the
    method says so.

    Attributes
    ----------
    modules : tuple of frozenset of (str, int)
        Largest first; of equal ones, the one with the smallest neuron first. They are put into this order, so that
        equal partitions are equal values.
    unused : frozenset of (str, int)
        Neurons without connections.
    method : str
        How it was found.
    parameters : mapping of str to object
        With which settings.
    seed : int or None
        Of the search, if it has one.
    versions : mapping of str to str
        Of the libraries that searched.
    quality : float or None
        What the method maximised, if anything; its docstring says what.

    Raises
    ------
    NotAPartition
        An empty module, or a neuron in two places.

    Examples
    --------
    >>> fine = Partition((frozenset({("h1", 0)}), frozenset({("h1", 1)})))
    >>> coarse = Partition((frozenset({("h1", 0), ("h1", 1)}),))
    >>> fine.refines(coarse), coarse.labels([("h1", 0), ("h1", 1)]).tolist()
    (True, [0, 0])
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
                raise NotAPartition("an empty module", where=where, hint="leave it out")
            for node in sorted(module):
                if node in seen:
                    raise NotAPartition("a neuron in two places", where=f"{node}", got=f"{seen[node]} and {where}")
                seen[node] = where
        ordered = tuple(sorted(self.modules, key=lambda module: (-len(module), min(module))))
        object.__setattr__(self, "modules", ordered)
        object.__setattr__(self, "parameters", FrozenDict(self.parameters))
        object.__setattr__(self, "versions", FrozenDict(self.versions))

    def _brief(self) -> str:
        sizes = ", ".join(str(len(module)) for module in self.modules[:10]) + ", ..." * (len(self.modules) > 10)
        of = f" of {sizes} neurons" if self.modules else ""
        many = f"{len(self.modules)} module{'' if len(self.modules) == 1 else 's'}"
        return f"{many}{of}, {len(self.unused)} unused, by {self.method}"

    @classmethod
    def of(cls, graph: NeuronGraph, labels: Sequence[int] | Int64[np.ndarray, " nodes"], **about: Any) -> Self:
        """The partition in which connected neurons of equal label share a module; what is unconnected is unused.

        Parameters
        ----------
        graph : NeuronGraph
            Whose neurons.
        labels : sequence of int
            One a node, any integers; those of unconnected nodes are ignored.
        **about
            ``method``, ``parameters``, ``seed``, ``versions``, ``quality``.

        Returns
        -------
        Partition
            Of all neurons of the graph.

        Raises
        ------
        NotAPartition
            Another number of labels than of nodes.
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

        Parameters
        ----------
        nodes : iterable of Neuron or (str, int)
            The neurons to label.

        Returns
        -------
        array [nodes] of int
            One number a neuron, in the order given.

        Raises
        ------
        NotAPartition
            A neuron that is not in it.
        """
        number = dict.fromkeys(self.unused, UNUSED) | {n: m for m, module in enumerate(self.modules) for n in module}
        keys = [node.key if isinstance(node, Neuron) else node for node in nodes]
        for key in keys:
            if key not in number:
                hint = "use the partition of the same graph"
                raise NotAPartition("a neuron that the partition does not have", got=str(key), hint=hint)
        return np.array([number[key] for key in keys], dtype=np.int64)

    def refines(self, other: "Partition") -> bool:
        """Whether each module lies inside one module of the other.

        Parameters
        ----------
        other : Partition
            The coarser one.

        Returns
        -------
        bool
            True also if they are equal.
        """
        return all(any(module <= larger for larger in other.modules) for module in self.modules)

    def same_modules(self, other: "Partition") -> bool:
        """Whether the modules are the same, however they were found.

        Parameters
        ----------
        other : Partition
            To compare with.

        Returns
        -------
        bool
            Whether modules and unused neurons are equal.
        """
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
        """The inverse of `to_json`.

        Parameters
        ----------
        data : mapping of str to object
            What `to_json` wrote.

        Returns
        -------
        Partition
            An equal one.
        """
        modules = tuple(frozenset((str(g), int(i)) for g, i in module) for module in data["modules"])
        unused = frozenset((str(g), int(i)) for g, i in data["unused"])
        about = {name: data[name] for name in ("method", "parameters", "seed", "versions", "quality")}
        return cls(modules, unused, **about)

    def __hash__(self) -> int:
        return hash((self.modules, self.unused, self.method, self.seed))
