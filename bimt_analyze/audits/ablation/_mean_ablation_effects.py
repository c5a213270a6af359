"""What each module does: the damage to each output without it, and with it alone, against random groups."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network

from ...graph import NodeId
from ._output_losses import Measure, checked, flat, losses, units

if TYPE_CHECKING:
    from ...graph import MeanAblation

_SLACK = 1e-9  # rounding: a random group this little below the observed damage counts as equal

Profile = tuple[tuple[str, int], ...]  # how many neurons of each layer


@dataclass(frozen=True, eq=False)
class Damage:
    """What outputs lose with modules; each number is defined at `damage`.

    Attributes:
        outputs: their names, the columns of all matrices; rows are modules in the order given.
        matrix: damage without the module.
        alone: damage with that module alone.
        random_mean: mean damage without a random group of the same size in each layer.
        p: (1 + number of random groups with at least the module's damage) / (1 + their number).
        specificity: for each module, the share of all its damage that falls on the output it damages most.
        specificity_p: (1 + number of random groups at least as specific) / (1 + their number).
        neurons: how many neurons of each module were set: its alive hidden ones.
        measure: of the loss.
        samples: how many random groups.
        seed: of them.
    """

    outputs: tuple[str, ...]
    matrix: Float64[np.ndarray, "modules outputs"]
    alone: Float64[np.ndarray, "modules outputs"]
    random_mean: Float64[np.ndarray, "modules outputs"]
    p: Float64[np.ndarray, "modules outputs"]
    specificity: Float64[np.ndarray, " modules"]
    specificity_p: Float64[np.ndarray, " modules"]
    neurons: tuple[int, ...]
    measure: Measure
    samples: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        plain = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(self).items()}
        return plain | {"outputs": list(self.outputs), "neurons": list(self.neurons)}


def damage(
    network: Network,
    modules: Sequence[frozenset[NodeId]],
    x: Float[np.ndarray, "rows ..."],
    y: Float[np.ndarray, "rows ..."],
    *,
    measure: Measure = "error",
    samples: int = 200,
    seed: int = 0,
) -> Damage:
    """Set all hidden neurons of a module to their means (`MeanAblation`), and see what each output loses.

    With L_k(S) the loss at output k once the neurons in S are at their means, H all hidden neurons and u_k a unit,

        matrix[m, k] = (L_k(m) - L_k()) / u_k,    alone[m, k] = (L_k(H - m) - L_k()) / u_k.

    - ``error``: L is the mean squared error, u the variance of y_k; 1 is what predicting the mean costs.
    - ``margin``: L is minus the class's mean margin over its own rows, u that margin (as `class_use` has it).
    - ``accuracy``: L is minus the share of the class's own rows that are given to it, u = 1.
    - ``surprise``: all classes are one output; L is mean -log2 of the probability of the right class, u the entropy of
      the classes' shares, which is what a network that knows no more than these has for L.

    Random groups: sample k orders the alive neurons of each layer at random, from ``seed`` and k alone; its group for a
    module are the first of each, as many as the module has alive there. A neuron is alive if it varies over the rows
    and is read at all: dead neurons would make random groups harmless.

    Specificity of a row d of damages (below 0 counts as 0) is max(d) / sum(d), 0 where nothing is damaged: a module
    that serves one output has 1, and groups that cut across modules damage all outputs. With one output it is 1
    throughout, and says nothing.

    A network of separate blocks that fits y gives the identity, and 1 - identity alone. What this does not show:

    - *what* a module computes, or that the task's parts are its own: only which outputs need it, on these rows;
    - redundancy: two modules that do the same thing can each be lost without damage. Read ``alone`` beside it;
    - that neurons at their means behave as in any real row: with cross-talk, others then see what they never saw;
    - significance of the whole: p is for one module and one output, with no correction for their number, and 1 where a
      module has all neurons of its layers, since no other group can be drawn. Whatever damages most of the network
      damages its outputs: p is against groups that ignore structure, not against other ways to divide it.

    Args:
        network: best a circuit, whose dead neurons are gone.
        modules: neurons in any layers; inputs, outputs and dead neurons are passed over.
        x: rows as the network sees them.
        y: targets in the units of the network's outputs, classes one-hot.
        measure: of the loss.
        samples: random groups a module.
        seed: of these.

    Raises:
        InputError: no modules or samples, an unknown measure or neuron, targets that do not fit, a class without rows,
            or hidden neurons that cannot be set.

    Mean ablation as in Wang et al. 2022 (arXiv 2211.00593, section 2), whose means are over rows of a reference
    distribution; here over the rows themselves.
    """
    from ...graph import MeanAblation

    if not modules:
        raise InputError("no modules to set to their means", where="modules", expected="1 or more", got="none")
    if samples < 1:
        raise InputError("no samples to compare with", where="samples", expected="1 or more", got=str(samples))
    ablation = MeanAblation(network, x)
    whole = ablation.outputs()
    names, targets = checked(network, y, whole, measure), flat(y)
    before = losses(flat(whole), targets, measure)
    unit = units(before, targets, measure)

    def lost(neurons: Sequence[NodeId]) -> Float64[np.ndarray, " outputs"]:
        return np.asarray((losses(flat(ablation.outputs(neurons)), targets, measure) - before) / unit)

    check_known(network, modules)
    own = [[neuron for neuron in ablation.alive if neuron in module] for module in modules]
    others = [[neuron for neuron in ablation.alive if neuron not in module] for module in modules]
    matrix = np.array([lost(neurons) for neurons in own])
    streams = np.random.SeedSequence(seed).spawn(samples)
    orders = [_order(ablation, np.random.default_rng(stream)) for stream in streams]
    profiles: list[Profile] = [tuple(sorted(Counter(group for group, _ in neurons).items())) for neurons in own]
    random = {p: np.array([lost(_first(order, p)) for order in orders]) for p in dict.fromkeys(profiles)}
    at_least = [(random[p] >= row - _SLACK).sum(axis=0) for p, row in zip(profiles, matrix, strict=True)]
    specific = _specificity(matrix)
    as_specific = [
        (_specificity(random[p]) >= value - _SLACK).sum() for p, value in zip(profiles, specific, strict=True)
    ]
    return Damage(
        outputs=names,
        matrix=matrix,
        alone=np.array([lost(neurons) for neurons in others]),
        random_mean=np.array([random[p].mean(axis=0) for p in profiles]),
        p=(1 + np.array(at_least)) / (1 + samples),
        specificity=specific,
        specificity_p=(1 + np.array(as_specific)) / (1 + samples),
        neurons=tuple(map(len, own)),
        measure=measure,
        samples=samples,
        seed=seed,
    )


def _specificity(damages: Float64[np.ndarray, "groups outputs"]) -> Float64[np.ndarray, " groups"]:
    harm = np.maximum(damages, 0)
    total = harm.sum(axis=1)
    return np.asarray(np.divide(harm.max(axis=1), total, out=np.zeros_like(total), where=total > 0))


def _order(ablation: "MeanAblation", generator: np.random.Generator) -> dict[str, list[NodeId]]:
    """The alive neurons of each layer in a random order."""
    layers: dict[str, list[NodeId]] = {}
    for neuron in ablation.alive:
        layers.setdefault(neuron[0], []).append(neuron)
    return {group: [neurons[i] for i in generator.permutation(len(neurons))] for group, neurons in layers.items()}


def _first(order: dict[str, list[NodeId]], profile: Profile) -> list[NodeId]:
    return [neuron for group, count in profile for neuron in order[group][:count]]


def check_known(network: Network, modules: Sequence[frozenset[NodeId]]) -> None:
    sizes = network.layout.sizes
    for number, module in enumerate(modules):
        for group, index in sorted(module):
            if not 0 <= index < sizes.get(group, 0):
                expected, mend = ", ".join(sizes), "use the modules of this network"
                got = f"{group}.{index}"
                raise InputError("no such neuron", where=f"module {number}", expected=expected, got=got, mend=mend)
