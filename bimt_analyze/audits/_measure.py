"""What a measure of an audit is: a question, how it is answered, and how the answer is said, recorded and shown."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bimt_train.registry import Entry, Registry
from bimt_train.showing import Shown

if TYPE_CHECKING:  # brings torch, which a reader of the registry does without
    from matplotlib.axes import Axes

    from ._audit_subject import AuditSubject

Cell = str | int | float | None


@dataclass(frozen=True, repr=False)
class Sentence(Shown):
    """One statement of a verdict.

    Attributes
    ----------
    topic : str
        The question that it answers, in a word or two.
    text : str
        The statement, with its number.

    Examples
    --------
    >>> from bimt_analyze.audits._measure import Sentence
    >>> Sentence("chance", "3 of 200 networks reach its modularity.").to_json()["topic"]
    'chance'
    """

    topic: str
    text: str

    def _brief(self) -> str:
        return f"{self.topic}: {self.text}"

    def to_json(self) -> dict[str, Any]:
        """Topic and text as plain values."""
        return {"topic": self.topic, "text": self.text}


@dataclass(frozen=True, eq=False, repr=False)
class Figure(Shown):
    """A picture of a page.

    Attributes
    ----------
    axes : matplotlib.axes.Axes
        What was drawn.
    caption : str
        How to read the picture.
    alt : str
        What the picture shows, in words and numbers, for those who do not see it; left out, the caption.

    Examples
    --------
    >>> from matplotlib.figure import Figure as Canvas
    >>> from bimt_analyze.audits._measure import Figure
    >>> Figure(Canvas().subplots(), "Wiring length of random placements.").caption
    'Wiring length of random placements.'
    """

    axes: "Axes"
    caption: str
    alt: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class View(Shown):
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


Sentences = Callable[[Any, "AuditSubject"], Iterable[str]]


def _plain(result: Any) -> Any:
    return result.to_json()


def _always(subject: "AuditSubject") -> bool:
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
    effort : float
        How long it takes, in proportion to the others: measures are made in the order of their efforts, and a time
        limit leaves out those with the most. 0 for a measure that the verdict cannot do without.
    large : bool
        Whether it can be made of a network of ten million weights and more, in minutes. If not, it is left out there,
        with a word, unless the options name it.

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
    applies: Callable[["AuditSubject"], bool] = _always
    undecided: Callable[[Any], Mapping[str, str]] = _nothing
    view: Callable[[Any, "AuditSubject"], View] | None = None
    effort: float = 1.0
    large: bool = False


_ROOM = "bimt_analyze.measures"

MEASURES: Registry[AuditMeasure] = Registry(
    "audit measure",
    AuditMeasure,
    builtin={
        "edge_weight_robustness": f"{_ROOM}._edge_weights_measure",
        "infomap_check": f"{_ROOM}._edge_weights_measure",
        "subspaces": f"{_ROOM}._subspaces_measure",
        "before_pruning": f"{_ROOM}.circuits._before_pruning_measure",
        "nulls": f"{_ROOM}._nulls_measure",
        "group_significance": f"{_ROOM}._group_significance_measure",
        "retrained": f"{_ROOM}._retrained_measure",
        "thresholds": f"{_ROOM}.circuits._thresholds_measure",
        "agreement": f"{_ROOM}._agreement_measure",
        "linear_probes": f"{_ROOM}._linear_probes_measure",
        "subfunction_formulas": f"{_ROOM}._subfunction_formulas_measure",
        "functional_modules": f"{_ROOM}._functional_modules_measure",
        "mean_ablation_effects": f"{_ROOM}.circuits._ablation_measure",
        "faithfulness": f"{_ROOM}.circuits._ablation_measure",
        "circuit_controls": f"{_ROOM}.circuits._circuit_controls_measure",
        "equivalent_modules": f"{_ROOM}._equivalent_modules_measure",
        "wiring": f"{_ROOM}._wiring_measure",
        "shared_neurons": f"{_ROOM}._shared_neurons_measure",
    },
    group="bimt.measures",
)
"""The measures of an audit, in the order of a verdict's sentences."""
