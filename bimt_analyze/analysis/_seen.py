"""What an analysis has seen of a network, what it tells of it, and how long its stages took."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bimt_train import Circuit
from bimt_train.checkpoints import Checkpoint, Network

from ..audits import Audit, Significance
from ..audits._deadline import Deadline
from ..graph import NeuronGraph
from ..modules import Choice, Hierarchy
from ..options._analysis_options import AnalysisOptions
from ..report._network_fit import NetworkFit
from ._run_audit import Progress, audit_of, silent

if TYPE_CHECKING:  # brings torch
    from ..audits.functions._group_significance import GroupSignificance
    from ..audits.functions._input_and_output_groups import InputAndOutputGroups
    from ..audits.truth._agreement import Agreement
    from ..discrete_laws import ClassFormulas
    from ..formulas import Formula
    from ..module_formulas._sent_quantity import ModuleFormulas
    from ..motion import Motion
    from ..motion._driving_graph import DrivingGraph
    from ..representations._interpretation import Interpretation

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stages:
    """Tells what is done now, and keeps how long it took."""

    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def tell(self) -> Progress:
        """What is called with the name of each stage."""
        return self.progress or silent

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done inside.

        Parameters
        ----------
        name : str
            The stage.
        """
        _log.info("analysis: %s", name)
        self.tell(name)
        began = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - began, 3)


@dataclass(frozen=True)
class Seen:
    """What there is to ask about: the network, its circuit, its graph and the graph's hierarchy.

    Attributes
    ----------
    name : str
        What the source is called.
    checkpoint : Checkpoint
        The network before pruning, its task and rows.
    circuit : Circuit
        The pruned network.
    graph : NeuronGraph
        Of the circuit.
    levels : Hierarchy
        Of the graph.
    fit : NetworkFit
        How the network does on its rows.
    options : AnalysisOptions
        All that was asked for, as it takes effect.
    deadline : Deadline
        When the last measure of an audit has to end.
    """

    name: str
    checkpoint: Checkpoint
    circuit: Circuit
    graph: NeuronGraph
    levels: Hierarchy
    fit: NetworkFit
    options: AnalysisOptions
    deadline: Deadline

    @property
    def network(self) -> Network:
        """The circuit's network."""
        return self.circuit.network

    def audit(self, progress: Progress) -> Audit:
        """The audit of the circuit.

        Parameters
        ----------
        progress : callable
            Is called with the label of each measure as it begins.
        """
        return audit_of(
            self.name, self.checkpoint, self.circuit, self.graph, self.levels, self.options,
            deadline=self.deadline, progress=progress,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Told:
    """What came of asking; a field is None, or empty, where nothing was asked or can be known."""

    choice: Choice
    significance: Significance | None = None
    audit: Audit | None = None
    agreement: "Agreement | None" = None
    groups: "InputAndOutputGroups | None" = None
    tested_groups: "GroupSignificance | None" = None
    interpretation: "Interpretation | None" = None
    formulas: "Mapping[str, Formula]" = field(default_factory=dict)
    class_formulas: "ClassFormulas | str" = ""
    module_formulas: "ModuleFormulas | None" = None
    driving: "DrivingGraph | None" = None
    motion: "Motion | None" = None
