"""What the linear operators of a program read and write, as products with a weight tensor of the module."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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
_MOVES = RESHAPES | {"permute", "t", "transpose", "expand", "index_select"}


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


class Product(NamedTuple):
    """A linear operator, and the tensors of which its weight is made.

    Attributes
    ----------
    readers : tuple of Reader
        One for each tensor.
    sources : tuple of Tensor of int
        For each, the places along the axis that is read of what it reads.
    targets : tuple of Tensor of int
        For each, the places along the axis that is written of what it writes.

    Examples
    --------
    >>> one, both = torch.tensor([0]), torch.tensor([0, 1])
    >>> product = Product((Reader("a", []), Reader("b", [])), (one, both + 1), (both, both))
    >>> product.compute("aten.mm.default", [torch.ones(5, 3), torch.ones(3, 2)], {})[0].tolist()
    [3.0, 3.0]
    """

    readers: tuple[Reader, ...]
    sources: tuple[Tensor, ...]
    targets: tuple[Tensor, ...]

    @property
    def is_watched(self) -> bool:
        """Whether anything looks at one of the readers; if not, the operator itself runs, which may be faster."""
        return any(reader.is_watched for reader in self.readers)

    def compute(self, op: str, args: list[Any], kwargs: Mapping[str, Any]) -> Tensor:
        """Compute what an operator would, by way of the products.

        Parameters
        ----------
        op : str
            Its name.
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
            return self._convolved(*args[:6])  # those after them are of transposed convolutions and of groups
        matrix: Tensor = args[weight]
        if op == "aten.linear.default":
            written = self._written(args[at], matrix.T)
            return written + args[2] if len(args) > 2 and args[2] is not None else written
        written = self._written(args[at], matrix[0] if matrix.ndim == 3 else matrix)
        added: Tensor = kwargs.get("beta", 1) * args[0] if at else torch.zeros(())
        return added + kwargs.get("alpha", 1) * written if at else written

    def _written(self, read: Tensor, matrix: Tensor) -> Tensor:
        """What all readers write, in the place of each."""
        if len(self.readers) == 1 and all(_in_order(*pair) for pair in zip(matrix.shape, self._ends, strict=True)):
            return self.readers[0](read, matrix)  # type: ignore[no-any-return]
        found = list[Tensor]()
        for reader, source, target in zip(*self, strict=True):
            own: Tensor = reader(read[..., source], matrix[source][:, target])
            found.append(own.new_zeros(*own.shape[:-1], matrix.shape[1]).index_add(-1, target.to(own.device), own))
        return sum(found[1:], found[0])

    @property
    def _ends(self) -> tuple[Tensor, Tensor]:
        return self.sources[0], self.targets[0]

    def _convolved(
        self,
        read: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: list[int],
        padding: list[int],
        dilation: list[int],
    ) -> Tensor:
        """A convolution as a product with patches; in one dimension, over images of one row."""
        one = read.ndim == 3
        image = read.unsqueeze(2) if one else read
        size = (1, *weight.shape[2:]) if one else tuple(weight.shape[2:])
        steps, edges, gaps = (
            (first, *given) if one else tuple(given) for first, given in ((1, stride), (0, padding), (1, dilation))
        )
        patches = functional.unfold(image, size, dilation=gaps, padding=edges, stride=steps).transpose(1, 2)
        around = math.prod(size)  # entries of a patch for each channel
        by_patch = self._replace(
            sources=tuple((s[:, None] * around + torch.arange(around)).ravel() for s in self.sources)
        )
        written = by_patch._written(patches, weight.reshape(len(weight), -1).T).transpose(1, 2)
        places = [
            (length + 2 * edge - gap * (kernel - 1) - 1) // step + 1
            for length, edge, gap, kernel, step in zip(image.shape[2:], edges, gaps, size, steps, strict=True)
        ]
        found = written.reshape(len(read), len(weight), *places)
        found = found if bias is None else found + bias[:, None, None]
        return found.squeeze(2) if one else found


def _in_order(length: int, places: Tensor) -> bool:
    """Whether places are all that there are, one after the other."""
    return len(places) == length and bool((places == torch.arange(length)).all())


@dataclass(frozen=True, eq=False)
class _Moved:
    """A result that only moves the entries of tensors, and puts some side by side: which entry stands where."""

    tensors: frozenset[str]
    entries: Tensor


def products_of(options: TracedOptions, tensors: Mapping[str, Tensor]) -> dict[str, Product]:
    """Find the weight tensors that are read by products alone, each in one way.

    Parameters
    ----------
    options : TracedOptions
        The program.
    tensors : mapping of str to Tensor
        The tensors, for their shapes.

    Returns
    -------
    dict of str to Product
        Of each operator that reads such tensors, a module for each of them to hang hooks on. A tensor that anything
        else reads, or that is read in pieces, is left out, with all that is read beside it.

    Examples
    --------
    >>> options = TracedOptions.example()
    >>> products = products_of(options, {"read.weight": torch.zeros(4, 3), "write.weight": torch.zeros(2, 4)})
    >>> {node: [reader.tensor for reader in product.readers] for node, product in products.items()}
    {'h': ['read.weight'], 'y': ['write.weight']}
    """
    numbered, first = dict[str, Tensor](), 0
    for name, tensor in tensors.items():
        if tensor.ndim >= 2:
            numbered[name] = torch.arange(first, first + tensor.numel()).reshape(tensor.shape)
            first += tensor.numel()
    moved = {f"tensor {name}": _Moved(frozenset([name]), entries) for name, entries in numbered.items()}
    places = {f"tensor {name}": tensor for name, tensor in tensors.items() if tensor.dtype == torch.int64}
    found, spoilt = dict[str, dict[str, tuple[Tensor, Tensor]]](), set[str]()
    for node in options.nodes:
        read = {n: moved[n] for value in (*node.args, *node.kwargs.values()) for n in names_in(value) if n in moved}
        if not read:
            if node.op == "aten.clone.default" and (copied := names_in(node.args[0])[0]) in places:
                places[node.name] = places[copied]
            continue
        onward = _moved_on(node, read, places)
        blocks = None if onward is not None or len(read) > 1 else _blocks(node, read, numbered)
        if onward is not None:
            moved[node.name] = onward
        elif blocks is not None:
            found[node.name] = blocks
        else:
            spoilt |= {name for each in read.values() for name in each.tensors}
    while more := {t for blocks in found.values() if spoilt & {*blocks} for t in blocks} - spoilt:
        spoilt |= more
    found = {node: blocks for node, blocks in found.items() if not spoilt & {*blocks}}
    names = dict.fromkeys(name for blocks in found.values() for name in blocks)
    readers = {name: Reader(name, [node for node, blocks in found.items() if name in blocks]) for name in names}
    return {
        node: Product(
            tuple(readers[name] for name in blocks),
            tuple(source for source, _ in blocks.values()),
            tuple(target for _, target in blocks.values()),
        )
        for node, blocks in found.items()
    }


def _moved_on(node: TracedNode, read: Mapping[str, _Moved], places: Mapping[str, Tensor]) -> _Moved | None:
    """What an operator makes of entries that it only moves, perhaps to stored ``places``."""
    word = node.op.split(".")[1] if "." in node.op else ""
    if word not in _MOVES and word != "cat":
        return None
    told = {name: source.entries for name, source in read.items()}
    if word == "index_select":
        told |= places
    try:
        args = filled(node.args, told, rows=1, floating=torch.float32)
        view = word in ("view", "_unsafe_view")
        found = args[0].reshape(args[1]) if view else operator_of(node.op)(*args)
    except (KeyError, RuntimeError, InputError):
        return None
    return _Moved(frozenset[str]().union(*(source.tensors for source in read.values())), found)


def _blocks(
    node: TracedNode, read: Mapping[str, _Moved], numbered: Mapping[str, Tensor]
) -> dict[str, tuple[Tensor, Tensor]] | None:
    """Where each tensor stands in the matrix of a product: its sources and its targets; None if it is no product."""
    ((name, source),) = read.items()
    place = _PRODUCTS.get(node.op)
    if place is None or names_in(node.args[place[1]]) != [name] or names_in(node.args[place[0]]) == [name]:
        return None
    matrix, kernel = source.entries, 1
    if node.op == "aten.convolution.default":
        transposed, groups = node.args[6], node.args[8]
        if transposed or groups != 1 or matrix.ndim not in (3, 4):
            return None
        kernel = math.prod(matrix.shape[2:])
        matrix = matrix.reshape(len(matrix), -1).T
    if matrix.ndim == 3:
        if not bool((matrix == matrix[:1]).all()):
            return None
        matrix = matrix[0]
    if node.op == "aten.linear.default":
        matrix = matrix.T
    found = {}
    for tensor in source.tensors:
        block = _block(matrix, numbered[tensor], kernel)
        if block is None:
            return None
        found[tensor] = block
    covered = sum(len(sources) * kernel * len(targets) for sources, targets in found.values())
    return dict(sorted(found.items())) if covered == matrix.numel() else None


def _block(matrix: Tensor, own: Tensor, kernel: int) -> tuple[Tensor, Tensor] | None:
    """Where a whole tensor's sources and targets stand in a matrix, as it is stored or turned."""
    stored = own.reshape(len(own), -1)
    for way in (stored.T, stored):
        places = torch.full((int(own.max()) + 1,), -1)
        inside = (matrix >= own.min()) & (matrix <= own.max())
        places[matrix[inside]] = torch.arange(matrix.numel()).reshape(matrix.shape)[inside]
        rows, columns = places[way[:, 0]] // matrix.shape[1], places[way[0]] % matrix.shape[1]
        if int(places[own].min()) < 0 or not torch.equal(matrix[rows][:, columns], way):
            continue
        sources = rows[::kernel] // kernel
        if torch.equal(rows, (sources[:, None] * kernel + torch.arange(kernel)).ravel()):
            return sources, columns
    return None
