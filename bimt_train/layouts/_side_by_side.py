"""Groups side by side as one: a row of inputs, or of outputs, that several groups make up."""

from collections.abc import Sequence
from dataclasses import replace

from ._group import Group
from ._layout import Layout, TensorSpec
from ._pattern import Factor, Part, Pattern, format_axis


def side_by_side(layout: Layout, groups: Sequence[str], name: str) -> Layout:
    """Make one group of several; where one of them indexes an axis, that part of the whole does.

    Parameters
    ----------
    layout : Layout
        The layout. Its ends and its row stay as they are.
    groups : sequence of str
        Names of groups in the order in which they are to stand.
    name : str
        What to call all of them together.

    Returns
    -------
    Layout
        The layout with one group in their place.

    Examples
    --------
    >>> x, z, h = Group.line("x", 2), Group.line("z", 3), Group.line("h", 4)
    >>> layout = Layout((x, z, h), {"a": TensorSpec("h x"), "b": TensorSpec("h z")})
    >>> joined = side_by_side(layout, ["x", "z"], "x")
    >>> dict(joined.sizes), joined.tensors["b"].pattern
    ({'x': 5, 'h': 4}, 'h x[2:5]')
    """
    members = [layout.group(each) for each in groups]
    places: dict[str, int] = {}
    for each in members:
        places[each.name] = sum(other.size for other in members if other.name in places)
    labels = (
        tuple(each.label(i) for each in members for i in range(each.size)) if any(m.labels for m in members) else ()
    )
    size = sum(each.size for each in members)
    whole = replace(Group.line(name, size, movable=all(each.movable for each in members)), labels=labels)

    def renamed(factor: Factor) -> Factor:
        part = Part.of(factor) if isinstance(factor, str) else None
        if part is None or part.group not in places:
            return factor
        start = places[part.group] + part.start
        return part_of(name, start, start + part.size(layout.sizes), size)

    tensors = {
        tensor: TensorSpec(_written(spec.plan, [tuple(map(renamed, axis)) for axis in spec.plan.axes]), spec.role)
        for tensor, spec in layout.tensors.items()
    }
    left = [group for group in layout.groups if group.name not in places or group is members[0]]
    found = tuple(whole if group is members[0] else group for group in left)
    ends = {end: "" for end in ("inputs", "outputs") if getattr(layout, end) in places}
    return replace(layout, groups=found, tensors=tensors, row="" if "inputs" in ends else layout.row, **ends)


def part_of(group: str, start: int, stop: int, size: int) -> str:
    """Write the neurons from ``start`` to before ``stop`` of a ``group`` of that ``size`` as a factor of a pattern."""
    return group if (start, stop) == (0, size) else f"{group}[{start}:{stop}]"


def row_of(neurons: Sequence[int], group: str, size: int) -> str:
    """Write how a row of inputs runs over their group.

    Parameters
    ----------
    neurons : sequence of int
        The neuron of each column, -1 for a column that is none.
    group : str
        The group of the inputs.
    size : int
        How many neurons it has.

    Returns
    -------
    str
        The row of a layout; empty where it is the group, once.

    Examples
    --------
    >>> row_of([0, 1, 0, 1, 2, -1, -1], "x", 3)
    '(2 x[0:2]) x[2:3] 2'
    >>> row_of([0, 1, 2], "x", 3), row_of([0, 0, 0], "x", 1)
    ('', '(3 x)')
    """
    words, at, neurons = list[str](), 0, list(neurons)
    while at < len(neurons):
        first, step = neurons[at], int(neurons[at] >= 0)
        stop = at
        while stop < len(neurons) and neurons[stop] == first + step * (stop - at):
            stop += 1
        run, copies = neurons[at:stop], 1
        while step and neurons[at + copies * len(run) : at + (copies + 1) * len(run)] == run:
            copies += 1
        part = part_of(group, first, first + len(run), size) if step else str(len(run))
        words.append(f"({copies} {part})" if copies > 1 else part)
        at += copies * len(run)
    found = " ".join(words)
    return "" if found == group else found


def _written(plan: Pattern, axes: Sequence[tuple[Factor, ...]]) -> str:
    return (" -> " if plan.source_first else " ").join(map(format_axis, axes))
