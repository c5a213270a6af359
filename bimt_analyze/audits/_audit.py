"""An audit: all that is measured of a network's modules, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bimt_train import Circuit

from ..graph import NeuronGraph, NodeId
from ..modules import Choice, Hierarchy, Partition
from .ablation._faithfulness import Faithfulness
from .ablation._mean_ablation_effects import Damage
from .chance._retrained import Retrained
from .chance._significance import Significance
from .chance._stream_subspaces import Subspaces
from .chance._wiring import Wiring
from .functions._functional_modules import FunctionalModules
from .functions._linear_probes import Carriers
from .functions._module_comparison import Alike
from .functions._module_formulas import SignalFormula
from .functions._shared_neurons import SharedNeuron
from .robustness._before_pruning import AsTrained
from .robustness._edge_weight_robustness import Weighing
from .robustness._thresholds import Thresholds
from .truth._agreement import Agreement

if TYPE_CHECKING:
    from ._verdict import Verdict


@dataclass(frozen=True)
class SecondOpinion:
    """What `infomap` finds on the same graph.

    Attributes:
        partition: its modules.
        ami: adjusted mutual information with the audited ones.
    """

    partition: Partition
    ami: float

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"method": self.partition.method, "modules": len(self.partition.modules), "ami": self.ami}


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found. Asking it never changes it; the same network, options and seed give the same audit.

    Attributes:
        source: what was audited.
        as_trained: the network before anything is cut; None where it cannot be measured.
        circuit: its pruned network, which all but that, thresholds and faithfulness look at.
        graph: of the circuit, edges weighed by attribution, or by activation where inputs are no neurons.
        levels: the graph's hierarchy.
        functional: modules by what the network does; None where they cannot be found.
        choice: the level that is audited, chosen without looking at the truth.
        modules: its modules, in the order in which the task names their outputs.
        names: of the modules, as ``{x1, x3 -> y1}``.
        weighings: the same under each kind of edge weight; attribution is left out where inputs are no neurons.
        second_opinion: modules by another principle.
        subspaces: of a transformer's residual stream; None for other networks.
        thresholds: over which thresholds the structure is the same.
        nulls: statistic and null model -> test, as ``("specialisation", "rewired")``.
        retrained: "l1", "permuted" -> test against networks trained anew.
        agreement: with the known parts; None where none are known.
        carriers: which module carries which known part; None where no formulas of parts are known.
        signals: what the modules that carry known parts send, as formulas.
        alike: modules that compute the same function, up to an affine change of inputs and output.
        damage: each output without each module; None where it cannot be measured.
        faithfulness: of the circuit; None where it cannot be measured.
        wiring: length of the circuit's wires.
        shared: neurons that several modules have a claim to.
        undecided: what could not be measured -> why.
        seed: of everything random.
    """

    source: str
    as_trained: AsTrained | None
    circuit: Circuit
    graph: NeuronGraph
    levels: Hierarchy
    functional: FunctionalModules | None
    choice: Choice
    modules: tuple[frozenset[NodeId], ...]
    names: tuple[str, ...]
    weighings: tuple[Weighing, ...]
    second_opinion: SecondOpinion
    subspaces: Subspaces | None
    thresholds: Thresholds
    nulls: Mapping[tuple[str, str], Significance]
    retrained: Mapping[str, Retrained]
    agreement: Agreement | None
    carriers: Carriers | None
    signals: tuple[SignalFormula, ...]
    alike: tuple[Alike, ...]
    damage: Damage | None
    faithfulness: Faithfulness | None
    wiring: Wiring
    shared: tuple[SharedNeuron, ...]
    undecided: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("nulls", "retrained", "undecided"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def partition(self) -> Partition:
        """The audited modules as a partition."""
        return self.choice.level.partition

    @property
    def verdict(self) -> "Verdict":
        """What the numbers come to, in plain words."""
        from ._verdict import verdict

        return verdict(self)

    def to_json(self) -> dict[str, Any]:
        """Plain values; modules by their place in ``modules``, from 1."""
        told = self.verdict
        nulls: dict[str, dict[str, Any]] = {}
        for (statistic, model), test in self.nulls.items():
            nulls.setdefault(model, {})[statistic] = test.to_json()
        return {
            "source": self.source,
            "modular": told.modular,
            "verdict": [sentence.to_json() for sentence in told.sentences],
            "as_trained": None if self.as_trained is None else self.as_trained.to_json(),
            "level": self.choice.level.name,
            "reason": self.choice.reason,
            "stability": self.choice.level.stability,
            "modules": list(self.names),
            "functional": None if self.functional is None else self.functional.to_json(),
            "weighings": {one.weights: one.to_json() for one in self.weighings},
            "second_opinion": self.second_opinion.to_json(),
            "subspaces": None if self.subspaces is None else self.subspaces.to_json(),
            "thresholds": self.thresholds.to_json(),
            "nulls": nulls,
            "retrained": {how: one.to_json() for how, one in self.retrained.items()},
            "agreement": None if self.agreement is None else self.agreement.score,
            "carriers": None if self.carriers is None else _from_one(self.carriers.to_json()),
            "signals": _from_one([one.to_json() for one in self.signals]),
            "alike": _from_one([one.to_json() for one in self.alike]),
            "damage": None if self.damage is None else self.damage.to_json(),
            "faithfulness": None if self.faithfulness is None else self.faithfulness.to_json(),
            "wiring": self.wiring.to_json(),
            "shared_neurons": _from_one([one.to_json() for one in self.shared]),
            "undecided": dict(self.undecided),
            "seed": self.seed,
        }

    def summary(self) -> tuple[str, ...]:
        """The verdict, one sentence a line."""
        return tuple(sentence.text for sentence in self.verdict.sentences)


def _from_one(plain: Any) -> Any:
    """The same with modules counted from 1, as a reader counts them and the report does."""
    if isinstance(plain, list):
        return [_from_one(one) for one in plain]
    if not isinstance(plain, dict):
        return plain
    return {key: value + 1 if key in ("module", "representative") else _from_one(value) for key, value in plain.items()}
