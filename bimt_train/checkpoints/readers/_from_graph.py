"""A graph of operators that is no chain, with rows, as a checkpoint."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from ..._errors import CheckpointError, InputError
from ...extras import installed, need
from .._checkpoint import Checkpoint
from ._about import About
from ._from_module import checkpoint_of_module, names_by_argument
from .graphs._graph import Graph

if TYPE_CHECKING:
    import torch

    from .graphs._graph_module import OnnxGraph

_ROWS, _SLACK = 8, 1e-4


def checkpoint_of_graph(graph: Graph, about: About) -> Checkpoint:
    """A graph as a module that runs, held against ONNX' own evaluator where that is installed, as a checkpoint.

    Parameters
    ----------
    graph : Graph
        The graph.
    about : About
        Rows, or ranges; and what else the file does not say.

    Returns
    -------
    Checkpoint
        Its config says why the graph is no chain, and what it was held against.

    Raises
    ------
    CheckpointError
        An operator is not known, or the graph does not give what ONNX' own evaluator gives.
    InputError
        The module cannot be run on the rows, or no layout can be derived.
    """
    need("torch", f"{graph.where}, a graph that is no chain of layers,")
    import torch

    from .graphs._graph_module import OnnxGraph

    module = OnnxGraph(graph).eval()
    given: dict[str, Any] = dict(about)
    x = given.pop("x", None)
    arguments = _drawn(graph, given.get("ranges")) if x is None else _arguments(graph, x)
    tensors = tuple(
        torch.as_tensor(a).long() if each.whole else torch.as_tensor(a).to(torch.get_default_dtype())
        for each, a in zip(graph.inputs, arguments, strict=True)
    )
    try:
        said = _held_against_onnx(graph, module, tensors)
        widths = _widths(graph, module, tensors)
        given |= _names(widths, given)
        found = checkpoint_of_module(
            module, tensors if len(tensors) > 1 else tensors[0], cast(Any, given), drawn=x is None
        )
    except InputError as error:
        if isinstance(error, CheckpointError):
            raise
        where = ", ".join(filter(None, (graph.where, error.where)))
        fixed = max(each.rows for each in graph.inputs)
        hint = f"the file is for {fixed} rows at once: export it for any number (dynamic_shapes, dynamic_axes)"
        raise CheckpointError(
            error.what, where=where, expected=error.expected, got=error.got, hint=hint if fixed > 1 else error.hint
        ) from error
    config: dict[str, Any] = dict(found.config)
    first = f"graph: no chain of layers ({graph.why}), so its {len(graph.nodes)} operators are run as the file has them"
    config |= {
        "adapter": "file",
        "assumed": [first, said, *graph.assumed, *_said(widths.outputs), *config["assumed"][1:]],
    }
    return Checkpoint(found.network, found.task, found.probe, config)


class _Widths(NamedTuple):
    """Each input and output, with the number of its columns."""

    inputs: list[tuple[str, int]]
    outputs: list[tuple[str, int]]


def _widths(graph: Graph, module: "OnnxGraph", tensors: "tuple[torch.Tensor, ...]") -> _Widths:
    found = _outputs(graph, module, tensors)
    inputs = [(each.name, math.prod(t.shape[1:])) for each, t in zip(graph.inputs, tensors, strict=True)]
    return _Widths(inputs, [(name, math.prod(t.shape[1:])) for name, t in zip(graph.outputs, found, strict=True)])


def _outputs(graph: Graph, module: "OnnxGraph", tensors: "tuple[torch.Tensor, ...]") -> "tuple[torch.Tensor, ...]":
    import torch

    try:
        with torch.no_grad():
            return module.each(*tensors)
    except InputError:
        raise
    except Exception as error:  # whatever torch raises is told in one line
        raise _cannot_be_run(graph, error) from error


def _names(widths: _Widths, given: Mapping[str, Any]) -> dict[str, Any]:
    """Names of columns, where several inputs or outputs stand side by side and the user names none."""
    found: dict[str, Any] = {}
    for end, other in (("inputs", "outputs"), ("outputs", "inputs")):
        counts = getattr(widths, end)
        if len(counts) > 1 and not given.get(end):
            taken = found.get(other) or given.get(other) or ()
            found[end] = names_by_argument(counts, taken, "y" if end == "inputs" else "x")
    return found


def _said(outputs: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Which columns are whose."""
    if len(outputs) < 2:
        return ()
    return (f"outputs: {', '.join(f'{name} ({count})' for name, count in outputs)}, side by side",)


def _drawn(graph: Graph, ranges: Any) -> list[np.ndarray]:
    """A few rows between the ranges."""
    shapes = [each.shape for each in graph.inputs]
    open_ = any(length == 0 for shape in shapes for length in shape)
    if ranges is None or open_ or any(each.whole for each in graph.inputs):
        expected, hint = "rows of what the graph takes", "give x, on the command line --probe"
        raise CheckpointError("no inputs on which to run the graph", where=graph.where, expected=expected, hint=hint)
    pairs = np.broadcast_to(np.asarray(ranges, dtype=np.float64), (sum(map(math.prod, shapes)), 2))
    return _arguments(graph, np.random.default_rng(0).uniform(pairs[:, 0], pairs[:, 1], (_ROWS, len(pairs))))


def _arguments(graph: Graph, x: Any) -> list[np.ndarray]:
    """What the graph takes, of a table whose columns are its inputs side by side, or as it is."""
    shapes = [each.shape for each in graph.inputs]
    names = [each.name for each in graph.inputs]
    if isinstance(x, dict):
        if {*x} != {*names}:
            expected, got = ", ".join(names), ", ".join(map(str, x))
            raise CheckpointError("inputs of other names", where=graph.where, expected=expected, got=got)
        return [np.asarray(x[name]) for name in names]
    if isinstance(x, tuple):
        if len(x) != len(names):
            expected, got = f"{len(names)}: {', '.join(names)}", str(len(x))
            raise CheckpointError("another number of inputs", where=graph.where, expected=expected, got=got)
        return [np.asarray(each) for each in x]
    table = np.asarray(x)
    if len(shapes) == 1 and (table.ndim == len(shapes[0]) + 1 or not shapes[0]):  # some files say no shape
        return [table]
    widths = [math.prod(shape) for shape in shapes]
    if table.ndim != 2 or 0 in widths or sum(widths) != table.shape[1]:
        expected = " + ".join(f"{name} {['rows', *shape]}" for name, shape in zip(names, shapes, strict=True))
        got, hint = str(list(table.shape)), "give a column for each entry of the inputs, in the graph's order"
        raise CheckpointError("rows of another shape", where=graph.where, expected=expected, got=got, hint=hint)
    parts = np.split(table, np.cumsum(widths)[:-1], axis=1)
    return [part.reshape(len(table), *shape) for part, shape in zip(parts, shapes, strict=True)]


def _held_against_onnx(graph: Graph, module: "OnnxGraph", tensors: "tuple[torch.Tensor, ...]") -> str:
    """Compare the module with ONNX' own evaluator on a few rows."""
    if not installed("onnx"):
        return "graph: not held against ONNX' own evaluator, as the package onnx is not installed"
    from onnx.reference import ReferenceEvaluator

    fixed = max(each.rows for each in graph.inputs)
    count = fixed or min(_ROWS, len(tensors[0]))
    apart, largest = np.zeros(len(graph.outputs)), np.full(len(graph.outputs), 1e-30)
    try:
        evaluator = ReferenceEvaluator(graph.where)
    except Exception as error:  # an operator of a version that onnx does not evaluate, or a model that it refuses
        return _not_held(error)
    for start in range(min(_ROWS, len(tensors[0])) if fixed == 1 else 1):
        some = tuple(tensor[start : start + count] for tensor in tensors)
        if len(some[0]) < count:
            break
        found = [each.double().numpy() for each in _outputs(graph, module, some)]
        feeds = {each.name: _of_kind(each.kind, s.numpy()) for each, s in zip(graph.inputs, some, strict=True)}
        try:
            wanted = evaluator.run([*graph.outputs], feeds)
        except Exception as error:  # its evaluator lacks some settings, as groups of a transposed convolution
            return _not_held(error)
        for k, (own, other) in enumerate(zip(found, wanted, strict=True)):
            if np.shape(other) != own.shape:
                return _apart(graph, str(np.shape(other)), str(own.shape))
            largest[k] = max(float(np.abs(other).max(initial=0.0)), largest[k])
            apart[k] = max(float(np.abs(own - other).max(initial=0.0)), apart[k])
    worst = float((apart / largest).max())
    if not worst <= _SLACK:
        return _apart(graph, f"outputs equal to {_SLACK:g} of the largest", f"{worst:.1e}")
    return f"graph: held against ONNX' own evaluator, equal to {worst:.0e} of the largest output"


def _not_held(error: Exception) -> str:
    return f"graph: not held against ONNX' own evaluator: {(str(error).splitlines() or ['it fails'])[0][:80]}"


def _cannot_be_run(graph: Graph, error: Exception) -> CheckpointError:
    got, hint = (str(error).strip().splitlines() or [type(error).__name__])[0][:120], "export the model again"
    return CheckpointError("a graph that cannot be run", where=graph.where, got=got, hint=hint)


def _of_kind(kind: int, values: np.ndarray) -> np.ndarray:
    return values.astype({1: np.float32, 11: np.float64, 10: np.float16, 6: np.int32, 7: np.int64, 9: np.bool_}[kind])


def _apart(graph: Graph, expected: str, got: str) -> str:
    hint = "read the module that was exported, with its weights (--model file.py:make, or from_module)"
    what = "a graph that ONNX' own evaluator computes otherwise"
    raise CheckpointError(what, where=graph.where, expected=expected, got=got, hint=hint)
