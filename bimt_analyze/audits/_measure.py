"""What a measure of an audit is: a question, how it is answered, and how the answer is said, recorded and shown."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from jaxtyping import Float

from bimt_train import Circuit, Entry, InputError, Registry
from bimt_train.checkpoints import Checkpoint, Network, TaskSpec
from bimt_train.expressions import Decomposition

from .._circuit_of import all_inputs, held_out
from .._options import AnalysisOptions
from ..graph import NeuronGraph, NodeId
from ..modules import Choice, Hierarchy, Partition, in_task_order, named_modules
from .functions._functional_modules import FunctionalModules

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Cell = str | int | float | None
Result = TypeVar("Result")


@dataclass(frozen=True)
class Sentence:
    """One statement of a verdict.

    Attributes
    ----------
    topic : str
        The question that it answers, in a word or two.
    text : str
        The statement, with its number.

    Examples
    --------
    >>> from bimt_analyze.audits import Sentence
    >>> Sentence("chance", "3 of 200 networks reach its modularity.").to_json()["topic"]
    'chance'
    """

    topic: str
    text: str

    def to_json(self) -> dict[str, Any]:
        """Topic and text as plain values."""
        return {"topic": self.topic, "text": self.text}


@dataclass(frozen=True, eq=False)
class Figure:
    """A picture of a page.

    Attributes
    ----------
    axes : matplotlib.axes.Axes
        What was drawn.
    caption : str
        What the picture shows, in words.
    narrow : bool
        Whether half the width of the page is enough.

    Examples
    --------
    >>> from matplotlib.figure import Figure as Canvas
    >>> from bimt_analyze.audits import Figure
    >>> Figure(Canvas().subplots(), "Wiring length of random placements.", narrow=True).caption
    'Wiring length of random placements.'
    """

    axes: "Axes"
    caption: str
    narrow: bool = False


@dataclass(frozen=True, eq=False)
class View:
    """How a page shows the result of a measure: pictures, then a table.

    Attributes
    ----------
    figures : tuple of Figure
        The pictures.
    columns : tuple of str
        The names of the table's columns; none for no table.
    rows : tuple of tuple
        One cell a column; numbers stay numbers, None is an empty cell.

    Examples
    --------
    >>> from bimt_analyze.audits import View
    >>> view = View(columns=("module", "share"), rows=(("{x1 -> y1}", 0.5), ("{x2 -> y2}", None)))
    >>> len(view.rows), view.figures
    (2, ())
    """

    figures: tuple[Figure, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()


@dataclass(frozen=True, eq=False)
class AuditSubject:
    """What is audited: all that a measure may look at.

    Attributes
    ----------
    source : str
        Where the network comes from.
    checkpoint : Checkpoint
        The network before pruning, its task and its probe rows.
    circuit : Circuit
        The pruned network, whose modules are audited.
    graph : NeuronGraph
        The graph of the circuit.
    levels : Hierarchy
        The hierarchy of the graph.
    functional : FunctionalModules or None
        Modules by what the network does; None where they cannot be found.
    choice : Choice
        The level that is audited, chosen without looking at the truth.
    options : AnalysisOptions
        Seed, number of null networks and all else that was asked for.
    results : mapping of str to object
        The results of the measures that were made before this one.

    Examples
    --------
    An audit makes its subject; this one is made by hand, to try a measure on.

    >>> import numpy as np
    >>> from bimt_analyze import AnalysisOptions
    >>> from bimt_analyze.audits import MEASURES, AuditSubject
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.modules import choose_level, hierarchy
    >>> from bimt_train.checkpoints import from_state_dict
    >>> from bimt_train.pruning import Circuit
    >>> checkpoint = from_state_dict({"weight": np.eye(2)}, activation="relu", ranges=(-1, 1))
    >>> network, graph = checkpoint.network, neuron_graph(checkpoint.network)
    >>> whole = {group.name: tuple(range(group.size)) for group in network.layout.groups}
    >>> circuit = Circuit(network, whole, 0.0, loss=0.0, full_loss=0.0, tolerance=0.05, refit_steps=0, sweep=())
    >>> levels = hierarchy(graph, resolutions=(1.0,), runs=2)
    >>> subject = AuditSubject(
    ...     source="two wires", checkpoint=checkpoint, circuit=circuit, graph=graph, levels=levels, functional=None,
    ...     choice=choose_level(levels), options=AnalysisOptions(samples=20),
    ... )
    >>> subject.names
    ('{x1 -> y1}', '{x2 -> y2}')
    >>> MEASURES["shared_neurons"].function(subject)
    ()
    """

    source: str
    checkpoint: Checkpoint
    circuit: Circuit
    graph: NeuronGraph
    levels: Hierarchy
    functional: FunctionalModules | None
    choice: Choice
    options: AnalysisOptions
    results: Mapping[str, Any] = field(default_factory=dict)

    @property
    def network(self) -> Network:
        """The circuit's network."""
        return self.circuit.network

    @property
    def task(self) -> TaskSpec:
        """The task of the checkpoint."""
        return self.checkpoint.task

    @property
    def partition(self) -> Partition:
        """The audited modules as a partition."""
        return self.choice.level.partition

    @cached_property
    def modules(self) -> tuple[frozenset[NodeId], ...]:
        """The audited modules, in the order in which the task names their outputs."""
        return in_task_order(self.network, self.partition)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The audited modules as ``{x1, x3 -> y1}``."""
        return tuple(map(str, named_modules(self.network, self.task, self.modules)))

    @cached_property
    def x(self) -> Float[np.ndarray, "rows inputs"]:
        """All rows of the probe as the network sees them."""
        return all_inputs(self.checkpoint)

    @cached_property
    def held_out(self) -> tuple[Float[np.ndarray, "tests inputs"], Float[np.ndarray, "tests *places outputs"]]:
        """The held-out rows as the network sees them, and their targets in its units; classes are one-hot."""
        return held_out(self.checkpoint)

    @property
    def decomposition(self) -> Decomposition | None:
        """The task's known decomposition; None where none is known, or where inputs and outputs are no neurons."""
        return self.task.decomposition if self.network.layout.ends_are_neurons else None

    def need_neurons(self) -> None:
        """Pass if inputs and outputs are neurons, so that single inputs can be varied.

        Raises
        ------
        InputError
            They are not, as in networks that read tokens.
        """
        if not self.network.layout.ends_are_neurons:
            raise InputError("inputs or outputs are no neurons")


Sentences = Callable[[Any, AuditSubject], Iterable[str]]


def _plain(result: Any) -> Any:
    return result.to_json()


def _always(subject: AuditSubject) -> bool:
    return True


def _nothing(result: Any) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class AuditMeasure(Entry):
    """A measure of an audit. ``function`` takes an `AuditSubject` and returns a result.

    What a measure cannot answer it refuses with an `InputError`; the audit then says that the question was not decided,
    and why, and goes on.

    Attributes
    ----------
    question : str
        The question, as it stands after "Not decided: ".
    topic : str
        The topic of its sentences.
    sentences : callable
        (result, subject) -> the statements that the result allows, each with its number.
    record : callable
        result -> plain JSON values for the report; ``result.to_json()`` if left out.
    fields : str
        What the record holds, for the schema.
    absent : object
        The record where there is no result.
    applies : callable
        subject -> whether the question makes sense at all; where it does not, nothing is said.
    undecided : callable
        result -> question -> reason, for parts of the answer that are missing.
    view : callable or None
        (result, subject) -> the pictures and the table of the page.

    Examples
    --------
    >>> from bimt_analyze.audits import MEASURES
    >>> MEASURES["wiring"].label
    'wiring length'
    >>> MEASURES["wiring"].question
    'locality'
    """

    question: str
    topic: str
    sentences: Sentences
    fields: str
    record: Callable[[Any], Any] = _plain
    absent: Any = None
    applies: Callable[[AuditSubject], bool] = _always
    undecided: Callable[[Any], Mapping[str, str]] = _nothing
    view: Callable[[Any, AuditSubject], View] | None = None


_ROOM = "bimt_analyze.measures"

MEASURES: Registry[AuditMeasure] = Registry(
    "audit measure",
    AuditMeasure,
    builtin={
        "edge_weight_robustness": f"{_ROOM}._edge_weights_measure",
        "infomap_check": f"{_ROOM}._edge_weights_measure",
        "subspaces": f"{_ROOM}._subspaces_measure",
        "before_pruning": f"{_ROOM}._before_pruning_measure",
        "nulls": f"{_ROOM}._nulls_measure",
        "retrained": f"{_ROOM}._retrained_measure",
        "thresholds": f"{_ROOM}._thresholds_measure",
        "agreement": f"{_ROOM}._agreement_measure",
        "linear_probes": f"{_ROOM}._linear_probes_measure",
        "module_formulas": f"{_ROOM}._module_formulas_measure",
        "functional_modules": f"{_ROOM}._functional_modules_measure",
        "mean_ablation_effects": f"{_ROOM}._ablation_measure",
        "faithfulness": f"{_ROOM}._ablation_measure",
        "equivalent_modules": f"{_ROOM}._equivalent_modules_measure",
        "wiring": f"{_ROOM}._wiring_measure",
        "shared_neurons": f"{_ROOM}._shared_neurons_measure",
    },
    group="bimt.measures",
)
"""The measures of an audit, in the order of a verdict's sentences."""
