"""A run's history as a picture."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from bimt_train import InputError

from ._canvas import INK, NEGATIVE, POSITIVE, blank_axes, log_axis, panels, soften
from ._module_colours import module_colour
from ._picture import Picture


def draw_training(history: Sequence[Mapping[str, float]], *, ax: Axes | None = None) -> Picture:
    """Draw losses, connection cost and edges against steps, in three panels under each other.

    Parameters
    ----------
    history : sequence of mapping of str to float
        Measurements with ``step``, ``train_loss``, ``test_loss``, ``cost`` and ``edges``, as `Run.history`.
    ax : Axes, optional
        Axes whose place the panels take; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panels are the ``child_axes`` of its ``axes``.

    Raises
    ------
    InputError
        There is no measurement, or one lacks a field.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_training
    >>> first = {"step": 0, "train_loss": 1.0, "test_loss": 1.1, "cost": 9.0, "edges": 40}
    >>> last = {"step": 100, "train_loss": 0.1, "test_loss": 0.2, "cost": 1.0, "edges": 7}
    >>> len(draw_training([first, last]).axes.child_axes)
    3
    """
    fields = ("step", "train_loss", "test_loss", "cost", "edges")
    missing = [name for name in fields if any(name not in record for record in history)]
    if not history or missing:
        raise InputError(
            "a history that cannot be drawn", expected=f"measurements with {', '.join(fields)}",
            got=f"no {', '.join(missing)}" if missing else "none", hint="give Run.history",
        )  # fmt: skip
    values = {name: np.array([record[name] for record in history], dtype=np.float64) for name in fields}
    axes = blank_axes(6.4, 5.2) if ax is None else ax
    rows = panels(axes, 3, 1, gap_y=0.07)
    lines = (
        (rows[0], "train_loss", POSITIVE, "training rows"),
        (rows[0], "test_loss", NEGATIVE, "test rows"),
        (rows[1], "cost", module_colour(0), ""),
        (rows[2], "edges", INK, ""),
    )
    for row, name, colour, label in lines:
        row.plot(values["step"], values[name], color=colour, linewidth=1.6, label=label)
    drawn = (("loss", ("train_loss", "test_loss")), ("connection cost", ("cost",)), ("edges", ("edges",)))
    for row, (name, shown) in zip(rows, drawn, strict=True):
        soften(row).set_ylabel(name)
        log_axis(row, "y", np.concatenate([values[field] for field in shown]))
        if row is not rows[-1]:
            row.tick_params(which="both", labelbottom=False)
    rows[0].legend(frameon=False, fontsize=8, labelcolor=INK)
    rows[2].set_xlabel("steps")
    return Picture(axes, f"Losses, connection cost and edges over {len(history)} measurements of a training.")
