"""From what shall stand in a model to the layer that stands there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import sympy
import torch
from torch import nn

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.expressions.expression import parse_expression
from bimt_train.pruning import Circuit

from ..export import CompactNetwork, compact
from ..formulas import Formula
from ._circuit_layer import CircuitLayer
from ._formula_layer import FormulaLayer
from ._place import Place


@dataclass(frozen=True)
class Asked:
    """The place that is filled, and how its columns are called.

    Attributes
    ----------
    place : Place
        The place.
    inputs, outputs : tuple of str
        The names that were asked for; empty where none were.
    """

    place: Place
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@singledispatch
def layer_of(by: Any, asked: Asked) -> nn.Module:
    """The layer that stands for a formula, a circuit, a table or a module. Further types can be registered.

    Parameters
    ----------
    by : object
        What shall stand there.
    asked : Asked
        Where.

    Raises
    ------
    InputError
        It is none of these, or does not fit the place.
    """
    expected = "formulas, a circuit, a network, a LookupTable or another torch module"
    raise InputError("nothing that can stand in a model", where="by", expected=expected, got=type(by).__name__)


@layer_of.register
def _module(by: nn.Module, asked: Asked) -> nn.Module:
    return by


@layer_of.register(sympy.Expr)
@layer_of.register(str)
@layer_of.register(Formula)
def _one(by: sympy.Expr | str | Formula, asked: Asked) -> nn.Module:
    return _several((by,), asked)


@layer_of.register(list)
@layer_of.register(tuple)
def _several(by: Sequence[Any], asked: Asked) -> nn.Module:
    names = [one.output if isinstance(one, Formula) else f"y{place}" for place, one in enumerate(by, start=1)]
    return _named(dict(zip(names, by, strict=True)) if len(set(names)) == len(names) else dict(enumerate(by)), asked)


@layer_of.register(Mapping)
def _named(by: Mapping[Any, Any], asked: Asked) -> nn.Module:
    columns, outputs = asked.place.widths
    if len(by) != outputs:
        expected, hint = f"{outputs}, one for each output", "give them in the order of the outputs"
        raise InputError("formulas that do not fit", where=asked.place.said, expected=expected,
                         got=str(len(by)), hint=hint)  # fmt: skip
    own = next((one.inputs for one in by.values() if isinstance(one, Formula)), ())
    inputs = asked.inputs or own or tuple(f"x{place}" for place in range(1, columns + 1))
    names = asked.outputs or tuple(map(str, by))
    for what, some, size in (("inputs", inputs, columns), ("outputs", names, outputs)):
        if len(some) != size or len(set(some)) != size:
            expected, got = f"{size} different names", ", ".join(some)
            raise InputError("names that do not fit", where=f"{what} of {asked.place.said}", expected=expected, got=got)
    return FormulaLayer(dict(zip(names, map(_expression, by.values()), strict=True)), inputs)


@layer_of.register
def _compact(by: CompactNetwork, asked: Asked) -> nn.Module:
    if (by.columns, len(by.outputs)) != asked.place.widths:
        raise InputError("a circuit that does not fit", where=asked.place.said,
                         expected=_widths(asked.place.widths),
                         got=_widths((by.columns, len(by.outputs))))  # fmt: skip
    return CircuitLayer(by)


@layer_of.register
def _network(by: Network, asked: Asked) -> nn.Module:
    return _compact(compact(by), asked)


@layer_of.register
def _circuit(by: Circuit, asked: Asked) -> nn.Module:
    return _network(by.network, asked)


def fitted(layer: nn.Module, place: Place) -> nn.Module:
    """A layer in the precision and on the device of what the place reads, after a look at what it gives.

    Parameters
    ----------
    layer : torch.nn.Module
        What `layer_of` gave.
    place : Place
        Where it shall stand.

    Raises
    ------
    InputError
        Its outputs are of another shape, or its numbers do not fit into the precision.
    """
    before = [tensor.detach().clone().double() for tensor in layer.parameters()]
    layer = layer.to(place.inputs.device, place.outputs.dtype).train(place.module.training)
    for old, new in zip(before, layer.parameters(), strict=True):
        lost = (old != 0) & ((new == 0) | ~torch.isfinite(new)).to(old.device)
        if lost.any():
            dtype, hint = str(new.dtype).removeprefix("torch."), "state it in other units"
            raise InputError("a number that the precision of the place cannot hold", where=place.said,
                             expected=f"a number of {dtype}", got=f"{float(old[lost][0]):g}", hint=hint)  # fmt: skip
    with torch.no_grad():
        try:
            shape = tuple(layer(place.inputs[:3]).shape)
        except (RuntimeError, TypeError, ValueError, IndexError) as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise InputError("a layer that cannot be run in its place", where=place.said, got=said[:200]) from error
    if shape != (expected := tuple(place.outputs[:3].shape)):
        raise InputError("a layer that does not fit", where=place.said, expected=f"outputs {expected}", got=str(shape))
    return layer


def _expression(formula: Any) -> sympy.Expr:
    """A formula as an expression in real symbols."""
    if isinstance(formula, Formula):
        return formula.expression
    expression = parse_expression(formula).sympy() if isinstance(formula, str) else formula
    if not isinstance(expression, sympy.Expr):
        expected = "a Formula, a sympy expression or a text"
        raise InputError("no formula", where="by", expected=expected, got=type(formula).__name__)
    return expression.xreplace({s: sympy.Symbol(str(s), real=True) for s in expression.free_symbols})


def _widths(widths: tuple[int, int]) -> str:
    return f"{widths[0]} inputs and {widths[1]} outputs"
