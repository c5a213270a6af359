"""Whether the modules that were found agree with the task's known decomposition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from bimt_train import InputError
from bimt_train.checkpoints import Network, TaskSpec
from bimt_train.expressions import Decomposition
from bimt_train.frozen import FrozenDict
from bimt_train.showing import Shown

from ...graph import NeuronGraph, neuron_graph
from ...modules import Hierarchy, Partition, choose_level, modularity
from ...modules import hierarchy as find_hierarchy
from ...modules._hierarchy import Level
from ._dependencies import DependencyScore, dependency_score, reachable_columns
from ._matching import Match, known_levels, matched
from ._sensitivity import leak, sensitivity, subfunction_of

PROBE_ROWS = 500
"""Rows on which gradients are taken."""


@dataclass(frozen=True, repr=False)
class SubfunctionMatch(Shown):
    """The module that comes nearest to a known subfunction.

    Attributes
    ----------
    subfunction : str
        Name of the subfunction.
    module : int or None
        Number of the module whose inputs fit best, the first of equal ones; None if there are no modules.
    f1 : float
        2 |M and D| / (|M| + |D|), with D the inputs that the subfunction depends on and M those that reach the module.

    Examples
    --------
    >>> from bimt_analyze.audits.truth._agreement import SubfunctionMatch
    >>> match = SubfunctionMatch("y1", module=0, f1=0.8)
    >>> match.subfunction, match.module
    ('y1', 0)
    """

    subfunction: str
    module: int | None
    f1: float


@dataclass(frozen=True, repr=False)
class Agreement(Shown):
    """Modules against the task's known decomposition.

    Attributes
    ----------
    score : float
        The headline, in [0, 1]: the smallest of ``dependencies.f1`` and the adjusted mutual information of ``matched``
        over inputs and outputs and over hidden neurons (below 0 counts as 0), leaving out what means nothing. A high
        score needs all of them: the right inputs reach the right outputs, and the modules, chosen without looking at
        the truth, are those of one level of the known hierarchy.
    dependencies : DependencyScore
        Reachability of outputs from inputs; see `DependencyScore`.
    flat : Match
        The chosen level against the task's flat grouping; see `Match`.
    matched : Match
        The chosen level against the level of the known hierarchy that it fits best.
    best : Match
        The best pair of any found and any known level. This looks at the truth: it says what could have been chosen,
        not what was found.
    subfunctions : tuple of SubfunctionMatch
        For each known subfunction, the module that fits it best.
    leak : float or None
        Cross-gradient leak; see `leak`. None where nothing could leak.
    notes : mapping of str to str
        Name of a field -> why it is None.

    Examples
    --------
    >>> from bimt_analyze.audits.truth._agreement import agreement
    >>> from bimt_analyze.synthetic import absolute_sums
    >>> from bimt_train.expressions import Decomposition
    >>> known = Decomposition(("x1", "x2"), ("y1", "y2"), (("y1", "abs(x1)"), ("y2", "abs(x2)")))
    >>> planted = absolute_sums(outputs=2, terms=1, variables=1, seed=1)
    >>> found = agreement(planted.network, known, x=planted.x)
    >>> found.dependencies.f1, found.leak, [match.f1 for match in found.subfunctions]
    (1.0, 0.0, [1.0, 1.0])
    """

    score: float
    dependencies: DependencyScore
    flat: Match
    matched: Match
    best: Match
    subfunctions: tuple[SubfunctionMatch, ...]
    leak: float | None
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", FrozenDict(self.notes))

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a JSON file."""
        levels = {name: getattr(self, name).to_json() for name in ("flat", "matched", "best")}
        return {
            "score": self.score,
            "dependencies": self.dependencies.to_json(),
            **levels,
            "subfunctions": [dict(vars(one)) for one in self.subfunctions],
            "leak": self.leak,
            "notes": dict(self.notes),
        }


def agreement(
    network: Network,
    decomposition: Decomposition | TaskSpec,
    *,
    x: Float[np.ndarray, "rows inputs"],
    graph: NeuronGraph | None = None,
    levels: Hierarchy | None = None,
    partition: Partition | None = None,
    seed: int = 0,
) -> Agreement:
    """Compare a network's modules with the task's known decomposition.

    Parameters
    ----------
    network : Network
        The network, usually a circuit; every weight that is not 0 counts as a connection.
    decomposition : Decomposition or TaskSpec
        The task's decomposition; or its spec, which states one.
    x : array of float, shape (rows, inputs)
        Input rows as the network sees them; the first 500 are used for gradients.
    graph : NeuronGraph, optional
        Graph of the network; left out, with edge weights by "attribution" on ``x``.
    levels : Hierarchy, optional
        Hierarchy of the graph; left out, `hierarchy` with ``seed``.
    partition : Partition, optional
        The modules to judge; left out, those of `choose_level`.
    seed : int, default 0
        Seed of the hierarchy.

    Returns
    -------
    Agreement
        The score, and all that it is made of.

    Raises
    ------
    InputError
        No decomposition is known, or it is that of another network.
    NotAPartition
        The partition is of another graph.

    Examples
    --------
    >>> from bimt_analyze.audits.truth._agreement import agreement
    >>> from bimt_analyze.synthetic import absolute_sums
    >>> from bimt_train.expressions import Decomposition
    >>> planted = absolute_sums(outputs=2, terms=1, variables=1, seed=1)
    >>> known = Decomposition(("x1", "x2"), ("y1", "y2"), (("y1", "abs(x1)"), ("y2", "abs(x2)")))
    >>> agreement(planted.network, known, x=planted.x).score
    1.0
    """
    stated = decomposition.decomposition if isinstance(decomposition, TaskSpec) else decomposition
    if stated is None:
        hint = 'state the parts, for instance --parts "y1: x1 x3; y2: x2 x4"'
        raise InputError("nothing is known of the task to agree with", where="decomposition", got="none", hint=hint)
    _check_ends(network, stated)
    graph = neuron_graph(network, weights="attribution", x=x) if graph is None else graph
    levels = find_hierarchy(graph, seed=seed) if levels is None else levels
    chosen = choose_level(levels).level
    if partition is not None and not partition.same_modules(chosen.partition):
        chosen = Level(partition, "given", 0.0, modularity(graph, partition))
    measured = sensitivity(network, x[:PROBE_ROWS])
    serves = subfunction_of(measured, stated)
    truths = known_levels(stated)

    def held(level: Level, name: str) -> Match:
        return matched(network, level, truths[name], name, serves, stated)

    def fit(match: Match) -> float:
        return -np.inf if match.ami is None else match.ami

    flat = held(chosen, "flat")
    nearest = max((held(chosen, name) for name in truths), key=fit)
    best = max((held(level, name) for level in (chosen, *reversed(levels.levels)) for name in truths), key=fit)
    columns = network.layout.input_neurons
    dependencies, leaked = dependency_score(graph, stated, columns=columns), leak(measured, stated)
    notes = {} if leaked is not None else {"leak": "every output may depend on every input, or no output varies"}
    for name, match in (("flat", flat), ("matched", nearest), ("best", best)):
        notes |= {
            f"{name}.{over}": s.reason for over, s in (("ends", match.ends), ("hidden", match.hidden)) if s.reason
        }
    ami = nearest.ami
    score = dependencies.f1 if ami is None else min(dependencies.f1, max(ami, 0.0))
    pairs = _subfunction_matches(graph, chosen.partition, stated, columns)
    return Agreement(score, dependencies, flat, nearest, best, pairs, leaked, notes)


def _subfunction_matches(
    graph: NeuronGraph, partition: Partition, stated: Decomposition, columns: Sequence[int]
) -> tuple[SubfunctionMatch, ...]:
    reach = reachable_columns(graph, stated, columns)
    reaching = [reach[[graph.numbers[node] for node in module]].any(axis=0) for module in partition.modules]
    found = []
    for part, needed in stated.dependencies().items():
        wanted = np.array([name in needed for name in stated.inputs], dtype=bool)
        scores = [2 * int((m & wanted).sum()) / max(int(m.sum()) + int(wanted.sum()), 1) for m in reaching]
        best = int(np.argmax(scores)) if scores else None
        found.append(SubfunctionMatch(part, best, scores[best] if best is not None else 0.0))
    return tuple(found)


def _check_ends(network: Network, stated: Decomposition) -> None:
    layout = network.layout
    outputs = layout.sizes.get(layout.outputs, 0)
    for end, size, names in (("inputs", layout.columns, stated.inputs), ("outputs", outputs, stated.outputs)):
        if size != len(names):
            expected, got = f"{size} {end}", f"{len(names)} ({', '.join(names[:8])})"
            raise InputError(
                "a decomposition of another network", where=end, expected=expected, got=got, hint="name each"
            )
