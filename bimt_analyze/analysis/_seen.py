"""What an analysis has seen of a network, what it tells of it, and how long its stages took."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..audits import Audit, Significance
from ..audits._deadline import Deadline
from ..audits._subject import Subject
from ..modules import Choice
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


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AnalysisSubject(Subject):
    """What an analysis asks about, how well it does on its rows, and until when there is time to ask.

    Attributes
    ----------
    fit : NetworkFit
        How the network does on its rows.
    deadline : Deadline
        When the last measure of an audit has to end.
    """

    fit: NetworkFit
    deadline: Deadline

    def audit(self, progress: Progress) -> Audit:
        """The audit of the circuit.

        Parameters
        ----------
        progress : callable
            Is called with the label of each measure as it begins.
        """
        return audit_of(self, deadline=self.deadline, progress=progress)


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
