"""The published form of report.json, from which docs/report.schema.json is generated."""

import math
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Number: TypeAlias = float | None


class _Record(BaseModel):
    """Fields are what they say, and no others are there."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)


class _OpenRecord(BaseModel):
    """These fields are there; later versions may add more."""

    model_config = ConfigDict(extra="allow", allow_inf_nan=False, frozen=True)


class TaskRecord(_Record):
    """What the network was trained on."""

    name: str
    inputs: list[str] = Field(description="Names of the inputs, in the order of the table's columns.")
    outputs: list[str]
    loss: str = Field(description="The loss that was trained on and that pruning watches.")


class ModuleRecord(_Record):
    """A group of neurons that belong together."""

    id: int = Field(description="From 1, in the order in which the task names their outputs.")
    inputs: list[str] = Field(description="The task's inputs in it.")
    outputs: list[str] = Field(description="The task's outputs in it.")
    neurons: list[str] = Field(description="Its hidden neurons, as group.index in the network before pruning.")


class StructureRecord(_Record):
    """How the modules were found, and whether they are those that the task is known to have."""

    level: str = Field(description="The level of the hierarchy that the modules are taken from.")
    reason: str = Field(description="Why this level; the rule never sees the known parts.")
    unused: list[str] = Field(description="Inputs and outputs that no edge of the circuit touches.")
    as_built: bool | None = Field(
        description="Whether the modules' inputs and outputs are exactly those of the task's known parts at some level "
        "of their hierarchy; null where no parts are known."
    )
    as_built_level: str | None = Field(description="That level: 'whole' for the flat grouping, else 'level k of n'.")


class RivalRecord(_Record):
    """Another formula that is shorter, or fits better."""

    expression: str
    complexity: int
    error: Number = Field(description="Root mean square residual over the output's deviation.")


class FormulaRecord(_Record):
    """What one output computes."""

    expression: str = Field(description="sympy text in the task's own names.")
    latex: str
    variables: list[str] = Field(description="The inputs that it uses.")
    r2: Number = Field(description="1 - residual variance / variance, on the training rows.")
    r2_network: Number = Field(description="The same against the network's own outputs, on fresh points in the ranges.")
    exact: bool = Field(description="Proven by canonical form and by numbers, or where no truth is known by the rows.")
    complexity: int = Field(description="Nodes of the expression.")
    canonical: str = Field(description="Formula minus truth: equal, different, undecided, or no truth.")
    message: str = Field(description="Why it is exact, or what speaks against it.")
    rivals: list[RivalRecord]


class AgreementRecord(_OpenRecord):
    """Modules against the task's known parts; every score is null where no parts are known."""

    score: Number = Field(description="The headline.")


class SignificanceRecord(_OpenRecord):
    """How often a network without modular structure looks as modular."""

    p: Number = Field(description="The headline; null where it was not tested.")


class SweepRecord(_Record):
    """What is left when weights up to a threshold are cut."""

    threshold: float
    edges: int
    loss: Number
    components: int


class CircuitRecord(_Record):
    """The smallest network found that does the task as well, within the tolerance."""

    edges: int
    neurons: int = Field(description="Neurons left, inputs and outputs included.")
    threshold: float = Field(description="Weights of at most this magnitude were cut.")
    loss: Number
    full_loss: Number = Field(description="Of the network before pruning.")
    tolerance: float = Field(description="The loss may exceed full_loss by this fraction of it.")
    refit_steps: int = Field(description="Steps of refitting at every threshold of the sweep.")
    sweep: list[SweepRecord]


class ProvenanceRecord(_Record):
    """What would be needed to make this report again."""

    source: str
    versions: dict[str, str]
    seeds: dict[str, int | None] = Field(description="'training' and 'analysis'.")
    parameters: dict[str, JsonValue] = Field(description="Of the analysis.")
    training: dict[str, JsonValue] = Field(description="How the network was trained, as the checkpoint says.")
    seconds: dict[str, float] = Field(description="Wall time of each stage: the only field that varies between runs.")


class ReportFile(_Record):
    """report.json of bimt-analyze. Numbers that do not exist or are not finite are null."""

    format: Literal["bimt-report"] = "bimt-report"
    version: Literal[1] = 1
    summary: list[str] = Field(description="The headline in words, one sentence or formula a line.")
    task: TaskRecord
    modules: list[ModuleRecord]
    structure: StructureRecord
    formulas: dict[str, FormulaRecord] = Field(description="One for each output.")
    agreement: AgreementRecord
    significance: SignificanceRecord
    circuit: CircuitRecord
    provenance: ProvenanceRecord


def json_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of report.json."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return schema | ReportFile.model_json_schema(mode="serialization")


def finite(value: Any) -> Any:
    """The same plain value with null for every number that is not finite."""
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
