"""What class a network of two inputs gives where."""

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from bimt_train import InputError
from bimt_train.checkpoints import Checkpoint

from .._canvas import INK, blank_axes, panels, soften
from .._labels import shorten
from .._module_colours import module_colour
from .._picture import Picture

POINTS = 200  # a side of the grid
PALE = 0.75  # how far a region's colour is towards white


def draw_boundary(
    checkpoint: Checkpoint,
    x: Float64[np.ndarray, "rows 2"],
    y: Float64[np.ndarray, "rows classes"],
    *,
    ax: Axes | None = None,
) -> Picture:
    """Draw regions by the class of the largest output, and the rows in their true classes' colours on top.

    Parameters
    ----------
    checkpoint : Checkpoint
        Checkpoint of a classifier of two inputs.
    x : array of float64, shape (rows, 2)
        Input rows, in the task's own units.
    y : array of float64, shape (rows, classes)
        Classes of the rows, one-hot.
    ax : Axes, optional
        Axes whose place the picture takes; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panel is the only one of the ``child_axes`` of its ``axes``.

    Raises
    ------
    InputError
        There are not two inputs, or the outputs are no classes.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_boundary
    >>> import numpy as np
    >>> from bimt_analyze.synthetic import block_network
    >>> from bimt_train.checkpoints import Checkpoint, Probe, TaskSpec
    >>> planted = block_network(blocks=[(1, 3, 1)] * 2, rows=20, seed=1)
    >>> x, y = planted.x, np.eye(2)[planted.network.predict(planted.x).argmax(axis=1)]
    >>> task = TaskSpec("own", ("a", "b"), ("u", "v"), ((-3, 3),) * 2, loss="cross-entropy")
    >>> len(draw_boundary(Checkpoint(planted.network, task, Probe(x, y, x, y), {"seed": 0}), x, y).axes.child_axes)
    1
    """
    task = checkpoint.task
    if len(task.inputs) != 2 or not task.classifies:
        got = f"{len(task.inputs)} inputs, loss {task.loss}"
        raise InputError("no boundary to draw", where=f"task {task.name!r}", expected="two inputs, classes", got=got)
    low = np.minimum(x.min(axis=0), [pair[0] for pair in task.ranges])
    high = np.maximum(x.max(axis=0), [pair[1] for pair in task.ranges])
    across, up = (np.linspace(low[i], high[i], POINTS) for i in range(2))
    grid = np.stack(np.meshgrid(across, up), axis=2).reshape(-1, 2)
    classes = checkpoint.predict(grid).argmax(axis=1).reshape(POINTS, POINTS)
    colours = np.array([to_rgb(module_colour(k)) for k in range(len(task.outputs))])
    axes = blank_axes(5.0, 4.0) if ax is None else ax
    (panel,) = panels(axes, 1, 1)
    soften(panel)
    pale = PALE + (1 - PALE) * colours
    panel.imshow(
        pale[classes], extent=(low[0], high[0], low[1], high[1]), origin="lower", aspect="auto", interpolation="nearest"
    )
    true = y.argmax(axis=1)
    for k, name in enumerate(task.output_labels or task.outputs):
        rows = x[true == k]
        panel.scatter(rows[:, 0], rows[:, 1], s=9, color=colours[k], linewidths=0, label=shorten(name))
    panel.set_xlabel(shorten(task.with_unit(task.inputs[0])), color=INK, parse_math=False)
    panel.set_ylabel(shorten(task.with_unit(task.inputs[1])), color=INK, parse_math=False)
    panel.legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper right")
    return Picture(axes, f"{len(x)} rows by {' and '.join(task.inputs)}, on the classes that the network says.")
