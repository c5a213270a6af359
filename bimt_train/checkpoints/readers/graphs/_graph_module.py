"""A graph of ONNX operators as a module of torch."""

import functools
import math
import re
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ...._errors import CheckpointError
from ._graph import Graph, Node
from ._onnx_operators import OPERATORS
from ._operator import as_tensor, ints
from ._recurrent_operators import in_one_direction
from ._whole_numbers import ON_NUMBERS

_HINT = "read the module that was exported, with its weights (--model file.py:make, or from_module)"


class OnnxGraph(nn.Module):
    """Runs a graph's operators, each as torch computes it.

    Parameters
    ----------
    graph : Graph
        The graph.

    Raises
    ------
    CheckpointError
        An operator, or a setting of one, is not known; the message names the node.

    Examples
    --------
    >>> from bimt_train.checkpoints.readers.graphs._graph import GraphInput
    >>> nodes = [Node("MatMul", ("x", "w"), ("h",), {}), Node("Add", ("h", "x"), ("y",), {})]
    >>> graph = Graph(nodes, {"w": np.ones((2, 2), np.float32)}, (GraphInput("x", (2,)),), ("y",), 18, "net.onnx")
    >>> OnnxGraph(graph)(torch.ones(1, 2)).tolist()
    [[3.0, 3.0]]
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        for node in graph.nodes:
            _check(node, graph)
        self.graph = graph = in_one_direction(graph)
        self._names: dict[str, str] = {}
        buffers = {name for n in graph.nodes if n.kind == "BatchNormalization" for name in n.inputs[3:]}
        read = {name for node in graph.nodes for name in node.inputs}.union(graph.outputs)
        for name, array in graph.constants.items():
            if name in read and np.issubdtype(array.dtype, np.floating):
                self._hold(name, array, trained=array.ndim > 0 and name not in buffers)

    def _hold(self, name: str, array: np.ndarray, *, trained: bool) -> None:
        """Keep a stored value as a parameter, or as a buffer, under a name that torch allows."""
        plain = re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("._") or "value"
        *path, last = re.sub(r"\.+", ".", plain).split(".")
        at: nn.Module = self
        for step in path:
            if hasattr(at, step) and not isinstance(getattr(at, step), nn.Module):
                path, last, at = [], plain.replace(".", "_"), self
                break
            if not hasattr(at, step):
                at.add_module(step, nn.Module())
            at = getattr(at, step)
        while hasattr(at, last):
            last += "_"
        value = torch.tensor(array if array.dtype == np.float64 else array.astype(np.float32))
        if trained:
            at.register_parameter(last, nn.Parameter(value))
        else:
            at.register_buffer(last, value)
        self._names[name] = ".".join([*path, last])

    def forward(self, *args: Tensor) -> Tensor:
        """Compute the graph's output; several are flattened, and stand side by side.

        Parameters
        ----------
        *args : Tensor of shape (rows, ...)
            The graph's inputs, in its order.

        Returns
        -------
        Tensor
            The output.
        """
        found = self.each(*args)
        return found[0] if len(found) == 1 else torch.cat([one.reshape(len(one), -1) for one in found], dim=1)

    def each(self, *args: Tensor) -> tuple[Tensor, ...]:
        """Compute every output.

        Parameters
        ----------
        *args : Tensor of shape (rows, ...)
            The graph's inputs, in its order.

        Returns
        -------
        tuple of Tensor
            The outputs, in the graph's order.
        """
        values: dict[str, Any] = {name: a for name, a in self.graph.constants.items() if name not in self._names}
        values |= {name: functools.reduce(getattr, own.split("."), self) for name, own in self._names.items()}
        values |= {each.name: value for each, value in zip(self.graph.inputs, args, strict=True)}
        fixed = max((each.rows for each in self.graph.inputs), default=0)
        for node in self.graph.nodes:
            given = [values[name] if name else None for name in node.inputs]
            told = OPERATORS[node.kind].told if node.kind in OPERATORS else None
            if told is not None:
                said = zip(node.inputs[told:], given[told:], strict=True)
                given[told:] = [self.graph.constants.get(name, value) for name, value in said]
            if fixed and node.kind == "Reshape" and isinstance(given[0], Tensor):
                given = [given[0], _for_rows(given[0], _target(node, given), fixed, len(args[0]))]
            try:
                found = self._computed(node, given)
            except CheckpointError as error:
                raise _refusal(error.what, node, self.graph, error.got) from None
            several = isinstance(found, tuple | list)
            if len(node.outputs) > 1 and not several and any(node.outputs[1:]):
                found = [found]  # what else it could give, nothing here reads
            values |= dict(zip(node.outputs, found, strict=False)) if isinstance(found, tuple | list) else {
                node.outputs[0]: found
            }  # fmt: skip
        return tuple(values[name] for name in self.graph.outputs)

    def _computed(self, node: Node, given: list[Any]) -> Any:
        if node.kind == "Shape":
            start, end = node.attributes.get("start", 0), node.attributes.get("end")
            return np.array(given[0].shape, np.int64)[start:end]
        if node.kind in ON_NUMBERS and not any(isinstance(each, Tensor) for each in given):
            found = ON_NUMBERS[node.kind](node, given)
            if found is not None:
                return np.asarray(found)
        if node.kind not in OPERATORS:
            raise CheckpointError("an operator that is not read where its numbers are computed", got=node.kind)
        if node.kind == "Dropout" and len(given) > 2 and given[2] is not None:
            raise CheckpointError("a dropout that draws", got="training_mode")
        operator = OPERATORS[node.kind]
        values = [as_tensor(each, given) for each in given[: operator.told]]
        return operator.apply(node, [*values, *given[len(values) :]], self.graph.version)


def _check(node: Node, graph: Graph) -> None:
    """Refuse operators and settings that are not known, whatever they are read by."""
    known = node.kind in OPERATORS or node.kind in ON_NUMBERS or node.kind in ("Shape", "Constant")
    if node.domain not in ("", "ai.onnx") or not known:
        domain = f"{node.domain}." if node.domain else ""
        raise _refusal(
            "an operator that is not read", node, graph, f"{domain}{node.kind}; and no chain of layers: {graph.why}"
        )
    settings = OPERATORS[node.kind].settings if node.kind in OPERATORS else set(node.attributes)
    strange = sorted(set(node.attributes) - settings - {"consumed_inputs"})
    if strange:
        raise _refusal("an operator with a setting that is not read", node, graph, f"{node.kind}, {strange[0]}")


def _target(node: Node, given: list[Any]) -> list[int]:
    return ints(given[1] if len(given) > 1 else node.attributes["shape"])


def _for_rows(x: Tensor, shape: list[int], fixed: int, rows: int) -> np.ndarray:
    """A shape that was written down for a fixed number of rows, for another."""
    whole = math.prod(shape)
    if shape and (shape[0] == fixed if -1 in shape else whole * rows == x.numel() * fixed and shape[0] % fixed == 0):
        shape = [shape[0] * rows // fixed, *shape[1:]]
    return np.array(shape, np.int64)


def _refusal(what: str, node: Node, graph: Graph, got: str) -> CheckpointError:
    where = f"{graph.where}, the {node.kind} that makes '{node.outputs[0]}'"
    expected = f"one of {len(OPERATORS)} operators of ONNX, in evaluation"
    return CheckpointError(what, where=where, expected=expected, got=got, hint=_HINT)
