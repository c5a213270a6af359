"""A map of a residual stream as a picture."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from ...transformers import StreamMap
from .._canvas import INK, MUTED, NEGATIVE, POSITIVE, blank_axes, panels, soften
from .._labels import shorten
from .._picture import Picture

CELL = 0.32  # inches of a column


def draw_stream(found: StreamMap, *, ax: Axes | None = None) -> Picture:
    """Draw positions of the stream, in the order in which they sit in space, against all that writes and reads them.

    Columns stand in the order of computation, blue where they write and red where they read; a full cell is the
    greatest sum of magnitudes of its column, white is none. Above each column stands the share of positions that it
    touches at all.

    Parameters
    ----------
    found : StreamMap
        Map as `stream_map` gives it.
    ax : Axes, optional
        Axes whose place the picture takes; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panel is the only one of the ``child_axes`` of its ``axes``.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_stream
    >>> import numpy as np
    >>> from bimt_analyze.transformers import StreamMap
    >>> found = StreamMap("resid", (("embedding", "writes"), ("m1", "reads")), np.eye(2), (0, 1))
    >>> len(draw_stream(found).axes.child_axes)
    1
    """
    axes = blank_axes(CELL * len(found.columns) + 1.2, 4.6) if ax is None else ax
    (panel,) = panels(axes, 1, 1)
    soften(panel, grid=False)
    seated = found.mass[np.argsort(found.slots)]
    greatest = seated.max(axis=0)
    shares = seated / np.where(greatest > 0, greatest, 1.0)
    for number, (_, kind) in enumerate(found.columns):
        colours = LinearSegmentedColormap.from_list(kind, ["white", POSITIVE if kind == "writes" else NEGATIVE])
        column = shares[:, [number]]
        panel.imshow(
            np.sqrt(column), cmap=colours, vmin=0, vmax=1, aspect="auto", interpolation="nearest",
            extent=(number - 0.5, number + 0.5, len(shares) - 0.5, -0.5),
        )  # fmt: skip
        panel.annotate(
            f"{(column > 0).mean():.0%}", (number, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="center", color=MUTED, fontsize=6.5,
        )  # fmt: skip
        if number:
            panel.axvline(number - 0.5, color="white", linewidth=1.5)
    panel.set_xlim(-0.5, len(found.columns) - 0.5)
    panel.set_ylim(len(shares) - 0.5, -0.5)
    panel.set_xticks(range(len(found.columns)))
    panel.set_xticklabels([f"{shorten(name)} {kind}" for name, kind in found.columns], rotation=60, ha="right")
    for tick, (_, kind) in zip(panel.get_xticklabels(), found.columns, strict=True):
        tick.set_color(POSITIVE if kind == "writes" else NEGATIVE)
    panel.set_ylabel(f"positions of {found.group}, as they sit", color=INK)
    return Picture(axes, f"What {len(found.columns)} parts write to the positions of {found.group} and read from them.")
