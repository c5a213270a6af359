"""The layer number of every group, from the declared connections alone."""

from collections.abc import Iterable

from bimt_train.layouts import Layout


def group_depths(layout: Layout) -> dict[str, int]:
    """The length of the longest path of weight tensors that ends in each group.

    Groups that read each other in a circle (a recurrent state; a residual stream and the heads that write to it) count
    as one place of the path and share its depth; a group that nothing is written to has depth 0.

    Parameters
    ----------
    layout : Layout
        Whose weight tensors join the groups.

    Returns
    -------
    dict of str to int
        Group name -> depth.

    Examples
    --------
    >>> from bimt_train.layouts import Group, linear
    >>> x, h, y = (Group.line(name, 2) for name in ("x", "h", "y"))
    >>> pieces = [linear("a", source=x, target=h), linear("b", source=h, target=y), linear("skip", source=x, target=y)]
    >>> group_depths(Layout.merge(*pieces))
    {'x': 0, 'h': 1, 'y': 2}
    """
    pairs = (layout.tensors[name].plan.groups for name in layout.weights())
    return longest_paths(layout.sizes, ((source, target) for target, source in pairs))


def longest_paths(names: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The number of edges on the longest path to each name; names that reach each other in a circle count as one.

    Parameters
    ----------
    names : iterable of str
        All of them.
    pairs : iterable of (str, str)
        Edges (source, target).

    Returns
    -------
    dict of str to int
        Name -> number of edges.
    """
    import igraph  # which imports all of matplotlib where it is installed

    number = {name: place for place, name in enumerate(dict.fromkeys(names))}
    joined = [(number[source], number[target]) for source, target in pairs]
    circles = igraph.Graph(len(number), joined, directed=True).connected_components(mode="strong")
    drawn = circles.cluster_graph()
    depth: dict[int, int] = {}
    for place in drawn.topological_sorting():
        depth[place] = max((depth[before] + 1 for before in drawn.predecessors(place)), default=0)
    return {name: depth[circles.membership[place]] for name, place in number.items()}
