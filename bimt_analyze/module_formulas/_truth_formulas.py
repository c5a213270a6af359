"""Modules of truth values written down, from the network's answers to every combination of its inputs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count, product

import numpy as np
import sympy
from jaxtyping import Bool, Float64

from bimt_train.checkpoints import Checkpoint, Network

from ..audits.functions._decided_values import decided_values
from ..audits.functions._module_outputs import RecordedActivations
from ..formulas import approximate_formula
from ..formulas.verdicts._network_verdict import NetworkVerdict, network_verdict
from ..graph import NodeId
from ._carried_quantities import CARRIED
from ._number_formulas import SECONDS
from ._sent_quantity import Composition, ModuleFormulas, SentQuantity
from ._signals import Read, Signal, Wiring
from ._truth_tables import shortest_logic

Truths = Bool[np.ndarray, " rows"]
_ROUNDING = 1e-6  # of the distance of two values
_EVERY = 12  # inputs of which all combinations are asked; of more, the rows of the probe


def reads_truth_values(checkpoint: Checkpoint) -> bool:
    """Whether every input and every target takes two values on the rows of the probe.

    Parameters
    ----------
    checkpoint : Checkpoint
        Gives the rows.

    Returns
    -------
    bool
        True where the network is read as a table of truth values.
    """
    probe = checkpoint.probe
    columns = [np.concatenate([probe.x_train, probe.x_test]), np.concatenate([probe.y_train, probe.y_test])]
    if checkpoint.task.reads_sequences or columns[1].shape[1] != len(checkpoint.task.outputs):
        return False
    return all(_two_valued(column) for table in columns for column in table.T)


def _two_valued(column: Float64[np.ndarray, " rows"]) -> bool:
    low, high = column.min(), column.max()
    middle = np.minimum(column - low, high - column)
    return bool(high > low and (middle <= _ROUNDING * (high - low)).all())


@dataclass(eq=False)
class TruthWriter:
    """Writes the modules of a network of truth values down, each as its shortest minimal form.

    Parameters
    ----------
    checkpoint : Checkpoint
        Gives the task, the two values of each input, and what the outputs should decide.
    network : Network
        Its network or circuit.
    modules : sequence of frozenset of (str, int)
        The modules.
    """

    checkpoint: Checkpoint
    network: Network
    modules: Sequence[frozenset[NodeId]]
    _quantities: list[SentQuantity] = field(default_factory=list, init=False)
    _truths: dict[tuple[int, str], dict[str, Truths]] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        task, probe = self.checkpoint.task, self.checkpoint.probe
        rows = np.concatenate([probe.x_train, probe.x_test])
        low, high = rows.min(axis=0), rows.max(axis=0)
        if len(task.inputs) <= _EVERY:
            self._x = np.array(list(product((False, True), repeat=len(task.inputs))))
        else:
            self._x = np.unique(rows > (low + high) / 2, axis=0)
        asked = np.where(self._x, high, low).astype(np.float64)
        self._recorded = RecordedActivations(self.network, task.to_network_inputs(asked))
        self._wiring = Wiring(self._recorded, self.modules)
        taken = {*task.inputs, *task.outputs}
        self._names = (name for k in count(1) if (name := f"s{k}") not in taken)
        answers = self.network.predict(task.to_network_inputs(rows))
        self._decide = decided_values(
            np.asarray(answers, dtype=np.float64), np.concatenate([probe.y_train, probe.y_test])
        )

    def written(self) -> ModuleFormulas:
        """All modules.

        Returns
        -------
        ModuleFormulas
            Their formulas, and what these come to.
        """
        for signal in self._wiring.signals():
            self._send(signal)
        compositions, group = {}, self.network.layout.outputs
        decided = self._decide(self._recorded.activations[group]) > 0.5
        for place, output in enumerate(self.checkpoint.task.outputs):
            owner = self._wiring.owner.get((group, place))
            if owner is None:
                continue
            written = self._quantity(output, owner, (), self._wiring.read(owner, group, [place]), decided[:, place])
            self._quantities.append(written)
            right = self._right(written.in_inputs, decided[:, place])
            compositions[output] = Composition(written.in_inputs, right.r2 == 1.0, right.r2)
        return ModuleFormulas(tuple(self._quantities), compositions)

    def _send(self, signal: Signal) -> None:
        """Write down the truth values that one signal carries; where it takes more than two values, its first part."""
        parts = signal.parts(self._recorded.activations[signal.group])
        columns = [_parted(column) for column in parts.T]
        told = [
            network_verdict(column, _means(column, truth)).r2 for column, truth in zip(parts.T, columns, strict=True)
        ]
        kept: dict[str, Truths] = {}
        read = self._wiring.read(signal.sender, signal.group, signal.neurons)
        if min(told) < CARRIED:
            self._quantities.append(self._number(next(self._names), signal, parts[:, 0]))
        else:
            for truth, r2 in zip(columns, told, strict=True):
                name = next(self._names)
                senses = [
                    (self._quantity(name, signal.sender, signal.readers, read, sense, told=r2), sense)
                    for sense in (truth, ~truth)
                ]
                written, kept[name] = min(senses, key=lambda one: _length(one[0].expression))
                self._quantities.append(written)
        self._truths[signal.sender, signal.group] = kept

    def _quantity(
        self, name: str, module: int, readers: tuple[int, ...], read: Read, truth: Truths, *, told: float = 1.0
    ) -> SentQuantity:
        names, columns = self._arguments(read)
        expression, _ = shortest_logic(columns, truth, names)
        known = {sympy.Symbol(one.name, real=True): one.in_inputs for one in self._quantities}
        in_inputs = expression.xreplace(known)
        used = {str(symbol) for symbol in expression.free_symbols}
        return SentQuantity(
            name=name,
            module=module,
            readers=readers,
            arguments=tuple(one for one in names if one in used),
            expression=expression,
            in_inputs=in_inputs,
            network=self._right(in_inputs, truth),
            told=told,
            origin="table",
        )

    def _number(self, name: str, signal: Signal, values: Float64[np.ndarray, " rows"]) -> SentQuantity:
        """A signal of more than two values as a number, in the inputs behind it, each 0 or 1."""
        behind = sorted(self._wiring.reached_by(signal.group, signal.neurons))
        names, columns = [self.checkpoint.task.inputs[j] for j in behind], self._x[:, behind].astype(np.float64)
        found = approximate_formula(columns, values, names=names, output=name, time_limit=SECONDS)
        return SentQuantity(
            name=name,
            module=signal.sender,
            readers=signal.readers,
            arguments=found.variables,
            expression=found.expression,
            in_inputs=found.expression,
            network=network_verdict(values, found.predict(columns)),
            origin="fit",
        )

    def _arguments(self, read: Read) -> tuple[list[str], Bool[np.ndarray, "rows arguments"]]:
        """The names and values of what is read; of a signal of more than two values, the inputs behind it."""
        found = {self.checkpoint.task.inputs[j]: self._x[:, j] for j in read.inputs}
        for key in read.signals:
            truths = self._truths.get(key, {})
            if not truths:
                sender, group = key
                neurons = [j for name, j in self.modules[sender] if name == group]
                behind = sorted(self._wiring.reached_by(group, neurons))
                truths = {self.checkpoint.task.inputs[j]: self._x[:, j] for j in behind}
            found |= truths
        columns = np.stack(list(found.values()), axis=1) if found else np.zeros((len(self._x), 0), dtype=bool)
        return list(found), columns

    def _right(self, expression: sympy.Basic, truth: Truths) -> NetworkVerdict:
        """The expression against the network's answers, on every row."""
        symbols = [sympy.Symbol(name, real=True) for name in self.checkpoint.task.inputs]
        said = np.asarray(sympy.lambdify(symbols, expression, "numpy")(*self._x.T))
        said = np.broadcast_to(said, truth.shape).astype(np.float64)
        return network_verdict(truth.astype(np.float64), said)


def _length(expression: sympy.Basic) -> tuple[int, int]:
    """The negations of a logical expression, then all of its operations: which sense of a signal is true is free."""
    return len(expression.atoms(sympy.Not)), int(expression.count_ops())


def _parted(column: Float64[np.ndarray, " rows"]) -> Truths:
    """Whether each value lies above the widest gap between values."""
    ranked = np.unique(column)
    if len(ranked) < 2:
        return np.zeros(len(column), dtype=bool)
    widest = int(np.argmax(np.diff(ranked)))
    return np.asarray(column > (ranked[widest] + ranked[widest + 1]) / 2)


def _means(column: Float64[np.ndarray, " rows"], truth: Truths) -> Float64[np.ndarray, " rows"]:
    """Each value replaced by the mean of those on its side of the gap."""
    if truth.all() or not truth.any():
        return np.full(len(column), column.mean())
    return np.asarray(np.where(truth, column[truth].mean(), column[~truth].mean()))
