"""Modular addition: each module's embedding as a curve, and the frequencies in it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.axes import Axes

from .._canvas import INK, MUTED, blank_axes, soften
from .._module_colours import module_colour
from .._picture import Picture

if TYPE_CHECKING:
    from ...representations import FrequencyModule

ROOM = (0.11, 0.085)  # that a token's number takes, in radii; where there is none, the number is left out


def draw_frequencies(modules: "Sequence[FrequencyModule]", *, ax: Axes | None = None) -> Picture:
    """Draw for each module its tokens over the first two principal axes of the embedding, and below the spectrum.

    Tokens are coloured by their number; a line joins t to the token that is one turn of the frequency's ring further, t
    + 1/k modulo p. The title gives k and the share of power in k, 2k and 3k; their bars have the module's colour.

    Parameters
    ----------
    modules : sequence of FrequencyModule
        Modules as `frequency_modules` gives them; those that read no dimension are left out.
    ax : Axes, optional
        Axes whose place the panels take; left out, a figure of its own.

    Returns
    -------
    Picture
        The picture; the panels are the ``child_axes`` of its ``axes``: the curves, then the spectra.

    Examples
    --------
    >>> from bimt_analyze.plots import draw_frequencies
    >>> import numpy as np
    >>> from bimt_analyze.representations import FrequencyModule
    >>> turn = 2 * np.pi * np.arange(5) / 5
    >>> curve = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    >>> module = FrequencyModule(frozenset(), (0, 1), 1, 1.0, {1: 1.0}, np.array([0.0, 1.0, 0.0]), curve, ())
    >>> len(draw_frequencies([module]).axes.child_axes)
    2
    """
    shown = [(number, module) for number, module in enumerate(modules) if module.frequency]
    count = max(len(shown), 1)
    axes = blank_axes(2.7 * count, 4.1) if ax is None else ax
    axes.set_axis_off()
    gap = 0.18 / count
    width = (1 - gap * (count - 1)) / count
    curves = [axes.inset_axes((i * (width + gap), 0.3, width, 0.64)) for i in range(count)]
    spectra = [axes.inset_axes((i * (width + gap), 0.0, width, 0.2)) for i in range(count)]
    for panel, (number, module) in zip(curves, shown, strict=False):
        _curve(panel, module)
        title = f"k = {module.frequency}, share {module.share:.3f}"
        panel.set_title(title, fontsize=9, color=INK)
        panel.scatter([-1.1], [1.1], s=40, color=[module_colour(number)], edgecolors=INK, linewidths=0.6)
    for panel, (number, module) in zip(spectra, shown, strict=False):
        soften(panel, grid=False)
        own = [module_colour(number) if f in module.power else MUTED for f in range(len(module.spectrum))]
        panel.bar(range(len(module.spectrum)), module.spectrum, color=own, width=0.8)
        panel.set(ylim=(0, 1), yticks=(0, 1), xlim=(0, len(module.spectrum)))
        panel.set_xlabel("frequency")
    if shown:
        spectra[0].set_ylabel("power")
    return Picture(axes, f"What {len(modules)} modules compute, and their spectra over the frequencies.")


def _curve(panel: Axes, module: "FrequencyModule") -> None:
    panel.set_axis_off()
    panel.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal")
    curve, p = module.curve, len(module.curve)
    if np.gcd(module.frequency, p) == 1:
        ring = np.arange(p + 1) * pow(module.frequency, -1, p) % p
        panel.plot(*curve[ring].T, color=MUTED, linewidth=0.6, alpha=0.6, zorder=1)
    colours = matplotlib.colormaps["twilight_shifted"](0.08 + 0.84 * np.arange(p) / p)
    panel.scatter(curve[:, 0], curve[:, 1], s=24, c=colours, linewidths=0, zorder=2)
    named = np.zeros((0, 2))
    for token, point in enumerate(curve):
        x, y = place = point * (1 + 0.12 / max(np.hypot(*point), 0.3))
        if (np.abs(named - place) > ROOM).any(axis=1).all():
            panel.text(x, y, str(token), fontsize=5.5, color=INK, ha="center", va="center")
            named = np.vstack([named, place])
