"""Recording operators while a module runs, for modules whose program depends on numbers."""

import operator
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx
from torch.utils._python_dispatch import TorchDispatchMode

from ..._errors import LayoutError


class Recorder(TorchDispatchMode):
    """While it is entered, writes every ATen operator into a graph.

    Attributes
    ----------
    graph : torch.fx.Graph
        The operators so far.
    values : mapping of str to object
        The value of each placeholder and of each tensor from elsewhere.
    """

    def __init__(self, table: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own
        self.graph = fx.Graph()
        self.values: dict[str, Any] = {}
        self._table = table
        self._nodes: dict[int, fx.Node] = {}
        self._alive: list[Tensor] = []  # an id names a tensor only while the tensor lives

    def hold(self, tensor: Tensor, kind: str = "placeholder") -> fx.Node:
        """Give a tensor from outside a node of its own, of a ``kind`` of torch.fx, after which it is named."""
        name = f"{kind}_{len(self.values)}"
        node = self.graph.create_node(kind, name, name=name)
        self.values[node.name] = tensor
        self._bind(tensor, node)
        return node

    def node_of(self, tensor: Tensor) -> fx.Node:
        """The node of a tensor."""
        found = self._nodes.get(id(tensor))
        return self.hold(tensor, "get_attr") if found is None else found

    def _bind(self, tensor: Tensor, node: fx.Node) -> None:
        self._nodes[id(tensor)] = node
        self._alive.append(tensor)

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Run an operation and write it down; composed ones by their pieces."""
        named = dict(kwargs or {})
        if func in self._table:
            with self:
                return self._table[func](*args, **named)
        if "scaled_dot_product_attention" not in str(func):
            with self:
                composed = func.decompose(*args, **named)
            if composed is not NotImplemented:
                return composed
        plain = _functional(func)
        given, given_named = (self._mapped(each) for each in (tuple(args), named))
        before = {id(each) for each in args if isinstance(each, Tensor)}
        result = func(*args, **named)
        node = self.graph.create_node("call_function", plain, given, given_named)
        node.meta["stack_trace"] = _line()
        if isinstance(result, list | tuple):
            for place, each in enumerate(result):
                if isinstance(each, Tensor):
                    self._bind(each, self.graph.create_node("call_function", operator.getitem, (node, place)))
        elif isinstance(result, Tensor):
            if plain is not func and (id(result) not in before or result._is_view()):
                raise LayoutError(
                    "a module that overwrites part of a tensor", where=last_line(_line()), got=str(func), hint=HINT
                )
            self._bind(result, node)
        return result

    def _mapped(self, given: Any) -> Any:
        if isinstance(given, Tensor):
            return self.node_of(given)
        if isinstance(given, list | tuple):
            return type(given)(self._mapped(each) for each in given)
        return {name: self._mapped(each) for name, each in given.items()} if isinstance(given, dict) else given


def _functional(func: Any) -> Any:
    """The operator that returns what ``func`` writes into its first argument; ``func`` itself if it writes nothing."""
    if not func._schema.is_mutable:
        return func
    packet = getattr(torch.ops.aten, func.overloadpacket.__name__.removesuffix("_"), None)
    found = getattr(packet, func._overloadname, None) or getattr(packet, "default", None)
    if found is None or found._schema.is_mutable:
        raise LayoutError(
            "no rule for an operator that overwrites a tensor", where=last_line(_line()), got=str(func), hint=HINT
        )
    return found


HINT = "declare the layout by hand: complete bimt_train.layouts.draft_layout(module), and let verify certify it"


def last_line(stack: str) -> str:
    """The file and line that a stack trace ends with, without folders."""
    files = [line.strip() for line in stack.splitlines() if line.strip().startswith("File ")]
    return files[-1].removeprefix("File ").replace('"', "").rpartition("/")[2] if files else ""


def _line() -> str:
    """The innermost line of the module that is running, as torch writes stack traces."""
    frames = [f for f in traceback.extract_stack() if "/torch/" not in f.filename and "/tracing/_" not in f.filename]
    return f'File "{frames[-1].filename}", line {frames[-1].lineno}, in {frames[-1].name}' if frames else ""
