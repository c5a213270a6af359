"""Tensors in pieces, one for each pair of groups that they join."""

import itertools
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ...layouts._copied import copied
from ...layouts.tracing import AxisCuts, Program, cuts_of


def parted(module: nn.Module, program: Program) -> nn.Module:
    """Store in pieces what holds several layers in one: behind a concatenation, or before a split.

    Parameters
    ----------
    module : torch.nn.Module
        The module; it is left as it is.
    program : Program
        Its operators, for a few rows that it takes (`program_of`).

    Returns
    -------
    torch.nn.Module
        The module itself, or a copy that puts its pieces together before it computes what the module does.

    Examples
    --------
    >>> class Late(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.a, self.b, self.out = nn.Linear(2, 4), nn.Linear(3, 4), nn.Linear(8, 1)
    ...
    ...     def forward(self, a, b):
    ...         return self.out(torch.tanh(torch.cat([self.a(a), self.b(b)], dim=-1)))
    >>> from bimt_train.layouts._inputs import Inputs
    >>> from bimt_train.layouts.tracing import program_of
    >>> late, given = Late(), Inputs.of((torch.zeros(5, 2), torch.zeros(5, 3)))
    >>> cut = parted(late, program_of(late, given))
    >>> [plain_name(name) for name, _ in cut.named_parameters() if "out" in name]
    ['out.bias', 'out.weight.0', 'out.weight.1']
    """
    found = cuts_of(module, program)
    if not found:
        return module
    own = copied(module)
    several = _several(own)
    for name, cuts in found.items():
        owner, _, last = name.rpartition(".")
        if name not in several:
            parametrize.register_parametrization(own.get_submodule(owner), last, _Pieces(cuts), unsafe=True)
    return own


def plain_name(name: str) -> str:
    """Name a piece by its tensor and its number.

    Parameters
    ----------
    name : str
        As the module that `parted` makes has it.

    Examples
    --------
    >>> plain_name("fc.parametrizations.weight.original1")
    'fc.weight.1'
    """
    owner, found, last = name.rpartition("parametrizations.")
    return owner + last.replace(".original", ".") if found else name


def _several(module: nn.Module) -> set[str]:
    """Tensors that have several names; they stay whole."""
    named: list[tuple[str, Tensor]] = [*module.named_parameters(remove_duplicate=False)]
    named += module.named_buffers(remove_duplicate=False)
    counts: dict[int, list[str]] = {}
    for name, tensor in named:
        counts.setdefault(id(tensor), []).append(name)
    return {name for names in counts.values() if len(names) > 1 for name in names}


class _Pieces(nn.Module):
    """Puts the pieces of one tensor together, the last axis running fastest."""

    def __init__(self, cuts: Mapping[int, AxisCuts]) -> None:
        super().__init__()
        self.cuts = dict(sorted(cuts.items()))

    def forward(self, *pieces: Tensor) -> Tensor:
        found = list(pieces)
        for axis, cut in reversed(self.cuts.items()):
            count = len(cut.places) + 1
            parts = [found[k : k + count] for k in range(0, len(found), count)]
            found = [torch.cat(some, dim=axis) if count > 1 else some[0] for some in parts]
        whole = found[0]
        for axis, cut in self.cuts.items():
            if cut.order:
                back = sorted(range(len(cut.order)), key=cut.order.__getitem__)
                whole = whole.index_select(axis, torch.tensor(back))
        return whole

    def right_inverse(self, whole: Tensor) -> tuple[Tensor, ...]:
        for axis, cut in self.cuts.items():
            whole = whole.index_select(axis, torch.tensor(cut.order)) if cut.order else whole
        found = [whole]
        for axis, cut in self.cuts.items():
            found = list(itertools.chain(*(torch.tensor_split(each, cut.places, dim=axis) for each in found)))
        return tuple(piece.contiguous() for piece in found)
