"""How different the neurons of a layer are in what they listen to and in what they speak to. No truth is needed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float64, Int64

from bimt_train import InputError

from ...graph import NeuronGraph

Stack = Float64[np.ndarray, "samples nodes nodes"]

_DAMPING = 1 - 1e-9  # keeps the system regular where a circle of neurons is cut off from all inputs


@dataclass(frozen=True)
class Blocks:
    """A graph as one matrix for each pair of groups that has edges."""

    members: Mapping[str, Int64[np.ndarray, "_"]]
    matrices: tuple[tuple[str, str, Float64[np.ndarray, "_ _"]], ...]
    inputs: str
    outputs: str

    @classmethod
    def of(cls, graph: NeuronGraph) -> Self:
        """The blocks (target, source, matrix) of a graph.

        Raises:
            InputError: the graph does not say what its inputs and outputs are.
        """
        for end in ("inputs", "outputs"):
            if getattr(graph, end) not in graph.groups:
                expected, got = f"one of {', '.join(graph.groups)}", repr(getattr(graph, end))
                mend = "declare them in the layout"
                raise InputError(f"a graph without {end}", where=f"graph.{end}", expected=expected, got=got, mend=mend)
        weights = graph.adjacency()
        members = {group: graph.members(group) for group in graph.groups}
        found = [
            (target, source, weights[np.ix_(rows, columns)])
            for target, rows in members.items()
            for source, columns in members.items()
        ]
        return cls(members, tuple(block for block in found if block[2].any()), graph.inputs, graph.outputs)

    def assembled(self, matrices: Sequence[Float64[np.ndarray, "samples _ _"]]) -> Stack:
        """Whole adjacency matrices [samples, target, source] with these in the places of ``matrices``."""
        nodes = sum(len(numbers) for numbers in self.members.values())
        whole = np.zeros((len(matrices[0]) if matrices else 1, nodes, nodes))
        for (target, source, _), drawn in zip(self.matrices, matrices, strict=True):
            whole[:, self.members[target][:, None], self.members[source][None, :]] = drawn
        return whole


def specialisation(graph: NeuronGraph) -> float:
    """How much neurons of one layer differ in the inputs they come from and in the outputs they lead to, in bits.

    A walk starts at neuron n and goes backwards, from each neuron to one that it reads, in proportion to the weights,
    until it stands on an input; p_n is where it ends. In a group g of N neurons, all starting equally often, the mutual
    information of start and end is

        I(g) = 1/N sum_n sum_j p_n(j) log2( p_n(j) / p(j) ),    p = 1/N sum_n p_n

    (neurons from which no input is reached are left out). The same forwards, to the outputs. The value is the mean of
    I(g) backwards over all groups but the inputs, plus its mean forwards over all groups but the outputs. It is 0 if
    all neurons of a layer draw on the inputs in the same proportions and lead to the outputs in the same proportions;
    two equal and separate halves give 2.

    Raises:
        InputError: the graph does not say what its inputs and outputs are.
    """
    blocks = Blocks.of(graph)
    return float(specialisations(blocks, blocks.assembled([matrix[None] for _, _, matrix in blocks.matrices]))[0])


def specialisations(blocks: Blocks, weights: Stack) -> Float64[np.ndarray, " samples"]:
    """`specialisation` of many networks with the same groups."""
    backwards = _one_way(blocks.members, weights, blocks.inputs)
    return np.asarray(backwards + _one_way(blocks.members, weights.swapaxes(1, 2), blocks.outputs))


def _one_way(
    members: Mapping[str, Int64[np.ndarray, "_"]], weights: Stack, ends: str
) -> Float64[np.ndarray, " samples"]:
    """Mean over all groups but ``ends`` of I(g), walks going from rows to columns."""
    others = {group: numbers for group, numbers in members.items() if group != ends}
    if not others:
        return np.zeros(len(weights))
    inner = np.concatenate(list(others.values()))
    sent = weights.sum(axis=2, keepdims=True)
    steps = np.divide(weights, sent, out=np.zeros_like(weights), where=sent > 0)
    inside = np.eye(len(inner)) - _DAMPING * steps[:, inner[:, None], inner[None, :]]
    shares = np.zeros((*weights.shape[:2], len(members[ends])))
    shares[:, inner] = np.linalg.solve(inside, steps[:, inner[:, None], members[ends][None, :]])
    return np.array(sum(_information(shares[:, numbers]) for numbers in others.values()) / len(others))


def _information(shares: Float64[np.ndarray, "samples neurons ends"]) -> Float64[np.ndarray, " samples"]:
    """I(g) for rows that sum to 1, or less where walks were lost, or 0."""
    shares = np.maximum(shares, 0.0)
    total = shares.sum(axis=2, keepdims=True)
    reached = total > 1e-6
    p = np.divide(shares, total, out=np.zeros_like(shares), where=reached)
    neurons = np.maximum(reached.sum(axis=1), 1)
    mean = p.sum(axis=1) / neurons
    ratio = np.divide(p, mean[:, None, :], out=np.ones_like(p), where=p > 0)
    return np.asarray((p * np.log2(ratio)).sum(axis=(1, 2)) / neurons[:, 0])
