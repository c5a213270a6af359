"""The weights of the first hidden layer, each neuron's as a small image in the neuron's place."""

import numpy as np
from jaxtyping import Float64
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from bimt_train import InputError
from bimt_train.checkpoints import Network

from .._canvas import MUTED, NEGATIVE, PAPER, POSITIVE, blank_axes, panels
from .._module_colours import module_colour
from .._picture import Picture
from ._scene import Modules, module_numbers

FILL = 0.9  # of a slot that its image takes


def draw_features(network: Network, *, partition: Modules | None = None, ax: Axes | None = None) -> Picture:
    """Draw every neuron's incoming weights from an image of pixels, at the neuron's own coordinates.

    Blue is above zero, red below; one scale for all, which ends at the 99th percentile of the magnitudes that are not
    zero. Neurons without such weights are left out.

    Parameters
    ----------
    network : Network
        A network whose inputs lie on a grid, and whose neurons that read them lie in a plane.
    partition : Modules, optional
        Modules, as `draw_network` takes them; they colour the frames.
    ax : Axes, optional
        Axes whose place the picture takes; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panel is the only one of the ``child_axes`` of its ``axes``.

    Raises
    ------
    InputError
        Inputs are on no full grid, or no layer in a plane reads them.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_features
    >>> from bimt_train.checkpoints import Network
    >>> from bimt_train.models import ImageMLP
    >>> picture = draw_features(Network.of(ImageMLP([4, 4, 2], (2, 2))))
    >>> len(picture.axes.child_axes[0].images)
    4
    """
    numbers = module_numbers(network, partition)
    group, weights, (rows, columns) = _read_by(network)
    places = network.placement.coordinates(network.layout, group)
    places = np.column_stack((places[:, 0], 1 - places[:, 1]))  # the first row of slots is at the top
    alive = np.flatnonzero(np.abs(weights).sum(axis=1) > 0)
    some = np.abs(weights[weights != 0])
    top = float(np.percentile(some, 99)) if len(some) else 1.0
    side = _spacing(places) * FILL
    axes = blank_axes(6.0, 6.0) if ax is None else ax
    (panel,) = panels(axes, 1, 1)
    panel.set_axis_off()
    colours = LinearSegmentedColormap.from_list("weights", [NEGATIVE, PAPER, POSITIVE])
    for i in alive:
        x, y = places[i] - side / 2
        image = weights[i].reshape(rows, columns)
        panel.imshow(image, extent=(x, x + side, y, y + side), cmap=colours, vmin=-top, vmax=top,
                     interpolation="nearest")  # fmt: skip
        edge = module_colour(numbers[group, int(i)]) if (group, int(i)) in numbers else MUTED
        panel.add_patch(Rectangle((x, y), side, side, fill=False, edgecolor=edge, linewidth=0.8))
    shown = places[alive] if len(alive) else places
    low, high = shown.min(axis=0) - side * 0.55, shown.max(axis=0) + side * 0.55
    panel.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    return Picture(axes, f"Incoming weights of {len(alive)} neurons of {group}, each as an image of the inputs.")


def _read_by(network: Network) -> tuple[str, Float64[np.ndarray, "neurons pixels"], tuple[int, int]]:
    """The group that reads the image, its weights with pixels row by row, and the image's rows and columns."""
    inputs, layout = network.layout.inputs, network.layout
    found = [c for c in network.connections() if c.source == inputs]
    planes = [c for c in found if layout.group(c.target).coordinates.shape[1] > 1]
    pixels = network.placement.coordinates(layout, inputs) if inputs else np.zeros((0, 1))
    columns, rows = (len(np.unique(np.round(axis, 9))) for axis in (pixels[:, 0], pixels[:, -1]))
    if not planes or pixels.shape[1] < 2 or rows * columns != len(pixels):
        raise InputError(
            "no features to draw",
            where="layout",
            expected="inputs on a full grid, read by a layer in a plane",
            got=f"{len(pixels)} inputs, read by {', '.join(c.target for c in found) or 'nothing'}",
            hint="give an ImageMLP, or a layout with Group.grid",
        )
    order = np.lexsort((pixels[:, 0], pixels[:, 1]))
    return planes[0].target, planes[0].matrix[:, order].astype(np.float64), (rows, columns)


def _spacing(places: Float64[np.ndarray, "neurons 2"]) -> float:
    """The least distance between neighbours along either axis, 1 for a lone neuron."""
    gaps = np.abs(places[:, None] - places[None]).max(axis=2)
    return float(gaps[gaps > 1e-9].min(initial=1.0))
