"""A layout: the groups of a network, and for every tensor the group that indexes each of its axes."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Self, get_args

import numpy as np

from .._errors import LayoutError
from ..did_you_mean import did_you_mean
from ..frozen import FrozenDict
from ..showing import Shown
from ._group import Group
from ._pattern import Factor, Part, Pattern, parse_pattern

Role = Literal["weight", "bias", "embedding", "norm", "buffer"]

_ARGUMENTS = 10_000
"""More parts than any row has."""
_ROW = 'write for instance "(5 x)" or "x[0:2] x[2:5]"'


@dataclass(frozen=True, repr=False)
class TensorSpec(Shown):
    """What is declared of one tensor.

    Attributes
    ----------
    pattern : str
        Its axes, in the pattern language of `parse_pattern`.
    role : {"weight", "bias", "embedding", "norm", "buffer"}, optional
        ``weight`` pays for its length, ``bias`` and ``embedding`` pay l0 an entry, ``norm`` and ``buffer`` pay nothing.
        Left out, it follows from the pattern: two groups are a weight; one group alone a bias; one group beside a free
        axis an embedding; no group a buffer.

    Raises
    ------
    PatternError
        The pattern does not parse.
    LayoutError
        The role is unknown, or a weight does not have two groups.

    Examples
    --------
    >>> TensorSpec("hidden input").role, TensorSpec("hidden").role, TensorSpec("_ hidden").role, TensorSpec("_").role
    ('weight', 'bias', 'embedding', 'buffer')
    """

    pattern: str
    role: Role | Literal[""] = ""

    def __post_init__(self) -> None:
        plan = self.plan
        if not self.role:
            groups = len(plan.groups)
            alone = len(plan.axes) == 1
            role: Role = "weight" if groups == 2 else "buffer" if groups == 0 else "bias" if alone else "embedding"
            object.__setattr__(self, "role", role)
        if self.role not in get_args(Role):
            raise LayoutError(
                "unknown role",
                where=f'pattern "{self.pattern}"',
                expected=", ".join(get_args(Role)),
                got=self.role,
                hint="use one of these",
            )
        if self.role == "weight" and len(plan.groups) != 2:
            raise LayoutError(
                "a weight joins two groups",
                where=f'pattern "{self.pattern}"',
                expected="2 groups",
                got=str(len(plan.groups)),
                hint="name both groups, or another role",
            )

    @property
    def plan(self) -> Pattern:
        """The parsed pattern."""
        return parse_pattern(self.pattern)


@dataclass(frozen=True, repr=False)
class Layout(Shown):
    """Groups of neurons placed in space, and the tensors between them.

    Attributes
    ----------
    groups : tuple of Group
        In drawing order, inputs first.
    tensors : mapping of str to TensorSpec
        The declaration of each parameter and buffer, by its name.
    inputs : str, default ""
        The group of the inputs: what the last axis of the module's input runs over. Empty if they are no neurons.
    outputs : str, default ""
        The group that the last axis of the module's output runs over, or empty.
    row : str, default ""
        How a row of inputs runs over the group of inputs, in the pattern language: ``"(5 x)"`` is a sequence, five
        times all of x; ``"(9 x[0:2]) x[2:5]"`` an image of nine pixels in two channels, and three numbers beside it.
        A number alone is so many columns that are no neurons. Left out, a row is x, once. Where a module takes several
        arguments, their last axes stand side by side.

    Raises
    ------
    LayoutError
        A name is given twice, or a pattern names an unknown group, or neurons that a group does not have.

    Examples
    --------
    A network with one hidden layer, 4 inputs and 2 outputs, as ``torch.nn.Sequential`` names its tensors:

    >>> x, h, y = Group.line("x", 4), Group.line("h", 6), Group.line("y", 2)
    >>> tensors = {
    ...     "0.weight": TensorSpec("h x"),
    ...     "0.bias": TensorSpec("h"),
    ...     "2.weight": TensorSpec("y h"),
    ...     "2.bias": TensorSpec("y"),
    ... }
    >>> layout = Layout((x, h, y), tensors, inputs="x", outputs="y")
    >>> layout.weights()
    ('0.weight', '2.weight')
    >>> layout.touching("h")
    ('0.weight', '0.bias', '2.weight')
    >>> dict(layout.sizes)
    {'x': 4, 'h': 6, 'y': 2}
    """

    groups: tuple[Group, ...]
    tensors: Mapping[str, TensorSpec]
    inputs: str = ""
    outputs: str = ""
    row: str = ""

    def _brief(self) -> str:
        sizes = ", ".join(f"{group} {size}" for group, size in self.sizes.items())
        return f"{sizes}; {len(self.tensors)} tensors"

    def __post_init__(self) -> None:
        names = [group.name for group in self.groups]
        if len(set(names)) < len(names):
            raise LayoutError(
                "a group is declared twice",
                where=", ".join(sorted({n for n in names if names.count(n) > 1})),
                hint="give each group its own name",
            )
        for tensor, spec in self.tensors.items():
            self._check(spec.plan, f"tensor '{tensor}', pattern \"{spec.pattern}\"")
        for end in filter(None, (self.inputs, self.outputs)):
            if end not in names:
                raise LayoutError(
                    "unknown group",
                    where="inputs and outputs",
                    expected=", ".join(names),
                    got=end,
                    hint="declare the group, or correct the name",
                )
        if self.row:
            row = parse_pattern(self.row, most=_ARGUMENTS)
            self._check(row, f'row "{self.row}"')
            if {*row.groups} != {self.inputs} or None in row.factors:
                expected, got = f"parts of '{self.inputs}', and numbers", f'"{self.row}"'
                raise LayoutError("a row of other than inputs", where="row", expected=expected, got=got, hint=_ROW)
        object.__setattr__(self, "tensors", FrozenDict(self.tensors))

    def _check(self, plan: Pattern, where: str) -> None:
        """Refuse groups, and neurons, that are not there."""
        for part in plan.parts:
            if part.group not in self.sizes:
                expected, hint = ", ".join(self.sizes), "declare the group, or correct the name"
                raise LayoutError("unknown group", where=where, expected=expected, got=part.group, hint=hint)
            if (part.stop or 0) > self.sizes[part.group]:
                expected, got = f"{self.sizes[part.group]} neurons of '{part.group}'", f"{part.start}:{part.stop}"
                raise LayoutError("neurons that a group does not have", where=where, expected=expected, got=got,
                                  hint="correct the part, or the size of the group")  # fmt: skip

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """The number of neurons of each group, by the group's name."""
        return FrozenDict({group.name: group.size for group in self.groups})

    @cached_property
    def input_neurons(self) -> tuple[int, ...]:
        """The place in the group of inputs that each column of a row has; -1 for a column that is no neuron."""
        if not self.inputs:
            return ()
        found: list[int] = []
        for axis in parse_pattern(self.row or self.inputs, most=_ARGUMENTS).axes:
            columns = np.zeros(1, dtype=np.int64)
            for factor in reversed(axis):  # the last one runs fastest
                if isinstance(factor, str):
                    columns = np.add.outer(np.arange(self.sizes[self.inputs])[Part.of(factor).neurons], columns).ravel()
                else:
                    columns = np.tile(columns, factor or 1)
            neurons = any(isinstance(factor, str) for factor in axis)
            found += columns.tolist() if neurons else [-1] * len(columns)
        return tuple(found)

    @property
    def columns(self) -> int:
        """The length of a row of inputs; 0 if no group is the input."""
        row = parse_pattern(self.row or self.inputs, most=_ARGUMENTS) if self.inputs else None
        return sum(math.prod(_length(factor, self.sizes) for factor in axis) for axis in row.axes) if row else 0

    @property
    def steps(self) -> int:
        """How often a row runs over the inputs: more than once where it holds a sequence, or an image's pixels."""
        return max(1, self.columns // self.sizes[self.inputs]) if self.inputs else 1

    @property
    def ends_are_neurons(self) -> bool:
        """Whether inputs and outputs are groups of neurons; tokens are not."""
        return bool(self.inputs and self.outputs)

    def group(self, name: str) -> Group:
        """Return the group of that name.

        Parameters
        ----------
        name : str
            The group's name.

        Returns
        -------
        Group
            The group.

        Raises
        ------
        LayoutError
            There is none.
        """
        for group in self.groups:
            if group.name == name:
                return group
        raise LayoutError(
            "unknown group",
            expected=", ".join(self.sizes),
            got=name,
            hint=did_you_mean(name, self.sizes, otherwise="correct the name"),
        )

    def weights(self) -> tuple[str, ...]:
        """Name the tensors that join two groups, in the order of ``tensors``."""
        return tuple(name for name, spec in self.tensors.items() if spec.role == "weight")

    def touching(self, group: str) -> tuple[str, ...]:
        """Name the tensors that a group indexes, in the order of ``tensors``.

        Parameters
        ----------
        group : str
            The group's name.

        Returns
        -------
        tuple of str
            Names of tensors.
        """
        return tuple(name for name, spec in self.tensors.items() if group in spec.plan.groups)

    @classmethod
    def merge(cls, *pieces: "Layout", inputs: str = "", outputs: str = "", row: str = "") -> Self:
        """Join fragments into one layout; groups of one name must be equal, and become one group.

        Parameters
        ----------
        *pieces : Layout
            The fragments, inputs first.
        inputs : str, default ""
            The group that the last axis of the module's input runs over, or empty.
        outputs : str, default ""
            The group that the last axis of the module's output runs over, or empty.
        row : str, default ""
            How a row of inputs runs over the group of inputs; left out, once.

        Returns
        -------
        Layout
            All groups and tensors of the fragments.

        Raises
        ------
        LayoutError
            Two fragments declare one tensor, or one group differently.

        Examples
        --------
        >>> from bimt_train.layouts import linear
        >>> x, h, y = Group.line("x", 4), Group.line("h", 6), Group.line("y", 2)
        >>> pieces = linear("0", source=x, target=h), linear("2", source=h, target=y)
        >>> list(Layout.merge(*pieces, inputs="x", outputs="y").tensors)
        ['0.weight', '0.bias', '2.weight', '2.bias']
        """
        groups: dict[str, Group] = {}
        tensors: dict[str, TensorSpec] = {}
        for piece in pieces:
            for group in piece.groups:
                if groups.setdefault(group.name, group) != group:
                    raise LayoutError(
                        "two fragments declare a group differently",
                        where=f"group '{group.name}'",
                        hint="share one Group object",
                    )
            for name, spec in piece.tensors.items():
                if name in tensors:
                    raise LayoutError(
                        "two fragments declare one tensor", where=f"tensor '{name}'", hint="declare it once"
                    )
                tensors[name] = spec
        return cls(tuple(groups.values()), tensors, inputs, outputs, row)

    def with_groups(self, groups: Iterable[Group]) -> Self:
        """Replace groups, by name, with groups of other slots, sizes or labels; the tensors' declarations stay.

        Parameters
        ----------
        groups : iterable of Group
            Each replaces the group of its name. A group whose name the layout does not have is not used.

        Returns
        -------
        Layout
            A new layout.
        """
        changed = {group.name: group for group in groups}
        return replace(self, groups=tuple(changed.get(g.name, g) for g in self.groups))

    def to_json(self) -> dict[str, Any]:
        """Write the layout as plain values, from which `from_json` makes an equal layout."""
        plain: dict[str, Any] = {
            "groups": [group.to_json() for group in self.groups],
            "tensors": {name: {"pattern": spec.pattern, "role": spec.role} for name, spec in self.tensors.items()},
            "inputs": self.inputs,
            "outputs": self.outputs,
        }
        return plain | {"row": self.row} if self.row else plain

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Make the layout that `to_json` wrote.

        Parameters
        ----------
        data : dict
            What `to_json` returned.

        Returns
        -------
        Layout
            An equal layout.
        """
        tensors = {name: TensorSpec(spec["pattern"], spec["role"]) for name, spec in data["tensors"].items()}
        groups = tuple(Group.from_json(g) for g in data["groups"])
        return cls(groups, tensors, data["inputs"], data["outputs"], data.get("row", ""))

    def __hash__(self) -> int:
        return hash((self.groups, frozenset(self.tensors.items()), self.inputs, self.outputs, self.row))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layout):
            return NotImplemented
        mine, theirs = ((x.groups, dict(x.tensors), x.inputs, x.outputs, x.row) for x in (self, other))
        return mine == theirs


def _length(factor: Factor, sizes: Mapping[str, int]) -> int:
    return Part.of(factor).size(sizes) if isinstance(factor, str) else factor or 1
