"""Do the modules that were found agree with what is known of the task?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float

from bimt_train import InputError
from bimt_train.checkpoints import Network, TaskCard
from bimt_train.expressions import KnownParts

from ...graph import NeuronGraph, neuron_graph
from ...modules import Hierarchy, Level, Partition, choose_level, modularity
from ...modules import hierarchy as find_hierarchy
from ._dependencies import DependencyScore, dependency_score, reachable_columns
from ._matching import Match, known_levels, matched
from ._sensitivity import known_part_of, leak, sensitivity

PROBE_ROWS = 500
"""Rows on which gradients are taken."""


@dataclass(frozen=True)
class PartMatch:
    """The module that comes nearest to a known part.

    Attributes:
        part: its name.
        module: the number of the module whose inputs fit best, the first of equal ones; None if there are no modules.
        f1: 2 |M and D| / (|M| + |D|), with D the inputs that the part depends on and M those that reach the module.
    """

    part: str
    module: int | None
    f1: float


@dataclass(frozen=True)
class Agreement:
    """Modules against known parts. Each number is defined at its field.

    Attributes:
        score: the headline, in [0, 1]: the smallest of ``dependencies.f1`` and the adjusted mutual information of
            ``matched`` over inputs and outputs and over hidden neurons (below 0 counts as 0), leaving out what means
            nothing. A high score needs all of them: the right inputs reach the right outputs, and the modules, chosen
            without looking at the truth, are those of one level of the known hierarchy.
        dependencies: reachability of outputs from inputs; see `DependencyScore`.
        flat: the chosen level against the task's flat grouping; see `Match`.
        matched: the chosen level against the level of the known hierarchy that it fits best.
        best: the best pair of any found and any known level. This looks at the truth: it says what could have been
            chosen, not what was found.
        parts: for each known part, the module that fits it best.
        leak: cross-gradient leak; see `leak`. None where nothing could leak.
        notes: field -> why it is None.
    """

    score: float
    dependencies: DependencyScore
    flat: Match
    matched: Match
    best: Match
    parts: tuple[PartMatch, ...]
    leak: float | None
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", MappingProxyType(dict(self.notes)))

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a JSON file."""
        levels = {name: getattr(self, name).to_json() for name in ("flat", "matched", "best")}
        return {
            "score": self.score,
            "dependencies": self.dependencies.to_json(),
            **levels,
            "parts": [dict(vars(part)) for part in self.parts],
            "leak": self.leak,
            "notes": dict(self.notes),
        }


def agreement(
    network: Network,
    known: KnownParts | TaskCard,
    *,
    x: Float[np.ndarray, "rows inputs"],
    graph: NeuronGraph | None = None,
    levels: Hierarchy | None = None,
    partition: Partition | None = None,
    seed: int = 0,
) -> Agreement:
    """Hold a network's modules against what is known of its task.

    Args:
        network: usually a circuit; every weight that is not 0 counts as a connection.
        known: the task's parts, or its card.
        x: probe rows as the network sees them; the first 500 are used for gradients.
        graph: of the network; left out, with edges weighed by "attribution" on ``x``.
        levels: of the graph; left out, `hierarchy` with ``seed``.
        partition: the modules to judge; left out, those of `choose_level`.
        seed: of the hierarchy.

    Raises:
        InputError: nothing is known, or the parts are of another network.
        NotAPartition: the partition is of another graph.
    """
    parts = known.parts if isinstance(known, TaskCard) else known
    if parts is None:
        mend = 'state the parts, for instance --parts "y1: x1 x3; y2: x2 x4"'
        raise InputError("nothing is known of the task to agree with", where="known parts", got="none", mend=mend)
    _check_ends(network, parts)
    graph = neuron_graph(network, weights="attribution", x=x) if graph is None else graph
    levels = find_hierarchy(graph, seed=seed) if levels is None else levels
    chosen = choose_level(levels).level
    if partition is not None and not partition.same_modules(chosen.partition):
        chosen = Level(partition, "given", 0.0, modularity(graph, partition))
    measured = sensitivity(network, x[:PROBE_ROWS])
    serves = known_part_of(measured, parts)
    truths = known_levels(parts)

    def held(level: Level, name: str) -> Match:
        return matched(network, level, truths[name], name, serves, parts)

    def fit(match: Match) -> float:
        return -np.inf if match.ami is None else match.ami

    flat = held(chosen, "flat")
    nearest = max((held(chosen, name) for name in truths), key=fit)
    best = max((held(level, name) for level in (chosen, *reversed(levels.levels)) for name in truths), key=fit)
    dependencies, leaked = dependency_score(graph, parts), leak(measured, parts)
    notes = {} if leaked is not None else {"leak": "every output may depend on every input, or no output varies"}
    for name, match in (("flat", flat), ("matched", nearest), ("best", best)):
        notes |= {
            f"{name}.{over}": s.reason for over, s in (("ends", match.ends), ("hidden", match.hidden)) if s.reason
        }
    ami = nearest.ami
    score = dependencies.f1 if ami is None else min(dependencies.f1, max(ami, 0.0))
    pairs = _part_matches(graph, chosen.partition, parts)
    return Agreement(score, dependencies, flat, nearest, best, pairs, leaked, notes)


def _part_matches(graph: NeuronGraph, partition: Partition, parts: KnownParts) -> tuple[PartMatch, ...]:
    reach = reachable_columns(graph, parts)
    reaching = [reach[[graph.numbers[node] for node in module]].any(axis=0) for module in partition.modules]
    found = []
    for part, needed in parts.dependencies().items():
        wanted = np.array([name in needed for name in parts.inputs], dtype=bool)
        scores = [2 * int((m & wanted).sum()) / max(int(m.sum()) + int(wanted.sum()), 1) for m in reaching]
        best = int(np.argmax(scores)) if scores else None
        found.append(PartMatch(part, best, scores[best] if best is not None else 0.0))
    return tuple(found)


def _check_ends(network: Network, parts: KnownParts) -> None:
    layout = network.layout
    outputs = layout.sizes.get(layout.outputs, 0)
    for end, size, names in (("inputs", layout.columns, parts.inputs), ("outputs", outputs, parts.outputs)):
        if size != len(names):
            expected, got = f"{size} {end}", f"{len(names)} ({', '.join(names[:8])})"
            raise InputError("known parts of another network", where=end, expected=expected, got=got, mend="name each")
