"""A graph of ONNX operators as a plain chain of layers, or refused by the operator's name."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...._errors import CheckpointError
from ....models.building_blocks.activations import activation_name
from .._values import Chain
from ..graphs._graph import Node
from ._chain_builder import ChainBuilder

# Operator -> activation, with the settings under which it is that one.
_ACTIVATIONS: dict[str, tuple[str, dict[str, float]]] = {
    "Relu": ("relu", {}),
    "Tanh": ("tanh", {}),
    "Sigmoid": ("sigmoid", {}),
    "Elu": ("elu", {"alpha": 1.0}),
    "Celu": ("celu", {"alpha": 1.0}),
    "LeakyRelu": ("leaky_relu", {"alpha": 0.01}),
    "Softplus": ("softplus", {}),
    "Softsign": ("softsign", {}),
    "Mish": ("mish", {}),
    "HardSwish": ("hardswish", {}),
    "Swish": ("silu", {"alpha": 1.0}),
}
_DEFAULTS = {"LeakyRelu": 0.01, "Elu": 1.0, "Celu": 1.0, "Swish": 1.0}
_ENDS = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}
_FLOATS = (1, 11)  # types to which a value may be converted on its way
_DOMAINS = ("", "ai.onnx", "ai.onnx.ml")  # whose operators have the meaning that their names have here
_NOTHING = ("Identity", "Dropout", "Flatten")


def chain_of_nodes(
    nodes: Sequence[Node], constants: Mapping[str, np.ndarray], start: str, end: str, where: str
) -> Chain:
    """Follow a graph from its input to its output.

    Parameters
    ----------
    nodes : sequence of Node
        The operators.
    constants : mapping of str to ndarray
        The stored values.
    start, end : str
        Names of the input and the output.
    where : str
        The file, for messages.

    Returns
    -------
    Chain
        Layers, activation and what stands after the last layer.

    Raises
    ------
    CheckpointError
        A value is read twice, an operator is unknown, or activations differ.
    """
    built, value, used = ChainBuilder(_refusal), start, 0
    while value != end:
        readers = [node for node in nodes if value in node.inputs]
        step = _joined(readers, nodes, value) or (readers[0] if len(readers) == 1 else None)
        if step is None or used > len(nodes):
            got = ", ".join(node.kind for node in readers) or "nothing"
            raise _refusal("a graph that is no chain", f"{where}, value '{value}'", f"read by {got[:80]}")
        _apply(step, value, built, constants, where)
        value, used = step.outputs[0], used + 1
    if built.waiting:
        raise _refusal(
            "a graph that ends in numbers which belong to no layer", f"{where}, value '{end}'", "a scale or shift"
        )
    final = built.activations.pop() if built.layers and not built.open else "identity"
    if not built.layers or len(set(built.activations)) > 1 or len(built.layers) != len(built.activations) + 1:
        got = ", ".join(built.activations) or "no layers"
        raise _refusal("a network that is no chain of layers with one activation", where, got)
    activation = built.activations[0] if built.activations else "identity"
    said = ["order, orientation and biases of the layers are those of the graph"]
    if len(built.layers) > 1:
        said.append(f"the activation is {activation}, as the graph says")
    return Chain(built.layers, activation, final, tuple(said))


def _joined(readers: Sequence[Node], nodes: Sequence[Node], value: str) -> Node | None:
    """An activation that is written as a product: x times the sigmoid of x, x times tanh of the softplus of x."""
    if len(readers) != 2:
        return None
    product = next((node for node in readers if node.kind == "Mul"), None)
    inner = next((node for node in readers if node is not product), None)
    if product is None or inner is None:
        return None
    last, name = inner, {"Sigmoid": "Swish", "HardSigmoid": "HardSwish"}.get(inner.kind)
    if inner.kind == "Softplus":
        after = [node for node in nodes if inner.outputs[0] in node.inputs]
        if len(after) == 1 and after[0].kind == "Tanh":
            last, name = after[0], "Mish"
    if name == "HardSwish" and abs(float(inner.attributes.get("alpha") or 0.2) - 1 / 6) > 1e-6:
        return None
    alone = len([node for node in nodes if last.outputs[0] in node.inputs]) == 1
    if name is None or not alone or set(product.inputs) != {value, last.outputs[0]}:
        return None
    return Node(name, (value,), product.outputs, {})


def _apply(node: Node, value: str, built: ChainBuilder, constants: Mapping[str, np.ndarray], where: str) -> None:
    at = f"{where}, operator {node.kind} of '{value}'"
    numbers = [constants[name] for name in node.inputs if name in constants]
    if node.domain not in _DOMAINS:
        raise _refusal("an operator of somebody's own", at, f"{node.domain}.{node.kind}")
    activation = _activation(node)
    if node.kind in _NOTHING and node.attributes.get("axis", 1) == 1:
        return
    if node.kind in ("Reshape", "Squeeze", "Unsqueeze") and _keeps_rows(node, built, numbers):
        return
    if node.kind == "Scaler" and {"offset", "scale"} <= node.attributes.keys():
        offset, scale = (np.asarray(node.attributes[name], np.float64) for name in ("offset", "scale"))
        built.add_affine(scale, -offset * scale, at)
        return
    if node.kind == "Cast" and node.attributes.get("to") in _FLOATS:
        return
    if activation is not None or node.kind in _ENDS:
        if not built.open:
            raise _refusal("an activation that follows no layer", at, "two activations, or one of the inputs")
        built.activations.append(activation or _ENDS[node.kind])
    elif node.kind in ("Gemm", "MatMul") and numbers and numbers[0].ndim == 2:
        _add_layer(node, value, built, numbers, at)
    elif node.kind in ("Add", "Sub", "Mul", "Div") and len(numbers) == 1 and len(node.inputs) == 2:
        _add_affine(node, value, built, numbers[0].astype(np.float64), at)
    elif node.kind == "BatchNormalization" and len(numbers) == 4:
        gain, bias, mean, var = (each.astype(np.float64) for each in numbers)
        scale = gain / np.sqrt(var + float(node.attributes.get("epsilon") or 1e-5))
        built.add_affine(scale, bias - mean * scale, at)
    else:
        raise _refusal("an operator that no plain chain has", at, node.kind)


def _keeps_rows(node: Node, built: ChainBuilder, numbers: Sequence[np.ndarray]) -> bool:
    """Whether rows stay rows: [-1, width], or the only number of each row without its axis."""
    width = built.width
    if node.kind == "Reshape" and numbers:
        shape = numbers[-1].reshape(-1).tolist()
        return shape in ([-1, width], [0, width], [0, -1]) or (width == 1 and shape == [-1])
    axes = numbers[-1].reshape(-1).tolist() if numbers else list(np.ravel(node.attributes.get("axes", [])))
    return width == 1 and axes in ([-1], [1])


def _activation(node: Node) -> str | None:
    if node.kind == "Gelu":
        return {"none": "gelu", "tanh": "gelu_tanh"}.get(node.attributes.get("approximate") or "none")
    if node.kind == "Selu":
        given = (node.attributes.get("alpha", 1.6732632), node.attributes.get("gamma", 1.0507010))
        return "selu" if np.allclose(given, (1.6732632, 1.0507010), atol=1e-5) else None
    name, settings = _ACTIVATIONS.get(node.kind, (None, {}))
    given = node.attributes.get("alpha", _DEFAULTS.get(node.kind))
    if all(abs(given - alpha) < 1e-6 for alpha in settings.values()):
        return name
    if node.kind in ("LeakyRelu", "Elu", "Celu"):
        return activation_name(f"{node.kind}({np.float32(given)})")  # as few digits as tell it apart
    return None


def _add_layer(node: Node, value: str, built: ChainBuilder, numbers: list[np.ndarray], at: str) -> None:
    set_to = node.attributes
    if node.inputs[0] != value or set_to.get("transA") or built.open:
        raise _refusal(
            "a product that is no layer", at, "layers without an activation between them" if built.open else node.kind
        )
    weight: np.ndarray = numbers[0].astype(np.float64 if numbers[0].dtype == np.float64 else np.float32)
    weight = weight if node.kind == "Gemm" and set_to.get("transB") else weight.T
    alpha, beta = (float(set_to.get(name, 1.0)) if node.kind == "Gemm" else 1.0 for name in ("alpha", "beta"))
    bias = numbers[1].astype(weight.dtype).reshape(-1) * beta if numbers[1:] else np.zeros(len(weight), weight.dtype)
    if bias.size not in (1, len(weight)):
        raise _refusal("a layer that does not fit the one before", at, f"weight {weight.shape}, bias {bias.shape}")
    name = next(name for name in node.inputs if name != value)
    built.add_layer(name, weight * alpha, np.broadcast_to(bias, len(weight)), at)


def _add_affine(node: Node, value: str, built: ChainBuilder, number: np.ndarray, at: str) -> None:
    number = number.reshape(-1)
    first = node.inputs[0] == value
    if node.kind == "Add":
        built.add_affine(np.ones(1), number, at)
    elif node.kind == "Mul":
        built.add_affine(number, np.zeros(1), at)
    elif node.kind == "Sub":
        built.add_affine(np.ones(1) if first else -np.ones(1), -number if first else number, at)
    elif first and number.all():
        built.add_affine(1 / number, np.zeros(1), at)
    else:
        raise _refusal("an operator that no plain chain has", at, "a number divided by what is computed")


class NoChain(CheckpointError):
    """A graph that is no chain of layers; it may still be read as a graph."""


def _refusal(what: str, where: str, got: str) -> NoChain:
    expected = "layers, each read by one activation"
    hint = "read the module that was exported, with its weights (--model file.py:make, or from_module)"
    return NoChain(what, where=where, expected=expected, got=got, hint=hint)
