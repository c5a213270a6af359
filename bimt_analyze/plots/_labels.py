"""Names beside neurons, set so that no two of them meet."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.text import Text

from ._canvas import INK, MUTED

LONGEST = 28  # characters; longer names are cut


def shorten(name: str, longest: int = LONGEST) -> str:
    """A name, or its beginning and an ellipsis.

    Parameters
    ----------
    name : str
        The name.
    longest : int, default LONGEST
        Number of characters from which it is cut.

    Returns
    -------
    str
        At most so many characters.

    Examples
    --------
    >>> shorten("temperature of the outer wall", 12)
    'temperature…'
    """
    return name if len(name) <= longest else name[: longest - 1].rstrip() + "…"


def name_points(
    axes: Axes,
    points: Float64[np.ndarray, "points 2"],
    names: Sequence[str],
    *,
    above: bool,
    size: float = 9.0,
    gap: float = 9.0,
) -> list[Text]:
    """Write each point's name above or below it: level where that fits, else upright, else only as many as fit.

    Parameters
    ----------
    axes : Axes
        Axes to draw on; their limits must be final.
    points : array of float64, shape (points, 2)
        Places in data units, all about the same height.
    names : sequence of str
        One name a point.
    above : bool
        Whether names stand above the points.
    size : float, default 9.0
        Size of the letters, in points.
    gap : float, default 9.0
        Gap between point and name, in points.

    Returns
    -------
    list of Text
        The names that were set, from left to right. Where some had to be left out, a note in the picture says so.
    """
    order = np.argsort(points[:, 0], kind="stable")
    pixels = axes.transData.transform(points[order])[:, 0]
    upright = 1.3 * size * axes.figure.dpi / 72  # the room that an upright name takes
    chosen: list[int] = []
    free = -np.inf
    for place, neuron in zip(pixels, order, strict=True):
        if place >= free:
            chosen.append(int(neuron))
            free = place + upright
    side, reach = ("bottom", gap) if above else ("top", -gap)
    texts: list[Text] = [
        axes.annotate(
            shorten(names[i]), points[i], xytext=(0, reach), textcoords="offset points", ha="center", va=side,
            color=INK, fontsize=size, annotation_clip=False, parse_math=False,
        )
        for i in chosen
    ]  # fmt: skip
    if len(chosen) < len(order) or overlapping(texts):
        for text in texts:
            text.set_rotation(90)
    if len(chosen) < len(order):
        _say_how_many(axes, texts, len(order), above)
    return texts


def overlapping(texts: Sequence[Text], *, margin: float = 2.0) -> bool:
    """Whether two neighbours touch.

    Parameters
    ----------
    texts : sequence of Text
        Texts in the order in which they stand.
    margin : float, default 2.0
        Least gap between two, in pixels.

    Returns
    -------
    bool
        True if any two neighbours are nearer than that.
    """
    boxes = [text.get_window_extent() for text in texts]
    return any(a.x1 + margin > b.x0 and a.y0 < b.y1 and b.y0 < a.y1 for a, b in pairwise(boxes))


def _say_how_many(axes: Axes, texts: Sequence[Text], total: int, above: bool) -> None:
    boxes = [text.get_window_extent() for text in texts]
    edge = max(box.y1 for box in boxes) + 5 if above else min(box.y0 for box in boxes) - 5
    x, y = axes.transData.inverted().transform((boxes[0].x0, edge))
    note = f"{len(texts)} of {total} names shown"
    axes.text(x, y, note, color=MUTED, fontsize=7, va="bottom" if above else "top")
