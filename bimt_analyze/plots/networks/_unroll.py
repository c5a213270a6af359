"""The rows of a picture: groups, and a stream once at every place where it is written."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bimt_train.layouts import Layout


@dataclass(frozen=True)
class Stages:
    """What stands where in a picture, first at the bottom.

    Attributes
    ----------
    groups : mapping of str to str
        Row -> the group that it shows.
    ends : mapping of str to (str, str)
        Weight tensor -> the rows that it reads and writes.
    carried : tuple of (str, str)
        Pairs of rows, one after the other, that show one stream before and after a write.
    """

    groups: Mapping[str, str]
    ends: Mapping[str, tuple[str, str]]
    carried: tuple[tuple[str, str], ...] = ()


def unroll(layout: Layout) -> Stages:
    """One row a group, in the layout's order; with streams, in the order in which the tensors are declared.

    A stream is a group that other groups read and add to, as attention and MLP do with the residual stream of a
    transformer. Drawn once, every edge of it would run to and fro; so each write starts a new row, as unrolled in time.

    Parameters
    ----------
    layout : Layout
        Layout of the network.

    Returns
    -------
    Stages
        The rows.
    """
    flow = {name: layout.tensors[name].plan.groups for name in layout.weights()}
    streams = _streams(set(flow.values()))
    if not streams:
        ends = {tensor: (source, target) for tensor, (target, source) in flow.items()}
        return Stages({group.name: group.name for group in layout.groups}, ends)
    rows: dict[str, str] = {}
    latest: dict[str, str] = {}

    def open_row(group: str) -> str:
        number = sum(shown == group for shown in rows.values())
        latest[group] = f"{group}.{number}" if group in streams else group
        rows[latest[group]] = group
        return latest[group]

    found, carried = {}, []
    for tensor, (target, source) in flow.items():
        start = latest.get(source) or open_row(source)
        before = latest.get(target)
        end = open_row(target) if before is None or target in streams else before
        if before is not None and before != end:
            carried.append((before, end))
        found[tensor] = (start, end)
    rows |= {g.name: g.name for g in layout.groups if g.name not in latest}
    return Stages(rows, found, tuple(carried))


def _streams(flow: Collection[tuple[str, ...]]) -> set[str]:
    """Groups that a reader of theirs writes back to, while another writes to them as well."""
    found = set()
    for group in {target for target, _ in flow}:
        writers = {source for target, source in flow if target == group and source != group}
        if len(writers) > 1 and any((writer, group) in flow for writer in writers):
            found.add(group)
    return found
