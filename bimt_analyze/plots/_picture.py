"""A picture as a value: it shows itself in a notebook, and is written to a file or into a page."""

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from markupsafe import escape
from matplotlib.axes import Axes
from PIL import Image

from bimt_train.showing import Shown

from ._canvas import figure_of
from ._svg import crop, to_svg

SHOWN, COLOURS = 96, 64  # pixels an inch, and colours, in a notebook


@dataclass(frozen=True, eq=False, repr=False)
class Picture(Shown):
    """What a ``draw_...`` function drew; a notebook shows the picture itself.

    Attributes
    ----------
    axes : matplotlib.axes.Axes
        What was drawn on; ``axes.figure`` is the figure. All that is written is the whole figure.
    alt : str
        What the picture shows, in words, for those who cannot see it.

    Examples
    --------
    >>> from bimt_analyze.plots import Picture, blank_axes
    >>> picture = Picture(blank_axes(1.0, 1.0), alt="An empty square.")
    >>> picture
    Picture(An empty square.)
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     picture.save(f"{folder}/a.png", dpi=40).name
    'a.png'
    """

    axes: Axes
    alt: str

    def _brief(self) -> str:
        return self.alt

    def _repr_png_(self) -> tuple[bytes, dict[str, str]]:
        return self._small(), {"alt": self.alt}

    def _small(self) -> bytes:
        """The PNG of a notebook, in few colours: a quarter of the bytes, which the notebook's file keeps."""
        buffer = io.BytesIO()
        with Image.open(io.BytesIO(self.png(dpi=SHOWN))) as picture:
            picture.convert("RGB").quantize(COLOURS).save(buffer, "png", optimize=True)
        return buffer.getvalue()

    def png(self, *, dpi: int = 160, background: str = "white") -> bytes:
        """The content of a PNG file; equal pictures give equal bytes.

        Parameters
        ----------
        dpi : int, default 160
            Pixels an inch.
        background : str, default "white"
            Colour behind the picture.

        Returns
        -------
        bytes
            The file's content.
        """
        buffer = io.BytesIO()
        figure_of(self.axes).savefig(
            buffer,
            format="png",
            dpi=dpi,
            facecolor=background,
            bbox_inches=crop(self.axes),
            metadata={"Software": None},
        )
        return buffer.getvalue()

    def svg(self, *, prefix: str = "") -> str:
        """An SVG element to set inside a page; equal pictures give equal text.

        Every id and class begins with ``prefix``, so that several pictures get along in one page. Ink, paper and the
        colours of signs are the page's own, text has the page's font. There is no reference to anything outside.

        Parameters
        ----------
        prefix : str, default ""
            Beginning of every id and class.

        Returns
        -------
        str
            The element.
        """
        return to_svg(self.axes, prefix=prefix, alt=self.alt)

    def html(self) -> str:
        """An ``<img>`` element that holds the picture, in few colours, and its description."""
        data = base64.b64encode(self._small()).decode("ascii")
        return f'<img alt="{escape(self.alt)}" src="data:image/png;base64,{data}">'

    def save(self, path: str | Path, *, dpi: int = 160) -> Path:
        """Write a file; its ending says the format (png, svg, pdf).

        Parameters
        ----------
        path : str or Path
            The file; it is overwritten.
        dpi : int, default 160
            Pixels an inch.

        Returns
        -------
        Path
            The path.
        """
        path = Path(path)
        figure_of(self.axes).savefig(path, dpi=dpi, facecolor="white", bbox_inches=crop(self.axes))
        return path
