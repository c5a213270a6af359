"""A circuit beside ablation outside it, other draws of its rows, and the same pruning of networks that mean nothing."""

from dataclasses import replace

import numpy as np

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint, task_score
from bimt_train.checkpoints.own_outputs import OWN_OUTPUTS
from bimt_train.pruning import Circuit

from ..._circuit_of import circuit_of
from ..ablation._output_losses import LossMeasure
from ._behaviour import Behaviour, measure_of
from ._circuit_controls import CircuitControls
from ._circuit_edges import WeightMasks, circuit_edges, only
from ._control import KEPT, Control
from ._control_networks import AGAIN, TRAINED_NONSENSE, Pruning, control_networks, trained_controls
from ._edge_stability import EdgeStability
from ._kept_behaviour import KeptBehaviour
from ._outside_ablation import OutsideAblation
from ._probe_rows import ProbeRows, all_of, thinned, with_rows
from ._trained_again import trained_again

PREDICTIONS, FEWEST_ROWS = 250, 20  # looked at among training rows, and among held-out rows
FEW, DRAWS, TRAINED, ORDERS = 2, 10, 5, 3  # pruned at the tolerance; draws of rows; trained again; interchanges
FEWEST_JUDGED = 10  # held-out rows by which a network is judged
MANY_WEIGHTS, TOO_MANY_WEIGHTS = 50_000, 5_000_000  # from where on less is done, and nothing


def circuit_controls(
    checkpoint: Checkpoint,
    circuit: Circuit,
    *,
    samples: int = 20,
    retrain_steps: int = 0,
    seed: int = 0,
) -> CircuitControls:
    """Ask whether a circuit means more than what the same pruning finds anywhere.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network before pruning, and its rows.
    circuit : Circuit
        What pruning left of it (`bimt_analyze.circuit_of`). Its tolerance and its steps of refitting are used for the
        controls too.
    samples : int, default 20
        Control networks of each kind; with fewer than 20, p cannot be below 0.05.
    retrain_steps : int, default 0
        Steps of the networks that are trained again; 0 trains none.
    seed : int, default 0
        Of weights, orders and draws.

    Returns
    -------
    CircuitControls
        The circuit's numbers, those of the controls, and the conditions.

    Raises
    ------
    InputError
        No samples, a network of more than five million weights, or one whose activations cannot be followed (`Trace`).

    Notes
    -----
    With L the loss as in `mean_ablation_effects`, each output in its own unit, W the network, and 0 the network when
    all of its weights send their means, what is kept by C is (L(0) - L(C)) / (L(0) - L(W)), as in `faithfulness`. For C
    the circuit's weights are taken as they are in the network, never as they were refitted, and the others are 0
    (``cut``), send their means (``means``), send what they send in another row (``resampled``), or send the least or
    most that they can, whatever is worst for the row (``adversarial``: a search, so at least as bad). The circuit as it
    was refitted is told apart (``refitted``). All on held-out rows. Where a circuit was refitted, and its weights as
    they are do not keep the behaviour, cut or resampled, it owes what it does to the refit. Then that is said
    (``by_refit``), and the circuit that pruning finds without a refit is judged in its place.

    The controls are cut to as many of their largest weights as the circuit has, and judged in the same way on all rows:

    - nonsense targets: the network itself, its targets in random order over rows;
    - untrained, true targets: first weights of the same architecture;
    - untrained, own outputs: the same, which here has something to do that it does perfectly;
    - trained on nonsense targets; trained again: as `retrained` trains them.

    A network that is trained again on its true targets is no null network: it may find as good a circuit.

    Circuits found by pruning alone were shown to be as faithful in untrained networks and on nonsense tasks [1]_; that
    a randomised control can undo an explanation is the lesson of [2]_. Resampling what is outside is that of [3]_.

    References
    ----------
    .. [1] Meloux et al. 2025, "The Dead Salmons of AI Interpretability", arXiv:2512.18792.
    .. [2] Adebayo et al. 2018, "Sanity Checks for Saliency Maps", arXiv:1810.03292.
    .. [3] Chan et al. 2022, "Causal Scrubbing", Alignment Forum.

    Examples
    --------
    >>> from bimt_analyze import circuit_of
    >>> from bimt_analyze.audits import circuit_controls
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_train.checkpoints import Probe, TaskSpec
    >>> planted = block_network(blocks=[(1, 4, 1)] * 3, seed=1)
    >>> x, y = planted.x[:200], planted.network.predict(planted.x[:200])
    >>> task = TaskSpec("sums", ("x1", "x2", "x3"), ("y1", "y2", "y3"), ((-1.0, 1.0),) * 3)
    >>> checkpoint = Checkpoint(planted.network, task, Probe(x[::2], y[::2], x[1::2], y[1::2]))
    >>> found = circuit_controls(checkpoint, circuit_of(checkpoint, refit_steps=0))
    >>> found.faithful, found.edges, found.weights
    (True, 24, 72)
    """
    if samples < 1:
        raise InputError("no controls to compare with", where="controls", expected="1 or more", got=str(samples))
    network = checkpoint.network
    weights = network.edges(-1.0)
    if weights > TOO_MANY_WEIGHTS:
        expected, got = f"{TOO_MANY_WEIGHTS:,} weights or fewer", f"{weights:,}"
        raise InputError("a network whose controls take too long", where="checkpoint", expected=expected, got=got)
    does = _does_its_task(checkpoint)
    found = CircuitControls(does=does, weights=weights, edges=circuit.edges)
    if does is False:
        return found
    brief = weights > MANY_WEIGHTS
    some = thinned(checkpoint, max(PREDICTIONS // checkpoint.task.predictions, FEWEST_ROWS))
    measure = measure_of(checkpoint.task)
    judged, edges = circuit, circuit_edges(network, circuit)
    kept = _kept(some, circuit, edges, measure, seed=seed, search=not brief)
    if np.isnan(kept.cut):  # its outputs do not vary, or are no better than means
        return replace(found, does=False)
    if circuit.refit_steps and min(kept.cut, kept.resampled) < KEPT:
        found = replace(found, by_refit=kept, edges_by_refit=circuit.edges)
        judged = circuit_of(checkpoint, tolerance=circuit.tolerance, refit_steps=0)
        edges = circuit_edges(network, judged)
        kept = _kept(some, judged, edges, measure, seed=seed, search=not brief)
    pruning = replace(
        _pruning(some, judged, edges, measure),
        refit_steps=0 if brief else circuit.refit_steps,
        few=0 if brief else FEW,
    )
    controls = list(control_networks(some, pruning, samples=samples, seed=seed))
    left_out = []
    if brief:
        left_out.append(
            f"with {weights:,} weights, controls were not pruned at the tolerance, refitted or trained, pruning not "
            "repeated on other rows, and the worst values not searched for"
        )
    elif retrain_steps > 0:
        try:
            controls += _trained(checkpoint, pruning, steps=retrain_steps, seed=seed)
        except InputError as error:
            left_out.append(f"no network was trained again: {error}")
    return replace(
        found,
        edges=judged.edges,
        kept=kept,
        targets=_targets(checkpoint),
        stability=None if brief else _stability(some, judged, edges, seed=seed),
        controls=tuple(controls),
        left_out=tuple(left_out),
    )


def _pruning(checkpoint: Checkpoint, circuit: Circuit, edges: WeightMasks, measure: LossMeasure) -> Pruning:
    """How the circuit was pruned, and what it keeps: what its controls are held against."""
    network, rows = checkpoint.network, ProbeRows.all(checkpoint)
    behaviour = _behaviour(checkpoint, rows, measure)
    return Pruning(
        count=sum(int((np.abs(network.tensors[name]) > circuit.threshold).sum()) for name in network.layout.weights()),
        observed=behaviour.kept(only(network, edges).predict(rows.x), rows.y),
        behaviour=behaviour,
        measure=measure,
        tolerance=circuit.tolerance,
        refit_steps=circuit.refit_steps,
        few=FEW,
    )


def _targets(checkpoint: Checkpoint) -> int | None:
    """How many numbers the network was given to learn; None where they are its own outputs."""
    if checkpoint.config.get("targets") == OWN_OUTPUTS:
        return None
    x, y = all_of(checkpoint)
    return len(np.unique(x, axis=0)) * int(y.shape[1])


def _does_its_task(checkpoint: Checkpoint) -> bool | None:
    """Whether the network is better than a constant, on all rows and on the held-out ones alone."""
    score, probe = task_score(checkpoint), checkpoint.probe
    if score is None or score.useless:
        return None if score is None else False
    if len(probe.x_test) < FEWEST_JUDGED:
        return True
    unseen = task_score(with_rows(checkpoint, probe.x_test, probe.y_test))
    return unseen is None or not unseen.useless


def _behaviour(checkpoint: Checkpoint, rows: ProbeRows, measure: LossMeasure) -> Behaviour:
    network = checkpoint.network
    none = {name: np.zeros(network.tensors[name].shape, dtype=bool) for name in network.layout.weights()}
    means = OutsideAblation(network, none, rows.x).at_means()
    return Behaviour.of(network.predict(rows.x), means, rows.y, measure)


def _kept(
    checkpoint: Checkpoint, circuit: Circuit, edges: WeightMasks, measure: LossMeasure, *, seed: int, search: bool
) -> KeptBehaviour:
    """What the circuit keeps on held-out rows, with all else cut or ablated, and after its refit."""
    rows, rng = ProbeRows.held_out(checkpoint), np.random.default_rng(seed)
    behaviour, ablation = _behaviour(checkpoint, rows, measure), OutsideAblation(checkpoint.network, edges, rows.x)
    orders = [rng.permutation(len(rows.x)) for _ in range(ORDERS)]
    worst = ablation.adversarial(rows.targets, loss=rows.loss) if search else None
    return KeptBehaviour(
        cut=behaviour.kept(ablation.cut(), rows.y),
        refitted=behaviour.kept(circuit.network.predict(rows.x), rows.y),
        means=behaviour.kept(ablation.at_means(), rows.y),
        resampled=float(np.mean([behaviour.kept(ablation.resampled(order), rows.y) for order in orders])),
        adversarial=None if worst is None else behaviour.kept(worst, rows.y),
    )


def _trained(checkpoint: Checkpoint, pruning: Pruning, *, steps: int, seed: int) -> list[Control]:
    found: list[Control] = []
    for name, permuted in ((TRAINED_NONSENSE, True), (AGAIN, False)):
        networks = trained_again(checkpoint, permuted=permuted, samples=TRAINED, steps=steps, seed=seed)
        found += trained_controls(name, networks, pruning, null=permuted)
    return found


def _stability(checkpoint: Checkpoint, circuit: Circuit, edges: WeightMasks, *, seed: int) -> EdgeStability:
    """Prune again without a refit, on all rows and on rows drawn with replacement."""
    x, y = all_of(checkpoint)
    rng = np.random.default_rng((seed, len(x)))
    drawn = [rng.integers(len(x), size=len(x)) for _ in range(DRAWS)]
    unfitted, *others = [
        circuit_edges(
            checkpoint.network,
            circuit_of(
                with_rows(checkpoint, x[some], y[some]), tolerance=circuit.tolerance, refit_steps=0, search="narrowing"
            ),
        )
        for some in (np.arange(len(x)), *drawn)
    ]
    return EdgeStability.of(edges, unfitted, others)
