"""Mean-ablation effects: what each output loses without a module, and with it alone, against random groups."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.showing import Shown

from ...graph import NodeId
from ._output_losses import LossMeasure, checked, flat, losses, units

if TYPE_CHECKING:
    from ...graph import MeanAblation

_SLACK = 1e-9  # rounding: a random group this little below the observed effect counts as equal

Profile = tuple[tuple[str, int], ...]  # how many neurons of each layer


@dataclass(frozen=True, eq=False, repr=False)
class MeanAblationEffects(Shown):
    """Mean-ablation effects of each module on each output; every number is defined at `mean_ablation_effects`.

    Attributes
    ----------
    outputs : tuple of str
        Names of the outputs, which are the columns of all matrices; rows are modules in the order given.
    matrix : array of float64, shape (modules, outputs)
        Effect of setting the module to its means.
    alone : array of float64, shape (modules, outputs)
        Effect of setting all other modules to their means.
    random_mean : array of float64, shape (modules, outputs)
        Mean effect of a random group with as many neurons in each layer.
    p : array of float64, shape (modules, outputs)
        (1 + number of random groups with at least the module's effect) / (1 + their number).
    specificity : array of float64, shape (modules,)
        For each module, the share of its total effect that falls on the output with the largest effect.
    specificity_p : array of float64, shape (modules,)
        (1 + number of random groups at least as specific) / (1 + their number).
    neurons : tuple of int
        Number of neurons of each module that were set: its alive hidden ones.
    measure : LossMeasure
        Measure of the loss.
    samples : int
        Number of random groups.
    seed : int
        Seed of the random groups.

    Examples
    --------
    >>> from bimt_analyze.audits.ablation._mean_ablation_effects import mean_ablation_effects
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 2, 1)] * 2, seed=1)
    >>> network, x = planted.network, planted.x
    >>> found = mean_ablation_effects(network, planted.partition.modules, x, network.predict(x), samples=2)
    >>> found.specificity.round(2).tolist(), found.neurons
    ([1.0, 1.0], (2, 2))
    """

    outputs: tuple[str, ...]
    matrix: Float64[np.ndarray, "modules outputs"]
    alone: Float64[np.ndarray, "modules outputs"]
    random_mean: Float64[np.ndarray, "modules outputs"]
    p: Float64[np.ndarray, "modules outputs"]
    specificity: Float64[np.ndarray, " modules"]
    specificity_p: Float64[np.ndarray, " modules"]
    neurons: tuple[int, ...]
    measure: LossMeasure
    samples: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        plain = {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(self).items()}
        return plain | {"outputs": list(self.outputs), "neurons": list(self.neurons)}


def mean_ablation_effects(
    network: Network,
    modules: Sequence[frozenset[NodeId]],
    x: Float[np.ndarray, "rows ..."],
    y: Float[np.ndarray, "rows ..."],
    *,
    measure: LossMeasure = "error",
    samples: int = 200,
    seed: int = 0,
) -> MeanAblationEffects:
    """Set all hidden neurons of a module to their means (`MeanAblation`), and measure what each output loses.

    Parameters
    ----------
    network : Network
        The network to ablate; best a circuit, whose dead neurons are gone.
    modules : sequence of frozenset of (str, int)
        Modules as sets of neurons in any layers. Inputs, outputs and dead neurons are passed over.
    x : array of float, shape (rows, ...)
        Input rows as the network sees them.
    y : array of float, shape (rows, ...)
        Targets in the units of the network's outputs; classes are one-hot.
    measure : LossMeasure, default 'error'
        Measure of the loss; see Notes.
    samples : int, default 200
        Number of random groups that each module is compared with.
    seed : int, default 0
        Seed of the random groups.

    Returns
    -------
    MeanAblationEffects
        Effects of every module on every output, with p against random groups.

    Raises
    ------
    InputError
        There are no modules or samples, a measure or neuron is unknown, the targets do not fit, a class has no rows, or
        hidden neurons cannot be set.

    Notes
    -----
    With L_k(S) the loss at output k once the neurons in S are at their means, H all hidden neurons and u_k a unit,

        matrix[m, k] = (L_k(m) - L_k()) / u_k,    alone[m, k] = (L_k(H - m) - L_k()) / u_k.

    - ``error``: L is the mean squared error, u the variance of y_k; 1 is what predicting the mean costs.
    - ``margin``: L is minus the class's mean margin over its own rows, u that margin (as `class_use` has it).
    - ``accuracy``: L is minus the share of the class's own rows that are given to it, u = 1.
    - ``surprise``: all classes are one output; L is mean -log2 of the probability of the right class, u the entropy of
      the classes' shares, which is what a network that knows no more than these has for L.

    Random groups: sample k orders the alive neurons of each layer at random, from ``seed`` and k alone; its group for a
    module is the first of each, as many as the module has alive there. A neuron is alive if it varies over the rows and
    is read at all: dead neurons would make random groups harmless.

    Specificity of a row d of effects (below 0 counts as 0) is max(d) / sum(d), 0 where nothing is lost: a module that
    serves one output has 1, and groups that cut across modules affect all outputs. With one output it is 1 throughout,
    and says nothing.

    A network of separate blocks that fits y gives the identity, and 1 - identity alone. What this does not show:

    - *what* a module computes, or that the task's subfunctions are its own: only which outputs need it, on these rows;
    - redundancy: of two modules that do the same thing, each can be lost without an effect. Read ``alone`` beside it;
    - that neurons at their means behave as in any real row: with cross-talk, others then see what they never saw;
    - significance of the whole: p is for one module and one output, with no correction for their number, and 1 where a
      module has all neurons of its layers, since no other group can be drawn. Whatever takes away most of the network
      affects its outputs: p is against groups that ignore structure, not against other ways to divide it.

    Mean ablation is that of Wang et al. [1]_, whose means are over rows of a reference distribution; here they are over
    the rows themselves.

    References
    ----------
    .. [1] Wang et al. 2022, "Interpretability in the Wild", arXiv:2211.00593, section 2.

    Examples
    --------
    >>> from bimt_analyze.audits.ablation._mean_ablation_effects import mean_ablation_effects
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(2, 3, 1)] * 2, seed=1)
    >>> network, x = planted.network, planted.x
    >>> found = mean_ablation_effects(network, planted.partition.modules, x, network.predict(x), samples=20)
    >>> abs(found.matrix).round(2).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
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
    return MeanAblationEffects(
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


def _specificity(effects: Float64[np.ndarray, "groups outputs"]) -> Float64[np.ndarray, " groups"]:
    losses_only = np.maximum(effects, 0)
    total = losses_only.sum(axis=1)
    return np.asarray(np.divide(losses_only.max(axis=1), total, out=np.zeros_like(total), where=total > 0))


def _order(ablation: "MeanAblation", generator: np.random.Generator) -> dict[str, list[NodeId]]:
    """The alive neurons of each layer in a random order."""
    layers: dict[str, list[NodeId]] = {}
    for neuron in ablation.alive:
        layers.setdefault(neuron[0], []).append(neuron)
    return {group: [neurons[i] for i in generator.permutation(len(neurons))] for group, neurons in layers.items()}


def _first(order: dict[str, list[NodeId]], profile: Profile) -> list[NodeId]:
    return [neuron for group, count in profile for neuron in order[group][:count]]


def check_known(network: Network, modules: Sequence[frozenset[NodeId]]) -> None:
    """Refuse modules that name a neuron which the network does not have.

    Parameters
    ----------
    network : Network
        The network that the modules were found in.
    modules : sequence of frozenset of (str, int)
        Sets of neurons.

    Raises
    ------
    InputError
        A module names an unknown neuron.
    """
    sizes = network.layout.sizes
    for number, module in enumerate(modules):
        for group, index in sorted(module):
            if not 0 <= index < sizes.get(group, 0):
                expected, hint = ", ".join(sizes), "use the modules of this network"
                got = f"{group}.{index}"
                raise InputError("no such neuron", where=f"module {number}", expected=expected, got=got, hint=hint)
