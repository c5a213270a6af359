"""The records of formulas in report.json."""

from pydantic import Field

from ._record_base import Number, Record


class ParetoEntryRecord(Record):
    """Another formula that is shorter, or fits better."""

    expression: str
    complexity: int
    error: Number = Field(description="Root mean square residual over the output's deviation.")


class StructuralTestRecord(Record):
    """What a structural test of the network showed of one property."""

    kind: str = Field(description="depends, added, multiplied, combined, symmetric, even, odd, periodic, ...")
    inputs: list[str]
    detail: str = Field(description="The property in words.")
    departure: Number = Field(description="0 where it holds exactly, about 1 where not at all.")
    limit: Number = Field(description="The departure that the function's own error explains.")
    source: str = Field(description="Who was asked: the network, or a surrogate fitted to its rows.")


class DivergenceRecord(Record):
    """The part of the network that a formula misses most."""

    inputs: list[str]
    share: Number = Field(description="Of the mean squared difference, 0 to 1.")
    r2: Number = Field(description="Of the formula's part against the network's.")


class FormulaRecord(Record):
    """What one output computes."""

    expression: str = Field(description="sympy text in the task's own names.")
    latex: str
    variables: list[str] = Field(description="The inputs that it uses.")
    r2: Number = Field(description="1 - residual variance / variance, on the training rows.")
    r2_network: Number = Field(description="r2 against the network's own outputs, on fresh points in the ranges.")
    exact: bool = Field(description="Verified by canonical form and numbers, or by the rows where no truth is known.")
    complexity: int = Field(description="Nodes of the expression.")
    canonical: str = Field(description="Formula minus truth: equal, different, undecided, or no truth.")
    message: str = Field(description="Why it is exact, or what speaks against it.")
    pareto_front: list[ParetoEntryRecord]
    test_results: list[StructuralTestRecord] = Field(
        default=[], description="What structural tests proposed; empty where none were made."
    )
    divergence: DivergenceRecord | None = Field(
        default=None, description="Where r2_network is below 0.999 and it is not exact."
    )


class SharedPartRecord(Record):
    """A part that is used more than once."""

    name: str
    expression: str = Field(description="sympy text in the inputs' names and those of earlier parts.")
    outputs: list[str] = Field(description="The outputs that use it, also by way of other parts.")


class SharedRecord(Record):
    """The formulas once more, what they have in common named once."""

    parts: list[SharedPartRecord] = Field(description="Each uses only earlier ones.")
    outputs: dict[str, str] = Field(description="Output -> expression in the inputs and parts.")
