"""An audit as one value: the results of every measure, and the verdict that they allow."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bimt_train import InputError
from bimt_train.extras import MissingExtra, need
from bimt_train.frozen import FrozenDict
from bimt_train.pruning import Circuit
from bimt_train.showing import Shown, to_cell

from ..graph import NeuronGraph, NodeId
from ..modules import Choice, Hierarchy, Partition
from ..options._analysis_options import AnalysisOptions
from ._audit_subject import AuditSubject
from ._deadline import Deadline
from ._measure import MEASURES, AuditMeasure
from ._verdict import Verdict, verdict

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, repr=False)
class Audit(Shown, Mapping[str, Any]):
    """What an audit found: a mapping from the name of a measure to its result.

    A measure without a result is not in the mapping; ``undecided`` says why. Questions to an audit never change it, and
    one network with one set of options always gives one audit.

    Attributes
    ----------
    subject : AuditSubject
        What was audited, with the results of all measures.
    verdict : Verdict
        What the results come to, in plain words.
    undecided : mapping of str to str
        Question that could not be answered -> why.

    Examples
    --------
    >>> from bimt_analyze import audit
    >>> from bimt_analyze.synthetic import block_network
    >>> planted = block_network(blocks=[(1, 2, 1)] * 2, seed=1)
    >>> found = audit(planted.network, x=planted.x, samples=20, retrain_steps=0, refit_steps=0)
    >>> len(found.modules), found["infomap_check"].ami, "agreement" in found
    (2, 1.0, False)
    """

    subject: AuditSubject
    verdict: Verdict
    undecided: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "undecided", FrozenDict(self.undecided))

    __eq__, __hash__ = object.__eq__, object.__hash__  # results hold arrays, which a mapping would compare

    def _brief(self) -> str:
        return f"{self.subject.checkpoint.task.name}: {self.verdict._brief()}"

    def _repr_html_(self) -> str:
        rows = [(one.topic, one.text) for one in self.verdict.sentences[1:]]
        return to_cell(f"Audit of {self._brief()}", columns=("question", "answer"), rows=rows)

    def to_frame(self) -> "pd.DataFrame":
        """One row a statement of the verdict.

        Returns
        -------
        pandas.DataFrame
            ``topic`` and ``text``.
        """
        need("pandas", "to_frame()")
        import pandas as pd

        return pd.DataFrame([one.to_json() for one in self.verdict.sentences])

    @property
    def results(self) -> Mapping[str, Any]:
        """Name of a measure -> its result, in the order of `MEASURES`."""
        return self.subject.results

    def __getitem__(self, name: str) -> Any:
        return self.results[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    @property
    def circuit(self) -> Circuit:
        """The pruned network whose modules were audited."""
        return self.subject.circuit

    @property
    def graph(self) -> NeuronGraph:
        """The graph of the circuit."""
        return self.subject.graph

    @property
    def levels(self) -> Hierarchy:
        """The hierarchy of the graph."""
        return self.subject.levels

    @property
    def choice(self) -> Choice:
        """The level that was audited, and why it was chosen."""
        return self.subject.choice

    @property
    def partition(self) -> Partition:
        """The audited modules as a partition."""
        return self.subject.partition

    @property
    def modules(self) -> tuple[frozenset[NodeId], ...]:
        """The audited modules, in the order in which the task names their outputs."""
        return self.subject.modules

    @property
    def names(self) -> tuple[str, ...]:
        """The modules as ``{x1, x3 -> y1}``."""
        return self.subject.names

    def to_json(self) -> dict[str, Any]:
        """The audit as plain values: one record a measure; modules by their place in ``modules``, from 1."""
        level = self.choice.level
        core = {
            "source": self.subject.source,
            "modular": self.verdict.modular,
            "verdict": [sentence.to_json() for sentence in self.verdict.sentences],
            "level": level.name,
            "reason": self.choice.reason,
            "stability": level.stability,
            "modules": list(self.names),
            "undecided": dict(self.undecided),
            "seed": self.subject.options.seed,
        }
        every = {measure.name: measure for measure in _loaded(self.subject.options)[0]}
        names = dict.fromkeys((*MEASURES, *self.results))
        return core | {name: self._record(every[name]) for name in names if name in every}

    def _record(self, measure: AuditMeasure) -> Any:
        if measure.name not in self.results:
            return measure.absent
        return measure.record(self.results[measure.name])

    def summary(self) -> tuple[str, ...]:
        """The verdict, one sentence a line."""
        return tuple(sentence.text for sentence in self.verdict.sentences)


def audited(subject: AuditSubject, *, deadline: Deadline | None = None, progress: Any = None) -> Audit:
    """Make every measure of a subject: those that take least first.

    Parameters
    ----------
    subject : AuditSubject
        What is audited.
    deadline : Deadline or None
        When the last measure has to end. A measure that would end later is left out, with a word; those that decide,
        and those that the options name, are made all the same.
    progress : callable or None
        Is called with the label of each measure as it begins.

    Returns
    -------
    Audit
        Results in the order of `MEASURES`, then of the options; verdict, and what could not be decided.

    Raises
    ------
    InputError
        A measure of the options is not there.
    """
    results: dict[str, Any] = {}
    undecided: dict[str, str] = {}
    end, efforts, seconds = deadline or Deadline.after(0), 0.0, 0.0
    asked = [MEASURES[name] for name in subject.options.measures]
    measures, absent = _loaded(subject.options)
    for measure in measures:
        now = replace(subject, results=FrozenDict(results))
        if not measure.applies(now):
            continue
        if measure not in asked and measure.effort:
            large = subject.graph.is_backbone and not measure.large
            late = end.leaves_out(measure.effort * seconds / efforts if efforts else 0.0)
            if why := subject.too_large_for(measure.name) if large else late:
                undecided[measure.question] = why
                continue
        _log.info("audit: %s", measure.label)
        if progress is not None:
            progress(measure.label)
        began = time.monotonic()
        try:
            result = measure.function(now)
        except MissingExtra as error:
            absent[measure.name] = error
            continue
        except InputError as error:
            undecided[measure.question] = str(error)
            continue
        efforts, seconds = efforts + measure.effort, seconds + (time.monotonic() - began if measure.effort else 0.0)
        results[measure.name] = result
        undecided |= measure.undecided(result)
    order = (*MEASURES, *(one.name for one in asked))
    in_order = FrozenDict({name: results[name] for name in order if name in results})
    done = replace(subject, results=in_order)
    undecided |= _left_out(absent)
    return Audit(done, verdict(done, undecided), undecided)


def by_effort(options: AnalysisOptions) -> tuple[AuditMeasure, ...]:
    """The measures of an audit, those that the options add too, in the order in which they are made.

    Parameters
    ----------
    options : AnalysisOptions
        The options of the audit.

    Returns
    -------
    tuple of AuditMeasure
        The least effort first.

    Raises
    ------
    InputError
        A measure of the options is not there.
    """
    return _loaded(options)[0]


def _loaded(options: AnalysisOptions) -> tuple[tuple[AuditMeasure, ...], dict[str, MissingExtra]]:
    """The measures by effort, and why others cannot be loaded: their packages are not installed."""
    every, absent = dict[str, AuditMeasure](), dict[str, MissingExtra]()
    for name in (*MEASURES, *options.measures):
        try:
            measure = MEASURES[name]
        except MissingExtra as error:
            absent[name] = error
        else:
            every[measure.name] = measure
    return tuple(sorted(every.values(), key=lambda one: one.effort)), absent


def _left_out(absent: Mapping[str, MissingExtra]) -> dict[str, str]:
    """What the measures would tell whose packages are not installed, a line a command that brings them."""
    told: dict[str, list[str]] = {}
    for name, error in absent.items():
        told.setdefault(error.hint, []).append(name)
    return {
        f"what these would tell: {', '.join(names)}": f"left out, and {command} brings what they need"
        for command, names in told.items()
    }
