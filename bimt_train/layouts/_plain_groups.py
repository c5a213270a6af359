"""The groups of the axes of a plain weight or bias."""

from ._group import Group
from ._layout import Layout


def plain_groups(layout: Layout, name: str, shape: tuple[int, ...]) -> tuple[Group, ...]:
    """The group of each axis of a weight, target first, or of a bias; none unless each axis is one whole group.

    Parameters
    ----------
    layout : Layout
        Groups and tensors.
    name : str
        The tensor.
    shape : tuple of int
        Its shape.
    """
    spec = layout.tensors[name]
    whole = [axis[0] for axis in spec.plan.axes if len(axis) == 1]
    ends = tuple(layout.group(name) for name in whole if isinstance(name, str) and name in layout.sizes)
    plain = spec.role in ("weight", "bias") and not spec.plan.source_first
    return ends if plain and tuple(end.size for end in ends) == shape else ()
