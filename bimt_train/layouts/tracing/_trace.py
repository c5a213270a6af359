"""The layout of any module, from a run of its operators on labels."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from ..._errors import LayoutError
from .._group import Group
from .._layout import Layout, TensorSpec
from ._groups import Reading, arrangement, read
from ._program import Program
from ._recorder import HINT
from ._row import with_ends
from ._run import Run, run
from .labels._label_store import Ints

if TYPE_CHECKING:
    from torch import nn

NORMS = frozenset(
    {"native_layer_norm", "_fused_rms_norm", "native_group_norm", "_native_batch_norm_legit_no_training", "mul", "div"}
)
"""Operators that scale or normalise; a tensor that nothing else reads pays nothing."""


def trace(module: "nn.Module", program: Program) -> Layout:
    """Derive the layout of a module from the operators that it runs.

    Parameters
    ----------
    module : torch.nn.Module
        The module; it is left as it is.
    program : Program
        Its operators (`program_of`).

    Returns
    -------
    Layout
        A declaration of every parameter and every buffer that is stored.

    Raises
    ------
    LayoutError
        An operator has no rule, no neuron can move, or the inputs do not reach a tensor of a module that branches.
    """
    lasting = module.state_dict().keys()
    buffers = {name: name in lasting for name, _ in module.named_buffers()}
    found = run(program, buffers)
    unread = [name for name, _ in module.named_parameters() if name not in found.uses]
    if program.recorded and unread:
        raise LayoutError(
            "tensors that no operator reads for these inputs",
            where=", ".join(f"'{name}'" for name in unread[:8]),
            hint="what runs depends on numbers: give example inputs that reach every tensor",
        )
    reading = read(found)
    if not reading.families:
        raise LayoutError(
            "no neurons that can be moved",
            where=f"module {type(module).__name__}",
            got="no permutation of the indices of its tensors that leaves the outputs unchanged, that patterns can say",
            hint=HINT,
        )
    return _layout(module, found, reading, buffers)


def _layout(module: "nn.Module", found: Run, reading: Reading, buffers: Mapping[str, bool]) -> Layout:
    names = _names(reading)
    groups = {
        names[number]: Group.line(names[number], len(family.neurons), heads=family.heads)
        for number, family in enumerate(reading.families)
    }
    still = _Still(found, reading, tuple(names), found.labels.layers)
    specs: dict[str, TensorSpec] = {}
    tensors: dict[str, Any] = dict(module.named_parameters()) | dict(module.named_buffers())
    for name, tensor in tensors.items():
        moving = sum((name, axis) in reading.axes for axis in range(tensor.ndim))
        words = []
        for axis in range(tensor.ndim):
            word = "_"
            if (name, axis) in reading.axes:
                before, number, after = reading.axes[name, axis]
                word = _word(before, names[number], after)
            elif moving < 2:
                word = still.word(name, axis)
                moving += word != "_"
            words.append(word)
        if buffers.get(name, True) or set(words) - {"_"}:
            gap = " -> " if _source_first(found, name, words) else " "
            specs[name] = TensorSpec(gap.join(words), _role(words, found.uses.get(name, frozenset()), name in buffers))
    groups |= {group.name: group for group in still.groups()}
    order = sorted(groups.values(), key=lambda group: (group.name != "x", group.name == "y"))
    place = still.places() | {
        one: (names[number], index)
        for number, family in enumerate(reading.families)
        for index, one in enumerate(family.neurons)
    }
    root = reading.symmetry.root
    given, returned = (
        [[place.get(one) for one in root[axis].tolist()] for axis in axes] for axes in (found.inputs, [found.outputs])
    )
    layout = with_ends(Layout(tuple(order), specs), [one for axis in given for one in axis], returned[0])
    if layout.outputs:
        return layout
    kept = {names[number] for number in reading.outputs}  # beside others that no group says, outputs stay in place
    return layout.with_groups(replace(each, movable=False) for each in layout.groups if each.name in kept)


def _names(reading: Reading) -> list[str]:
    names, counts = [], {"h": 0, "a": 0, "x": 0, "y": 0}
    for number, family in enumerate(reading.families):
        both = number in reading.inputs and reading.inputs == reading.outputs
        letter = "x" if number in reading.inputs else "y" if number in reading.outputs else "h"
        letter = "a" if letter == "h" and family.blocks else letter
        counts[letter] += 1
        plain = letter in "xy" and counts[letter] == 1
        names.append("resid" if both and plain else letter if plain else f"{letter}{counts[letter]}")
    return names


def _word(before: int, name: str, after: int) -> str:
    factors = [str(before)] * (before > 1) + [name] + [str(after)] * (after > 1)
    return factors[0] if len(factors) == 1 else f"({' '.join(factors)})"


def _source_first(found: Run, name: str, words: list[str]) -> bool:
    """Whether a matrix is stored [in, out]: a layer reads along its first axis alone."""
    if len(words) != 2 or "_" in words:
        return False
    stem, cut, _ = name.rpartition(".original")  # pieces of one tensor are stored alike
    own: list[set[int]] = [
        {label for (other, at), some in found.axes.items() for label in some.tolist()
         if at == axis and (other == name or (cut and other.startswith(f"{stem}{cut}")))}
        for axis in (0, 1)
    ]  # fmt: skip
    read, written = found.labels.read, found.labels.written
    return bool(own[0] & read and own[1] & written) and not (own[0] & written or own[1] & read)


def _role(words: list[str], uses: frozenset[str], buffer: bool) -> Literal["", "buffer", "norm"]:
    if buffer:
        return "buffer"
    named = [word for word in words if word != "_"]
    return "norm" if len(named) == 1 and uses and uses <= NORMS else ""


@dataclass(eq=False)
class _Still:
    """Groups of neurons that cannot move, or that are alone, named as tensors are found to have them."""

    found: Run
    reading: Reading
    taken: tuple[str, ...]
    layers: Set[int]
    names: dict[tuple[int, ...], str] = field(default_factory=dict)

    def word(self, tensor: str, axis: int) -> str:
        """The pattern of an axis of a ``tensor`` along which a layer reads or writes; _ for any other."""
        own = self.found.axes.get((tensor, axis))
        if own is None:
            return "_"
        labels = self.found.labels
        roots = self.reading.symmetry.root
        neurons = roots[own]
        order = tuple(dict.fromkeys(neurons.tolist()))
        folded = arrangement(neurons, order)
        if folded is None:  # each index by itself
            order, folded = tuple(own.tolist()), (1, 1)
        if not self._is_layer(own, order) or set(own.tolist()) & labels.tokens:
            return "_"
        if order not in self.names:
            self.names[order] = self._name(set(order))
        return _word(folded[0], self.names[order], folded[1])

    def _is_layer(self, own: Ints, order: tuple[int, ...]) -> bool:
        if order in self.names or set(own.tolist()) & self.layers:
            return True
        return len(order) == 1 and order[0] in {self.found.labels.find(label) for label in self.layers}

    def _name(self, neurons: set[int]) -> str:
        roots = self.reading.symmetry.root
        for letter, axes in (("x", self.found.given), ("y", self.found.returned)):
            if any(neurons <= set(roots[axis].tolist()) for axis in axes):
                return self._free(letter)
        return self._free("f1")

    def _free(self, name: str) -> str:
        taken = {*self.taken, *self.names.values()}
        letter, number = name[0], int(name[1:] or 1)
        while name in taken:
            number += 1
            name = f"{letter}{number}"
        return name

    def places(self) -> dict[int, tuple[str, int]]:
        """The group, and the place there, of each neuron that is alone."""
        return {order[0]: (name, 0) for order, name in self.names.items() if len(order) == 1}

    def groups(self) -> list[Group]:
        """All of them: one neuron alone may be assigned to its only slot."""
        return [Group.line(name, len(order), movable=len(order) == 1) for order, name in self.names.items()]
