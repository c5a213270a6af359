"""All levels of modules as a tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle

from .._canvas import INK, MUTED, ON_COLOUR, blank_axes
from .._module_colours import module_colour
from .._picture import Picture
from ._module_labels import SIZE, Module, ModuleNames, name_below, room
from ._rungs import Rung, rungs, same_rung, steady_numbers

if TYPE_CHECKING:
    from ...graph import NodeId
    from ...modules import Hierarchy
    from ...modules._hierarchy import Level

WIDTH, PITCH, HEIGHT = 7.2, 0.56, 0.23  # inches of the tree, from row to row, and of a box
HEAD, FOOT = 0.42, 0.2  # inches above a tree's first box and below its last names
GAP, LEAST = 2.0, 1.6  # points between two boxes, and of the narrowest one


def draw_hierarchy(
    levels: "Hierarchy",
    *,
    chosen: "Level | None" = None,
    names: "Mapping[NodeId, str] | None" = None,
    order: "Sequence[frozenset[NodeId]]" = (),
    ax: Axes | None = None,
) -> Picture:
    """Draw what each module falls into, from the components down to the finest level, one tree a chain.

    A row is a level, or several with the same modules; a box is a module, as wide as it has neurons, and its lines lead
    to the modules that it falls into, which stand below it. A module passes its colour on to the greatest of those; the
    chosen level has the colours in which `draw_network` draws its partition. Chains that have nothing but the
    components are left out, unless all are so. Modules are named by the inputs and outputs that they hold, where there
    is room.

    That a row exists does not say that its modules mean anything: `draw_stability` shows how well the searches behind
    each resolution agree.

    Parameters
    ----------
    levels : Hierarchy
        Levels as `hierarchy` gives them.
    chosen : Level, optional
        The level to mark; one that is none of these is marked where its modules are.
    names : mapping of (str, int) to str, optional
        Names of inputs and outputs; left out, the group and the number counted from 1.
    order : sequence of frozenset of (str, int), default ()
        The chosen level's modules in the order of their colours; left out, that of its partition.
    ax : Axes, optional
        Axes to draw on; left out, a figure of its own, as high as its rows need.

    Returns
    -------
    Picture
        The picture. Boxes are the patches of its ``axes`` with gid "module".

    Examples
    --------
    >>> from bimt_analyze.plots import draw_hierarchy
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.modules import hierarchy
    >>> from bimt_analyze.synthetic import block_network
    >>> levels = hierarchy(neuron_graph(block_network(blocks=[(1, 2, 1)] * 2).network))
    >>> any(patch.get_gid() == "module" for patch in draw_hierarchy(levels).axes.patches)
    True
    """
    called = ModuleNames(levels.inputs, levels.outputs, names or {})
    trees = _trees(levels, called)
    marked = same_rung([rung for tree in trees for rung in tree.rungs], chosen)
    total = sum(tree.height for tree in trees)
    axes = blank_axes(WIDTH, total) if ax is None else ax
    axes.set_axis_off()
    axes.set_xlim(0.0, WIDTH)
    axes.set_ylim(-total, 0.0)
    neurons = sum(map(len, levels.components.partition.modules))
    about = f"a box is a module, as wide as it has neurons ({neurons} in all), above the modules that it falls into"
    axes.set_title("How the network falls into modules", color=INK, fontsize=10, loc="left", pad=16)
    axes.annotate(about, (0, 0), xytext=(0, 4), textcoords="offset points", color=MUTED, fontsize=7.5)
    top = 0.0
    for tree in trees:
        if len(trees) > 1:
            axes.annotate(tree.title, (0, top - 0.14), color=INK, fontsize=9, va="center", annotation_clip=False)
        _draw_tree(axes, tree, top - HEAD - HEIGHT / 2, steady_numbers(tree.rungs, chosen, order), marked, called)
        top -= tree.height
    return Picture(axes, f"How {neurons} neurons fall into modules, as a tree of boxes.")


@dataclass(frozen=True, eq=False)
class _Tree:
    """One chain: its rungs, coarsest first; from where to where each module reaches; names below the last row."""

    title: str
    rungs: Sequence[Rung]
    spans: Sequence[Mapping[Module, tuple[float, float]]]
    below: Mapping[float, str]

    @property
    def height(self) -> float:
        return HEAD + PITCH * (len(self.rungs) - 1) + HEIGHT + room(self.below) + FOOT


def _trees(levels: "Hierarchy", called: ModuleNames) -> list[_Tree]:
    """Chains that split something, or else the first."""
    chains = {
        "by resolution": levels.resolutions,
        "by weak edges left out": levels.leaks,
        "by last layers taken away": levels.up_to_layer,
    }
    found = []
    for title, chain in chains.items():
        steps = rungs((levels.components, *reversed(chain)))
        spans = _spans(steps)
        found.append(_Tree(title, steps, spans, called.below(spans[-1])))
    return [tree for tree in found if len(tree.rungs) > 1] or found[:1]


def _spans(chain: Sequence[Rung]) -> list[dict[Module, tuple[float, float]]]:
    """All neurons in a row, such that those of a module stand side by side on every rung."""
    nodes = sorted(frozenset().union(*chain[0].partition.modules))
    labels = np.array([rung.partition.labels(nodes) for rung in chain])
    place = {nodes[n]: i for i, n in enumerate(np.lexsort(labels[::-1]).tolist())}
    scale = WIDTH / max(len(nodes), 1)
    found = []
    for rung in chain:
        places = {module: [place[node] for node in module] for module in rung.partition.modules}
        found.append({module: (scale * min(own), scale * (max(own) + 1)) for module, own in places.items()})
    return found


def _draw_tree(
    axes: Axes, tree: _Tree, top: float, numbers: Sequence[Mapping[Module, int]], marked: Rung | None,
    called: ModuleNames,
) -> None:  # fmt: skip
    for i, (rung, spans) in enumerate(zip(tree.rungs, tree.spans, strict=True)):
        y = top - PITCH * i
        middles = [(start + end) / 2 for start, end in spans.values()]
        if i:
            lines = [[(x, y + PITCH - HEIGHT / 2), (x, y + HEIGHT / 2)] for x in middles]
            axes.add_collection(LineCollection(lines, colors=MUTED, linewidths=0.8, zorder=1), autolim=False)
        _name_row(axes, rung, y, rung is marked)
        last = i == len(tree.rungs) - 1
        for x, (module, (start, end)) in zip(middles, spans.items(), strict=True):
            width = max(end - start - min(GAP / 72, 0.2 * (end - start)), LEAST / 72)
            colour = module_colour(numbers[i][module])
            box = Rectangle((x - width / 2, y - HEIGHT / 2), width, HEIGHT, facecolor=colour, linewidth=0, zorder=2)
            axes.add_patch(box).set_gid("module")
            if name := called.inside(module, end - start, counted=not last):
                axes.text(x, y, name, ha="center", va="center_baseline", color=ON_COLOUR, fontsize=SIZE,
                          parse_math=False, zorder=3)  # fmt: skip
    name_below(axes, tree.below, top - PITCH * (len(tree.rungs) - 1) - HEIGHT / 2)


def _name_row(axes: Axes, rung: Rung, y: float, marked: bool) -> None:
    """The level's name and number of modules in the left margin; the chosen one on a band, and called so."""
    words = (("\n".join(rung.lines), 0.5, "bottom", INK, marked), (rung.size, -0.5, "top", MUTED, False))
    for text, reach, side, colour, bold in words:
        axes.annotate(
            text, (0, y), xytext=(-10, reach), textcoords="offset points", ha="right", va=side, color=colour,
            fontsize=8, weight="bold" if bold else "normal", linespacing=1.1, annotation_clip=False, parse_math=False,
        )  # fmt: skip
    if marked:
        band = Rectangle((-0.07, y - 0.19), WIDTH + 0.14, 0.38, facecolor=MUTED, alpha=0.2, linewidth=0, gid="chosen")
        axes.add_patch(band).set_clip_on(False)
        axes.annotate(
            "chosen", (WIDTH, y), xytext=(10, 0), textcoords="offset points", va="center", color=INK, fontsize=8,
            weight="bold", annotation_clip=False,
        )  # fmt: skip
