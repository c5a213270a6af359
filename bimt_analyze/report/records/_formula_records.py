"""The records of formulas in report.json."""

from pydantic import Field

from ._record_base import Number, Record


class ParetoEntryRecord(Record):
    """Another formula that is shorter, or fits better."""

    expression: str
    complexity: int
    error: Number = Field(description="Root mean square residual over the output's deviation.")
    bits: Number = Field(description="By how many bits its description is longer than that of the formula chosen.")
    readable: str = Field(description="The expression with its decimals to six digits.")


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


class RivalRecord(Record):
    """Another formula of comparable length that meets the rows as well."""

    expression: str = Field(description="sympy text in the task's own names.")
    origin: str = Field(description="Where it comes from: a series, a limit, a relation among the inputs.")
    decided_by: list[dict[str, float]] = Field(description="Rows that would decide: a value of every input.")
    gap: Number = Field(description="By how much the two part at the first of them, over the output's deviation.")


class DataVerdictRecord(Record):
    """What may be said of a formula as a law of the data."""

    word: str = Field(description="A word of DATA_WORDS, from exact to none.")
    statement: str = Field(description="What the word rests on, in one sentence.")
    rivals: list[RivalRecord] = Field(default=[], description="Other formulas that meet the rows as well.")
    relations: list[str] = Field(default=[], description="Relations among the inputs that hold on every row.")
    precision: str = Field(description="How finely the rows are written: double, float32, or so many decimals.")
    training_rows: int = Field(description="Different rows that were searched.")
    held_out_rows: int = Field(description="Different rows held out that repeat none of those.")
    apart: list[int] = Field(
        default=[],
        description="Training rows that stand apart and were left out, numbered from 0.",
    )


class NetworkVerdictRecord(Record):
    """How far the network follows a formula, on fresh points within the ranges."""

    word: str = Field(description="follows, close, rough, or departs.")
    r2: Number = Field(description="Of the formula against the network's own outputs.")
    worst: Number = Field(description="The largest deviation, over the network's own.")
    points: int = Field(description="Fresh points that were compared.")


class NetworkFormulaRecord(NetworkVerdictRecord):
    """A formula of the network's own answers, and how far the network follows it."""

    expression: str = Field(description="sympy text in the task's own names.")
    readable: str = Field(description="The expression with no more digits than the answers justify.")
    latex: str


class ConstantRecord(Record):
    """A measured constant of a formula and its interval; an end that the rows leave open is null."""

    number: str = Field(description="The constant as it stands in the expression.")
    value: Number = Field(description="Its least-squares value with all other constants free.")
    low: Number = Field(description="The lower end of its interval.")
    high: Number = Field(description="The upper end.")
    level: float = Field(description="The confidence, 0.95 for 95 %.")
    error: Number = Field(description="The standard error from the slopes at the optimum.")
    method: str = Field(description="profile (of the likelihood), or asymptotic where that came to no end.")
    words: str = Field(description="Value and interval in the digits that the interval justifies.")
    agrees_with: list[str] = Field(description="Known constants in the interval, where chance is improbable.")


class ChiSquareRecord(Record):
    """Whether the rows are met within their stated errors."""

    value: Number = Field(description="The sum of ((y - formula) / sigma)**2.")
    freedom: int = Field(description="Rows less fitted constants.")
    p: float = Field(description="How often it would be larger by chance.")
    words: str


class FormulaRecord(Record):
    """What one output computes."""

    expression: str = Field(description="sympy text in the task's own names.")
    readable: str = Field(description="The expression with each measured constant to the digits that it is known to.")
    latex: str = Field(description="The readable expression in LaTeX.")
    constants: list[ConstantRecord] = Field(
        default=[], description="The measured constants, where the rows are noisy, in the order of the expression."
    )
    variables: list[str] = Field(description="The inputs that it uses.")
    r2: Number = Field(description="1 - residual variance / variance, on the training rows.")
    exact: bool = Field(description="Whether it is the law of the data itself, and the network fits its rows.")
    identified: bool = Field(description="Whether its form is: its word is none of the last three.")
    data: DataVerdictRecord | None = Field(description="The verdict on it as a law of the data; null if unverified.")
    network: NetworkVerdictRecord | None = Field(description="How far the network follows it.")
    complexity: int = Field(description="Nodes of the expression.")
    canonical: str = Field(description="Formula minus truth: equal, different, undecided, or no truth.")
    message: str = Field(description="Why it is exact, or what speaks against it.")
    cut_after: float | None = Field(
        default=None,
        description="Seconds after which the clock cut its search short, so that another run may find more; null where "
        "the search ended by itself or with its budget of work.",
    )
    pareto_front: list[ParetoEntryRecord]
    units: str = Field(
        default="",
        description="Whether its units agree, and which units its numbers must have; empty where none are known.",
    )
    choice: str = Field(description="Why it was chosen of the front, and by which margin.")
    chi_square: ChiSquareRecord | None = Field(
        default=None, description="The training rows against their stated errors; null where none were stated."
    )
    test_results: list[StructuralTestRecord] = Field(
        default=[], description="What structural tests proposed; empty where none were made."
    )
    of_network: NetworkFormulaRecord | None = Field(
        default=None,
        description="A formula of the network's own answers; null unless it departs from that of its rows.",
    )
    divergence: DivergenceRecord | None = Field(
        default=None, description="Where the network follows it to less than r2 0.999 and it is not exact."
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
