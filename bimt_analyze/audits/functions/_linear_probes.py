"""Linear probes: from which module each known subfunction of the task is linearly readable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from bimt_train import InputError
from bimt_train.checkpoints import Network, TaskSpec
from bimt_train.expressions import Decomposition
from bimt_train.showing import Shown

from ...graph import NodeId
from ..ablation._mean_ablation_effects import check_known
from ._module_outputs import ModuleOutputs, RecordedActivations, squared_correlation

ENCODED = 0.9
"""The r2 from which on a module's one number counts as the subfunction."""

_SLACK = 1e-9  # rounding: a random group this little worse counts as equal
_FEWEST = 20

Values = Float64[np.ndarray, "rows subfunctions"]


@dataclass(frozen=True, repr=False)
class LinearProbe(Shown):
    """The module from which a known subfunction is best read; each number is defined at `linear_probes`.

    Attributes
    ----------
    subfunction : str
        Name of the known subfunction.
    module : int
        Number of the module, from 0.
    layer : str
        Group of neurons in which the module's neurons give the subfunction best.
    r2 : float
        r2 of the linear probe on these neurons, on rows that the fit did not see.
    output_r2 : float or None
        r2 of the subfunction and the module's output, which is one number; None where that does not vary.
    share : float
        Share of the variance of all module outputs that this one number has.
    random_mean : float
        Mean r2 of probes on random groups of as many neurons of the layer.
    p : float
        (1 + number of random groups with at least this r2) / (1 + their number).
    neurons : int
        Number of the module's alive neurons in the layer.
    of : int
        Number of alive neurons in the layer.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._linear_probes import LinearProbe
    >>> probe = LinearProbe("y1", 0, "h1", r2=0.99, output_r2=0.95, share=1.0, random_mean=0.4, p=0.01, neurons=2, of=4)
    >>> probe.encoded
    True
    """

    subfunction: str
    module: int
    layer: str
    r2: float
    output_r2: float | None
    share: float
    random_mean: float
    p: float
    neurons: int
    of: int

    @property
    def encoded(self) -> bool:
        """Whether the module's output is the subfunction, up to scale and offset: ``output_r2`` of at least 0.9."""
        return self.output_r2 is not None and self.output_r2 >= ENCODED

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self)) | {"encoded": self.encoded}


@dataclass(frozen=True, repr=False)
class LinearProbes(Shown):
    """The best linear probe of each known subfunction that has a formula.

    Attributes
    ----------
    found : tuple of LinearProbe
        One probe a subfunction, in the order of the decomposition.
    reason : str
        Why there are none, or empty.
    samples : int
        Number of random groups a layer.
    seed : int
        Seed of the random groups.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._linear_probes import LinearProbes
    >>> LinearProbes(found=(), reason="no subfunction is known by its formula", samples=100, seed=0).to_json()["found"]
    []
    """

    found: tuple[LinearProbe, ...]
    reason: str
    samples: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        return dict(vars(self)) | {"found": [probe.to_json() for probe in self.found]}


def linear_probes(
    network: Network,
    modules: Sequence[frozenset[NodeId]],
    decomposition: Decomposition | TaskSpec,
    *,
    x: Float[np.ndarray, "rows inputs"],
    samples: int = 100,
    seed: int = 0,
) -> LinearProbes:
    """For every known subfunction with a formula, find the module from which it is linearly readable.

    Parameters
    ----------
    network : Network
        A feed-forward network; best a circuit, whose dead neurons are gone.
    modules : sequence of frozenset of (str, int)
        Modules as sets of neurons in any layers.
    decomposition : Decomposition or TaskSpec
        The task's subfunctions, in the units of ``x``; or the task's spec, by which ``x`` is turned into the task's
        units.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them. Rows on which a subfunction is not finite are left out.
    samples : int, default 100
        Number of random groups a layer.
    seed : int, default 0
        Seed of the random groups.

    Returns
    -------
    LinearProbes
        One probe a subfunction; none, with the reason, where no formula is known.

    Raises
    ------
    InputError
        There are no modules or samples, a neuron is unknown, the number of inputs is another one, there are fewer than
        20 rows, or a layer of the network is not read once a row.

    Notes
    -----
    A module is asked in two ways, a generous and a strict one:

    - ``r2``: the activations of its neurons in one layer (inputs left out, outputs as a layer of their own). The probe
      is least squares with a constant, fitted on the even rows; r2 = 1 - mean squared error / variance on the odd ones.
      Of a module's layers the one with the best r2 is taken, to two decimals the first.
    - ``output_r2``: one number, the module's output. Each output in the module, and each neuron i outside that reads
      its hidden neurons j as sum_j w_ij a_j, is a column, in units of the deviation of all that i reads; the number is
      their first principal component, ``share`` its share of their variance, and the r2 its squared correlation with
      the subfunction.

    The subfunction goes to the module with the best ``output_r2``, if that is at least 0.9, else to that with the best
    ``r2``. Neurons that are constant, or hidden and not read, count nowhere.

    Random groups: sample k orders the alive neurons of each layer at random, from ``seed`` and k alone; its group are
    the first of them, as many as the module has. They may contain the module's own. A high r2 proves little where
    theirs is as high: most functions are linearly readable from enough neurons.

    What this does not show:

    - that the network uses the subfunction: a number that can be read need not be read. `mean_ablation_effects` asks
      that;
    - that a subfunction is absent: it may be encoded nonlinearly, as a + b is in sqrt(a + b), or by several modules
      together, each of which has some of it;
    - significance of the whole: p is for one layer, chosen as the best of several, and of one subfunction; it is 1
      where the module has all neurons of its layer, and cannot be small in a layer of a few.

    Examples
    --------
    >>> from bimt_analyze.audits.functions._linear_probes import linear_probes
    >>> from bimt_analyze.synthetic import absolute_sums
    >>> from bimt_train.expressions import Decomposition
    >>> planted = absolute_sums(outputs=2, terms=1, variables=1, seed=1)
    >>> known = Decomposition(("x1", "x2"), ("y1", "y2"), (("y1", "abs(x1)"), ("y2", "abs(x2)")))
    >>> found = linear_probes(planted.network, planted.partition.modules, known, x=planted.x, samples=20)
    >>> [(one.subfunction, one.module, one.encoded) for one in found.found]
    [('y1', 1, True), ('y2', 0, True)]
    """
    if not modules or samples < 1:
        got = f"{len(modules)}, {samples}"
        raise InputError("nothing to compare", where="modules, samples", expected="1 or more of each", got=got)
    check_known(network, modules)
    stated = decomposition.decomposition if isinstance(decomposition, TaskSpec) else decomposition
    names = () if stated is None else _with_formula(stated)
    if stated is None or not names:
        return LinearProbes((), "no subfunction is known by its formula", samples, seed)
    values = subfunction_values(stated, names, task_units(decomposition, x, stated))
    finite = np.isfinite(values).all(axis=1)
    if finite.sum() < _FEWEST:
        got = f"{int(finite.sum())} of {len(x)}"
        raise InputError("too few rows to fit and to judge on", where="x", expected=f"{_FEWEST} or more", got=got)
    recorded, values = RecordedActivations(network, x[finite]), values[finite]
    layers = {group: _alive_in(recorded, group) for group in recorded.activations if group != network.layout.inputs}
    streams = np.random.SeedSequence(seed).spawn(samples)
    orders = [_order(layers, np.random.default_rng(stream)) for stream in streams]

    @cache
    def by_chance(layer: str, size: int) -> Float64[np.ndarray, "samples subfunctions"]:
        groups = (tuple(order[layer][:size]) for order in orders)
        return np.array([probe_r2(recorded.values(group), values) for group in groups])

    candidates: list[list[LinearProbe]] = [[] for _ in names]
    for number, module in enumerate(modules):
        module_outputs = ModuleOutputs(recorded, module)
        probed = {group: _of(module, alive) for group, alive in layers.items()}
        probed = {group: own for group, own in probed.items() if own}
        if not probed:
            continue
        r2 = {group: probe_r2(recorded.values(own), values) for group, own in probed.items()}
        for k, subfunction in enumerate(names):
            layer = max(r2, key=lambda group: round(float(r2[group][k]), 2))
            size = len(probed[layer])
            reached = by_chance(layer, size)[:, k]
            at_least = int((reached >= r2[layer][k] - _SLACK).sum())
            output_r2 = None if module_outputs.constant else squared_correlation(module_outputs.component, values[:, k])
            candidates[k].append(
                LinearProbe(
                    subfunction=subfunction,
                    module=number,
                    layer=layer,
                    r2=float(r2[layer][k]),
                    output_r2=output_r2,
                    share=module_outputs.share,
                    random_mean=float(reached.mean()),
                    p=(1 + at_least) / (1 + samples),
                    neurons=size,
                    of=len(layers[layer]),
                )
            )
    found = tuple(max(some, key=_fit) for some in candidates if some)
    return LinearProbes(found, "" if found else "no module has an alive neuron", samples, seed)


def probe_r2(
    columns: Float64[np.ndarray, "rows columns"], values: Float64[np.ndarray, "rows subfunctions"]
) -> Float64[np.ndarray, " subfunctions"]:
    """r2 on the odd rows of an affine map from columns to each value, fitted on the even rows.

    Parameters
    ----------
    columns : array of float64, shape (rows, columns)
        What the values are read from; no column may be constant.
    values : array of float64, shape (rows, subfunctions)
        Values to be read, one a column.

    Returns
    -------
    array of float64, shape (subfunctions,)
        One r2 a value; 0 for a constant one.
    """
    scaled = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    design = np.column_stack([np.ones(len(scaled)), scaled])
    solution = np.linalg.lstsq(design[::2], values[::2], rcond=1e-8)[0]
    left, whole = ((values[1::2] - design[1::2] @ solution) ** 2).mean(axis=0), values[1::2].var(axis=0)
    return np.asarray(np.where(whole > 0, 1 - left / np.where(whole > 0, whole, 1.0), 0.0))


def _fit(probe: LinearProbe) -> tuple[float, float]:
    return (probe.output_r2 or 0.0) if probe.encoded else 0.0, probe.r2


def _with_formula(stated: Decomposition) -> tuple[str, ...]:
    """The subfunctions whose value can be computed: given by formulas all the way down."""
    given = dict(stated.definitions)

    def computed(name: str) -> bool:
        if name in stated.inputs:
            return True
        return name in given and all(computed(needed) for needed in stated.expression(name, expanded=False).names)

    return tuple(name for name in stated.names if computed(name))


def subfunction_values(stated: Decomposition, names: Sequence[str], x: Float64[np.ndarray, "rows inputs"]) -> Values:
    """Values of known subfunctions by their formulas.

    Parameters
    ----------
    stated : Decomposition
        Decomposition with the formulas.
    names : sequence of str
        Which subfunctions.
    x : array of float64, shape (rows, inputs)
        Input rows in the units of the task.

    Returns
    -------
    array of float64, shape (rows, subfunctions)
        One column a name.
    """
    columns: Mapping[str, np.ndarray] = dict(zip(stated.inputs, x.T, strict=True))
    return np.stack([stated.expression(name).evaluate(columns) for name in names], axis=1)


def task_units(
    decomposition: Decomposition | TaskSpec, x: Float[np.ndarray, "rows inputs"], stated: Decomposition
) -> Float64[np.ndarray, "rows inputs"]:
    """Turn rows as the network sees them into the units of the task.

    Parameters
    ----------
    decomposition : Decomposition or TaskSpec
        The task's spec, which has the units; a decomposition alone has none, and leaves the rows.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them.
    stated : Decomposition
        Decomposition, which says how many inputs there are.

    Returns
    -------
    array of float64, shape (rows, inputs)
        The rows in the units of the task.

    Raises
    ------
    InputError
        There is another number of inputs.
    """
    if x.shape[1] != len(stated.inputs):
        expected, got = f"{len(stated.inputs)} columns", str(x.shape[1])
        raise InputError("rows of another task", where="x", expected=expected, got=got, hint="give the task's inputs")
    shift, scale = (
        (decomposition.input_shift, decomposition.input_scale) if isinstance(decomposition, TaskSpec) else (None, None)
    )
    return np.asarray(x * np.array(scale or 1.0) + np.array(shift or 0.0), dtype=np.float64)


def _alive_in(recorded: RecordedActivations, group: str) -> tuple[NodeId, ...]:
    return tuple(sorted(node for node in recorded.alive if node[0] == group))


def _of(module: frozenset[NodeId], alive: tuple[NodeId, ...]) -> tuple[NodeId, ...]:
    return tuple(node for node in alive if node in module)


def _order(layers: Mapping[str, tuple[NodeId, ...]], generator: np.random.Generator) -> dict[str, list[NodeId]]:
    return {group: [alive[i] for i in generator.permutation(len(alive))] for group, alive in layers.items()}
