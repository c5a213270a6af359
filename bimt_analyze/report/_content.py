"""What an analysis found, as one value: the content of a report, before it is rendered."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bimt_train.checkpoints import Checkpoint
from bimt_train.pruning import Circuit
from bimt_train.showing import Shown

from ..audits.chance._significance import corrected_p
from ..graph import NeuronGraph, NodeId
from ..modules import Module, Partition
from ..modules._hierarchy import Level
from ..modules._module_names import in_task_order, named_modules, unused_ends
from ._matches_decomposition import DecompositionMatch, matches_decomposition, modules_line
from ._network_fit import NetworkFit

if TYPE_CHECKING:
    from ..audits import Audit, Significance
    from ..audits.functions._group_significance import GroupSignificance
    from ..audits.functions._input_and_output_groups import InputAndOutputGroups
    from ..audits.truth._agreement import Agreement
    from ..discrete_laws import ClassFormulas
    from ..formulas import Formula
    from ..formulas._shared_parts import SharedParts
    from ..module_formulas._sent_quantity import ModuleFormulas
    from ..motion import Motion
    from ..motion._driving_graph import DrivingGraph
    from ..representations._interpretation import Interpretation


LINE, LONGEST = 150, 100  # characters of all formulas at a prompt; of one in the summary


@dataclass(frozen=True, eq=False, repr=False)
class ReportContent(Shown):
    """What an analysis found. Asking it never changes it.

    Attributes
    ----------
    checkpoint : Checkpoint
        What was analysed.
    circuit : Circuit
        Its pruned network.
    graph : NeuronGraph
        Of the circuit.
    partition : Partition
        The circuit's modules.
    level : str
        Which level of the hierarchy the partition is.
    reason : str
        Why this level was chosen.
    formulas : mapping of str to Formula
        Output -> formula; empty where none was looked for.
    agreement : Agreement or None
        Modules against the known decomposition; None where none is known.
    significance : Significance or None
        Of the modules; None where it was not tested.
    interpretation : Interpretation or None
        What neurons stand for in the task's own terms; None where these are not known.
    provenance : mapping of str to Any
        ``source``, ``versions``, ``seeds``, ``parameters``, ``training``, ``seconds``.
    audit : Audit or None
        Of the modules; None where none was asked for.
    fit : NetworkFit or None
        How well the network does its task; None where that was not asked.
    levels : tuple of Level
        Every level of the hierarchy, and the one that the partition is.
    groups : InputAndOutputGroups or None
        Inputs by sub-function and outputs by function; None where inputs are no neurons that are read once a row.
    tested_groups : GroupSignificance or None
        Tests of these groups; None where they were not tested.
    module_formulas : ModuleFormulas or None
        What each module sends and computes; None where that was not asked.
    class_formulas : ClassFormulas or str
        The log-odds of each class; or why a network of classes has none, empty where nothing was asked.
    driving : DrivingGraph or None
        Which variable drives which, where the task is one of motion; else None.
    motion : Motion or None
        The equations of motion, where the task is one of motion; None where none were looked for.

    Examples
    --------
    >>> import numpy as np
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_train.checkpoints import Probe, TaskSpec
    >>> planted = block_network(blocks=[(2, 3, 1)] * 2, seed=0)
    >>> network, x, y = planted.network, planted.x, planted.network.predict(planted.x)
    >>> task = TaskSpec("own", ("a", "b", "c", "d"), ("u", "v"), ((-3, 3),) * 4)
    >>> checkpoint = Checkpoint(network, task, Probe(x, y, x, y), {"seed": 0})
    >>> circuit = Circuit(network, {}, 0.0, 0.0, 0.0, 0.05, 0, ())
    >>> about = (planted.partition, "known", "given", {}, None, None, None, {})
    >>> content = ReportContent(checkpoint, circuit, neuron_graph(network), *about)
    >>> [str(module) for module in content.modules]
    ['{a, c -> u}', '{b, d -> v}']
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
    interpretation: "Interpretation | None"
    provenance: Mapping[str, Any]
    audit: "Audit | None" = None
    fit: NetworkFit | None = None
    levels: tuple[Level, ...] = ()
    groups: "InputAndOutputGroups | None" = None
    tested_groups: "GroupSignificance | None" = None
    module_formulas: "ModuleFormulas | None" = None
    class_formulas: "ClassFormulas | str" = ""
    driving: "DrivingGraph | None" = None
    motion: "Motion | None" = None

    def _brief(self) -> str:
        said = [f"{name} = {_readable(formula)}" for name, formula in self.formulas.items()]
        many = f"{len(self.modules)} module{'' if len(self.modules) == 1 else 's'}"
        listed = f"{', '.join(said)}, {many}" if said else many
        # A long formula must not hide how many modules there are.
        return f"{self.checkpoint.task.name}: {listed if len(listed) < LINE else f'{len(said)} formulas, {many}'}"

    @cached_property
    def module_sets(self) -> tuple[frozenset[NodeId], ...]:
        """The partition's modules in the order in which the task names their outputs, then their inputs."""
        return in_task_order(self.circuit.network, self.partition)

    @cached_property
    def modules(self) -> tuple[Module, ...]:
        """The modules by the names of their inputs, outputs and neurons, in the order of `module_sets`."""
        return named_modules(self.circuit.network, self.checkpoint.task, self.module_sets)

    @cached_property
    def p(self) -> float | None:
        """The p of all tests of structure together (`bimt_analyze.audits.corrected_p`); None where none was made."""
        made = (self.significance, *(self.tested_groups.tests if self.tested_groups is not None else ()))
        tests = [test for test in made if test is not None]
        return corrected_p(tests) if tests else None

    @cached_property
    def matches_decomposition(self) -> DecompositionMatch | None:
        """Whether the modules match the task's known decomposition; None where none is known."""
        return matches_decomposition(self.modules, self.checkpoint.task.decomposition)

    @cached_property
    def unused(self) -> tuple[str, ...]:
        """Inputs and outputs that the circuit does not connect."""
        return unused_ends(self.circuit.network, self.checkpoint.task, self.partition)

    @cached_property
    def shared(self) -> "SharedParts | None":
        """Subexpressions that the formulas of several outputs share; None where no two outputs share one."""
        from ..formulas._shared_parts import shared_parts

        found = shared_parts(self.formulas)
        return found if any(len(found.users(part)) > 1 for part in found.parts) else None

    def summary(self) -> tuple[str, ...]:
        """The headline: how the network does its task, its formulas, its modules, and what these send."""
        texts = {name: f"{name} = {_readable(formula)}" for name, formula in self.formulas.items()}
        wide = max(map(len, texts.values()), default=0)
        lines = [] if self.fit is None else [self.fit.statement, *self.fit.given]
        for name, formula in self.formulas.items():
            lines.append(f"{texts[name]:<{wide}}    {formula.verdict()}")
            if formula.of_network is not None and (own := formula.of_network.verification) is not None:
                seen = "" if own.network is None else own.network.words()
                lines.append(f"  the network's own formula: {name} = {_readable(formula.of_network)}    {seen}")
        if self.motion is not None:
            lines += [*map(str, self.motion.equations), f"  laws of motion {self.motion.word}: {self.motion.message}"]
            lines += [f"  conserved: {one}" for one in self.motion.conserved]
        if self.driving is not None:
            lines.append(f"the network: {'; '.join(self.driving.lines())}")
        lines += _class_lines(self.class_formulas)
        lines.append(modules_line(self.modules, self.matches_decomposition))
        lines += [] if self.module_formulas is None else self.module_formulas.lines()
        if self.interpretation is not None:
            lines.append(self.interpretation.statement)
        if self.unused:
            lines.append(f"not used: {', '.join(self.unused)}")
        if self.audit is not None:
            lines.append(self.audit.summary()[0])
        return tuple(lines)


def _class_lines(found: "ClassFormulas | str") -> list[str]:
    """The log-odds of each class and what they are worth, or why there are none."""
    if isinstance(found, str):
        return [f"no formulas of the classes: {found}"] if found else []
    odds = [f"log-odds of {name} against {found.reference} = {_readable(f)}" for name, f in found.formulas.items()]
    return [*odds, f"  {found.verdict()}"]


def _readable(formula: "Formula") -> str:
    """The expression with decimals rounded to six digits; of a long one the beginning."""
    from ..formulas.symbolic._rounded import DIGITS, written  # brings sympy

    text = written(formula.readable, DIGITS)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 4].rsplit(' ', 1)[0]} ..."
