"""ONNX files: the graph gives order, orientation and activations. The package onnx is not needed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...._errors import CheckpointError
from .._values import Chain, Told
from ..graphs._graph import Graph, GraphInput, Node
from ._onnx_chain import NoChain, chain_of_nodes
from ._protobuf import WireError, fields_of, floats_of, numbers_of, text_of
from ._weight_file import WEIGHT_FILES

LARGEST = 2**31  # bytes of a protocol buffer, by its own rule
_FIELDS = {1, 7, 8}  # version, graph, operator sets: what every model has
_RENAMING = ("Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape", "Flatten", "Gather", "ArrayFeatureExtractor",
             "LabelEncoder")  # fmt: skip
_DTYPES = {1: "<f4", 11: "<f8", 10: "<f2", 6: "<i4", 7: "<i8", 3: "i1", 2: "u1", 9: "?"}


def is_onnx(path: Path) -> bool:
    """Whether a file is a message with the fields of an ONNX model.

    Parameters
    ----------
    path : Path
        What is asked about.

    Returns
    -------
    bool
        Whether it is so.
    """
    if not 8 <= path.stat().st_size <= LARGEST:
        return False
    with path.open("rb") as file:
        if file.read(1) != b"\x08":  # the version, which writers put first
            return False
    try:
        model = fields_of(memoryview(path.read_bytes()))
    except WireError:
        return False
    return model.keys() >= _FIELDS and isinstance(model[7][0], memoryview)


@WEIGHT_FILES.register(
    "onnx",
    label="ONNX",
    sentence="Chains of Gemm, or MatMul and Add, with their activations, as the graph says them.",
    knows=is_onnx,
)
def read_onnx(path: Path, told: Told) -> Chain | Graph:
    """Read an ONNX file as a chain of layers, or else as the graph that it is.

    Parameters
    ----------
    path : Path
        The file.
    told : Told
        Its key, the name of an output, leaves out the others.

    Returns
    -------
    Chain or Graph
        A chain with its activation, and what stands after the last layer.

    Raises
    ------
    CheckpointError
        There is no output of the name that was given, or the file is damaged.
    """
    try:
        model = fields_of(memoryview(path.read_bytes()))
        graph = fields_of(_message(model[7]))
        version = max((_version(fields_of(_bytes(value))) for value in model[8]), default=0)
        shapes = {one.name: one for one in (_input(fields_of(_bytes(value))) for value in graph.get(11, []))}
        constants = dict(_tensor(fields_of(_bytes(value)), path) for value in graph.get(5, []))
        nodes = [_node(fields_of(_bytes(value)), path) for value in graph.get(1, [])]
        inputs = [text_of(fields_of(_bytes(value)).get(1, [])) for value in graph.get(11, [])]
        outputs = [text_of(fields_of(_bytes(value)).get(1, [])) for value in graph.get(12, [])]
    except (WireError, ValueError, OverflowError, TypeError) as error:
        if isinstance(error, CheckpointError):
            raise
        got, hint = str(error)[:100], "export the model again"
        raise CheckpointError("an ONNX file that is damaged", where=str(path), got=got, hint=hint) from error
    for node in nodes:
        if node.kind == "Constant" and isinstance(node.attributes.get("value"), np.ndarray):
            constants[node.outputs[0]] = node.attributes["value"]
    for node in nodes:
        if node.kind == "Transpose" and node.inputs[0] in constants:
            constants[node.outputs[0]] = constants[node.inputs[0]].transpose(node.attributes.get("perm"))
    scaled = [node.outputs[0] for node in nodes if _is_scaled(node, constants)]
    constants |= {node.outputs[0]: _scaled(node, constants) for node in nodes if node.outputs[0] in scaled}
    fed = [name for name in inputs if name not in constants]
    under = told.key if len(outputs) > 1 else None
    outputs, said = _chosen(nodes, outputs, under, str(path))
    made = {*fed, *constants}.union(*(node.outputs for node in nodes))
    if unmade := [name for name in outputs if name not in made]:
        where, expected = f"{path}, output '{unmade[0]}'", "an operator that makes it"
        raise CheckpointError("an output that nothing makes", where=where, expected=expected, hint="export it anew")
    _check_made(_needed(nodes, outputs), {*constants, *fed}, str(path))
    fixed = [name for name in outputs if name not in fed and not _read(nodes, name) & {*fed}]
    outputs = [name for name in outputs if name not in fixed]
    said += (f"the output {', '.join(map(repr, fixed))} is left out: no input reaches it",) * bool(fixed)
    said += (f"small integers are multiplied by their scales: {', '.join(map(repr, scaled[:4]))}",) * bool(scaled)
    if not fed or not outputs:
        expected, got = "inputs and outputs", f"inputs {fed}, outputs {outputs}"[:160]
        raise CheckpointError(
            "a graph without ends", where=str(path), expected=expected, got=got, hint="export it anew"
        )
    operators = _needed([node for node in nodes if node.outputs[0] not in constants], outputs)
    why = f"{len(fed)} inputs" if len(fed) > 1 else f"{len(outputs)} outputs"
    if len(fed) == len(outputs) == 1:
        try:
            chain = chain_of_nodes(operators, constants, fed[0], outputs[0], str(path))
        except NoChain as error:
            why = f"{error.what}, {error.got}"
        else:
            return replace(chain, assumed=(*chain.assumed, *said), under=under)
    ends = tuple(shapes[name] for name in fed)
    return Graph(operators, constants, ends, tuple(outputs), version, str(path), why, said, under)


def _needed(nodes: Sequence[Node], ends: Sequence[str]) -> list[Node]:
    """The operators on which outputs depend, in order."""
    wanted, found = {*ends}, []
    for node in reversed(nodes):
        if wanted & set(node.outputs):
            wanted |= set(node.inputs)
            found.append(node)
    return found[::-1]


def _read(nodes: Sequence[Node], end: str) -> set[str]:
    """All values that an output depends on."""
    return {name for node in _needed(nodes, [end]) for name in node.inputs}


def _is_scaled(node: Node, constants: Mapping[str, np.ndarray]) -> bool:
    """Whether an operator turns stored small integers into numbers."""
    stored = all(name in constants for name in node.inputs if name)
    return node.kind == "DequantizeLinear" and stored and not node.attributes.get("block_size")


def _scaled(node: Node, constants: Mapping[str, np.ndarray]) -> np.ndarray:
    whole, scale, *rest = (constants[name] for name in node.inputs if name)
    shape = [1] * whole.ndim
    if scale.size > 1:
        shape[node.attributes.get("axis", 1)] = scale.size
    zero = rest[0].reshape(shape if rest[0].size > 1 else [1] * whole.ndim).astype(np.int64) if rest else 0
    found: np.ndarray = (whole.astype(np.int64) - zero) * scale.reshape(shape).astype(np.float32)
    return found.astype(np.float32)


def _check_made(nodes: Sequence[Node], given: set[str], where: str) -> None:
    """Refuse operators that read what nothing makes."""
    made = given.union(*(node.outputs for node in nodes))
    for node in nodes:
        for name in node.inputs:
            if name and name not in made:  # an input that is left out has no name
                raise CheckpointError(
                    "a graph that is no chain", where=f"{where}, value '{name}'", expected="an operator that makes it",
                    got=f"read by {node.kind}, made by nothing", hint="export the network anew",
                )  # fmt: skip


def _chosen(
    nodes: Sequence[Node], outputs: list[str], key: str | None, where: str
) -> tuple[list[str], tuple[str, ...]]:
    """The output that was asked for; else all but those that name the class of the largest of the others."""
    if key is not None:
        if key not in outputs:
            hint = "give the name of one, or leave it out to read all"
            expected = ", ".join(outputs)[:160]
            raise CheckpointError("no output of this name", where=where, expected=expected, got=key, hint=hint)
        others = ", ".join(repr(name) for name in outputs if name != key)
        return [key], (f"the output is '{key}', as the key says; {others} left out",)
    chosen = [name for name in outputs if _is_class(nodes, name)]
    left = [name for name in outputs if name not in chosen]
    if not chosen or not left:
        return outputs, ()
    return left, (f"the output {', '.join(map(repr, chosen))} is left out: the class of the largest of the others",)


def _is_class(nodes: Sequence[Node], name: str) -> bool:
    """Whether a value is the place of the largest of others, or the name of that place."""
    maker = next((node for node in nodes if name in node.outputs), None)
    if maker is None or maker.kind == "ArgMax":
        return maker is not None
    return maker.kind in _RENAMING and any(_is_class(nodes, each) for each in maker.inputs)


def _bytes(value: Any) -> memoryview:
    if not isinstance(value, memoryview):
        raise WireError("a number in place of a message")
    return value


def _message(values: list[Any]) -> memoryview:
    return _bytes(values[-1])


def _tensor(fields: Mapping[int, list[Any]], path: Path) -> tuple[str, np.ndarray]:
    name = text_of(fields.get(8, []))
    shape, kind = numbers_of(fields.get(1, [])), (numbers_of(fields.get(2, [])) or [0])[-1]
    where = f"{path}, '{name}'"
    if fields.get(13) or (numbers_of(fields.get(14, [])) or [0])[-1]:
        hint = "save it in one file: onnx.save(model, path, save_as_external_data=False)"
        raise CheckpointError("a tensor that lies in another file", where=where, hint=hint)
    if kind not in _DTYPES:
        raise CheckpointError(
            "a tensor of a type that is not read", where=where, got=f"ONNX type {kind}", hint="export it as float32"
        )
    if fields.get(9):
        array = np.frombuffer(_message(fields[9]), _DTYPES[kind])
    elif kind == 1:
        array = np.array(floats_of(fields.get(4, [])), np.float32)
    elif kind == 11:
        array = np.frombuffer(b"".join(bytes(_bytes(value)) for value in fields.get(10, [])), "<f8")
    else:
        array = np.array(numbers_of(fields.get(7 if kind == 7 else 5, [])), np.int64)
    if min(shape, default=1) < 0 or math.prod(shape) != array.size:
        expected, got = f"{math.prod(shape)} entries of shape {shape}"[:100], str(array.size)
        raise CheckpointError(
            "a tensor that is cut off", where=where, expected=expected, got=got, hint="export the model again"
        )
    return name, array.reshape(shape)


def _node(fields: Mapping[int, list[Any]], path: Path) -> Node:
    attributes: dict[str, Any] = {}
    for value in fields.get(5, []):
        said = fields_of(_bytes(value))
        content: Any = None
        if 2 in said:
            content = floats_of(said[2])[0]
        elif 3 in said:
            content = numbers_of(said[3])[0]
        elif 4 in said:
            content = text_of(said[4])
        elif 5 in said:
            content = _tensor(fields_of(_message(said[5])), path)[1]
        elif 7 in said:
            content = floats_of(said[7])
        elif 8 in said:
            content = numbers_of(said[8])
        elif 9 in said:
            content = [text_of([each]) for each in said[9]]
        attributes[text_of(said.get(1, []))] = content
    inputs = tuple(text_of([value]) for value in fields.get(1, []))
    outputs = tuple(text_of([value]) for value in fields.get(2, []))
    if not outputs:
        raise WireError("a node without an output")
    return Node(text_of(fields.get(4, [])), inputs, outputs, attributes, text_of(fields.get(7, [])))


def _version(fields: Mapping[int, list[Any]]) -> int:
    """The version of ONNX' own set of operators; 0 for another set."""
    return (numbers_of(fields.get(2, [])) or [0])[-1] if text_of(fields.get(1, [])) in ("", "ai.onnx") else 0


def _input(fields: Mapping[int, list[Any]]) -> GraphInput:
    """Name, type and shape of an input; the first axis is that of rows."""
    said = fields_of(_message(fields[2])) if 2 in fields else {}
    tensor = fields_of(_message(said[1])) if 1 in said else {}
    shape = fields_of(_message(tensor[2])) if 2 in tensor else {}
    lengths = [(numbers_of(fields_of(_bytes(value)).get(1, [])) or [0])[-1] for value in shape.get(1, [])]
    kind = (numbers_of(tensor.get(1, [])) or [1])[-1]
    return GraphInput(text_of(fields.get(1, [])), tuple(lengths[1:]), lengths[0] if lengths else 0, kind)
