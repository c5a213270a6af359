"""Formulas to recover: those of the Feynman data set that lie beside the repository, and five more."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import sympy

from bimt_train.expressions.expression import parse_expression
from bimt_train.tasks.tables.column_names import safe_names

TABLE = Path(__file__).resolve().parents[4] / "shared" / "data" / "feynman" / "equations.csv"

Ranges = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Target:
    """A formula to recover, as text in its inputs, each with the range that its rows are drawn from.

    ``depth`` says how deep a composition is; 0 for formulas of physics.
    """

    name: str
    output: str
    inputs: tuple[str, ...]
    ranges: Ranges
    formula: str
    depth: int = 0

    def truth(self) -> sympy.Expr:
        """The formula in real symbols."""
        return parse_expression(self.formula, variables=self.inputs).sympy()


def target(name: str, output: str, formula: str, ranges: Mapping[str, tuple[float, float]], depth: int = 0) -> Target:
    """A target in names that a table may have: gamma, which means something in sympy, becomes gamma_."""
    labels = tuple(ranges)
    *inputs, result = safe_names((*labels, output if output not in labels else f"{output}_out"))
    renamed = {old: parse_expression(new) for old, new in zip(labels, inputs, strict=True) if old != new}
    text = str(parse_expression(formula, variables=labels).substitute(renamed)) if renamed else formula
    return Target(name, result, tuple(inputs), tuple(ranges.values()), text, depth)


def feynman(path: Path = TABLE) -> tuple[Target, ...]:
    """The equations of the table, in its order; none where it is missing."""
    if not path.exists():
        return ()
    with path.open(newline="") as file:
        return tuple(_read(row) for row in csv.DictReader(file))


def _read(row: Mapping[str, str]) -> Target:
    ranges = {
        row[f"v{i}_name"]: (float(row[f"v{i}_low"]), float(row[f"v{i}_high"]))
        for i in range(1, 11)
        if row.get(f"v{i}_name")
    }
    return target(row["Filename"], row["Output"], row["Formula"], ranges)


# Of the same data set (Udrescu and Tegmark, arXiv 1905.11481, table 4), but not in the table beside the repository.
FURTHER: Mapping[str, tuple[str, str, Mapping[str, tuple[float, float]]]] = MappingProxyType(
    {
        "I.15.3t": (
            "t1",
            "(t-u*x/c**2)/sqrt(1-u**2/c**2)",
            {"x": (1, 5), "c": (3, 10), "u": (1, 2), "t": (1, 5)},
        ),
        "I.37.4": (
            "Int",
            "I1+I2+2*sqrt(I1*I2)*cos(delta)",
            dict.fromkeys(("I1", "I2", "delta"), (1, 5)),
        ),
        "II.6.15a": (
            "Ef",
            "p_d/(4*pi*epsilon)*3*z/r**5*sqrt(x**2+y**2)",
            dict.fromkeys(("epsilon", "p_d", "r", "x", "y", "z"), (1, 3)),
        ),
        "II.35.18": (
            "n",
            "n_0/(exp(mom*B/(kb*T))+exp(-mom*B/(kb*T)))",
            dict.fromkeys(("n_0", "kb", "T", "mom", "B"), (1, 3)),
        ),
        "I.8.14": (
            "d",
            "sqrt((x2-x1)**2+(y2-y1)**2)",
            dict.fromkeys(("x1", "x2", "y1", "y2"), (1, 5)),
        ),
    }
)
NAMED = (
    "I.15.3t", "I.29.16", "I.32.17", "I.37.4", "I.40.1", "II.6.15a", "II.35.18", "III.10.19", "I.8.14",
)  # fmt: skip


def named(table: Sequence[Target]) -> tuple[Target, ...]:
    """The nine that were asked for by name; without the table, those that stand here."""
    known = {one.name: one for one in table}
    known |= {name: target(name, output, text, ranges) for name, (output, text, ranges) in FURTHER.items()}
    return tuple(known[name] for name in NAMED if name in known)
