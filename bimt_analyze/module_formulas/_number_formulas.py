"""Modules of numbers written down: parts of the outputs' formulas, which the network decides, or a search."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np
import sympy
from jaxtyping import Float64

from bimt_train.checkpoints import Network, TaskSpec

from ..audits.functions._module_outputs import RecordedActivations
from ..formulas import Formula, approximate_formula, same_function
from ..formulas.problem._template import numeric
from ..formulas.verdicts._network_verdict import NetworkVerdict, network_verdict
from ..graph import NodeId
from ._carried import Decoder, decoder
from ._carried_quantities import CarriedQuantities, carried_quantities
from ._sent_quantity import Composition, ModuleFormulas, SentQuantity
from ._signals import Read, Signal, Wiring

Columns = Float64[np.ndarray, "rows columns"]
Values = Float64[np.ndarray, " rows"]

SECONDS = 2.0  # for a formula that no law proposes
_DUST = 1e-12  # of the deviation: a smaller offset is rounding
_SEARCHED = 8  # formulas that are searched; others are weighted sums


@dataclass(frozen=True, eq=False)
class _Quantity:
    """A quantity of a signal, and how it is read off the neurons."""

    symbol: sympy.Symbol
    signal: Signal
    decoder: Decoder
    place: int

    def read(self, recorded: RecordedActivations) -> Values:
        """The quantity's values, read off the neurons that carry it.

        Parameters
        ----------
        recorded : RecordedActivations
            Of the network on some rows.
        """
        parts = self.signal.parts(recorded.activations[self.signal.group])
        return np.asarray(self.decoder(parts)[:, self.place])


@dataclass(eq=False)
class NumberWriter:
    """Writes the modules of a network of numbers down, signal by signal, then output by output.

    Parameters
    ----------
    network : Network
        A feed-forward network.
    task : TaskSpec
        Names and units.
    modules : sequence of frozenset of (str, int)
        The modules.
    formulas : mapping of str to Formula
        Output -> its formula.
    x : array of float64, shape (rows, inputs)
        Points on which quantities are chosen, in the task's units.
    fresh : array of float64, shape (points, inputs)
        Points on which they are judged.
    time_limit : float
        Units of work for all searches.
    seed : int
        Of searches.
    """

    network: Network
    task: TaskSpec
    modules: Sequence[frozenset[NodeId]]
    formulas: Mapping[str, Formula]
    x: Float64[np.ndarray, "rows inputs"]
    fresh: Float64[np.ndarray, "points inputs"]
    time_limit: float
    seed: int
    _quantities: list[SentQuantity] = field(default_factory=list, init=False)
    _carried: dict[tuple[int, str], list[_Quantity]] = field(default_factory=dict, init=False)
    _searched: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        task = self.task
        self._recorded, self._judged = (
            RecordedActivations(self.network, task.to_network_inputs(rows)) for rows in (self.x, self.fresh)
        )
        self._wiring = Wiring(self._recorded, self.modules)
        self._inputs = [sympy.Symbol(name, real=True) for name in task.inputs]
        taken = {*task.inputs, *task.outputs}
        self._names = (name for k in count(1) if (name := f"s{k}") not in taken)

    def written(self) -> ModuleFormulas:
        """All modules.

        Returns
        -------
        ModuleFormulas
            Their formulas, and what these come to.
        """
        for signal in self._wiring.signals():
            self._send(signal)
        compositions = {}
        for place, output in enumerate(self.task.outputs):
            if (written := self._put_out(place, output)) is not None:
                self._quantities.append(written)
                compositions[output] = self._composed(written, place)
        return ModuleFormulas(tuple(self._quantities), compositions)

    def _send(self, signal: Signal) -> None:
        """Write down the quantities of one signal."""
        reached = self._wiring.reached_by(signal.group, signal.neurons)
        parts = signal.parts(self._recorded.activations[signal.group])
        chosen = carried_quantities(
            parts, self.x, [formula.expression for formula in self.formulas.values()],
            inputs=self._inputs, reached=[self.task.inputs[j] for j in sorted(reached)],
        )  # fmt: skip
        if chosen is None:
            chosen = CarriedQuantities((), decoder(parts, parts), 1.0)
        read = self._wiring.read(signal.sender, signal.group, signal.neurons)
        kept = []
        for place in range(len(chosen.decoder.r2)):
            quantity = _Quantity(sympy.Symbol(next(self._names), real=True), signal, chosen.decoder, place)
            proposed = chosen.expressions[place] if chosen.expressions else None
            values = quantity.read(self._recorded)
            expression, origin = self._formula(read, proposed, values, str(quantity.symbol), sent=True)
            if origin == "fit":
                expression, quantity = _without_unit(expression, quantity)
            self._quantities.append(
                SentQuantity(
                    name=str(quantity.symbol),
                    module=signal.sender,
                    readers=signal.readers,
                    arguments=self._arguments_of(read, expression),
                    expression=expression,
                    in_inputs=self._in_inputs(expression),
                    network=self._verdict(quantity.read(self._judged), expression, read),
                    affine=chosen.decoder.affine,
                    told=chosen.told,
                    origin=origin,
                    rivals=chosen.rivals,
                )
            )
            kept.append(quantity)
        self._carried[signal.sender, signal.group] = kept

    def _put_out(self, place: int, output: str) -> SentQuantity | None:
        """Write down one output; None where the circuit does not connect it."""
        group = self.network.layout.outputs
        owner = self._wiring.owner.get((group, place))
        if owner is None:
            return None
        read = self._wiring.read(owner, group, [place])
        proposed = self.formulas[output].expression if output in self.formulas else None
        expression, origin = self._formula(read, proposed, self._output(self._recorded, place), output, sent=False)
        return SentQuantity(
            name=output,
            module=owner,
            readers=(),
            arguments=self._arguments_of(read, expression),
            expression=expression,
            in_inputs=self._in_inputs(expression),
            network=self._verdict(self._output(self._judged, place), expression, read),
            origin=origin,
        )

    def _output(self, recorded: RecordedActivations, place: int) -> Values:
        unit = 1.0 if self.task.output_scale is None else float(self.task.output_scale[place])
        return np.asarray(recorded.activations[self.network.layout.outputs][:, place] * unit)

    def _formula(
        self, read: Read, proposed: sympy.Expr | None, y: Values, name: str, *, sent: bool
    ) -> tuple[sympy.Expr, str]:
        """A formula in what is read: the proposed one, restated as the network follows it best, or a search's.

        Where the proposed one cannot be restated, since what is read carries no parts of the outputs' formulas, a
        quantity that is ``sent`` keeps it, in the inputs behind what is read.
        """
        symbols, columns = self._arguments(read, self._recorded, self.x)
        if proposed is not None:
            forms = [form for form in self._restated(proposed, read) if form.free_symbols <= set(symbols)]
            if forms:
                r2 = {form: network_verdict(y, numeric(form, symbols)(columns)).r2 for form in forms}
                return max(dict.fromkeys(forms), key=lambda form: round(r2[form], 4)), "law"
            if sent:
                return proposed, "through"
        if self._searched == _SEARCHED:
            return _weighted_sum(symbols, columns, y), "fit"
        self._searched += 1
        names = [str(symbol) for symbol in symbols]
        work = min(SECONDS, self.time_limit / _SEARCHED)
        found = approximate_formula(columns, y, names=names, output=name, time_limit=work, seed=self.seed)
        return _without_dust(found.expression, float(y.std())), "fit"

    def _restated(self, expression: sympy.Expr, read: Read) -> Iterator[sympy.Expr]:
        """An expression with what other modules send put in for its parts, in several ways of writing it."""
        known = {one.name: one.in_inputs for one in self._quantities}
        sent = [one.symbol for key in read.signals for one in self._carried.get(key, ())]
        if not sent:
            yield expression
            return
        largest = sorted(sent, key=lambda symbol: -known[str(symbol)].count_ops())
        # a polynomial of measured decimals has no factors, and to look for them takes integers of a thousand bits
        factored = sympy.factor_terms(expression) if expression.has(sympy.Float) else sympy.factor(expression)
        for form in (expression, sympy.expand(expression), factored):
            for order in (largest, largest[::-1]):
                restated = form
                for symbol in order:
                    restated = restated.subs(known[str(symbol)], symbol)
                yield restated

    def _arguments(
        self, read: Read, recorded: RecordedActivations, x: Float64[np.ndarray, "rows inputs"]
    ) -> tuple[list[sympy.Symbol], Columns]:
        """The symbols of what is read, and their values."""
        symbols = [self._inputs[j] for j in read.inputs]
        columns = [x[:, j] for j in read.inputs]
        for key in read.signals:
            for one in self._carried.get(key, ()):
                symbols.append(one.symbol)
                columns.append(one.read(recorded))
        return symbols, np.stack(columns, axis=1) if columns else np.zeros((len(x), 0))

    def _arguments_of(self, read: Read, expression: sympy.Expr) -> tuple[str, ...]:
        symbols, _ = self._arguments(self._with_inputs(read), self._recorded, self.x)
        return tuple(str(symbol) for symbol in symbols if symbol in expression.free_symbols)

    def _with_inputs(self, read: Read) -> Read:
        """What is read, and all inputs, which may be behind it."""
        return Read(tuple(range(len(self._inputs))), read.signals)

    def _verdict(self, y: Values, expression: sympy.Expr, read: Read) -> NetworkVerdict:
        symbols, columns = self._arguments(self._with_inputs(read), self._judged, self.fresh)
        return network_verdict(y, numeric(expression, symbols)(columns))

    def _in_inputs(self, expression: sympy.Expr) -> sympy.Expr:
        return expression.xreplace({sympy.Symbol(one.name, real=True): one.in_inputs for one in self._quantities})

    def _composed(self, written: SentQuantity, place: int) -> Composition:
        said = numeric(written.in_inputs, self._inputs)(self.fresh)
        formula, equal = self.formulas.get(written.name), None
        if formula is not None:
            ranges = dict(zip(self.task.inputs, self.task.ranges, strict=True))
            found = same_function(written.in_inputs, formula.expression, ranges=ranges, seed=self.seed)
            equal = found.canonical == "equal"
        return Composition(written.in_inputs, equal, network_verdict(self._output(self._judged, place), said).r2)


def _without_dust(expression: sympy.Expr, unit: float) -> sympy.Expr:
    """An expression without an offset that is rounding."""
    offset, rest = expression.as_coeff_Add()
    return rest if rest.free_symbols and abs(float(offset)) < _DUST * unit else expression


def _without_unit(expression: sympy.Expr, quantity: _Quantity) -> tuple[sympy.Expr, _Quantity]:
    """A quantity without the scale and offset of its formula: what is sent has no unit of its own."""
    offset, rest = expression.as_coeff_Add()
    scale, rest = rest.as_coeff_Mul()
    if not rest.free_symbols:
        return expression, quantity
    read = quantity.decoder.rescaled(quantity.place, offset=float(offset), scale=float(scale))
    return rest, replace(quantity, decoder=read)


def _weighted_sum(symbols: Sequence[sympy.Symbol], columns: Columns, y: Values) -> sympy.Expr:
    """The nearest weighted sum with an offset."""
    design = np.concatenate([columns, np.ones((len(columns), 1))], axis=1)
    weights = np.linalg.lstsq(design, y, rcond=None)[0].tolist()
    return sympy.Add(*(weight * symbol for weight, symbol in zip(weights, [*symbols, sympy.Integer(1)], strict=True)))
