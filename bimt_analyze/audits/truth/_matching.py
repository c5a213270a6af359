"""Found modules against the known decomposition: adjusted scores that say when they mean nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bimt_train.checkpoints import Network
from bimt_train.expressions import Decomposition
from bimt_train.showing import Shown

from ...graph import NodeId
from ...modules import Partition, adjusted_mutual_information
from ...modules._hierarchy import Level as FoundLevel
from ...modules._labelling_agreement import adjusted_rand

KnownLevel = tuple[frozenset[str], ...]


@dataclass(frozen=True, repr=False)
class Score(Shown):
    """Adjusted Rand index and adjusted mutual information of a found grouping and a known one.

    The scores are scikit-learn's; both are None, with the reason, where the known grouping is trivial.

    Attributes
    ----------
    ari : float or None
        (Rand - expected) / (1 - expected): 1 for equal groupings, about 0 for chance, below 0 for worse.
    ami : float or None
        (mutual information - expected) / (mean of the entropies - expected).
    reason : str
        Why there is no score, or empty.

    Examples
    --------
    >>> from bimt_analyze.audits.truth._matching import Score
    >>> Score(ari=None, ami=None, reason="one known group at this level").to_json()["ami"] is None
    True
    """

    ari: float | None
    ami: float | None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return dict(vars(self))


@dataclass(frozen=True, repr=False)
class Match(Shown):
    """One found level against one known level.

    Attributes
    ----------
    found : str
        Name of the found level.
    known : str
        Name of the known level.
    ends : Score
        Score over inputs and outputs; an input that the network does not use is a group of its own.
    hidden : Score
        Score over hidden neurons that serve a subfunction (`subfunction_of`); a neuron's true group is that of its
        subfunction.

    Examples
    --------
    >>> from bimt_analyze.audits.truth._matching import Match, Score
    >>> Match("components", "flat", ends=Score(1.0, 1.0), hidden=Score(0.4, 0.5)).ami
    0.5
    """

    found: str
    known: str
    ends: Score
    hidden: Score

    @property
    def ami(self) -> float | None:
        """The smaller adjusted mutual information of ``ends`` and ``hidden``, of those that mean something.

        None where neither does.
        """
        return min((s.ami for s in (self.ends, self.hidden) if s.ami is not None), default=None)

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"found": self.found, "known": self.known, "ends": self.ends.to_json(), "hidden": self.hidden.to_json()}


def scored(found: Sequence[int], known: Sequence[int]) -> Score:
    """Score a found grouping against a known one, where the known one is not trivial.

    A known grouping of one group, or with every item alone, would score 1 against itself and 0 against all else,
    whatever the found grouping is like.

    Parameters
    ----------
    found : sequence of int
        Number of the found group of each item.
    known : sequence of int
        Number of the known group of each item.

    Returns
    -------
    Score
        Both scores, or why there are none.
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
    return Score(adjusted_rand(known, found), adjusted_mutual_information(known, found))


def matched(
    network: Network,
    found: FoundLevel,
    known: KnownLevel,
    name: str,
    serves: Mapping[NodeId, str | None],
    decomposition: Decomposition,
) -> Match:
    """Compare a found level with a known one.

    Parameters
    ----------
    network : Network
        The network, for its inputs and outputs.
    found : FoundLevel
        The found level.
    known : KnownLevel
        The known level, as sets of names of inputs and subfunctions.
    name : str
        Name of the known level.
    serves : mapping of (str, int) to str or None
        Hidden neuron -> the subfunction that it serves.
    decomposition : Decomposition
        The task's decomposition, which names inputs and outputs.

    Returns
    -------
    Match
        Scores over inputs and outputs, and over hidden neurons.
    """
    layout = network.layout
    group_of = {part: number for number, group in enumerate(known) for part in group}
    # an input that is read once a step goes with its first column
    columns = list(zip(decomposition.inputs, layout.input_neurons, strict=True))
    ends = {(layout.inputs, j): group_of[name] for name, j in reversed(columns) if j >= 0}
    ends |= {(layout.outputs, k): group_of[part] for k, part in enumerate(decomposition.outputs)}
    hidden = {key: group_of[part] for key, part in serves.items() if part is not None}
    scores = [scored(labels_apart(found.partition, labels), list(labels.values())) for labels in (ends, hidden)]
    return Match(found.name, name, *scores)


def known_levels(decomposition: Decomposition) -> dict[str, KnownLevel]:
    """Levels of the known hierarchy: "flat" for the coarsest, then "subfunctions of height k" down to 1.

    Parameters
    ----------
    decomposition : Decomposition
        The task's decomposition.

    Returns
    -------
    dict of str to KnownLevel
        Name -> level; "flat" joins whatever is connected.
    """
    levels = decomposition.hierarchy()
    named = {"flat": levels[-1]}
    return named | {f"subfunctions of height {k}": levels[k - 1] for k in range(len(levels) - 1, 0, -1)}


def labels_apart(partition: Partition, nodes: Iterable[NodeId]) -> list[int]:
    """The number of each neuron's module; unused neurons have numbers of their own.

    Parameters
    ----------
    partition : Partition
        The modules.
    nodes : iterable of (str, int)
        Which neurons.

    Returns
    -------
    list of int
        One number a neuron.

    Examples
    --------
    >>> from bimt_analyze.audits.truth._matching import labels_apart
    >>> from bimt_analyze.modules import Partition
    >>> partition = Partition((frozenset({("h", 0), ("h", 1)}),), frozenset({("h", 2)}))
    >>> labels_apart(partition, [("h", 0), ("h", 1), ("h", 2)])
    [0, 0, 3]
    """
    labels = partition.labels(nodes).tolist()
    return [label if label >= 0 else len(partition.modules) + n for n, label in enumerate(labels)]
