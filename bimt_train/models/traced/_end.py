"""The function with which a traced module ends."""

from collections.abc import Mapping
from typing import NamedTuple

from ._nodes import RESHAPES, names_in, renamed
from ._traced_options import TracedNode, TracedOptions

_ENDS: Mapping[str, str] = {
    "aten.sigmoid.default": "sigmoid",
    "aten._softmax.default": "softmax",
    "aten.softmax.int": "softmax",
    "aten._log_softmax.default": "softmax",
    "aten.log_softmax.int": "softmax",
}


class WithoutEnd(NamedTuple):
    """A traced module without its last function.

    Attributes
    ----------
    final : str
        The function: sigmoid or softmax.
    options : TracedOptions
        The module that gives the numbers before it.
    """

    final: str
    options: TracedOptions


def without_end(options: TracedOptions) -> WithoutEnd | None:
    """Take away the sigmoid or softmax with which a module ends, so that it gives logits.

    Parameters
    ----------
    options : TracedOptions
        The module.

    Returns
    -------
    WithoutEnd or None
        None where it ends otherwise, or its end is used for something else too.

    Examples
    --------
    >>> without_end(TracedOptions.example()) is None
    True
    """
    nodes = {node.name: node for node in options.nodes}
    readers = [name for node in options.nodes for value in (*node.args, *node.kwargs.values())
               for name in names_in(value)]  # fmt: skip
    at: TracedNode | None = nodes.get(options.output)
    allowed = 0  # readers of the output
    while at is not None and at.op not in _ENDS:
        if at.op.split(".")[1:2] == [] or at.op.split(".")[1] not in RESHAPES or readers.count(at.name) > allowed:
            return None
        at, allowed = nodes.get((names_in(at.args[0]) or [""])[0]), 1
    if at is None or readers.count(at.name) > allowed:
        return None
    (before,) = names_in(at.args[0])
    left = [
        TracedNode(
            name=node.name, op=node.op, args=renamed(node.args, {at.name: before}),
            kwargs={word: renamed(value, {at.name: before}) for word, value in node.kwargs.items()},
        )
        for node in options.nodes
        if node is not at
    ]  # fmt: skip
    output = before if options.output == at.name else options.output
    return WithoutEnd(_ENDS[at.op], options.model_copy(update={"nodes": left, "output": output}))
