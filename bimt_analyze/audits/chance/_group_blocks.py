"""A graph as one matrix for each pair of groups, as null models and statistics take it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float64, Int64

from bimt_train import InputError
from bimt_train.showing import Shown

from ...graph import NeuronGraph

Stacks = Sequence[Float64[np.ndarray, "samples _ _"]]
"""Many networks of the same groups: for each pair of groups that edges join, their weights [sample, target, source]."""


@dataclass(frozen=True, eq=False, repr=False)
class Blocks(Shown):
    """A graph as one matrix for each pair of groups that has edges.

    Attributes
    ----------
    members : mapping of str to array
        Group -> the numbers of its neurons in the adjacency matrix.
    matrices : tuple of (str, str, array [targets, sources])
        Target group, source group, and the weights of the edges from one to the other.
    inputs : str
        The group of the inputs.
    outputs : str
        The group of the outputs.

    Examples
    --------
    >>> from bimt_analyze.audits.chance._group_blocks import Blocks
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 2, 1)] * 2, seed=1)
    >>> blocks = Blocks.of(neuron_graph(planted.network))
    >>> [(target, source, matrix.shape) for target, source, matrix in blocks.matrices]
    [('h1', 'x', (4, 2)), ('y', 'h1', (2, 4))]
    """

    members: Mapping[str, Int64[np.ndarray, "_"]]
    matrices: tuple[tuple[str, str, Float64[np.ndarray, "_ _"]], ...]
    inputs: str
    outputs: str

    @classmethod
    def of(cls, graph: NeuronGraph) -> Self:
        """The blocks of a graph.

        Parameters
        ----------
        graph : NeuronGraph
            With inputs and outputs.

        Returns
        -------
        Blocks
            One matrix for each pair of groups that edges join.

        Raises
        ------
        InputError
            The graph does not say what its inputs and outputs are.
        """
        for end in ("inputs", "outputs"):
            named = getattr(graph, end).split()
            if not named or not set(named) <= set(graph.groups):
                expected, got = f"one of {', '.join(graph.groups)}", repr(getattr(graph, end))
                hint = "declare them in the layout"
                raise InputError(f"a graph without {end}", where=f"graph.{end}", expected=expected, got=got, hint=hint)
        members = {group: graph.members(group) for group in graph.groups}
        kinds = {group: number for number, group in enumerate(members)}
        of, at = (np.zeros(len(graph.nodes), dtype=np.int64) for _ in range(2))  # group and place in it of each node
        for group, numbers in members.items():
            of[numbers], at[numbers] = kinds[group], np.arange(len(numbers))
        source, target, weight, _ = graph.edges
        found = []
        for written, rows in members.items():
            for read, columns in members.items():
                own = (of[target] == kinds[written]) & (of[source] == kinds[read])
                if own.any():
                    matrix = np.zeros((len(rows), len(columns)))
                    matrix[at[target[own]], at[source[own]]] = weight[own]
                    found.append((written, read, matrix))
        return cls(members, tuple(found), graph.inputs, graph.outputs)

    def assembled(self, matrices: Stacks) -> Float64[np.ndarray, "samples nodes nodes"]:
        """Whole adjacency matrices with these in the places of ``matrices``.

        Parameters
        ----------
        matrices : sequence of array [samples, targets, sources]
            One for each of the graph's own, in their order.

        Returns
        -------
        array [samples, nodes, nodes]
            [target, source], 0 where no pair of groups has edges.
        """
        nodes = sum(len(numbers) for numbers in self.members.values())
        whole = np.zeros((len(matrices[0]) if matrices else 1, nodes, nodes))
        for (target, source, _), drawn in zip(self.matrices, matrices, strict=True):
            whole[:, self.members[target][:, None], self.members[source][None, :]] = drawn
        return whole

    def own(self) -> Stacks:
        """The graph's own weights, as a single sample."""
        return [matrix[None] for _, _, matrix in self.matrices]
