"""The audit of a graph without its network: modules, and whether chance could bring them. Only weights are seen."""

from dataclasses import dataclass
from typing import Any

from bimt_train.showing import Shown, cut

from ..graph import NeuronGraph
from ..modules import Choice, Partition, infomap
from ..modules._level_choice import chosen_level
from .chance._significance import Significance, significance
from .robustness._edge_weight_robustness import partition_ami

LINE, MOST = 110, 20  # characters of a module's line, and lines, at most
UNTESTED = "the graph does not say where it begins and ends, which null networks keep"


@dataclass(frozen=True, eq=False, repr=False)
class GraphAudit(Shown):
    """What the weights of a graph say of its modules.

    Attributes
    ----------
    graph : NeuronGraph
        What was looked at.
    choice : Choice
        The level of the hierarchy that is reported, and the rule by which it was chosen.
    infomap : Partition
        What Infomap finds.
    infomap_ami : float
        Adjusted mutual information of Infomap's modules and the chosen ones: 1 for equal ones, about 0 for chance.
    significance : Significance or None
        Specialisation held against null networks with the same degrees; None where that was not tested.
    untested : str
        Why not; empty where it was.

    Examples
    --------
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> print(audit_graph(neuron_graph(block_network(blocks=[(1, 2, 1)] * 2, seed=0).network), samples=19))
    GraphAudit(8 nodes, 8 edges by magnitude; 2 modules)
    """

    graph: NeuronGraph
    choice: Choice
    infomap: Partition
    infomap_ami: float
    significance: Significance | None
    untested: str = ""

    def _brief(self) -> str:
        return f"{self.graph._brief()}; {len(self.modules)} modules"

    @property
    def modules(self) -> tuple[tuple[str, ...], ...]:
        """The labels of the nodes of each module, largest module first; nodes in the order of the graph."""
        sets = self.choice.partition.modules
        named = [tuple(node.label for node in self.graph.nodes if node.key in module) for module in sets]
        return tuple(sorted(named, key=lambda module: (-len(module), module)))

    def summary(self) -> tuple[str, ...]:
        """The findings in sentences, a line each."""
        groups = ", ".join(f"{group} {len(self.graph.members(group))}" for group in self.graph.groups[:8])
        more = f", ... {len(self.graph.groups)} in all" if len(self.graph.groups) > 8 else ""
        level, tested = self.choice.level, self.significance
        chance = f"not tested, as {self.untested}"
        if tested is not None:
            chance = f"{tested.p_and_z}, {len(tested.null)} null networks with the same degrees: {tested.conclusion}"
        return (
            f"graph: {self.graph._brief()}; groups {groups}{more}",
            f"{len(self.modules)} module{'' if len(self.modules) == 1 else 's'}: {self.choice.reason}",
            *(cut(f"  {len(module)}: {', '.join(module)}", LINE) for module in self.modules[:MOST]),
            *([f"  and {len(self.modules) - MOST} more"] if len(self.modules) > MOST else []),
            f"modularity {level.modularity:.3f}; Infomap's modules agree with them to AMI {self.infomap_ami:.2f}",
            f"chance: {chance}",
            "weights alone were looked at; what the modules do, they do not tell",
        )

    def to_json(self) -> dict[str, Any]:
        """The findings as plain values.

        Returns
        -------
        dict
            ``format``, ``nodes``, ``edges``, ``modules`` (labels), ``level``, ``reason``, ``modularity``,
            ``stability``, ``infomap`` and ``significance``, which is null where it was not tested.
        """
        level, tested = self.choice.level, self.significance
        return {
            "format": "bimt-graph",
            "version": 1,
            "nodes": len(self.graph.nodes),
            "edges": len(self.graph.edges.weight),
            "modules": [list(module) for module in self.modules],
            "level": level.name,
            "reason": self.choice.reason,
            "modularity": level.modularity,
            "stability": level.stability,
            "infomap": {"modules": len(self.infomap.modules), "ami": self.infomap_ami},
            "significance": None
            if tested is None
            else {"p": tested.p, "z": tested.z, "statistic": tested.statistic, "null_model": tested.null_model,
                  "samples": len(tested.null), "seed": tested.seed},
            "untested": self.untested,
        }  # fmt: skip


def audit_graph(graph: NeuronGraph, *, samples: int = 200, seed: int = 0) -> GraphAudit:
    """Find the modules of a graph, and hold them against chance, by its weights alone.

    This is for graphs whose network is not at hand: of `bimt_analyze.graph.read_graph`, or of another program. With the
    network, `bimt_analyze.audit` also says what modules do.

    Parameters
    ----------
    graph : NeuronGraph
        Any.
    samples : int, default 200
        Null networks; 0 tests nothing.
    seed : int, default 0
        Of everything random.

    Returns
    -------
    GraphAudit
        Modules, modularity, Infomap's opinion, and p where the graph says where it begins and ends.

    Examples
    --------
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> found = audit_graph(neuron_graph(block_network(blocks=[(2, 3, 1)] * 2, seed=0).network), samples=99)
    >>> len(found.modules), round(found.choice.level.modularity, 2)
    (2, 0.4)
    """
    choice = chosen_level(graph, seed=seed)
    second = infomap(graph, seed=seed)
    untested = "" if graph.has_ends else UNTESTED
    if graph.has_ends and not samples:
        untested = "no null networks were asked for"
    tested = None if untested else significance(graph, samples=samples, seed=seed)
    return GraphAudit(graph, choice, second, partition_ami(choice.partition, second), tested, untested)
