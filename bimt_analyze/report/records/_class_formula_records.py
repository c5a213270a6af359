"""The record of the formulas of classes in report.json."""

from pydantic import Field

from ._formula_records import NetworkFormulaRecord
from ._record_base import Record


class ClassFormulasRecord(Record):
    """The log-odds of each class against one of them: a reading of the network, and no law of the data."""

    classes: list[str] = Field(description="All classes, in the order of the outputs.")
    reference: str = Field(description="The class that all others are held against.")
    log_odds: dict[str, NetworkFormulaRecord] = Field(
        description="Of every other class. Where its formula is 0, it and the reference are equally likely."
    )
    agreement: float = Field(description="Share of the held-out rows at which the formulas decide as the network does.")
    fresh_agreement: float = Field(description="The same of 10,000 fresh points in the ranges of the inputs.")
    right: float = Field(description="Share of the held-out rows at which the formulas decide rightly.")
    network_right: float = Field(description="Share of them at which the network does.")
    rows: int = Field(description="How many rows were held out.")
    statement: str = Field(description="These shares in words.")
