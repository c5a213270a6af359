"""From somebody's module to a traced one."""

import contextlib
import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, fx, nn

from ..._errors import InputError, LayoutError
from ...layouts._inputs import Inputs, first_tensor
from ...layouts._layout import Layout, TensorSpec
from ...layouts.certificate._double_precision import InDouble, double_by_default
from ...layouts.certificate._verify import verify
from ...layouts.tracing import Program, exported_program, program_of, trace
from ._as_run import as_run
from ._ends_of_program import SLACK, lone_end, with_input_neurons
from ._nodes import name_of, plain, renamed
from ._parted import parted, plain_name
from ._table import input_shapes
from ._traced_module import TracedModule
from ._traced_options import TracedNode, TracedOptions, TracedTensor

_PRIMES = (1009, 1013, 1019, 1021)
"""Rows with which a module may be exported: a size that one of them divides is one of rows."""
_ROWS = 8
"""Of the example inputs, looked at to derive and to certify."""
"""Of the largest output: how far the program may be from the module, which may compute in single precision."""


class Traced(NamedTuple):
    """A module that runs from a stored program, and its layout.

    Attributes
    ----------
    module : TracedModule
        With the tensors of the module that was traced.
    layout : Layout
        Its groups; each tensor of the program is declared.
    inputs : Inputs
        The example inputs as tensors.
    said : tuple of str
        What of the module was changed before it was exported, a sentence each.

    Examples
    --------
    >>> traced = trace_module(nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)), torch.randn(5, 2))
    >>> dict(traced.layout.sizes)
    {'x': 2, 'h1': 3, 'y': 1}
    """

    module: TracedModule
    layout: Layout
    inputs: Inputs
    said: tuple[str, ...] = ()


def trace_module(
    module: nn.Module, example_inputs: Any, layout: Layout | None = None, output: str | int | None = None
) -> Traced:
    """Export a module, derive its layout, and certify that the program computes what the module does.

    Parameters
    ----------
    module : torch.nn.Module
        The module; it is left as it is, and taken in evaluation mode.
    example_inputs : array or Tensor of shape (rows, ...), tuple of them, or mapping of str to them
        A few rows of each argument. All have as many rows, along their first axis, and rows are independent.
    layout : Layout, optional
        Groups and declarations; left out, what tracing finds.
    output : str or int, optional
        Which of several outputs counts; left out, the first.

    Returns
    -------
    Traced
        The module that runs from a program, and its layout.

    Raises
    ------
    InputError
        The module cannot be run on the inputs, cannot be exported, mixes rows, or gives nothing that is a number for
        each row.
    LayoutError
        No layout can be derived (`bimt_train.layouts.layout_for`), or permuting a group changes the outputs.

    Examples
    --------
    >>> convolution = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
    >>> traced = trace_module(convolution, torch.randn(3, 1, 6, 6))
    >>> traced.module(torch.randn(9, 36)).shape, traced.layout.columns
    (torch.Size([9, 2]), 36)
    """
    inputs = _few(Inputs.of(example_inputs))
    values = _tensors(inputs)
    module, changed = as_run(module, inputs, output)
    module, found = _laid_out(module, inputs) if layout is None else (module, _verified(module, layout, inputs))
    rows = _rows_for(module, values)
    wide = _with(inputs, [each[:1].expand(rows, *each.shape[1:]) for each in values])
    program = exported_program(module, inputs, wide)
    traced, tensors = _built(module, program, rows, values)
    found = _declared(replace(found, tensors={plain_name(n): spec for n, spec in found.tensors.items()}), tensors)
    _certify(module, traced, inputs, values)
    shapes, found = with_input_neurons(traced, found, values)
    options = TracedOptions.model_validate({**traced.spec.options, "inputs": [s.model_dump() for s in shapes],
                                            "steps": found.steps})  # fmt: skip
    final = TracedModule(**options.to_json())
    final.load_state_dict(traced.state_dict())
    outputs = found.outputs if found.sizes.get(found.outputs) == options.outputs else lone_end(found, options)
    return Traced(final.eval(), replace(found, outputs=outputs), inputs, changed)


def _laid_out(module: nn.Module, inputs: Inputs) -> tuple[nn.Module, Layout]:
    """The module with its layout: in pieces, or whole where the layout of the pieces does not hold."""
    program = program_of(module, inputs)
    cut = parted(module, program)
    if cut is not module:
        # the uses of a module that is called several times cannot always be told apart in pieces
        with contextlib.suppress(LayoutError):
            return cut, _verified(cut, trace(cut, program_of(cut, inputs)), inputs)
    return module, _verified(module, trace(module, program), inputs)


def _verified(module: nn.Module, layout: Layout, inputs: Inputs) -> Layout:
    verify(module, layout, dict(inputs.named) or inputs.positional)
    return layout


def _few(inputs: Inputs) -> Inputs:
    """The first rows of every argument."""
    values = _tensors(inputs)
    counts = {len(value) if value.ndim else 0 for value in values}
    if len(counts) != 1 or not min(counts):
        expected = "arguments of as many rows each, along the first axis"
        hint = "bind what is the same for all rows into the module"
        raise InputError("inputs without common rows", expected=expected, got=inputs.shapes, hint=hint)
    return _with(inputs, [value[:_ROWS] for value in values])


def _tensors(inputs: Inputs) -> list[Tensor]:
    return [value for value in (*inputs.positional, *inputs.named.values()) if isinstance(value, Tensor)]


def _with(inputs: Inputs, values: Sequence[Tensor]) -> Inputs:
    """The inputs with other tensors in their places."""
    left = iter(values)
    positional = tuple(next(left) if isinstance(value, Tensor) else value for value in inputs.positional)
    return Inputs(positional, {k: next(left) if isinstance(v, Tensor) else v for k, v in inputs.named.items()})


def _rows_for(module: nn.Module, values: Sequence[Tensor]) -> int:
    sizes = {n for each in (*values, *module.state_dict().values()) for n in each.shape if n}
    for prime in _PRIMES:
        if not any(size % prime == 0 for size in sizes):
            return prime
    raise InputError("sizes that cannot be told from numbers of rows", got=", ".join(map(str, sorted(sizes)[-4:])))


def _built(
    module: nn.Module, program: Program, rows: int, values: Sequence[Tensor]
) -> tuple[TracedModule, dict[str, Tensor]]:
    """The program as a module, and all tensors that it has."""
    own = {plain_name(n): tensor.detach() for n, tensor in (*module.named_parameters(), *module.named_buffers())}
    trained = {plain_name(name) for name, _ in module.named_parameters()}
    stored = {plain_name(name) for name in module.state_dict()} | trained
    names: dict[str, str] = {}
    tensors: dict[str, Tensor] = {name: tensor for name, tensor in own.items() if name in stored}
    for node in program.nodes:
        if node.op not in ("placeholder", "get_attr") or not isinstance(program.values[node.name], Tensor):
            continue
        if node.name in program.inputs:
            names[node.name] = f"input {program.inputs.index(node.name)}"
            continue
        name = plain_name(program.tensors.get(node.name, "")) or f"constant.{node.name}"
        tensors[name] = own.get(name, program.values[node.name])
        names[node.name] = f"tensor {name}"
    _refuse_rows(tensors, rows)
    nodes = [_written(node, names, rows) for node in _needed(program) if node.op == "call_function"]
    shape = list(program.output.meta["val"].shape)
    tokens = _tokens_of(program, values)
    sequence = bool(tokens and len(values) == 1 and len(shape) == 3 and shape[1] == int(values[0][0].numel()))
    if not shape or shape[0] != rows:
        expected, got = "an output with an axis of rows, the first", str(shape)
        hint = "wrap the module so that it returns a number or more for each row"
        raise InputError("outputs without rows", where=type(module).__name__, expected=expected, got=got, hint=hint)
    options = TracedOptions(
        made_of=type(module).__name__,
        inputs=input_shapes(values),
        outputs=shape[-1] if sequence else int(np.prod(shape[1:])),
        tensors={
            name: TracedTensor(shape=list(t.shape), dtype=str(t.dtype).removeprefix("torch."), trained=name in trained)
            for name, t in tensors.items()
        },
        nodes=nodes,
        output=names.get(program.output.name, program.output.name),
        tokens=tokens,
        sequence=sequence,
    )
    traced = TracedModule(**options.to_json())
    traced.load_state_dict(tensors)
    return traced.eval(), tensors


def _needed(program: Program) -> list[fx.Node]:
    """The operators on which the output depends, in order; assertions and the like are left out."""
    needed = {program.output}
    for node in reversed(program.nodes):
        if node in needed:
            needed.update(node.all_input_nodes)
    return [node for node in program.nodes if node in needed]


def _written(node: fx.Node, names: Mapping[str, str], rows: int) -> TracedNode:
    """The node with the names that stored programs use for inputs and tensors."""
    try:
        args = renamed(plain(list(node.args), rows), names)
        kwargs = {word: renamed(plain(value, rows), names) for word, value in node.kwargs.items()}
    except InputError as error:
        raise InputError(
            error.what, where=str(node.target), got=error.got, hint="write the module without it"
        ) from None
    return TracedNode(name=node.name, op=name_of(node), args=args, kwargs=kwargs)


def _refuse_rows(tensors: Mapping[str, Tensor], rows: int) -> None:
    for name, tensor in tensors.items():
        if any(length and length % rows == 0 for length in tensor.shape):
            hint = "make it of the size of what it meets, or register it with one row"
            raise InputError("a constant with a number for each row", where=f"tensor '{name}'", hint=hint)


def _tokens_of(program: Program, values: Sequence[Tensor]) -> int:
    """How many tokens the only argument may be: the length of the table that it is looked up in."""
    if len(values) != 1 or values[0].is_floating_point() or values[0].dtype == torch.bool:
        return 0
    tables = []
    for node in program.nodes:
        if str(node.target) == "aten.embedding.default" and _comes_from(node.args[1], program.inputs[0]):
            table: Any = node.args[0]
            tables.append(int(table.meta["val"].shape[0]))
    return int(min(tables, default=int(values[0].max()) + 1))


def _comes_from(node: Any, name: str) -> bool:
    """Whether a node only moves the entries of the input."""
    while isinstance(node, fx.Node) and node.name != name and node.op == "call_function" and len(node.args):
        node = node.args[0]
    return isinstance(node, fx.Node) and node.name == name


def _declared(layout: Layout, tensors: Mapping[str, Tensor]) -> Layout:
    """The layout with a declaration of every tensor of the program, in a form that names no group, if need be."""
    blank = {
        name: TensorSpec(" ".join("_" * tensor.ndim), "buffer")
        for name, tensor in tensors.items()
        if name not in layout.tensors
    }
    specs = {name: spec for name, spec in layout.tensors.items() if name in tensors}
    return replace(layout, tensors={**specs, **blank})


def _certify(module: nn.Module, traced: TracedModule, inputs: Inputs, values: Sequence[Tensor]) -> None:
    """Hold the program against the module, row by row, in another order and number than it was made with."""
    exact, program = copy.deepcopy(module).cpu().double().eval(), copy.deepcopy(traced).double().eval()
    shapes = input_shapes(values)
    order = torch.randperm(len(values[0]), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for some in (order, order[:1], order[-1:]):
            given = _with(inputs, [value[some] for value in values]).floating(torch.float64)
            whole = torch.cat([shape.columns_of(value) for shape, value in zip(shapes, values, strict=True)], dim=1)
            try:
                with double_by_default(), InDouble():  # a module may ask for single precision, as x.float() does
                    wanted = first_tensor(exact(*given.positional, **given.named))
                found = torch.stack([program(row[None])[0] for row in whole[some].double()])
            except Exception as error:  # whatever the module raises is told in one line
                hint = "rows must be independent, along the first axis of each argument"
                raise InputError("the module cannot be run on one row", got=str(error)[:120], hint=hint) from error
            largest = float(wanted.abs().max().clamp(min=1e-30))
            apart = float((found.reshape(wanted.shape) - wanted).abs().max()) / largest
            if not apart <= SLACK:
                hint = "rows must be independent, along the first axis of each argument, and nothing drawn"
                raise InputError(
                    "a module that its operators do not reproduce", where=type(module).__name__,
                    expected=f"outputs equal to {SLACK:g} of the largest", got=f"{apart:.1e}", hint=hint,
                )  # fmt: skip
