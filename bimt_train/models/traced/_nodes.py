"""Operators of a traced module as plain JSON values, and back."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import fx

from ..._errors import InputError
from ...layouts.tracing import last_line, rule_for

GETITEM = "getitem"
_HUGE = 2**62  # torch writes "to the end" as the largest integer
_KINDS: Mapping[str, type] = {"layout": torch.layout, "memory_format": torch.memory_format}

RESHAPES = frozenset(
    {"view", "_unsafe_view", "reshape", "squeeze", "unsqueeze", "clone", "alias", "detach", "contiguous"}
)
"""Operators after which the entries still follow each other as before."""
_DROPOUT = frozenset({"scaled_dot_product_attention"})
"""Operators that draw only if they are told to, which modules in evaluation mode do not."""


def plain(value: Any, rows: int) -> Any:
    """An argument of an operator as plain JSON.

    Parameters
    ----------
    value : object
        As it stands in the graph.
    rows : int or torch.SymInt
        The number of rows with which the graph was made, a prime: what it divides is counted in rows.

    Returns
    -------
    object
        Numbers, texts, lists and mappings.

    Raises
    ------
    InputError
        The value is of a type that cannot be written down.

    Examples
    --------
    >>> plain([1009, 8, 2018], rows=1009), plain(torch.float32, rows=1009)
    ([{'rows': 1}, 8, {'rows': 2}], {'dtype': 'floating'})
    """
    if isinstance(value, fx.Node):
        return {"node": value.name}
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return {"rows": value // rows} if value and value % rows == 0 and abs(value) < _HUGE else value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, torch.dtype):
        return {"dtype": "floating" if value.is_floating_point else str(value).removeprefix("torch.")}
    if isinstance(value, torch.device):
        return {"device": "cpu"}
    for name, kind in _KINDS.items():
        if isinstance(value, kind):
            return {name: str(value).removeprefix("torch.")}
    if isinstance(value, list | tuple):
        return [plain(each, rows) for each in value]
    raise InputError("an argument that cannot be written down", got=f"{type(value).__name__} {value!s:.40}")


def filled(
    value: Any, values: Mapping[str, Any], *, rows: int | torch.SymInt, floating: torch.dtype, device: str = "cpu"
) -> Any:
    """The argument that `plain` wrote, for a number of rows and a precision.

    Parameters
    ----------
    value : object
        What `plain` gave.
    values : mapping of str to object
        What each earlier operator returned.
    rows : int or torch.SymInt
        The number of rows now.
    floating : torch.dtype
        The precision of floating numbers.
    device : str
        Where tensors are made.

    Returns
    -------
    object
        As the operator takes it.

    Examples
    --------
    >>> filled([{"rows": 2}, 8], {}, rows=5, floating=torch.float64)
    [10, 8]
    """
    if isinstance(value, list):
        return [filled(each, values, rows=rows, floating=floating, device=device) for each in value]
    if not isinstance(value, dict):
        return value
    ((word, said),) = value.items()
    if word == "node":
        return values[said]
    if word == "rows":
        return said * rows
    if word == "float":
        return float(said)
    if word == "dtype":
        return floating if said == "floating" else getattr(torch, said)
    if word == "device":
        return torch.device(device)
    return getattr(torch, said)


def renamed(value: Any, names: Mapping[str, str]) -> Any:
    """An argument in plain JSON that takes its results under other names.

    Parameters
    ----------
    value : object
        What `plain` gave.
    names : mapping of str to str
        Old name -> new name; others stay.

    Returns
    -------
    object
        A new argument.

    Examples
    --------
    >>> renamed([{"node": "x"}, 3], {"x": "input 0"})
    [{'node': 'input 0'}, 3]
    """
    if isinstance(value, list):
        return [renamed(each, names) for each in value]
    return {"node": names.get(value["node"], value["node"])} if isinstance(value, dict) and "node" in value else value


def names_in(value: Any) -> list[str]:
    """The operators whose results an argument in plain JSON takes.

    Parameters
    ----------
    value : object
        What `plain` gave.

    Returns
    -------
    list of str
        Their names.

    Examples
    --------
    >>> names_in([{"node": "mm"}, 3])
    ['mm']
    """
    if isinstance(value, list):
        return [name for each in value for name in names_in(each)]
    return [value["node"]] if isinstance(value, dict) and "node" in value else []


def name_of(node: fx.Node) -> str:
    """The operator of a node as it is written down.

    Parameters
    ----------
    node : torch.fx.Node
        A call of an operator.

    Returns
    -------
    str
        For instance ``aten.mm.default``.

    Raises
    ------
    InputError
        It is an operator that a stored program may not have.
    """
    if node.target is operator.getitem:
        return GETITEM
    name = str(node.target)
    if _operator(name) is not node.target:
        where = last_line(node.meta.get("stack_trace") or "")
        hint = "write the module without it"
        raise InputError("an operator that cannot be written down", where=where, got=name, hint=hint)
    return name


def operator_of(name: str) -> Callable[..., Any]:
    """The operator of a name; only those that compute and touch nothing else.

    Parameters
    ----------
    name : str
        ``getitem``, or an ATen operator such as ``aten.mm.default``.

    Returns
    -------
    callable
        The operator.

    Raises
    ------
    InputError
        There is none, or it is not among those that are allowed.

    Examples
    --------
    >>> operator_of("aten.relu.default")(torch.tensor([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    found = operator.getitem if name == GETITEM else _operator(name)
    if found is None:
        hint = "write the file anew from the module"
        raise InputError("an operator that is not allowed", where="model.options.nodes", got=name[:60], hint=hint)
    return found


def _operator(name: str) -> Any:
    """An ATen operator that is a function of its arguments alone: it draws nothing, writes nothing, reads no file."""
    space, _, rest = name.partition(".")
    packet_name, _, overload = rest.partition(".")
    packet = getattr(torch.ops.aten, packet_name, None) if space == "aten" and packet_name.isidentifier() else None
    if packet is None or overload not in getattr(packet, "overloads", list)():
        return None
    found = getattr(packet, overload)
    tags = set(found.tags)
    draws = torch.Tag.nondeterministic_seeded in tags and packet_name not in _DROPOUT
    if found._schema.is_mutable or draws:
        return None
    return found if torch.Tag.core in tags or rule_for(found) is not None else None
