"""The colours of modules, the same in every picture and page."""

import colorsys

MODULE_COLOURS = (
    "#f2a41f", "#22a06b", "#9a5fd0", "#e56fae", "#18a7b5", "#9c6b3f", "#a5ad1b", "#6f7f95", "#e07b39", "#4b9e3f",
)  # fmt: skip


def module_colour(number: int) -> str:
    """Colour of a module by its number: a fixed list, then hues a golden angle apart.

    Parameters
    ----------
    number : int
        Number of the module, from 0.

    Returns
    -------
    str
        A colour such as "#f2a41f".

    Examples
    --------
    >>> from bimt_analyze.plots import module_colour
    >>> module_colour(0)
    '#f2a41f'
    """
    if number < len(MODULE_COLOURS):
        return MODULE_COLOURS[number]
    parts = colorsys.hsv_to_rgb((number * 0.6180339887) % 1.0, 0.55, 0.8)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)
