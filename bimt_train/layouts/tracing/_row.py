"""The ends of a traced module: which groups a row of its inputs runs over, and which its outputs."""

from collections.abc import Sequence
from dataclasses import replace

from .._layout import Layout
from .._side_by_side import row_of, side_by_side

Neuron = tuple[str, int] | None


def with_ends(layout: Layout, given: Sequence[Neuron], returned: Sequence[Neuron]) -> Layout:
    """Declare the ends; groups that stand side by side there become one.

    Parameters
    ----------
    layout : Layout
        Without ends.
    given : sequence of (str, int) or None
        For each column of the inputs, its group and its place there, if it is a neuron.
    returned : sequence of (str, int) or None
        The same for each output.

    Returns
    -------
    Layout
        With ``inputs``, ``row`` and ``outputs``; without those that no pattern can say.

    Examples
    --------
    >>> from bimt_train.layouts import Group, TensorSpec
    >>> x, z, y = Group.line("x", 1), Group.line("x2", 2), Group.line("y", 1)
    >>> layout = Layout((x, z, y), {"a": TensorSpec("y x"), "b": TensorSpec("y x2")})
    >>> found = with_ends(layout, [("x", 0), ("x2", 0), ("x2", 1)], [("y", 0)])
    >>> found.inputs, found.outputs, found.tensors["b"].pattern
    ('x', 'y', 'y x[1:3]')
    """
    read, written = _groups(layout, given), _groups(layout, returned)
    whole = [(group, index) for group in written for index in range(layout.sizes[group])]
    if [*returned] != whole or (written != read and {*written} & {*read}):
        written = ()
    if len(written) > 1 and written != read:
        layout = side_by_side(layout, written, "y")
    first = {group: sum(layout.sizes[g] for g in read[:number]) for number, group in enumerate(read)}
    if len(read) > 1:
        layout = side_by_side(layout, read, "resid" if written == read else "x")
    inputs = ("resid" if written == read else "x") if len(read) > 1 else "".join(read)
    outputs = inputs if written == read else "y" if len(written) > 1 else "".join(written)
    neurons = [-1 if one is None or one[0] not in first else first[one[0]] + one[1] for one in given]
    row = row_of(neurons, inputs, layout.sizes[inputs]) if inputs else ""
    return replace(layout, inputs=inputs, outputs=outputs, row=row)


def _groups(layout: Layout, end: Sequence[Neuron]) -> tuple[str, ...]:
    """The groups of which every neuron lies along an end."""
    found: dict[str, set[int]] = {}
    for one in end:
        if one is not None:
            found.setdefault(one[0], set()).add(one[1])
    return tuple(name for name, some in found.items() if len(some) == layout.sizes[name])
