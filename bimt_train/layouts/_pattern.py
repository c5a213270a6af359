"""Patterns: one short string says which group of neurons indexes each axis of a tensor."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple, Self

from .._errors import PatternError
from ..showing import Shown

Factor = str | int | None  # a group's name, a number of copies, or an axis that no neuron indexes

_TOKEN = re.compile(
    r"\s*(?:(?P<arrow>->)|(?P<open>\()|(?P<close>\))|(?P<free>_(?![\w]))|(?P<int>[0-9]{1,9}(?![\w]))|(?P<name>[A-Za-z][\w.]*(?:\[[0-9]{1,9}:[0-9]{1,9}\])?))"
)
_PART = re.compile(r"(?P<group>[^\[]*)(?:\[(?P<start>[0-9]+):(?P<stop>[0-9]+)\])?")
_GRAMMAR = (
    'axes parted by spaces; an axis is a group\'s name, part of a group as "x[0:2]", a number, "_", or "(...)" of '
    "names and numbers"
)


class Part(NamedTuple):
    """The neurons of a group that a factor runs over.

    Attributes
    ----------
    group : str
        The group's name.
    start : int
        The first neuron.
    stop : int or None
        The neuron after the last; None where the whole group is meant.

    Examples
    --------
    >>> Part.of("x[2:5]"), Part.of("x").size({"x": 4})
    (Part(group='x', start=2, stop=5), 4)
    """

    group: str
    start: int = 0
    stop: int | None = None

    @classmethod
    def of(cls, factor: str) -> Self:
        """Read a ``factor`` of a pattern that names a group."""
        found = _PART.fullmatch(factor)
        assert found is not None, factor
        group, start, stop = found.group("group", "start", "stop")
        return cls(group) if start is None else cls(group, int(start), int(stop))

    def size(self, sizes: Mapping[str, int]) -> int:
        """How many neurons it has, with ``sizes`` the neurons of each group."""
        return sizes[self.group] if self.stop is None else self.stop - self.start

    @property
    def neurons(self) -> slice:
        """Their places in the group."""
        return slice(self.start, self.stop)


@dataclass(frozen=True, repr=False)
class Pattern(Shown):
    """The axes of a tensor, slowest first, each the product of its factors. Made by `parse_pattern`.

    A matrix lists its target group first, as ``torch.nn.Linear.weight`` does: ``"hidden input"``. An arrow turns this
    round for modules that store ``[in, out]``: ``"input -> hidden"``. Inside parentheses the first factor is the
    slowest, as in einops: ``"(3 attn) resid"`` is a weight whose rows are three runs over the group ``attn``.

    Attributes
    ----------
    text : str
        The pattern as it was written.
    axes : tuple of tuple
        For each axis its factors: a group's name, with ``[start:stop]`` behind it where only these of its neurons index
        the axis, a number of copies, or None for an axis that no neuron indexes.
    source_first : bool, default False
        Whether the source group comes first, which an arrow says.

    Examples
    --------
    >>> parse_pattern("(3 attn) resid").groups
    ('attn', 'resid')
    >>> parse_pattern("input -> hidden").groups
    ('hidden', 'input')
    >>> parse_pattern("hidden input[2:5]").parts[1]
    Part(group='input', start=2, stop=5)
    """

    text: str
    axes: tuple[tuple[Factor, ...], ...]
    source_first: bool = False

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """The groups that index this tensor, target before source; one name twice is a recurrent weight."""
        return tuple(part.group for part in self.parts)

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The neurons that index this tensor, target before source: whole groups, or parts of them."""
        found = tuple(part for _, part in self.group_factors())
        return found[::-1] if self.source_first else found

    def group_factors(self) -> tuple[tuple[int, Part], ...]:
        """List, for each group in the order of the axes, its position among all factors and which of its neurons."""
        return tuple((place, Part.of(factor)) for place, factor in enumerate(self.factors) if isinstance(factor, str))

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """All factors of all axes, slowest first: the shape of the tensor once its folds are opened."""
        return tuple(factor for axis in self.axes for factor in axis)

    def open_shape(self, shape: tuple[int, ...], sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Open every fold of a shape, so that it has one number for each factor.

        Parameters
        ----------
        shape : tuple of int
            The tensor's shape.
        sizes : mapping of str to int
            The number of neurons of each group, by the group's name.

        Returns
        -------
        tuple of int
            One length for each of `factors`.

        Raises
        ------
        PatternError
            The tensor does not have the axes that the pattern says.

        Examples
        --------
        >>> parse_pattern("(3 attn) resid").open_shape((12, 5), {"attn": 4, "resid": 5})
        (3, 4, 5)
        """
        if len(shape) != len(self.axes):
            raise self._misfit(shape, expected=f"{len(self.axes)} axes", got=f"{len(shape)}")
        opened: list[int] = []
        for place, (axis, length) in enumerate(zip(self.axes, shape, strict=True)):
            lengths = [
                length if factor is None else Part.of(factor).size(sizes) if isinstance(factor, str) else factor
                for factor in axis
            ]
            if math.prod(lengths) != length:
                said = " * ".join(
                    f"{factor}={size}" if isinstance(factor, str) else str(size)
                    for factor, size in zip(axis, lengths, strict=True)
                )
                raise self._misfit(
                    shape,
                    axis=f", axis {place}",
                    expected=f"{math.prod(lengths)} ({said})",
                    got=str(length),
                    hint=self._advice(shape, sizes),
                )
            opened += lengths
        return tuple(opened)

    def _advice(self, shape: tuple[int, ...], sizes: Mapping[str, int]) -> str:
        """The transposed pattern, where that one fits; else the general advice."""
        if len(self.axes) == 2:
            lengths = [
                None
                if None in axis
                else math.prod(Part.of(f).size(sizes) if isinstance(f, str) else f or 1 for f in axis)
                for axis in self.axes
            ]
            if all(length in (None, size) for length, size in zip(lengths[::-1], shape, strict=True)):
                return f"the tensor is transposed: {self.hint_of_exchange()}"
        return "correct the pattern, or the size of the group"

    def transposed(self) -> str:
        """Write the pattern of the same tensor stored with its two axes exchanged; target and source stay.

        Examples
        --------
        >>> parse_pattern("h x").transposed(), parse_pattern("x -> h").transposed()
        ('x -> h', 'h x')
        """
        return " -> ".join(self._exchanged) if self._arrow_after_exchange else " ".join(self._exchanged)

    def hint_of_exchange(self) -> str:
        """Say what to declare if the axes are the other way round; only the user knows which end is the target."""
        hint = f'declare "{self.transposed()}" in place of "{self.text}"'
        if len(self.groups) < 2:
            return hint
        other = (" " if self._arrow_after_exchange else " -> ").join(self._exchanged)
        return f'{hint}, or "{other}" if {self._exchanged[0]} is the {"source" if self.source_first else "target"}'

    @property
    def _exchanged(self) -> tuple[str, str]:
        first, second = (format_axis(axis) for axis in self.axes)
        return second, first

    @property
    def _arrow_after_exchange(self) -> bool:
        return len(self.groups) == 2 and not self.source_first

    def _misfit(
        self, shape: tuple[int, ...], *, expected: str, got: str, axis: str = "", hint: str = ""
    ) -> PatternError:
        return PatternError(
            "the tensor does not fit its pattern",
            where=f'pattern "{self.text}", shape {tuple(shape)}{axis}',
            expected=expected,
            got=got,
            hint=hint or "name one group, number or _ for each axis",
        )


def format_axis(axis: tuple[Factor, ...]) -> str:
    """Write ``axis`` as it stands in a pattern."""
    words = ["_" if factor is None else str(factor) for factor in axis]
    return words[0] if len(words) == 1 else f"({' '.join(words)})"


@cache
def parse_pattern(text: str, *, most: int = 2) -> Pattern:
    """Parse a pattern. No other function reads these strings.

    Parameters
    ----------
    text : str
        Axes parted by spaces. An axis is the name of a group, a number, ``_`` for an axis that no neuron indexes, or
        names and numbers in parentheses, slowest first. ``x[2:5]`` are three neurons of the group x.
        ``source -> target`` is for modules that store ``[in, out]``.
    most : int, default 2
        How many groups it may name.

    Returns
    -------
    Pattern
        The axes and their factors.

    Raises
    ------
    PatternError
        The text is outside the grammar, or names more groups than it may.

    Examples
    --------
    >>> parse_pattern("(3 attn) resid").axes
    ((3, 'attn'), ('resid',))
    """
    axes: list[tuple[Factor, ...]] = []
    fold: list[Factor] | None = None
    arrow_at: int | None = None
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise _refusal(text, f"unexpected {text[position:].strip()[0]!r} at column {position}")
        position, kind, word = match.end(), match.lastgroup, match.group().strip()
        if kind == "arrow":
            if arrow_at is not None or fold is not None:
                raise _refusal(text, "an arrow in the wrong place")
            arrow_at = len(axes)
        elif kind == "open":
            if fold is not None:
                raise _refusal(text, "a parenthesis inside a parenthesis")
            fold = []
        elif kind == "close":
            if not fold:
                raise _refusal(text, "an empty or unopened parenthesis")
            axes.append(tuple(fold))
            fold = None
        else:
            if kind == "free" and fold is not None:
                raise _refusal(text, "_ inside a parenthesis has no known length")
            if kind == "int" and int(word) == 0:
                raise _refusal(text, "an axis of length 0")
            if kind == "name" and (part := Part.of(word)).stop is not None and part.start >= part.stop:
                raise _refusal(text, f"no neurons in {word}")
            factor: Factor = None if kind == "free" else int(word) if kind == "int" else word
            if fold is None:
                axes.append((factor,))
            else:
                fold.append(factor)
    if fold is not None:
        raise _refusal(text, "a parenthesis is not closed")
    pattern = Pattern(text, tuple(axes), source_first=arrow_at is not None)
    if arrow_at is not None and (arrow_at != 1 or len(axes) != 2):
        raise _refusal(text, "an arrow stands between exactly two axes")
    if not axes and text:
        raise _refusal(text, "no axis")
    if len(pattern.groups) > most:
        raise _refusal(text, f"{len(pattern.groups)} groups; a connection has two ends")
    return pattern


def _refusal(text: str, why: str) -> PatternError:
    return PatternError(
        "a pattern does not parse",
        where=f'"{text}"',
        expected=_GRAMMAR,
        got=why,
        hint='write for instance "hidden input", "(3 attn) resid" or "input -> hidden"',
    )
