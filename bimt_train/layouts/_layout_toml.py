"""A layout as a TOML text that a person can write, and the draft of one for a module that cannot be traced."""

import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._errors import LayoutError
from ._group import Group
from ._layout import Layout, TensorSpec

if TYPE_CHECKING:
    from torch import nn

UNKNOWN = "?"
"""What a draft has in the place of a group."""

_HINT = "write it as bimt_train.layouts.layout_to_toml does"


def layout_to_toml(layout: Layout) -> str:
    """Write a layout as TOML, one line a group and one a tensor.

    Parameters
    ----------
    layout : Layout
        Any layout.

    Returns
    -------
    str
        A text from which `layout_from_toml` makes an equal layout.

    Examples
    --------
    >>> from torch import nn
    >>> from bimt_train.layouts import layout_for
    >>> print(layout_to_toml(layout_for(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)))))
    inputs = "x"
    outputs = "y"
    <BLANKLINE>
    [groups]
    x = 2
    h1 = 3
    y = 1
    <BLANKLINE>
    [tensors]
    "0.weight" = "h1 x"
    "0.bias" = "h1"
    "2.weight" = "y h1"
    "2.bias" = "y"
    <BLANKLINE>
    """
    lines = [f"inputs = {_quoted(layout.inputs)}", f"outputs = {_quoted(layout.outputs)}"]
    lines += [f"row = {_quoted(layout.row)}"] if layout.row else []
    lines += ["", "[groups]", *(f"{_key(group.name)} = {_group(group)}" for group in layout.groups)]
    lines += ["", "[tensors]", *(f"{_quoted(name)} = {_tensor(spec)}" for name, spec in layout.tensors.items())]
    return "\n".join(lines) + "\n"


def _group(group: Group) -> str:
    said = {} if group.movable else {"movable": "false"}
    said |= {"heads": str(group.heads)} if group.heads > 1 else {}
    if group.slots != Group.line(group.name, group.size).slots:
        said["slots"] = str([list(slot) for slot in group.slots])
    if group.labels:
        said["labels"] = "[" + ", ".join(map(_quoted, group.labels)) + "]"
    if not said:
        return str(group.size)
    return "{" + ", ".join(f"{word} = {value}" for word, value in {"size": group.size, **said}.items()) + "}"


def _tensor(spec: TensorSpec) -> str:
    if spec.role == TensorSpec(spec.pattern).role:
        return _quoted(spec.pattern)
    return f"{{pattern = {_quoted(spec.pattern)}, role = {_quoted(spec.role)}}}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _key(name: str) -> str:
    return name if name.replace("_", "").isalnum() and name.isascii() else _quoted(name)


def layout_from_toml(text: str) -> Layout:
    """Read a layout that a person or `layout_to_toml` wrote.

    Parameters
    ----------
    text : str
        TOML: ``inputs``, ``outputs`` and ``row`` may be left out; ``[groups]`` gives the size of each group, or a
        table with ``size``, ``heads``, ``movable``, ``slots``, ``labels``; ``[tensors]`` gives the pattern of each
        tensor, or a table with ``pattern`` and ``role``.

    Returns
    -------
    Layout
        The layout, which `verify` should certify.

    Raises
    ------
    LayoutError
        The text is no TOML, a field is missing, unknown or of another type, or a question mark of a draft is left.
    PatternError
        A pattern does not parse.

    Examples
    --------
    >>> layout_from_toml('''
    ... inputs = "x"
    ... [groups]
    ... x = 2
    ... h = {size = 4, heads = 2}
    ... [tensors]
    ... "fc.weight" = "h x"
    ... ''').group("h").heads
    2
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LayoutError("a layout that is no TOML", got=str(error), hint=_HINT) from None
    known = {"inputs": str, "outputs": str, "row": str, "groups": dict, "tensors": dict}
    for field, value in data.items():
        if field not in known or not isinstance(value, known[field]):
            expected = ", ".join(known) if field not in known else known[field].__name__
            raise LayoutError("a field that cannot be read", where=f"'{field}'", expected=expected, hint=_HINT)
    groups = tuple(_read_group(name, value) for name, value in data.get("groups", {}).items())
    tensors = {name: _read_tensor(name, value) for name, value in data.get("tensors", {}).items()}
    return Layout(groups, tensors, data.get("inputs", ""), data.get("outputs", ""), data.get("row", ""))


def _read_group(name: str, value: Any) -> Group:
    said: dict[str, Any] = {"size": value} if isinstance(value, int) else value
    where = f"group '{name}'"
    kinds = {"size": int, "heads": int, "movable": bool, "slots": list, "labels": list}
    _check(said, kinds, where)
    if "size" not in said or isinstance(said["size"], bool) or said["size"] < 1:
        raise LayoutError("a group without a size", where=where, expected="a number, 1 or more", hint=_HINT)
    options = {word: said[word] for word in ("heads", "movable") if word in said}
    labels = tuple(map(str, said.get("labels", ())))
    if "slots" not in said:
        return Group.line(name, said["size"], labels=labels, **options)
    try:
        slots = tuple(tuple(float(number) for number in slot) for slot in said["slots"])
    except (TypeError, ValueError):
        raise LayoutError("slots that are no coordinates", where=where, expected="[[0.1], [0.9]]") from None
    if len(slots) != said["size"]:
        raise LayoutError("another number of slots", where=where, expected=str(said["size"]), got=str(len(slots)))
    return Group(name, slots, options.get("movable", True), options.get("heads", 1), labels)


def _read_tensor(name: str, value: Any) -> TensorSpec:
    said: dict[str, Any] = {"pattern": value} if isinstance(value, str) else value
    where = f"tensor '{name}'"
    _check(said, {"pattern": str, "role": str}, where)
    if "pattern" not in said:
        raise LayoutError("a tensor without a pattern", where=where, expected='"h x" for instance', hint=_HINT)
    if UNKNOWN in said["pattern"]:
        hint = "put the name of a group in its place, or _ where no neuron indexes the axis"
        raise LayoutError("a question mark of the draft is left", where=where, got=said["pattern"], hint=hint)
    return TensorSpec(said["pattern"], said.get("role", ""))


def _check(said: Any, kinds: Mapping[str, type], where: str) -> None:
    if not isinstance(said, dict):
        raise LayoutError("a field that cannot be read", where=where, got=type(said).__name__, hint=_HINT)
    for word, value in said.items():
        if word not in kinds or not isinstance(value, kinds[word]):
            expected = ", ".join(kinds) if word not in kinds else kinds[word].__name__
            raise LayoutError("a field that cannot be read", where=f"{where}, '{word}'", expected=expected, hint=_HINT)


def draft_layout(module: "nn.Module") -> str:
    """Write the draft of a layout for a module that cannot be traced, to be completed by hand.

    Parameters
    ----------
    module : torch.nn.Module
        Any module.

    Returns
    -------
    str
        TOML for `layout_from_toml`, with a group for each length that an axis has, and a question mark wherever an axis
        may be of one; a comment says the shape, and whose tensor it is.

    Examples
    --------
    >>> from torch import nn
    >>> print(draft_layout(nn.Sequential(nn.Linear(2, 3))))
    # Put a group in the place of each ?, or _ where no neuron indexes the axis. Two groups may have one size.
    inputs = ""
    outputs = ""
    <BLANKLINE>
    [groups]
    g3 = 3
    g2 = 2
    <BLANKLINE>
    [tensors]
    "0.weight" = "? ?"  # (3, 2), Linear
    "0.bias" = "?"  # (3,), Linear
    <BLANKLINE>
    """
    tensors = dict(module.named_parameters()) | dict(module.named_buffers())
    owners = dict(module.named_modules())
    sizes = dict.fromkeys(length for tensor in tensors.values() for length in tensor.shape if length > 1)
    lines = [
        "# Put a group in the place of each ?, or _ where no neuron indexes the axis. Two groups may have one size.",
        'inputs = ""', 'outputs = ""', "", "[groups]", *(f"g{size} = {size}" for size in sizes), "", "[tensors]",
    ]  # fmt: skip
    for name, tensor in tensors.items():
        axes = " ".join(UNKNOWN if length > 1 and tensor.is_floating_point() else "_" for length in tensor.shape)
        owner = type(owners[name.rpartition(".")[0]]).__name__
        lines.append(f"{_quoted(name)} = {_quoted(axes)}  # {tuple(tensor.shape)}, {owner}")
    return "\n".join(lines) + "\n"
