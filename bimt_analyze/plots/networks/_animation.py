"""Training as a film: weights fade, neurons move to their slots."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.animation import FuncAnimation

from bimt_train import InputError
from bimt_train.checkpoints import Network
from bimt_train.training import Snapshot

from .._canvas import INK, MUTED, blank_axes, figure_of
from ._draw_network import name_rows, paint
from ._scene import Modules, Row, edges_of, module_numbers, rows_of, used
from ._unroll import Stages, unroll

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

HOLD = 0.2  # of the frames, for which the last picture stays
WEIGHT = 1e-2  # weights from which an edge is drawn, as training counts edges


def animate_training(
    snapshots: Sequence[Snapshot],
    *,
    partition: Modules | None = None,
    threshold: float = WEIGHT,
    frames: int = 90,
    per_second: int = 15,
    ax: "Axes | None" = None,
) -> FuncAnimation:
    """Make a film of one network's training; write it with ``.save("training.gif")``.

    Between two snapshots every weight and every neuron's coordinates change linearly; what is relocated moves from its
    old slot to its new one.

    Parameters
    ----------
    snapshots : sequence of Snapshot
        Snapshots of one seed, as `bimt_train.Snapshots` keeps them.
    partition : Modules, optional
        Modules, as `draw_network` takes them; they colour the neurons from the beginning.
    threshold : float, default WEIGHT
        Weights of at most this magnitude are left out.
    frames : int, default 90
        Number of pictures; evenly spaced in the square root of the step, since most of the moving is early.
    per_second : int, default 15
        Pictures a second.
    ax : Axes, optional
        Axes to draw on; left out, a figure of its own.

    Returns
    -------
    FuncAnimation
        The film; nothing is drawn before it is saved.

    Raises
    ------
    InputError
        There are fewer than two snapshots, or they have different layouts.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from bimt_analyze.plots import animate_training
    >>> from bimt_train.models import MLP
    >>> snapshots = [Snapshot(step, Network.of(MLP((2, 3, 1)))) for step in (0, 10)]
    >>> film = animate_training(snapshots, frames=2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     film.save(f"{folder}/training.gif", writer="pillow", dpi=30)
    ...     Path(f"{folder}/training.gif").exists()
    True
    """
    if len(snapshots) < 2 or any(s.network.layout != snapshots[0].network.layout for s in snapshots):
        raise InputError(
            "no film can be made of these snapshots",
            expected="two or more, of one layout",
            got=str(len(snapshots)),
            hint="pass a Snapshots() to train's callbacks, and give its .of(seed)",
        )
    last = snapshots[-1].network
    stages, numbers = unroll(last.layout), module_numbers(last, partition)
    axes = blank_axes(4.8, 0.8 + 0.85 * (len(stages.groups) - 1)) if ax is None else ax
    figure_of(axes).patch.set(facecolor="white", alpha=1.0)  # frames lie on top of each other
    steps = np.array([s.step for s in snapshots])
    times = np.concatenate([steps[-1] * np.linspace(0, 1, frames) ** 2, np.full(round(HOLD * frames), steps[-1])])

    def show(step: float) -> "list[Artist]":
        after = int(np.clip(np.searchsorted(steps, step), 1, len(steps) - 1))
        share = float((step - steps[after - 1]) / (steps[after] - steps[after - 1]))
        network, rows = _between(snapshots[after - 1].network, snapshots[after].network, share, stages)
        edges = edges_of(network, stages, threshold)
        axes.clear()
        axes.set_position((0.08, 0.06, 0.88, 0.86))
        paint(axes, stages, rows, edges, used(network, stages, edges), numbers)
        if step == steps[-1]:
            name_rows(axes, network, rows)
        axes.plot([0, 1], [-0.06] * 2, color=MUTED, alpha=0.3, linewidth=2, transform=axes.transAxes, clip_on=False)
        axes.plot([0, step / steps[-1]], [-0.06] * 2, color=INK, linewidth=2, transform=axes.transAxes, clip_on=False)
        axes.set_title(f"step {step:.0f}", fontsize=9, color=INK, loc="right")
        return []

    return FuncAnimation(figure_of(axes), show, frames=times, interval=1000 / per_second, cache_frame_data=False)


def _between(a: Network, b: Network, share: float, stages: Stages) -> tuple[Network, dict[str, Row]]:
    """The network and its places a share of the way from a to b."""
    tensors = {name: (1 - share) * tensor + share * b.tensors[name] for name, tensor in a.tensors.items()}
    start, end = rows_of(a, stages), rows_of(b, stages)
    rows = {key: replace(row, points=(1 - share) * row.points + share * end[key].points) for key, row in start.items()}
    return b.with_tensors(tensors), rows
