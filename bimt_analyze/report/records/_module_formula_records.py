"""The records of what modules compute in report.json."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from ._formula_records import NetworkVerdictRecord
from ._record_base import Number, Record, finite

if TYPE_CHECKING:
    from ...module_formulas._sent_quantity import ModuleFormulas, SentQuantity


class QuantityRecord(Record):
    """A quantity that a module sends to others, or an output that it computes."""

    module: int = Field(description="The id of the module that computes it.")
    readers: list[int] = Field(description="The ids of the modules that read it; empty for an output.")
    arguments: list[str] = Field(description="Inputs, and quantities of other modules, that the expression uses.")
    expression: str = Field(description="sympy text in the arguments; of truth values, a logical expression.")
    in_inputs: str = Field(description="sympy text in inputs alone.")
    network: NetworkVerdictRecord = Field(description="How far the module follows it.")
    affine: bool = Field(description="Whether its neurons carry it up to scale and offset; else by a one-to-one map.")
    told: Number = Field(description="r2 to which it, with what is sent beside it, determines what readers see.")
    origin: str = Field(description="law (part of an output's formula), through, fit, or table; see docs/formulas.md.")
    rivals: list[str] = Field(description="Other parts of the outputs' formulas that are carried as well.")


class CompositionRecord(Record):
    """The formulas of the modules put together, for one output."""

    expression: str = Field(description="sympy text in inputs alone.")
    equal: bool | None = Field(description="Whether it is the output's formula as a form; null where that has none.")
    r2: Number = Field(description="Against the circuit's output on fresh points.")


class ModuleFormulasRecord(Record):
    """Every module written down."""

    quantities: dict[str, QuantityRecord] = Field(description="s1, s2, ... are sent; the others are outputs.")
    compositions: dict[str, CompositionRecord]
    undecided: str = Field(description="Why modules could not be written down; empty where they were.")


def module_formulas_record(found: "ModuleFormulas") -> ModuleFormulasRecord:
    """The formulas of modules as they are published.

    Parameters
    ----------
    found : ModuleFormulas
        What was found.

    Returns
    -------
    ModuleFormulasRecord
        Modules by their ids, from 1.
    """
    return ModuleFormulasRecord(
        quantities={one.name: _quantity(one) for one in found.quantities},
        compositions={
            name: CompositionRecord(expression=str(one.expression), equal=one.equal, r2=finite(one.r2))
            for name, one in found.compositions.items()
        },
        undecided=found.undecided,
    )


def _quantity(one: "SentQuantity") -> QuantityRecord:
    seen: dict[str, Any] = finite(dict(vars(one.network)))
    return QuantityRecord(
        module=one.module + 1,
        readers=[reader + 1 for reader in one.readers],
        arguments=list(one.arguments),
        expression=str(one.expression),
        in_inputs=str(one.in_inputs),
        network=NetworkVerdictRecord(**seen),
        affine=one.affine,
        told=finite(one.told),
        origin=one.origin,
        rivals=[str(rival) for rival in one.rivals],
    )
