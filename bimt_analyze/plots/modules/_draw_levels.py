"""One network, coloured by the modules of several levels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from bimt_train import InputError
from bimt_train.checkpoints import Network

from .._canvas import INK, blank_axes, figure_of, panels
from .._picture import Picture
from ..networks._draw_network import MOST_EDGES, draw_network
from ..networks._unroll import unroll
from ._rungs import Rung, rungs, same_rung, steady_numbers

if TYPE_CHECKING:
    from ...graph import NodeId
    from ...modules._hierarchy import Level

MOST, COLUMNS = 4, 2  # networks in all, and side by side
WIDTH, GAP, HEAD = 3.1, 0.55, 0.95  # inches of a network, between two, and of the title above one


def draw_levels(
    network: Network,
    levels: "Sequence[Level]",
    *,
    chosen: "Level | None" = None,
    threshold: float = 0.0,
    most: int = MOST_EDGES,
    order: "Sequence[frozenset[NodeId]]" = (),
    ax: Axes | None = None,
) -> Picture:
    """Draw the network side by side, coloured by the modules of each level, coarsest first.

    Levels with the same modules are drawn once. Of more than four, these are drawn: the coarsest, the chosen one, and
    the next finer ones; where there are none, the next coarser ones. Modules that share most neurons share a colour;
    the chosen level has the colours in which `draw_network` draws its partition.

    Parameters
    ----------
    network : Network
        The network that the modules were found in.
    levels : sequence of Level
        Levels of a `Hierarchy`, for one; in any order.
    chosen : Level, optional
        The level that must be among them; left out, the coarsest.
    threshold : float, default 0.0
        Weights of at most this magnitude are left out.
    most : int, default 10,000
        Edges that are drawn, at most, in all panels together: those of the greatest weights.
    order : sequence of frozenset of (str, int), default ()
        The chosen level's modules in the order of their colours; left out, that of its partition.
    ax : Axes, optional
        Axes whose place the panels take; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panels, one a partition, are the ``child_axes`` of its ``axes``.

    Raises
    ------
    InputError
        There are no levels, or a module names a neuron that the network does not have.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_levels
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.modules import hierarchy
    >>> from bimt_analyze.synthetic import block_network
    >>> network = block_network(blocks=[(1, 2, 1)] * 2).network
    >>> levels = hierarchy(neuron_graph(network))
    >>> len(draw_levels(network, [levels.components]).axes.child_axes)
    1
    """
    if not levels:
        raise InputError("no levels to draw", where="levels", expected="one or more", got="none")
    everything = sorted(
        rungs([*levels, *([chosen] if chosen is not None and chosen not in levels else [])]),
        key=lambda rung: len(rung.partition.modules),
    )
    marked = same_rung(everything, chosen)
    shown = _shown(everything, marked)
    columns = min(len(shown), COLUMNS)
    lines = -(-len(shown) // columns)
    width = WIDTH * columns + GAP * (columns - 1)
    each = max(2.0, min(0.6 + 0.7 * (len(unroll(network.layout).groups) - 1), 10.0))
    numbered = []
    for numbers in steady_numbers(shown, chosen, order):
        by_number = {number: module for module, number in numbers.items()}
        numbered.append([by_number.get(number, frozenset()) for number in range(max(by_number, default=-1) + 1)])

    def drawn(head: float) -> tuple[Axes, list[Axes]]:
        height = each * lines + head * (lines - 1)
        axes = blank_axes(width, height) if ax is None else ax
        places = panels(axes, lines, columns, gap_x=GAP / width, gap_y=head / height)
        for panel in places[len(shown) :]:
            panel.remove()
        for panel, modules in zip(places, numbered, strict=False):
            few = most // len(shown)
            draw_network(network, partition=modules, threshold=threshold, most=few, legend=False, ax=panel)
        _entitle(places[: len(shown)], shown, marked)
        return axes, places[: len(shown)]

    axes, places = drawn(HEAD)
    if ax is None and (head := _head(places, columns)) > HEAD:  # long names stand upright
        axes, places = drawn(head)
    return Picture(axes, f"One network, coloured by the modules of {len(shown)} levels.")


def _shown(everything: list[Rung], marked: Rung | None) -> list[Rung]:
    at = 0 if marked is None else everything.index(marked)
    finer, coarser = range(at + 1, len(everything)), range(at - 1, 0, -1)
    kept = list(dict.fromkeys((0, at, *finer, *coarser)))[:MOST]
    return [everything[i] for i in sorted(kept)]


def _head(places: Sequence[Axes], columns: int) -> float:
    """Inches between two lines of panels, so that the names below one are clear of the title above the next."""
    least = 0.0
    for above, below in zip(places, places[columns:], strict=False):
        low, high = above.get_tightbbox(), below.get_tightbbox()
        assert low is not None and high is not None  # both are shown
        hangs, stands = above.get_window_extent().y0 - low.y0, high.y1 - below.get_window_extent().y1
        least = max(least, (hangs + stands) / figure_of(above).dpi + 0.1)
    return least


def _entitle(places: Sequence[Axes], shown: Sequence[Rung], marked: Rung | None) -> None:
    """Titles of one height, clear of the names of the outputs."""
    pixel = figure_of(places[0]).dpi / 72
    for panel, rung in zip(places, shown, strict=True):
        names = [text.get_window_extent().y1 for text in panel.texts]
        top = panel.transAxes.transform((0.0, 1.0))[1]
        title = "\n".join((*rung.lines, rung.size + (", chosen" if rung is marked else "")))
        panel.set_title(
            title, fontsize=9, color=INK, loc="left", pad=6 + max(0.0, max(names, default=top) - top) / pixel,
            weight="bold" if rung is marked else "normal",
        )  # fmt: skip
