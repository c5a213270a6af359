"""Learned reuse: a few rules, used in many places, generate the weights; a rule pays once, however often it is used."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from ..._errors import InputError
from ...layouts import Group, Layout
from ...layouts._plain_groups import plain_groups
from ._parameters import Arrays, Shapes, Tensors

RULE, USE, OWN = "rule", "use", "own"


@dataclass(frozen=True)
class Cut:
    """How a weight falls into blocks: along each axis, which neurons each block holds.

    Attributes
    ----------
    order : (array of int, array of int)
        For each axis of the tensor its indices, block after block.
    blocks : (int, int)
        Numbers of blocks along each axis.
    bias : str
        The bias that the same rules generate; empty where it is the tensor's own.
    """

    order: tuple[np.ndarray, np.ndarray]
    blocks: tuple[int, int]
    bias: str = ""

    @cached_property
    def size(self) -> tuple[int, int]:
        """The shape of a block."""
        return len(self.order[0]) // self.blocks[0], len(self.order[1]) // self.blocks[1]

    @property
    def rule(self) -> str:
        """The name of the rules that generate such blocks."""
        return f"{RULE}.{self.size[0]}x{self.size[1]}"

    def into_blocks(self, weight: np.ndarray) -> np.ndarray:
        """The blocks of an array of the weight's shape, ``[p, q, target, source]``.

        Parameters
        ----------
        weight : array, [target, source]
            What is cut.
        """
        (p, q), (a, b) = self.blocks, self.size
        blocks: np.ndarray = weight[np.ix_(*self.order)].reshape(p, a, q, b).transpose(0, 2, 1, 3)
        return blocks

    def whole(self, use: Tensor, rules: Tensor) -> Tensor:
        """The weights of all seeds, from coefficients and rules.

        Parameters
        ----------
        use : tensor, [seeds, p, q, rules]
            How much of each rule each block has.
        rules : tensor, [seeds, rules, target, source]
            The rules.
        """
        found = torch.einsum("spqk,skab->spaqb", use, rules).reshape(len(use), *(len(order) for order in self.order))
        for axis, order in enumerate(self.order, start=1):
            if not np.array_equal(order, np.arange(len(order))):
                found = found.index_select(axis, torch.from_numpy(np.argsort(order)).to(found.device))
        return found


@dataclass(frozen=True)
class Reused:
    """Every block of a weight is a sum of rules, each times the coefficient of that place, plus weights of its own.

    A rule is an affine map, T_k x + b_k. With c the coefficients and D the tensor's own weights, block (p, q) is
    ``sum_k c[p, q, k] T_k + D[p, q]``, and block p of the bias ``sum_q sum_k c[p, q, k] b_k``. Weights whose blocks
    have one shape use the same rules. A rule pays what the cheapest of its places pays, once; a coefficient pays the
    mean price of the weights of its block; own weights pay as they do without rules.

    Attributes
    ----------
    network : mapping of str to tuple of int
        The network's tensors and their shapes.
    cuts : mapping of str to Cut
        The weights that rules generate, and their blocks.
    rules : int
        How many rules there are for each shape of block.
    """

    network: Shapes
    cuts: Mapping[str, Cut]
    rules: int
    direct: bool = False

    @cached_property
    def shapes(self) -> Shapes:
        """Rules by the shape of their blocks, coefficients and own weights by tensor."""
        rules = {cut.rule: (self.rules, *cut.size) for cut in self.cuts.values()}
        shifts = {_shift(cut): (self.rules, cut.size[0]) for cut in self.cuts.values() if cut.bias}
        uses = {f"{USE}.{name}": (*cut.blocks, self.rules) for name, cut in self.cuts.items()}
        made = {cut.bias for cut in self.cuts.values()}
        own = {f"{OWN}.{name}": shape for name, shape in self.network.items() if name not in made}
        return {**rules, **shifts, **uses, **own}

    def tensors(self, trained: Tensors) -> Tensors:
        """The weights that the rules generate, own weights added."""
        made = {}
        for name, cut in self.cuts.items():
            use = trained[f"{USE}.{name}"]
            made[name] = cut.whole(use, trained[cut.rule]) + trained[f"{OWN}.{name}"]
            if cut.bias:
                shifted = use.sum(2) @ trained[_shift(cut)]
                made[cut.bias] = shifted.flatten(1)
        return {name: made[name] if name in made else trained[f"{OWN}.{name}"] for name in self.network}

    def start(self, drawn: Arrays, rng: np.random.Generator) -> Arrays:
        """Rules are blocks of the drawn weights; at first a place uses those that join a block with the one beside it.

        No tensor that rules generate has weights of its own at first.
        """
        first = {f"{OWN}.{name}": array for name, array in drawn.items()}
        for name, cut in self.cuts.items():
            blocks, beside = cut.into_blocks(drawn[name]), _beside(cut.blocks)
            some = np.arange(self.rules) % len(beside.ravel())
            code = rng.normal(size=(*cut.blocks, self.rules)) if self.rules > 1 else np.ones((*cut.blocks, 1))
            first[f"{USE}.{name}"] = beside[..., None] * code / math.sqrt(self.rules)
            first.setdefault(cut.rule, blocks.reshape(-1, *cut.size)[some] * math.sqrt(beside.size / beside.sum()))
            first[f"{OWN}.{name}"] = np.zeros_like(drawn[name])
            if cut.bias:
                first.setdefault(
                    _shift(cut), drawn[cut.bias][cut.order[0]].reshape(-1, cut.size[0])[some % len(beside)]
                )
        return {name: np.asarray(first[name], np.float32) for name in self.shapes}

    def prices(self, network: Arrays) -> Arrays:
        """The least price of all places for a rule, the mean over the block for a coefficient."""
        found = {f"{OWN}.{name}": price for name, price in network.items()}
        for name, cut in self.cuts.items():
            blocks = cut.into_blocks(network[name])
            least = np.broadcast_to(blocks.min(axis=(0, 1)), (self.rules, *cut.size))
            found[cut.rule] = np.minimum(found.get(cut.rule, least), least)
            mean = blocks.mean(axis=(2, 3))[..., None]
            found[f"{USE}.{name}"] = np.broadcast_to(mean, (*cut.blocks, self.rules))
            if cut.bias:
                found[_shift(cut)] = np.full((self.rules, cut.size[0]), network[cut.bias].min())
        return {name: found[name] for name in self.shapes}

    def generator(self, trained: Arrays) -> Arrays:
        """The rules, coefficients and own weights."""
        return trained


def _shift(cut: Cut) -> str:
    """The name of the constants of the rules."""
    return f"{cut.rule}.bias"


def _beside(blocks: tuple[int, int]) -> np.ndarray:
    """1 where a block joins one with the one beside it, 0 elsewhere; all 1 unless both sides have as many."""
    return np.eye(blocks[0]) if blocks[0] == blocks[1] else np.ones(blocks)


def reused(layout: Layout, network: Shapes, *, blocks: int, rules: int) -> Reused:
    """The rules for a network whose groups fall into so many blocks of neurons.

    A group whose number of neurons is no multiple of ``blocks`` is one block. Neurons that stay in their places, as
    pixels do, fall into blocks by their places, from left to right; all others by their numbers. Outputs have biases of
    their own.

    Parameters
    ----------
    layout : Layout
        Groups and tensors.
    network : mapping of str to tuple of int
        The tensors that are trained, and their shapes.
    blocks : int
        Blocks that each group falls into.
    rules : int
        Rules for each shape of block.

    Returns
    -------
    Reused
        How weights are generated.

    Raises
    ------
    InputError
        No block would be generated at two places.
    """
    plain = {name: groups for name in network if (groups := plain_groups(layout, name, network[name]))}
    biases = {groups[0].name: name for name, groups in plain.items() if len(groups) == 1}
    targets = Counter(groups[0].name for groups in plain.values() if len(groups) == 2)
    cuts = {}
    for name, groups in plain.items():
        if len(groups) == 2:
            target, source = groups
            shared = targets[target.name] == 1 and target.name != layout.outputs
            parts = [blocks if group.size % blocks == 0 else 1 for group in groups]
            bias = biases.get(target.name, "") if shared else ""
            cuts[name] = Cut((_order(target), _order(source)), (parts[0], parts[1]), bias)
    places = Counter({cut.rule: 0 for cut in cuts.values()})
    for cut in cuts.values():
        places[cut.rule] += math.prod(cut.blocks)
    cuts = {name: cut for name, cut in cuts.items() if places[cut.rule] > 1}
    if not cuts:
        raise InputError(
            "nothing to use twice", where="reuse.blocks", got=str(blocks),
            expected="a number that divides those of neurons", hint="choose hidden layers of a multiple of it",
        )  # fmt: skip
    return Reused(network, cuts, rules)


def _order(group: Group) -> np.ndarray:
    """The neurons in the order in which they fall into blocks."""
    if group.movable:
        return np.arange(group.size)
    return np.lexsort(group.coordinates.T[::-1])
