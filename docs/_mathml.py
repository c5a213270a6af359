"""What `make docs` makes of formulas in LaTeX: MathML, which browsers draw without a script and without a network."""

import re
from html import unescape
from typing import Any

from latex2mathml.converter import convert

# What pymdownx.arithmatex, told to be generic, makes of $...$ and of $$...$$.
_INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
_DISPLAYED = re.compile(r'<div class="arithmatex">\\\[(.*?)\\\]</div>', re.DOTALL)


def with_mathml(page: str) -> str:
    """The HTML of a page, each formula in it written as MathML."""
    page = _INLINE.sub(lambda found: mathml(unescape(found[1]), display="inline"), page)
    return _DISPLAYED.sub(
        lambda found: f'<div class="scroll">{mathml(unescape(found[1]), display="block")}</div>', page
    )


def mathml(latex: str, *, display: str) -> str:
    """One formula. A command that LaTeX does not have is an error, as it would be shown as its name."""
    made = convert(latex.strip(), display=display)
    if unknown := re.search(r"\\[A-Za-z]+", made):
        raise ValueError(f"no such command of LaTeX: {unknown[0]}, in {latex.strip()}")
    return made


def on_page_content(html: str, **_: Any) -> str:
    """What mkdocs calls for each page."""
    return with_mathml(html)
