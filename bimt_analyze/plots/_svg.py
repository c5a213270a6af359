"""Figures as SVG to set inside a page."""

import io
import re
from collections import Counter
from html import escape

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.transforms import Bbox

from ._canvas import INK, MUTED, NEGATIVE, PAPER, POSITIVE, figure_of

# In pictures set inside a page, these colours follow the page's own: dark on light, light on dark.
_PAGE_COLOURS = {
    INK: "currentColor",
    PAPER: "var(--paper, #ffffff)",
    MUTED: f"var(--muted, {MUTED})",
    POSITIVE: f"var(--above, {POSITIVE})",
    NEGATIVE: f"var(--below, {NEGATIVE})",
}
_LONG = r"-?\d+\.\d{3,}(?:e-?\d+)?"
RASTER = 120  # dots an inch of what a picture inside a page holds as pixels


def crop(axes: Axes, margin: float = 0.08) -> Bbox:
    """The inches around all that is drawn; measured once, where matplotlib's own "tight" draws everything twice.

    Parameters
    ----------
    axes : Axes
        Axes of the figure.
    margin : float, default 0.08
        Inches that are left around the drawing.

    Returns
    -------
    Bbox
        What a file of the picture holds.
    """
    figure = figure_of(axes)
    return figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).padded(margin)


def to_svg(axes: Axes, *, prefix: str = "", alt: str = "") -> str:
    """The figure of these axes as an SVG element to set inside a page; equal pictures give equal text.

    Every id and class begins with ``prefix``, so that several pictures get along in one page. Ink, paper and the
    colours of signs are the page's own, text has the page's font. There is no reference to anything outside.

    Parameters
    ----------
    axes : Axes
        Axes of the figure.
    prefix : str, default ''
        Beginning of every id and class.
    alt : str, default ''
        What the picture shows, in words, for those who do not see it.

    Returns
    -------
    str
        The element.

    Examples
    --------
    >>> from bimt_analyze.plots import blank_axes
    >>> to_svg(blank_axes(1.0, 1.0), prefix="p-", alt="nothing")[:36]
    '<svg role="img" aria-label="nothing"'
    """
    buffer = io.StringIO()
    plain = {"svg.hashsalt": prefix or "picture", "svg.fonttype": "none"}
    with matplotlib.rc_context(plain):
        figure_of(axes).savefig(
            buffer, format="svg", transparent=True, bbox_inches=crop(axes), dpi=RASTER,
            metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
        )  # fmt: skip
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style type.*?</style>", "", text, flags=re.DOTALL)
    text = text.replace('xlink:href="', 'href="').replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    text = re.sub(r"font: ([^;\"]*?)'DejaVu Sans'[^;\"]*", r"font: \1sans-serif", text)
    text = _classes(_shorter(text), prefix or "picture-")
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", text)
    text = re.sub(r'\bhref="#([^"]+)"', rf'href="#{prefix}\1"', text)
    for drawn, page in _PAGE_COLOURS.items():
        text = text.replace(drawn, page)
    start = f'<svg role="img" aria-label="{escape(alt)}" stroke-linejoin="round"'
    return start + text.strip().removeprefix("<svg")


def _shorter(text: str) -> str:
    """Half the letters for the same picture: no indents, two decimals, no id that is idle or repeated."""
    text = re.sub(
        r'(?<= )(d|x|y|points|transform)="([^"]*)"',
        lambda found: f'{found[1]}="{re.sub(_LONG, _rounded, " ".join(found[2].split()))}"',
        text,
    )
    read = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", text))
    ids = Counter(re.findall(r' id="([^"]+)"', text))
    idle = {name for name, count in ids.items() if name not in read and (count > 1 or re.fullmatch(r"\w+_\d+", name))}
    text = re.sub(r' id="([^"]+)"', lambda found: "" if found[1] in idle else found[0], text)
    return re.sub(r"\n\s*", "\n", text)


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _classes(text: str, prefix: str) -> str:
    """Styles that stand at several elements, written once."""
    counts = Counter(re.findall(r' style="([^"]*)"', text))
    often = [style for style, count in counts.most_common() if count > 1]
    names = {style: f"{prefix}c{place}" for place, style in enumerate(often)}

    def named(found: re.Match[str]) -> str:
        return f' class="{names[found[1]]}"' if found[1] in names else found[0]

    rules = "".join(f".{name}{{{style}}}" for style, name in names.items())
    text = re.sub(r' style="([^"]*)"', named, text)
    return re.sub(r"(<svg[^>]*>)", rf"\1<style>{rules}</style>", text, count=1) if rules else text
