"""A layout: the groups of a network, and for every tensor which group indexes each of its axes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal, Self, get_args

from .._errors import LayoutError
from ._group import Group
from ._pattern import Pattern, parse_pattern

Role = Literal["weight", "bias", "embedding", "norm", "buffer"]


@dataclass(frozen=True)
class TensorSpec:
    """What is declared of one tensor.

    Attributes:
        pattern: its axes, in the pattern language.
        role: ``weight`` pays for its length, ``bias`` and ``embedding`` pay l0 an entry, ``norm`` and ``buffer`` pay
            nothing. Left out, it follows from the pattern: two groups are a weight; one group alone a bias; one group
            beside a free axis an embedding; no group a buffer.

    Raises:
        PatternError: the pattern does not parse.
        LayoutError: an unknown role, or a weight without two groups.
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
                mend="use one of these",
            )
        if self.role == "weight" and len(plan.groups) != 2:
            raise LayoutError(
                "a weight joins two groups",
                where=f'pattern "{self.pattern}"',
                expected="2 groups",
                got=str(len(plan.groups)),
                mend="name both groups, or another role",
            )

    @property
    def plan(self) -> Pattern:
        """The parsed pattern."""
        return parse_pattern(self.pattern)


@dataclass(frozen=True)
class Layout:
    """Groups of neurons placed in space, and the tensors between them.

    Attributes:
        groups: in drawing order, inputs first.
        tensors: name -> declaration, for parameters and buffers alike.
        inputs: the group that the last axis of the module's input runs over, or empty.
        outputs: the same for its output.
        steps: how many times the input's last axis runs over that group, one after the other: more than once where a
            row holds a sequence.

    Raises:
        LayoutError: a name twice, a pattern that names an unknown group, or no steps.
    """

    groups: tuple[Group, ...]
    tensors: Mapping[str, TensorSpec]
    inputs: str = ""
    outputs: str = ""
    steps: int = 1

    def __post_init__(self) -> None:
        names = [group.name for group in self.groups]
        if len(set(names)) < len(names):
            raise LayoutError(
                "a group is declared twice",
                where=", ".join(sorted({n for n in names if names.count(n) > 1})),
                mend="give each group its own name",
            )
        for tensor, spec in self.tensors.items():
            for name in spec.plan.groups:
                if name not in names:
                    raise LayoutError(
                        "unknown group",
                        where=f"tensor '{tensor}', pattern \"{spec.pattern}\"",
                        expected=", ".join(names),
                        got=name,
                        mend="declare the group, or correct the name",
                    )
        for end in filter(None, (self.inputs, self.outputs)):
            if end not in names:
                raise LayoutError(
                    "unknown group",
                    where="inputs and outputs",
                    expected=", ".join(names),
                    got=end,
                    mend="declare the group, or correct the name",
                )
        if self.steps < 1:
            raise LayoutError("a layout without steps", where="steps", expected="1 or more", got=str(self.steps))
        object.__setattr__(self, "tensors", MappingProxyType(dict(self.tensors)))

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Group name -> number of neurons."""
        return MappingProxyType({group.name: group.size for group in self.groups})

    @property
    def columns(self) -> int:
        """The length of the input's last axis; 0 if no group is the input. Column j is of neuron j modulo the size."""
        return self.steps * self.sizes[self.inputs] if self.inputs else 0

    @property
    def ends_are_neurons(self) -> bool:
        """Whether inputs and outputs are both groups; tokens are not."""
        return bool(self.inputs and self.outputs)

    def group(self, name: str) -> Group:
        """The group of that name.

        Raises:
            LayoutError: there is none.
        """
        for group in self.groups:
            if group.name == name:
                return group
        raise LayoutError("unknown group", expected=", ".join(self.sizes), got=name, mend="correct the name")

    def weights(self) -> tuple[str, ...]:
        """The tensors that join two groups."""
        return tuple(name for name, spec in self.tensors.items() if spec.role == "weight")

    def touching(self, group: str) -> tuple[str, ...]:
        """The tensors that the group indexes: the inverse of the declaration, derived each time."""
        return tuple(name for name, spec in self.tensors.items() if group in spec.plan.groups)

    @classmethod
    def merge(cls, *pieces: "Layout", inputs: str = "", outputs: str = "", steps: int = 1) -> Self:
        """One layout of several fragments; a group that several of them name is the same group.

        Raises:
            LayoutError: two fragments declare one tensor, or one group differently.
        """
        groups: dict[str, Group] = {}
        tensors: dict[str, TensorSpec] = {}
        for piece in pieces:
            for group in piece.groups:
                if groups.setdefault(group.name, group) != group:
                    raise LayoutError(
                        "two fragments declare a group differently",
                        where=f"group '{group.name}'",
                        mend="share one Group object",
                    )
            for name, spec in piece.tensors.items():
                if name in tensors:
                    raise LayoutError(
                        "two fragments declare one tensor", where=f"tensor '{name}'", mend="declare it once"
                    )
                tensors[name] = spec
        return cls(tuple(groups.values()), tensors, inputs, outputs, steps)

    def with_groups(self, groups: Iterable[Group]) -> Self:
        """The same declaration over groups of these names but other slots or sizes."""
        changed = {group.name: group for group in groups}
        return replace(self, groups=tuple(changed.get(g.name, g) for g in self.groups))

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which `from_json` makes an equal layout."""
        plain: dict[str, Any] = {
            "groups": [group.to_json() for group in self.groups],
            "tensors": {name: {"pattern": spec.pattern, "role": spec.role} for name, spec in self.tensors.items()},
            "inputs": self.inputs,
            "outputs": self.outputs,
        }
        return plain if self.steps == 1 else plain | {"steps": self.steps}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The layout that `to_json` wrote down."""
        tensors = {name: TensorSpec(spec["pattern"], spec["role"]) for name, spec in data["tensors"].items()}
        groups = tuple(Group.from_json(g) for g in data["groups"])
        return cls(groups, tensors, data["inputs"], data["outputs"], data.get("steps", 1))

    def __hash__(self) -> int:
        return hash((self.groups, frozenset(self.tensors.items()), self.inputs, self.outputs, self.steps))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layout):
            return NotImplemented
        mine, theirs = ((x.groups, dict(x.tensors), x.inputs, x.outputs, x.steps) for x in (self, other))
        return mine == theirs
