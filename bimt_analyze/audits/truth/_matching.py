"""Found modules against known parts: adjusted scores that say when they mean nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from bimt_train.checkpoints import Network
from bimt_train.expressions import KnownParts

from ...graph import NodeId
from ...modules import Level as FoundLevel
from ...modules import Partition

KnownLevel = tuple[frozenset[str], ...]


@dataclass(frozen=True)
class Score:
    """Adjusted Rand index and adjusted mutual information (scikit-learn's); both None, with the reason, where the
    truth is trivial.

    Attributes:
        ari: (Rand - expected) / (1 - expected): 1 for equal groupings, about 0 for chance, below 0 for worse.
        ami: (mutual information - expected) / (mean of the entropies - expected).
        reason: why there is none, or empty.
    """

    ari: float | None
    ami: float | None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


@dataclass(frozen=True)
class Match:
    """One found level against one known level.

    Attributes:
        found: the name of the found level.
        known: the name of the known one.
        ends: over inputs and outputs; an input that the network does not use is a group of its own.
        hidden: over hidden neurons that serve a part (`known_part_of`), a neuron's true group being that of its part.
    """

    found: str
    known: str
    ends: Score
    hidden: Score

    @property
    def ami(self) -> float | None:
        """The smaller adjusted mutual information of the two, of those that mean something; None where neither does."""
        return min((s.ami for s in (self.ends, self.hidden) if s.ami is not None), default=None)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"found": self.found, "known": self.known, "ends": self.ends.to_json(), "hidden": self.hidden.to_json()}


def scored(found: Sequence[int], known: Sequence[int]) -> Score:
    """Both scores of two labellings, where the known one has more than one group and not every item alone.

    A trivial truth would score 1 against itself and 0 against all else, whatever the found grouping is like.
    """
    groups = len(set(known))
    if len(known) < 2 or groups in (1, len(known)):
        said = (
            "fewer than two neurons"
            if len(known) < 2
            else "one known group"
            if groups == 1
            else "no two belong together"
        )
        return Score(None, None, f"{said} at this level")
    return Score(float(adjusted_rand_score(known, found)), float(adjusted_mutual_info_score(known, found)))


def matched(
    network: Network,
    found: FoundLevel,
    known: KnownLevel,
    name: str,
    serves: Mapping[NodeId, str | None],
    parts: KnownParts,
) -> Match:
    """Compare a found level with a known one."""
    layout = network.layout
    group_of = {part: number for number, group in enumerate(known) for part in group}
    # an input that is read once a step goes with its first column
    ends = {(layout.inputs, j): group_of[parts.inputs[j]] for j in range(layout.sizes[layout.inputs])}
    ends |= {(layout.outputs, k): group_of[part] for k, part in enumerate(parts.outputs)}
    hidden = {key: group_of[part] for key, part in serves.items() if part is not None}
    scores = [scored(labels_apart(found.partition, labels), list(labels.values())) for labels in (ends, hidden)]
    return Match(found.name, name, *scores)


def known_levels(parts: KnownParts) -> dict[str, KnownLevel]:
    """Name -> level: "flat" for the coarsest, which joins whatever is connected, then "parts of height k" down to 1."""
    levels = parts.hierarchy()
    named = {"flat": levels[-1]}
    return named | {f"parts of height {k}": levels[k - 1] for k in range(len(levels) - 1, 0, -1)}


def labels_apart(partition: Partition, nodes: Iterable[NodeId]) -> list[int]:
    """The number of each neuron's module; unused neurons have numbers of their own."""
    labels = partition.labels(nodes).tolist()
    return [label if label >= 0 else len(partition.modules) + n for n, label in enumerate(labels)]
