"""Which module carries which known part of the task."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network, TaskCard
from bimt_train.expressions import KnownParts

from ...graph import NodeId
from ..ablation._mean_ablation_effects import check_known
from ._module_outputs import Outflow, Signals, squared_correlation

CARRIED = 0.9
"""The r2 from which on a module's one number counts as the part."""

_SLACK = 1e-9  # rounding: a random group this little worse counts as equal
_FEWEST = 20

Values = Float64[np.ndarray, "rows parts"]


@dataclass(frozen=True)
class Carrier:
    """The module that comes nearest to a known part; each number is defined at `carriers`.

    Attributes:
        part: its name.
        module: the module's number.
        layer: the group in which the module's neurons give the part best.
        r2: of the part read off linearly from these neurons, on rows that the fit did not see.
        single: r2 of the part and the one number that the module sends; None where it sends nothing that varies.
        share: of the variance of all that the module sends, what that number has.
        random_mean: mean r2 of random groups of as many neurons of the layer.
        p: (1 + number of random groups with at least this r2) / (1 + their number).
        neurons: how many of the module are in the layer.
        of: how many there are in the layer.
    """

    part: str
    module: int
    layer: str
    r2: float
    single: float | None
    share: float
    random_mean: float
    p: float
    neurons: int
    of: int

    @property
    def carried(self) -> bool:
        """Whether the module sends the part itself, up to scale and offset: a single r2 of at least 0.9."""
        return self.single is not None and self.single >= CARRIED

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self)) | {"carried": self.carried}


@dataclass(frozen=True)
class Carriers:
    """A carrier for each known part that has a formula.

    Attributes:
        found: in the order of the parts.
        reason: why there are none, or empty.
        samples: random groups a layer.
        seed: of them.
    """

    found: tuple[Carrier, ...]
    reason: str
    samples: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        return dict(vars(self)) | {"found": [carrier.to_json() for carrier in self.found]}


def carriers(
    network: Network,
    modules: Sequence[frozenset[NodeId]],
    known: KnownParts | TaskCard,
    *,
    x: Float[np.ndarray, "rows inputs"],
    samples: int = 100,
    seed: int = 0,
) -> Carriers:
    """For every known part with a formula, the module whose signal gives its value up to an affine map.

    A module has two signals, a generous and a strict one:

    - ``r2``: the activations of its neurons in one layer (inputs left out, outputs as a layer of their own). The part
      is read off by least squares with a constant, fitted on the even rows; r2 = 1 - mean squared error / variance on
      the odd ones. Of a module's layers the one with the best r2, to two decimals the first.
    - ``single``: one number that it sends. Each output in the module, and each neuron i outside that reads its hidden
      neurons j and hears sum_j w_ij a_j of them, is a column, in units of the deviation of all that i hears; the number
      is their first principal component, ``share`` its part of their variance, and the r2 its squared correlation with
      the part.

    The part goes to the module with the best ``single``, if that is at least 0.9, else to that with the best ``r2``.
    Neurons that are constant, or hidden and not read, count nowhere.

    Random groups: sample k orders the living neurons of each layer at random, from ``seed`` and k alone; its group are
    the first of them, as many as the module has. They may contain the module's own. A high r2 proves little where
    theirs is as high: most functions can be read off linearly from enough neurons.

    What this does not show:

    - that the network uses the part: a number that can be read need not be read. `damage` asks that;
    - that a part is absent: it may be carried in a curved form, as sqrt(a + b) carries a + b, or by several modules
      together, each of which has some of it;
    - significance of the whole: p is for one layer, chosen as the best of several, and of one part; it is 1 where the
      module has all neurons of its layer, and cannot be small in a layer of a few.

    Args:
        network: feed-forward; best a circuit, whose dead neurons are gone.
        modules: neurons in any layers.
        known: the task's parts, in the units of ``x``; or its card, by which ``x`` is turned into the task's units.
        x: rows as the network sees them. Those on which a part is not finite are left out.
        samples: random groups a layer.
        seed: of these.

    Raises:
        InputError: no modules or samples, an unknown neuron, inputs of another number, fewer than 20 rows, or a network
            whose layers are not read once a row.
    """
    if not modules or samples < 1:
        got = f"{len(modules)}, {samples}"
        raise InputError("nothing to compare", where="modules, samples", expected="1 or more of each", got=got)
    check_known(network, modules)
    parts = known.parts if isinstance(known, TaskCard) else known
    names = () if parts is None else _with_formula(parts)
    if parts is None or not names:
        return Carriers((), "no part is known by its formula", samples, seed)
    values = part_values(parts, names, task_units(known, x, parts))
    finite = np.isfinite(values).all(axis=1)
    if finite.sum() < _FEWEST:
        got = f"{int(finite.sum())} of {len(x)}"
        raise InputError("too few rows to fit and to judge on", where="x", expected=f"{_FEWEST} or more", got=got)
    x, values = x[finite], values[finite]
    signals = Signals(network, x)
    layers = {group: _living(signals, group) for group in signals.activations if group != network.layout.inputs}
    streams = np.random.SeedSequence(seed).spawn(samples)
    orders = [_order(layers, np.random.default_rng(stream)) for stream in streams]
    random: dict[tuple[str, int], Float64[np.ndarray, "samples parts"]] = {}
    candidates: list[list[Carrier]] = [[] for _ in names]
    for number, module in enumerate(modules):
        outflow = Outflow(signals, module)
        readings = {group: _of(module, living) for group, living in layers.items()}
        readings = {group: own for group, own in readings.items() if own}
        if not readings:
            continue
        r2 = {group: read_off(signals.values(own), values) for group, own in readings.items()}
        for k, part in enumerate(names):
            layer = max(r2, key=lambda group: round(float(r2[group][k]), 2))
            size = len(readings[layer])
            if (layer, size) not in random:
                groups = (tuple(order[layer][:size]) for order in orders)
                random[layer, size] = np.array([read_off(signals.values(group), values) for group in groups])
            reached = random[layer, size][:, k]
            at_least = int((reached >= r2[layer][k] - _SLACK).sum())
            single = None if outflow.constant else squared_correlation(outflow.signal, values[:, k])
            candidates[k].append(
                Carrier(
                    part=part,
                    module=number,
                    layer=layer,
                    r2=float(r2[layer][k]),
                    single=single,
                    share=outflow.share,
                    random_mean=float(reached.mean()),
                    p=(1 + at_least) / (1 + samples),
                    neurons=size,
                    of=len(layers[layer]),
                )
            )
    found = tuple(max(some, key=_fit) for some in candidates if some)
    return Carriers(found, "" if found else "no module has a living neuron", samples, seed)


def read_off(
    columns: Float64[np.ndarray, "rows columns"], values: Float64[np.ndarray, "rows parts"]
) -> Float64[np.ndarray, " parts"]:
    """r2 on the odd rows of an affine map from columns to each value, fitted on the even ones; 0 for a constant one."""
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    design = np.column_stack([np.ones(len(scaled)), scaled])
    solution = np.linalg.lstsq(design[::2], values[::2], rcond=1e-8)[0]
    left, whole = ((values[1::2] - design[1::2] @ solution) ** 2).mean(axis=0), values[1::2].var(axis=0)
    return np.asarray(np.where(whole > 0, 1 - left / np.where(whole > 0, whole, 1.0), 0.0))


def _fit(carrier: Carrier) -> tuple[float, float]:
    return (carrier.single or 0.0) if carrier.carried else 0.0, carrier.r2


def _with_formula(parts: KnownParts) -> tuple[str, ...]:
    """The parts whose value can be computed: given by formulas all the way down."""
    given = dict(parts.definitions)

    def computed(name: str) -> bool:
        if name in parts.inputs:
            return True
        return name in given and all(computed(needed) for needed in parts.expression(name, expanded=False).names)

    return tuple(name for name in parts.names if computed(name))


def part_values(parts: KnownParts, names: Sequence[str], x: Float64[np.ndarray, "rows inputs"]) -> Values:
    """The parts of these names, one a column, by their formulas."""
    columns: Mapping[str, np.ndarray] = dict(zip(parts.inputs, x.T, strict=True))
    return np.stack([parts.expression(name).evaluate(columns) for name in names], axis=1)


def task_units(
    known: KnownParts | TaskCard, x: Float[np.ndarray, "rows inputs"], parts: KnownParts
) -> Float64[np.ndarray, "rows inputs"]:
    """Rows as the network sees them in the units of the task.

    Raises:
        InputError: another number of inputs.
    """
    if x.shape[1] != len(parts.inputs):
        expected, got = f"{len(parts.inputs)} columns", str(x.shape[1])
        raise InputError("rows of another task", where="x", expected=expected, got=got, mend="give the task's inputs")
    shift, scale = (known.input_shift, known.input_scale) if isinstance(known, TaskCard) else (None, None)
    return np.asarray(x * np.array(scale or 1.0) + np.array(shift or 0.0), dtype=np.float64)


def _living(signals: Signals, group: str) -> tuple[NodeId, ...]:
    return tuple(sorted(node for node in signals.alive if node[0] == group))


def _of(module: frozenset[NodeId], living: tuple[NodeId, ...]) -> tuple[NodeId, ...]:
    return tuple(node for node in living if node in module)


def _order(layers: Mapping[str, tuple[NodeId, ...]], generator: np.random.Generator) -> dict[str, list[NodeId]]:
    return {group: [living[i] for i in generator.permutation(len(living))] for group, living in layers.items()}
