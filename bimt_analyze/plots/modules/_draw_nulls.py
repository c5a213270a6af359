"""A value of a network among those of null networks."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bimt_train import InputError

from .._canvas import INK, MUTED, NEGATIVE, blank_axes, panels, soften
from .._picture import Picture

if TYPE_CHECKING:
    from ...audits import Significance

WIDTH, HEIGHT = 3.6, 2.0  # inches of a panel
HEAD = 0.85  # inches above it, for its title
BARS, WHOLE = 16, 60  # bars over the null values; at most so many over the whole axis, lest they be too thin to see
COLUMNS = 2
LETTERS = 56  # of a line of the title


def draw_nulls(*tests: "Significance", ax: Axes | None = None) -> Picture:
    """Draw the null values of each test as a histogram and the observed value as a line, with p and z in words.

    The words count the null networks that reach the observed value, and say how many standard deviations of theirs it
    lies from their mean. What a small p does not show, `significance` says. Two panels stand beside each other.

    Parameters
    ----------
    *tests : Significance
        One test or more, as `significance` gives them.
    ax : Axes, optional
        Axes whose place the panels take; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panels, one a test, are the ``child_axes`` of its ``axes``.

    Raises
    ------
    InputError
        There are no tests.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_nulls
    >>> from bimt_analyze.audits import significance
    >>> from bimt_analyze.graph import neuron_graph
    >>> from bimt_analyze.synthetic import block_network
    >>> test = significance(neuron_graph(block_network(blocks=[(1, 2, 1)] * 2).network), samples=5)
    >>> len(draw_nulls(test, test).axes.child_axes)
    2
    """
    if not tests:
        raise InputError("no tests to draw", where="tests", expected="one or more", got="none")
    columns = min(len(tests), COLUMNS)
    rows = -(-len(tests) // columns)
    width, height = WIDTH * columns + 0.7 * (columns - 1), HEIGHT * rows + (HEAD + 0.5) * (rows - 1)
    axes = blank_axes(width, height) if ax is None else ax
    places = panels(axes, rows, columns, gap_x=0.7 / width, gap_y=(HEAD + 0.5) / height)
    for panel in places[len(tests) :]:
        panel.remove()
    for test, panel in zip(tests, places, strict=False):
        _draw(panel, test)
    found = "; ".join(f"{test.statistic}, {test.p_and_z}" for test in tests)
    return Picture(axes, f"Values of null networks, and this network's: {found}.")


def _draw(panel: Axes, test: "Significance") -> None:
    soften(panel)
    values = np.array(test.null)
    low, high = min(values.min(), test.observed), max(values.max(), test.observed)
    span = high - low or max(abs(high), 1.0)
    width = max(np.ptp(values) / BARS, span / WHOLE)
    bars = max(1, round(np.ptp(values) / width))
    middle = (values.min() + values.max()) / 2
    edges = middle + width * (np.arange(bars + 1) - bars / 2)
    edges[0], edges[-1] = min(edges[0], values.min()), max(edges[-1], values.max())
    counts, _, _ = panel.hist(values, bins=edges, color=MUTED, alpha=0.55, linewidth=0)
    panel.axvline(test.observed, color=NEGATIVE, linewidth=1.8)
    panel.set_xlim(min(low, edges[0]) - 0.06 * span, max(high, edges[-1]) + 0.06 * span)
    panel.set_ylim(0, 1.3 * float(np.max(counts)))
    panel.yaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=2))
    panel.xaxis.set_major_locator(MaxNLocator(5))
    right = test.observed > sum(panel.get_xlim()) / 2
    panel.annotate(
        f"this network: {test.observed:.3g}", (test.observed, 1.0), xycoords=("data", "axes fraction"),
        xytext=(-4 if right else 4, -2), textcoords="offset points", ha="right" if right else "left", va="top",
        color=NEGATIVE, fontsize=8,
    )  # fmt: skip
    panel.set_xlabel(test.statistic)
    panel.set_ylabel("null networks")
    said = "\n".join(textwrap.fill(line, LETTERS) for line in (_reached(test), _distance(test)))
    panel.annotate(
        said, (0, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points", color=INK, fontsize=8,
    )  # fmt: skip
    lines = said.count("\n") + 1
    panel.set_title(
        textwrap.fill(f"Null model: {test.null_model}", LETTERS - 6), color=INK, fontsize=9, loc="left",
        pad=8 + 10.5 * lines,
    )  # fmt: skip


def _reached(test: "Significance") -> str:
    samples = len(test.null)
    reached = round(test.p * (1 + samples)) - 1
    return f"p = {test.p:.2g}: {reached or 'none'} of {samples} null networks reach{'es' if reached == 1 else ''} it"


def _distance(test: "Significance") -> str:
    if test.z is None:
        return "no z: all null values are equal"
    return f"z = {test.z:.3g} standard deviations from their mean"


def nulls_in_words(tests: "Sequence[Significance]") -> str:
    """What `draw_nulls` shows, for those who do not see it: each test's value, its p, and where the null values lie.

    Parameters
    ----------
    tests : sequence of Significance
        One test or more.

    Returns
    -------
    str
        One sentence a test.
    """
    said = [
        f"{test.statistic} {test.observed:.3g} against {test.null_model}, which reach from {min(test.null):.3g} to "
        f"{max(test.null):.3g}. {_reached(test).capitalize()}."
        for test in tests
    ]
    return f"Histogram of null values, {len(tests)} test{'' if len(tests) == 1 else 's'}. {' '.join(said)}"
