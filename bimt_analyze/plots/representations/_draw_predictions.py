"""True values against predicted ones."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes

from bimt_train import InputError

from .._canvas import CROWDED, INK, MUTED, POSITIVE, blank_axes, panels, soften
from .._labels import shorten
from .._module_colours import module_colour
from .._picture import Picture

COLUMNS, MOST = 3, 12  # panels a row, and in all
MARKERS = "oxs^"


def draw_predictions(
    targets: Float64[np.ndarray, "rows outputs"],
    predictions: Mapping[str, Float64[np.ndarray, "_ _"]],
    *,
    names: Sequence[str] = (),
    units: Sequence[str] = (),
    ax: Axes | None = None,
) -> Picture:
    """Draw predicted against true values, one panel an output; on the diagonal they are equal.

    Parameters
    ----------
    targets : array of float64, shape (rows, outputs)
        True values.
    predictions : mapping of str to array of float64, shape (_, _)
        What predicts, a network or a formula -> the values; each has its marker and its r2 = 1 - residual variance /
        variance.
    names : sequence of str, default ()
        Names of the outputs; y1, y2, ... if left out.
    units : sequence of str, default ()
        Units of measurement of the outputs, empty where one has none.
    ax : Axes, optional
        Axes whose place the panels take; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panels are the ``child_axes`` of its ``axes``. Of more than 12 outputs the first 12 are drawn.

    Raises
    ------
    InputError
        Predictions or names do not pair up with the targets.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_predictions
    >>> import numpy as np
    >>> y = np.linspace(0, 1, 9)[:, None]
    >>> draw_predictions(y, {"network": 0.9 * y}).axes.child_axes[0].get_title(loc="left")
    'y1'
    """
    outputs = targets.shape[1]
    names = tuple(names) or tuple(f"y{i + 1}" for i in range(outputs))
    for who, values in predictions.items():
        if values.shape != targets.shape:
            raise InputError(
                "predictions do not pair up with targets", where=who, expected=str(targets.shape), got=str(values.shape)
            )
    if len(names) != outputs:
        raise InputError("one name an output", where="names", expected=str(outputs), got=str(len(names)))
    shown = min(outputs, MOST)
    columns = min(shown, COLUMNS)
    rows = math.ceil(shown / columns)
    axes = blank_axes(3.1 * columns, 3.1 * rows) if ax is None else ax
    crowded = targets.shape[0] * shown * len(predictions) > CROWDED
    for number, panel in enumerate(panels(axes, rows, columns, gap_x=0.2 / columns, gap_y=0.3 / rows)):
        if number >= shown:
            panel.set_visible(False)
            continue
        _panel(panel, targets[:, number], {who: values[:, number] for who, values in predictions.items()}, crowded)
        panel.set_title(shorten(names[number]), color=INK, fontsize=10, loc="left", parse_math=False)
        unit = f" [{shorten(units[number])}]" if units and units[number] else ""
        panel.set_xlabel(f"true{unit}", parse_math=False)
        panel.set_ylabel(f"predicted{unit}", parse_math=False)
    return Picture(axes, f"Predicted against true values of {', '.join(names[:shown])}.")


def _panel(panel: Axes, true: np.ndarray, predicted: Mapping[str, np.ndarray], crowded: bool) -> None:
    soften(panel)
    low, high = float(true.min()), float(true.max())
    margin = 0.05 * ((high - low) or 1.0)
    panel.plot([low - margin, high + margin], [low - margin, high + margin], color=MUTED, linewidth=0.9, zorder=1)
    for place, (who, values) in enumerate(predicted.items()):
        marker = MARKERS[place % len(MARKERS)]
        colour = POSITIVE if place == 0 else module_colour(place - 1)
        look = {"c": colour, "linewidths": 1.0} if marker == "x" else {"facecolors": "none", "edgecolors": colour}
        label = f"{who}: r2 {r_squared(true, values):.4f}"
        panel.scatter(
            true, values, s=18, marker=marker, alpha=0.8, zorder=2 + place, label=label, rasterized=crowded, **look
        )
    panel.set_xlim(low - margin, high + margin)
    panel.legend(loc="upper left", frameon=False, fontsize=7.5, labelcolor=INK, handletextpad=0.3, borderaxespad=0.1)


def r_squared(true: Float64[np.ndarray, " rows"], predicted: Float64[np.ndarray, " rows"]) -> float:
    """1 - sum (true - predicted)^2 / sum (true - mean)^2; NaN for constant targets.

    Parameters
    ----------
    true : array of float64, shape (rows,)
        True values.
    predicted : array of float64, shape (rows,)
        Predicted values.

    Returns
    -------
    float
        1 for equal values, 0 for the mean.

    Examples
    --------
    >>> r_squared(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.5]))
    0.875
    """
    total = float(((true - true.mean()) ** 2).sum())
    return 1 - float(((true - predicted) ** 2).sum()) / total if total > 0 else math.nan
