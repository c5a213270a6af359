"""Modules that compute the same function become one module that is used many times."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from bimt_train.checkpoints import Checkpoint, Network
from bimt_train.library import StoredModule
from bimt_train.models.from_spec import options_of

from .._circuit_of import circuit_of
from ..audits.functions._module_outputs import squared_correlation
from ..formulas import approximate_formula
from ..formulas.problem._template import numeric
from ._dense_part import DensePart, Layer, Rows
from ._fit_plan import Fitter
from ._shared_network import SharedModule, SharedNetwork
from ._smallest_plan import smallest
from ._tied_plan import Adapter, TiedPlan

_NAMED = 1000  # points on which a module is named
_WITHIN = 0.03, 0.1  # of the deviation, that the formula of a module may miss, at least and at most
_MORE = 1.25  # times what the network misses: a module may be worse than the network is


def share(checkpoint: Checkpoint, *, tolerance: float = 0.05, seed: int = 0) -> SharedNetwork:
    """Tie the modules of a network that compute the same function up to affine changes of arguments and result.

    Parameters
    ----------
    checkpoint : Checkpoint
        A network of layers without a final function that is trained on mean squared error, and its rows.
    tolerance : float, default 0.05
        Fraction by which the loss on the training rows may grow.
    seed : int, default 0
        Of the search for affine maps and for formulas.

    Returns
    -------
    SharedNetwork
        The tied network, what it shares, and what that saved; or the reason why nothing is shared.

    Notes
    -----
    The circuit (`bimt_analyze.circuit_of`) is taken apart at each of its hidden layers: what weights join below is a
    part, and what the layer above reads of it are one or few quantities. A quantity that is a sum of functions of one
    argument each may fall into these. Quantities that are affine copies of each other become uses of the largest of
    their modules. All numbers are retrained on the training rows (Levenberg and Marquardt), and as many numbers of
    adapters as the loss allows become 0 or 1. Of all ways to take the circuit apart, the one of fewest numbers is
    taken whose loss stays within the tolerance of the circuit's; test rows decide nothing.

    The formula of a module is the shortest that misses it by no more than 1.25 times what the tied network misses of
    its targets (root mean square over deviation, of the training rows), at least 0.03 and at most 0.1. A module that
    was trained is no nearer to the function that it stands for than that, and longer formulas would tell of its errors.

    Examples
    --------
    >>> from bimt_train import Recipe, train
    >>> from bimt_train.tasks import two_moons
    >>> share(train(two_moons(rows=(20, 20)), seeds=1, recipe=Recipe(steps=2)).best.checkpoint).reason
    'the loss is cross-entropy, and not mse'
    """
    task = checkpoint.task
    options = options_of(checkpoint.network.model)
    layers = None if options is None else options.dense_layers()
    if task.loss != "mse":
        return _none(checkpoint, checkpoint.network, f"the loss is {task.loss}, and not mse")
    if layers is None or layers.copies or layers.final != "identity" or len(layers.widths) < 3:
        return _none(checkpoint, checkpoint.network, "the network is not made of layers with a linear last one")
    network, probe = circuit_of(checkpoint, tolerance=tolerance).network, checkpoint.probe
    x, y = task.to_network_inputs(probe.x_train), task.to_network_targets(probe.y_train)
    held = Fitter(task.to_network_inputs(probe.x_test), task.to_network_targets(probe.y_test))
    tensors = {name: tensor.astype(np.float64) for name, tensor in network.tensors.items()}
    chain: Sequence[Layer] = [
        (tensors[f"layers.{k}.weight"], tensors[f"layers.{k}.bias"]) for k in range(len(layers.widths) - 1)
    ]
    limit = (1 + tolerance) * float(((network.predict(x) - y) ** 2).mean())
    rows = Fitter(x, y)
    plan = smallest(chain, layers.activation, rows, limit, seed=seed)
    if plan is None:
        return _none(checkpoint, network, "no two parts of the circuit are the same function at this loss")
    if plan.numbers >= _numbers(network):
        return _none(checkpoint, network, f"the tied network takes {plan.numbers} numbers, and the circuit no more")
    return _shared(checkpoint, network, plan, x, held, missed=_missed(rows, plan), seed=seed)


def _numbers(network: Network) -> int:
    """Weights and biases that are not 0."""
    return int(sum(np.count_nonzero(tensor) for tensor in network.tensors.values()))


def _loss(network: Network, rows: Fitter) -> float:
    return float(((network.predict(rows.x) - rows.y) ** 2).mean())


def _missed(rows: Fitter, plan: TiedPlan) -> float:
    """What the tied network misses of its targets, over their deviation: as near as its modules can be told."""
    return float(np.sqrt(rows.loss(plan) / max(float(rows.y.var(axis=0).mean()), 1e-300)))


def _none(checkpoint: Checkpoint, network: Network, reason: str) -> SharedNetwork:
    count = _numbers(network)
    return SharedNetwork((), count, count, count, count, float("nan"), float("nan"), reason, checkpoint)


def _shared(
    checkpoint: Checkpoint, circuit: Network, plan: TiedPlan, x: Rows, held: Fitter, *, missed: float, seed: int
) -> SharedNetwork:
    """The tied network as a value, its modules named."""
    from ._tied_network import TiedNetwork  # brings torch

    module = TiedNetwork(plan)
    network = Network.of(module, example_inputs=x[:5])
    modules = tuple(_named(checkpoint, plan, number, x, missed, seed) for number in range(len(plan.modules)))
    about = {**checkpoint.config, "shared": [one.words() for one in modules]}
    return SharedNetwork(
        modules, _numbers(circuit), plan.numbers, plan.untied, plan.wired,
        loss_before=_loss(circuit, held), loss=held.loss(plan), reason="",
        checkpoint=Checkpoint(network, checkpoint.task, checkpoint.probe, about), network=module.eval(),
    )  # fmt: skip


def _named(checkpoint: Checkpoint, plan: TiedPlan, number: int, x: Rows, missed: float, seed: int) -> SharedModule:
    """A module with its uses and its formula, told as nearly as the network does its task, which it misses by this."""
    part, sources = plan.modules[number], plan.sources(x)
    own = [one for module, one in plan.uses if module == number]
    read = np.concatenate([sources[:, : one.weight.shape[1]] @ one.weight.T + one.shift for one in own])
    low, high = read.min(axis=0), read.max(axis=0)
    points = np.random.default_rng(seed).uniform(low, high, (_NAMED, part.arguments))
    values = part(points)[:, 0]
    offset, scale = _unit(part, points, values)
    names = ["u"] if part.arguments == 1 else [f"u{k + 1}" for k in range(part.arguments)]
    scaled = (values - offset) / scale
    low_error, error = _WITHIN[0], float(np.clip(_MORE * missed, *_WITHIN))
    asked: dict[str, Any] = {"names": names, "output": "f", "time_limit": 4.0, "seed": seed}
    found = [approximate_formula(points, scaled, within=one, **asked) for one in sorted({low_error, error})]
    near = [one for one in found if one.r2 >= 1 - error**2]
    formula = min(near, key=lambda one: one.complexity) if near else max(found, key=lambda one: one.r2)
    plain = _without_scale(formula.expression)
    said = numeric(plain, [sympy.Symbol(name, real=True) for name in names])(points)
    r2 = squared_correlation(np.asarray(said, dtype=np.float64), values)
    about = {"task": checkpoint.task.name, "seed": checkpoint.config.get("seed"), "uses": len(own), "r2": r2}
    stored = StoredModule(
        tuple(names), ("f",), part.layers, part.activation, {"f": str(offset + scale * formula.expression)}, about
    )
    labels = [*checkpoint.task.inputs, *(f"s{k + 1}" for k in range(len(plan.uses)))]
    return SharedModule(plain, r2, tuple(_words(one, labels) for one in own), part.numbers(), stored)


def _unit(part: DensePart, points: Rows, values: np.ndarray) -> tuple[float, float]:
    """An offset and a scale without which most functions are short: nothing at 0, and 1 at 1, or at most 1."""
    at = part(np.stack([np.zeros(part.arguments), np.ones(part.arguments)]))[:, 0]
    inside = bool((points.min(axis=0) <= 0).all() and (points.max(axis=0) >= 0.9).all())
    offset = float(at[0]) if inside else float(values.mean())
    step = float(at[1]) - offset
    plain = inside and abs(step) > 0.3 * float(values.std())
    return offset, step if plain else float(np.abs(values - offset).max()) or 1.0


def _without_scale(expression: sympy.Expr) -> sympy.Expr:
    """An expression without the offset and the factor of the whole."""
    _, rest = expression.as_coeff_Add()
    _, rest = rest.as_coeff_Mul()
    return rest if rest.free_symbols else expression


def _words(one: Adapter, labels: Sequence[str]) -> str:
    """What a use reads, an argument after the other."""
    told = []
    for weights, shift in zip(one.weight, one.shift, strict=True):
        terms = [
            label if weight == 1 else f"{weight:.3g}*{label}"
            for weight, label in zip(weights.tolist(), labels, strict=False)
            if weight
        ]
        told.append(" + ".join([*terms, *([f"{shift:.3g}"] if shift else [])]) or "0")
    return ", ".join(told).replace("+ -", "- ")
