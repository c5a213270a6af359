"""Levels of equal modules taken together, and colours that modules keep from level to level."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...graph import NodeId
    from ...modules import Partition
    from ...modules._hierarchy import Level


@dataclass(frozen=True)
class Rung:
    """Levels that have the same modules.

    Attributes
    ----------
    levels : tuple of Level
        The levels, in the order given.
    """

    levels: "tuple[Level, ...]"

    @property
    def partition(self) -> "Partition":
        """The modules, which all levels share."""
        return self.levels[0].partition

    @property
    def lines(self) -> tuple[str, ...]:
        """The levels' names, resolutions as a range."""
        found = list(dict.fromkeys(level.name for level in self.levels if level.kind != "resolution"))
        resolutions = [level.parameter for level in self.levels if level.kind == "resolution"]
        if resolutions:
            low, high = min(resolutions), max(resolutions)
            found.append(f"resolution {low:g}" + (f" to {high:g}" if high > low else ""))
        return tuple(found)

    @property
    def size(self) -> str:
        """The number of modules, in words."""
        return count(len(self.partition.modules), "module")


def count(number: int, noun: str) -> str:
    """A number and its noun.

    Parameters
    ----------
    number : int
        The number.
    noun : str
        The noun in the singular.

    Returns
    -------
    str
        Both, with a plural s where it belongs.

    Examples
    --------
    >>> count(1, "module"), count(3, "module")
    ('1 module', '3 modules')
    """
    return f"{number} {noun}" + ("" if number == 1 else "s")


def rungs(levels: "Sequence[Level]") -> list[Rung]:
    """Levels of equal modules taken together, in the order in which they first appear.

    Parameters
    ----------
    levels : sequence of Level
        Any levels.

    Returns
    -------
    list of Rung
        Each partition once.
    """
    found: dict[object, list[Level]] = {}
    for level in levels:
        found.setdefault((level.partition.modules, level.partition.unused), []).append(level)
    return [Rung(tuple(same)) for same in found.values()]


def same_rung(found: Sequence[Rung], level: "Level | None") -> Rung | None:
    """The rung of a level; failing that, the first one with its modules.

    Parameters
    ----------
    found : sequence of Rung
        The rungs.
    level : Level or None
        The level, or None.

    Returns
    -------
    Rung or None
        The rung, or None.
    """
    same = [rung for rung in found if level is not None and rung.partition.same_modules(level.partition)]
    return min(same, key=lambda rung: level not in rung.levels, default=None)


def steady_numbers(
    found: Sequence[Rung], anchor: "Level | None" = None, order: "Sequence[frozenset[NodeId]]" = ()
) -> "list[dict[frozenset[NodeId], int]]":
    """For each rung the numbers of its modules, by which they are coloured.

    The anchor's modules (left out, the first rung's) have the numbers that they have in their partition. From there, up
    and down the rungs, the modules that share most neurons share a number, and what is left over gets a new one.

    Parameters
    ----------
    found : sequence of Rung
        The rungs.
    anchor : Level, optional
        The level whose numbers are kept.
    order : sequence of frozenset of (str, int), default ()
        The anchor's modules in the order of their numbers, where that is not the order of its partition.

    Returns
    -------
    list of dict of frozenset of (str, int) to int
        Module -> number, one mapping a rung.
    """
    start = found[0].partition if anchor is None else anchor.partition
    known = {module: number for number, module in enumerate(order or start.modules)}
    at = next((i for i, rung in enumerate(found) if rung.partition.same_modules(start)), 0)
    used = set(known.values())
    numbers = {at: _passed_on(known, found[at].partition.modules, used)}
    for i in (*range(at - 1, -1, -1), *range(at + 1, len(found))):
        nearer = i + 1 if i < at else i - 1
        numbers[i] = _passed_on(numbers[nearer], found[i].partition.modules, used)
    return [numbers[i] for i in range(len(found))]


def _passed_on(
    known: "Mapping[frozenset[NodeId], int]", modules: "Sequence[frozenset[NodeId]]", used: set[int]
) -> "dict[frozenset[NodeId], int]":
    shared = [(len(old & new), old, new) for new in modules for old in known if old & new]
    numbers: dict[frozenset[NodeId], int] = {}
    for _, old, new in sorted(shared, key=lambda one: -one[0]):
        if new not in numbers and known[old] not in numbers.values():
            numbers[new] = known[old]
    for module in modules:
        if module not in numbers:
            numbers[module] = max(used, default=-1) + 1
            used.add(numbers[module])
    return numbers
