"""A report as Markdown."""

import re
from functools import cache
from typing import TYPE_CHECKING

import jinja2

from bimt_train.showing import to_markdown

from ._facts import FILTERS, facts

if TYPE_CHECKING:
    from ._content import ReportContent


def render_markdown(report: "ReportContent") -> str:
    """The report as headings, lists and tables, as GitHub reads them.

    Parameters
    ----------
    report : ReportContent
        What was found.

    Returns
    -------
    str
        The text.
    """
    text = _environment().get_template("report.md").render(**facts(report))
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bimt_analyze.report", package_path=""),
        autoescape=False,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {**FILTERS, "cell": to_markdown}
    return environment
