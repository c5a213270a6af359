"""A module whose calls are layers one after another, as a plain chain."""

import inspect
import operator
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from ...layouts._inputs import Inputs, first_tensor
from ...models.building_blocks.activations import ACTIVATIONS, activation_name
from ...models.traced._as_run import as_run
from ._network_of import network_of
from ._values import Chain
from .files._chain_builder import ChainBuilder

_ROWS = 64  # on which the chain is held against the module
_SLACK = 1e-9  # of the largest output; both compute in double precision
_NOTHING = (nn.Identity, nn.Dropout, nn.AlphaDropout, nn.FeatureAlphaDropout)  # in evaluation
_FINALS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(
    {
        "identity": lambda y: y,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "softmax": lambda y: torch.softmax(y, -1),
        "logsoftmax": lambda y: torch.log_softmax(y, -1),
    }
)
_AFFINE: Mapping[Any, str] = MappingProxyType(
    {getattr(where, name): name for where in (operator, torch) for name in ("add", "sub", "mul")}
    | {operator.truediv: "div", torch.div: "div"}
)


class _NoChainError(Exception):
    """A call that no chain has."""


def chain_of_module(module: nn.Module, x: Any) -> Chain | None:
    """Read a module as a chain of linear layers with one activation between.

    The module is called once with a stand-in for its rows, which records what is called. Dropout and the like are left
    out, batch norms and fixed numbers that scale or shift are folded into a layer. The chain is held against the module
    on the rows.

    Parameters
    ----------
    module : torch.nn.Module
        The module; it is left as it is.
    x : array or Tensor of shape (rows, ...), or mapping of one name to it
        Rows that it takes, of numbers.

    Returns
    -------
    Chain or None
        With what stands at its end, ``identity`` for nothing; None where the module is no such chain, computes
        otherwise on the rows, shares weights between layers, or has hooks.

    Examples
    --------
    >>> module = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Dropout(), nn.Linear(3, 1))
    >>> chain = chain_of_module(module, torch.randn(5, 2))
    >>> len(chain.layers), chain.activation, chain.final
    (2, 'relu', 'identity')
    """
    try:
        inputs = Inputs.of(x)
        own, said = as_run(module, inputs)
        values = (*inputs.positional, *inputs.named.values())
        if len(values) != 1 or not values[0].is_floating_point() or _is_more(own):
            return None
        chain = _read(own, (f"module: {type(module).__name__}, read as a chain of layers", *said))
        own, given = own.double(), inputs.first[:_ROWS].double()
        with torch.no_grad():
            wanted = first_tensor(own(**dict.fromkeys(inputs.named, given)) if inputs.named else own(given))
    except Exception:  # whatever a module does with a stand-in: then it is traced, which says why not
        return None
    found = network_of(chain.layers, str(chain.activation)).predict(given.reshape(len(given), -1).numpy())
    found = _FINALS[chain.final](torch.tensor(found)).numpy()
    apart = np.abs(found - wanted.numpy()).max() if found.shape == tuple(wanted.shape) else np.inf
    return chain if apart <= _SLACK * np.abs(found).max() else None


def _is_more(module: nn.Module) -> bool:
    """Whether there are hooks, or tensors that layers share."""
    calls = [each._forward_hooks or each._forward_pre_hooks for each in module.modules()]
    every = [each for some in module.modules() for each in some.parameters(recurse=False)]
    return any(calls) or len({each.untyped_storage().data_ptr() for each in every if each.numel()}) < len(every)


def _read(module: nn.Module, said: tuple[str, ...]) -> Chain:
    built, uses = ChainBuilder(lambda *_: _NoChainError()), list[str]()
    graph = fx.Tracer().trace(module)
    for node in _path(graph):
        _Step(module, node, built, uses).add()
    if built.waiting or not built.layers or len({*uses}) < len(uses):
        raise _NoChainError
    final = "identity" if built.open else built.activations.pop()
    activation = built.activations[0] if built.activations else "identity"
    inner = {*built.activations}
    if len(inner) > 1 or activation not in ACTIVATIONS or final not in _FINALS:
        raise _NoChainError
    names = ", ".join(f"'{layer.name}'" for layer in built.layers)
    return Chain(built.layers, activation, final, (*said, f"the layers stand in the order of their calls: {names}"))


def _path(graph: fx.Graph) -> Iterator[fx.Node]:
    """The calls from the input to the output, each of which reads the one before."""
    found, at = [], next(iter(reversed(graph.nodes))).args[0]
    while isinstance(at, fx.Node) and at.op != "placeholder":
        found.append(at)
        at = _first(at)
    if not isinstance(at, fx.Node):
        raise _NoChainError
    yield from reversed(found)


def _first(node: fx.Node) -> Any:
    """What a call reads: its first argument, or its second where the first is a number of the module."""
    given = [*node.args, *node.kwargs.values()]
    if node.target in _AFFINE and not (isinstance(given[0], fx.Node) and given[0].op != "get_attr"):
        return given[1]
    return given[0] if given else None


class _Step:
    """One call: what it is, and what it adds to the chain."""

    def __init__(self, module: nn.Module, node: fx.Node, built: ChainBuilder, uses: list[str]) -> None:
        self.module, self.node, self.built, self.uses = module, node, built, uses

    def add(self) -> None:
        """Add the call to the chain."""
        node, at = self.node, str(self.node.target)
        if node.op == "call_module":
            self._module(self.module.get_submodule(at), at)
        elif node.target is functional.linear:
            weight, bias = (self._tensor(name) for name in ("weight", "bias"))
            if weight is None:
                raise _NoChainError
            self._layer(str(self._given("weight")), weight, bias)
        elif node.target in _AFFINE:
            self._affine(_AFFINE[node.target])
        elif node.target is functional.dropout:
            if self._given("training"):
                raise _NoChainError
        elif getattr(node.target, "__name__", node.target) in ("flatten", "view", "reshape"):
            self._flat()
        else:
            name = getattr(node.target, "__name__", str(node.target)).strip("_")
            own = [repr(value) for value in node.args[1:]]
            own += [
                f"{word}={value!r}" for word, value in node.kwargs.items() if word not in ("inplace", "_stacklevel")
            ]
            self._activation(f"{name}({', '.join(own)})" if own else name)

    def _module(self, one: nn.Module, at: str) -> None:
        self.uses.append(at)
        if isinstance(one, nn.Linear):
            self._layer(f"{at}.weight", one.weight, one.bias)
        elif isinstance(one, nn.BatchNorm1d) and one.running_var is not None and one.running_mean is not None:
            scale = torch.rsqrt(one.running_var.double() + one.eps) * (1 if one.weight is None else one.weight)
            shift = (0 if one.bias is None else one.bias) - one.running_mean * scale
            self.built.add_affine(_array(scale.double()), _array(shift.double()), at)
        elif isinstance(one, nn.Flatten) and (one.start_dim, one.end_dim) == (1, -1):
            self._flat()
        elif not isinstance(one, _NOTHING):
            if any(True for _ in (*one.parameters(), *one.buffers())):
                raise _NoChainError
            self._activation(repr(one))

    def _layer(self, name: str, weight: Tensor, bias: Tensor | None) -> None:
        if self.built.open:
            raise _NoChainError
        zeros = np.zeros_like(_array(weight[:, 0]))
        self.built.add_layer(name, _array(weight), zeros if bias is None else _array(bias), name)

    def _flat(self) -> None:
        if self.built.layers or self.built.waiting:
            raise _NoChainError

    def _activation(self, written: str) -> None:
        if not self.built.open:
            raise _NoChainError
        bare = written.partition("(")[0].lower().replace("_", "")
        end = bare in ("softmax", "logsoftmax")  # along the outputs: held against the module
        self.built.activations.append(bare if end else activation_name(written))

    def _affine(self, kind: str) -> None:
        """A number, or one for each neuron, that is added or multiplied."""
        first, second = self.node.args[:2]
        turned = _first(self.node) is second
        value = self._value(first if turned else second)
        if len(self.node.args) > 2 or self.node.kwargs or (turned and kind == "div"):
            raise _NoChainError
        one, nothing = np.ones(1), np.zeros(1)
        scale = value if kind == "mul" else 1 / value if kind == "div" else -one if turned and kind == "sub" else one
        shift = value * (-1 if kind == "sub" and not turned else 1) if kind in ("add", "sub") else nothing
        self.built.add_affine(scale, shift, str(self.node))

    def _value(self, given: Any) -> np.ndarray:
        if isinstance(given, int | float):
            return np.array([float(given)])
        held = self._attribute(given)
        if held is None or isinstance(held, nn.Parameter) or max(held.shape, default=1) != held.numel():
            raise _NoChainError
        return _array(held.double()).reshape(-1)

    def _attribute(self, given: Any) -> Tensor | None:
        if not isinstance(given, fx.Node) or given.op != "get_attr":
            return None
        held = operator.attrgetter(str(given.target))(self.module)
        return held if isinstance(held, Tensor) else None

    def _tensor(self, name: str) -> Tensor | None:
        return self._attribute(self._given(name))

    def _given(self, name: str) -> Any:
        """An argument of a function of torch by its name, or what it is if it is left out."""
        called: Callable[..., Any] = self.node.target  # type: ignore[assignment]
        if called is functional.linear:  # built in: without a signature
            return {**dict(zip(("input", "weight", "bias"), self.node.args, strict=False)), **self.node.kwargs}.get(
                name
            )
        bound = inspect.signature(called).bind(*self.node.args, **self.node.kwargs)
        bound.apply_defaults()
        return bound.arguments[name]


def _array(tensor: Tensor) -> np.ndarray:
    """A copy, in the precision that is stored."""
    return tensor.detach().numpy().copy()
