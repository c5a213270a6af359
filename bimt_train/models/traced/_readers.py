"""What the linear operators of a program read and write, as products with a weight tensor of the module."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..._errors import InputError
from ._nodes import RESHAPES, filled, names_in, operator_of
from ._traced_options import TracedNode, TracedOptions

_PRODUCTS: Mapping[str, tuple[int, int]] = {
    "aten.mm.default": (0, 1),
    "aten.bmm.default": (0, 1),
    "aten.addmm.default": (1, 2),
    "aten.baddbmm.default": (1, 2),
    "aten.linear.default": (0, 1),
    "aten.convolution.default": (0, 1),
}
"""Operators that are linear in what they read: where what is read and where the weight stand among the arguments."""
_MOVES = RESHAPES | {"permute", "t", "transpose", "expand"}


class Reader(nn.Module):
    """The product of a weight tensor with what it reads, ``read @ matrix``, so that hooks may watch it.

    Parameters
    ----------
    tensor : str
        The weight tensor.
    nodes : sequence of str
        The operators that read it.

    Examples
    --------
    >>> reader = Reader("fc.weight", ["mm"])
    >>> reader(torch.ones(5, 2), torch.ones(2, 3)).shape
    torch.Size([5, 3])
    """

    def __init__(self, tensor: str, nodes: Sequence[str]) -> None:
        super().__init__()
        self.tensor, self.nodes = tensor, tuple(nodes)

    def forward(self, read: Tensor, matrix: Tensor) -> Tensor:
        """Compute the product.

        Parameters
        ----------
        read : Tensor of shape (..., sources)
            What is read.
        matrix : Tensor of shape (sources, targets)
            The weights.

        Returns
        -------
        Tensor of shape (..., targets)
            What is written.
        """
        return read @ matrix

    @property
    def is_watched(self) -> bool:
        """Whether anything looks; if not, the operator itself runs, which may be faster."""
        return bool(self._forward_hooks or self._forward_pre_hooks)

    def compute(self, op: str, args: list[Any], kwargs: Mapping[str, Any]) -> Tensor:
        """Compute what an operator would, by way of the product.

        Parameters
        ----------
        op : str
            One of those in ``nodes``.
        args : list
            Its arguments.
        kwargs : mapping of str to object
            Its arguments by name.

        Returns
        -------
        Tensor
            The operator's result.
        """
        at, weight = _PRODUCTS[op]
        if op == "aten.convolution.default":
            return self._convolved(*args)
        matrix: Tensor = args[weight]
        if op == "aten.linear.default":
            written: Tensor = self(args[at], matrix.T)
            return written + args[2] if len(args) > 2 and args[2] is not None else written
        written = self(args[at], matrix[0] if matrix.ndim == 3 else matrix)
        added: Tensor = kwargs.get("beta", 1) * args[0] if at else torch.zeros(())
        return added + kwargs.get("alpha", 1) * written if at else written

    def _convolved(
        self, read: Tensor, weight: Tensor, bias: Tensor | None, stride: list[int], padding: list[int],
        dilation: list[int], transposed: bool, output_padding: list[int], groups: int,
    ) -> Tensor:  # fmt: skip
        """A convolution as a product with patches; in one dimension, over images of one row."""
        del transposed, output_padding, groups
        one = read.ndim == 3
        image = read.unsqueeze(2) if one else read
        size = (1, *weight.shape[2:]) if one else tuple(weight.shape[2:])
        steps, edges, gaps = (
            (first, *given) if one else tuple(given) for first, given in ((1, stride), (0, padding), (1, dilation))
        )
        patches = functional.unfold(image, size, dilation=gaps, padding=edges, stride=steps)
        written: Tensor = self(patches.transpose(1, 2), weight.reshape(len(weight), -1).T).transpose(1, 2)
        places = [
            (length + 2 * edge - gap * (kernel - 1) - 1) // step + 1
            for length, edge, gap, kernel, step in zip(image.shape[2:], edges, gaps, size, steps, strict=True)
        ]
        found = written.reshape(len(read), len(weight), *places)
        found = found if bias is None else found + bias[:, None, None]
        return found.squeeze(2) if one else found


@dataclass(frozen=True, eq=False)
class _Moved:
    """A result that only moves the entries of one tensor: which entry stands where."""

    tensor: str
    entries: Tensor


def readers_of(options: TracedOptions, tensors: Mapping[str, Tensor]) -> dict[str, Reader]:
    """Find the weight tensors that are read by products alone, each in one way.

    Parameters
    ----------
    options : TracedOptions
        The program.
    tensors : mapping of str to Tensor
        The tensors, for their shapes.

    Returns
    -------
    dict of str to Reader
        Of each such tensor, a module to hang hooks on. A tensor that anything else reads, or that is read in pieces, is
        left out.

    Examples
    --------
    >>> options = TracedOptions.example()
    >>> readers = readers_of(options, {"read.weight": torch.zeros(4, 3), "write.weight": torch.zeros(2, 4)})
    >>> {name: reader.nodes for name, reader in readers.items()}
    {'read.weight': ('h',), 'write.weight': ('y',)}
    """
    moved: dict[str, _Moved] = {
        f"tensor {name}": _Moved(name, torch.arange(tensor.numel()).reshape(tensor.shape))
        for name, tensor in tensors.items()
        if tensor.ndim >= 2
    }
    users: dict[str, list[str]] = {}
    spoilt: set[str] = set()
    for node in options.nodes:
        read = [n for value in (*node.args, *node.kwargs.values()) for n in names_in(value)]
        found = {n: moved[n] for n in read if n in moved}
        if not found:
            continue
        ((name, source), *others) = found.items()
        onward = None if others else _moved_on(node, name, source)
        if onward is not None:
            moved[node.name] = onward
        elif not others and _is_product(node, name, source, tensors[source.tensor]):
            users.setdefault(source.tensor, []).append(node.name)
        else:
            spoilt |= {each.tensor for each in found.values()}
    return {name: Reader(name, nodes) for name, nodes in users.items() if name not in spoilt}


def _moved_on(node: TracedNode, name: str, source: _Moved) -> _Moved | None:
    word = node.op.split(".")[1] if "." in node.op else ""
    if word not in _MOVES:
        return None
    try:
        told = {name: source.entries}
        args = filled(node.args, told, rows=1, floating=torch.float32)
        found = operator_of(node.op)(*args) if word not in ("view", "_unsafe_view") else source.entries.reshape(args[1])
    except (KeyError, RuntimeError, InputError):
        return None
    return _Moved(source.tensor, found)


def _is_product(node: TracedNode, name: str, source: _Moved, tensor: Tensor) -> bool:
    """Whether the operator multiplies what it reads with the whole tensor, rows by columns or columns by rows."""
    place = _PRODUCTS.get(node.op)
    if place is None or names_in(node.args[place[1]]) != [name] or names_in(node.args[place[0]]) == [name]:
        return False
    whole = torch.arange(tensor.numel())
    if node.op == "aten.convolution.default":
        transposed, groups = node.args[6], node.args[8]
        return not transposed and groups == 1 and tensor.ndim in (3, 4) and torch.equal(source.entries.ravel(), whole)
    matrix = source.entries
    if matrix.ndim == 3:
        if not bool((matrix == matrix[:1]).all()):
            return False
        matrix = matrix[0]
    if node.op == "aten.linear.default":
        matrix = matrix.T
    stored = whole.reshape(len(tensor), -1)
    return any(matrix.shape == way.shape and torch.equal(matrix, way) for way in (stored, stored.T))
