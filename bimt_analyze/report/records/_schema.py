"""The published form of report.json, from which docs/report.schema.json is generated."""

from collections.abc import Sequence
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, Field, JsonValue

from ...audits import MEASURES
from ._class_formula_records import ClassFormulasRecord
from ._formula_records import FormulaRecord, SharedRecord
from ._module_formula_records import ModuleFormulasRecord
from ._motion_records import MotionRecord
from ._record_base import Number, OpenRecord, Record


class TaskRecord(Record):
    """What the network was trained on."""

    name: str
    inputs: list[str] = Field(description="Names of the inputs, in the order of the table's columns.")
    outputs: list[str]
    loss: str = Field(description="The loss that was trained on and that pruning watches.")
    notes: list[str] = Field(default=[], description="What was done to rows and columns of the table, a sentence each.")


class OtherReadingRecord(Record):
    """A way to read the network under which it fits its rows better."""

    options: dict[str, str] = Field(description="What to say on the command line in place of what was said.")
    score: Number


class NetworkRecord(Record):
    """How well the network does its task, before anything else is said of it."""

    score: Number = Field(description="r2 or accuracy on all rows; null where the targets are its own outputs.")
    baseline: Number = Field(description="The score of the best answer that is equal for all rows.")
    measure: str | None = Field(description="'r2' or 'accuracy'.")
    loss: Number
    baseline_loss: Number
    outputs: dict[str, Number] = Field(description="The score of each output that is judged by itself.")
    rows: int = Field(description="How many rows it was judged by.")
    fits: bool | None = Field(description="Whether it does its task as it was read; null where no targets are known.")
    statement: str = Field(description="All of this in one line.")
    assumed: list[str] = Field(description="What was not stored with the network, and why it was read as it was.")
    given: list[str] = Field(description="What training began with, and whether the network uses it.")
    better_readings: list[OtherReadingRecord]


class ModuleRecord(Record):
    """A group of neurons that belong together."""

    id: int = Field(description="From 1, in the order in which the task names their outputs.")
    inputs: list[str] = Field(description="The task's inputs in it.")
    outputs: list[str] = Field(description="The task's outputs in it.")
    neurons: list[str] = Field(description="Its hidden neurons, as group.index in the network before pruning.")


class LevelRecord(Record):
    """One way to cut the circuit into modules."""

    name: str = Field(description="Its kind and parameter, as `structure.level` says it.")
    kind: str = Field(description="'components', 'dominators', 'up to layer', 'resolution', 'function' or 'given'.")
    parameter: float = Field(description="The leak, the depth or the resolution; 0 where there is none.")
    modularity: Number = Field(description="At resolution 1.")
    stability: Number = Field(description="Mean pairwise AMI of the runs behind a resolution; null for exact levels.")
    chosen: bool = Field(description="Whether `modules` are this level's.")
    reason: str | None = Field(description="Why it was chosen; null for the others.")
    modules: list[ModuleRecord]


class HierarchyRecord(Record):
    """All levels at which the circuit was cut, from fine to coarse within each kind."""

    levels: list[LevelRecord] = Field(description="Exactly one is chosen.")


class StructureRecord(Record):
    """How the modules were found, and whether they are those that the task is known to have."""

    level: str = Field(description="The level of the hierarchy that the modules are taken from.")
    reason: str = Field(description="Why this level; the rule never sees the decomposition.")
    unused: list[str] = Field(description="Inputs and outputs that no edge of the circuit touches.")
    input_groups: list[list[str]] | None = Field(
        description="Inputs by the sub-function that alone reads them; inputs that several read stand in none. Null "
        "where inputs are no neurons that are read once a row."
    )
    output_groups: list[list[str]] | None = Field(
        description="Outputs by the function that they compute, equal, complementary or scaled; null as input_groups."
    )
    shared_inputs: list[str] | None = Field(description="Inputs that several sub-functions read; null as input_groups.")
    groups_reason: str | None = Field(description="Where inputs fall apart, and why there; null as input_groups.")
    matches_decomposition: bool | None = Field(
        description="Whether the modules' inputs and outputs are exactly those of the task's known decomposition at "
        "some level of its hierarchy; null where none is known."
    )
    decomposition_level: str | None = Field(
        description="That level: 'flat' for the flat grouping, else 'subfunctions of height k'."
    )


class DependencyRecord(OpenRecord):
    """Pairs (output, input) that a path of the circuit joins, against pairs that are known to depend."""

    precision: Number = Field(description="Share of the joined pairs that are known.")
    recall: Number = Field(description="Share of the known pairs that are joined.")
    f1: Number = Field(description="Their harmonic mean.")
    spurious: list[list[str]] = Field(description="Pairs joined, but not known.")
    missing: list[list[str]] = Field(description="Pairs known, but not joined.")


class ScoreRecord(OpenRecord):
    """Two groupings of the same neurons; null where the known one is trivial."""

    ari: Number = Field(description="Adjusted Rand index: 1 for equal groupings, about 0 for chance.")
    ami: Number = Field(description="Adjusted mutual information, of the same scale.")
    reason: str = Field(description="Why there is none, or empty.")


class MatchRecord(OpenRecord):
    """One found level against one known level."""

    found: str
    known: str
    ends: ScoreRecord = Field(description="Over inputs and outputs.")
    hidden: ScoreRecord = Field(description="Over hidden neurons, by the subfunction that it serves.")


class SubfunctionRecord(OpenRecord):
    """The module that comes nearest to a known subfunction."""

    subfunction: str
    module: int | None = Field(description="Its id in `modules`.")
    f1: float = Field(description="Of the inputs that reach the module against those that the subfunction depends on.")


class AgreementRecord(OpenRecord):
    """Modules against the task's known decomposition; all is null where none is known."""

    score: Number = Field(
        default=None,
        description="The headline, from 0 to 1: the smaller of dependencies.f1 and the adjusted mutual information of "
        "`matched`; the former alone where the latter means nothing.",
    )
    dependencies: DependencyRecord | None = None
    flat: MatchRecord | None = Field(default=None, description="The modules against the task's flat grouping.")
    matched: MatchRecord | None = Field(default=None, description="Against the known level that they fit best.")
    best: MatchRecord | None = Field(default=None, description="The best pair of any found and any known level.")
    subfunctions: list[SubfunctionRecord] = Field(default=[])
    leak: Number = Field(
        default=None, description="Share of the network's squared sensitivity that lies where no dependency is known."
    )
    notes: dict[str, str] = Field(default={}, description="Field -> why it is null.")


class SignificanceRecord(OpenRecord):
    """How often a network without structure looks as modular; all is null where it was not tested.

    ``p`` is of all tests. What follows ``wiring_p`` belongs to that test.
    """

    p: Number = Field(
        default=None, description="The headline: the least p of the tests below, times the number of tests made."
    )
    input_groups_p: Number = Field(
        default=None, description="Of structure.input_groups; null where they were not tested."
    )
    output_groups_p: Number = Field(
        default=None, description="Of structure.output_groups; null where they were not tested."
    )
    wiring_p: Number = Field(
        default=None, description="Of the wiring: (1 + null networks at least as specialised) / (1 + all)."
    )
    z: Number = Field(default=None, description="Deviations of the null values above their mean.")
    observed: Number = Field(default=None, description="The statistic of the circuit.")
    null_mean: Number = None
    null_deviation: Number = None
    samples: int | None = Field(default=None, description="How many null networks.")
    statistic: str | None = None
    null_model: str | None = None
    weights: str | None = Field(default=None, description="The edge weights that the statistic reads.")
    seed: int | None = None


class InterpretationRecord(Record):
    """What neurons stand for in the task's own terms: frequencies, irreducible representations, readouts."""

    title: str = Field(description="What the table shows.")
    statement: str = Field(description="What to see in it.")
    columns: list[str]
    rows: list[list[str | int | float | None]] = Field(description="One cell a column.")


class StatementRecord(Record):
    """A sentence of a verdict."""

    topic: str = Field(
        description="verdict, partition, chance, training, threshold, truth, function, circuit, locality, ..."
    )
    text: str


class AuditRecord(OpenRecord):
    """Whether the network is modular, how much of that is chance, and what its modules do; see docs/audit.md."""

    modular: bool = Field(description="Structure in its weights or its table is more than chance: p below 0.05.")
    verdict: list[StatementRecord]
    level: str
    reason: str
    stability: Number = Field(description="Mean pairwise AMI of the runs behind a resolution; null for exact levels.")
    modules: list[str] = Field(description="In the order of `modules` of the report.")
    undecided: dict[str, str] = Field(description="Question that could not be answered -> why.")
    seed: int


class SweepRecord(Record):
    """What is left when weights up to a threshold are cut."""

    threshold: float
    edges: int
    loss: Number
    components: int


class CircuitRecord(Record):
    """The smallest network found that does the task as well, within the tolerance."""

    edges: int
    neurons: int = Field(description="Neurons left, inputs and outputs included.")
    threshold: float = Field(description="Weights of at most this magnitude were cut.")
    loss: Number
    full_loss: Number = Field(description="Of the network before pruning.")
    tolerance: float = Field(description="The loss may exceed full_loss by this fraction of it.")
    refit_steps: int = Field(description="Steps of refitting at every threshold of the sweep.")
    sweep: list[SweepRecord]


class ProvenanceRecord(Record):
    """What would be needed to make this report again."""

    source: str
    versions: dict[str, str]
    seeds: dict[str, int | None] = Field(description="'training' and 'analysis'.")
    parameters: dict[str, JsonValue] = Field(description="Of the analysis.")
    training: dict[str, JsonValue] = Field(description="How the network was trained, as the checkpoint says.")
    seconds: dict[str, float] = Field(description="Wall time of each stage: the only field that varies between runs.")


class ReportFile(Record):
    """report.json of bimt-analyze. Numbers that do not exist or are not finite are null."""

    format: Literal["bimt-report"] = "bimt-report"
    version: Literal[1] = 1
    summary: list[str] = Field(description="The headline in words, one sentence or formula a line.")
    task: TaskRecord
    units: dict[str, str] = Field(
        default={}, description="The unit of measurement of each input and output that has one, by its name."
    )
    network: NetworkRecord | None = Field(default=None, description="Null where it was not asked.")
    modules: list[ModuleRecord]
    hierarchy: HierarchyRecord
    structure: StructureRecord
    formulas: dict[str, FormulaRecord] = Field(description="One for each output.")
    shared: SharedRecord | None = Field(
        default=None, description="What several outputs have in common; null where there is nothing."
    )
    class_formulas: ClassFormulasRecord | None = Field(
        default=None, description="The log-odds of each class; null where targets are numbers, or there are none."
    )
    no_class_formulas: str = Field(
        default="", description="Why a network of classes has no formulas of them; else empty."
    )
    module_formulas: ModuleFormulasRecord | None = Field(
        default=None, description="What each module sends and computes; null where formulas were not asked for."
    )
    motion: MotionRecord | None = Field(
        default=None, description="The system of motion; null where the task is none, as in most."
    )
    agreement: AgreementRecord
    significance: SignificanceRecord
    interpretation: InterpretationRecord | None = Field(
        default=None, description="Null where the task has no terms of its own."
    )
    circuit: CircuitRecord
    audit: AuditRecord | None = Field(default=None, description="Null where none was asked for.")
    provenance: ProvenanceRecord


def known_fields(path: Sequence[str], measures: Sequence[str]) -> tuple[str, ...] | None:
    """The fields at a place of the report.

    Parameters
    ----------
    path : sequence of str
        The names that lead to the place.
    measures : sequence of str
        The names of the audit's measures, which its record does not list.

    Returns
    -------
    tuple of str or None
        Their names; None where the network decides them, or where later versions may add more.
    """
    kind: Any = ReportFile
    for name in path:
        kind = _inside(_without_none(kind), name)
    kind = _without_none(kind)
    if kind is AuditRecord:
        return (*AuditRecord.model_fields, *measures)
    return tuple(kind.model_fields) if isinstance(kind, type) and issubclass(kind, Record) else None


def _inside(kind: Any, name: str) -> Any:
    """The type of a field of a record, or of the items of a list or mapping."""
    if get_origin(kind) in (dict, list):
        return get_args(kind)[-1]
    fields = kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else {}
    return fields[name].annotation if name in fields else Any


def _without_none(kind: Any) -> Any:
    options = get_args(kind)
    return next(one for one in options if one is not NoneType) if NoneType in options else kind


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of report.json.

    Returns
    -------
    dict
        The schema; the fields of an audit are read off the registry of its measures.

    Examples
    --------
    >>> json_schema()["properties"]["format"]["const"]
    'bimt-report'
    """
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema |= ReportFile.model_json_schema(mode="serialization")
    audit = schema["$defs"]["AuditRecord"]["properties"]
    for measure in MEASURES.entries():
        audit[measure.name] = {"title": measure.label, "description": f"{measure.sentence} {measure.fields}"}
    return schema
