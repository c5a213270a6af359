"""What pruning leaves, threshold by threshold."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bimt_train.pruning import Circuit

from ._canvas import INK, MUTED, NEGATIVE, POSITIVE, Colour, blank_axes, log_axis, panels, soften
from ._module_colours import module_colour
from ._picture import Picture


def draw_sweep(circuit: Circuit, *, ax: Axes | None = None) -> Picture:
    """Draw loss, edges and components against the threshold, in three panels under each other.

    The chosen threshold is a line through all panels; the loss that the tolerance allows is a dashed line. Thresholds
    are on a logarithmic axis, so the point at 0 (nothing cut) is left out. Losses are on one too, with 0 below it.

    Parameters
    ----------
    circuit : Circuit
        A circuit with its sweep.
    ax : Axes, optional
        Axes whose place the panels take; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panels are the ``child_axes`` of its ``axes``.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_sweep
    >>> from bimt_train.pruning._circuit import SweepPoint
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import MLP
    >>> sweep = tuple(SweepPoint(0.01 * n, edges=9 - n, loss=0.1 * n, components=1) for n in (1, 2, 3))
    >>> picture = draw_sweep(Circuit(Network.of(MLP((2, 3, 1))), {}, 0.02, 0.2, 0.2, 0.05, 0, sweep))
    >>> [panel.get_ylabel() for panel in picture.axes.child_axes]
    ['loss', 'edges', 'components']
    """
    axes = blank_axes(6.4, 5.2) if ax is None else ax
    points = [point for point in circuit.sweep if point.threshold > 0]
    thresholds = [point.threshold for point in points]
    limit = circuit.full_loss * (1 + circuit.tolerance)
    rows = panels(axes, 3, 1, gap_y=0.07)
    series: tuple[tuple[str, list[float], Colour], ...] = (
        ("loss", [p.loss if np.isfinite(p.loss) else np.nan for p in points], POSITIVE),
        ("edges", [float(p.edges) for p in points], INK),
        ("components", [float(p.components) for p in points], module_colour(1)),
    )
    chosen = {"loss": circuit.loss, "edges": circuit.edges}
    for row, (name, values, colour) in zip(rows, series, strict=True):
        soften(row).set_ylabel(name)
        if points:
            log_axis(row, "x", np.array(thresholds))
            row.step(thresholds, values, where="post", color=colour, linewidth=1.8)
        if circuit.threshold > 0:
            row.axvline(circuit.threshold, color=MUTED, linewidth=1.0, zorder=0)
            height = chosen[name] if name in chosen else np.interp(circuit.threshold, thresholds, values)
            row.plot([circuit.threshold], [height], "o", color=colour, markeredgecolor=INK, markersize=6, zorder=5)
        if row is not rows[-1]:
            row.tick_params(labelbottom=False)
    log_axis(rows[0], "y", np.array([*series[0][1], circuit.loss, limit]))
    if np.isfinite(limit):
        rows[0].axhline(limit, color=NEGATIVE, linewidth=1.0, linestyle=(0, (5, 3)))
        rows[0].annotate(
            f"allowed: {circuit.tolerance:.0%} above the loss of the whole network", (0, limit),
            xycoords=("axes fraction", "data"), xytext=(4, 5), textcoords="offset points", color=NEGATIVE, fontsize=7.5,
        )  # fmt: skip
    rows[1].set_ylim(bottom=0)
    rows[2].yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=2))
    rows[2].set_ylim(bottom=0)
    rows[2].set_xlabel("threshold: weights of at most this magnitude are cut")
    rows[0].set_title(
        f"chosen: {circuit.threshold:.2g}, which leaves {circuit.edges} edges", color=INK, fontsize=10, loc="left"
    )
    chosen_one = f"at {circuit.threshold:.2g}, which was chosen, {circuit.edges} edges are left"
    return Picture(axes, f"Loss, edges and components by threshold; {chosen_one}.")
