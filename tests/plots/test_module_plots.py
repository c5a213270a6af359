"""Pictures of levels of modules and of null networks: what is drawn is what was found."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex

from bimt_analyze import plots
from bimt_analyze.audits import Significance
from bimt_analyze.graph import neuron_graph
from bimt_analyze.modules import Hierarchy, Partition, choose_level, hierarchy
from bimt_analyze.modules._hierarchy import Level
from bimt_analyze.plots.modules._rungs import rungs, steady_numbers
from bimt_analyze.synthetic import absolute_sums, block_network
from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.models import MLP


def block(letter: str, *numbers: int) -> frozenset[tuple[str, int]]:
    return frozenset((letter, number) for number in numbers)


X, Y = block("x", 0, 1, 2, 3), block("y", 0, 1)
WHOLE = Partition((X | Y,))
HALVES = Partition((block("x", 0, 1, 2) | block("y", 0), block("x", 3) | block("y", 1)))
THIRDS = Partition((block("x", 0, 1), block("x", 2) | block("y", 0), block("x", 3) | block("y", 1)))


def level(partition: Partition, parameter: float, kind: str = "resolution", **about: float) -> Level:
    return Level(partition, kind, parameter, about.get("modularity", 0.0), about.get("stability"))


WHOLE_LEVEL = level(WHOLE, 0.0, "components")
SPLIT = (
    level(THIRDS, 2.0, modularity=0.4, stability=0.7),
    level(HALVES, 1.41, modularity=0.5, stability=0.9),
    level(HALVES, 0.5, modularity=0.5, stability=1.0),
    level(WHOLE, 0.25, stability=1.0),
)
TREE = Hierarchy(SPLIT, (), (), (), WHOLE_LEVEL, X, frozenset(), Y)
PLAIN = replace(TREE, resolutions=())


def boxes(axes, gid="module"):
    """Boxes of each row, from top to bottom, each row from left to right."""
    found = sorted((patch for patch in axes.patches if patch.get_gid() == gid), key=lambda b: (-b.get_y(), b.get_x()))
    return [list(row) for _, row in itertools.groupby(found, key=lambda b: b.get_y())]


def words(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_each_partition_is_a_row_of_boxes_as_wide_as_they_have_neurons() -> None:
    axes = plots.draw_hierarchy(TREE).axes
    rows = boxes(axes)
    assert [[round(6 * (b.get_width() + 2 / 72) / 7.2) for b in row] for row in rows] == [[6], [4, 2], [2, 2, 2]]
    assert {"components\nresolution 0.25", "resolution 0.5 to 1.41", "resolution 2"} <= set(words(axes))
    assert [text for text in words(axes) if text.endswith(("module", "modules"))] == [
        "1 module", "2 modules", "3 modules",
    ]  # fmt: skip
    lines = [line for found in axes.collections for line in found.get_segments()]
    assert len(lines) == 5
    for (x, top), (below, bottom) in lines:  # each leads straight from a box down to a box of the next row
        assert x == below and top > bottom
        assert any(abs(top - box.get_y()) < 1e-9 for row in rows for box in row)
        assert any(abs(bottom - box.get_y() - box.get_height()) < 1e-9 for row in rows for box in row)


def test_modules_are_called_by_the_ends_that_they_hold() -> None:
    said = words(plots.draw_hierarchy(TREE, names={("x", 3): "t"}).axes)
    assert [s for s in said if "→" in s][:3] == ["x1, x2, x3, t → y1, y2", "x1, x2, x3 → y1", "t → y2"]
    assert "x1, x2" in said


def test_the_chosen_row_is_marked_and_has_the_colours_of_its_partition() -> None:
    axes = plots.draw_hierarchy(TREE, chosen=SPLIT[2]).axes
    ((band,),) = boxes(axes, "chosen")
    whole, halves, thirds = boxes(axes)
    assert band.get_y() < halves[0].get_y() < band.get_y() + band.get_height() < whole[0].get_y()
    colours = [[to_hex(box.get_facecolor()) for box in row] for row in (whole, halves, thirds)]
    first, second, third = (plots.module_colour(number) for number in range(3))
    assert colours == [[first], [first, second], [first, third, second]]
    finest = boxes(plots.draw_hierarchy(TREE, chosen=SPLIT[0]).axes)[-1]
    assert [to_hex(box.get_facecolor()) for box in finest] == [first, second, third]
    (bold,) = (t for t in axes.texts if t.get_weight() == "bold" and t.get_text() != "chosen")
    assert bold.get_text() == "resolution 0.5 to 1.41"
    assert not boxes(plots.draw_hierarchy(TREE).axes, "chosen")


def test_chains_stand_under_each_other_and_empty_ones_are_left_out() -> None:
    leaks = (level(HALVES, 0.1, "components"),)
    axes = plots.draw_hierarchy(replace(TREE, leaks=leaks), chosen=leaks[0]).axes
    assert [len(row) for row in boxes(axes)] == [1, 2, 3, 1, 2]
    assert {"by resolution", "by weak edges left out"} < set(words(axes))
    assert "by last layers taken away" not in words(axes)
    ((band,),) = boxes(axes, "chosen")
    assert band.get_y() < boxes(axes)[-1][0].get_y() < band.get_y() + band.get_height()  # the leak's own row
    assert [len(row) for row in boxes(plots.draw_hierarchy(PLAIN).axes)] == [1]
    nothing = replace(PLAIN, components=level(Partition((), X | Y), 0.0, "components"))
    assert not boxes(plots.draw_hierarchy(nothing).axes)


@pytest.mark.parametrize("planted", [block_network(crosstalk=0.02), absolute_sums(outputs=1, terms=12)])
def test_names_do_not_meet_and_stay_in_their_boxes(planted) -> None:
    found = hierarchy(neuron_graph(planted.network), runs=2)
    axes = plots.draw_hierarchy(found, chosen=choose_level(found).level).axes
    assert max(len(row) for row in boxes(axes)) > 12
    axes.figure.canvas.draw()
    texts = [text.get_window_extent() for text in axes.texts if text.get_text()]
    assert not any(a.overlaps(b) for a, b in itertools.combinations(texts, 2))
    drawn = [box.get_window_extent() for row in boxes(axes) for box in row]
    for text in texts:
        for box in drawn:
            assert not text.overlaps(box) or (box.x0 <= text.x0 and text.x1 <= box.x1)


def test_a_module_hands_its_number_to_its_greatest_part() -> None:
    chain = rungs((WHOLE_LEVEL, *reversed(SPLIT)))

    def numbered(anchor: Level | None) -> list[list[int]]:
        found = zip(chain, steady_numbers(chain, anchor), strict=True)
        return [[numbers[module] for module in rung.partition.modules] for rung, numbers in found]

    assert numbered(None) == [[0], [0, 1], [0, 2, 1]]
    assert numbered(SPLIT[0]) == [[0], [0, 2], [0, 1, 2]]


def test_stability_shows_every_resolution_its_plateaus_and_the_chosen_one() -> None:
    axes = plots.draw_stability(TREE, chosen=SPLIT[1]).axes
    above, below = axes.child_axes
    stability, modularity = above.lines[:2]
    assert list(stability.get_xdata()) == [0.25, 0.5, 1.41, 2.0] and above.get_xscale() == "log"
    assert list(stability.get_ydata()) == [1.0, 1.0, 0.9, 0.7]
    assert list(modularity.get_ydata()) == [0.0, 0.5, 0.5, 0.4]
    assert list(below.lines[0].get_ydata()) == [1, 2, 2, 3]
    for panel in (above, below):
        (plateau,) = panel.patches
        assert (plateau.get_x(), plateau.get_x() + plateau.get_width()) == pytest.approx((0.5, 1.41))
        (mark,) = (line for line in panel.lines if line.get_gid() == "chosen")
        assert set(mark.get_xdata()) == {1.41}
    assert above.get_title(loc="left") == "Chosen: resolution 1.41, 2 modules"


def test_stability_says_if_nothing_splits_or_no_resolution_was_chosen() -> None:
    def title(found: Hierarchy, chosen: Level | None = None) -> str:
        (above, _) = plots.draw_stability(found, chosen=chosen).axes.child_axes
        assert not any(line.get_gid() == "chosen" for line in above.lines)
        return above.get_title(loc="left")

    assert title(replace(TREE, resolutions=SPLIT[3:]), WHOLE_LEVEL) == "No resolution splits the components (1 module)"
    assert title(PLAIN) == "No resolution was searched"
    assert title(TREE, WHOLE_LEVEL) == "Chosen: components, 1 module, not by resolution"


def compared(observed: float, null: list[float], model: str = "weight_permutation") -> Significance:
    reached = sum(value >= observed for value in null)
    z = (observed - np.mean(null)) / np.std(null) if np.std(null) else None
    return Significance((1 + reached) / (1 + len(null)), z, observed, tuple(null), "value", model, "magnitude", 0)


@pytest.mark.parametrize(
    "one, reached, distance",
    [
        (compared(0.5, [0.1 * i for i in range(10)]), "p = 0.55: 5 of 10 null networks reach it", "z = 0.174"),
        (compared(0.9, [0.1 * i for i in range(10)]), "p = 0.18: 1 of 10 null networks reaches it", "z = 1.57"),
        (compared(900.0, [1.0, 2.0, 3.0]), "p = 0.25: none of 3 null networks reach it", "z = 1.1e+03"),
        (compared(-7.0, [2.0] * 5), "p = 1: 5 of 5 null networks reach it", "no z"),
        (compared(0.0, [0.0] * 5), "p = 1: 5 of 5 null networks reach it", "no z"),
    ],
)
def test_null_values_are_bars_and_the_observed_one_is_a_line(one: Significance, reached: str, distance: str) -> None:
    (panel,) = plots.draw_nulls(one).axes.child_axes
    assert sum(bar.get_height() for bar in panel.patches) == len(one.null)
    for bar in panel.patches:
        left, right = bar.get_x(), bar.get_x() + bar.get_width()
        inside = sum(left - 1e-9 <= value <= right + 1e-9 for value in one.null)
        assert inside >= bar.get_height()
        assert right - left > 0.01 * np.diff(panel.get_xlim())[0]  # wide enough to be seen
    (line,) = panel.lines
    assert set(line.get_xdata()) == {one.observed}
    low, high = panel.get_xlim()
    assert low < min(one.observed, *one.null) and max(one.observed, *one.null) < high
    said = panel.texts[-1].get_text().split("\n")
    assert said[0] == reached and said[1].startswith(distance)
    assert panel.get_title(loc="left") == "Null model: weight_permutation"


def test_several_tests_have_a_panel_each() -> None:
    tests = [compared(1.0, [0.5, 0.7], name) for name in ("a", "b", "c")]
    panels = plots.draw_nulls(*tests).axes.child_axes
    assert [panel.get_title(loc="left") for panel in panels] == [f"Null model: {name}" for name in "abc"]
    with pytest.raises(InputError, match="no tests to draw"):
        plots.draw_nulls()


def test_the_network_is_drawn_once_a_partition_and_keeps_its_colours() -> None:
    network = Network.of(MLP([4, 2]))
    axes = plots.draw_levels(network, TREE.levels, chosen=SPLIT[1]).axes
    titles = [panel.get_title(loc="left") for panel in axes.child_axes]
    assert titles == [
        "components\nresolution 0.25\n1 module",
        "resolution 0.5 to 1.41\n2 modules, chosen", "resolution 2\n3 modules",
    ]  # fmt: skip
    first, second, third = (plots.module_colour(number) for number in range(3))
    inputs = [
        [to_hex(colour) for panel_dots in panel.collections if panel_dots.get_gid() == "neurons-x"
         for colour in panel_dots.get_facecolors()]
        for panel in axes.child_axes
    ]  # fmt: skip
    assert inputs == [[first] * 4, [first] * 3 + [second], [first, first, third, second]]
    for panel in axes.child_axes:  # titles stand clear of the outputs' names
        names = max(text.get_window_extent().y1 for text in panel.texts)
        axes.figure.canvas.draw()
        assert panel._left_title.get_window_extent().y0 > names


def test_long_names_are_clear_of_the_panels_below() -> None:
    module = MLP([9, 9])
    long = [f"a name of many letters, number {i}" for i in range(9)]
    network = Network.of(module, module.layout(input_labels=long, output_labels=long))
    levels = [level(Partition((block("x", *range(n)), block("x", *range(n, 9)))), float(n)) for n in range(1, 5)]
    axes = plots.draw_levels(network, levels).axes
    axes.figure.canvas.draw()
    boxes = [panel.get_tightbbox(axes.figure.canvas.get_renderer()) for panel in axes.child_axes]
    assert len(boxes) == 4 and min(boxes[0].y0 - boxes[2].y1, boxes[1].y0 - boxes[3].y1) > 0


def test_of_many_levels_the_coarsest_the_chosen_and_the_next_finer_are_drawn() -> None:
    parts = [Partition((*(block("x", i) for i in range(n)), block("x", *range(n, 9)))) for n in range(7)]
    chain = [level(partition, float(n)) for n, partition in enumerate(parts)]
    network = Network.of(MLP([9, 1]))

    def drawn(**options: Level) -> list[str]:
        panels = plots.draw_levels(network, chain[::-1], **options).axes.child_axes
        return [panel.get_title(loc="left").split("\n")[0].removeprefix("resolution ") for panel in panels]

    assert drawn(chosen=chain[3]) == ["0", "3", "4", "5"]
    assert drawn(chosen=chain[6]) == ["0", "4", "5", "6"]
    assert drawn() == ["0", "1", "2", "3"]
    with pytest.raises(InputError, match="no levels to draw"):
        plots.draw_levels(network, [])
