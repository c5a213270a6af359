"""What an analysis found, as one value: the content of a report, before it is rendered."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bimt_train import Circuit
from bimt_train.checkpoints import Checkpoint

from ..graph import NeuronGraph, NodeId
from ..modules import Module, Partition, in_task_order, named_modules, unused_ends
from ._matches_decomposition import BuiltAs, built_as, modules_line

if TYPE_CHECKING:
    from ..audits import Agreement, Audit, Significance
    from ..formulas import Formula, SharedParts
    from ..representations import Reading


LONGEST = 100  # characters of a formula in the summary


@dataclass(frozen=True, eq=False)
class ReportContent:
    """What an analysis found. Asking it never changes it.

    Attributes:
        checkpoint: what was analysed.
        circuit: its pruned network.
        graph: of the circuit.
        partition: the circuit's modules.
        level: which level of the hierarchy the partition is.
        reason: why this level was chosen.
        formulas: output -> formula; empty where none was looked for.
        agreement: modules against the known parts; None where none are known.
        significance: of the modules; None where it was not tested.
        reading: what neurons stand for in the task's own terms; None where these are not known.
        provenance: ``source``, ``versions``, ``seeds``, ``parameters``, ``training``, ``seconds``.
        audit: of the modules; None where none was asked for.
    """

    checkpoint: Checkpoint
    circuit: Circuit
    graph: NeuronGraph
    partition: Partition
    level: str
    reason: str
    formulas: Mapping[str, "Formula"]
    agreement: "Agreement | None"
    significance: "Significance | None"
    reading: "Reading | None"
    provenance: Mapping[str, Any]
    audit: "Audit | None" = None

    @cached_property
    def module_sets(self) -> tuple[frozenset[NodeId], ...]:
        """The partition's modules in the order in which the task names their outputs, then their inputs."""
        return in_task_order(self.circuit.network, self.partition)

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """The same modules, in the same order, by the names of their inputs, outputs and neurons."""
        return named_modules(self.circuit.network, self.checkpoint.card, self.module_sets)

    @cached_property
    def built_as(self) -> BuiltAs | None:
        """Whether the modules are those of the task's known parts; None where none are known."""
        return built_as(self.modules, self.checkpoint.card.parts)

    @cached_property
    def unused(self) -> tuple[str, ...]:
        """Inputs and outputs that the circuit does not connect."""
        return unused_ends(self.circuit.network, self.checkpoint.card, self.partition)

    @cached_property
    def shared(self) -> "SharedParts | None":
        """What the formulas have in common; None where no two outputs share a part."""
        from ..formulas import shared_parts

        found = shared_parts(self.formulas)
        return found if any(len(found.users(part)) > 1 for part in found.parts) else None

    def summary(self) -> tuple[str, ...]:
        """The headline: a line for each formula, and one for the modules."""
        texts = {name: f"{name} = {_readable(formula)}" for name, formula in self.formulas.items()}
        verdicts = {name: "exact" if formula.exact else "not exact" for name, formula in self.formulas.items()}
        wide, long = (max(map(len, words.values()), default=0) for words in (texts, verdicts))
        lines = [
            f"{texts[name]:<{wide}}    {verdicts[name]:<{long}}    r2 {formula.r2:.6f}"
            for name, formula in self.formulas.items()
        ]
        lines.append(modules_line(self.modules, self.built_as))
        if self.reading is not None:
            lines.append(self.reading.statement)
        if self.unused:
            lines.append(f"not used: {', '.join(self.unused)}")
        if self.audit is not None:
            lines.append(self.audit.summary()[0])
        return tuple(lines)


def _readable(formula: "Formula") -> str:
    """The expression with decimals rounded to six digits; of a long one the beginning."""
    import sympy

    rounded = formula.expression.xreplace({n: sympy.Float(n, 6) for n in formula.expression.atoms(sympy.Float)})
    text = str(rounded)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4].rsplit(' ', 1)[0]} ..."
