"""How much a program computes at once, found by a run on shapes alone."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..._errors import InputError
from ._nodes import filled
from ._stand_ins import stand_in
from ._traced_options import TracedNode, TracedOptions, TracedTensor

_SMALL, _EXPANSION = 2**22, 64
"""Entries of one result for each row: a file that asks for more, and for more than so many times what it holds itself,
is refused before anything is computed."""


def arguments(options: TracedOptions, x: Tensor, floating: torch.dtype) -> dict[str, Any]:
    """The module's arguments by the names that the program has for them.

    Parameters
    ----------
    options : TracedOptions
        The program.
    x : Tensor of shape (rows, columns)
        Rows of the table.
    floating : torch.dtype
        The precision of numbers.

    Returns
    -------
    dict of str to Tensor
        One an argument.
    """
    found: dict[str, Any] = {}
    at = 0
    for number, shape in enumerate(options.inputs):
        columns = x[:, at : at + shape.columns]
        found[f"input {number}"] = shape.argument(columns.to(floating) if shape.kind == "numbers" else columns)
        at += shape.columns
    return found


def filled_call(
    node: TracedNode, values: Mapping[str, Any], rows: int | torch.SymInt, floating: torch.dtype, device: str
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of an operator, by position and by name.

    Parameters
    ----------
    node : TracedNode
        The call.
    values : mapping of str to object
        What each earlier operator returned.
    rows : int or torch.SymInt
        The number of rows.
    floating : torch.dtype
        The precision of numbers.
    device : str
        Where tensors are made.

    Returns
    -------
    args : list
        By position.
    kwargs : dict of str to object
        By name.
    """
    args, *named = (
        filled(given, values, rows=rows, floating=floating, device=device)
        for given in (node.args, *node.kwargs.values())
    )
    return args, dict(zip(node.kwargs, named, strict=True))


def largest_result(options: TracedOptions) -> int:
    """Count the entries of a program's largest result for each of two rows. Nothing is allocated.

    Parameters
    ----------
    options : TracedOptions
        The program.

    Returns
    -------
    int
        The number of entries, 1 or more.

    Raises
    ------
    InputError
        The program cannot be run, gives other outputs than it says, or asks for more memory than it may.

    Examples
    --------
    >>> largest_result(TracedOptions.example())
    6
    """
    rows, floating = 2, torch.float32
    held = options.ends.inputs + sum(math.prod(tensor.shape) for tensor in options.tensors.values())
    largest, most = 1, max(_SMALL, _EXPANSION * held)
    with torch.device("meta"):
        values: dict[str, Any] = {f"tensor {name}": _shape_of(tensor) for name, tensor in options.tensors.items()}
        try:
            values |= arguments(options, torch.empty(rows, options.ends.inputs), floating)
        except Exception as error:  # as torch does where sizes are beyond all measure
            where = "model.options.inputs"
            raise InputError("inputs that cannot be made", where=where, got=_reason(error)) from error
        for node in options.nodes:
            where = f"model.options.nodes, '{node.name}' ({node.op})"
            try:
                args, named = filled_call(node, values, rows, floating, "meta")
                result = stand_in(node.op)(*args, **named)
            except Exception as error:  # whatever the operator raises is told in one line
                raise InputError("a program that cannot be run", where=where, got=_reason(error)) from error
            values[node.name] = result
            entries = -(-_entries(result) // rows)
            if entries > most:
                expected = f"{most} numbers a row at most"
                raise InputError(
                    "a program that asks for too much memory", where=where, expected=expected, got=str(entries)
                )
            largest = max(largest, entries)
        found = values[options.output]
    wanted = (rows, options.ends.inputs, options.outputs) if options.sequence else (rows * options.outputs,)
    given = tuple(found.shape) if options.sequence and isinstance(found, Tensor) else (_entries(found),)
    if given != wanted:
        where = "model.options.outputs"
        raise InputError("a program with other outputs", where=where, expected=str(wanted), got=str(given))
    return largest


def _shape_of(tensor: TracedTensor) -> Tensor:
    dtype: torch.dtype = getattr(torch, tensor.dtype)
    return torch.empty(tensor.shape, dtype=torch.float32 if dtype.is_floating_point else dtype)


def _entries(result: Any) -> int:
    parts = result if isinstance(result, tuple | list) else [result]
    return sum(part.numel() for part in parts if isinstance(part, Tensor))


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
